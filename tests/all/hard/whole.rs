//! The whole program compared with a model: several users at once, each with their own images and tags, use the command
//! line and two servers, while others prune, back up and restart.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::dice::Dice;
use crate::common::server::{Server, send};
use crate::common::{Inbox, event_with, program};

const PEOPLE: usize = 4;
const STEPS: usize = 60;

/// Who is asked: an inbox for commands, and two servers, of which one is restarted all the time.
struct World {
    steady: Server,
    restarted: RwLock<Server>,
    /// Which commands, by what they said.
    failures: Mutex<Vec<String>>,
}

impl World {
    fn new() -> Self {
        let steady = Server::start();
        let restarted = RwLock::new(Self::serve(&steady));
        Self { steady, restarted, failures: Mutex::default() }
    }

    fn serve(steady: &Server) -> Server {
        let mut command = Server::program(&steady.inbox, program());
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Server::spawn(Inbox::new(), command)
    }

    fn restart(&self) {
        let mut server = self.restarted.write().unwrap();
        server.stop();
        *server = Self::serve(&self.steady);
    }

    /// Has one of the servers answer.
    fn ask(&self, dice: &mut Dice, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = if dice.below(2) == 0 {
            self.steady.send(method, path, &[], body)
        } else {
            let server = self.restarted.read().unwrap();
            send(&format!("{}{path}", server.address()), method, &[], body.as_bytes())
        };
        (answer.status, serde_json::from_str(&answer.body).unwrap_or(Value::Null))
    }

    /// Runs a command: its exit status. Nothing may be locked for longer than is waited for.
    fn run(&self, arguments: &[&str], input: &str) -> i32 {
        let mut command = self.steady.inbox.diunbox(arguments.iter().copied());
        let output = command.write_stdin(input).output().unwrap();
        let code = output.status.code().unwrap();
        if code > 1 {
            let stderr = String::from_utf8_lossy(&output.stderr);
            self.failures.lock().unwrap().push(format!("{arguments:?}: {stderr}"));
        }
        code
    }
}

/// What one person knows of an image of theirs.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Events of it.
    times: usize,
    /// It may have been forgotten since.
    acknowledged: bool,
    tag: Option<String>,
}

struct Person<'a> {
    world: &'a World,
    dice: Dice,
    name: String,
    images: BTreeMap<String, Known>,
    tags: BTreeMap<String, i64>,
}

impl Person<'_> {
    fn step(&mut self) {
        let image = format!("ghcr.io/{}/app-{}:1", self.name, self.dice.below(4));
        match self.dice.below(10) {
            0..=3 => self.take(&image),
            4 | 5 => self.acknowledge(&image),
            6 => self.make_tag(),
            7 => self.delete_tag(),
            _ => self.assign(&image),
        }
        self.check(&image);
    }

    fn path(image: &str) -> String {
        format!("/api/updates/{}", utf8_percent_encode(image, NON_ALPHANUMERIC))
    }

    fn take(&mut self, image: &str) {
        let known = self.images.entry(image.to_owned()).or_default();
        known.times += 1;
        known.acknowledged = false;
        let event = event_with(image, &json!({"digest": format!("sha256:{}", known.times)}));
        if self.dice.below(2) == 0 {
            let (status, answer) = self.world.ask(&mut self.dice, "POST", "/webhook", &event);
            assert_eq!(status, 204, "{answer}");
        } else {
            assert_eq!(self.world.run(&["ingest", "-q"], &event.to_string()), 0);
        }
    }

    fn acknowledge(&mut self, image: &str) {
        let is_found = if self.dice.below(2) == 0 {
            let path = Self::path(image);
            self.world.ask(&mut self.dice, "PATCH", &path, &Value::Null).0 == 204
        } else {
            self.world.run(&["ack", image], "") == 0
        };
        match self.images.get_mut(image) {
            None => assert!(!is_found, "{image} was never there"),
            Some(known) => {
                assert!(is_found || known.acknowledged, "{image} is lost");
                known.acknowledged = true;
            }
        }
    }

    fn make_tag(&mut self) {
        let name = format!("{}-{}", self.name, self.dice.below(3));
        let body = json!({"name": name});
        let (status, tag) = self.world.ask(&mut self.dice, "POST", "/api/tags", &body);
        match self.tags.entry(name) {
            Entry::Occupied(_) => assert_eq!(status, 409, "{tag}"),
            Entry::Vacant(vacant) => {
                assert_eq!(status, 201, "{tag}");
                vacant.insert(tag["id"].as_i64().unwrap());
            }
        }
    }

    fn delete_tag(&mut self) {
        let Some((name, id)) = self.tags.pop_first() else { return };
        if self.dice.below(2) == 0 {
            assert_eq!(self.world.run(&["tag", "delete", &name], ""), 0);
        } else {
            let path = format!("/api/tags/{id}");
            assert_eq!(self.world.ask(&mut self.dice, "DELETE", &path, &Value::Null).0, 204);
        }
        for known in self.images.values_mut() {
            known.tag.take_if(|tag| *tag == name);
        }
    }

    fn assign(&mut self, image: &str) {
        let tags: Vec<_> = self.tags.clone().into_iter().collect();
        let Some(known) = self.images.get_mut(image).filter(|_| !tags.is_empty()) else { return };
        let (name, id) = &tags[self.dice.below(tags.len())];
        if self.dice.below(2) == 0 {
            assert_eq!(self.world.run(&["tag", "assign", "-q", name, image], ""), 0);
        } else {
            let body = json!({"image": image, "tag_id": id});
            let (status, answer) =
                self.world.ask(&mut self.dice, "PUT", "/api/tag-assignments", &body);
            assert_eq!(status, 204, "{answer}");
        }
        known.tag = Some(name.clone());
    }

    /// What is stored is what this person knows: nothing is lost, and nothing is back.
    fn check(&mut self, image: &str) {
        let (status, update) =
            self.world.ask(&mut self.dice, "GET", &Self::path(image), &Value::Null);
        let Some(known) = self.images.get(image) else {
            assert_eq!(status, 404, "{update}");
            return;
        };
        if status == 404 {
            assert!(known.acknowledged, "{image} is lost");
            return;
        }
        assert_eq!(status, 200, "{update}");
        assert_eq!(update["event"]["digest"], format!("sha256:{}", known.times), "{image}");
        assert_eq!(update["acknowledged"], known.acknowledged, "{image}");
        assert_eq!(update["tag"]["name"].as_str(), known.tag.as_deref(), "{image}");
    }
}

#[test]
fn nothing_is_lost_under_concurrent_use() {
    let mut dice = Dice::new();
    let world = World::new();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (world, is_over) = (&world, &is_over);
        let people: Vec<_> = (0..PEOPLE)
            .map(|index| {
                let mut person = Person {
                    world,
                    dice: Dice::of(dice.next()),
                    name: format!("person-{index}"),
                    images: BTreeMap::new(),
                    tags: BTreeMap::new(),
                };
                scope.spawn(move || {
                    (0..STEPS).for_each(|_| person.step());
                    let images: Vec<String> = person.images.keys().cloned().collect();
                    for image in images {
                        person.check(&image);
                    }
                })
            })
            .collect();
        let others = scope.spawn(|| {
            let backup = world.steady.inbox.path("backup.db");
            let backup = backup.to_str().unwrap();
            while !is_over.load(Ordering::Relaxed) {
                world.run(&["prune", "-q", "--older-than", "0s"], "");
                world.run(&["backup", "-q", "--force", backup], "");
                world.restart();
                world.run(&["list", "--all"], "");
            }
        });
        let results: Vec<_> = people.into_iter().map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        others.join().unwrap();
        for result in results {
            result.unwrap();
        }
    });
    let failures = world.failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures:#?}");
    let log = world.steady.log();
    assert!(!log.iter().any(|line| line.contains("locked") || line.contains(" 503 ")), "{log:#?}");
}
