//! Reading what a list shows of updates.

use rusqlite::{Connection, Row};

use super::reports::{Whereabouts, complete, is_ours, key, newest_place};
use super::row::{created, place, received, tag, text, time};
use super::updates::{FROM, condition};
use crate::store::{Headline, Places, State};

const SELECT: &str = "
    SELECT u.image, u.status, u.hub_link, u.created, u.received_at, u.acknowledged_at, u.hostname,
        u.provider, u.workload, u.digest, u.last_seen, t.id, t.name, u.places, u.first_hostname,
        u.first_provider, u.first_workload";

pub(super) fn list(
    connection: &Connection,
    state: State,
    wanted: Places,
) -> rusqlite::Result<Vec<Headline>> {
    let mut select = connection.prepare_cached(&format!("{SELECT} {FROM} {}", condition(state)))?;
    let mut rows = select.query([])?;
    let (mut headlines, mut incomplete) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let headline = headline(connection, row, wanted)?;
        if headline.place_count == 0 {
            let keys = (key(&headline.image), key(&text(row, 9)?));
            incomplete.push((keys, headlines.len()));
        }
        headlines.push(headline);
    }
    complete(connection, &mut headlines, incomplete, |headline: &mut Headline| {
        &mut headline.places
    })?;
    for headline in headlines.iter_mut().filter(|headline| headline.place_count == 0) {
        headline.place_count = headline.places.len();
    }
    Ok(headlines)
}

/// A headline with the places that are wanted; or with that of the newest report and a count of 0,
/// where its row does not tell.
fn headline(connection: &Connection, row: &Row<'_>, wanted: Places) -> rusqlite::Result<Headline> {
    let (image, received_at) = (text(row, 0)?, received(&text(row, 4)?));
    let whereabouts = if is_ours(received_at, row.get(10)?) {
        let newest = place(row, 6)?;
        match row.get(13)? {
            1 => Whereabouts { count: 1, first: newest },
            count if count > 1 && wanted == Places::First => {
                Whereabouts { count, first: place(row, 14)? }
            }
            _ => Whereabouts { count: 0, first: newest },
        }
    } else {
        Whereabouts { count: 0, first: newest_place(connection, &image)? }
    };
    Ok(Headline {
        image,
        status: text(row, 1)?,
        hub_link: text(row, 2)?,
        created: created(row, 3)?,
        received_at,
        acknowledged_at: time(row, 5)?,
        tag: tag(row, 11)?,
        places: vec![whereabouts.first],
        place_count: whereabouts.count,
    })
}
