//! A defect in diunbox answers 500, and the server goes on.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use diunbox::http::Limits;
use diunbox::image::{ImageName, ImagePattern};
use diunbox::inbox::action::{Action, Receipt, Stamp};
use diunbox::inbox::history::{Entry, Ignore, Page};
use diunbox::inbox::labels::Labelled;
use diunbox::inbox::query::Query;
use diunbox::inbox::received::Received;
use diunbox::inbox::refused::Refused;
use diunbox::inbox::scan::{Beat, Scans};
use diunbox::inbox::seen::{Reconciled, Seen};
use diunbox::inbox::update::{Counts, Digest, Host, Tag, Update};
use diunbox::store::{Imported, Location, Prune, Pruned, Result, Store};

use crate::common::Inbox;
use crate::common::server::event;
use crate::serve::inside::Inside;

/// A store with a defect in every operation but two.
struct Defective;

impl Store for Defective {
    fn count(&self, _: DateTime<Utc>) -> Result<Counts> {
        Ok(Counts::default())
    }
    fn hosts(&self, _: DateTime<Utc>) -> Result<Vec<Host>> {
        Ok(Vec::new())
    }
    fn flush(&self) -> Result<()> {
        Ok(())
    }
    fn upsert(&self, _: Received) -> Result<()> {
        unimplemented!()
    }
    fn upsert_all(&self, _: &[Received]) -> Result<()> {
        unimplemented!()
    }
    fn select(&self, _: &Query) -> Result<Vec<Update>> {
        unimplemented!()
    }
    fn select_images(&self, _: &Query) -> Result<Vec<String>> {
        unimplemented!()
    }
    fn digests(&self, _: &ImageName) -> Result<Vec<Digest>> {
        unimplemented!()
    }
    fn act(&self, _: &Action) -> Result<Receipt> {
        unimplemented!()
    }
    fn list_tags(&self) -> Result<Vec<Tag>> {
        unimplemented!()
    }
    fn create_tag(&self, _: &str) -> Result<Tag> {
        unimplemented!()
    }
    fn rename_tag(&self, _: i64, _: &str) -> Result<bool> {
        unimplemented!()
    }
    fn delete_tag(&self, _: i64) -> Result<bool> {
        unimplemented!()
    }
    fn last_change(&self) -> Result<i64> {
        Ok(0)
    }
    fn next_snooze_end(&self, _: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
        Ok(None)
    }
    fn scans(&self) -> Result<Vec<(String, Scans)>> {
        Ok(Vec::new())
    }
    fn ping_secret(&self, _: &str) -> Result<Option<String>> {
        unimplemented!()
    }
    fn allow_ping(&self, _: &str) -> Result<String> {
        unimplemented!()
    }
    fn take_beat(&self, _: &str, _: &Beat, _: DateTime<Utc>) -> Result<()> {
        unimplemented!()
    }
    fn keep_refused(&self, _: &[Refused]) -> Result<()> {
        unimplemented!()
    }
    fn refused(&self) -> Result<Vec<Refused>> {
        Ok(Vec::new())
    }
    fn keep_labels(&self, _: &[Labelled]) -> Result<()> {
        unimplemented!()
    }
    fn reconcile(&self, _: &[Seen], _: &Stamp, _: bool) -> Result<Reconciled> {
        unimplemented!()
    }
    fn put_tag(&self, _: &[ImageName], _: Option<i64>, _: &Stamp) -> Result<Receipt> {
        unimplemented!()
    }
    fn undo(&self, _: Option<i64>, _: &Stamp) -> Result<Option<Receipt>> {
        unimplemented!()
    }
    fn history(&self, _: &Page) -> Result<Vec<Entry>> {
        unimplemented!()
    }
    fn ignores(&self) -> Result<Vec<Ignore>> {
        unimplemented!()
    }
    fn ignore(&self, _: &ImagePattern, _: &Stamp) -> Result<Option<Receipt>> {
        unimplemented!()
    }
    fn unignore(&self, _: &str, _: &Stamp) -> Result<Option<Receipt>> {
        unimplemented!()
    }
    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>> {
        unimplemented!()
    }
    fn prune(&self, _: Prune) -> Result<Pruned> {
        unimplemented!()
    }
    fn import(&self, _: &Path) -> Result<Imported> {
        unimplemented!()
    }
    fn backup(&self, _: &Path) -> Result<()> {
        unimplemented!()
    }
    fn location(&self) -> &Location {
        unimplemented!()
    }
    fn check(&self) -> Result<()> {
        unimplemented!()
    }
}

#[test]
fn a_panic_answers_500_and_the_server_goes_on() {
    let server = Inside::of(Box::new(Defective), Inbox::new(), Limits::default());
    // More often than there are permits for requests.
    for _ in 0..50 {
        let answer = server.send("GET", "/api/tags", "");
        assert_eq!((answer.status, answer.error().contains("see the server log")), (500, true));
    }
    assert_eq!(server.send("POST", "/webhook", event("a:1")).status, 500);
    let metrics = server.send("GET", "/metrics", "");
    assert_eq!(metrics.status, 200);
    // The event that met the defect is in the log, as no client sends it again.
    let logged = "diunbox_events_total{result=\"logged\"} 1";
    assert!(metrics.body.lines().any(|line| line == logged), "{}", metrics.body);
}
