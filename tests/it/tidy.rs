//! Does the house still stand as it was planned? Its rules as ordinary tests, with messages that say what to do.
//!
//! Each rule is a function from files to complaints, and is shown to bite on a made-up file before it is asked about
//! the real ones: a scanner that finds nothing would otherwise pass for a tidy house.

mod directions;
mod fuzzer;
mod plain;
mod scan;

use std::path::Path;

use scan::Source;

/// Every text file of the repository.
fn repository() -> Vec<Source> {
    let files = scan::tree(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(files.iter().any(|file| file.path == "src/lib.rs"), "the walk has lost its way");
    files
}

/// The Rust files below `src`.
fn shipped(files: &[Source]) -> impl Iterator<Item = &Source> {
    files.iter().filter(|file| file.path.starts_with("src/") && file.path.ends_with(".rs"))
}

/// The Rust files below `src` and `tests`.
fn rust(files: &[Source]) -> impl Iterator<Item = &Source> {
    files
        .iter()
        .filter(|file| file.path.starts_with("src/") || file.path.starts_with("tests/"))
        .filter(|file| file.path.ends_with(".rs"))
}

/// Fails with every complaint, one a line.
#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

/// The rule finds exactly these places in made-up files.
#[track_caller]
fn bites(rule: impl Fn(&[Source]) -> Vec<String>, files: &[(&str, &str)], places: &[&str]) {
    let mut files: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    scan::mark_test_modules(&mut files);
    let complaints = rule(&files);
    let found: Vec<&str> = complaints.iter().map(|complaint| complaint.split(": ").next().unwrap()).collect();
    assert_eq!(found, places, "{complaints:#?}");
}

#[test]
fn comments_and_literals_are_not_read_as_code() {
    #[track_caller]
    fn check(text: &str, code: &str) {
        assert_eq!(scan::strip(text), code);
    }
    check("a // b\nc", "a \nc");
    check("a /* b /* c */\n d */ e", "a \n e");
    check(r##"f("a // \" b", 'x', '"', '\'', '\u{1F600}') // c"##, "f(, , , , ) ");
    check("r#\"a \" \n b\"# c r\"d\\\" e", "\n c  e");
    check("fn f<'a>(x: &'a str) -> Whole<'a> {}", "fn f<'a>(x: &'a str) -> Whole<'a> {}");
}

#[test]
fn use_trees_are_spelled_out() {
    let text = "use a::{b::{self, C}, d as e, *};\nuse crate::x::{sled::Y};\nlet z = <T as ::f::G>::h(i::<j::K>::l);";
    let source = Source::new("src/service/poll.rs", text);
    let paths: Vec<String> =
        source.paths().into_iter().map(|(line, path)| format!("{line} {}", path.join("::"))).collect();
    let spelled = ["1 a::*", "1 a::b::C", "1 a::b::self", "1 a::d", "2 crate::x::sled::Y", "3 f::G", "3 i", "3 j::K"];
    assert_eq!(paths, spelled);
}
