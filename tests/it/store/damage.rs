//! Damage on the disk is an error, or harmless: never a store with less in it that looks whole, a panic, or a wait without
//! end.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::Path;

use posbell::domain::event::Epoch;
use posbell::edge::store::{Store, StoreError};

use super::{deliveries, events, numbered, open, patiently, rows};

/// How often a store is damaged in each way.
const TIMES: u64 = 60;

/// Numbers without a pattern, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What may become of a file: with the length that it has, of which so many bytes hold something.
type Damage = fn(&std::fs::File, u64, &mut Dice);

const DAMAGES: [(&str, Damage); 5] = [
    ("one flipped bit", |file, length, dice| {
        let at = dice.below(length);
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 1 << dice.below(8)], at).unwrap();
    }),
    ("a block of zeros", |file, length, dice| {
        let at = dice.below(length) / 4_096 * 4_096;
        file.write_all_at(&vec![0; 4_096.min((length - at) as usize)], at).unwrap();
    }),
    ("a block of another place", |file, length, dice| {
        let (from, to) = (dice.below(length - 4_096) / 512 * 512, dice.below(length - 4_096) / 512 * 512);
        let mut block = vec![0; 4_096];
        file.read_exact_at(&mut block, from).unwrap();
        file.write_all_at(&block, to).unwrap();
    }),
    ("nothing from a place on", |file, length, dice| file.set_len(dice.below(length)).unwrap()),
    ("zeros from a place on", |file, length, dice| {
        let at = dice.below(length);
        file.write_all_at(&vec![0; (length - at) as usize], at).unwrap();
    }),
];

/// Everything that anyone is shown of a store.
async fn shown(store: &Store) -> (Vec<u64>, Vec<(u64, String)>, Vec<String>) {
    let ids = deliveries(store).await.into_iter().map(|delivery| delivery.id.to_string()).collect();
    (rows(store).await, events(store).await, ids)
}

/// What came of a damaged store: `None` where all of it was there, else what was said.
async fn opened(dir: &Path, before: &(Vec<u64>, Vec<(u64, String)>, Vec<String>)) -> Option<String> {
    let store = match patiently(|| Store::open_existing(dir)) {
        Ok(store) => store,
        Err(error) => return Some(said(&error)),
    };
    if let Err(error) = store.whole().await {
        let refused = store.commit(numbered(1_000_000)).await;
        assert!(refused.is_err(), "something was written onto damage");
        return Some(said(&error));
    }
    assert_eq!(&shown(&store).await, before, "what was found whole is not what was written");
    None
}

fn said(error: &StoreError) -> String {
    let error = error.to_string();
    assert!(error.contains("damaged") || error.contains("no posbell data"), "{error}");
    error
}

/// A place for a store that is opened and forgotten, in memory where there is one.
fn room() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_damage_has_left_is_whole_or_refused_and_never_less_than_was_written() {
    let dir = tempfile::tempdir().unwrap();
    // Some of it written before the store was last opened, some after.
    for commits in [0..150, 150..220] {
        let store = open(dir.path());
        for n in commits {
            store.commit(numbered(n)).await.unwrap();
        }
    }
    drop(patiently(|| Store::open_existing(dir.path())).unwrap());
    let log = std::fs::read(dir.path().join("store/db")).unwrap();
    let length = log.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    let before = shown(&open(dir.path())).await;
    let (mut dice, mut harmless, mut refused) = (Dice(3), 0, BTreeMap::new());
    for (name, damage) in DAMAGES {
        for _time in 0..TIMES {
            let copy = room();
            copy_dir(dir.path(), copy.path());
            let file = std::fs::File::options().read(true).write(true).open(copy.path().join("store/db")).unwrap();
            damage(&file, length, &mut dice);
            drop(file);
            match opened(copy.path(), &before).await {
                None => harmless += 1,
                Some(_) => *refused.entry(name).or_insert(0) += 1,
            }
        }
    }
    println!("refused {refused:?}, harmless {harmless}");
    assert!(refused.len() == DAMAGES.len() && refused.values().sum::<u64>() > TIMES, "{refused:?}");
}

#[tokio::test]
async fn a_store_whose_files_are_gone_or_of_an_earlier_day_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..50 {
        store.commit(numbered(n)).await.unwrap();
    }
    drop(store);
    drop(patiently(|| Store::open_existing(dir.path())).unwrap());
    let earlier = tempfile::tempdir().unwrap();
    copy_dir(dir.path(), earlier.path());
    let store = open(dir.path());
    store.commit(numbered(50)).await.unwrap();
    drop(store);
    drop(patiently(|| Store::open_existing(dir.path())).unwrap());
    for lost in ["db", "conf", "snapshots", "all but the mark"] {
        let copy = room();
        copy_dir(dir.path(), copy.path());
        for entry in std::fs::read_dir(copy.path().join("store")).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let goes = match lost {
                "snapshots" => name.starts_with("snap."),
                "all but the mark" => name != "posbell.made" && name != "blobs",
                file => name == file,
            };
            if goes {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let opened = patiently(|| Store::open_or_create(copy.path(), Epoch::from_random([9; 16])));
        let whole = match &opened {
            Ok(store) => store.whole().await.map(|()| rows_of(store)),
            Err(_) => Err(StoreError::Absent(copy.path().to_owned())),
        };
        if let Ok(rows) = whole {
            // sled finds everything without them.
            assert_eq!(rows.await.len(), 51, "{lost}");
            assert!(["snapshots", "conf"].contains(&lost), "{lost}");
        }
    }
    // The files of an earlier day under today's mark agree with themselves.
    std::fs::copy(dir.path().join("store/posbell.made"), earlier.path().join("store/posbell.made")).unwrap();
    let opened = patiently(|| Store::open_existing(earlier.path())).map(drop);
    let said = opened.unwrap_err().to_string();
    assert!(said.contains("of its changes are missing"), "{said}");
}

async fn rows_of(store: &Store) -> Vec<u64> {
    rows(store).await
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}
