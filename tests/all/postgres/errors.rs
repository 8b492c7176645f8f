//! Each kind of failure has its sentence.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use crate::common::Inbox;
use crate::common::cluster::Cluster;

/// The program on a database.
fn diunbox(inbox: &Inbox, url: &str, arguments: &[&str]) -> assert_cmd::Command {
    let mut command = inbox.diunbox(arguments.iter().copied());
    command.env("DIUNBOX_DB", url);
    command
}

#[test]
fn what_is_wrong_with_a_server_is_said() {
    let Some(cluster) =
        Cluster::start(&["max_connections = 6", "superuser_reserved_connections = 0"])
    else {
        return;
    };
    let inbox = Inbox::new();
    let fails = |url: &str, reason: &str| {
        diunbox(&inbox, url, &["list"]).assert().code(2).stderr(contains(reason));
    };
    let host = cluster.host();
    fails(
        &format!("postgres://postgres@{host}/none"),
        "create it with `createdb --owner=postgres none`",
    );
    fails(&format!("postgres://nobody@{host}/postgres"), "refuses the user nobody");
    // A role that may not create tables.
    cluster.sql("CREATE ROLE reader LOGIN");
    fails(&format!("postgres://reader@{host}/postgres"), "does not let reader do this");
    // Tables of another program, and a newer schema.
    cluster.sql("CREATE DATABASE other");
    cluster.sql("CREATE DATABASE newer");
    cluster.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let on = |name: &str, sql: &str| {
        let url = format!("postgres://postgres@{host}/{name}");
        assert!(Command::new("psql").args(["-qX", "-c", sql, &url]).status().unwrap().success());
        url
    };
    fails(&on("other", "CREATE TABLE updates (id int)"), "tables of another program");
    let newer =
        "CREATE TABLE diunbox_schema (version bigint); INSERT INTO diunbox_schema VALUES (99)";
    fails(&on("newer", newer), "was made by a newer diunbox (schema 99");
    fails(&format!("postgres://postgres@{host}/latin"), "encoding LATIN1");
    // Read-only.
    cluster.sql("CREATE DATABASE fixed");
    cluster.sql("ALTER DATABASE fixed SET default_transaction_read_only = on");
    fails(&format!("postgres://postgres@{host}/fixed"), "can only be read");
    // All connections are in use.
    let mut sleepers = Vec::new();
    let psql = |sql: &str| {
        let mut psql = Command::new("psql");
        psql.args(["-qAtX", "-c", sql, &cluster.url()]);
        psql
    };
    crate::common::eventually("no connection is left", || {
        let has_room = psql("SELECT 1").output().unwrap().status.success();
        if has_room {
            sleepers.push(psql("SELECT pg_sleep(60)").stderr(Stdio::null()).spawn().unwrap());
        }
        !has_room
    });
    fails(&cluster.url(), "has no connection left");
    for mut sleeper in sleepers {
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
    cluster.stop("fast");
    fails(&cluster.url(), "cannot be reached");
}

#[test]
fn a_password_is_asked_for_and_taken_from_the_environment_or_a_file() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    cluster.sql("CREATE ROLE diun LOGIN SUPERUSER PASSWORD 'sesame'");
    cluster.ask_for_passwords("diun");
    let inbox = Inbox::new();
    let url = format!("postgres://diun@{}/postgres", cluster.host());
    let list = || diunbox(&inbox, &url, &["list"]);
    list().assert().code(2).stderr(contains("asks for a password: set PGPASSWORD"));
    let wrong = list().env("PGPASSWORD", "open").assert().code(2);
    wrong.stderr(contains("refuses the user diun").and(contains("open").not()));
    list().env("PGPASSWORD", "sesame").assert().success();
    let file = inbox.path("passwords");
    fs::write(&file, "localhost:5432:postgres:diun:sesame\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    list().env("PGPASSFILE", &file).assert().success();
    let inside = url.replace("diun@", "diun:sesame@");
    diunbox(&inbox, &inside, &["list"]).assert().success();
    // What libpq knows is passed on, and decoded once.
    let options = format!("{inside}?options=-c%20search_path%3Dother&application_name=a%2Bb");
    cluster.sql("CREATE SCHEMA other");
    diunbox(&inbox, &options, &["status"]).assert().success();
    assert_eq!(cluster.sql("SELECT count(*) FROM other.updates"), "0\n");
}

#[test]
fn the_certificate_of_a_server_is_verified() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let port = cluster.listen_with_tls();
    let inbox = Inbox::new();
    let list = |rest: &str| {
        let url = format!("postgres://postgres@{rest}").replace("PORT", &port.to_string());
        diunbox(&inbox, &url, &["list"]).assert()
    };
    let root = cluster.path("data/server.crt");
    let root = root.display();
    for mode in ["prefer", "require", "verify-full"] {
        let unknown = list(&format!("localhost:PORT/postgres?sslmode={mode}")).code(2);
        unknown.stderr(contains("cannot be trusted").and(contains("set sslrootcert")));
        let other_name = format!("127.0.0.1:PORT/postgres?sslmode={mode}&sslrootcert={root}");
        list(&other_name).code(2).stderr(contains("cannot be trusted"));
        let right = format!("localhost:PORT/postgres?sslmode={mode}&sslrootcert={root}");
        list(&right).success();
    }
    list("localhost:PORT/postgres?sslmode=disable").success();
    let missing = list("localhost:PORT/postgres?sslrootcert=/missing.pem").code(2);
    missing.stderr(contains("cannot read the certificates in /missing.pem"));
    cluster.sql("ALTER SYSTEM SET ssl = off");
    cluster.stop("fast");
    cluster.again();
    let without = format!("localhost:PORT/postgres?sslmode=verify-full&sslrootcert={root}");
    list(&without).code(2).stderr(contains("does not support TLS"));
}

#[test]
fn the_least_rights_are_enough() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let inbox = Inbox::new();
    diunbox(&inbox, &cluster.url(), &["status"]).assert().success();
    // As docs/POSTGRESQL.md has it.
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/POSTGRESQL.md")).unwrap();
    let rights = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    cluster.sql(rights);
    let url = format!("postgres://diunbox_serve@{}/postgres", cluster.host());
    let run = |arguments: &[&str]| diunbox(&inbox, &url, arguments).assert().success();
    diunbox(&inbox, &url, &["ingest"])
        .write_stdin(r#"{"image": "a:1", "digest": "x"}"#)
        .assert()
        .success();
    run(&["tag", "create", "web"]);
    run(&["tag", "assign", "web", "a"]);
    run(&["ack", "--all"]);
    run(&["undo"]);
    run(&["prune", "--older-than", "1d"]);
    run(&["tag", "delete", "web"]);
}
