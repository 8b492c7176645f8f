//! Imports another inbox. For each image the newer event wins, with its decisions. If both have the same digest,
//! a decision wins over none, and a later decision over an earlier one.

use std::path::Path;

use rusqlite::{Connection, Result, params};

use super::lines::{self, Lines};
use super::row::text;
use super::upsert::next_change;
use crate::store::Imported;
use crate::store::sqlite::plain;

/// The columns of an event.
const EVENT: &str =
    "diun_version, hostname, status, provider, hub_link, mime_type, digest, created, platform,
    ctn_name, ctn_id, ctn_state, ctn_status, received_at, metadata, received, since, series, rank";
/// The columns of a decision.
const DECISION: &str = "acknowledged_at, acknowledged_digest, acknowledged_by, snoozed_until, note";

/// Merges a database of the current schema. Must not be called in a transaction.
pub(in crate::store) fn merge(connection: &mut Connection, from: &Path) -> Result<Imported> {
    connection.execute("ATTACH ?1 AS other", [plain(from).to_string_lossy()])?;
    let result = attached(connection);
    connection.execute_batch("DETACH other")?;
    result
}

fn attached(connection: &mut Connection) -> Result<Imported> {
    let transaction = connection.transaction()?;
    let count = |sql: &str| -> Result<u64> { transaction.query_row(sql, [], |row| row.get(0)) };
    transaction.execute_batch(
        "CREATE TEMP TABLE newer AS SELECT s.image FROM other.updates s
            JOIN main.updates m ON m.image = s.image WHERE s.received > m.received;
        CREATE TEMP TABLE decided AS SELECT s.image FROM other.updates s
            JOIN main.updates m ON m.image = s.image
            WHERE iif(s.digest <> m.digest, s.received > m.received,
                coalesce(s.acknowledged_at, '') > coalesce(m.acknowledged_at, '')
                OR m.acknowledged_at IS NULL
                    AND coalesce(s.snoozed_until, 0) > coalesce(m.snoozed_until, 0));
        CREATE TEMP TABLE added AS SELECT image FROM other.updates
            WHERE image NOT IN (SELECT image FROM main.updates);
        CREATE TEMP TABLE touched AS
            SELECT image FROM added UNION SELECT image FROM newer UNION SELECT image FROM decided;",
    )?;
    let imported = Imported {
        added: count("SELECT count(*) FROM added")?,
        changed: count("SELECT (SELECT count(*) FROM touched) - (SELECT count(*) FROM added)")?,
        actions: count(
            "SELECT count(*) FROM other.actions WHERE uid NOT IN (SELECT uid FROM main.actions)",
        )?,
    };
    digests(&transaction)?;
    let columns = format!("image, {EVENT}, {DECISION}");
    transaction.execute_batch(&format!(
        "UPDATE main.updates AS m SET ({EVENT}) = (SELECT {EVENT} FROM other.updates s WHERE s.image = m.image)
            WHERE image IN newer;
        UPDATE main.updates AS m SET ({DECISION}) = (SELECT {DECISION} FROM other.updates s WHERE s.image = m.image)
            WHERE image IN decided;
        INSERT INTO main.updates ({columns}) SELECT {columns} FROM other.updates WHERE image IN added;
        DELETE FROM main.digests AS d WHERE EXISTS
            (SELECT 1 FROM main.updates u WHERE u.image = d.image AND u.digest = d.digest);"
    ))?;
    transaction.execute_batch(PLACES)?;
    transaction.execute_batch(OTHERS)?;
    let change = next_change(&transaction)?;
    transaction.execute(
        "UPDATE main.updates AS m SET changed = ?1 + n.number
        FROM (SELECT image, row_number() OVER (ORDER BY image) number FROM touched) n
        WHERE n.image = m.image",
        params![change],
    )?;
    fold(&transaction)?;
    transaction.execute_batch(
        "DROP TABLE newer; DROP TABLE decided; DROP TABLE added; DROP TABLE touched;",
    )?;
    transaction.commit()?;
    Ok(imported)
}

/// Merges the earlier digests of both, and adds the current digest of the side that loses.
fn digests(connection: &Connection) -> Result<()> {
    let keep = |columns: &str, from: &str| {
        format!(
            "INSERT INTO main.digests (image, digest, created, platform, first_seen, last_seen)
            SELECT {columns} FROM {from}
            ON CONFLICT (image, digest) DO UPDATE SET
                first_seen = min(first_seen, excluded.first_seen),
                last_seen = max(last_seen, excluded.last_seen);"
        )
    };
    let current = |side| {
        format!(
            "{side}.image, {side}.digest, {side}.created, {side}.platform, {side}.since, {side}.received"
        )
    };
    let both = "main.updates m JOIN other.updates s ON s.image = m.image AND s.digest <> m.digest";
    connection.execute_batch(&keep(
        "image, digest, created, platform, first_seen, last_seen",
        "other.digests WHERE true",
    ))?;
    connection.execute_batch(&keep(
        &current("m"),
        &format!("{both} WHERE m.digest <> '' AND m.image IN newer"),
    ))?;
    connection.execute_batch(&keep(
        &current("s"),
        &format!("{both} WHERE s.digest <> '' AND s.image NOT IN newer"),
    ))
}

/// For each place the later report wins. The larger count is kept, as both may have counted the same events.
const PLACES: &str = "
INSERT INTO main.places (image, hostname, provider, workload, digest, status, metadata, first_seen, last_seen,
    times, done_digest, done_by, running, refused, running_since, verdict, compared)
SELECT image, hostname, provider, workload, digest, status, metadata, first_seen, last_seen, times, done_digest,
    done_by, running, refused, running_since, verdict, compared FROM other.places WHERE true
ON CONFLICT (image, hostname, provider, workload) DO UPDATE SET
    digest = iif(excluded.last_seen > last_seen, excluded.digest, digest),
    status = iif(excluded.last_seen > last_seen, excluded.status, status),
    metadata = iif(excluded.last_seen > last_seen, excluded.metadata, metadata),
    done_by = iif(done_digest IS NULL OR excluded.last_seen > last_seen AND excluded.done_digest IS NOT NULL,
        excluded.done_by, done_by),
    done_digest = iif(done_digest IS NULL OR excluded.last_seen > last_seen AND excluded.done_digest IS NOT NULL,
        excluded.done_digest, done_digest),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    times = max(times, excluded.times);";

/// Labels, hosts, refusals, tags, patterns and actions. The images of actions about tags are left out, because
/// tags have other numbers here.
const OTHERS: &str = "
INSERT OR IGNORE INTO main.labels SELECT * FROM other.labels;
INSERT INTO main.hosts (name, last_event, last_reconcile, ping_secret, scans)
SELECT name, last_event, last_reconcile, ping_secret, scans FROM other.hosts WHERE true
ON CONFLICT (name) DO UPDATE SET
    last_event = max(coalesce(last_event, excluded.last_event), coalesce(excluded.last_event, last_event)),
    last_reconcile = max(coalesce(last_reconcile, excluded.last_reconcile),
        coalesce(excluded.last_reconcile, last_reconcile)),
    ping_secret = coalesce(ping_secret, excluded.ping_secret),
    scans = coalesce(nullif(scans, ''), excluded.scans);
INSERT INTO main.refusals (reason, count, last) SELECT reason, count, last FROM other.refusals WHERE true
ON CONFLICT (reason) DO UPDATE SET count = max(count, excluded.count), last = max(last, excluded.last);
INSERT OR IGNORE INTO main.tags (name) SELECT name FROM other.tags ORDER BY id;
INSERT INTO main.tag_assignments (image, tag_id)
SELECT a.image, t.id FROM other.tag_assignments a
    JOIN other.tags o ON o.id = a.tag_id JOIN main.tags t ON t.name = o.name WHERE true
ON CONFLICT (image) DO UPDATE SET tag_id = excluded.tag_id WHERE image IN newer;
INSERT OR IGNORE INTO main.ignores SELECT * FROM other.ignores;
CREATE TEMP TABLE turned AS SELECT image FROM main.updates
    WHERE ignored <> EXISTS (SELECT 1 FROM main.ignores WHERE matches(pattern, image));
UPDATE main.updates SET ignored = NOT ignored WHERE image IN turned;
INSERT INTO touched SELECT image FROM turned EXCEPT SELECT image FROM touched;
DROP TABLE turned;
CREATE TEMP TABLE new_actions AS SELECT uid FROM other.actions WHERE uid NOT IN (SELECT uid FROM main.actions);
INSERT INTO main.actions (uid, at, kind, about, detail, origin, user, note)
SELECT uid, at, kind, about, detail, origin, user, note FROM other.actions WHERE uid IN new_actions ORDER BY id;
INSERT INTO main.action_images (action, image, digest, before, undone)
SELECT a.id, i.image, i.digest, i.before, i.undone FROM other.action_images i
    JOIN other.actions o ON o.id = i.action JOIN main.actions a ON a.uid = o.uid
WHERE a.uid IN new_actions AND a.about <> 'tag';
UPDATE main.actions AS a SET
    undoes = (SELECT b.id FROM other.actions o JOIN other.actions p ON p.id = o.undoes
        JOIN main.actions b ON b.uid = p.uid WHERE o.uid = a.uid),
    undone_by = (SELECT b.id FROM other.actions o JOIN other.actions p ON p.id = o.undone_by
        JOIN main.actions b ON b.uid = p.uid WHERE o.uid = a.uid)
WHERE uid IN new_actions;
DROP TABLE new_actions;";

/// Folds the changed lines again.
fn fold(connection: &Connection) -> Result<()> {
    let mut touched = Lines::default();
    let mut images =
        connection.prepare("SELECT image FROM other.updates UNION SELECT image FROM touched")?;
    let mut rows = images.query([])?;
    while let Some(row) = rows.next()? {
        touched.changed(lines::of(connection, &text(row, 0)?)?);
    }
    lines::fold(connection, touched)
}
