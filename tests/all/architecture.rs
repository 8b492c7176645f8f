//! Compares the code with the table in `docs/ARCHITECTURE.md`, which says what each module may use.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use syn::UseTree;
use syn::visit::{self, Visit};

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_use_only_what_the_architecture_page_allows() {
    let (code, page) = (dependencies_in_the_code(), dependencies_in_the_document());
    for module in code.keys().chain(page.keys()) {
        assert_eq!(
            code.get(module),
            page.get(module),
            "`{module}` in the code (left) and in docs/ARCHITECTURE.md (right) know different modules"
        );
    }
}

#[test]
fn the_store_uses_no_module_above_it() {
    let known = ["event", "image", "inbox"].map(str::to_owned);
    assert_eq!(dependencies_in_the_code()["store"], BTreeSet::from(known));
}

#[test]
fn dependencies_of_modules_have_no_cycle() {
    let mut arrows = dependencies_in_the_code();
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
    assert_only("clap", &["cli", "command", "completion", "main"]);
    assert_only("tiny_http", &["http"]);
    // The client for PostgreSQL, and what it needs.
    for word in ["tokio", "tokio_postgres", "futures_util", "rustls"] {
        assert_only(word, &["store/postgres"]);
    }
}

#[test]
fn only_commands_rendering_and_the_log_print() {
    for word in ["print!", "println!", "eprint!", "eprintln!", "dbg!", "io::stdout", "io::stderr"] {
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

#[test]
fn tests_that_the_security_page_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let names = page.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::"));
    let file = |(folder, name): &(&str, &str)| root.join(format!("tests/all/{folder}/{name}.rs"));
    let (there, missing): (Vec<_>, Vec<_>) = names.partition(|name| file(name).exists());
    assert!(there.len() > 20 && missing.is_empty(), "{missing:?}");
}

/// Fails when code outside of some modules or files uses a crate or a macro, or calls a function of a module.
fn assert_only(word: &str, allowed: &[&str]) {
    let mut seen = 0;
    for (place, paths) in parsed() {
        let is_used = paths.iter().any(|path| path.starts_with(word));
        seen += usize::from(is_used);
        let is_allowed = allowed.iter().any(|allowed| place.starts_with(allowed));
        assert!(is_allowed || !is_used, "{} uses `{word}`", place.display());
    }
    let is_crate = !word.contains("::") && !word.ends_with('!');
    assert!(seen > 0 || !is_crate, "nothing uses `{word}`: is the rule out of date?");
}

fn dependencies_in_the_code() -> Arrows {
    let mut arrows = Arrows::new();
    for (place, paths) in parsed() {
        let module = place.iter().next().unwrap().to_str().unwrap().to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let known =
            paths.iter().filter_map(|path| path.strip_prefix("crate::")?.split("::").next());
        let known = known.filter(|known| *known != module).map(str::to_owned);
        arrows.entry(module.clone()).or_default().extend(known);
    }
    arrows
}

/// Every file of the code, without its extension, and the paths that it names.
fn parsed() -> &'static [(PathBuf, BTreeSet<String>)] {
    static PARSED: OnceLock<Vec<(PathBuf, BTreeSet<String>)>> = OnceLock::new();
    PARSED.get_or_init(|| {
        let place = |file: &Path| file.strip_prefix(source()).unwrap().with_extension("");
        files(&source()).iter().map(|file| (place(file), Paths::of(file).0)).collect()
    })
}

/// Every path and macro that a file names, such as `crate::store::Store`, `std::io::stdout` or `println!`.
struct Paths(BTreeSet<String>);

impl Paths {
    fn of(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let mut paths = Self(BTreeSet::new());
        paths.visit_file(&syn::parse_file(&text).unwrap());
        paths
    }

    fn tree(&mut self, start: &str, tree: &UseTree) {
        let join = |name: &str| format!("{start}{name}");
        match tree {
            UseTree::Path(path) => self.tree(&join(&format!("{}::", path.ident)), &path.tree),
            UseTree::Name(name) => drop(self.0.insert(join(&name.ident.to_string()))),
            UseTree::Rename(name) => drop(self.0.insert(join(&name.ident.to_string()))),
            UseTree::Glob(_) => drop(self.0.insert(start.to_owned())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(start, tree)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree("", &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.0.insert(names.join("::"));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, used: &'ast syn::Macro) {
        self.0.insert(format!("{}!", used.path.segments.last().unwrap().ident));
        // The content of a macro is not parsed: its words are checked one by one.
        let text = used.tokens.to_string().replace(' ', "");
        self.0.extend(text.split("crate::").skip(1).map(|rest| format!("crate::{rest}")));
        visit::visit_macro(self, used);
    }
}

fn dependencies_in_the_document() -> Arrows {
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
