//! The user's labels.

use predicates::str::contains;
use serde_json::json;

use crate::common::{Inbox, event};

const NGINX: &str = "docker.io/library/nginx:1.27";
const REDIS: &str = "docker.io/library/redis:7";

fn two() -> Inbox {
    let inbox = Inbox::new();
    inbox.take(&[event(NGINX), event(REDIS)]);
    inbox.output(["tag", "create", "web", "data base"]);
    inbox
}

#[test]
fn tags_are_listed_by_name_with_how_many_images_carry_them() {
    let inbox = Inbox::new();
    inbox.take(&[event(NGINX), event(REDIS)]);
    let assert = inbox.diunbox(["tag", "list"]).assert().success().stdout("");
    assert.stderr("diunbox: there are no tags yet: `diunbox tag create` creates one\n");
    let inbox = two();
    inbox.output(["tag", "assign", "web", "nginx:1.27", "redis:7"]);
    assert_eq!(inbox.output(["tag", "list"]), "TAG        IMAGES\ndata base  0\nweb        2\n");
    assert_eq!(inbox.output(["tag", "list", "-q"]), "data base\nweb\n");
    let tags = json!([{"id": 2, "name": "data base"}, {"id": 1, "name": "web"}]);
    assert_eq!(inbox.json(["tag", "list"]), tags);
    assert_eq!(inbox.lines(["tag", "list", "-f", "ndjson"]).len(), 2);
}

#[test]
fn an_image_carries_one_tag_at_most() {
    let inbox = two();
    inbox.output(["tag", "assign", "web", "nginx:1.27"]);
    inbox.output(["tag", "assign", "data base", "nginx:1.27"]);
    assert_eq!(inbox.lines(["list", "-q", "--tag", "data base"]), [NGINX]);
    assert!(inbox.lines(["list", "-q", "--tag", "web"]).is_empty());
    inbox.output(["tag", "unassign", "nginx:1.27"]);
    assert_eq!(inbox.lines(["list", "-q", "--untagged", "--sort", "image"]), [NGINX, REDIS]);
}

#[test]
fn images_are_patterns_and_names_from_a_pipe_too() {
    let inbox = two();
    inbox.output(["tag", "assign", "web", "*"]);
    assert_eq!(inbox.lines(["list", "-q", "--tag", "web"]).len(), 2);
    inbox.diunbox(["tag", "unassign", "-"]).write_stdin("redis:7\n").assert().success();
    assert_eq!(inbox.lines(["list", "-q", "--tag", "web"]), [NGINX]);
    let assert = inbox.diunbox(["tag", "assign", "web", "z*"]).assert().code(1).stdout("");
    assert.stderr("diunbox: no image matches \"z*\"\n");
}

#[test]
fn an_image_need_not_have_an_update_yet() {
    let inbox = two();
    let assert = inbox.diunbox(["tag", "assign", "web", "postgres"]).assert().success();
    assert.stderr("diunbox: there is no update of \"postgres:latest\" yet\n");
    let assert = inbox.diunbox(["tag", "assign", "web", "ngnix:1.27"]).assert().success();
    assert.stderr(contains("did you mean \"nginx:1.27\"?"));
    inbox.take(&[event("docker.io/library/postgres:latest")]);
    assert_eq!(inbox.lines(["list", "-q", "--tag", "web"]), ["docker.io/library/postgres:latest"]);
}

#[test]
fn renaming_a_tag_keeps_its_images() {
    let inbox = two();
    inbox.output(["tag", "assign", "web", "nginx:1.27"]);
    inbox.output(["tag", "rename", "web", "front"]);
    assert_eq!(inbox.lines(["list", "-q", "--tag", "front"]), [NGINX]);
    inbox.output(["tag", "rename", "front", "front"]);
    let assert = inbox.diunbox(["tag", "rename", "front", "data base"]).assert().code(2);
    assert.stderr(contains("a tag named \"data base\" exists already"));
    assert_eq!(inbox.output(["tag", "list", "-q"]), "data base\nfront\n");
}

#[test]
fn a_deleted_tag_is_taken_off_its_images() {
    let inbox = two();
    inbox.output(["tag", "assign", "web", "nginx:1.27"]);
    inbox.output(["tag", "delete", "web"]);
    assert_eq!(inbox.output(["tag", "list", "-q"]), "data base\n");
    assert_eq!(inbox.lines(["list", "-q", "--untagged"]).len(), 2);
}

#[test]
fn usage_errors_are_told_apart() {
    let inbox = two();
    let assert = inbox.diunbox(["tag", "create", "web"]).assert().code(2);
    assert.stderr(contains("a tag named \"web\" exists already: choose another name"));
    inbox.diunbox(["tag", "create", "  "]).assert().code(2).stderr(contains("cannot be empty"));
    for arguments in [
        &["tag", "delete", "wbe"][..],
        &["tag", "rename", "wbe", "x"],
        &["tag", "assign", "wbe", "nginx:1.27"],
    ] {
        let assert = inbox.diunbox(arguments.iter().copied()).assert().code(1).stdout("");
        assert.stderr("diunbox: no tag \"wbe\"; did you mean \"web\"?\n");
    }
    inbox.diunbox(["tag", "assign", "web"]).assert().code(2);
    inbox.diunbox(["tag"]).assert().code(2);
}
