//! Paths of the database that are special to other programs, and files that are not regular.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::common::server::{DEADLINE, Server};
use crate::common::{Inbox, event, program};

/// The program in the inbox's folder, with this for its database.
fn at(inbox: &Inbox, database: &str, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(program());
    command.current_dir(inbox.path("")).env_clear().arg(format!("--db={database}")).args(arguments);
    command.timeout(DEADLINE);
    command
}

#[test]
fn names_that_are_special_to_sqlite_are_file_names() {
    let inbox = Inbox::new();
    for name in
        [":memory:", "file:a.db", "file::memory:", "file:b.db?mode=memory", "-wal", " ", "-"]
    {
        let event = event("ghcr.io/acme/api:2.0").to_string();
        at(&inbox, name, &["ingest"]).write_stdin(event).assert().success();
        let listed = at(&inbox, name, &["list", "-q"]).assert().success();
        listed.stdout("ghcr.io/acme/api:2.0\n");
        assert!(fs::read(inbox.path(name)).unwrap().starts_with(b"SQLite format 3"), "{name}");
    }
    assert!(!inbox.path("a.db").exists() && !inbox.path("b.db").exists());
}

#[test]
fn a_missing_name_is_an_error() {
    let inbox = Inbox::new();
    at(&inbox, "", &["list"]).assert().code(2);
    inbox.diunbox(["list"]).env("DIUNBOX_DB", "").assert().code(2);
}

#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    let inbox = Inbox::new();
    fs::create_dir(inbox.path("folder")).unwrap();
    let fifo = Command::new("mkfifo").arg(inbox.path("fifo")).status().unwrap();
    assert!(fifo.success());
    for name in ["folder", "fifo", "/dev/null", "/dev/zero", "/dev/full"] {
        for arguments in [&["list"][..], &["ingest"], &["serve", "--listen", "127.0.0.1:0"]] {
            let assert = at(&inbox, name, arguments).write_stdin("{\"image\":\"a\"}").assert();
            let output = assert.code(2).stdout("").get_output().clone();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains("it is not a regular file"), "{name}: {stderr}");
        }
    }
}

#[test]
fn a_symbolic_link_is_followed_and_a_dangling_one_creates_nothing() {
    let inbox = Inbox::new();
    inbox.take(&[event("ghcr.io/acme/api:2.0")]);
    symlink(inbox.database(), inbox.path("link.db")).unwrap();
    at(&inbox, "link.db", &["ack", "--all"]).assert().success();
    assert!(inbox.lines(["list", "-q"]).is_empty());
    symlink("victim", inbox.path("nowhere.db")).unwrap();
    symlink("loop.db", inbox.path("loop.db")).unwrap();
    for link in ["nowhere.db", "loop.db"] {
        at(&inbox, link, &["ingest"]).write_stdin("{\"image\":\"a\"}").assert().code(2);
    }
    assert!(!inbox.path("victim").exists());
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_database_and_its_log_are_for_their_owner_whatever_the_umask() {
    for umask in ["000", "022", "077", "027"] {
        let inbox = Inbox::new();
        let mut command = Command::new("bash");
        let script = format!("umask {umask}; exec \"$0\" serve --listen 127.0.0.1:0");
        command.args(["-c", &script]).arg(program());
        command
            .env_clear()
            .env("TMPDIR", inbox.path(""))
            .env("DIUNBOX_DB", inbox.path("new/inbox.db"));
        let server = Server::spawn(inbox, command);
        let answer = server.send("POST", "/webhook", &[], event("a:1").to_string());
        assert_eq!(answer.status, 204);
        assert_eq!(mode(&server.inbox.path("new")), 0o700, "{umask}");
        for end in ["", "-wal", "-shm"] {
            let path = server.inbox.path(&format!("new/inbox.db{end}"));
            assert_eq!(mode(&path), 0o600, "{umask} {}", path.display());
        }
    }
}

/// If the user made the database readable for others, so is its WAL.
#[test]
fn the_log_has_the_mode_of_its_database() {
    let inbox = Inbox::new();
    inbox.take(&[event("a:1")]);
    fs::set_permissions(inbox.database(), Permissions::from_mode(0o640)).unwrap();
    let server = Server::with(inbox, &[]);
    assert_eq!(server.send("POST", "/webhook", &[], event("b:1").to_string()).status, 204);
    for end in ["-wal", "-shm"] {
        assert_eq!(mode(&server.inbox.path(&format!("diunbox.db{end}"))), 0o640);
    }
    assert_eq!(mode(&server.inbox.database()), 0o640);
}

/// Root may open anything, so the program runs as another user there.
#[test]
fn a_wal_of_another_user_is_named() {
    const NOBODY: u32 = 65_534;
    let inbox = Inbox::new();
    inbox.take(&[event("a:1")]);
    let copy = inbox.path("program");
    fs::copy(program(), &copy).unwrap();
    fs::write(inbox.path("diunbox.db-wal"), "").unwrap();
    fs::set_permissions(inbox.path("diunbox.db-wal"), Permissions::from_mode(0o000)).unwrap();
    let mut command = Command::new(&copy);
    command.arg("list").env_clear().env("DIUNBOX_DB", inbox.database());
    if rustix::process::geteuid().is_root() {
        chown(inbox.path(""), Some(NOBODY), None).unwrap();
        chown(inbox.database(), Some(NOBODY), None).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("belongs to user") && stderr.contains("the -wal and -shm files"),
        "{stderr}"
    );
}

/// As a container's engine mounts a single file.
#[test]
fn a_file_that_is_mounted_alone_is_refused() {
    let inbox = Inbox::new();
    inbox.take(&[event("a:1")]);
    fs::create_dir(inbox.path("data")).unwrap();
    fs::write(inbox.path("data/inbox.db"), "").unwrap();
    let script = "mount --bind \"$1\" \"$2\" && exec \"$0\" --db \"$2\" list";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script]).arg(program());
    let output = command.arg(inbox.database()).arg(inbox.path("data/inbox.db")).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    if stderr.contains("unshare failed") || stderr.contains("permission denied") {
        println!("skipped, as nothing can be mounted here: {stderr}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("is mounted as a single file") && stderr.contains("mount its folder"),
        "{stderr}"
    );
}
