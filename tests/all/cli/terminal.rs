//! Tables and pages on a terminal, with a pseudoterminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;

use crate::common::{Inbox, event, event_with, eventually, program};

/// A terminal of some width, and what the program printed on it.
struct Screen {
    controller: OwnedFd,
    terminal: File,
}

impl Screen {
    fn new(columns: u16) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).unwrap();
        Self { controller, terminal }
    }

    fn stdio(&self) -> Stdio {
        self.terminal.try_clone().unwrap().into()
    }

    /// What was printed, once nobody has the terminal open any more.
    fn text(self) -> String {
        drop(self.terminal);
        let mut bytes = Vec::new();
        let result = File::from(self.controller).read_to_end(&mut bytes);
        // Linux says EIO where the other end is closed.
        assert!(result.is_ok() || result.unwrap_err().raw_os_error() == Some(5));
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }
}

fn command(inbox: &Inbox, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.env_clear().env("DIUNBOX_DB", inbox.database()).env("TERM", "xterm-256color");
    command.args(arguments);
    command
}

/// What the program prints on a terminal whose width is given, with variables in its environment.
fn print(inbox: &Inbox, columns: u16, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let screen = Screen::new(columns);
    let mut command = command(inbox, arguments);
    command.envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(screen.stdio()).stderr(screen.stdio());
    let mut child = command.spawn().unwrap();
    drop(command);
    let text = screen.text();
    child.wait().unwrap();
    text
}

/// The text without the sequences for bold.
fn plain(text: &str) -> String {
    text.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "")
}

const LONG: &str =
    "ghcr.io/a-long-organisation/with-a-long-project/and-deep/path:2026.11.24-alpine";

fn inbox() -> Inbox {
    let inbox = Inbox::new();
    let nginx = json!({"hub_link": "https://hub.docker.com/_/nginx"});
    inbox.take(&[
        event_with("docker.io/library/nginx:1.27", &nginx),
        event_with(LONG, &json!({"hostname": "a-rather-long-name.internal.example.com"})),
        event("docker.io/library/日本語:1"),
    ]);
    inbox
}

#[test]
fn a_table_fits_the_terminal_and_no_row_is_lost() {
    let inbox = inbox();
    inbox.output(["tag", "create", "a tag with a long name"]);
    inbox.output(["tag", "assign", "a tag with a long name", LONG]);
    for columns in [36, 40, 60, 80, 100, 132, 250] {
        for arguments in [&["list"][..], &["list", "--all"]] {
            let text = plain(&print(&inbox, columns, &[], arguments));
            assert_eq!(text.lines().count(), 4, "{columns}\n{text}");
            let fits = |line: &str| line.chars().count() <= usize::from(columns);
            assert!(text.lines().all(fits), "{columns}\n{text}");
        }
    }
    assert!(print(&inbox, 250, &[], &["list"]).contains(LONG));
    inbox.output(["snooze", "nginx:1.27", "--for", "15d"]);
    let snoozed = |columns| plain(&print(&inbox, columns, &[], &["list", "--snoozed"]));
    let narrow = snoozed(40);
    assert!(narrow.contains("in 2 weeks") && !narrow.contains("SINCE"), "{narrow}");
    assert!(snoozed(100).contains("SINCE"));
    let narrow = print(&inbox, 80, &[], &["list"]);
    assert!(!narrow.contains(LONG) && narrow.contains('…'), "{narrow}");
}

#[test]
fn a_workload_is_whole_on_a_page_however_narrow() {
    let inbox = Inbox::with("kubernetes.json");
    let text = plain(&print(&inbox, 60, &[], &["show", "ghcr.io/acme/api:2.0"]));
    let (_, table) = text.split_once("Where\n").unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 60), "{table}");
    let start = table.lines().next().unwrap().find("WORKLOAD").unwrap();
    let end = table.lines().next().unwrap().find("STATE").unwrap();
    let cell = |line: &str| line.get(start..end.min(line.len())).unwrap_or("").trim().to_owned();
    let workload: String = table.lines().skip(1).map(cell).collect();
    assert_eq!(workload, "shop/api/api", "{table}");
    assert!(text.contains("… (--format json has all of it)"), "pod_status is cut\n{text}");
    assert!(text.len() < 3_000, "{}", text.len());
}

#[test]
fn headings_are_bold_and_names_are_links_where_the_terminal_can() {
    let inbox = inbox();
    let link = "\u{1b}]8;;https://hub.docker.com/_/nginx\u{1b}\\nginx:1.27\u{1b}]8;;\u{1b}\\ ";
    let text = print(&inbox, 80, &[("FORCE_HYPERLINK", "1")], &["list"]);
    assert!(text.contains(link), "{text:?}");
    assert!(text.starts_with("\u{1b}[1mIMAGE"), "{text:?}");
    let text = print(&inbox, 80, &[], &["list"]);
    assert!(!text.contains("\u{1b}]8") && text.contains("\u{1b}[1mIMAGE"), "{text:?}");
    for (variables, arguments) in [
        (&[("NO_COLOR", "1"), ("FORCE_HYPERLINK", "1")][..], &["list"][..]),
        (&[("TERM", "dumb")], &["list"]),
        (&[], &["list", "--color", "never"]),
    ] {
        let text = print(&inbox, 80, variables, arguments);
        assert!(!text.contains('\u{1b}'), "{variables:?} {arguments:?} {text:?}");
    }
}

#[test]
fn no_control_character_of_an_event_reaches_the_terminal() {
    let inbox = Inbox::with("nasty.ndjson");
    let images = inbox.lines(["list", "-q"]).len();
    let mut texts = vec![
        print(&inbox, 80, &[], &["list"]),
        print(&inbox, 300, &[], &["list", "--all"]),
        print(&inbox, 80, &[], &["list", "-q"]),
        print(&inbox, 80, &[], &["list", "-f", "json"]),
        print(&inbox, 80, &[], &["show", "*"]),
        print(&inbox, 80, &[], &["show", "nothing"]),
    ];
    assert_eq!(plain(&texts[0]).lines().count(), images + 1);
    for part in ["quote", "new?line", "esc", "c1", "nul", "bidi", "emoji", "percent", "hidden"] {
        let page = print(&inbox, 80, &[("FORCE_HYPERLINK", "1")], &["show", &format!("*/{part}*")]);
        assert!(page.contains("Where"), "{part}: {page}");
        texts.push(page);
    }
    texts.push(print(&inbox, 80, &[], &["ack", "--all"]));
    for text in texts {
        let harmful = |c: char| {
            c.is_control() && c != '\n'
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
        };
        // This link is one of ours: without its NUL it leads to the web.
        let plain = plain(&text)
            .replace("\u{1b}]8;;https://example.com/nulbyte\u{1b}\\", "")
            .replace("\u{1b}]8;;\u{1b}\\", "");
        assert!(!plain.contains(harmful), "{plain:?}");
    }
}

#[test]
fn a_database_does_not_go_to_a_terminal() {
    let inbox = inbox();
    let text = print(&inbox, 100, &[], &["backup", "-"]);
    assert!(text.starts_with("diunbox: a database is not for a terminal"), "{text:?}");
}

#[test]
fn ingest_from_a_terminal_says_how_to_end_and_a_long_one_shows_how_far_it_is() {
    let inbox = Inbox::new();
    let screen = Screen::new(80);
    let mut ingest = command(&inbox, &["ingest"]);
    ingest.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(screen.stdio());
    let mut child = ingest.spawn().unwrap();
    drop(ingest);
    let mut pipe = child.stdin.take().unwrap();
    let line = format!("{}\n", event("ghcr.io/acme/api:2.0"));
    let controller = screen.controller.try_clone().unwrap();
    rustix::io::ioctl_fionbio(&controller, true).unwrap();
    let mut seen = Vec::new();
    eventually("a bar is drawn", || {
        io::Write::write_all(&mut pipe, line.as_bytes()).unwrap();
        let mut bytes = [0; 4096];
        if let Ok(count) = rustix::io::read(&controller, &mut bytes) {
            seen.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8_lossy(&seen).contains(" events")
    });
    drop(pipe);
    rustix::io::ioctl_fionbio(&controller, false).unwrap();
    let rest = screen.text();
    assert!(rest.ends_with(" events\n"), "{rest:?}");
    assert!(child.wait().unwrap().success());

    let screen = Screen::new(80);
    let mut ingest = command(&inbox, &["ingest"]);
    ingest.stdin(screen.stdio()).stdout(Stdio::null()).stderr(screen.stdio());
    let mut child = ingest.spawn().unwrap();
    drop(ingest);
    let line = format!("{line}\u{4}");
    rustix::io::write(&screen.controller, line.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let text = screen.text();
    assert!(text.contains("reading events from the terminal; end them with Ctrl-D"), "{text:?}");
    assert!(text.contains("diunbox: stored 1 event\n"), "{text:?}");
}
