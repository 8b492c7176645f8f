//! `completions/`, `man/` and `docs/API.md` are what the program makes. After a change of the command line or of
//! the API, `REFRESH=1 cargo test generated` regenerates them.

mod api;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::Inbox;
use clap::{Command, CommandFactory, Parser};
use diunbox::cli::Cli;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "diunbox.bash"),
    ("elvish", "diunbox.elv"),
    ("fish", "diunbox.fish"),
    ("powershell", "_diunbox.ps1"),
    ("zsh", "_diunbox"),
];

#[test]
fn completions_are_fresh() {
    let inbox = Inbox::new();
    let scripts =
        SCRIPTS.map(|(shell, file)| (file.to_owned(), inbox.output(["completions", shell])));
    assert_fresh("completions", &scripts.into());
}

#[test]
fn manual_pages_are_fresh() {
    let inbox = Inbox::new();
    let folder = inbox.path("made/by/man");
    inbox.diunbox(["man"]).arg(&folder).assert().success().stdout("").stderr("");
    assert_fresh("man", &files(&folder));
}

#[test]
fn the_description_of_the_api_is_fresh() {
    let made = api::markdown(&diunbox::http::openapi::description());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/API.md");
    if std::env::var_os("REFRESH").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let is_fresh = fs::read_to_string(path).is_ok_and(|kept| kept == made);
    assert!(is_fresh, "docs/API.md: run `REFRESH=1 cargo test generated`");
}

#[test]
fn every_page_has_every_section() {
    let inbox = Inbox::new();
    inbox.diunbox(["man"]).arg(inbox.path("man")).assert().success();
    let pages = files(&inbox.path("man"));
    assert!(pages.contains_key("diunbox.1") && pages.contains_key("diunbox-tag-assign.1"));
    for (name, page) in pages {
        let headings: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        let last = ["\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "EXAMPLES", "\"SEE ALSO\""];
        assert_eq!(headings[..3], ["NAME", "SYNOPSIS", "DESCRIPTION"], "{name}");
        assert_eq!(headings[headings.len() - 5..], last, "{name}");
    }
}

#[test]
fn examples_are_commands_that_there_are() {
    let mut tried = 0;
    try_examples(&Cli::command(), &mut tried);
    assert!(tried > 20, "{tried}");
}

fn try_examples(command: &Command, tried: &mut usize) {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    for line in help.lines().filter_map(|line| line.strip_prefix("    ")) {
        let Some(start) = line.find("diunbox ").filter(|start| !line[..*start].ends_with('/'))
        else {
            continue;
        };
        let example = line[start..].split(['|', '>', ')']).next().unwrap();
        let words = example.split(" &&").next().unwrap().split_whitespace();
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("`{line}`: {error}");
        }
        *tried += 1;
    }
    command.get_subcommands().for_each(|command| try_examples(command, tried));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let inbox = Inbox::new();
    let file = inbox.path("file");
    fs::write(&file, "").unwrap();
    let output = inbox.diunbox(["man"]).arg(&file).assert().code(2).get_output().stderr.clone();
    let message = String::from_utf8(output).unwrap();
    assert!(message.starts_with("diunbox: cannot write manual pages into /"), "{message}");
}

fn assert_fresh(folder: &str, made: &BTreeMap<String, String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if std::env::var_os("REFRESH").is_some() {
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        for (name, text) in made {
            fs::write(path.join(name), text).unwrap();
        }
    }
    let kept = files(&path);
    let stale: Vec<&String> =
        made.keys().chain(kept.keys()).filter(|name| made.get(*name) != kept.get(*name)).collect();
    assert!(
        stale.is_empty(),
        "{folder}/ is not what the program makes ({stale:?}): run \
         `REFRESH=1 cargo test generated`, and look at the difference"
    );
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    entries.map(read).collect()
}
