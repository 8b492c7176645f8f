//! `/metrics`: counters in Prometheus's
//! [text format](https://prometheus.io/docs/instrumenting/exposition_formats/).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::context::Context;
use super::response::{Answer, bytes};
use super::route::Request;
use crate::inbox::refused::Refused;
use crate::inbox::update::{Counts, Host};
use crate::render::terminal::safe;
use crate::render::time::age;
use crate::store::Spooled;

/// The maximum number of hosts; those with the latest events are kept. Each name is a series of its own in
/// Prometheus, and events can contain any name.
const HOSTS: usize = 200;
/// The longest name of a host, in bytes. DNS allows 253; longer names are left out.
const NAME: usize = 255;

/// Counters since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    stored: AtomicU64,
    refused: AtomicU64,
    logged: AtomicU64,
    lost: AtomicU64,
    answers: Mutex<BTreeMap<u16, u64>>,
}

impl Metrics {
    /// Counts an event that is durable.
    pub(super) fn stored(&self) {
        self.stored.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a rejected webhook request.
    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event that could not be stored, and is in the log instead.
    pub(super) fn logged(&self) {
        self.logged.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an event that could neither be stored nor, as yet, be written to the log.
    pub(super) fn lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer.
    pub(super) fn answered(&self, status: u16) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(status).or_default() += 1;
    }
}

/// The counters, the counts of updates, and the figures of each host.
pub(super) fn get(_: &Request<'_>, context: &Arc<Context>) -> Answer {
    let now = Utc::now();
    let spooled = context.store.spooled();
    // Waiting for a database server that is away would delay the other metrics.
    let is_away = spooled.as_ref().is_some_and(|spooled| spooled.events > 0);
    let (counts, mut hosts, refused) = if is_away {
        (None, Vec::new(), Vec::new())
    } else {
        let store = &context.store;
        (Some(store.count(now)?), store.hosts(now)?, store.refused()?)
    };
    hosts.retain(|host| host.name.len() <= NAME);
    hosts.sort_by_key(|host| Reverse(host.last_event));
    hosts.truncate(HOSTS);
    let metrics = &context.metrics;
    let mut text = Text::default();
    let mut metric = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        text.metric(name, kind, help, samples);
    };
    metric(
        "diunbox_build_info",
        "gauge",
        "The version that runs.",
        &[(label("version", env!("CARGO_PKG_VERSION")), 1)],
    );
    if let Some(spooled) = spooled {
        spool(&mut metric, &spooled, now);
    }
    if let Some(counts) = counts {
        states(&mut metric, &counts, now);
    }
    metric(
        "diunbox_host_pending",
        "gauge",
        "Pending updates that a host needs.",
        &by_host(&hosts, |host| Some(host.pending)),
    );
    metric(
        "diunbox_host_last_event_timestamp_seconds",
        "gauge",
        "When an event last named a host.",
        &by_host(&hosts, |host| host.last_event.map(seconds)),
    );
    metric(
        "diunbox_host_last_scan_timestamp_seconds",
        "gauge",
        "When a host's Diun last scanned, by its heartbeats.",
        &by_host(&hosts, |host| host.scans.ended.first().copied().map(seconds)),
    );
    metric(
        "diunbox_host_scan_overdue",
        "gauge",
        "Whether a host's Diun has failed or missed its rhythm.",
        &by_host(&hosts, |host| {
            let scans = &host.scans;
            let is_known = scans.has_failed || !scans.ended.is_empty();
            is_known.then(|| u64::from(scans.has_failed || scans.is_overdue(now)))
        }),
    );
    metric(
        "diunbox_host_images_not_checked",
        "gauge",
        "Images that a host's Diun could not check in its last scan.",
        &by_host(&hosts, |host| host.scans.failed),
    );
    metric(
        "diunbox_events_total",
        "counter",
        "Events on the webhook, by what became of them.",
        &[
            (label("result", "stored"), metrics.stored.load(Ordering::Relaxed)),
            (label("result", "refused"), metrics.refused.load(Ordering::Relaxed)),
            (label("result", "logged"), metrics.logged.load(Ordering::Relaxed)),
            (label("result", "lost"), metrics.lost.load(Ordering::Relaxed)),
        ],
    );
    metric(
        "diunbox_webhook_refused_total",
        "counter",
        "Webhook requests that were refused, by reason, by all servers of the inbox.",
        &by_reason(&refused, |refused| refused.count),
    );
    metric(
        "diunbox_webhook_refused_last_timestamp_seconds",
        "gauge",
        "When a webhook request was last refused for a reason.",
        &by_reason(&refused, |refused| seconds(refused.last)),
    );
    let answers = metrics.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let answers: Vec<_> = answers
        .iter()
        .map(|(status, count)| (label("code", &status.to_string()), *count))
        .collect();
    metric("diunbox_http_requests_total", "counter", "Requests answered, by status.", &answers);
    Ok(bytes(200, "text/plain; version=0.0.4; charset=utf-8", text.0.into_bytes()))
}

/// The metrics of the spool.
fn spool(metric: &mut Metric<'_>, spooled: &Spooled, now: DateTime<Utc>) {
    let waits = spooled.oldest.map_or(0, |oldest| age(oldest, now).as_secs());
    for (name, help, value) in [
        ("diunbox_spooled_events", "Events that wait in the spool.", spooled.events),
        ("diunbox_spooled_oldest_age_seconds", "How long the oldest of them waits.", waits),
        ("diunbox_spool_refused_events", "Events that the database refused.", spooled.refused),
    ] {
        metric(name, "gauge", help, &[(String::new(), value)]);
    }
}

/// The metrics of the updates.
fn states(metric: &mut Metric<'_>, counts: &Counts, now: DateTime<Utc>) {
    metric(
        "diunbox_updates",
        "gauge",
        "Updates in the database, by state.",
        &[
            (label("state", "pending"), counts.pending),
            (label("state", "snoozed"), counts.snoozed),
            (label("state", "superseded"), counts.superseded),
            (label("state", "acknowledged"), counts.acknowledged),
            (label("state", "ignored"), counts.ignored),
        ],
    );
    metric(
        "diunbox_oldest_pending_age_seconds",
        "gauge",
        "How long the oldest pending update has been pending; 0 where none is.",
        &[(String::new(), counts.oldest_pending.map_or(0, |oldest| age(oldest, now).as_secs()))],
    );
}

/// Writes a metric: its name, kind, help and samples.
type Metric<'a> = dyn FnMut(&str, &str, &str, &[(String, u64)]) + 'a;

/// The text of the answer.
#[derive(Default)]
struct Text(String);

impl Text {
    fn metric(&mut self, name: &str, kind: &str, help: &str, samples: &[(String, u64)]) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

fn by_host(hosts: &[Host], value: impl Fn(&Host) -> Option<u64>) -> Vec<(String, u64)> {
    let sample = |host: &Host| Some((label("host", &host.name), value(host)?));
    hosts.iter().filter_map(sample).collect()
}

fn by_reason(refused: &[Refused], value: impl Fn(&Refused) -> u64) -> Vec<(String, u64)> {
    refused.iter().map(|one| (label("reason", one.reason.name()), value(one))).collect()
}

fn seconds(time: DateTime<Utc>) -> u64 {
    time.timestamp().try_into().unwrap_or_default()
}

/// A label. Its value is escaped as the format asks, and harmless where a terminal shows it.
fn label(name: &str, value: &str) -> String {
    let escape = |line: &str| safe(line).replace('\\', r"\\").replace('"', "\\\"");
    let value: Vec<String> = value.split('\n').map(escape).collect();
    format!("{{{name}=\"{}\"}}", value.join(r"\n"))
}
