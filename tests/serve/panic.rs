//! A defect in diunbox answers 500, and the server goes on.

use diunbox::event::Event;
use diunbox::http::Limits;
use diunbox::store::{
    Arrivals, Counts, Headline, Places, Prune, Pruned, Report, Result, State, Store, Tag, Update,
};
use std::collections::BTreeMap;

use crate::common::Inbox;
use crate::inside::Inside;
use crate::server::event;

/// A store with a defect in every operation but two.
struct Defective;

impl Store for Defective {
    fn count_updates(&self) -> Result<Counts> {
        Ok(Counts::default())
    }
    fn checkpoint(&self) -> Result<()> {
        Ok(())
    }
    fn upsert_event(&self, _: &Event) -> Result<()> {
        unimplemented!()
    }
    fn upsert_events(&self, _: &mut dyn Arrivals) -> Result<()> {
        unimplemented!()
    }
    fn get_updates(&self) -> Result<BTreeMap<String, Update>> {
        unimplemented!()
    }
    fn list_updates(&self, _: State) -> Result<Vec<Update>> {
        unimplemented!()
    }
    fn list_headlines(&self, _: State, _: Places) -> Result<Vec<Headline>> {
        unimplemented!()
    }
    fn updates_after(&self, _: State, _: &str, _: usize) -> Result<Vec<Update>> {
        unimplemented!()
    }
    fn get_update(&self, _: &str) -> Result<Option<Update>> {
        unimplemented!()
    }
    fn get_reports(&self, _: &str) -> Result<Vec<Report>> {
        unimplemented!()
    }
    fn acknowledge_update(&self, _: &str) -> Result<bool> {
        unimplemented!()
    }
    fn acknowledge_updates(&self, _: &[String]) -> Result<Vec<bool>> {
        unimplemented!()
    }
    fn acknowledge_matching(&self, _: &dyn Fn(&Headline) -> bool) -> Result<Vec<String>> {
        unimplemented!()
    }
    fn list_images(&self) -> Result<Vec<String>> {
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
    fn assign_tag(&self, _: &str, _: i64) -> Result<()> {
        unimplemented!()
    }
    fn unassign_tag(&self, _: &str) -> Result<()> {
        unimplemented!()
    }
    fn tag_exists(&self, _: i64) -> Result<bool> {
        unimplemented!()
    }
    fn count_tagged(&self) -> Result<BTreeMap<i64, u64>> {
        unimplemented!()
    }
    fn prune(&self, _: Prune) -> Result<Pruned> {
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
