//! Restoring, step by step: what is in place after each, and what a restored store never says again.

use std::path::{Path, PathBuf};

use super::*;
use crate::domain::event::{Event, Scribe};
use crate::domain::model::ShopId;
use crate::edge::store::copy::form::{Header, Writer};
use crate::edge::store::record::{self, FORM};
use crate::edge::store::{BackupFile, Commit, EventFilter, Store, keys, listed};

const OLD: [u8; 16] = [1; 16];
const NEW: [u8; 16] = [2; 16];

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000, 0).unwrap()
}

fn open(dir: &Path) -> Store {
    Store::open_or_create(dir, Epoch::from_random(OLD)).unwrap()
}

fn event(epoch: &Epoch, counter: u64, status: u16) -> Event {
    Scribe::new(ShopId::new("main").unwrap(), "ร้าน", epoch.clone(), now()).key_rejected(counter, status)
}

async fn tell(store: &Store, counter: u64, status: u16) -> Event {
    let event = event(store.epoch(), counter, status);
    store.commit(Commit { events: vec![(now(), event.clone())], ..Commit::default() }).await.unwrap();
    event
}

async fn told(store: &Store) -> Vec<(u64, String)> {
    store.events(EventFilter { limit: 1_000, ..EventFilter::default() }).await.unwrap()
}

async fn back_up(store: &Store, path: &Path) -> Contents {
    let mut copy = store.copy(now()).await.unwrap();
    let mut file = BackupFile::begin(path).unwrap();
    while let Some(piece) = copy.next().await.unwrap() {
        file.write(&piece).unwrap();
    }
    file.finish().unwrap()
}

fn restore(dir: &Path, file: &Path) -> Result<Restored, BackupError> {
    Restore::begin(dir)?.run(file, Epoch::from_random(NEW), now(), &mut |_, _| {})
}

/// A directory with a store of two events and a backup of its first.
async fn with_backup() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let (dir, file) = (home.path().join("data"), home.path().join("file"));
    let store = open(&dir);
    tell(&store, 1, 401).await;
    back_up(&store, &file).await;
    tell(&store, 2, 401).await;
    (home, dir, file)
}

#[tokio::test]
async fn a_restored_store_has_what_the_backup_has_and_what_was_there_is_set_aside() {
    let (home, dir, file) = with_backup().await;
    let before = told(&open(&dir)).await;
    let restored = restore(&dir, &file).unwrap();
    assert_eq!((restored.contents.events(), restored.contents.shops()), (1, 0));
    assert_eq!(told(&open(&dir)).await, before[..1]);
    let aside = restored.aside.unwrap();
    assert_eq!(aside.file_name().unwrap(), "store.before-restore.20231114T221320Z");
    // A second one in the same second has a name of its own.
    let second = restore(&dir, &file).unwrap().aside.unwrap();
    assert_eq!(second.file_name().unwrap(), "store.before-restore.20231114T221320Z.2");
    let other = home.path().join("other");
    make_data_dir(&other).unwrap();
    std::fs::rename(aside, other.join("store")).unwrap();
    assert_eq!(told(&open(&other)).await, before, "what was set aside is as it was");
    // Into a directory that is not there yet.
    let fresh = home.path().join("deep/fresh");
    assert!(restore(&fresh, &file).unwrap().aside.is_none());
    assert_eq!(told(&open(&fresh)).await, before[..1]);
}

#[tokio::test]
async fn no_id_and_no_number_of_the_lost_time_is_given_again() {
    let (_home, dir, file) = with_backup().await;
    let lost = told(&open(&dir)).await.pop().unwrap();
    restore(&dir, &file).unwrap();
    let store = open(&dir);
    assert_eq!(*store.epoch(), Epoch::from_random(NEW));
    // Another change, which is again the second that this store counts.
    let other = tell(&store, 2, 403).await;
    assert!(!lost.1.contains(other.id.as_str()), "the id of a lost event stands for another change: {lost:?}");
    let next = EventFilter { after: Some(lost.0), limit: 9, ..EventFilter::default() };
    let next = store.events(next).await.unwrap();
    assert_eq!(next.len(), 1, "whoever has read up to the lost event is shown what came");
    assert!(next[0].1.contains(other.id.as_str()));
    // Numbers that are passed over are not missed by an export.
    let mut page = store.export_page(0..u64::MAX, EventFilter::default()).await.unwrap();
    assert_eq!((page.events.len(), page.next.take()), (2, None));
}

#[tokio::test]
async fn killed_between_any_two_steps_the_old_store_or_the_new_one_is_opened_whole() {
    for had_store in [true, false] {
        for steps in 0..=swap::STEPS.len() {
            let (_home, dir, file) = with_backup().await;
            let both = told(&open(&dir)).await;
            if !had_store {
                std::fs::remove_dir_all(dir.join("store")).unwrap();
            }
            // As `Restore::run` does it, up to the kill.
            let lock = DirLock::take(&dir).unwrap();
            let place = swap::workplace(&dir).unwrap();
            let backup = open_backup(&file).unwrap();
            let contents = each_record(&file, &open_backup(&file).unwrap(), |_| Ok(())).unwrap();
            let epoch = Epoch::from_random(NEW);
            load(&place, &contents, &epoch, |take| each_record(&file, &backup, take), &mut |_, _| {}).unwrap();
            let aside = swap::aside(&dir, "store.before-restore.now");
            for step in &swap::STEPS[..steps] {
                step(&dir, &aside).unwrap();
            }
            drop(lock);
            let is_new = steps >= if had_store { 2 } else { 1 };
            match Store::open_existing(&dir) {
                Err(StoreError::Absent(_)) => assert!(!had_store && !is_new),
                opened => {
                    let events = told(&opened.unwrap()).await;
                    assert_eq!(events, if is_new { &both[..1] } else { &both }, "{steps} steps, {had_store}");
                }
            }
            assert_eq!(aside.exists(), had_store && is_new);
            // And it can be done again from there, as if nothing had happened.
            drop(open(&dir));
            assert!(!dir.join("store.restored").exists() && !dir.join("store.restoring").exists());
            restore(&dir, &file).unwrap();
            assert_eq!(told(&open(&dir)).await, both[..1]);
        }
    }
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_refused_before_anything_is_touched() {
    let (home, dir, file) = with_backup().await;
    let before = told(&open(&dir)).await;
    let names = |dir: &Path| {
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let there = names(&dir);
    let whole = std::fs::read(&file).unwrap();
    let fresh = home.path().join("fresh");
    for spoilt in [whole.len() - 1, whole.len() / 2, 0] {
        std::fs::write(&file, &whole[..spoilt]).unwrap();
        for dir in [&dir, &fresh] {
            assert!(matches!(restore(dir, &file), Err(BackupError::Wrong { .. })));
        }
        assert_eq!(names(&dir), there);
        assert!(!fresh.exists());
    }
    assert_eq!(told(&open(&dir)).await, before);
}

#[tokio::test]
async fn while_somebody_has_the_directory_he_is_named_and_nothing_is_restored() {
    let (_home, dir, file) = with_backup().await;
    let store = open(&dir);
    let refused = restore(&dir, &file).map(drop);
    let said = refused.unwrap_err().to_string();
    assert!(said.contains(&format!("in use by process {}", std::process::id())), "{said}");
    assert_eq!(told(&store).await.len(), 2);
}

#[tokio::test]
async fn a_backup_of_an_older_form_is_brought_up_and_one_of_a_newer_form_refused() {
    let home = tempfile::tempdir().unwrap();
    let (dir, file) = (home.path().join("data"), home.path().join("file"));
    let epoch = Epoch::from_random(OLD);
    for form in [1, FORM + 1] {
        let header = Header { form, epoch: epoch.clone(), created_at: now(), posbell: "0".to_owned() };
        let (mut writer, mut bytes) = Writer::new(&header);
        let records = [
            (keys::EPOCH.to_vec(), record::json(&epoch).unwrap()),
            (keys::FORM.to_vec(), record::json(&form).unwrap()),
            (keys::NUMBERS.to_vec(), vec![0; 16]),
            (b"r/main/stock/a".to_vec(), b"1".to_vec()),
        ];
        bytes.extend(writer.records(&records).unwrap());
        bytes.extend(writer.end());
        std::fs::write(&file, bytes).unwrap();
        let restored = restore(&dir, &file);
        if form > FORM {
            assert!(matches!(restored, Err(BackupError::Store(StoreError::Newer { .. }))), "{restored:?}");
        } else {
            restored.unwrap();
        }
        let store = open(&dir);
        let get = |key: &[u8]| store.inner.engine.with(|engine| engine.get(key)).unwrap();
        assert_eq!(get(keys::FORM).as_deref(), Some(&record::json(&FORM).unwrap()[..]));
        let row = get(b"r/main/stock/a").unwrap();
        assert_eq!((row[0], row.last()), (listed::MARK, Some(&b'1')), "the row has its head");
    }
}
