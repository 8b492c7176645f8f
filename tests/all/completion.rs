//! Completion, as shells request it and as users see it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::terminal::Terminal;
use crate::common::{Inbox, program};

/// An image whose name a shell would run, were it not quoted.
const EVIL: &str = "docker.io/library/evil;touch${IFS}pwned:1";

fn inbox() -> Inbox {
    let inbox = Inbox::new();
    let events = [
        ("docker.io/library/nginx:1.26-alpine", "edge-1", "docker"),
        ("docker.io/library/nginx:1.27", "edge-1", "docker"),
        ("docker.io/library/redis:7", "core-1", "swarm"),
        ("docker.io/library/caddy:2", "core-1", "swarm"),
        ("ghcr.io/acme/api:2.0", "core-1", "swarm"),
        (EVIL, "--all", "file"),
        ("docker.io/library/a-escape:1", "core\n1", "file"),
    ];
    let events: Vec<String> = events
        .map(|(image, host, provider)| {
            serde_json::json!({"image": image, "hostname": host, "provider": provider}).to_string()
        })
        .into();
    inbox.diunbox(["ingest"]).write_stdin(events.join("\n")).assert().success();
    // As another program could leave it.
    inbox.sql("UPDATE updates SET image = 'docker.io/library/a' || char(27) || '[2J:1' WHERE image GLOB '*escape*'");
    let hidden =
        ["x\u{202e}y", "x\u{2066}y", "x\u{200b}y", "x\u{115f}y", "x\u{34f}y", "x\u{fe0f}y"];
    inbox.diunbox(["tag", "create"]).args(hidden).assert().success();
    inbox.diunbox(["tag", "create", "web servers", "db"]).assert().success();
    inbox
}

/// What a shell gets for the last of the words.
fn offered(inbox: &Inbox, shell: &str, line: &[&str]) -> Vec<String> {
    let mut command = inbox.diunbox([]);
    command.env("DIUNBOX_COMPLETE", shell).env("_CLAP_IFS", "\n");
    command.env("_CLAP_COMPLETE_INDEX", (line.len() - 1).to_string());
    let output = command.arg("--").args(line).assert().success().stderr("");
    let output = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    output.lines().map(str::to_owned).collect()
}

#[cfg(feature = "postgres")]
#[test]
fn names_in_postgresql_are_offered_too() {
    let Some(database) = crate::common::postgres::Database::new() else { return };
    let inbox = inbox();
    let words = ["diunbox", "--db", &database.url(), "ack", "n"];
    // Nothing is created.
    assert_eq!(offered(&inbox, "fish", &words), [""; 0]);
    assert_eq!(database.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0\n");
    inbox.diunbox(["--db", &database.url(), "import"]).arg(inbox.database()).assert().success();
    let files = offered(&inbox, "fish", &["diunbox", "ack", "n"]);
    assert_eq!(offered(&inbox, "fish", &words), files);
    let hosts = |words: &[&str]| offered(&inbox, "fish", words);
    assert_eq!(
        hosts(&["diunbox", "--db", &database.url(), "list", "--host", ""]),
        hosts(&["diunbox", "list", "--host", ""])
    );
}

#[test]
fn ack_offers_what_is_pending_and_not_on_the_line_yet() {
    let inbox = inbox();
    inbox.diunbox(["ack", "nginx:1.27"]).assert().success();
    let all = ["caddy:2", r"evil\;touch\$\{IFS\}pwned:1", "nginx:1.26-alpine", "redis:7"];
    let offered = |line: &[&str]| offered(&inbox, "bash", line);
    let expected = [&all[..], &["ghcr.io/acme/api:2.0"]].concat();
    assert_eq!(offered(&["diunbox", "ack", ""]), expected);
    assert_eq!(offered(&["diunbox", "ack", "redis:7", "r"]), [""; 0]);
    assert_eq!(offered(&["diunbox", "-q", "ack", "redis:7", "ng"]), ["nginx:1.26-alpine"]);
}

#[test]
fn each_command_offers_what_it_can_act_on() {
    let inbox = inbox();
    inbox.diunbox(["ack", "nginx:1.27"]).assert().success();
    inbox.diunbox(["snooze", "redis:7", "--for", "1d"]).assert().success();
    inbox.diunbox(["ignore", "add", "caddy:*"]).assert().success();
    let offered = |line: &[&str]| offered(&inbox, "fish", line);
    assert_eq!(offered(&["diunbox", "reopen", ""]), ["nginx:1.27", "redis:7"]);
    assert_eq!(offered(&["diunbox", "snooze", "r"]), ["redis:7"]);
    assert_eq!(offered(&["diunbox", "snooze", "nginx:1.27"]), [""; 0]);
    assert_eq!(offered(&["diunbox", "snooze", "c"]), [""; 0]);
    assert_eq!(offered(&["diunbox", "ignore", "remove", ""]), ["caddy:*"]);
    assert_eq!(offered(&["diunbox", "history", "cad"]), ["caddy:2"]);
}

#[test]
fn full_names_are_offered_for_full_names() {
    let inbox = inbox();
    assert_eq!(
        offered(&inbox, "bash", &["diunbox", "show", "docker.io/library/ng"]),
        ["docker.io/library/nginx:1.26-alpine", "docker.io/library/nginx:1.27"]
    );
}

#[test]
fn tags_hosts_and_providers_are_offered() {
    let inbox = inbox();
    let offered = |line: &[&str]| offered(&inbox, "fish", line);
    let tags = ["db", "web servers"];
    assert_eq!(offered(&["diunbox", "tag", "assign", ""]), tags);
    assert_eq!(offered(&["diunbox", "tag", "delete", "db", ""]), ["web servers"]);
    assert_eq!(offered(&["diunbox", "tag", "rename", "d"]), ["db"]);
    assert_eq!(offered(&["diunbox", "tag", "assign", "db", "red"]), ["redis:7"]);
    assert_eq!(offered(&["diunbox", "tag", "unassign", "red"]), ["redis:7"]);
    assert_eq!(offered(&["diunbox", "list", "--tag", ""]), tags);
    assert_eq!(offered(&["diunbox", "list", "-t", "w"]), ["web servers"]);
    assert_eq!(offered(&["diunbox", "list", "--host", ""]), ["core-1", "edge-1"]);
    assert_eq!(offered(&["diunbox", "ack", "--all", "--host=e"]), ["--host=edge-1"]);
    assert_eq!(offered(&["diunbox", "list", "--provider", ""]), ["docker", "file", "swarm"]);
    assert_eq!(offered(&["diunbox", "list", "--image", "red"]), ["redis:7"]);
}

#[test]
fn no_names_are_offered_for_a_new_tag() {
    let inbox = inbox();
    assert_eq!(offered(&inbox, "bash", &["diunbox", "tag", "create", "d"]), [""; 0]);
}

#[test]
fn options_are_offered_after_a_dash() {
    let inbox = inbox();
    let offered = |line: &[&str]| offered(&inbox, "bash", line);
    assert_eq!(offered(&["diunbox", "list", "--ho"]), ["--host"]);
    assert!(offered(&["diunbox", "ack", "-"]).contains(&"-a".to_owned()));
    assert_eq!(offered(&["diunbox", "st"]), ["status"]);
}

#[test]
fn completion_uses_the_database_of_the_command_line() {
    let other = inbox();
    let inbox = Inbox::new();
    let path = other.database().display().to_string();
    let offered = |line: &[&str]| offered(&inbox, "bash", line);
    assert_eq!(offered(&["diunbox", "--db", &path, "show", "red"]), ["redis:7"]);
    assert_eq!(offered(&["diunbox", &format!("--db='{path}'"), "show", "red"]), ["redis:7"]);
    assert_eq!(offered(&["diunbox", "show", "--db", &path, "red"]), ["redis:7"]);
    assert_eq!(offered(&["diunbox", "show", "red"]), [""; 0]);
}

#[test]
fn a_shell_that_does_not_quote_gets_only_what_needs_no_quotes() {
    let inbox = inbox();
    assert_eq!(offered(&inbox, "powershell", &["diunbox", "show", "evil"]), [""; 0]);
    assert_eq!(offered(&inbox, "powershell", &["diunbox", "show", "red"]), ["redis:7"]);
    assert_eq!(offered(&inbox, "/usr/bin/pwsh", &["diunbox", "tag", "delete", "web"]), [""; 0]);
}

#[test]
fn without_a_database_completion_is_silent_and_creates_none() {
    let inbox = Inbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert_eq!(offered(&inbox, shell, &["diunbox", "ack", "x"]), [""; 0]);
    }
    assert!(!inbox.database().exists());
    let foreign = inbox.path("notes.txt");
    fs::write(&foreign, "no database at all, but longer than the header of one: ".repeat(20))
        .unwrap();
    let path = foreign.display().to_string();
    assert_eq!(offered(&inbox, "bash", &["diunbox", "--db", &path, "ack", "x"]), [""; 0]);
    assert_eq!(fs::read_dir(inbox.path("")).unwrap().count(), 1);
}

#[test]
fn another_programs_database_is_read_and_not_brought_up_to_date() {
    let inbox = Inbox::new();
    let database = rusqlite::Connection::open(inbox.database()).unwrap();
    database.execute_batch(include_str!("../../migrations/sqlite/01-baseline/up.sql")).unwrap();
    let insert = "INSERT INTO updates (image, hostname, received_at) VALUES ('a:1', 'h', '2026')";
    database.execute_batch(insert).unwrap();
    drop(database);
    let before = fs::read(inbox.database()).unwrap();
    assert_eq!(offered(&inbox, "bash", &["diunbox", "ack", ""]), ["a:1"]);
    assert_eq!(offered(&inbox, "bash", &["diunbox", "list", "--host", ""]), ["h"]);
    assert_eq!(fs::read(inbox.database()).unwrap(), before);
    assert_eq!(fs::read_dir(inbox.path("")).unwrap().count(), 1);
}

#[test]
fn an_unknown_shell_gets_nothing() {
    assert_eq!(offered(&inbox(), "cobra", &["diunbox", "ack", ""]), [""; 0]);
}

#[test]
fn bash_completes() {
    somebody_types("bash", |home, scripts| {
        let script = scripts.join("diunbox.bash");
        let rc = format!("PS1='READY> '\nsource {}\n", script.display());
        fs::write(home.join("bashrc"), rc).unwrap();
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--rcfile", "bashrc", "-i"]);
        bash
    });
}

#[test]
fn zsh_completes() {
    somebody_types("zsh", |home, scripts| {
        let rc = format!(
            "PS1='READY> '\nfpath=({} $fpath)\nautoload -Uz compinit\ncompinit -u -D\n",
            scripts.display()
        );
        fs::write(home.join(".zshrc"), rc).unwrap();
        let mut zsh = Command::new("zsh");
        zsh.args(["-d", "-i"]);
        zsh
    });
}

#[test]
fn fish_completes() {
    somebody_types("fish", |home, scripts| {
        let folder = home.join(".config/fish/completions");
        fs::create_dir_all(&folder).unwrap();
        fs::copy(scripts.join("diunbox.fish"), folder.join("diunbox.fish")).unwrap();
        let mut fish = Command::new("fish");
        fish.args(["-i", "-C", "function fish_prompt; printf 'READY> '; end"]);
        fish
    });
}

/// Starts a shell with our completion, types into it, and looks at what the commands did.
fn somebody_types(shell: &str, start: impl Fn(&Path, &Path) -> Command) {
    let found = Command::new(shell).arg("-c").arg("exit 0").status();
    if found.is_err() && std::env::var_os("CI").is_none() {
        eprintln!("\n*** {shell} is not installed: its completion was NOT tested ***\n");
        return;
    }
    assert!(found.unwrap().success());
    let inbox = inbox();
    let home = inbox.path("");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    let mut command = start(&home, &scripts);
    command.current_dir(&home).env("HOME", &home).env("ZDOTDIR", &home).env("TERM", "xterm");
    command.env("XDG_CONFIG_HOME", home.join(".config")).env("DIUNBOX_DB", inbox.database());
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", program().parent().unwrap().display()));
    let mut terminal = Terminal::start(&command);
    terminal.type_keys("", "READY> ");
    for (number, line) in [
        "diunbox ack red\t",
        "diunbox ack nginx:1.26\t",
        "diunbox ack docker.io/library/cad\t",
        "diunbox ack evil\t",
        "diunbox tag assign web\t redis:\t",
        "diunbox list --all -q --host edg\t > host",
        "diunbox list --all -q --host=edg\t > host-too",
        "diunbox no-such-command x\t",
        "diunbox --db nowhere show red\t",
    ]
    .iter()
    .enumerate()
    {
        terminal.type_keys(
            &format!("{line}; printf 'END-%s\\n' {number}\r"),
            &format!("END-{number}\r"),
        );
    }
    terminal.type_keys("exit\r", "");

    let list = |arguments: &str| inbox.output(arguments.split(' '));
    let acknowledged = ["docker.io/library/caddy:2", EVIL, "docker.io/library/nginx:1.26-alpine"];
    let acknowledged = [&acknowledged[..], &["docker.io/library/redis:7", ""]].concat();
    assert_eq!(list("list --acknowledged -q --sort image"), acknowledged.join("\n"));
    assert!(!inbox.path("pwned").exists());
    assert_eq!(
        inbox.output(["list", "-a", "-q", "--tag", "web servers"]),
        "docker.io/library/redis:7\n"
    );
    for file in ["host", "host-too"] {
        let hosts = fs::read_to_string(inbox.path(file)).unwrap();
        assert_eq!(hosts.matches("nginx").count(), 2, "{hosts}");
        assert_eq!(hosts.lines().count(), 2, "{hosts}");
    }
    assert!(!inbox.path("nowhere").exists());
}
