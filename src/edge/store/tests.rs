//! What can be shown only from the inside: what is not durable yet, and what another version or a fault leaves behind.

use std::path::Path;

use super::commit::{Gather, Gathering, Numbers, batch_of};
use super::engine::{Batch, Bytes};
use super::waiting::Waiting;
use super::{Commit, DeliveryFilter, EventFilter, Store, StoreError, keys};
use crate::domain::disk::DiskFault;
use crate::domain::event::{Epoch, Event, Scribe, Severity};
use crate::domain::model::{ChannelName, Resource, ShopId, Timestamp};
use crate::domain::outbox::{Address, Delivery, State};

fn open(dir: &Path) -> Store {
    Store::open_or_create(dir, Epoch::from_random([7; 16])).expect("opens")
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000, 0).expect("is in range")
}

fn channel() -> ChannelName {
    ChannelName::new("erp").expect("is a name")
}

fn event(counter: u64) -> Event {
    let shop = ShopId::new("main").expect("is an id");
    Scribe::new(shop, "ร้าน", Epoch::from_random([7; 16]), now()).key_rejected(counter, 401)
}

/// Writes past every rule, and takes over: the store's own commits are refused from then on.
fn write(store: &Store, key: &[u8], value: Option<&[u8]>) {
    let mut batch = Batch::default();
    match value {
        Some(value) => batch.insert(key, Bytes::from(value)),
        None => batch.remove(key),
    }
    let written = store.inner.engine.with(|engine| engine.apply(engine.take_over()?, &batch));
    written.expect("writes");
}

/// An event and its delivery.
fn sent(counter: u64) -> Commit {
    let event = event(counter);
    let address = Address { channel: channel(), recipient: None };
    let delivery = Delivery::new(address, event.shop.clone(), "all".to_owned(), vec![event.id.clone()], now());
    Commit { events: vec![(now(), event)], deliveries: vec![delivery], ..Commit::default() }
}

#[tokio::test]
async fn what_is_not_synced_is_neither_sent_nor_listed() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    store.commit(sent(1)).await.expect("commits");
    let id = sent(2).deliveries[0].id.clone();
    let engine = &store.inner.engine;
    let mut numbers = engine.with(|engine| Numbers::stored(engine)).expect("has numbers");
    let applied = engine.with(|engine| {
        let batch = batch_of(engine, &mut numbers, &mut Waiting::default(), sent(2))?;
        engine.apply(engine.take_over()?, &batch)
    });
    applied.expect("applies");
    let events = EventFilter { limit: 9, ..EventFilter::default() };
    assert_eq!(store.events(events).await.expect("reads").len(), 1);
    assert_eq!(store.event(&event(2).id).await.expect("reads"), None);
    let deliveries = DeliveryFilter { limit: 9, ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(deliveries).await.expect("reads").len(), 1);
    assert_eq!(store.delivery(id).await.expect("reads"), None);
    assert_eq!(store.due(&channel(), now(), 9, |_| false).await.expect("reads").now.len(), 1);
}

#[tokio::test]
async fn what_is_critical_and_was_put_in_without_queues_is_sent_once() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    let mut commit = sent(1);
    commit.deliveries[0].severity = Severity::Critical;
    store.commit(commit).await.expect("commits");
    let [own, old] = keys::Lane::ALL.map(|lane| keys::due(&channel(), lane, now(), 0));
    write(&store, &own, None);
    write(&store, &old, Some(&[]));
    drop(store);

    let store = open(dir.path());
    let before = store.due(&channel(), now(), 9, |_| false).await.expect("reads").now.remove(0).delivery;
    let after = Delivery { state: State::Retrying { due_at: now() }, ..before.clone() };
    store.commit(Commit { settled: vec![(before, after)], ..Commit::default() }).await.expect("commits");
    let due = store.due(&channel(), now(), 9, |_| false).await.expect("reads").now;
    assert_eq!(due.len(), 1);
    assert_eq!(store.outbox_counts().await.expect("reads").waiting["erp"], 1);
}

/// Every call, by name, with how it failed.
async fn failures(store: &Store) -> Vec<(&'static str, Option<StoreError>)> {
    let (shop, resource) = (ShopId::new("main").expect("is an id"), Resource::Stock);
    vec![
        ("commit", store.commit(Commit::default()).await.err()),
        ("check", store.check().await.err()),
        ("known", store.known::<u64>(&shop, resource).await.err()),
        ("resource", store.resource(&shop, resource).await.err()),
        ("leftovers", store.leftovers(&shop, resource).await.err()),
        ("guard", store.guard(&shop, resource).await.err()),
        ("all_held", store.all_held().await.err()),
        ("shop", store.shop(&shop).await.err()),
        ("event", store.event(&event(1).id).await.err()),
        ("events", store.events(EventFilter::default()).await.err()),
        ("deliveries", store.deliveries(DeliveryFilter::default()).await.err()),
        ("delivery", store.delivery(sent(1).deliveries[0].id.clone()).await.err()),
        ("due", store.due(&channel(), now(), 9, |_| false).await.err()),
        ("prune", store.prune(now()).await.err()),
        ("outbox_counts", store.outbox_counts().await.err()),
        ("waiting_channels", store.waiting_channels().await.err()),
        ("copy", store.copy(now()).await.err()),
        ("export", store.export_page(0..9, EventFilter::default()).await.err()),
    ]
}

#[track_caller]
fn all_closed(failures: Vec<(&'static str, Option<StoreError>)>, because: &str) {
    for (call, failure) in failures {
        let is_closed = matches!(&failure, Some(StoreError::Closed { why, .. }) if why.contains(because));
        assert!(is_closed, "{call}: {failure:?}");
    }
}

#[tokio::test]
async fn after_a_panic_every_call_says_that_the_store_is_closed_and_why() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    store.commit(sent(1)).await.expect("commits");
    let other = store.clone();
    let died = store.due(&channel(), now(), 9, |_| panic!("as sled does")).await.map(drop);
    assert!(matches!(died, Err(StoreError::Damaged(_))), "{died:?}");
    all_closed(failures(&other).await, "panicked");
    drop((store, other));
    open(dir.path()).check().await.expect("answers again once it is opened again");
}

#[tokio::test]
async fn after_an_error_of_sled_every_call_says_that_the_store_is_closed_and_why() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    let full = || ::sled::Error::Io(std::io::ErrorKind::StorageFull.into());
    let failed = store.reading(move |_| Err::<(), _>(full().into())).await;
    assert!(matches!(failed, Err(StoreError::Disk(DiskFault::Full))), "{failed:?}");
    all_closed(failures(&store).await, "no space is left");
}

#[tokio::test]
async fn after_a_failed_commit_every_call_says_that_the_store_is_closed_and_nobody_waits_for_ever() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    store.commit(sent(1)).await.expect("commits");
    let delivery = sent(1).deliveries.remove(0);
    write(&store, &keys::numbered(keys::DELIVERIES, 0), Some(b"garbage"));
    let settle = || Commit { settled: vec![(delivery.clone(), delivery.clone())], ..Commit::default() };
    let together = tokio::join!(store.commit(settle()), store.commit(sent(2)), store.commit(sent(3)));
    assert!(matches!(together.0, Err(StoreError::Unreadable(_))), "{together:?}");
    assert!(together.1.is_err() && together.2.is_err(), "{together:?}");
    all_closed(failures(&store).await, "cannot be read");
}

#[tokio::test]
async fn one_record_that_cannot_be_read_does_not_close_the_store() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    store.commit(sent(1)).await.expect("commits");
    write(&store, &keys::numbered(keys::EVENTS, 0), Some(b"garbage"));
    drop(store);
    let store = open(dir.path());
    let read = store.event(&event(1).id).await;
    assert!(matches!(read, Err(StoreError::Unreadable(_))), "{read:?}");
    store.commit(sent(2)).await.expect("commits");
}

#[test]
fn a_store_of_a_newer_form_is_refused_and_not_touched() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    write(&store, keys::FORM, Some(b"4"));
    drop(store);
    for _attempt in 1..=2 {
        let opened = Store::open_existing(dir.path()).map(drop);
        assert!(matches!(opened, Err(StoreError::Newer { found: 4, known: 3 })), "{opened:?}");
    }
}

#[test]
fn a_store_that_has_lost_what_says_whose_it_is_is_refused() {
    for lost in [keys::FORM, keys::EPOCH, keys::NUMBERS] {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let store = open(dir.path());
        write(&store, lost, None);
        drop(store);
        let opened = Store::open_or_create(dir.path(), Epoch::from_random([9; 16])).map(drop);
        assert!(matches!(opened, Err(StoreError::Damaged(_))), "{opened:?}");
    }
}

#[test]
fn a_kill_before_the_mark_leaves_a_store_that_opens_and_gets_it() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    drop(open(dir.path()));
    let mark = dir.path().join("store/posbell.made");
    std::fs::remove_file(&mark).expect("was written");
    let store = Store::open_existing(dir.path()).expect("opens");
    assert_eq!(store.epoch(), &Epoch::from_random([7; 16]));
    assert!(mark.exists());
}

#[tokio::test]
async fn a_promise_holds_from_its_first_events_on_until_it_is_kept_and_one_of_an_earlier_version_is_read() {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let store = open(dir.path());
    let shop = ShopId::new("main").expect("is an id");
    let promise = |counters: &[u64], gather| Commit {
        events: counters.iter().map(|counter| (now(), event(*counter))).collect(),
        gather: Some((shop.clone(), Resource::Stock, gather)),
        ..Commit::default()
    };
    let stands = async || store.gathering(&shop, Resource::Stock).await.expect("reads");
    assert_eq!(stands().await, None);
    let address = Address { channel: channel(), recipient: None };
    let delivery = Delivery::new(address, shop.clone(), "all".to_owned(), vec![event(1).id], now());
    let sent = Commit { events: vec![(now(), event(1))], deliveries: vec![delivery], ..Commit::default() };
    store.commit(sent).await.expect("commits");
    store.commit(promise(&[2, 3], Gather::Begin)).await.expect("commits");
    store.commit(promise(&[4], Gather::Begin)).await.expect("commits");
    assert_eq!(stands().await, Some(Gathering { event: 1, delivery: 1 }), "where it began");
    assert_eq!(store.gathering(&shop, Resource::Credit).await.expect("reads"), None);
    store.commit(promise(&[], Gather::End)).await.expect("commits");
    assert_eq!(stands().await, None);
    assert_eq!(Gathering::read(&7_u64.to_be_bytes()), Some(Gathering { event: 7, delivery: 0 }));
}
