//! Programs that are killed in the middle of their work.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};

use super::dice::Dice;
use crate::common::server::eventually;
use crate::common::{Inbox, event, program};

const EVENTS: usize = 10_000;

fn spawn(inbox: &Inbox, arguments: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.args(arguments).env_clear().env("DIUNBOX_DB", inbox.database());
    command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

fn images(inbox: &Inbox) -> BTreeSet<String> {
    let connection = Connection::open(inbox.database()).unwrap();
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut statement = connection.prepare("SELECT image FROM updates").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// How many updates another program sees; none where there is no database yet.
fn count(inbox: &Inbox) -> usize {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    Connection::open_with_flags(inbox.database(), flags)
        .and_then(|c| c.query_row("SELECT count(*) FROM updates", [], |row| row.get(0)))
        .unwrap_or(0)
}

fn name(index: usize) -> String {
    format!("ghcr.io/acme/app-{index:06}:1")
}

fn input(inbox: &Inbox) -> String {
    let path = inbox.path("events.ndjson");
    let lines: Vec<String> = (0..EVENTS).map(|index| event(&name(index)).to_string()).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What is stored is what stands first in the input, without a gap: whole batches.
fn is_whole(inbox: &Inbox) -> usize {
    let found = images(inbox);
    assert!(found.iter().cloned().eq((0..found.len()).map(name)), "{} with gaps", found.len());
    found.len()
}

#[test]
fn a_bulk_ingest_that_is_killed_leaves_whole_batches_and_can_be_repeated() {
    let mut dice = Dice::new();
    for signal in [Signal::KILL, Signal::KILL, Signal::KILL, Signal::INT, Signal::TERM] {
        let inbox = Inbox::new();
        let input = input(&inbox);
        let enough = dice.below(EVENTS / 2);
        let mut child = spawn(&inbox, &["ingest", &input]);
        eventually("some are stored, or it ends", || {
            count(&inbox) >= enough || child.try_wait().unwrap().is_some()
        });
        let _ = kill_process(Pid::from_child(&child), signal);
        child.wait().unwrap();
        let left = is_whole(&inbox);
        assert!(left >= enough, "{left} of {enough}");
        inbox.diunbox(["ingest", &input]).assert().success();
        assert_eq!(is_whole(&inbox), EVENTS);
    }
}

#[test]
fn the_next_start_works_after_a_first_start_was_killed() {
    let mut dice = Dice::new();
    for _ in 0..20 {
        let inbox = Inbox::new();
        let mut child = spawn(&inbox, &["tag", "create", "web"]);
        let moment = dice.pick(&["diunbox.db", "diunbox.db-wal", "diunbox.db-shm"]);
        eventually("it begins, or ends", || {
            inbox.path(moment).exists() || child.try_wait().unwrap().is_some()
        });
        let _ = child.kill();
        child.wait().unwrap();
        inbox.take(&[event("ghcr.io/acme/api:2.0")]);
        assert_eq!(images(&inbox).len(), 1);
        assert!(inbox.lines(["tag", "list", "-q"]).len() <= 1);
    }
}

#[test]
fn a_prune_that_is_ended_forgets_all_or_nothing() {
    let mut dice = Dice::new();
    for signal in [Signal::TERM, Signal::KILL, Signal::INT] {
        let inbox = Inbox::new();
        let input = input(&inbox);
        inbox.diunbox(["ingest", &input]).assert().success();
        let acknowledged = "UPDATE updates SET acknowledged_at = '2020-01-01 00:00:00'
            WHERE rowid % 2 = 0; PRAGMA wal_checkpoint(TRUNCATE)";
        inbox.sql(acknowledged);
        // VACUUM writes the whole database once more, into the log.
        let size = fs::metadata(inbox.database()).unwrap().len() / 1_024;
        let enough = dice.below(usize::try_from(size).unwrap()) as u64 * 1_024;
        let mut child = spawn(&inbox, &["prune", "--older-than", "1day"]);
        eventually("the log grows, or it ends", || {
            let log = fs::metadata(inbox.path("diunbox.db-wal")).map_or(0, |file| file.len());
            log > enough || child.try_wait().unwrap().is_some()
        });
        let _ = kill_process(Pid::from_child(&child), signal);
        child.wait().unwrap();
        let left = images(&inbox).len();
        assert!([EVENTS, EVENTS / 2].contains(&left), "{left}");
        inbox.diunbox(["prune", "--older-than", "1day"]).assert().success();
        assert_eq!(images(&inbox).len(), EVENTS / 2);
    }
}
