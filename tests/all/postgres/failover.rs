//! Servers that fail under load: every event that was answered 204 is stored exactly once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;

use crate::common::Inbox;
use crate::common::cluster::Cluster;
use crate::common::server::{Server, event, eventually};

/// Threads that send events to each server.
const CLIENTS: usize = 4;

/// `serve` on a database, with a spool in its inbox's folder if it is to have one.
pub(super) fn serve(inbox: Inbox, url: &str, has_spool: bool) -> Server {
    let mut command = Server::command(&inbox);
    command.args(["--listen", "127.0.0.1:0"]).env("DIUNBOX_DB", url);
    if has_spool {
        command.env("DIUNBOX_SPOOL", inbox.path("spool.db")).args(["--db-timeout", "2"]);
    }
    Server::spawn(inbox, command)
}

/// Events that were sent, each of another image, and answered 204.
#[derive(Default)]
struct Load {
    answered: Mutex<BTreeSet<String>>,
    count: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    /// Sends events until the load is over. All must be answered 204.
    fn send(&self, server: &Server, client: usize) {
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let image = format!("docker.io/load/{client}-{number}:1");
            let answer = server.send("POST", "/webhook", &[], event(&image));
            assert_eq!(answer.status, 204, "{} {:#?}", answer.body, server.log());
            self.answered.lock().unwrap().insert(image);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until some more events were answered.
    fn more(&self, events: usize) {
        let wanted = self.count.load(Ordering::Relaxed) + events;
        eventually("more events are answered", || self.count.load(Ordering::Relaxed) >= wanted);
    }

    /// Sends events to servers while something else is done.
    fn during(servers: &[&Server], work: impl FnOnce(&Self)) -> Self {
        /// Also where the work fails: the clients must end.
        struct Over<'a>(&'a Load);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.is_over.store(true, Ordering::Relaxed);
            }
        }
        let load = Self::default();
        thread::scope(|scope| {
            let over = Over(&load);
            for (index, server) in servers.iter().enumerate() {
                for client in 0..CLIENTS {
                    let load = &load;
                    scope.spawn(move || load.send(server, index * CLIENTS + client));
                }
            }
            load.more(20);
            work(&load);
            load.more(20);
            drop(over);
        });
        load
    }

    /// All that was answered is stored, and nothing twice.
    fn is_stored_once(&self, cluster: &Cluster) {
        let answered = self.answered.lock().unwrap();
        assert_eq!(cluster.sql("SELECT image FROM places WHERE times <> 1"), "");
        let stored = cluster.sql("SELECT image FROM updates");
        let stored: BTreeSet<String> = stored.lines().map(str::to_owned).collect();
        let lost: Vec<_> = answered.difference(&stored).collect();
        assert!(lost.is_empty(), "lost of {}: {lost:?}", answered.len());
    }
}

pub(super) fn spooled(server: &Server) -> u64 {
    server.ask("GET", "/healthz").json()["spooled"].as_u64().unwrap()
}

pub(super) fn drained(server: &Server) {
    eventually("the spool is drained", || spooled(server) == 0);
}

#[test]
fn a_failover_to_a_synchronous_standby_loses_nothing() {
    let Some(primary) = Cluster::start(&[]) else { return };
    drop(diunbox_at(&primary.url()));
    let standby = Cluster::standby_of(&primary);
    let url = format!(
        "postgres://postgres@{},{}/postgres?target_session_attrs=read-write",
        primary.host(),
        standby.host()
    );
    let servers = [serve(Inbox::new(), &url, true), serve(Inbox::new(), &url, true)];
    let load = Load::during(&servers.each_ref(), |load| {
        primary.kill();
        // Both go on while nobody can be written to.
        load.more(40);
        assert!(servers.iter().any(|server| spooled(server) > 0));
        standby.promote();
        servers.iter().for_each(drained);
    });
    servers.iter().for_each(drained);
    load.is_stored_once(&standby);
    for server in &servers {
        server.logged("events go into the spool");
        server.logged("events go into the database again");
        assert!(server.ask("GET", "/metrics").body.contains("diunbox_spooled_events 0"));
    }
}

#[test]
fn restarts_and_lost_connections_are_waited_for_without_a_spool() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = serve(Inbox::new(), &cluster.url(), false);
    let load = Load::during(&[&server], |load| {
        for _ in 0..5 {
            cluster.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'diunbox'",
            );
            load.more(5);
        }
        cluster.stop("fast");
        cluster.again();
        load.more(5);
        // A crash: what was in progress is in doubt.
        cluster.kill();
        cluster.again();
    });
    load.is_stored_once(&cluster);
}

#[test]
fn a_frozen_server_is_noticed() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let server = serve(Inbox::new(), &cluster.url(), true);
    let load = Load::during(&[&server], |load| {
        cluster.signal(Signal::STOP);
        load.more(40);
        assert!(spooled(&server) > 0);
        assert_eq!(server.ask("GET", "/healthz").json()["status"], "spooling");
        cluster.signal(Signal::CONT);
        drained(&server);
    });
    drained(&server);
    load.is_stored_once(&cluster);
}

#[test]
fn a_full_disk_is_waited_for() {
    let Some(cluster) = Cluster::on_a_small_disk() else { return };
    let server = serve(Inbox::new(), &cluster.url(), true);
    let load = Load::during(&[&server], |load| {
        cluster.fill();
        eventually("events are spooled", || spooled(&server) > 0);
        load.more(40);
        cluster.empty_again();
        drained(&server);
    });
    drained(&server);
    load.is_stored_once(&cluster);
}

#[test]
fn writers_on_the_same_images_end_in_one_state() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let inbox = Inbox::new();
    let images: Vec<String> = (0..40).map(|number| format!("same/{number}:1")).collect();
    let input = |writer: usize| -> String {
        let events = images
            .iter()
            .map(|image| event(image).replace("\"edge-1\"", &format!("\"edge-{writer}\"")) + "\n");
        events.collect()
    };
    thread::scope(|scope| {
        for writer in 0..16 {
            let (inbox, cluster, input) = (&inbox, &cluster, input(writer));
            scope.spawn(move || {
                for arguments in [&["ingest"][..], &["ack", "--all"], &["ingest"], &["undo"]] {
                    let mut command = inbox.diunbox(arguments.iter().copied());
                    let output =
                        command.env("DIUNBOX_DB", cluster.url()).write_stdin(input.clone());
                    let output = output.output().unwrap();
                    let error = String::from_utf8_lossy(&output.stderr);
                    assert_ne!(output.status.code(), Some(2), "{arguments:?}: {error}");
                }
            });
        }
    });
    assert_eq!(cluster.sql("SELECT count(*) FROM updates"), "40\n");
    assert_eq!(cluster.sql("SELECT count(*), min(times), max(times) FROM places"), "640|2|2\n");
    // Numbers of changes are never given twice.
    assert_eq!(cluster.sql("SELECT count(*) - count(DISTINCT changed) FROM updates"), "0\n");
}

pub(super) fn diunbox_at(url: &str) -> Box<dyn diunbox::store::Store> {
    let location = diunbox::store::Location::parse(url.as_ref()).unwrap();
    diunbox::store::open(&location, diunbox::store::PATIENCE).unwrap()
}
