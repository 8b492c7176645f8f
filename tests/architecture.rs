//! Who knows whom: the table in `docs/ARCHITECTURE.md` is the rule, and the code keeps it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_know_whom_the_architecture_page_says() {
    let (code, page) = (arrows_of_the_code(), arrows_of_the_page());
    for module in code.keys().chain(page.keys()) {
        assert_eq!(
            code.get(module),
            page.get(module),
            "`{module}` in the code (left) and in docs/ARCHITECTURE.md (right) know different modules"
        );
    }
}

#[test]
fn the_store_knows_nobody_above_it() {
    let known = ["event", "image", "inbox"].map(str::to_owned);
    assert_eq!(arrows_of_the_code()["store"], BTreeSet::from(known));
}

#[test]
fn arrows_make_no_circle() {
    let mut arrows = arrows_of_the_code();
    while !arrows.is_empty() {
        let known: BTreeSet<String> = arrows.values().flatten().cloned().collect();
        let before = arrows.len();
        arrows.retain(|module, _| known.contains(module));
        assert!(arrows.len() < before, "these know each other in a circle: {arrows:?}");
    }
}

#[test]
fn sql_stays_in_the_store_and_clap_in_the_command_line() {
    assert_only("rusqlite", &["store"]);
    assert_only("clap", &["cli", "command", "main"]);
    assert_only("tiny_http", &["http"]);
}

#[test]
fn only_commands_rendering_and_the_log_print() {
    let printing = ["print!(", "println!(", "dbg!(", "io::stdout(", "io::stderr("];
    for word in printing {
        assert_only(word, &["command", "render", "http/stderr"]);
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let read = |name| fs::read_to_string(source().with_file_name(name)).unwrap();
    let (manifest, page) = (read("Cargo.toml"), read("CONTRIBUTING.md"));
    let sections = manifest.split("\n[").filter(|part| part.contains("dependencies]\n"));
    let lines = sections.flat_map(str::lines).filter(|line| !line.ends_with(']'));
    let used: BTreeSet<&str> = lines.filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let explained: BTreeSet<&str> = rows.filter_map(|row| Some(row.split_once('`')?.0)).collect();
    assert!(used.contains("rusqlite") && used.contains("assert_cmd"));
    assert_eq!(used, explained, "Cargo.toml (left) and the table in CONTRIBUTING.md (right)");
}

/// Fails when code outside of some modules or files holds a word.
fn assert_only(word: &str, allowed: &[&str]) {
    let mut seen = 0;
    for file in files(&source()) {
        let place = file.strip_prefix(source()).unwrap().with_extension("");
        let code = code(&file);
        seen += usize::from(code.contains(word));
        let is_allowed = allowed.iter().any(|allowed| place.starts_with(allowed));
        assert!(is_allowed || !code.contains(word), "{} holds `{word}`", file.display());
    }
    assert!(seen > 0 || word.ends_with('('), "nothing holds `{word}`: is the rule out of date?");
}

fn arrows_of_the_code() -> Arrows {
    let mut arrows = Arrows::new();
    for file in files(&source()) {
        let place = file.strip_prefix(source()).unwrap().with_extension("");
        let module = place.iter().next().unwrap().to_str().unwrap().to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let code = code(&file);
        let known = code.split("crate::").skip(1).map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned()
        });
        let known: Vec<String> = known.filter(|known| *known != module).collect();
        let name = file.display();
        assert!(!known.contains(&String::new()), "{name} groups `use crate::{{…}}`: a line each");
        arrows.entry(module).or_default().extend(known);
    }
    arrows
}

fn arrows_of_the_page() -> Arrows {
    let page = source().with_file_name("docs/ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        (names(cells[0]).pop_first().unwrap(), names(cells.last().unwrap()))
    })
    .collect()
}

/// The code of a file without its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}
