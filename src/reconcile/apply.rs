//! Compares the running workloads with a store, and records the result.

use std::collections::{BTreeMap, BTreeSet};

use super::join::{Inventory, compare, hosts_by_id};
use super::running::Running;
use crate::event::{Event, limits};
use crate::image::{ImageName, repository};
use crate::inbox::action::{Action, Kind, Stamp};
use crate::inbox::labels::Labelled;
use crate::inbox::query::{Detail, Query, Wanted};
use crate::inbox::received::Received;
use crate::inbox::seen::{Reconciled, Seen, Verdict};
use crate::inbox::update::Update;
use crate::store::{Store, StoreError};

/// The options of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The hosts that the input describes; `*` for every host. If empty, they are found by the ids of containers.
    pub hosts: Vec<String>,
    /// Only places of this provider.
    pub provider: Option<String>,
    /// Whether the input is complete, so that missing places are gone.
    pub is_complete: bool,
    /// Whether to change nothing.
    pub is_dry: bool,
    /// Whether images that only Diun knows are acknowledged at once, for a first import.
    pub acknowledges: bool,
}

/// The result of a comparison.
#[derive(Debug)]
pub struct Report {
    /// The places that were compared.
    pub seen: Vec<Seen>,
    /// The changes.
    pub reconciled: Reconciled,
    /// The images of missed events.
    pub missed: Vec<String>,
}

/// The reason why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the input lists nothing that runs: nothing was changed")]
    Empty,
    #[error("set `host` to the host that the input comes from; known hosts: {0}")]
    Host(String),
    #[error("no known place on {0} is in the input: nothing was changed")]
    Nothing(String),
}

/// Compares what runs with a store, and stores the result.
///
/// # Errors
/// If the input does not match the inbox, or the store cannot be used. Nothing is changed then.
pub fn against(
    store: &dyn Store,
    running: &Running,
    options: &Options,
    stamp: &Stamp,
) -> Result<Report, Error> {
    if running.workloads.is_empty() {
        if running.listed.is_empty() {
            return Err(Error::Empty);
        }
        let missed = missed(store, running, options, stamp)?;
        keep_labels(store, running, &[], options)?;
        return Ok(Report { seen: Vec::new(), reconciled: Reconciled::default(), missed });
    }
    let mut updates = candidates(store, running, stamp)?;
    let hosts = hosts(store, running, options, &updates, stamp)?;
    // Not earlier: an input whose host is unknown must change nothing.
    let missed = missed(store, running, options, stamp)?;
    if !missed.is_empty() {
        updates = candidates(store, running, stamp)?;
    }
    let inventory = Inventory {
        earlier: &earlier(store, &updates)?,
        updates: &updates,
        hosts: &hosts,
        provider: options.provider.as_deref(),
        is_complete: options.is_complete,
    };
    let seen = compare(&inventory, running);
    if seen.is_empty() && missed.is_empty() {
        return Err(Error::Nothing(hosts.join(", ")));
    }
    let reconciled = store.reconcile(&seen, stamp, options.is_dry)?;
    keep_labels(store, running, &seen, options)?;
    Ok(Report { seen, reconciled, missed })
}

/// Stores the labels of the running digests and of those that Diun knows.
fn keep_labels(
    store: &dyn Store,
    running: &Running,
    seen: &[Seen],
    options: &Options,
) -> Result<(), StoreError> {
    let mut labelled = running.labelled.clone();
    let kept = seen.iter().filter(|seen| seen.verdict != Verdict::Gone && !seen.labels.is_empty());
    for Seen { image, runs, labels, .. } in kept {
        labelled.extend(runs.iter().map(|digest| Labelled {
            image: image.clone(),
            digest: digest.clone(),
            labels: labels.clone(),
        }));
    }
    if labelled.is_empty() || options.is_dry { Ok(()) } else { store.keep_labels(&labelled) }
}

/// The given hosts, or else those whose containers the input has.
fn hosts(
    store: &dyn Store,
    running: &Running,
    options: &Options,
    updates: &[Update],
    stamp: &Stamp,
) -> Result<Vec<String>, Error> {
    if !options.hosts.is_empty() {
        return Ok(options.hosts.iter().cloned().map(limits::field).collect());
    }
    let hosts = hosts_by_id(updates, running);
    if !hosts.is_empty() {
        return Ok(hosts.into_iter().collect());
    }
    let known = store.hosts(stamp.at)?;
    let known: Vec<&str> = known.iter().map(|host| host.name.as_str()).collect();
    Err(Error::Host(known.join(", ")))
}

/// Stores events for the digests that only Diun knows. Returns their images.
fn missed(
    store: &dyn Store,
    running: &Running,
    options: &Options,
    stamp: &Stamp,
) -> Result<Vec<String>, StoreError> {
    let mut events = Vec::new();
    for event in &running.listed {
        if let Some(status) = missed_status(store, event, stamp)? {
            let event = Event { status: status.to_owned(), ..event.clone() };
            events.push(Received::now(event, stamp.at));
        }
    }
    let images: Vec<String> = events.iter().map(|missed| missed.event.image.clone()).collect();
    if options.is_dry || images.is_empty() {
        return Ok(images);
    }
    store.upsert_all(&events)?;
    if options.acknowledges {
        let wanted = images.iter().filter_map(|image| Wanted::exact(image).ok()).collect();
        let query = Query { images: wanted, ..Query::all(stamp.at) };
        let (kind, hosts, stamp) = (Kind::Acknowledge, Vec::new(), stamp.clone());
        store.act(&Action { kind, query, hosts, stamp })?;
    }
    Ok(images)
}

/// The status of a missed event; `None` if the inbox has it.
fn missed_status(
    store: &dyn Store,
    event: &Event,
    stamp: &Stamp,
) -> Result<Option<&'static str>, StoreError> {
    let Ok(name) = ImageName::new(&event.image) else { return Ok(None) };
    let Some(known) = store.get_update(&name, stamp.at)? else { return Ok(Some("new")) };
    // An index that was pushed again for another platform is the same build, and Diun does not notify.
    let is_same_build = event.created.is_some() && event.created == known.event.created;
    let digests = store.digests(&name)?;
    let is_earlier = digests.iter().any(|earlier| earlier.digest == event.digest);
    let is_known = event.digest == known.event.digest || is_same_build || is_earlier;
    Ok((!is_known).then_some("update"))
}

/// The updates that the running workloads may belong to: of the same repository, or with a place of the same name.
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
    // An empty list would select every image.
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
