//! What the parts of an inbox cost: reading an event, storing it, listing, and printing.
//!
//! `benches/compare` has the figures for whole commands.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on may panic")]

use std::hint::black_box;

use chrono::Utc;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use diunbox::event::Event;
use diunbox::inbox::query::{Detail, Query};
use diunbox::inbox::received::Received;
use diunbox::inbox::update::State;
use diunbox::ingest::splitter::Splitter;
use diunbox::render::terminal::Terminal;
use diunbox::render::{json, table};
use diunbox::store::{SqliteStore, Store};

const REAL: &[u8] = include_bytes!("../tests/fixtures/docker-eight-containers.ndjson");
const UPDATES: usize = 10_000;

fn real() -> Vec<Event> {
    let lines = REAL.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Event::from_json(line).unwrap()).collect()
}

/// As many real events as asked for, each of another image.
fn arrivals(count: usize) -> Vec<Received> {
    let real = real();
    let numbered = |(number, event): (usize, &Event)| Event {
        image: format!("{}-{number}", event.image),
        ..event.clone()
    };
    let received = |event| Received::now(event, Utc::now());
    real.iter().cycle().take(count).enumerate().map(numbered).map(received).collect()
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(REAL.len() as u64));
    group.bench_function("eight events", |bencher| {
        bencher.iter(|| {
            let mut events = 0;
            let mut splitter = Splitter::default();
            splitter.feed(black_box(REAL), |piece| {
                events += usize::from(Event::from_json(piece.object.unwrap()).is_ok());
            });
            assert_eq!(events, 8);
        });
    });
    group.finish();
}

fn upsert(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("diunbox.db")).unwrap();
    let (arrivals, event) = (arrivals(1_000), &real()[0]);
    let mut group = criterion.benchmark_group("upsert");
    group.throughput(Throughput::Elements(arrivals.len() as u64));
    group.bench_function("1,000 events in a transaction", |bencher| {
        bencher.iter(|| store.upsert_all(&arrivals).unwrap());
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("one event", |bencher| {
        bencher.iter(|| store.upsert_event(event, Utc::now()).unwrap());
    });
    group.finish();
}

fn list_and_render(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("diunbox.db")).unwrap();
    store.upsert_all(&arrivals(UPDATES)).unwrap();
    let mut group = criterion.benchmark_group("10,000 updates");
    group.sample_size(20);
    group.bench_function("list", |bencher| {
        bencher
            .iter(|| assert_eq!(store.select(&Query::pending(Utc::now())).unwrap().len(), UPDATES));
    });
    let brief = || Query { detail: Detail::Table, ..Query::pending(Utc::now()) };
    group.bench_function("list without details", |bencher| {
        bencher.iter(|| assert_eq!(store.select(&brief()).unwrap().len(), UPDATES));
    });
    let listed = store.select(&brief()).unwrap();
    group.bench_function("table", |bencher| {
        bencher.iter(|| {
            let mut out = Vec::new();
            let terminal = Terminal::default();
            table::updates(&mut out, &listed, &[State::Pending], Utc::now(), terminal).unwrap();
            out
        });
    });
    let updates = store.select(&Query::pending(Utc::now())).unwrap();
    group.bench_function("JSON", |bencher| {
        bencher.iter(|| {
            let mut out = Vec::new();
            json::array(&mut out, updates.iter().map(json::UpdateView::from)).unwrap();
            out
        });
    });
    group.finish();
}

criterion_group!(benches, parse, upsert, list_and_render);
criterion_main!(benches);
