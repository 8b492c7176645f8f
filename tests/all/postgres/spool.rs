//! The spool: what it keeps, and which server it belongs to.

use std::process::Command;

use rustix::process::Signal;

use super::failover::{drained, serve, spooled};
use crate::common::Inbox;
use crate::common::cluster::Cluster;
use crate::common::server::{event, eventually};

#[test]
fn a_spool_outlives_its_server() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let mut server = serve(Inbox::new(), &cluster.url(), true);
    cluster.stop("fast");
    for image in ["a:1", "b:1"] {
        assert_eq!(server.send("POST", "/webhook", &[], event(image)).status, 204);
    }
    assert_eq!(spooled(&server), 2);
    server.signal(Signal::KILL);
    server.wait();
    // It starts although no server answers, and takes more.
    let inbox = std::mem::replace(&mut server.inbox, Inbox::new());
    let server = serve(inbox, &cluster.url(), true);
    server.logged("events that wait in the spool: 2");
    assert_eq!(server.send("POST", "/webhook", &[], event("c:1")).status, 204);
    assert_eq!(server.ask("GET", "/api/inbox").status, 503);
    cluster.again();
    drained(&server);
    assert_eq!(cluster.sql("SELECT image, times FROM places ORDER BY 1").lines().count(), 3);
}

#[test]
fn what_was_spooled_does_not_replace_what_is_newer() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = serve(Inbox::new(), &cluster.url(), true);
    let send = |digest: &str| {
        let event = event("a:1").replace("sha256:a:1", digest);
        assert_eq!(server.send("POST", "/webhook", &[], event).status, 204);
    };
    send("sha256:1");
    // The role of the server is kept out, another one is not.
    cluster.sql("CREATE ROLE other SUPERUSER LOGIN");
    let out = "ALTER ROLE postgres NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'diunbox'";
    cluster.sql_as("other", out);
    send("sha256:2");
    assert_eq!(spooled(&server), 1);
    // Another way brings a newer one before the spool is drained.
    let second = chrono::Utc::now().timestamp();
    eventually("another second", || chrono::Utc::now().timestamp() > second + 1);
    let mut ingest = server.inbox.diunbox(["ingest"]);
    let url = cluster.url().replace("postgres@", "other@");
    let newer = event("a:1").replace("sha256:a:1", "sha256:3");
    ingest.env("DIUNBOX_DB", url).write_stdin(newer).assert().success();
    cluster.sql_as("other", "ALTER ROLE postgres LOGIN");
    drained(&server);
    assert_eq!(cluster.sql("SELECT digest FROM updates"), "sha256:3\n");
    assert_eq!(cluster.sql("SELECT times FROM places"), "2\n");
}

#[test]
fn one_event_that_the_server_refuses_does_not_take_others_along() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = serve(Inbox::new(), &cluster.url(), true);
    cluster.sql("ALTER TABLE updates ADD CHECK (image <> 'docker.io/bad/bad:1')");
    let send = |image: &str| server.send("POST", "/webhook", &[], event(image)).status;
    // In one batch of `ingest`.
    let input = ["a:1", "bad/bad:1", "b:1"].map(event).join("\n");
    let mut ingest = server.inbox.diunbox(["ingest"]);
    ingest.env("DIUNBOX_DB", cluster.url()).write_stdin(input).assert().code(2);
    // On the webhook: it is in the log.
    assert_eq!((send("c:1"), send("bad/bad:1")), (204, 503));
    server.logged("{\"event\":");
    // In the spool: it stays there.
    cluster.stop("fast");
    assert_eq!(["d:1", "bad/bad:1", "e:1"].map(send), [204, 204, 204]);
    cluster.again();
    drained(&server);
    assert_eq!(server.ask("GET", "/healthz").json()["refused"], 1);
    assert!(server.ask("GET", "/metrics").body.contains("diunbox_spool_refused_events 1"));
    let stored = cluster.sql("SELECT image FROM updates ORDER BY image");
    let names = ["a", "b", "c", "d", "e"].map(|name| format!("docker.io/library/{name}:1"));
    assert_eq!(stored.lines().collect::<Vec<_>>(), names);
    assert_eq!(cluster.sql("SELECT DISTINCT times FROM places"), "1\n");
}

#[test]
fn a_spool_belongs_to_one_server_and_to_postgresql() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = serve(Inbox::new(), &cluster.url(), true);
    let spool = server.inbox.path("spool.db");
    let second = |url: &str, spool: &std::path::Path| {
        let mut command = Command::new(crate::common::program());
        command.env_clear().env("DIUNBOX_DB", url).args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--spool",
        ]);
        let output = command.arg(spool).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(second(&cluster.url(), &spool).contains("is in use by another server"));
    let other = Inbox::with("watch-repo.ndjson");
    assert!(second(&cluster.url(), &other.database()).contains("is not a spool"));
    let database = server.inbox.database();
    assert!(
        second(database.to_str().unwrap(), &other.path("spool")).contains("is for a PostgreSQL")
    );
}
