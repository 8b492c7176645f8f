//! Reads recorded actions.

use chrono::DateTime;

use super::connection::Connection;
use super::failure::Failure;
use super::value::Statement;
use crate::image::ImageName;
use crate::inbox::history::{Entry, NAMED, Page};

/// A page of actions, newest first.
pub(super) fn list(connection: &Connection, page: &Page) -> Result<Vec<Entry>, Failure> {
    let sql = "SELECT id, at, kind, detail, origin, \"user\", note, undoes, undone_by,
            (SELECT count(*) FROM action_images i WHERE i.action = a.id),
            ARRAY(SELECT image FROM action_images i WHERE i.action = a.id
                ORDER BY image COLLATE \"C\" LIMIT $4)
        FROM actions a WHERE id < $1 AND ($2 IS NULL
            OR id IN (SELECT action FROM action_images WHERE image = $2))
        ORDER BY id DESC LIMIT $3";
    let image = page.image.as_ref().map(ImageName::as_str);
    let numbers = [page.limit, NAMED].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let values = vec![
        page.before.unwrap_or(i64::MAX).into(),
        image.into(),
        numbers[0].into(),
        numbers[1].into(),
    ];
    let rows = connection.query(&Statement::new(sql, values))?;
    let entry = |row: &tokio_postgres::Row| -> Result<Entry, Failure> {
        Ok(Entry {
            id: row.try_get(0)?,
            at: DateTime::from_timestamp_millis(row.try_get(1)?).unwrap_or_default(),
            kind: row.try_get(2)?,
            detail: row.try_get(3)?,
            origin: row.try_get(4)?,
            user: row.try_get(5)?,
            note: row.try_get(6)?,
            undoes: row.try_get(7)?,
            undone_by: row.try_get(8)?,
            count: u64::try_from(row.try_get::<_, i64>(9)?).unwrap_or_default(),
            images: row.try_get(10)?,
        })
    };
    rows.iter().map(entry).collect()
}
