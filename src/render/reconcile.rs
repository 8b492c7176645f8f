//! The report of `reconcile`, as a table and JSON.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::columns::{Column, cell, print};
use super::fit;
use super::json::seconds_or_null;
use super::place::{place, runs, short_digest};
use super::terminal::Terminal;
use crate::image::short_name;
use crate::inbox::seen::{Seen, Verdict};
use crate::reconcile::Report;

/// A report as JSON.
#[derive(Debug, Serialize)]
pub struct ReportView<'a> {
    id: Option<i64>,
    closed: &'a [String],
    reopened: &'a [String],
    missed: &'a [String],
    places: Vec<PlaceView<'a>>,
}

#[derive(Debug, Serialize)]
struct PlaceView<'a> {
    image: &'a str,
    hostname: &'a str,
    provider: &'a str,
    workload: &'a str,
    verdict: Verdict,
    stopped: bool,
    needs: &'a str,
    runs: &'a [String],
    #[serde(serialize_with = "seconds_or_null")]
    runs_since: Option<DateTime<Utc>>,
}

impl<'a> From<&'a Report> for ReportView<'a> {
    fn from(report: &'a Report) -> Self {
        let place = |seen: &'a Seen| {
            let [hostname, provider, workload] = &seen.place;
            PlaceView {
                image: &seen.image,
                hostname,
                provider,
                workload,
                verdict: seen.verdict,
                stopped: seen.is_stopped,
                needs: &seen.digest,
                runs: &seen.runs,
                runs_since: seen.since,
            }
        };
        Self {
            id: report.reconciled.id,
            closed: &report.reconciled.closed,
            reopened: &report.reconciled.reopened,
            missed: &report.missed,
            places: report.seen.iter().map(place).collect(),
        }
    }
}

/// Prints the places, one per line.
///
/// # Errors
/// When they cannot be written.
pub fn table(
    out: &mut dyn Write,
    report: &Report,
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let rows = report.seen.iter().map(|seen| {
        let [host, _, workload] = &seen.place;
        let state = seen.verdict.name();
        vec![
            cell(short_name(&seen.image)),
            cell(&place(host, workload)),
            if seen.is_stopped { format!("{state}, stopped") } else { state.to_owned() },
            cell(&runs(&seen.runs, &seen.digest, seen.since, now)),
            cell(short_digest(&seen.digest)),
        ]
    });
    let columns = [
        Column::fitted("IMAGE", fit::name),
        Column::fitted("WHERE", fit::place),
        Column::fitted("STATE", fit::end),
        Column::fitted("RUNS", fit::end),
        Column::fitted("NEEDS", fit::end),
    ];
    print(out, &columns, rows, std::iter::empty(), terminal)
}
