//! Hosts, as tables and JSON.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::columns::{Column, cell, print};
use super::counts::count;
use super::fit;
use super::json::seconds_or_null;
use super::terminal::Terminal;
use super::time::ago;
use crate::inbox::update::Host;

/// A host as JSON.
#[derive(Debug, Serialize)]
pub struct HostView<'a> {
    host: &'a str,
    pending: u64,
    #[serde(serialize_with = "seconds_or_null")]
    last_event: Option<DateTime<Utc>>,
    #[serde(serialize_with = "seconds_or_null")]
    last_reconcile: Option<DateTime<Utc>>,
    #[serde(serialize_with = "seconds_or_null")]
    last_scan: Option<DateTime<Utc>>,
    /// Images that the last scan looked at, and how many of them could not be checked.
    scanned: Option<u64>,
    failed: Option<u64>,
    scan_failed: bool,
    scan_overdue: bool,
}

impl<'a> HostView<'a> {
    /// The state at this time.
    pub fn new(host: &'a Host, now: DateTime<Utc>) -> Self {
        let scans = &host.scans;
        Self {
            host: &host.name,
            pending: host.pending,
            last_event: host.last_event,
            last_reconcile: host.last_reconcile,
            last_scan: scans.ended.first().copied(),
            scanned: scans.scanned,
            failed: scans.failed,
            scan_failed: scans.has_failed,
            scan_overdue: scans.is_overdue(now),
        }
    }
}

/// Prints hosts, one per line.
///
/// # Errors
/// When they cannot be written.
pub fn table(
    out: &mut dyn Write,
    hosts: &[Host],
    now: DateTime<Utc>,
    terminal: Terminal,
) -> io::Result<()> {
    let when =
        |time: Option<DateTime<Utc>>| time.map_or_else(|| "-".to_owned(), |time| ago(time, now));
    let rows = hosts.iter().map(|host| {
        let scans = &host.scans;
        let state = match (scans.failed, scans.scanned) {
            _ if scans.has_failed => "the last scan failed".to_owned(),
            _ if scans.is_overdue(now) => "a scan is overdue".to_owned(),
            (Some(failed), _) if failed > 0 => count(failed, "image") + " not checked",
            (_, Some(scanned)) => count(scanned, "image") + " checked",
            _ => "-".to_owned(),
        };
        vec![
            cell(&host.name),
            host.pending.to_string(),
            when(host.last_event),
            when(host.last_reconcile),
            when(scans.ended.first().copied()),
            state,
        ]
    });
    let columns = ["HOST", "PENDING", "LAST EVENT", "LAST RECONCILE", "LAST SCAN", "SCAN"];
    print(
        out,
        &columns.map(|name| Column::fitted(name, fit::end)),
        rows,
        std::iter::empty(),
        terminal,
    )
}
