//! Does a directory open as what it is: new, the same as before, somebody else's, or damaged?

use std::path::Path;

use posbell::domain::event::Epoch;
use posbell::edge::store::{Store, StoreError};

use super::{deliveries, events, numbered, open, patiently, rows};

#[tokio::test]
async fn the_epoch_is_the_directorys_and_stays() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (Epoch::from_random([1; 16]), Epoch::from_random([2; 16]));
    for (dir, epoch) in [(&one, &first), (&two, &second)] {
        // A fresh one is offered at every start, and only taken at the first.
        for offered in [epoch, &Epoch::from_random([3; 16])] {
            let store = patiently(|| Store::open_or_create(dir.path(), offered.clone())).unwrap();
            assert_eq!(store.epoch(), epoch);
        }
        assert_eq!(patiently(|| Store::open_existing(dir.path())).unwrap().epoch(), epoch);
    }
}

#[test]
fn where_nothing_was_written_there_is_no_store() {
    let dir = tempfile::tempdir().unwrap();
    let killed_at_once = tempfile::tempdir().unwrap();
    std::fs::create_dir(killed_at_once.path().join("store")).unwrap();
    for path in [dir.path(), &dir.path().join("not there"), killed_at_once.path()] {
        let opened = patiently(|| Store::open_existing(path)).map(drop);
        assert!(matches!(&opened, Err(StoreError::Absent(absent)) if absent == path), "{opened:?}");
    }
    assert!(!dir.path().join("not there").exists(), "looking makes nothing");
    drop(open(killed_at_once.path()));
}

#[test]
fn a_directory_that_cannot_be_looked_into_is_not_absent() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for opened in [Store::open_existing(&file), Store::open_or_create(&file, Epoch::from_random([1; 16]))] {
        let opened = opened.map(drop);
        assert!(matches!(opened, Err(StoreError::Directory { .. })), "{opened:?}");
    }
}

#[test]
fn an_open_store_is_locked_and_says_by_whom() {
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let Err(error) = Store::open_existing(dir.path()) else { panic!("opened twice") };
    let process = format!("in use by process {}", std::process::id());
    assert!(error.to_string().contains(&process), "{error}");
}

#[test]
fn a_log_that_somebody_else_holds_is_locked_and_not_damaged() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let log = std::fs::File::open(dir.path().join("store/db")).unwrap();
    log.lock().unwrap();
    let opened = Store::open_existing(dir.path()).map(drop);
    assert!(matches!(opened, Err(StoreError::Locked { .. })), "{opened:?}");
}

#[tokio::test]
async fn a_dropped_store_can_be_opened_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..50 {
        let store = open(dir.path());
        store.commit(numbered(n)).await.unwrap();
    }
    assert_eq!(rows(&open(dir.path())).await.len(), 50);
}

#[tokio::test]
async fn a_commit_that_nobody_waits_for_is_finished_before_the_store_closes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut commit = Box::pin(store.commit(numbered(1)));
    // The first poll hands it to the committer; the answer is never asked for.
    let polled = poll_once(commit.as_mut()).await;
    drop(commit);
    drop(store);
    let store = open(dir.path());
    assert_eq!((rows(&store).await.len(), events(&store).await.len(), deliveries(&store).await.len()), (1, 1, 1));
    assert!(polled.is_none_or(|done| done.is_ok()));
}

async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

/// A closed store with something in it.
async fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..200 {
        store.commit(numbered(n)).await.unwrap();
    }
    dir
}

fn snapshots(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir.join("store")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("snap.")).collect()
}

#[tokio::test]
async fn a_store_with_garbage_for_its_log_is_an_error_and_never_an_empty_store() {
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (what, garbage) in [
        ("nothing", &b""[..]),
        ("text", b"this is no log\n"),
        ("zeros", &[0; 100_000]),
        ("ones", &[0xff; 100_000]),
        ("noise", &noise),
    ] {
        for with_snapshot in [true, false] {
            let dir = filled().await;
            std::fs::write(dir.path().join("store/db"), garbage).unwrap();
            if !with_snapshot {
                snapshots(dir.path()).iter().for_each(|path| std::fs::remove_file(path).unwrap());
            }
            for _attempt in 1..=2 {
                let opened = patiently(|| Store::open_or_create(dir.path(), Epoch::from_random([9; 16]))).map(drop);
                assert!(matches!(opened, Err(StoreError::Damaged(_))), "{what}, {with_snapshot}: {opened:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_full_disk_left_of_a_snapshot_does_not_keep_the_store_from_opening() {
    let dir = filled().await;
    std::fs::write(dir.path().join("store/snap.FFFFFFFFFFFFFFFF.generating"), "").unwrap();
    assert_eq!(rows(&open(dir.path())).await.len(), 200);
}
