//! Does the fuzzer read answers by the same crates as the program? It is a package of its own, so nothing else says so.

use toml::Table;

use super::scan::Source;
use super::{bites, none, repository};

/// What the fuzzer needs besides.
const ITS_OWN: &[&str] = &["libfuzzer-sys"];

fn table(files: &[Source], path: &str) -> Table {
    let file = files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("there is no {path}"));
    file.text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn other_crates(files: &[Source]) -> Vec<String> {
    let [ours, its] = ["Cargo.toml", "fuzz/Cargo.toml"].map(|path| table(files, path));
    let other = its["dependencies"].as_table().unwrap().iter().filter(|(name, wanted)| {
        !ITS_OWN.contains(&name.as_str()) && ours["dependencies"].get(name.as_str()) != Some(wanted)
    });
    let other = other.map(|(name, _)| format!("fuzz/Cargo.toml: `{name}` is not as in Cargo.toml. Copy that line."));
    other.chain(other_versions(files)).collect()
}

/// Packages that both have, in a version that posbell is not built of.
fn other_versions(files: &[Source]) -> Vec<String> {
    let [ours, its] = ["Cargo.lock", "fuzz/Cargo.lock"].map(|path| table(files, path));
    let [ours, its] = [&ours, &its].map(|lock| lock["package"].as_array().unwrap());
    let other = its.iter().filter(|package| {
        let mut same = ours.iter().filter(|known| known["name"] == package["name"]).peekable();
        same.peek().is_some() && !same.any(|known| known["version"] == package["version"])
    });
    let advice = "Run `cargo update --manifest-path fuzz/Cargo.toml NAME --precise VERSION`.";
    let complaint = |package: &toml::Value| {
        format!("fuzz/Cargo.lock: {} {} is not in Cargo.lock. {advice}", package["name"], package["version"])
    };
    other.map(complaint).collect()
}

#[test]
fn the_fuzzer_is_built_of_what_posbell_is_built_of() {
    let ours = "[dependencies]\na = \"1\"\nb = { version = \"2\", features = [\"x\"] }";
    let its = "[dependencies]\na = \"1\"\nb = \"2\"\nc = \"3\"\nlibfuzzer-sys = \"0.4\"";
    let package = |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    let our_lock = [package("a", "1.0.0"), package("b", "1.9.0"), package("b", "2.0.0")].concat();
    let its_lock = [package("a", "1.0.1"), package("b", "2.0.0"), package("c", "3.0.0")].concat();
    let files =
        [("Cargo.toml", ours), ("fuzz/Cargo.toml", its), ("Cargo.lock", &our_lock), ("fuzz/Cargo.lock", &its_lock)];
    bites(other_crates, &files, &["fuzz/Cargo.toml", "fuzz/Cargo.toml", "fuzz/Cargo.lock"]);
    none(other_crates(&repository()));
}
