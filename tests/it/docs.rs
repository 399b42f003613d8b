//! The documents against the code. `UPDATE_DOCS=1 cargo test --test it docs` writes what can be generated.

use spanwright::event::{ExecutionEventType, Kind, Life, stream_event_schema};
use std::{fmt::Write, fs, path::PathBuf};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).expect(name)
}

/// Compares, or writes where that was asked for.
fn hold(name: &str, expected: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path(name), expected).expect(name);
    }
    assert_eq!(read(name), expected, "{name} is behind the code: run with UPDATE_DOCS=1");
}

/// The text between two marks of a document.
fn generated(name: &str, mark: &str, table: &str) {
    let text = read(name);
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->\n"));
    let (before, rest) = text.split_once(&open).expect("the opening mark");
    let (_, after) = rest.split_once(&close).expect("the closing mark");
    hold(name, &format!("{before}{open}{table}{close}{after}"));
}

#[test]
fn the_table_of_kinds_is_the_codes() {
    let mut table = String::from("| type | class | logged as | in its life |\n|---|---|---|---|\n");
    for kind in Kind::ALL {
        let logged = kind.event_type().map_or("–", ExecutionEventType::as_snake);
        let life = match kind.life() {
            Life::Opens(concept) => format!("opens {concept:?}"),
            Life::Continues(concept) => format!("continues {concept:?}"),
            Life::Closes(concept) => format!("closes {concept:?}"),
            _ => "–".into(),
        };
        writeln!(table, "| `{}` | {:?} | {logged} | {life} |", kind.tag(), kind.class()).expect("write");
    }
    generated("docs/events.md", "kinds", &table);
}

#[test]
fn the_schema_is_the_codes_and_every_reference_line_fits_its_kind() {
    let schema = stream_event_schema();
    let mut sorted = schema.clone();
    sorted.sort_all_objects();
    hold("docs/events.schema.json", &format!("{}\n", serde_json::to_string_pretty(&sorted).expect("JSON")));
    let Some(lines) = crate::shared::read("fixtures/seed-stream-events.jsonl") else { return };
    for line in lines.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect(line);
        let kinds = schema["oneOf"].as_array().expect("kinds");
        let kind = kinds.iter().find(|kind| kind["title"] == event["type"]).expect(line);
        for name in event.as_object().expect(line).keys() {
            assert!(kind["properties"].get(name).is_some(), "{name} of {line}");
        }
        for name in kind["required"].as_array().expect("required") {
            assert!(event.get(name.as_str().expect("name")).is_some(), "{name} in {line}");
        }
    }
}

#[test]
fn the_first_program_is_one_text_in_readme_crate_docs_and_example() {
    let code = |text: &str, fence: &str| {
        let rest = text.split_once(fence).expect("a program").1;
        rest.split_once("```").expect("its end").0.trim().to_owned()
    };
    let example = read("examples/hello.rs");
    let example =
        example.lines().skip_while(|line| line.starts_with("//!") || line.is_empty()).collect::<Vec<_>>().join("\n");
    let lib: String = read("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    assert_eq!(code(&read("README.md"), "```rust,no_run\n"), example.trim());
    assert_eq!(code(&lib, "```no_run\n"), example.trim());
}

#[test]
fn the_table_of_fields_is_the_codes() {
    let mut table = String::from("| name | also read as that |\n|---|---|\n");
    for names in spanwright::Rules::understood() {
        let (name, aliases) = names.split_first().expect("a name");
        let aliases: Vec<_> = aliases.iter().map(|alias| format!("`{alias}`")).collect();
        writeln!(table, "| `{name}` | {} |", aliases.join(", ")).expect("write");
    }
    generated("docs/instrumentation.md", "fields", &table);
}

#[test]
fn the_description_of_the_api_is_the_codes_and_so_is_the_table_of_routes() {
    let mut api = crate::serve::description();
    // It is of every version, and not a change of the API.
    api["info"]["version"] = "0".into();
    api.sort_all_objects();
    hold("docs/openapi.json", &format!("{}\n", serde_json::to_string_pretty(&api).expect("JSON")));
    let mut table = String::from("| route | query | answer |\n|---|---|---|\n");
    for (path, operations) in api["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let method = if method == "get" { String::new() } else { format!("{} ", method.to_uppercase()) };
            let query: Vec<_> = parameters(operation).collect();
            let summary = operation["summary"].as_str().expect("summary");
            writeln!(table, "| {method}`{path}` | {} | {summary} |", query.join(", ")).expect("write");
        }
    }
    generated("docs/wire.md", "routes", &table);
}

/// `limit` (200, up to 1000).
fn parameters(operation: &serde_json::Value) -> impl Iterator<Item = String> {
    let parameters = operation["parameters"].as_array().expect("parameters").iter();
    parameters.filter(|one| one["in"] == "query").map(|one| {
        let name = one["name"].as_str().expect("name");
        match (&one["schema"]["default"], &one["schema"]["maximum"]) {
            (serde_json::Value::Number(default), most) => format!("`{name}` ({default}, up to {most})"),
            _ => format!("`{name}`"),
        }
    })
}
