//! Written anew, it holds what it held: while commits go on, and wherever it is cut off.

use std::collections::BTreeMap;
use std::task::Poll;

use super::*;
use crate::domain::event::Epoch;
use crate::domain::model::{EntityId, Resource, ShopId};
use crate::edge::store::Commit;

fn open(dir: &Path) -> Store {
    Store::open_or_create(dir, Epoch::from_random([7; 16])).unwrap()
}

fn row(id: usize, value: Option<Vec<u8>>) -> Commit {
    let id = EntityId::new(format!("{id:06}")).unwrap();
    Commit { rows: vec![(ShopId::new("main").unwrap(), Resource::Credit, id, value)], ..Commit::default() }
}

/// So many bytes that nothing makes fewer.
fn value(round: u8, length: usize) -> Vec<u8> {
    let scattered = |n: usize| xxhash_rust::xxh3::xxh3_64_with_seed(&n.to_be_bytes(), u64::from(round)) as u8;
    std::iter::once(b'-').chain((1..length).map(scattered)).collect()
}

fn everything(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let all = |engine: &dyn Engine| {
        let entries = engine.scan(Span::all());
        entries.map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
    };
    store.inner.engine.with(all).unwrap()
}

/// A store in which each of `rows` rows was written several times.
async fn churned(dir: &Path, rows: usize) -> Store {
    let store = open(dir);
    for round in 0..4 {
        for first in (0..rows).step_by(100) {
            let mut commit = Commit::default();
            for n in first..(first + 100).min(rows) {
                // All over the keys.
                commit.rows.extend(row(n * 7_919 % rows, Some(value(round, 300))).rows);
            }
            store.commit(commit).await.unwrap();
        }
    }
    store
}

#[test]
fn it_is_too_large_from_four_times_what_lives_in_it_on_and_never_while_it_is_small() {
    let space = |taken, live| Space { taken, live };
    assert!(space(100 << 20, 24 << 20).is_too_large());
    assert!(!space(100 << 20, 25 << 20).is_too_large());
    assert!(!space(32 << 20, 1).is_too_large());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_commits_and_reads_go_on_nothing_is_lost_and_it_becomes_small() {
    let dir = tempfile::tempdir().unwrap();
    let store = churned(dir.path(), 10_000).await;
    for first in (5_000..10_000).step_by(100) {
        let rows = (first..first + 100).flat_map(|id| row(id, None).rows).collect();
        store.commit(Commit { rows, ..Commit::default() }).await.unwrap();
    }
    for round in 0..3 {
        let mut compacting = std::pin::pin!(store.compact());
        let mut done = None;
        let mut n = 0;
        while done.is_none() || n < 300 {
            n += 1;
            if done.is_none() {
                done = std::future::poll_fn(|context| Poll::Ready(poll_now(compacting.as_mut(), context))).await;
            }
            let id = n * 37 % 5_000;
            let value = (n % 3 != 0).then(|| value(round, 200 + n % 9_000));
            store.commit(row(id, value.clone())).await.unwrap();
            let id = EntityId::new(format!("{id:06}")).unwrap();
            let key = crate::edge::store::keys::row(&ShopId::new("main").unwrap(), Resource::Credit, &id);
            let read = store.reading(move |engine| engine.get(&key)).await.unwrap();
            assert_eq!(read.as_deref(), value.as_deref(), "what was committed is read");
        }
        let (before, after) = done.unwrap().unwrap();
        assert!(round > 0 || after.taken * 4 < before.taken * 3, "{before:?} {after:?}");
    }
    let before = everything(&store);
    drop(store);
    let store = open(dir.path());
    assert_eq!(everything(&store), before);
    store.whole().await.unwrap();
    store.commit(row(1, None)).await.unwrap();
    assert_eq!(names(dir.path()), ["posbell.holder", "posbell.lock", "store"], "nothing is left of the others");
}

/// What it has come to, if it has.
fn poll_now<F: Future>(future: std::pin::Pin<&mut F>, context: &mut std::task::Context<'_>) -> Option<F::Output> {
    match future.poll(context) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A closed store that was written anew beside itself; what is in it.
async fn written_beside(dir: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let store = churned(dir, 300).await;
    let job = Job {
        dir: store.dir().to_owned(),
        engine: Arc::clone(&store.inner.engine),
        noted: Noting::begin(store.inner.committer.changed()).unwrap(),
        is_given_up: AtomicBool::new(false),
        _lock: Arc::clone(&store.inner.lock),
    };
    job.write_anew(0).unwrap().close().unwrap();
    everything(&store)
}

/// Takes so many steps of putting the new one in place, and says where the other is set aside.
fn swapped(dir: &Path, steps: usize) -> PathBuf {
    let aside = swap::aside(dir, ASIDE);
    swap::STEPS[..steps].iter().for_each(|step| step(dir, &aside).unwrap());
    aside
}

#[tokio::test]
async fn what_cannot_take_its_place_leaves_the_one_that_has_it() {
    for steps in 1..=swap::STEPS.len() {
        let dir = tempfile::tempdir().unwrap();
        let before = written_beside(dir.path()).await;
        // It is the new one that would be missed.
        std::fs::remove_file(dir.path().join("store.restoring/db")).unwrap();
        let aside = swapped(dir.path(), steps);
        swap::back(dir.path(), &aside).unwrap();
        assert_eq!(everything(&open(dir.path())), before, "{steps} steps");
        assert_eq!(names(dir.path()), ["posbell.lock", "store"], "{steps} steps");
    }
}

#[tokio::test]
async fn what_was_in_place_before_goes_only_when_the_new_one_was_read_and_nothing_else_goes() {
    let dir = tempfile::tempdir().unwrap();
    let store = churned(dir.path(), 30).await;
    for name in ["store.before-compaction", "store.before-compaction.2", "store.before-compaction.kept", "store.form-2"]
    {
        std::fs::create_dir(dir.path().join(name)).unwrap();
    }
    drop(store);
    let store = open(dir.path());
    assert!(names(dir.path()).contains(&"store.before-compaction".to_owned()));
    store.whole().await.unwrap();
    store.tidy_up().await;
    let left = ["posbell.holder", "posbell.lock", "store", "store.before-compaction.kept", "store.form-2"];
    assert_eq!(names(dir.path()), left);
}

#[tokio::test]
async fn killed_between_any_two_steps_the_same_is_opened_and_nothing_is_left_behind() {
    for steps in 0..=swap::STEPS.len() {
        let dir = tempfile::tempdir().unwrap();
        let before = written_beside(dir.path()).await;
        swapped(dir.path(), steps);
        let store = open(dir.path());
        assert_eq!(everything(&store), before, "{steps} steps");
        store.commit(row(999, Some(vec![1]))).await.unwrap();
        store.tidy_up().await;
        drop(store);
        assert_eq!(names(dir.path()), ["posbell.lock", "store"], "{steps} steps");
    }
}

#[tokio::test]
async fn one_at_a_time_and_what_was_given_up_leaves_the_store_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let store = churned(dir.path(), 300).await;
    let noting = Noting::begin(store.inner.committer.changed()).unwrap();
    let second = store.compact().await;
    assert!(matches!(second, Err(StoreError::TooBusy)), "{second:?}");
    drop(noting);
    // Asked for, and no longer waited for.
    let mut asked = Box::pin(store.compact());
    drop(asked.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())));
    drop(asked);
    store.commit(row(1, Some(vec![9]))).await.unwrap();
    let before = everything(&store);
    while matches!(store.compact().await, Err(StoreError::TooBusy)) {
        tokio::task::yield_now().await;
    }
    assert_eq!(everything(&store), before);
}
