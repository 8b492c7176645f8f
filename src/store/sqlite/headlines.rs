//! Reading what a list shows of updates.

use rusqlite::{Connection, Row};

use super::reports::{add_places, is_ours, key, newest_place};
use super::row::{created, place, received, tag, text, time};
use super::updates::{FROM, condition};
use crate::store::{Headline, State};

const SELECT: &str = "
    SELECT u.image, u.status, u.hub_link, u.created, u.received_at, u.acknowledged_at, u.hostname,
        u.provider, u.workload, u.digest, u.last_seen, t.id, t.name";

pub(super) fn list(connection: &Connection, state: State) -> rusqlite::Result<Vec<Headline>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} {FROM} {}", condition(state)))?;
    let mut rows = select.query([])?;
    let (mut headlines, mut keys) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let headline = headline(connection, row)?;
        keys.push((key(&headline.image), key(&text(row, 9)?)));
        headlines.push(headline);
    }
    let places = headlines.iter_mut().map(|headline| &mut headline.places);
    add_places(connection, keys.into_iter().zip(places).collect())?;
    Ok(headlines)
}

/// A headline with the place of the newest report alone.
fn headline(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Headline> {
    let (image, received_at) = (text(row, 0)?, received(&text(row, 4)?));
    let is_ours = is_ours(received_at, row.get(10)?);
    let newest = if is_ours { place(row, 6)? } else { newest_place(connection, &image)? };
    Ok(Headline {
        image,
        status: text(row, 1)?,
        hub_link: text(row, 2)?,
        created: created(row, 3)?,
        received_at,
        acknowledged_at: time(row, 5)?,
        tag: tag(row, 11)?,
        places: vec![newest],
    })
}
