//! A defect in diunbox answers 500, and the server goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::net::UnixStream;

use diunbox::cli::LogFormat;
use diunbox::event::Event;
use diunbox::http::{Level, Limits, Listener, Log, Server};
use diunbox::store::{
    Arrivals, Counts, Headline, Places, Prune, Pruned, Report, Result, State, Store, Tag, Update,
};

use crate::server::{event, send};

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
    let listeners = Listener::bind("127.0.0.1:0").unwrap();
    let address = listeners[0].to_string();
    let (stop, mut stopper) = UnixStream::pair().unwrap();
    let log = Log { format: LogFormat::Json, level: Level::Normal };
    let limits = Limits::default();
    let server = Server { store: Box::new(Defective), listeners, token: None, log, limits };
    let server = std::thread::spawn(move || server.run(stop));

    let ask =
        |method, path, body: &str| send(&format!("{address}{path}"), method, &[], body.as_bytes());
    // More often than there are places for requests at a time.
    for _ in 0..50 {
        let answer = ask("GET", "/api/tags", "");
        assert_eq!((answer.status, answer.error().contains("see the server log")), (500, true));
    }
    assert_eq!(ask("POST", "/webhook", &event("a:1")).status, 500);
    let metrics = ask("GET", "/metrics", "");
    assert_eq!(metrics.status, 200);
    // The event that met the defect is in the log, as no client sends it again.
    let logged = "diunbox_events_total{result=\"logged\"} 1";
    assert!(metrics.body.lines().any(|line| line == logged), "{}", metrics.body);

    stopper.write_all(b"x").unwrap();
    server.join().unwrap().unwrap();
}
