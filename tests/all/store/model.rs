//! A model of the store's rules, written in the plainest way: it keeps every former state, and computes each answer
//! from all of them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use diunbox::inbox::update::State;

/// Versions of one line, a version of another, digests of one tag, and an image by itself.
pub(super) const IMAGES: [&str; 7] = [
    "docker.io/library/a:1.0.1",
    "docker.io/library/a:1.0.2",
    "docker.io/library/a:1.0.10",
    "docker.io/library/a:1.1.0",
    "docker.io/library/b:1",
    "docker.io/library/c:1@sha256:d1",
    "docker.io/library/c:1@sha256:d2",
];

/// Patterns, and the images that they match.
pub(super) const PATTERNS: [(&str, &[&str]); 2] =
    [("*a:1.0.1*", &[IMAGES[0], IMAGES[2]]), ("b*", &[IMAGES[4]])];

pub(super) type Key = (&'static str, &'static str);
type Digest = &'static str;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Acknowledge,
    Reopen,
    Snooze(i64),
}

#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) image: &'static str,
    pub(super) digest: Digest,
    pub(super) place: Key,
    pub(super) status: &'static str,
    /// Hours of 2026, or not known.
    pub(super) built: Option<u32>,
    /// Whether it is replayed, as from long ago.
    pub(super) is_old: bool,
}

/// What came of an action: its number, the images that are as it asks, and how many were left.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Receipt {
    pub(super) id: Option<i64>,
    pub(super) images: BTreeSet<&'static str>,
    pub(super) left: usize,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) updates: BTreeMap<&'static str, Update>,
    pub(super) patterns: BTreeSet<&'static str>,
    pub(super) tags: BTreeMap<&'static str, i64>,
    pub(super) actions: BTreeMap<i64, Recorded>,
    last_id: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Update {
    pub(super) digest: Digest,
    pub(super) built: Option<u32>,
    pub(super) received: i64,
    pub(super) since: i64,
    pub(super) acknowledged: Option<i64>,
    last_acknowledged: Option<Digest>,
    pub(super) snoozed: Option<i64>,
    pub(super) places: BTreeMap<Key, Place>,
    /// When each earlier digest was first and last seen.
    pub(super) earlier: BTreeMap<Digest, (i64, i64)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) digest: Digest,
    pub(super) times: u64,
    done: Option<Digest>,
}

#[derive(Clone, Debug)]
pub(super) struct Recorded {
    at: i64,
    what: What,
    pub(super) images: BTreeMap<&'static str, Former>,
    undoes: Option<i64>,
    undone_by: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    State,
    Tag,
    Pattern { pattern: &'static str, adds: bool },
}

/// What an image was before an action.
#[derive(Clone, Debug)]
pub(super) struct Former {
    update: Option<Update>,
    tag: Option<i64>,
    is_undone: bool,
}

impl Update {
    pub(super) fn needed(&self) -> BTreeSet<Key> {
        let has_workload = self.places.keys().any(|(_, workload)| !workload.is_empty());
        let counts = |workload: &str| !has_workload || !workload.is_empty();
        let open = self.places.iter().filter(|((_, workload), place)| {
            self.acknowledged.is_none() && counts(workload) && place.done != Some(self.digest)
        });
        open.map(|(key, _)| *key).collect()
    }

    fn close_if_done(&mut self, now: i64) {
        if self.acknowledged.is_none() && self.needed().is_empty() {
            self.acknowledge(now);
        }
    }

    fn acknowledge(&mut self, now: i64) {
        (self.acknowledged, self.last_acknowledged) = (Some(now), Some(self.digest));
        self.snoozed = None;
    }

    fn see_earlier(&mut self, digest: Digest, first: i64, last: i64) {
        if !digest.is_empty() {
            let seen = self.earlier.entry(digest).or_insert((first, last));
            *seen = (seen.0.min(first), seen.1.max(last));
        }
    }
}

impl Model {
    pub(super) fn report(&mut self, report: &Report, now: i64) {
        let Report { image, digest, place: key, status, built, is_old } = *report;
        let when = if is_old { -1_000 } else { now };
        let fresh = Update { digest, built, received: when, since: when, ..Update::default() };
        let is_first = !self.updates.contains_key(image);
        let update = self.updates.entry(image).or_insert(fresh);
        let known = update.places.get(&key).map(|place| place.digest);
        if !is_first && when < update.received {
            if digest != update.digest {
                update.see_earlier(digest, when, when);
            }
            if known.is_none() {
                update.places.insert(key, Place { digest, times: 1, done: None });
            }
            return;
        }
        let mut done = None;
        if is_first {
        } else if digest == update.digest && !digest.is_empty() {
            (update.built, update.received) = (built, when);
            if update.acknowledged.is_some() && known.is_none() {
                update.places.values_mut().for_each(|place| place.done = Some(digest));
                if status == "update" {
                    (update.acknowledged, update.last_acknowledged) = (None, None);
                } else {
                    done = Some(digest);
                }
            }
        } else {
            let is_later = built.zip(update.built).is_some_and(|(new, old)| new > old);
            let is_echo = !digest.is_empty()
                && known != Some(update.digest)
                && !is_later
                && update.earlier.contains_key(digest);
            if !is_echo {
                if digest != update.digest {
                    let (old, since, received) = (update.digest, update.since, update.received);
                    update.see_earlier(old, since, received);
                    if !old.is_empty() {
                        update.earlier.remove(digest);
                    }
                    update.since = when;
                }
                if digest.is_empty()
                    && let Some(place) = update.places.get_mut(&key)
                {
                    place.done = None;
                }
                (update.digest, update.built, update.received) = (digest, built, when);
                let is_dealt_with = !digest.is_empty() && update.last_acknowledged == Some(digest);
                update.acknowledged =
                    if is_dealt_with { update.acknowledged.or(Some(when)) } else { None };
            }
        }
        let place = update.places.entry(key).or_default();
        (place.digest, place.times) = (digest, place.times + 1);
        if done.is_some() {
            place.done = done;
        }
        if !digest.is_empty() && image.ends_with(&format!("@{digest}")) {
            place.done = Some(digest);
            update.close_if_done(when);
        }
    }

    fn is_ignored(&self, image: &str) -> bool {
        let hidden = |(pattern, images): &(&str, &[&str])| {
            self.patterns.contains(pattern) && images.contains(&image)
        };
        PATTERNS.iter().any(hidden)
    }

    /// Whether one update takes the place of another, if it is awake.
    fn is_newer(&self, newer: &str, older: &str) -> bool {
        let (one, other) = (&self.updates[newer], &self.updates[older]);
        let position = |image| IMAGES.iter().position(|known| *known == image).unwrap();
        let order = match (position(newer), position(older)) {
            (one @ 0..3, other @ 0..3) => one.cmp(&other),
            (5.., 5..) => one.received.cmp(&other.received),
            _ => Ordering::Less,
        };
        let by_date = one.built.zip(other.built).map(|(one, other)| one.cmp(&other));
        let is_newer = match order {
            Ordering::Greater => by_date != Some(Ordering::Less),
            Ordering::Equal => by_date == Some(Ordering::Greater),
            Ordering::Less => false,
        };
        newer != older && is_newer && other.places.keys().all(|key| one.places.contains_key(key))
    }

    /// The newest one that an update is folded under directly at this time.
    fn above(&self, older: &str, now: i64) -> Option<&'static str> {
        let is_awake = |image: &str| {
            let update = &self.updates[image];
            update.acknowledged.is_none()
                && !self.is_ignored(image)
                && update.snoozed.is_none_or(|until| until <= now)
        };
        let above = self.updates.keys().copied().filter(|newer| self.is_newer(newer, older));
        let position = |image: &str| IMAGES.iter().position(|known| *known == image);
        above.filter(|newer| is_awake(newer)).max_by_key(|newer| {
            let update = &self.updates[newer];
            let is_pinned = newer.contains('@');
            (if is_pinned { None } else { position(newer) }, update.received, update.built)
        })
    }

    pub(super) fn state(&self, image: &str, now: i64) -> State {
        let update = &self.updates[image];
        if self.is_ignored(image) {
            State::Ignored
        } else if update.acknowledged.is_some() {
            State::Acknowledged
        } else if self.above(image, now).is_some() {
            State::Superseded
        } else if update.snoozed.is_some_and(|until| until > now) {
            State::Snoozed
        } else {
            State::Pending
        }
    }

    /// The images that are folded under a pending one.
    pub(super) fn folded(&self, image: &str, now: i64) -> BTreeSet<&'static str> {
        let top = |image: &str| {
            let mut top = self.above(image, now)?;
            while let Some(above) = self.above(top, now) {
                top = above;
            }
            Some(top)
        };
        let superseded = self.updates.keys().copied();
        let superseded = superseded.filter(|older| self.state(older, now) == State::Superseded);
        superseded.filter(|older| top(older) == Some(image)).collect()
    }

    /// A decision about images, or about all of its usual states.
    pub(super) fn act(
        &mut self,
        kind: Kind,
        images: &[&'static str],
        digest: Option<&str>,
        hosts: &[&str],
        now: i64,
    ) -> Receipt {
        let mut receipt = Receipt::default();
        let mut changed = BTreeMap::new();
        // What an action sees is what was there before it.
        let states: BTreeMap<_, _> =
            self.updates.keys().map(|image| (*image, self.state(image, now))).collect();
        let folded: BTreeMap<_, _> =
            self.updates.keys().map(|image| (*image, self.folded(image, now))).collect();
        for image in images {
            let Some(update) = self.updates.get(image) else {
                receipt.left += 1;
                continue;
            };
            if digest.is_some_and(|digest| digest != update.digest) {
                receipt.left += 1;
                continue;
            }
            let is_taken =
                self.act_on(kind, image, states[image], hosts, now, &mut receipt, &mut changed);
            if is_taken && kind == Kind::Acknowledge && states[image] == State::Pending {
                // Nothing is said of those that cannot be taken along.
                for older in &folded[image] {
                    let mut unsaid = Receipt::default();
                    let state = states[older];
                    if self.act_on(kind, older, state, hosts, now, &mut unsaid, &mut changed) {
                        receipt.images.extend(unsaid.images);
                    }
                }
            }
        }
        receipt.id = self.record(now, What::State, changed, None);
        receipt
    }

    #[allow(clippy::too_many_arguments, reason = "a model has no better place for them")]
    fn act_on(
        &mut self,
        kind: Kind,
        image: &'static str,
        state: State,
        hosts: &[&str],
        now: i64,
        receipt: &mut Receipt,
        changed: &mut BTreeMap<&'static str, Former>,
    ) -> bool {
        let former = self.former(image);
        let Some(update) = self.updates.get_mut(image) else { return false };
        let is_here = |host: &&str| hosts.is_empty() || hosts.contains(host);
        let runs_here = update.places.keys().any(|(host, _)| is_here(host));
        let needs_here = update.needed().iter().any(|(host, _)| is_here(host));
        let has_done = update.places.values().any(|place| place.done.is_some());
        let verdict = match (kind, state) {
            (_, State::Ignored) => None,
            _ if !runs_here => None,
            (Kind::Acknowledge, State::Acknowledged) => Some(false),
            (Kind::Acknowledge, _) => Some(hosts.is_empty() || needs_here),
            (_, State::Superseded) => None,
            (Kind::Reopen, State::Pending) => has_done.then_some(true),
            (Kind::Reopen, _) => Some(true),
            (Kind::Snooze(_), State::Acknowledged) => None,
            (Kind::Snooze(until), _) => Some(update.snoozed != Some(until)),
        };
        let Some(takes) = verdict else {
            receipt.left += 1;
            return false;
        };
        receipt.images.insert(image);
        if takes {
            match kind {
                Kind::Acknowledge if hosts.is_empty() => update.acknowledge(now),
                Kind::Acknowledge => {
                    let digest = update.digest;
                    for ((host, _), place) in &mut update.places {
                        if is_here(host) {
                            place.done = Some(digest);
                        }
                    }
                    update.last_acknowledged.take_if(|acknowledged| *acknowledged != digest);
                    update.close_if_done(now);
                }
                Kind::Reopen => {
                    (update.acknowledged, update.last_acknowledged) = (None, None);
                    update.snoozed = None;
                    update.places.values_mut().for_each(|place| place.done = None);
                }
                Kind::Snooze(until) => update.snoozed = Some(until),
            }
            changed.insert(image, former);
        }
        takes
    }

    pub(super) fn ignore(
        &mut self,
        pattern: &'static str,
        adds: bool,
        now: i64,
    ) -> Option<Receipt> {
        if self.patterns.contains(pattern) == adds {
            return None;
        }
        Some(self.toggle(pattern, adds, None, now))
    }

    fn toggle(
        &mut self,
        pattern: &'static str,
        adds: bool,
        undoes: Option<i64>,
        now: i64,
    ) -> Receipt {
        let images = self.updates.keys().copied();
        let before: BTreeMap<_, _> = images.map(|image| (image, self.is_ignored(image))).collect();
        if adds {
            self.patterns.insert(pattern);
        } else {
            self.patterns.remove(pattern);
        }
        let images = before.into_iter().filter(|(image, before)| *before != self.is_ignored(image));
        let images: BTreeSet<_> = images.map(|(image, _)| image).collect();
        let changed = images.iter().map(|image| (*image, self.former(image))).collect();
        let what = What::Pattern { pattern, adds };
        self.last_id += 1;
        let recorded = Recorded { at: now, what, images: changed, undoes, undone_by: None };
        self.actions.insert(self.last_id, recorded);
        Receipt { id: Some(self.last_id), images, left: 0 }
    }

    pub(super) fn tag(&mut self, image: &'static str, tag: Option<i64>, now: i64) -> Option<i64> {
        if self.tags.get(image).copied() == tag {
            return None;
        }
        let former = self.former(image);
        self.set_tag(image, tag);
        self.record(now, What::Tag, [(image, former)].into(), None)
    }

    fn set_tag(&mut self, image: &'static str, tag: Option<i64>) {
        match tag {
            Some(tag) => self.tags.insert(image, tag),
            None => self.tags.remove(image),
        };
    }

    fn former(&self, image: &'static str) -> Former {
        Former {
            update: self.updates.get(image).cloned(),
            tag: self.tags.get(image).copied(),
            is_undone: false,
        }
    }

    fn record(
        &mut self,
        at: i64,
        what: What,
        images: BTreeMap<&'static str, Former>,
        undoes: Option<i64>,
    ) -> Option<i64> {
        if images.is_empty() {
            return None;
        }
        self.last_id += 1;
        self.actions.insert(self.last_id, Recorded { at, what, images, undoes, undone_by: None });
        Some(self.last_id)
    }

    /// The last action that is not taken back yet.
    fn last(&self) -> Option<i64> {
        let mut actions = self.actions.iter().rev();
        let found =
            actions.find(|(_, action)| action.undoes.is_none() && action.undone_by.is_none());
        found.map(|(id, _)| *id)
    }

    /// Takes back an action. An error stands for one that was taken back before.
    pub(super) fn undo(&mut self, id: Option<i64>, now: i64) -> Result<Option<Receipt>, ()> {
        let Some(id) = id.or_else(|| self.last()) else { return Ok(None) };
        let Some(target) = self.actions.get(&id).cloned() else { return Ok(None) };
        if target.undone_by.is_some() {
            return Err(());
        }
        let receipt = match target.what {
            What::Pattern { pattern, adds } => {
                if self.patterns.contains(pattern) != adds {
                    return Err(());
                }
                self.toggle(pattern, !adds, Some(id), now)
            }
            what => self.undo_images(id, &target, what, now),
        };
        if let Some(by) = receipt.id {
            self.actions.get_mut(&id).unwrap().undone_by = Some(by);
            if let Some(first) = target.undoes.and_then(|id| self.actions.get_mut(&id)) {
                first.undone_by = None;
            }
        }
        Ok(Some(receipt))
    }

    fn undo_images(&mut self, id: i64, target: &Recorded, what: What, now: i64) -> Receipt {
        let (mut receipt, mut changed) = (Receipt::default(), BTreeMap::new());
        for (image, former) in &target.images {
            let is_decided = self.actions.range(id + 1..).any(|(_, later)| {
                later.what == what
                    && later.undoes.is_none_or(|undoes| undoes < id)
                    && later.images.get(image).is_some_and(|former| !former.is_undone)
            });
            let current = self.former(image);
            let is_other = what == What::State
                && self.updates.get(image).is_none_or(|update| {
                    former.update.as_ref().is_none_or(|former| former.digest != update.digest)
                });
            if is_decided || is_other {
                receipt.left += 1;
                continue;
            }
            if what == What::Tag {
                self.set_tag(image, former.tag);
            } else if let (Some(update), Some(former)) =
                (self.updates.get_mut(image), &former.update)
            {
                update.acknowledged = former.acknowledged;
                update.last_acknowledged = former.last_acknowledged;
                update.snoozed = former.snoozed;
                for (key, place) in &mut update.places {
                    place.done = former.places.get(key).and_then(|place| place.done);
                }
            }
            receipt.images.insert(image);
            changed.insert(*image, current);
            self.actions.get_mut(&id).unwrap().images.get_mut(image).unwrap().is_undone = true;
            let first = target.undoes.and_then(|id| self.actions.get_mut(&id));
            if let Some(former) = first.and_then(|first| first.images.get_mut(image)) {
                former.is_undone = false;
            }
        }
        receipt.id = self.record(now, what, changed, Some(id));
        receipt
    }

    /// Removes what is old. Returns how many updates, digests and actions that were.
    pub(super) fn prune(&mut self, before: i64) -> (usize, usize, usize) {
        let (updates, actions) = (self.updates.len(), self.actions.len());
        let ignored: BTreeSet<_> =
            self.updates.keys().copied().filter(|image| self.is_ignored(image)).collect();
        self.updates.retain(|image, update| {
            ignored.contains(image) || update.acknowledged.is_none_or(|at| at >= before)
        });
        let mut digests = 0;
        for update in self.updates.values_mut() {
            let count = update.earlier.len();
            update.earlier.retain(|_, (_, last)| *last >= before);
            digests += count - update.earlier.len();
        }
        self.actions.retain(|_, action| action.at >= before);
        (updates - self.updates.len(), digests, actions - self.actions.len())
    }
}
