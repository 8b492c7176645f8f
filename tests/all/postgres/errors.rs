//! Each kind of failure has its sentence.

use std::fs;
use std::process::Command;

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
    let sleepers: Vec<_> = (0..6)
        .map(|_| {
            let sleep = ["-qX", "-c", "SELECT pg_sleep(60)", &cluster.url()];
            Command::new("psql").args(sleep).spawn().unwrap()
        })
        .collect();
    crate::common::eventually("no connection is left", || {
        let mut probe = Command::new("psql");
        !probe.args(["-qAtX", "-c", "SELECT 1", &cluster.url()]).output().unwrap().status.success()
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
fn the_least_rights_are_enough() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let inbox = Inbox::new();
    diunbox(&inbox, &cluster.url(), &["status"]).assert().success();
    // As docs/POSTGRESQL.md has it.
    let page =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/POSTGRESQL.md")).unwrap();
    let rights = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    cluster.sql(rights);
    let url = format!("postgres://diunbox@{}/postgres", cluster.host());
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
