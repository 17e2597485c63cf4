//! sled conforms, and what its files lose is found.

use std::path::Path;

use super::super::engine::conformance::conforms;
use super::*;

/// Opens it as soon as the one before is closed.
fn open(path: &Path) -> Sled {
    if path.join("db").exists() {
        files::wait_until_closed(path).unwrap();
    }
    match Sled::open(path).unwrap() {
        Found::Store(sled) => sled,
        Found::Older(_) => panic!("it is an older one"),
    }
}

#[test]
fn sled_conforms() {
    conforms(|| {
        let dir = tempfile::tempdir().unwrap();
        Box::new(move || Box::new(open(dir.path())))
    });
}

fn put(sled: &Sled, writes: &[(&str, Option<&[u8]>)]) {
    let mut batch = Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.insert(*key, *value),
            None => batch.remove(*key),
        }
    }
    sled.apply(sled.take_over().unwrap(), &batch).unwrap();
    sled.sync().unwrap();
}

/// A closed store with rows of two shops, events and a long value.
fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let sled = open(dir.path());
    for n in 0..300 {
        put(&sled, &[(&format!("r/main/stock/{n}"), Some(b"a row")), (&format!("e/{n:08}"), Some(b"an event"))]);
    }
    put(&sled, &[("r/two/stock/1", Some(b"a row")), ("r/main/transactions/1", Some(&[7; 20_000]))]);
    dir
}

/// Changes the tree behind the engine's back, and says what it makes of it.
fn damaged(act: impl Fn(&::sled::Tree)) -> String {
    let dir = filled();
    files::wait_until_closed(dir.path()).unwrap();
    let db = files::database(dir.path()).open().unwrap();
    act(&db);
    drop(db);
    files::wait_until_closed(dir.path()).unwrap();
    let found = match Sled::open(dir.path()) {
        Ok(Found::Store(sled)) => sled.verify(&mut |_| true),
        Ok(Found::Older(_)) => return "older".to_owned(),
        Err(error) => Err(error),
    };
    found.map_or_else(|error| error.to_string(), |whole| format!("whole: {whole}"))
}

#[test]
fn whatever_is_missing_changed_or_added_behind_its_back_is_named() {
    assert_eq!(damaged(|_| ()), "whole: true");
    let said = damaged(|tree| drop(tree.remove("r/main/stock/7").unwrap()));
    assert_eq!(said, "the store is damaged: of 301 rows of shop main that were written, 300 are there");
    let said = damaged(|tree| drop(tree.insert("e/00000009", "another event").unwrap()));
    assert_eq!(said, "the store is damaged: not all events are as they were written");
    let said = damaged(|tree| drop(tree.insert("e/1", "an event").unwrap()));
    assert_eq!(said, "the store is damaged: of 300 events that were written, 301 are there");
    let said = damaged(|tree| {
        for entry in tree.scan_prefix("r/main") {
            tree.remove(entry.unwrap().0).unwrap();
        }
    });
    assert_eq!(said, "the store is damaged: of 301 rows of shop main that were written, 0 are there");
}

#[test]
fn a_shop_that_is_gone_with_the_word_on_it_is_missed() {
    let said = damaged(|tree| {
        for key in tree.iter().keys().map(Result::unwrap) {
            if String::from_utf8_lossy(&key).contains("two") {
                tree.remove(key).unwrap();
            }
        }
    });
    assert!(said.contains("it cannot be read what must be in it"), "{said}");
    let said = damaged(|tree| drop(tree.insert(b"\xfem/main", "nothing that can be read").unwrap()));
    assert!(said.contains("it cannot be read what must be in it"), "{said}");
}

#[test]
fn a_store_that_has_gone_back_to_an_earlier_day_is_refused() {
    let dir = filled();
    files::wait_until_closed(dir.path()).unwrap();
    // It was put away on that day, and agrees with itself.
    let earlier = tempfile::tempdir().unwrap();
    copy(dir.path(), earlier.path());
    let sled = open(dir.path());
    (0..5).for_each(|n| put(&sled, &[("k", Some(format!("{n}").as_bytes()))]));
    drop(sled);
    files::wait_until_closed(dir.path()).unwrap();
    std::fs::copy(dir.path().join(witness::MADE), earlier.path().join(witness::MADE)).unwrap();
    let opened = Sled::open(earlier.path()).map(drop);
    let said = opened.unwrap_err().to_string();
    assert_eq!(said, "the store is damaged: the last 10 of its changes are missing");
    // Without the word it is believed, as one is whose word a power cut has taken.
    std::fs::remove_file(earlier.path().join(witness::MADE)).unwrap();
    assert!(open(earlier.path()).verify(&mut |_| true).unwrap());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn no_value_however_long_lies_beside_the_log_and_none_leaves_a_part_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let sled = open(dir.path());
    for round in 0..40 {
        for n in 0..25 {
            let long = vec![round as u8; 3_000 + 12_345 * ((round + n) % 17)];
            put(&sled, &[(&format!("e/{n:02}"), Some(&long))]);
        }
    }
    for n in 0..25 {
        put(&sled, &[(&format!("e/{n:02}"), None)]);
    }
    let left: Vec<_> = sled.tree.iter().keys().map(|key| key.unwrap().to_vec()).collect();
    assert!(left.iter().all(|key| key[0] == OWN), "{left:?}");
    assert!(sled.verify(&mut |_| true).unwrap());
    drop(sled);
    files::wait_until_closed(dir.path()).unwrap();
    drop(open(dir.path()));
    let beside = std::fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(beside, 0, "sled keeps pages of more than an eighth of a megabyte there");
}
