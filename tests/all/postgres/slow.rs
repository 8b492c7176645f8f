//! Servers that are slow, and answer.

use crate::common::Inbox;
use crate::common::cluster::Cluster;
use crate::common::server::event;
use crate::postgres::failover::diunbox_at;

#[test]
fn a_large_change_may_take_longer_than_one_answer() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    drop(diunbox_at(&cluster.url()));
    // Each statement is answered in time, and all of them together are not.
    cluster.sql(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_sleep(1.3); RETURN NULL; END'",
    );
    cluster.sql("CREATE TRIGGER slow AFTER INSERT ON updates EXECUTE FUNCTION slow()");
    let inbox = Inbox::new();
    let events: String = (0..4_200).map(|number| event(&format!("a:{number}")) + "\n").collect();
    inbox.diunbox(["ingest", "-q"]).write_stdin(events).assert().success();
    let database = inbox.database();
    let mut import = inbox.diunbox(["import"]);
    import.arg(database).env("DIUNBOX_DB", cluster.url()).assert().success();
    assert_eq!(cluster.sql("SELECT count(*) FROM updates"), "4200\n");
}
