//! How files look: how long they may be, what they must begin with, and what stands in none of them.

use super::scan::Source;
use super::{bites, none, repository, rust, shipped};

/// The wall: what one can hold in the head.
const LINES_MOST: usize = 400;

/// `main` parses, calls, prints the error and gives the exit status.
const MAIN_MOST: usize = 50;

/// Files that anything could go into, so that everything does.
const DRAWERS: &[&str] = &["utils.rs", "types.rs", "common.rs", "helpers.rs"];

/// `path:line: what is wrong` for every line of `text` that `wrong` finds something in.
fn lines(path: &str, text: &str, wrong: impl Fn(usize, &str) -> Option<String>) -> Vec<String> {
    let complaint = |(i, line): (usize, &str)| Some(format!("{path}:{}: {}", i + 1, wrong(i + 1, line)?));
    text.lines().enumerate().filter_map(complaint).collect()
}

fn long_files(files: &[Source]) -> Vec<String> {
    let most = |file: &Source| if file.path == "src/main.rs" { MAIN_MOST } else { LINES_MOST };
    let long = rust(files).filter(|file| file.text.lines().count() > most(file));
    long.map(|file| {
        let (path, count, most) = (&file.path, file.text.lines().count(), most(file));
        format!("{path}:{count}: more than {most} lines. Find the second question it answers and give it a file.")
    })
    .collect()
}

fn silent_files(files: &[Source]) -> Vec<String> {
    let silent = shipped(files).filter(|file| !file.text.starts_with("//!"));
    silent
        .map(|file| {
            format!("{}:1: begins without `//!`. Say which question it answers and what it refuses.", file.path)
        })
        .collect()
}

fn drawers(files: &[Source]) -> Vec<String> {
    let name = |file: &Source| file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let drawers = rust(files).filter(|file| DRAWERS.contains(&name(file).as_str()));
    drawers.map(|file| format!("{}:1: anything fits under this name. Name it after what it does.", file.path)).collect()
}

fn unfinished(files: &[Source]) -> Vec<String> {
    let in_code = [concat!("#[", "ignore"), concat!("todo", "!("), concat!("unimplemented", "!(")];
    let anywhere = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let advice = "Finish it, or leave it out and say so in the README.";
    let mut complaints = Vec::new();
    for file in rust(files) {
        for (text, needles) in [(&file.code, &in_code[..]), (&file.text, &anywhere[..])] {
            complaints.extend(lines(&file.path, text, |_, line| {
                let needle = needles.iter().find(|needle| line.contains(**needle))?;
                Some(format!("`{needle}`. {advice}"))
            }));
        }
    }
    complaints
}

fn vouchers(files: &[Source]) -> Vec<String> {
    let may = |file: &Source| file.path.starts_with("src/edge/pospos/") || file.path == "src/domain/model/whole.rs";
    let mut complaints = Vec::new();
    for file in shipped(files).filter(|file| !may(file)) {
        complaints.extend(lines(&file.path, &file.code, |number, line| {
            let vouches = number < file.tests_from && line.contains(concat!("::vou", "ch"));
            vouches.then(|| {
                "only the page reader vouches that a list is whole: it has seen the last page. Take a `Whole` as an \
                 argument."
                    .to_owned()
            })
        }));
    }
    complaints
}

/// Paths of one machine, and package sources of one network.
fn places_of_one_machine(files: &[Source]) -> Vec<String> {
    let directories = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tmp/", "wt/")];
    let sources = [concat!("replace", "-with"), concat!("[regis", "tries"), concat!("spar", "se+http")];
    let crates_io = concat!("source = \"regis", "try+https://github.com/rust-lang/crates.io-index\"");
    let mut complaints = Vec::new();
    for file in files {
        complaints.extend(lines(&file.path, &file.text, |_, line| {
            if let Some(directory) = directories.iter().find(|directory| begins_a_path(line, directory)) {
                return Some(format!(
                    "`{directory}` is a place on one machine. Use a relative path or a temporary one."
                ));
            }
            let lock = file.path == "Cargo.lock" && line.starts_with("source = ") && line != crates_io;
            let source = lock || sources.iter().any(|source| line.contains(source));
            source.then(|| "a package source of one network. Packages come from crates.io by its own name.".to_owned())
        }));
    }
    complaints
}

/// Whether `directory` stands in the line as the beginning of a path, not in the middle of one.
fn begins_a_path(line: &str, directory: &str) -> bool {
    line.match_indices(directory).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~}".contains(c))
    })
}

#[test]
fn files_are_short_enough_to_hold_in_the_head() {
    let (long, fair) = ("//! A.\n".repeat(401), "//! A.\n".repeat(400));
    let main = "//! A.\n".repeat(51);
    let files = [("src/a.rs", &*long), ("tests/it/b.rs", &*long), ("src/c.rs", &*fair), ("src/main.rs", &*main)];
    bites(long_files, &files, &["src/a.rs:401", "tests/it/b.rs:401", "src/main.rs:51"]);
    none(long_files(&repository()));
}

#[test]
fn every_file_says_which_question_it_answers() {
    bites(silent_files, &[("src/a.rs", "use b;\n"), ("src/b.rs", "//! B.\n")], &["src/a.rs:1"]);
    none(silent_files(&repository()));
}

#[test]
fn no_file_is_a_drawer() {
    let files = [("src/edge/utils.rs", ""), ("tests/it/common.rs", ""), ("src/domain/event/kind.rs", "")];
    bites(drawers, &files, &["src/edge/utils.rs:1", "tests/it/common.rs:1"]);
    none(drawers(&repository()));
}

#[test]
fn nothing_is_left_for_later() {
    let ignored = concat!("#[", "ignore = \"slow\"]\nfn f() { let s = \"x\"; }\n");
    let later = concat!("fn f() { todo", "!() }\n// TO", "DO: g\nlet ignore = 1;");
    bites(
        unfinished,
        &[("tests/it/a.rs", ignored), ("src/b.rs", later)],
        &["tests/it/a.rs:1", "src/b.rs:1", "src/b.rs:2"],
    );
    none(unfinished(&repository()));
}

#[test]
fn only_the_page_reader_vouches_for_a_list() {
    let code = concat!("fn f() { Whole::vou", "ch(rows, 0) }\n");
    let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{code}}}\n");
    let files = [
        ("src/service/poll.rs", code),
        ("src/edge/pospos/pages.rs", code),
        ("src/domain/diff/sales.rs", &*tested),
        ("src/domain/diff/tests.rs", code),
        ("src/domain/diff/mod.rs", "mod sales;\n#[cfg(test)]\nmod simulation;\n"),
        ("src/domain/diff/simulation.rs", code),
    ];
    bites(vouchers, &files, &["src/service/poll.rs:1"]);
    none(vouchers(&repository()));
}

#[test]
fn nothing_names_a_place_of_one_machine() {
    let path = concat!("cd /wo", "rk/posbell\ncurl https://example.com/ro", "ot/x\n./wo", "rk/x\n");
    let lock =
        concat!("source = \"regis", "try+https://github.com/rust-lang/crates.io-index\"\nsource = \"git+https://x\"\n");
    bites(places_of_one_machine, &[(".ci/run", path), ("Cargo.lock", lock)], &[".ci/run:1", "Cargo.lock:2"]);
    none(places_of_one_machine(&repository()));
}
