//! Matches running workloads with the places of the inbox.

use std::collections::{BTreeMap, BTreeSet};

use super::running::{Running, Workload};
use super::verdict::{Known, verdict};
use crate::image::{tag, unpinned};
use crate::inbox::labels::Labels;
use crate::inbox::seen::{Seen, Verdict};
use crate::inbox::update::{Place, Update};

/// The inbox's side of the comparison, and the options.
#[derive(Debug)]
pub(super) struct Inventory<'a> {
    /// The candidate updates, with all details.
    pub(super) updates: &'a [Update],
    /// The earlier digests of each image, by its name.
    pub(super) earlier: &'a BTreeMap<String, BTreeSet<String>>,
    /// The hosts that the input describes; `*` for every host.
    pub(super) hosts: &'a [String],
    /// Only places of this provider.
    pub(super) provider: Option<&'a str>,
    /// Whether the input is complete.
    pub(super) is_complete: bool,
}

/// The hosts of the places whose container or service id is in the input, and in a cluster the pods in which Diun
/// runs.
pub(super) fn hosts_by_id(updates: &[Update], running: &Running) -> BTreeSet<String> {
    let places = updates.iter().flat_map(|update| &update.places);
    let known = places.filter(|place| {
        let is_own = |runs| is_same_id(place, runs);
        is_in_cluster(place, running) || running.workloads.iter().any(is_own)
    });
    known.map(|place| place.hostname.clone()).filter(|host| !host.is_empty()).collect()
}

/// Compares every place with what runs.
pub(super) fn compare(inventory: &Inventory<'_>, running: &Running) -> Vec<Seen> {
    let mut seen = Vec::new();
    for update in inventory.updates {
        one(inventory, update, running, &mut seen);
    }
    seen
}

fn one(inventory: &Inventory<'_>, update: &Update, running: &Running, seen: &mut Vec<Seen>) {
    let is_here = |place: &Place| {
        let is_named = |host: &String| host == "*" || *host == place.hostname;
        (inventory.hosts.iter().any(is_named) || is_in_cluster(place, running))
            && inventory.provider.is_none_or(|provider| provider == place.provider)
    };
    let image = &update.event.image;
    let name = unpinned(image);
    let same_image = |runs: &Workload| tag(image).is_some() && runs.image.as_deref() == Some(name);
    let mut taken = vec![false; running.workloads.len()];
    let mut is_known_here = false;
    for place in update.places.iter().filter(|place| is_here(place)) {
        is_known_here = true;
        let all = running.workloads.iter().enumerate();
        let matching: Vec<usize> = if place.workload.is_empty() {
            all.filter(|(_, runs)| same_image(runs)).map(|(index, _)| index).collect()
        } else {
            let by_id: Vec<usize> =
                all.clone().filter(|(_, runs)| is_same_id(place, runs)).map(|(i, _)| i).collect();
            let by_name = all.filter(|(_, runs)| is_same_name(place, runs)).map(|(index, _)| index);
            // All pods of an owner are one place, not only the pod that Diun named.
            if by_id.is_empty() || place.provider == "kubernetes" {
                by_name.collect()
            } else {
                by_id
            }
        };
        let known = known(inventory, update, place);
        let verdicts = matching.iter().map(|index| verdict(&known, &running.workloads[*index]));
        let found = match verdicts.max() {
            Some(verdict) => verdict,
            None if inventory.is_complete && !place.workload.is_empty() => Verdict::Gone,
            // The input does not have this place, and is not complete.
            None => continue,
        };
        let mut found = Found::new(found);
        for index in matching {
            taken[index] |= !place.workload.is_empty();
            found.add(&running.workloads[index]);
        }
        let key = [&place.hostname, &place.provider, &place.workload].map(String::clone);
        let mut found = found.at(update, key, false);
        let before = place.runs.as_ref().filter(|before| before.digests == found.runs);
        found.since = before.map(|before| before.since);
        seen.push(found);
    }
    // Workloads that Diun did not report are new places.
    let host = inventory.hosts.first().filter(|host| is_known_here && *host != "*");
    let Some(host) = host else { return };
    let provider = |runs: &Workload| inventory.provider.is_none_or(|name| name == runs.provider);
    let nowhere = Place::default();
    let mut siblings = BTreeMap::<[String; 3], Found>::new();
    for (runs, _) in running.workloads.iter().zip(&taken).filter(|(_, taken)| !**taken) {
        if same_image(runs) && provider(runs) {
            let place = [host.clone(), runs.provider.to_owned(), runs.name.clone()];
            let known = known(inventory, update, &nowhere);
            let found = verdict(&known, runs);
            let entry = siblings.entry(place).or_insert_with(|| Found::new(found));
            entry.verdict = entry.verdict.max(found);
            entry.add(runs);
        }
    }
    seen.extend(siblings.into_iter().map(|(place, found)| found.at(update, place, true)));
}

/// Whether a place was reported by a Diun in a pod of the input, or in a pod that it replaced: the name changes
/// whenever Diun restarts.
fn is_in_cluster(place: &Place, running: &Running) -> bool {
    place.provider == "kubernetes" && running.has_pod(&place.hostname)
}

/// The running digests of a place, which can consist of several workloads.
struct Found {
    verdict: Verdict,
    digests: BTreeSet<String>,
    is_stopped: bool,
    labels: Labels,
}

impl Found {
    fn new(verdict: Verdict) -> Self {
        let (digests, labels) = (BTreeSet::new(), Labels::default());
        Self { verdict, digests, is_stopped: false, labels }
    }

    fn add(&mut self, runs: &Workload) {
        self.digests.extend(runs.digests.iter().cloned());
        self.is_stopped |= runs.is_stopped;
        if self.labels.is_empty() {
            self.labels.clone_from(&runs.labels);
        }
    }

    fn at(self, update: &Update, place: [String; 3], is_new: bool) -> Seen {
        let (image, digest) = (update.event.image.clone(), update.event.digest.clone());
        let Self { verdict, digests, is_stopped, labels } = self;
        let runs = digests.into_iter().collect();
        Seen { image, digest, place, is_new, verdict, runs, since: None, is_stopped, labels }
    }
}

fn known<'a>(inventory: &'a Inventory<'_>, update: &'a Update, place: &'a Place) -> Known<'a> {
    static NONE: BTreeSet<String> = BTreeSet::new();
    let event = &update.event;
    let is_update = place.status == "update" && place.digest == event.digest;
    Known {
        image: &event.image,
        digest: &event.digest,
        created: event.created.as_deref(),
        earlier: inventory.earlier.get(&event.image).unwrap_or(&NONE),
        updated_id: place.metadata.get("ctn_id").map(String::as_str).filter(|_| is_update),
        received: update.since,
    }
}

fn is_same_id(place: &Place, runs: &Workload) -> bool {
    let id = |key: &str| place.metadata.get(key).is_some_and(|id| !id.is_empty() && *id == runs.id);
    id("ctn_id") || id("svc_id")
}

fn is_same_name(place: &Place, runs: &Workload) -> bool {
    // Diun finds Podman's containers through the docker provider, and containerd's through its own.
    let is_container = |provider: &str| ["docker", "containerd"].contains(&provider);
    let is_same_provider = place.provider == runs.provider
        || is_container(&place.provider) && is_container(runs.provider);
    // Compose uses this name while it recreates a container.
    let name = match runs.name.split_once('_') {
        Some((hash, name)) if hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name
        }
        _ => &runs.name,
    };
    is_same_provider
        && place.workload.split(',').any(|known| known.trim().trim_start_matches('/') == name)
}
