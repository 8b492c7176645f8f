//! Texts in events that are special in SQL, JSON, HTTP, paths or terminals. They come out unchanged and have no effect.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::common::server::Server;
use crate::common::{Inbox, event, event_with, fixture, without_nul};

const HOSTILE: [&str; 14] = [
    "'; DROP TABLE updates; --",
    "\" OR \"\"=\"",
    "x' || (SELECT group_concat(name) FROM tags) || '",
    "%' OR 1=1 --%_",
    "\\\"},{\"image\":\"forged:1\"}",
    "\r\nSet-Cookie: a=b\r\n\r\n<script>",
    "%0d%0aSet-Cookie:%20a=b",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "?state=all#x",
    "a+b c",
    "\0\u{1}\u{7f}\u{85}\u{9b}31m\u{1b}]0;title\u{7}",
    "\u{202e}\u{2066}\u{feff}\u{e0041}",
    "$(id) `id` ${HOME} {{7*7}} %s%n",
];

const FIELDS: [&str; 8] = [
    "diun_version",
    "hostname",
    "status",
    "provider",
    "hub_link",
    "mime_type",
    "digest",
    "platform",
];

/// An event with this text in every field but its image: not every text can be an image's name.
fn hostile(text: &str) -> Value {
    let index = HOSTILE.iter().position(|hostile| *hostile == text).unwrap();
    let mut event = event(&format!("docker.io/hostile/n{index}:1"));
    for field in FIELDS {
        event[field] = json!(text);
    }
    event["metadata"] = json!({text: text, "ctn_names": text, "ctn_id": text});
    event
}

fn path(image: &str) -> String {
    format!("/api/updates/{}", utf8_percent_encode(image, NON_ALPHANUMERIC))
}

fn schema(inbox: &Inbox) -> Vec<String> {
    let connection = rusqlite::Connection::open(inbox.database()).unwrap();
    let mut statement = connection.prepare("SELECT name || sql FROM sqlite_schema").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
    rows.filter_map(Result::unwrap).collect()
}

#[test]
fn every_field_comes_back_as_it_was_by_pipe_and_by_http() {
    let server = Server::start();
    let before = schema(&server.inbox);
    for (index, text) in HOSTILE.into_iter().enumerate() {
        let event = hostile(text);
        if index % 2 == 0 {
            server.inbox.take(std::slice::from_ref(&event));
        } else {
            assert_eq!(server.send("POST", "/webhook", &[], event.to_string()).status, 204);
        }
        let by_http = server.ask("GET", &path(event["image"].as_str().unwrap()));
        assert_eq!(by_http.status, 200, "{text:?}: {}", by_http.body);
        let mut event = event;
        without_nul(&mut event);
        assert_eq!(by_http.json()["event"], event, "{text:?}");
        let shown = server.inbox.json(["list", "--host", "nobody"]);
        assert_eq!(shown, json!([]));
        if !text.contains('\0') {
            assert_eq!(server.inbox.json(["list", "--host", text])[0]["event"], event);
            assert_eq!(server.inbox.json(["list", "--provider", text])[0]["event"], event);
        }
    }
    let all = server.ask("GET", "/api/updates").json();
    assert_eq!(all.as_object().unwrap().len(), HOSTILE.len(), "one was forged, or lost");
    assert_eq!(schema(&server.inbox), before);
}

#[test]
fn names_that_are_nearly_the_same_stay_apart() {
    let server = Server::start();
    let names = ["a/b:1", "a%2Fb:1", "a%252Fb:1", "a/./b:1", "a/../a/b:1", "A/b:1", "a/b:1+"];
    for name in names {
        assert_eq!(server.send("POST", "/webhook", &[], event(name).to_string()).status, 204);
    }
    for (index, name) in names.into_iter().enumerate() {
        let full = diunbox::image::ImageName::new(name).unwrap();
        assert_eq!(server.ask("GET", &path(name)).json()["event"]["image"], full.as_str());
        assert_eq!(server.ask("PATCH", &path(name)).status, 204);
        let counts = server.ask("GET", "/api/summary").json();
        assert_eq!(counts["acknowledged"], index + 1, "{name:?} acknowledged another");
    }
    for text in HOSTILE.iter().chain(&["a//b:1", "a/b:1/", "a b", "*"]) {
        if diunbox::image::ImageName::new(text).is_err() {
            let answer = server.send("POST", "/webhook", &[], event(text).to_string());
            assert_eq!(answer.status, 400, "{text:?}");
            assert_eq!(server.ask("GET", &path(text)).status, 404, "{text:?}");
        }
    }
    // Decoded once, not twice.
    let raw = server.raw("GET /api/updates/a%2Fb:1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(raw.contains("\"image\":\"docker.io/a/b:1\""), "{raw}");
}

#[test]
fn tags_and_filters_take_any_text() {
    let server = Server::start();
    for (index, text) in HOSTILE.into_iter().enumerate() {
        let image = format!("docker.io/a/{index}:1");
        server.inbox.take(&[event(&image)]);
        let text = &text.replace('\0', "");
        let made = server.send("POST", "/api/tags", &[], json!({"name": text}).to_string());
        assert_eq!(made.status, 201, "{text:?}: {}", made.body);
        let tag = made.json();
        assert_eq!(tag["name"], text.trim());
        assert_eq!(
            server.send("POST", "/api/tags", &[], json!({"name": text}).to_string()).status,
            409
        );
        let body = json!({"image": image, "tag_id": tag["id"]}).to_string();
        assert_eq!(server.send("PUT", "/api/tag-assignments", &[], body).status, 204);
        let query = utf8_percent_encode(text.trim(), NON_ALPHANUMERIC);
        let tagged = server.ask("GET", &format!("/api/updates?tag={query}")).json();
        assert_eq!(tagged.as_object().unwrap().keys().collect::<Vec<_>>(), [&image], "{text:?}");
    }
    for id in
        ["1 OR 1=1", "1;DROP TABLE tags", "-1", "0x1", "1.0", " ", "9223372036854775808", "%31%20"]
    {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC).to_string();
        assert_eq!(server.ask("DELETE", &format!("/api/tags/{id}")).status, 404, "{id}");
    }
    assert_eq!(server.ask("GET", "/api/tags").json().as_array().unwrap().len(), HOSTILE.len());
}

#[test]
fn no_name_gets_into_a_header_or_makes_a_line_of_the_log() {
    for format in ["text", "json"] {
        let mut server = Server::with(Inbox::new(), &["-v", "--log-format", format]);
        let before = server.log().len();
        let mut requests = 0;
        for text in HOSTILE {
            let encoded = path(text);
            for request in [
                format!("GET {encoded} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                format!("PATCH {encoded} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                format!("DELETE /api/tags/{} HTTP/1.1\r\nHost: localhost\r\n\r\n", &encoded[13..]),
                format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", &encoded[13..]),
            ] {
                let answer = server.raw(&request);
                let (head, _) = answer.split_once("\r\n\r\n").unwrap();
                assert!(!head.to_lowercase().contains("cookie"), "{head}");
                assert!(!head.contains('\u{1b}') && head.lines().count() < 12, "{head}");
                requests += 1;
            }
            let body = json!({"image": 5, text: text}).to_string();
            let bad = [("status", json!([text])), ("created", json!(text))];
            for body in bad
                .map(|(key, value)| event_with("a:1", &json!({key: value})).to_string())
                .into_iter()
                .chain([body])
            {
                let is_event = !body.contains("\"image\":5");
                let answer = server.send("POST", "/webhook", &[], body);
                assert_eq!(answer.status, if is_event { 204 } else { 400 });
                requests += 1;
            }
        }
        server.stop();
        let log = server.log();
        assert!(
            log.iter().all(|line| !line.chars().any(|c| c.is_control() || c == '\u{202e}')),
            "{log:#?}"
        );
        let others = ["stopp", "`: dropped ", "refused body: "];
        let stopping =
            log.iter().filter(|line| others.iter().any(|text| line.contains(text))).count();
        assert_eq!(log.len() - before - stopping, requests, "a line for each request: {log:#?}");
    }
}

/// Line ends, and the NUL of `-0`, are the program's own.
#[test]
fn no_control_byte_of_an_event_comes_out_of_any_command() {
    let inbox = Inbox::with("nasty.ndjson");
    inbox.diunbox(["ingest"]).arg(fixture("nasty.ndjson")).assert().success();
    inbox.take(&HOSTILE.map(hostile));
    let names: Vec<String> =
        inbox.output(["list", "-0"]).split_terminator('\0').map(str::to_owned).collect();
    for text in HOSTILE {
        inbox.diunbox(["tag", "create"]).arg(text.replace('\0', "")).assert().success();
    }
    let mut runs: Vec<(Vec<String>, String)> = Vec::new();
    let mut run = |arguments: &[&str], input: &str| {
        runs.push((arguments.iter().map(|a| (*a).to_owned()).collect(), input.to_owned()));
    };
    for format in ["table", "json", "ndjson"] {
        run(&["list", "--all", "--format", format], "");
        run(&["tag", "list", "--format", format], "");
        for name in names.iter().filter(|name| !name.contains('\0')) {
            run(&["show", name, "--format", format], "");
        }
    }
    run(&["list", "-q"], "");
    run(&["tag", "list", "-q"], "");
    for color in ["never", "auto"] {
        run(&["list", "--color", color], "");
    }
    for name in names.iter().filter(|name| !name.contains('\0')) {
        for missing in [format!("{name}x"), format!("{name}*x")] {
            run(&["show", &missing], "");
            run(&["ack", &missing], "");
            run(&["tag", "assign", &missing, "a"], "");
            run(&["list", "--tag", &missing], "");
            run(&["list", "--image", &format!("[{missing}")], "");
        }
    }
    for text in HOSTILE {
        run(&["ingest"], &json!({"image": "a", "created": text, text: text}).to_string());
        run(&["ingest"], &json!({"image": "a", "metadata": {text: [text]}}).to_string());
        run(&["ingest"], text);
        run(&["ingest", "--strict"], &format!("{{\"{text}\""));
    }
    run(&["prune", "--older-than", "1s", "--dry-run"], "");
    run(&["status"], "");
    run(&["ack", "--all"], "");
    for (arguments, input) in runs {
        let mut command = inbox.diunbox(arguments.iter().map(String::as_str));
        let output = command.write_stdin(input).output().unwrap();
        assert!(output.status.code().is_some(), "{arguments:?}");
        for stream in [output.stdout, output.stderr] {
            let text = String::from_utf8(stream).unwrap();
            let harmful =
                |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.contains(harmful), "{arguments:?}: {text:?}");
        }
    }
}
