//! Damaged database pages under a running server.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use crate::common::server::Server;
use crate::common::{Inbox, event};

#[test]
fn events_go_to_the_log_and_the_answers_say_what_to_do() {
    let inbox = Inbox::new();
    let events: Vec<_> =
        (0..2_000).map(|index| event(&format!("ghcr.io/acme/{index}:1"))).collect();
    inbox.take(&events);
    inbox.sql("PRAGMA wal_checkpoint(TRUNCATE)");
    let mut server = Server::with(inbox, &[]);
    let file = OpenOptions::new().write(true).open(server.inbox.database()).unwrap();
    let pages = file.metadata().unwrap().len() / 4_096;
    for page in 9..pages {
        file.write_all_at(&[0xA5; 64], page * 4_096).unwrap();
    }
    let answer = server.ask("GET", "/api/updates");
    assert_eq!(answer.status, 503);
    let error = answer.error();
    assert!(error.contains("is damaged") && error.contains("restore a backup"), "{error}");
    let answer = server.send("POST", "/webhook", &[], event("a:1").to_string());
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.error().contains("is damaged"), "{}", answer.error());
    server.logged("{\"event\":");

    // Restoring a backup then loses nothing.
    server.stop();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(server.inbox.path(&format!("diunbox.db{end}")));
    }
    let backup = Inbox::with("containerd.json");
    std::fs::rename(backup.database(), server.inbox.database()).unwrap();
    let lost: Vec<String> =
        server.log().into_iter().filter(|line| line.starts_with("{\"event\"")).collect();
    server.inbox.diunbox(["ingest"]).write_stdin(lost.join("\n")).assert().success();
    let updates = server.inbox.lines(["list", "-q", "--sort", "image"]);
    assert_eq!(updates, ["docker.io/library/a:1", "docker.io/library/postgres:17"]);
}
