//! From what runs to what the store keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::join::{Inventory, compare, hosts_by_id};
use super::running::Running;
use crate::image::{ImageName, repository};
use crate::inbox::action::Stamp;
use crate::inbox::query::{Detail, Query, Wanted};
use crate::inbox::seen::{Reconciled, Seen};
use crate::inbox::update::Update;
use crate::store::{Store, StoreError};

/// How an input is to be read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The hosts that it is of; `*` for every host. If there are none, those whose containers it has.
    pub hosts: Vec<String>,
    /// Only places that this provider found.
    pub provider: Option<String>,
    /// Whether it is everything that runs there, so that what is not in it is gone.
    pub is_complete: bool,
    /// Whether to change nothing.
    pub is_dry: bool,
}

/// What was found, and what came of it.
#[derive(Debug)]
pub struct Report {
    /// Every place that could be compared.
    pub seen: Vec<Seen>,
    /// What changed.
    pub reconciled: Reconciled,
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its error is")]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the input says of nothing that it runs: nothing was changed")]
    Empty,
    #[error("name the host that this runs on with `host`; known are {0}")]
    Host(String),
    #[error("no known place on {0} is in the input: nothing was changed")]
    Nothing(String),
}

/// Compares what runs with a store, and keeps what is found.
///
/// # Errors
/// When the input tells nothing about the inbox, or the store cannot be used; nothing is changed then.
pub fn against(
    store: &dyn Store,
    running: &Running,
    options: &Options,
    stamp: &Stamp,
) -> Result<Report, Error> {
    if running.workloads.is_empty() {
        return Err(Error::Empty);
    }
    let updates = candidates(store, running, stamp)?;
    let mut hosts = options.hosts.clone();
    if hosts.is_empty() {
        hosts.extend(hosts_by_id(&updates, running));
    }
    if hosts.is_empty() {
        let known = store.hosts(stamp.at)?;
        let known: Vec<&str> = known.iter().map(|host| host.name.as_str()).collect();
        return Err(Error::Host(known.join(", ")));
    }
    let inventory = Inventory {
        earlier: &earlier(store, &updates)?,
        updates: &updates,
        hosts: &hosts,
        provider: options.provider.as_deref(),
        is_complete: options.is_complete,
    };
    let seen = compare(&inventory, running);
    if seen.is_empty() {
        return Err(Error::Nothing(hosts.join(", ")));
    }
    let reconciled = store.reconcile(&seen, stamp, options.is_dry)?;
    Ok(Report { seen, reconciled })
}

/// The updates that what runs may tell something about: of the same repository, or with a place of the
/// same name.
fn candidates(
    store: &dyn Store,
    running: &Running,
    stamp: &Stamp,
) -> Result<Vec<Update>, StoreError> {
    let workloads = &running.workloads;
    let images = workloads.iter().filter_map(|runs| runs.image.as_deref());
    let repositories: BTreeSet<&str> = images.map(repository).collect();
    let names: BTreeSet<&str> = workloads.iter().map(|runs| runs.name.as_str()).collect();
    let all = store.select(&Query { detail: Detail::Table, ..Query::all(stamp.at) })?;
    let is_candidate = |update: &Update| {
        let mut known = update.places.iter().flat_map(|place| place.workload.split(','));
        repositories.contains(repository(&update.event.image))
            || known.any(|name| names.contains(name))
    };
    let candidates = all.iter().filter(|update| is_candidate(update));
    let images = candidates.filter_map(|update| Wanted::exact(&update.event.image).ok()).collect();
    let query = Query { images, ..Query::all(stamp.at) };
    // No image at all would mean every image.
    if query.images.is_empty() { Ok(Vec::new()) } else { store.select(&query) }
}

/// The digests that each image had before the current one.
fn earlier(
    store: &dyn Store,
    updates: &[Update],
) -> Result<BTreeMap<String, BTreeSet<String>>, StoreError> {
    let mut earlier = BTreeMap::new();
    for update in updates {
        let Ok(name) = ImageName::new(&update.event.image) else { continue };
        let digests = store.digests(&name)?.into_iter().map(|digest| digest.digest);
        let reported = update.places.iter().map(|place| place.digest.clone());
        let mut all: BTreeSet<String> = digests.chain(reported).collect();
        all.remove(&update.event.digest);
        all.remove("");
        earlier.insert(update.event.image.clone(), all);
    }
    Ok(earlier)
}
