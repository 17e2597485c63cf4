//! Are the rule files that ship with posbell made of what this version reads? Only their outer form is looked at:
//! tables, keys and event types. What they mean is the rule reader's work.

use std::fs;
use std::path::{Path, PathBuf};

use posbell::domain::event::Pattern;
use toml::{Table, Value};

const THRESHOLD: &[&str] = &["shops", "products", "category", "low", "critical", "rearm", "passes"];
const RULE: &[&str] = &["name", "on", "shops", "when", "to", "severity", "stop"];

/// The rule files in `directory`, and those in `examples` beside them.
fn files() -> Vec<PathBuf> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files = Vec::new();
    for directory in [rules.clone(), rules.join("examples")] {
        let entries = fs::read_dir(&directory).expect("rules ship with posbell").map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|path| path.extension().is_some_and(|ext| ext == "toml")));
    }
    files.sort();
    files
}

fn tables(file: &Path, name: &str) -> Vec<Table> {
    let text = fs::read_to_string(file).unwrap();
    let document: Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let unknown = document.keys().find(|key| !["threshold", "rule"].contains(&key.as_str()));
    assert_eq!(unknown, None, "{}: neither [[threshold]] nor [[rule]]", file.display());
    let Some(tables) = document.get(name) else { return Vec::new() };
    tables.as_array().unwrap().iter().map(|table| table.as_table().unwrap().clone()).collect()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn shipped_rules_use_only_keys_and_events_of_this_version() {
    let files = files();
    assert_eq!(files.len(), 4, "default.toml and three examples: {files:?}");
    for file in &files {
        for (name, known) in [("threshold", THRESHOLD), ("rule", RULE)] {
            for table in tables(file, name) {
                let unknown = table.keys().find(|key| !known.contains(&key.as_str()));
                assert_eq!(unknown, None, "{}: [[{name}]]", file.display());
            }
        }
        for rule in tables(file, "rule") {
            for pattern in texts(&rule["on"]) {
                assert!(Pattern::parse(pattern).is_ok(), "{}: no events are called {pattern}", file.display());
            }
            let severity = rule.get("severity").map_or("info", |severity| severity.as_str().unwrap());
            assert!(["info", "warning", "critical"].contains(&severity), "{}: {severity}", file.display());
        }
    }
}

#[test]
fn the_default_rules_tell_the_owner_alone_what_the_readme_lists() {
    let file = files().into_iter().find(|file| file.ends_with("rules/default.toml")).expect("is there");
    let mut told = Vec::new();
    for rule in tables(&file, "rule") {
        assert_eq!(texts(&rule["to"]), ["owner"], "a fresh configuration has no other channel");
        told.extend(texts(&rule["on"]).into_iter().map(str::to_owned));
    }
    told.sort();
    let listed = [
        "credit.overdue",
        "sale.cancelled",
        "shop.*",
        "shop.key_rejected",
        "stock.critical",
        "stock.low",
        "stock.out",
        "stock.recovered",
    ];
    assert_eq!(told, listed);
    let low: Vec<String> = tables(&file, "threshold").iter().map(|threshold| threshold["low"].to_string()).collect();
    assert_eq!(low, [r#""min_stock""#, "5"], "a product's own figure first, then one for all");
}
