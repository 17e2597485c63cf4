//! Who may know whom: `main → cli → server → service → edge → domain`, never back, and one owner for each foreign crate.

use super::scan::Source;
use super::{bites, none, repository, shipped};

/// Each room, and the rooms it may name. `lib.rs` names them all.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["server", "api", "service", "demo", "config", "edge", "domain"]),
    ("demo", &["server", "service", "config", "edge", "domain"]),
    ("server", &["api", "service", "config", "edge", "domain"]),
    ("service", &["api", "config", "edge", "domain"]),
    ("api", &["domain"]),
    ("config", &["edge", "domain"]),
    ("edge", &["domain"]),
    ("domain", &[]),
];

/// What a pure function has no use for.
const IMPURE: &[&str] = &[
    "tokio",
    "tracing",
    "sled",
    "reqwest",
    "lettre",
    "teloxide",
    "axum",
    "std::fs",
    "std::net",
    "std::time::SystemTime",
    "std::time::Instant",
];

/// Each foreign crate with one owner, and where that is.
const OWNERS: &[(&str, &[&str])] = &[
    ("sled", &["edge/store"]),
    ("lettre", &["edge/channel/email"]),
    ("teloxide", &["edge/channel/telegram"]),
    ("tokio_rustls", &["edge/channel/email"]),
    ("rustls_platform_verifier", &["edge/channel/email"]),
    ("axum", &["server", "demo"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    (
        "reqwest",
        &[
            "edge/pospos",
            "edge/http",
            "edge/channel/webhook",
            "edge/channel/telegram",
            "edge/channel/retry_after",
            "edge/heartbeat",
            "cli",
        ],
    ),
    ("clap", &["cli", "main"]),
    ("cel", &["domain/rules"]),
    ("csv", &["domain/rules/text"]),
    ("toml", &["config", "domain/document", "domain/rules", "domain/mistake"]),
    ("annotate_snippets", &["cli"]),
    ("sd_notify", &["service"]),
    ("rustix", &["server", "edge/notice_mark", "edge/pospos/quota", "edge/store", "service/clock"]),
    ("tempfile", &["demo"]),
    ("unicode_segmentation", &["domain/message"]),
];

/// The edge that a module belongs to: each directory below `edge`, and each directory below `edge/channel`.
fn edge_of<'a>(module: &[&'a str], files: &[Source]) -> Option<Vec<&'a str>> {
    let is_directory = |path: &str| files.iter().any(|file| file.path.starts_with(&format!("src/{path}/")));
    match module {
        ["edge", "channel", kind, ..] if is_directory(&format!("edge/channel/{kind}")) => Some(vec!["channel", kind]),
        ["edge", edge, ..] if is_directory(&format!("edge/{edge}")) => Some(vec![edge]),
        _ => None,
    }
}

fn wrong_directions(files: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in shipped(files) {
        let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| file.module().first() == Some(room)) else {
            continue;
        };
        for (line, path) in file.paths() {
            let Some(("crate", [target, ..])) = path.split_first().map(|(first, rest)| (first.as_str(), rest)) else {
                continue;
            };
            let known = ROOMS.iter().any(|(room, _)| room == target);
            if known && target != room && !allowed.contains(&target.as_str()) {
                let (place, path) = (&file.path, path.join("::"));
                complaints.push(format!(
                    "{place}:{line}: `{room}` must not know `{target}` ({path}). Pass the value in as an argument, or \
                     move what both need towards the domain."
                ));
            }
        }
    }
    complaints
}

fn edges_that_know_each_other(files: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in shipped(files) {
        let module = file.module();
        let Some(own) = edge_of(&module, files) else { continue };
        for (line, path) in file.paths() {
            let target: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
            let Some(other) = edge_of(&target, files).filter(|_| path[0] == "crate") else { continue };
            if !own.starts_with(&other) && !other.starts_with(&own) {
                complaints.push(format!(
                    "{}:{line}: the edge `{}` knows the edge `{}`. Only `service` sees more than one: let it carry the \
                     value, or put what both need into the domain.",
                    file.path,
                    own.join("::"),
                    other.join("::")
                ));
            }
        }
    }
    complaints
}

fn impurities(files: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in shipped(files).filter(|file| file.path.starts_with("src/domain/")) {
        for (line, path) in file.paths() {
            let path = path.join("::");
            if IMPURE.iter().any(|impure| path == *impure || path.starts_with(&format!("{impure}::"))) {
                complaints.push(format!(
                    "{}:{line}: the domain is pure and does not use `{path}`. Take what it gives as an argument, and \
                     let `service` or an edge ask for it.",
                    file.path
                ));
            }
        }
    }
    complaints
}

fn strangers(files: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in shipped(files) {
        let module = file.module().join("/");
        for (line, path) in file.paths() {
            let Some((foreign, homes)) = OWNERS.iter().find(|(foreign, _)| *foreign == path[0]) else { continue };
            let at_home = |home: &&str| module == **home || module.starts_with(&format!("{home}/"));
            if !homes.iter().any(at_home) {
                complaints.push(format!(
                    "{}:{line}: `{foreign}` belongs to {}. Give its owner a function for what is needed here.",
                    file.path,
                    homes.join(", ")
                ));
            }
        }
    }
    complaints
}

#[test]
fn rooms_know_only_what_lies_below_them() {
    let files = [
        ("src/main.rs", "use posbell::cli;\nfn main() { posbell::service::run() }"),
        ("src/domain/a.rs", "use crate::{domain::b, edge::{store::S}};"),
        ("src/edge/store/mod.rs", "use super::super::service::X;\nuse crate::domain::Y;"),
        (
            "src/service/a.rs",
            "// use crate::cli;\nlet a = \"crate::cli::x\";\n#[cfg(test)]\nmod tests { use crate::cli::X; }",
        ),
        ("src/service/b.rs", "fn f() { crate::demo::shop::open(); crate::config::read(); }"),
        ("src/lib.rs", "pub use crate::cli::Main;"),
    ];
    bites(
        wrong_directions,
        &files,
        &["src/main.rs:2", "src/domain/a.rs:1", "src/edge/store/mod.rs:1", "src/service/b.rs:1"],
    );
    none(wrong_directions(&repository()));
}

#[test]
fn no_edge_knows_another() {
    let files = [
        ("src/edge/store/mod.rs", "use crate::edge::pospos::Row;\nuse crate::edge::store::record;"),
        ("src/edge/pospos/pages.rs", "use super::client;\nuse super::super::store::Db;"),
        ("src/edge/channel/mod.rs", "mod email;\nuse email::Email;\nuse self::webhook::W;"),
        ("src/edge/channel/email/mod.rs", "use super::Outgoing;\nuse super::webhook::guard;"),
        ("src/edge/channel/webhook/mod.rs", "use super::{Outgoing, address};"),
        ("src/service/a.rs", "use crate::edge::{pospos, store};"),
    ];
    let places = ["src/edge/store/mod.rs:1", "src/edge/pospos/pages.rs:2", "src/edge/channel/email/mod.rs:2"];
    bites(edges_that_know_each_other, &files, &places);
    none(edges_that_know_each_other(&repository()));
}

#[test]
fn the_domain_is_pure() {
    let files = [
        ("src/domain/a.rs", "use std::time::{Duration, Instant};\nuse std::fs;\nfn f() { tracing::info!(\"\") }"),
        ("src/domain/b.rs", "use std::{fmt, net::IpAddr};\nuse std::time::Duration;\n#[tokio::test]\nfn g() {}"),
        ("src/edge/store/mod.rs", "use std::fs;"),
    ];
    let places =
        ["src/domain/a.rs:1", "src/domain/a.rs:2", "src/domain/a.rs:3", "src/domain/b.rs:1", "src/domain/b.rs:3"];
    bites(impurities, &files, &places);
    none(impurities(&repository()));
}

#[test]
fn each_foreign_crate_has_one_owner() {
    let files = [
        ("src/edge/store/tree.rs", "use sled::Db;\nuse lettre as mail;"),
        ("src/service/poll.rs", "fn f(e: sled::Error, t: crate::edge::store::sled::Tree) {}\nuse ::toml::Value;"),
        ("src/service/clock.rs", "use rustix::time;"),
        ("src/domain/mistake.rs", "impl From<toml::de::Error> for Mistake {}"),
        ("src/cli/mod.rs", "#[derive(clap::Parser)]\nstruct A;\nuse axum;"),
    ];
    let places = ["src/edge/store/tree.rs:2", "src/service/poll.rs:1", "src/service/poll.rs:2", "src/cli/mod.rs:3"];
    bites(strangers, &files, &places);
    none(strangers(&repository()));
}
