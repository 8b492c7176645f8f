//! The store in a database of PostgreSQL, which several hosts and servers share.
//!
//! The rules of the inbox are written once. An operation locks out other writers, loads the rows that it
//! touches into a working copy, runs the rule there, and writes back what has changed. All of its rows
//! travel together, so that it takes three round trips, whether it stores one event or a thousand.

mod change;
mod connection;
mod copy;
mod events;
mod failure;
mod find;
mod history;
mod password;
mod schema;
mod session;
mod spool;
mod tables;
mod tls;
mod transaction;
mod upkeep;
mod url;
mod value;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use chrono::{DateTime, Utc};

use self::connection::{Connection, nothing};
use self::events::{Events, SPOOL_AFTER};
use self::failure::Failure;
use self::session::{Server, Session};
use self::spool::Spool;
use self::transaction::{Transaction, of_images, part, whole};
pub use self::url::Address;
use self::value::{Statement, Value};
use super::group::Group;
use super::rules::selection::condition;
use super::rules::{hosts, ignores, labels, query, scans, tags};
use super::{
    ErrorKind, Imported, Location, PATIENCE, Prune, Pruned, Result, Spooled, Store, StoreError,
    lock, sqlite,
};
use crate::image::{ImageName, ImagePattern};
use crate::inbox::action::{Action, Receipt, Stamp};
use crate::inbox::history::{Entry, Ignore, Page};
use crate::inbox::labels::Labelled;
use crate::inbox::query::{Detail, Query};
use crate::inbox::received::Received;
use crate::inbox::scan::{Beat, Scans};
use crate::inbox::seen::{Reconciled, Seen};
use crate::inbox::update::{Counts, Digest, Host, State, Tag, Update};

/// Sessions that are kept for the next operation.
const IDLE_SESSIONS: usize = 4;
/// Events that are stored in one transaction.
const BATCH: usize = 4_096;

/// The store in a database of PostgreSQL.
pub struct PostgresStore {
    server: Arc<Server>,
    idle: Mutex<Vec<Session>>,
    events: Arc<Events>,
    group: Group,
    /// The thread that drains the spool.
    drain: Option<JoinHandle<()>>,
    location: Location,
}

impl PostgresStore {
    /// Connects to a server, and brings the tables up to date.
    ///
    /// # Errors
    /// When no server can be used.
    pub fn open(address: &Address) -> Result<Self> {
        let store = Self::new(address, None)?;
        store.check()?;
        Ok(store)
    }

    /// The same, with a file that takes events while no server answers, and that is drained when one does.
    ///
    /// # Errors
    /// When a server answers and cannot be used, or when the file cannot.
    pub fn open_with_spool(address: &Address, spool: &Path) -> Result<Self> {
        let store = Self::new(address, Some(Arc::new(Spool::open(spool)?)))?;
        match store.check() {
            Err(error) if error.kind != ErrorKind::Unavailable => Err(error),
            _ => Ok(store),
        }
    }

    fn new(address: &Address, spool: Option<Arc<Spool>>) -> Result<Self> {
        let tls = tls::connector(address)
            .map_err(|message| StoreError::new(ErrorKind::Unusable, message))?;
        let server = Arc::new(Server { address: address.clone(), tls });
        let location = Location::Postgres(Box::new(address.clone()));
        let drain = spool.clone().map(|spool| {
            let server = Arc::clone(&server);
            let thread = thread::Builder::new().name("spool".into());
            thread.spawn(move || events::drain(&server, &spool)).map_err(|error| {
                StoreError::new(ErrorKind::Other, format!("cannot start a thread: {error}"))
            })
        });
        let events = Events::new(Arc::clone(&server), spool);
        let events = events.map_err(|failure| failure.explain(address))?;
        Ok(Self {
            server,
            idle: Mutex::default(),
            events: Arc::new(events),
            group: Group::default(),
            drain: drain.transpose()?,
            location,
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Session, &Server, Instant) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let explain = |failure: Failure| failure.explain(&self.server.address);
        let idle = lock(&self.idle).pop();
        let mut session = idle.map_or_else(Session::new, Ok).map_err(explain)?;
        let result = work(&mut session, &self.server, Instant::now() + PATIENCE);
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE_SESSIONS {
            idle.push(session);
        }
        result.map_err(explain)
    }

    fn read<T>(
        &self,
        work: impl Fn(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.with(|session, server, deadline| session.read(server, deadline, work))
    }

    fn write<T>(
        &self,
        work: impl Fn(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.with(|session, server, deadline| {
            let ledger = session.next();
            session.write(server, deadline, &ledger, None, |transaction, _| work(transaction))
        })
    }

    fn ask<T>(&self, work: impl Fn(&Connection) -> std::result::Result<T, Failure>) -> Result<T> {
        self.with(|session, server, deadline| session.ask(server, deadline, work))
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        if let Some((drain, spool)) = self.drain.take().zip(self.events.spool.as_ref()) {
            spool.stop();
            let _ = drain.join();
        }
    }
}

impl Store for PostgresStore {
    fn upsert(&self, received: Received) -> Result<()> {
        self.group.upsert(&self.events, received)
    }

    fn upsert_all(&self, received: &[Received]) -> Result<()> {
        for batch in received.chunks(BATCH) {
            let results = self.events.all(batch, Instant::now() + PATIENCE);
            results.into_iter().collect::<Result<()>>()?;
        }
        Ok(())
    }

    fn select(&self, query: &Query) -> Result<Vec<Update>> {
        self.read(|transaction| {
            find::select(transaction, query)?;
            Ok(query::updates(&transaction.copy.sqlite, query)?)
        })
    }

    fn select_images(&self, query: &Query) -> Result<Vec<String>> {
        self.read(|transaction| {
            find::select(transaction, &Query { detail: Detail::Table, ..query.clone() })?;
            Ok(query::images(&transaction.copy.sqlite, query)?)
        })
    }

    fn digests(&self, image: &ImageName) -> Result<Vec<Digest>> {
        self.read(|transaction| {
            transaction.load([of_images("digests", &[image.as_str().to_owned()])])?;
            Ok(query::digests(&transaction.copy.sqlite, image.as_str())?)
        })
    }

    fn act(&self, action: &Action) -> Result<Receipt> {
        self.write(|transaction| change::apply(transaction, action))
    }

    fn undo(&self, id: Option<i64>, stamp: &Stamp) -> Result<Option<Receipt>> {
        self.write(|transaction| change::take_back(transaction, id, stamp))?.into_receipt()
    }

    fn reconcile(&self, seen: &[Seen], stamp: &Stamp, is_dry: bool) -> Result<Reconciled> {
        self.write(|transaction| {
            if is_dry {
                transaction.rehearse();
            }
            change::compare(transaction, seen, stamp)
        })
    }

    fn keep_labels(&self, labelled: &[Labelled]) -> Result<()> {
        let images: Vec<String> = labelled.iter().map(|labelled| labelled.image.clone()).collect();
        self.write(|transaction| {
            transaction.load([of_images("labels", &images)])?;
            Ok(labels::keep(&transaction.copy.sqlite, labelled)?)
        })
    }

    fn history(&self, page: &Page) -> Result<Vec<Entry>> {
        self.ask(|connection| history::list(connection, page))
    }

    fn ignores(&self) -> Result<Vec<Ignore>> {
        let ignored = Query { states: vec![State::Ignored], ..Query::all(Utc::now()) };
        self.read(|transaction| {
            let images = find::images(transaction, &ignored)?;
            transaction.load([whole("ignores"), of_images("updates", &images)])?;
            Ok(ignores::list(&transaction.copy.sqlite)?)
        })
    }

    fn ignore(&self, pattern: &ImagePattern, stamp: &Stamp) -> Result<Option<Receipt>> {
        self.write(|transaction| change::ignore(transaction, pattern, stamp))
    }

    fn unignore(&self, pattern: &str, stamp: &Stamp) -> Result<Option<Receipt>> {
        let pattern = ignores::as_added(pattern);
        self.write(|transaction| change::unignore(transaction, &pattern, stamp))
    }

    fn count(&self, now: DateTime<Utc>) -> Result<Counts> {
        self.ask(|connection| count(connection, now))
    }

    fn last_change(&self) -> Result<i64> {
        let sql =
            "SELECT greatest((SELECT max(changed) FROM updates), (SELECT changed FROM removed))";
        self.ask(|connection| number(connection, sql, Vec::new()).map(Option::unwrap_or_default))
    }

    fn next_snooze_end(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        let snoozed = condition(State::Snoozed).replace('?', "$");
        let sql = format!("SELECT min(snoozed_until) FROM updates WHERE {snoozed}");
        let end = self.ask(|connection| number(connection, &sql, vec![millis(now)]))?;
        Ok(end.and_then(DateTime::from_timestamp_millis))
    }

    fn hosts(&self, now: DateTime<Utc>) -> Result<Vec<Host>> {
        self.read(|transaction| {
            let images = find::images(transaction, &Query::pending(now))?;
            transaction.load([
                whole("hosts"),
                of_images("updates", &images),
                of_images("places", &images),
            ])?;
            Ok(hosts::list(&transaction.copy.sqlite, now)?)
        })
    }

    fn scans(&self) -> Result<Vec<(String, Scans)>> {
        self.read(|transaction| {
            transaction.load([part("hosts", "t.ping_secret IS NOT NULL", Vec::new())])?;
            Ok(scans::list(&transaction.copy.sqlite)?)
        })
    }

    fn ping_secret(&self, host: &str) -> Result<Option<String>> {
        self.read(|transaction| {
            transaction.load([of_host(host)])?;
            Ok(scans::secret(&transaction.copy.sqlite, host)?)
        })
    }

    fn allow_ping(&self, host: &str) -> Result<String> {
        self.write(|transaction| {
            transaction.load([of_host(host)])?;
            Ok(scans::allow(&transaction.copy.sqlite, host)?)
        })
    }

    fn take_beat(&self, host: &str, beat: &Beat, now: DateTime<Utc>) -> Result<()> {
        self.write(|transaction| {
            transaction.load([of_host(host)])?;
            Ok(scans::take(&transaction.copy.sqlite, host, beat, now)?)
        })
    }

    fn list_tags(&self) -> Result<Vec<Tag>> {
        self.read(|transaction| {
            transaction.load([whole("tags")])?;
            Ok(tags::list(&transaction.copy.sqlite)?)
        })
    }

    fn create_tag(&self, name: &str) -> Result<Tag> {
        let name = tags::valid(name)?;
        let id = self.write(|transaction| {
            transaction.load([whole("tags")])?;
            Ok(tags::create(&transaction.copy.sqlite, name)?)
        })?;
        id.map(|id| Tag { id, name: name.to_owned() }).ok_or_else(|| tags::exists(name))
    }

    fn rename_tag(&self, id: i64, name: &str) -> Result<bool> {
        let name = tags::valid(name)?;
        let renamed = self.write(|transaction| {
            transaction.load([whole("tags")])?;
            Ok(tags::rename(&transaction.copy.sqlite, id, name)?)
        })?;
        renamed.ok_or_else(|| tags::exists(name))
    }

    fn delete_tag(&self, id: i64) -> Result<bool> {
        self.write(|transaction| {
            transaction.load([whole("tags")])?;
            Ok(tags::delete(&transaction.copy.sqlite, id)?)
        })
    }

    fn put_tag(&self, images: &[ImageName], tag: Option<i64>, stamp: &Stamp) -> Result<Receipt> {
        let receipt = self.write(|transaction| change::put_tag(transaction, images, tag, stamp))?;
        receipt.ok_or_else(|| tags::unknown(tag.unwrap_or_default()))
    }

    fn tag_exists(&self, id: i64) -> Result<bool> {
        Ok(self.list_tags()?.iter().any(|tag| tag.id == id))
    }

    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>> {
        let sql = "SELECT tag_id::bigint, count(*) FROM tag_assignments GROUP BY tag_id";
        let rows = self.ask(|connection| connection.query(&Statement::new(sql, Vec::new())))?;
        let pair = |row: &tokio_postgres::Row| -> std::result::Result<_, Failure> {
            Ok((row.try_get(0)?, row.try_get::<_, i64>(1)?.try_into().unwrap_or_default()))
        };
        let pairs: std::result::Result<_, Failure> = rows.iter().map(pair).collect();
        pairs.map_err(|failure| failure.explain(&self.server.address))
    }

    fn prune(&self, what: Prune) -> Result<Pruned> {
        self.write(|transaction| upkeep::prune(transaction, what))
    }

    fn import(&self, from: &Path) -> Result<Imported> {
        let (_folder, copy) = sqlite::current(from)?;
        self.write(|transaction| upkeep::import(transaction, &copy))
    }

    fn backup(&self, to: &Path) -> Result<()> {
        self.read(|transaction| upkeep::backup(transaction, to))
    }

    fn location(&self) -> &Location {
        &self.location
    }

    fn check(&self) -> Result<()> {
        let sql = "SELECT count(*) FROM (SELECT 1 FROM updates LIMIT 1) t";
        let patience = if self.events.spool.is_some() { SPOOL_AFTER } else { PATIENCE };
        self.with(|session, server, _| {
            session.ask(server, Instant::now() + patience, |connection| {
                number(connection, sql, Vec::new()).map(drop)
            })
        })
    }

    fn spooled(&self) -> Option<Spooled> {
        self.events.spool.as_ref().map(|spool| spool.spooled())
    }

    /// The server keeps nothing back.
    fn flush(&self) -> Result<()> {
        Ok(())
    }
}

/// How many updates there are in each state.
fn count(connection: &Connection, now: DateTime<Utc>) -> std::result::Result<Counts, Failure> {
    let of = |state| format!("count(*) FILTER (WHERE {})", condition(state).replace('?', "$"));
    let pending = condition(State::Pending).replace('?', "$");
    let sql = format!(
        "SELECT {}, {}, {}, {}, (SELECT count(*) FROM updates),
            min(since) FILTER (WHERE {pending}), max(since) FILTER (WHERE {pending}),
            greatest((SELECT max(changed) FROM updates), (SELECT changed FROM removed))
        FROM updates WHERE acknowledged_at IS NULL AND ignored = 0 OR ignored <> 0",
        of(State::Pending),
        of(State::Snoozed),
        of(State::Superseded),
        of(State::Ignored),
    );
    let row =
        connection.query(&Statement::new(sql, vec![millis(now)]))?.pop().ok_or_else(nothing)?;
    let number = |column: usize| -> std::result::Result<u64, Failure> {
        Ok(row.try_get::<_, i64>(column)?.try_into().unwrap_or_default())
    };
    let time = |column: usize| -> std::result::Result<_, Failure> {
        Ok(row.try_get::<_, Option<i64>>(column)?.and_then(DateTime::from_timestamp_millis))
    };
    let mut counts = Counts {
        pending: number(0)?,
        snoozed: number(1)?,
        superseded: number(2)?,
        ignored: number(3)?,
        oldest_pending: time(5)?,
        newest_pending: time(6)?,
        acknowledged: number(4)?,
        as_of: row.try_get(7)?,
    };
    let others = counts.pending + counts.snoozed + counts.superseded + counts.ignored;
    counts.acknowledged = counts.acknowledged.saturating_sub(others);
    Ok(counts)
}

/// The one number that a statement returns.
fn number(
    connection: &Connection,
    sql: &str,
    values: Vec<Value>,
) -> std::result::Result<Option<i64>, Failure> {
    let row = connection.query(&Statement::new(sql, values))?.pop().ok_or_else(nothing)?;
    Ok(row.try_get(0)?)
}

fn of_host(host: &str) -> transaction::Part {
    part("hosts", "t.name = $1", vec![host.into()])
}

fn millis(time: DateTime<Utc>) -> Value {
    time.timestamp_millis().into()
}
