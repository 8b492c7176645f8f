//! URLs, and where passwords come from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use predicates::str::contains;

use crate::common::Inbox;

#[test]
fn what_is_not_a_postgresql_url_is_refused() {
    let inbox = Inbox::new();
    for (url, reason) in [
        ("mysql://root@db/inbox", "cannot be at a URL of the kind mysql://"),
        ("http://db/inbox", "cannot be at a URL of the kind http://"),
        ("postgres://diun@db/inbox?sslmode=always", "unknown sslmode"),
        ("postgres://diun@db/inbox?service=inbox", "has `service`"),
        ("postgres://diun@db/inbox?target_session_attrs=standby", "writes to its database"),
        ("postgres://diun@db:port/inbox", "cannot be read"),
        ("postgres:///inbox", "names no host"),
        ("postgres://diun@db/inbox?prepared_statements=maybe", "prepared_statements"),
        ("postgres://diun@db/inbox?password=secret", "has `password`"),
    ] {
        inbox.diunbox(["--db", url, "list"]).assert().code(2).stderr(contains(reason));
    }
    assert_eq!(fs::read_dir(inbox.path("")).unwrap().count(), 0, "nothing is created");
}

#[test]
fn a_path_with_a_colon_is_a_path() {
    let inbox = Inbox::new();
    for name in ["a:b.db", "postgres:"] {
        let path = inbox.path(name);
        inbox
            .diunbox(["--db", path.to_str().unwrap(), "ingest"])
            .write_stdin("")
            .assert()
            .success();
    }
}

#[test]
fn a_password_is_not_taken_from_the_command_line_and_never_shown() {
    let inbox = Inbox::new();
    let url = "postgres://diun:s3cret%21@127.0.0.1:1/inbox?sslmode=disable";
    inbox
        .diunbox(["--db", url, "list"])
        .assert()
        .code(2)
        .stderr(contains("can be seen by everybody"));
    let output = inbox.diunbox(["list"]).env("DIUNBOX_DB", url).assert().code(2);
    let error = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(error.contains("postgres://diun@127.0.0.1:1/inbox cannot be reached"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    // A password whose question mark is not written as %3F.
    let url = "postgres://diun:s3cret?s3cret@db/inbox";
    let output = inbox.diunbox(["list"]).env("DIUNBOX_DB", url).assert().code(2);
    let error = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(error.contains("with special characters as %XX"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn a_file_names_the_database() {
    let inbox = Inbox::new();
    let file = inbox.path("url");
    fs::write(&file, format!("{}\n", inbox.path("other.db").display())).unwrap();
    let diunbox = |arguments: [&str; 1]| {
        let mut command = inbox.diunbox(arguments);
        command.env("DIUNBOX_DB_FILE", &file);
        command
    };
    diunbox(["ingest"]).write_stdin(r#"{"image": "a:1"}"#).assert().success();
    assert!(inbox.path("other.db").exists() && !inbox.database().exists());
    fs::remove_file(&file).unwrap();
    diunbox(["list"]).assert().code(2).stderr(contains("which DIUNBOX_DB_FILE names"));
    // Others need no database.
    inbox.diunbox(["completions", "bash"]).env("DIUNBOX_DB_FILE", &file).assert().success();
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    let inbox = Inbox::new();
    let file = inbox.path("passwords");
    fs::write(&file, "*:*:*:*:secret").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let url = "postgres://diun@127.0.0.1:1/inbox?sslmode=disable";
    let mut list = inbox.diunbox(["--db", url, "list"]);
    list.env("PGPASSFILE", &file).assert().code(2).stderr(contains("chmod 600"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut list = inbox.diunbox(["--db", url, "list"]);
    list.env("PGPASSFILE", &file).assert().code(2).stderr(contains("cannot be reached"));
}
