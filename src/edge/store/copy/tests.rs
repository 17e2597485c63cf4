//! A copy is of one moment, whatever is committed while it is taken.

use std::collections::BTreeMap;

use super::super::engine::Batch;
use super::super::engine::model::Model;
use super::super::{Commit, keys};
use super::form::Reader;
use super::keep::Copying;
use super::*;
use crate::domain::event::{Epoch, Scribe};
use crate::domain::model::{EntityId, Resource, ShopId};

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000, 0).unwrap()
}

fn open(dir: &std::path::Path) -> Store {
    Store::open_or_create(dir, Epoch::from_random([7; 16])).unwrap()
}

fn row(id: usize, value: Option<Vec<u8>>) -> Commit {
    let id = EntityId::new(format!("{id:06}")).unwrap();
    Commit { rows: vec![(ShopId::new("main").unwrap(), Resource::Credit, id, value)], ..Commit::default() }
}

fn everything(store: &Store) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let all = |engine: &dyn Engine| {
        engine.scan(Span::all()).map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec()))).collect()
    };
    store.inner.engine.with(all).unwrap()
}

/// Takes the rest of a copy, with something done between every two pieces.
async fn taken(copy: &mut StoreCopy, mut between: impl AsyncFnMut(usize)) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pieces = 0;
    while let Some(piece) = copy.next().await.unwrap() {
        bytes.extend(piece);
        between(pieces).await;
        pieces += 1;
    }
    let mut reader = Reader::new(&bytes[..]).unwrap();
    let mut records = BTreeMap::new();
    while let Some(more) = reader.next().unwrap() {
        records.extend(more);
    }
    assert_eq!(reader.contents().unwrap().records, records.len() as u64);
    records
}

#[tokio::test]
async fn what_is_changed_added_and_removed_before_and_behind_the_copy_is_as_it_was_when_it_began() {
    const ROWS: usize = 3_000;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for id in (0..ROWS).step_by(2) {
        store.commit(row(id, Some(vec![b'1'; 100]))).await.unwrap();
    }
    let before = everything(&store);
    let mut copy = store.copy(now()).await.unwrap();
    let records = taken(&mut copy, async |piece| {
        // All over the keys: even ones are there and odd ones are not.
        for step in 0..60 {
            let id = (piece * 37 + step * 53) % ROWS;
            let value = (step % 3 != 0).then(|| vec![b'2'; 120]);
            store.commit(row(id, value)).await.unwrap();
        }
    })
    .await;
    assert_ne!(everything(&store), before, "much was changed meanwhile");
    assert_eq!(records, before);
    // Given up or taken to its end, it makes place for the next.
    drop(copy);
    let mut next = store.copy(now()).await.unwrap();
    assert_eq!(taken(&mut next, async |_| {}).await, everything(&store));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_commits_never_end_no_copy_has_one_of_them_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let shop = || ShopId::new("main").unwrap();
    // Each commit moves one from row to row and writes an event: the sum stays, and events are as many as commits.
    let moved = move |n: usize, from: u64, to: u64| {
        let rows = [(n * 7 % 400, from), (400 + n * 11 % 400, to)];
        let rows = rows.map(|(id, value)| {
            let id = EntityId::new(format!("{id:06}")).unwrap();
            (shop(), Resource::Credit, id, Some(value.to_string().into_bytes()))
        });
        let event = Scribe::new(shop(), "ร้าน", Epoch::from_random([7; 16]), now()).key_rejected(n as u64, 401);
        Commit { rows: rows.into(), events: vec![(now(), event)], ..Commit::default() }
    };
    let mut values = vec![1_000_u64; 800];
    for id in 0..800 {
        store.commit(row(id, Some(b"1000".to_vec()))).await.unwrap();
    }
    let (end, mut ended) = tokio::sync::oneshot::channel::<()>();
    let writing = {
        let store = store.clone();
        #[expect(clippy::disallowed_methods, reason = "somebody who writes while others copy")]
        tokio::spawn(async move {
            let mut n = 0;
            while ended.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
                let (from, to) = (n * 7 % 400, 400 + n * 11 % 400);
                values[from] -= u64::from(values[from] > 0);
                values[to] += 1;
                if values[from] == 0 {
                    break;
                }
                store.commit(moved(n, values[from], values[to])).await.unwrap();
                n += 1;
            }
            n
        })
    };
    let mut seen = Vec::new();
    for _copy in 0..40 {
        let mut copy = store.copy(now()).await.unwrap();
        let records = taken(&mut copy, async |_| tokio::task::yield_now().await).await;
        let table = |prefix: &'static [u8]| records.iter().filter(move |(key, _)| key.starts_with(prefix));
        let sum: u64 = table(b"r/").map(|(_, value)| String::from_utf8_lossy(value).parse::<u64>().unwrap()).sum();
        assert_eq!(sum, 800_000, "a commit is there in part");
        let events = table(keys::EVENTS).count();
        assert_eq!(events, table(b"i/").count(), "an event without its id, or an id without its event");
        assert_eq!(records[keys::NUMBERS][..8], (events as u64).to_be_bytes(), "numbers and events");
        seen.push(events);
    }
    end.send(()).unwrap();
    let commits = writing.await.unwrap();
    seen.dedup();
    assert!(seen.len() > 20 && seen.is_sorted(), "too little was committed meanwhile: {commits}, {seen:?}");
}

#[tokio::test]
async fn there_is_one_copy_at_a_time_and_one_that_nobody_wants_any_more_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let copy = store.copy(now()).await.unwrap();
    assert!(matches!(store.copy(now()).await.map(drop), Err(StoreError::CopyUnderWay)));
    drop(copy);
    // Asked for and forgotten before it began.
    drop(Box::pin(store.copy(now())));
    let mut asked = Box::pin(store.copy(now()));
    let waker = std::task::Waker::noop();
    drop(asked.as_mut().poll(&mut std::task::Context::from_waker(waker)));
    drop(asked);
    store.commit(Commit::default()).await.unwrap();
    store.copy(now()).await.expect("the one before has ended");
}

#[test]
fn what_is_kept_has_a_limit_and_only_the_copy_fails_of_it() {
    let engine = Model::default();
    let fence = engine.take_over().unwrap();
    let copying = Arc::new(Copying::default());
    let under_way = Copying::begin(&copying).unwrap();
    let mut write = |n: u32| {
        let mut batch = Batch::default();
        batch.insert(n.to_be_bytes(), vec![0; 100_000]);
        copying.keep(&engine, &batch).unwrap();
        engine.apply(fence, &batch).unwrap();
    };
    (0..400).for_each(&mut write);
    assert!(under_way.as_it_was(Vec::new(), Some(&[0])).is_ok(), "new keys take hardly any place");
    drop(under_way);
    let under_way = Copying::begin(&copying).unwrap();
    let mut write = |n: u32| {
        let mut batch = Batch::default();
        batch.insert(n.to_be_bytes(), b"1");
        copying.keep(&engine, &batch).unwrap();
        engine.apply(fence, &batch).unwrap();
    };
    (0..300).for_each(&mut write);
    assert!(under_way.as_it_was(Vec::new(), Some(&[0])).is_ok());
    (300..400).for_each(&mut write);
    assert!(matches!(under_way.as_it_was(Vec::new(), Some(&[0])), Err(StoreError::CopyTooSlow)));
    drop(under_way);
    assert!(Copying::begin(&copying).is_ok(), "the next one begins anew");
}
