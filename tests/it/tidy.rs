//! The house rules that a machine can check: which room may know which, how long a file may be, what it opens with.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Which rooms a room knows. An arrow may only point to a room that stands further down in this table; a new arrow is
/// a change of this table and of `docs/architecture.md`.
const ROOMS: &[(&str, &[&str])] = &[
    ("lib", &[]),
    ("testing", &["error", "event", "layer", "ledger", "log", "policy", "recorder", "view"]),
    (
        "start",
        &[
            "error", "hub", "layer", "ledger", "log", "otlp", "policy", "recorder", "semconv", "serve", "terminal",
            "time",
        ],
    ),
    (
        "serve",
        &[
            "control", "error", "event", "hub", "id", "json", "log", "pending", "recorder", "text", "time", "view",
            "wire",
        ],
    ),
    (
        "otlp",
        &["error", "event", "id", "json", "layer", "log", "pending", "policy", "recorder", "semconv", "text", "time"],
    ),
    ("client", &["error", "event", "hub", "id", "log", "wire"]),
    ("terminal", &["error", "event", "hub", "id", "time", "view"]),
    ("view", &["event", "id", "json", "text", "time"]),
    ("current", &["control", "event", "id", "json", "layer", "recorder", "semconv", "span", "text"]),
    ("outgoing", &["context", "layer"]),
    ("layer", &["context", "control", "error", "event", "id", "json", "recorder", "semconv", "text", "time"]),
    ("recorder", &["control", "error", "event", "hub", "id", "ledger", "log", "pending", "policy", "text", "time"]),
    ("policy", &["error", "event", "id", "json", "text"]),
    ("hub", &["error", "event", "id", "log", "pending", "text", "time", "wire"]),
    ("log", &["error", "event", "id", "json", "pending", "text", "time"]),
    ("wire", &["error", "event", "id", "json", "text", "time"]),
    ("ledger", &["error", "event", "id", "text", "time"]),
    ("__private", &["semconv", "span"]),
    ("span", &["context", "semconv"]),
    ("control", &["event", "id", "json", "text"]),
    ("context", &["id", "semconv"]),
    ("event", &["error", "id", "json", "text", "time"]),
    ("semconv", &[]),
    ("pending", &["error", "time"]),
    ("id", &["error", "json"]),
    ("json", &["error", "text"]),
    ("text", &[]),
    ("time", &["error"]),
    ("error", &[]),
];

/// Tables: one declaration a row, and so as long as there are rows.
const TABLES: &[&str] = &["src/event/kinds.rs"];
const MAX_LINES: usize = 500;
const MEDIAN_LINES: usize = 200;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()) {
        match entry.is_dir() {
            true => files.extend(sources(&entry)),
            false if entry.extension().is_some_and(|ending| ending == "rs") => files.push(entry),
            false => {}
        }
    }
    files
}

fn relative(file: &Path) -> String {
    file.strip_prefix(root()).expect("inside").to_string_lossy().into_owned()
}

/// `src/hub/ring.rs` and `src/hub.rs` are of the room `hub`.
fn room(file: &Path) -> String {
    let path = relative(file);
    path.trim_start_matches("src/").split('/').next().expect("part").trim_end_matches(".rs").to_owned()
}

/// The names that `lib.rs` hands on, and the rooms that they come from.
fn handed_on() -> BTreeMap<String, String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    let mut names = BTreeMap::new();
    for statement in lib.split(';').filter_map(|one| one.split("pub use ").nth(1)) {
        let Some((room, list)) = statement.split_once("::") else { continue };
        for name in list.trim_matches(['{', '}', ' ', '\n']).split(',').map(str::trim).filter(|name| !name.is_empty()) {
            names.insert(name.to_owned(), room.to_owned());
        }
    }
    names
}

/// The first names of every path that begins with `crate::`, in code and not in comments.
fn first_names(text: &str) -> BTreeSet<String> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for part in code.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            Some(list) => names.extend(in_braces(list)),
            None => drop(names.insert(word(part))),
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn in_braces(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (1, Vec::new(), true);
    let mut rest = list;
    while let Some(c) = rest.chars().next() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => start = true,
            c if start && depth == 1 && !c.is_whitespace() => {
                names.push(word(rest));
                start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        rest = &rest[c.len_utf8()..];
    }
    names
}

#[test]
fn a_room_knows_only_the_rooms_that_the_table_names_and_all_of_those() {
    let handed_on = handed_on();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(&root().join("src")) {
        let (this, text) = (room(&file), fs::read_to_string(&file).expect("file"));
        for name in first_names(&text) {
            let target = handed_on.get(&name).cloned().unwrap_or(name);
            if target != this && ROOMS.iter().any(|(room, _)| *room == target) {
                known.entry(this.clone()).or_default().insert(target);
            }
        }
    }
    for (room, arrows) in ROOMS.iter().filter(|(room, _)| *room != "lib") {
        let wanted: BTreeSet<String> = arrows.iter().map(|arrow| (*arrow).to_owned()).collect();
        assert_eq!(known.remove(*room).unwrap_or_default(), wanted, "the arrows of the room `{room}`");
    }
    known.remove("lib");
    assert!(known.is_empty(), "rooms that the table does not have: {known:?}");
}

#[test]
fn every_arrow_points_down() {
    let place = |room: &str| ROOMS.iter().position(|(name, _)| *name == room).expect(room);
    for (room, arrows) in ROOMS {
        for arrow in *arrows {
            // Rooms without any arrow to a room of the pipeline are the ground; among them order is by need.
            assert!(place(arrow) > place(room) || ground(arrow), "{room} → {arrow}");
        }
    }
}

/// What everything stands on.
fn ground(room: &str) -> bool {
    ["error", "id", "json", "text", "time", "pending", "semconv"].contains(&room)
}

#[test]
fn every_file_says_first_what_it_is_and_is_not_too_long() {
    let mut lengths = Vec::new();
    for file in ["src", "macros/src", "tests", "examples"].iter().flat_map(|folder| sources(&root().join(folder))) {
        let (path, text) = (relative(&file), fs::read_to_string(&file).expect("file"));
        assert!(text.starts_with("//!") || text.starts_with("#!["), "{path} does not say what it is");
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES || TABLES.contains(&path.as_str()), "{path} has {lines} lines, {MAX_LINES} at most");
        if path.starts_with("src") {
            lengths.push(lines);
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_LINES, "the median file has {median} lines, {MEDIAN_LINES} at most");
}

#[test]
fn the_rust_version_is_the_lowest_that_the_dependencies_allow() {
    let asked = |package: &serde_json::Value| version(package["rust_version"].as_str().unwrap_or("1.0"));
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let package = |id: &str| packages.iter().find(|package| package["id"] == id).expect(id);
    let ours = packages.iter().find(|package| package["name"] == "spanwright").expect("this package");
    let needed = shipped(&metadata, ours["id"].as_str().expect("id")).iter().map(|id| asked(package(id))).max();
    assert_eq!(needed, Some(asked(ours)));
}

/// For this platform only: the packages of others may not be on this machine.
fn metadata() -> serde_json::Value {
    let rustc = run("rustc", &["-vV"]);
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("host");
    let arguments = ["metadata", "--format-version", "1", "--offline", "--filter-platform", host];
    serde_json::from_str(&run(env!("CARGO"), &arguments)).expect("JSON")
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program).args(arguments).current_dir(root()).output().expect(program);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().expect(text)).collect();
    parts.resize(3, 0);
    parts
}

/// The ids of everything that a user of this package builds: what only our tests need is not among it.
fn shipped(metadata: &serde_json::Value, root: &str) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node["id"] == id.as_str()).expect("node");
        for dependency in node["deps"].as_array().expect("deps") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            let id = dependency["pkg"].as_str().expect("id").to_owned();
            if id != root && kinds.iter().any(|kind| kind["kind"] != "dev") && found.insert(id.clone()) {
                open.push(id);
            }
        }
    }
    found
}
