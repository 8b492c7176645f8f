//! The store in a database of PostgreSQL, which several hosts and servers share.
//!
//! The rules of the inbox exist once, as SQL for SQLite. An operation locks out other writers, loads the rows
//! that it needs into a working copy (an SQLite database in memory), runs the rule there, and writes the
//! changed rows back. Rows are sent in bulk, so one event or a thousand take three round trips.

mod change;
mod connection;
mod copy;
mod count;
mod events;
mod failure;
mod find;
mod history;
mod names;
mod part;
mod password;
mod pool;
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
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use self::events::{Drain, Events, SPOOL_AFTER};
pub use self::names::Names;
use self::part::{of_host, of_images, whole};
use self::pool::Pool;
use self::session::Server;
use self::spool::Spool;
pub use self::url::Address;
use super::group::Group;
use super::rules::{hosts, ignores, labels, query, refused, scans, tags};
use super::{
    ErrorKind, Imported, Location, Prune, Pruned, Result, Spooled, Store, StoreError, sqlite,
};
use crate::image::{ImageName, ImagePattern};
use crate::inbox::action::{Action, Receipt, Stamp};
use crate::inbox::history::{Entry, Ignore, Page};
use crate::inbox::labels::Labelled;
use crate::inbox::query::{Detail, Query};
use crate::inbox::received::Received;
use crate::inbox::refused::Refused;
use crate::inbox::scan::{Beat, Scans};
use crate::inbox::seen::{Reconciled, Seen};
use crate::inbox::update::{Counts, Digest, Host, State, Tag, Update};

/// How long the first connection waits for each host. It is short, as the URL may be wrong.
const FIRST: Duration = Duration::from_secs(2);

/// The store in a database of PostgreSQL.
pub struct PostgresStore {
    pool: Pool,
    events: Arc<Events>,
    group: Group,
    _drain: Option<Drain>,
    location: Location,
}

impl PostgresStore {
    /// Connects to a server, and brings the tables up to date.
    ///
    /// # Errors
    /// If no server can be used.
    pub fn open(address: &Address, patience: Duration) -> Result<Self> {
        let store = Self::new(address, None, patience)?;
        let first = FIRST * u32::try_from(address.hosts.len()).unwrap_or(1);
        store.reach(first.min(patience))?;
        Ok(store)
    }

    /// The same, with a spool: a file that takes events while no server answers, and is drained when one does.
    ///
    /// # Errors
    /// If a server answers but cannot be used, or if the spool cannot be used.
    pub fn open_with_spool(address: &Address, spool: &Path, patience: Duration) -> Result<Self> {
        let store = Self::new(address, Some(Arc::new(Spool::open(spool)?)), patience)?;
        match store.check() {
            Err(error) if error.kind != ErrorKind::Unavailable => Err(error),
            _ => Ok(store),
        }
    }

    /// Waits for a server that can be used.
    fn reach(&self, patience: Duration) -> Result<()> {
        self.pool
            .with(patience, |session, server, deadline| session.ask(server, deadline, count::check))
    }

    fn new(address: &Address, spool: Option<Arc<Spool>>, patience: Duration) -> Result<Self> {
        let tls = tls::connector(address)
            .map_err(|message| StoreError::new(ErrorKind::Unusable, message))?;
        let server = Arc::new(Server { address: address.clone(), tls, patience });
        let location = Location::Postgres(Box::new(address.clone()));
        let drain = spool.as_ref().map(|spool| Drain::start(&server, spool)).transpose()?;
        let events = Events::new(Arc::clone(&server), spool);
        Ok(Self {
            pool: Pool::new(server),
            events: Arc::new(events),
            group: Group::default(),
            _drain: drain,
            location,
        })
    }
}

impl Store for PostgresStore {
    fn upsert(&self, received: Received) -> Result<()> {
        self.group.upsert(&self.events, received, self.events.deadline())
    }

    fn upsert_all(&self, received: &[Received]) -> Result<()> {
        self.events.all(received, self.events.deadline()).into_iter().collect()
    }

    fn select(&self, query: &Query) -> Result<Vec<Update>> {
        self.pool.read(|transaction| {
            find::select(transaction, query)?;
            Ok(query::updates(&transaction.copy.sqlite, query)?)
        })
    }

    fn select_images(&self, query: &Query) -> Result<Vec<String>> {
        self.pool.read(|transaction| {
            find::select(transaction, &Query { detail: Detail::Table, ..query.clone() })?;
            Ok(query::images(&transaction.copy.sqlite, query)?)
        })
    }

    fn digests(&self, image: &ImageName) -> Result<Vec<Digest>> {
        let own = || of_images("digests", &[image.as_str().to_owned()]);
        self.pool.read_rows(own, |sqlite| query::digests(sqlite, image.as_str()))
    }

    fn act(&self, action: &Action) -> Result<Receipt> {
        self.pool.write(|transaction| change::apply(transaction, action))
    }

    fn undo(&self, id: Option<i64>, stamp: &Stamp) -> Result<Option<Receipt>> {
        self.pool.write(|transaction| change::take_back(transaction, id, stamp))?.into_receipt()
    }

    fn reconcile(&self, seen: &[Seen], stamp: &Stamp, is_dry: bool) -> Result<Reconciled> {
        self.pool.write(|transaction| {
            if is_dry {
                transaction.rehearse();
            }
            change::compare(transaction, seen, stamp)
        })
    }

    fn keep_labels(&self, labelled: &[Labelled]) -> Result<()> {
        let images: Vec<String> = labelled.iter().map(|labelled| labelled.image.clone()).collect();
        let own = || of_images("labels", &images);
        self.pool.write_rows(own, |sqlite| labels::keep(sqlite, labelled))
    }

    fn history(&self, page: &Page) -> Result<Vec<Entry>> {
        self.pool.ask(|connection| history::list(connection, page))
    }

    fn ignores(&self) -> Result<Vec<Ignore>> {
        let ignored = Query { states: vec![State::Ignored], ..Query::all(Utc::now()) };
        self.pool.read(|transaction| {
            let images = find::images(transaction, &ignored)?;
            transaction.load([whole("ignores"), of_images("updates", &images)])?;
            Ok(ignores::list(&transaction.copy.sqlite)?)
        })
    }

    fn ignore(&self, pattern: &ImagePattern, stamp: &Stamp) -> Result<Option<Receipt>> {
        self.pool.write(|transaction| change::ignore(transaction, pattern, stamp))
    }

    fn unignore(&self, pattern: &str, stamp: &Stamp) -> Result<Option<Receipt>> {
        let pattern = ignores::as_added(pattern);
        self.pool.write(|transaction| change::unignore(transaction, &pattern, stamp))
    }

    fn count(&self, now: DateTime<Utc>) -> Result<Counts> {
        self.pool.ask(|connection| count::states(connection, now))
    }

    fn last_change(&self) -> Result<i64> {
        self.pool.ask(count::last_change)
    }

    fn next_snooze_end(&self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        self.pool.ask(|connection| count::next_snooze_end(connection, now))
    }

    fn hosts(&self, now: DateTime<Utc>) -> Result<Vec<Host>> {
        self.pool.read(|transaction| {
            let images = find::images(transaction, &Query::pending(now))?;
            let own = [of_images("updates", &images), of_images("places", &images)];
            transaction.load(own.into_iter().chain([whole("hosts")]))?;
            Ok(hosts::list(&transaction.copy.sqlite, now)?)
        })
    }

    fn scans(&self) -> Result<Vec<(String, Scans)>> {
        self.pool.read_rows(|| whole("hosts"), scans::list)
    }

    fn ping_secret(&self, host: &str) -> Result<Option<String>> {
        self.pool.read_rows(|| of_host(host), |sqlite| scans::secret(sqlite, host))
    }

    fn allow_ping(&self, host: &str) -> Result<String> {
        self.pool.write_rows(|| of_host(host), |sqlite| scans::allow(sqlite, host))
    }

    fn take_beat(&self, host: &str, beat: &Beat, now: DateTime<Utc>) -> Result<()> {
        self.pool.write_rows(|| of_host(host), |sqlite| scans::take(sqlite, host, beat, now))
    }

    fn keep_refused(&self, refused: &[Refused]) -> Result<()> {
        self.pool.write_rows(|| whole("refusals"), |sqlite| refused::keep(sqlite, refused))
    }

    fn refused(&self) -> Result<Vec<Refused>> {
        self.pool.read_rows(|| whole("refusals"), refused::list)
    }

    fn list_tags(&self) -> Result<Vec<Tag>> {
        self.pool.read_rows(|| whole("tags"), tags::list)
    }

    fn create_tag(&self, name: &str) -> Result<Tag> {
        let name = tags::valid(name)?;
        let id = self.pool.write_rows(|| whole("tags"), |sqlite| tags::create(sqlite, name))?;
        id.map(|id| Tag { id, name: name.to_owned() }).ok_or_else(|| tags::exists(name))
    }

    fn rename_tag(&self, id: i64, name: &str) -> Result<bool> {
        let name = tags::valid(name)?;
        let renamed =
            self.pool.write_rows(|| whole("tags"), |sqlite| tags::rename(sqlite, id, name))?;
        renamed.ok_or_else(|| tags::exists(name))
    }

    fn delete_tag(&self, id: i64) -> Result<bool> {
        self.pool.write_rows(|| whole("tags"), |sqlite| tags::delete(sqlite, id))
    }

    fn put_tag(&self, images: &[ImageName], tag: Option<i64>, stamp: &Stamp) -> Result<Receipt> {
        let receipt =
            self.pool.write(|transaction| change::put_tag(transaction, images, tag, stamp))?;
        receipt.ok_or_else(|| tags::unknown(tag.unwrap_or_default()))
    }

    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>> {
        self.pool.ask(count::tagged)
    }

    fn prune(&self, what: Prune) -> Result<Pruned> {
        self.pool.write(|transaction| upkeep::prune(transaction, what))
    }

    fn import(&self, from: &Path) -> Result<Imported> {
        let (_folder, copy) = sqlite::current(from)?;
        self.pool.write(|transaction| upkeep::import(transaction, &copy))
    }

    fn backup(&self, to: &Path) -> Result<()> {
        self.pool.read(|transaction| upkeep::backup(transaction, to))
    }

    fn location(&self) -> &Location {
        &self.location
    }

    fn check(&self) -> Result<()> {
        let patience = self.pool.patience();
        self.reach(if self.events.spool.is_some() { patience.min(SPOOL_AFTER) } else { patience })
    }

    fn spooled(&self) -> Option<Spooled> {
        self.events.spool.as_ref().map(|spool| spool.spooled())
    }

    /// Does nothing: the client buffers nothing.
    fn flush(&self) -> Result<()> {
        Ok(())
    }
}
