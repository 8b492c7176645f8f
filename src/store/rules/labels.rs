//! The table of labels.

use rusqlite::{Connection, OptionalExtension, Result};

use super::row::text;
use crate::inbox::labels::{Labelled, Labels};

/// Stores labels. A missing label does not replace a known one.
pub(in crate::store) fn keep(connection: &Connection, labelled: &[Labelled]) -> Result<()> {
    let sql = "INSERT INTO labels VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (image, digest) DO UPDATE
        SET version = coalesce(nullif(excluded.version, ''), version),
            source = coalesce(nullif(excluded.source, ''), source),
            changelog = coalesce(nullif(excluded.changelog, ''), changelog)
        WHERE (version, source, changelog)
            IS DISTINCT FROM (excluded.version, excluded.source, excluded.changelog)";
    let mut insert = connection.prepare_cached(sql)?;
    for Labelled { image, digest, labels } in labelled {
        let Labels { version, source, changelog } = labels;
        insert.execute([image, digest, version, source, changelog])?;
    }
    Ok(())
}

/// The labels of a digest. Unknown links are taken from another digest of the image, as links seldom change.
pub(in crate::store) fn of(connection: &Connection, image: &str, digest: &str) -> Result<Labels> {
    let sql = "SELECT iif(digest = ?2, version, ''), source, changelog FROM labels
        WHERE image = ?1 ORDER BY digest = ?2 DESC LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Labels { version: text(row, 0)?, source: text(row, 1)?, changelog: text(row, 2)? })
    };
    let labels = connection.prepare_cached(sql)?.query_row([image, digest], row).optional()?;
    Ok(labels.unwrap_or_default())
}

/// The versions of a digest and of the one that it is compared with: the digest that was acknowledged last, or
/// else the previous one. `None` if either version is unknown.
pub(in crate::store) fn versions(
    connection: &Connection,
    image: &str,
    digest: &str,
) -> Result<Option<(String, String)>> {
    let sql = "SELECT new.version, old.version FROM labels new JOIN labels old ON old.image = ?1
        WHERE new.image = ?1 AND new.digest = ?2 AND new.version <> '' AND old.version <> ''
            AND old.digest = coalesce(
                (SELECT nullif(acknowledged_digest, ?2) FROM updates WHERE image = ?1),
                (SELECT digest FROM digests WHERE image = ?1 ORDER BY last_seen DESC, digest LIMIT 1))";
    let row = |row: &rusqlite::Row<'_>| Ok((text(row, 0)?, text(row, 1)?));
    connection.prepare_cached(sql)?.query_row([image, digest], row).optional()
}

/// Removes the labels of digests that were removed. Both engines run it.
pub(in crate::store) const PRUNE: &str = "DELETE FROM labels WHERE NOT EXISTS
        (SELECT 1 FROM updates u WHERE u.image = labels.image AND u.digest = labels.digest)
    AND NOT EXISTS
        (SELECT 1 FROM digests d WHERE d.image = labels.image AND d.digest = labels.digest)";
