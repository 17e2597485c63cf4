//! Does the store keep what it acknowledged, whole, and nothing else?
//!
//! Each part has a file of its own. What they share is here: commits that can be told apart by a number, so that a
//! test can ask of each of its parts whether it is there.

mod acts;
mod collapse;
mod commits;
mod credits;
mod damage;
mod failed;
mod guard;
mod kill;
mod log;
mod older;
mod opening;
mod outbox;
mod prune;
mod sweep;

use std::path::Path;

use posbell::domain::diff::Known;
use posbell::domain::event::{Epoch, Event, Scribe};
use posbell::domain::model::{ChannelName, EntityId, Resource, Sale, ShopId, Timestamp};
use posbell::domain::outbox::{Address, Delivery};
use posbell::edge::store::{Commit, DeliveryFilter, EventFilter, ResourceRecord, Store, StoreError};

/// More than any listing here has.
const ALL: usize = 1_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn open(dir: &Path) -> Store {
    patiently(|| Store::open_or_create(dir, Epoch::from_random([7; 16]))).unwrap()
}

/// Opens again while it is locked. A process that another test starts has all the locks of this one for as long as it
/// takes it to become another program; the service starts none.
fn patiently(open: impl Fn() -> Result<Store, StoreError>) -> Result<Store, StoreError> {
    let locked = |opened: &Result<Store, StoreError>| matches!(opened, Err(StoreError::Locked { .. }));
    for _attempt in 0..100_000 {
        let opened = open();
        if !locked(&opened) {
            return opened;
        }
        std::thread::yield_now();
    }
    open()
}

fn main_shop() -> ShopId {
    ShopId::new("main").unwrap()
}

fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

fn id(n: u64) -> EntityId {
    EntityId::new(format!("{n:024x}")).unwrap()
}

/// The `sale.created` of the `n`-th sale of a shop.
fn event_of(shop: &str, n: u64) -> Event {
    let sale: Sale = serde_json::from_str(&format!(
        r#"{{"id":"{}","code":"TR{n}","receipt":null,"status":"success","sold_at":"2026-11-23T03:00:00Z",
            "cancelled_at":null,"subtotal":161.10,"discount":0.00,"total":161.10,"currency":"THB","comment":"ขอบคุณ",
            "staff":null,"member":null,"payments":[],"lines":[]}}"#,
        id(n)
    ))
    .unwrap();
    Scribe::new(ShopId::new(shop).unwrap(), "ร้าน", Epoch::from_random([7; 16]), at(0)).sale_created(&sale)
}

fn event(n: u64) -> Event {
    event_of("main", n)
}

/// A delivery of these events, planned and due at `seconds`.
fn delivery(name: &str, events: &[&Event], seconds: i64) -> Delivery {
    let address = Address { channel: channel(name), recipient: None };
    let events = events.iter().map(|event| event.id.clone()).collect();
    Delivery::new(address, main_shop(), "all".to_owned(), events, at(seconds))
}

/// Commit `n`: a row, an event, its delivery and the cursor, each of which says `n`.
fn numbered(n: u64) -> Commit {
    let event = event(n);
    let seconds = i64::try_from(n).unwrap();
    Commit {
        rows: vec![(main_shop(), Resource::Stock, id(n), Some(Store::row(&n).unwrap()))],
        deliveries: vec![delivery("erp", &[&event], seconds)],
        events: vec![(at(seconds), event)],
        resource: Some((main_shop(), Resource::Stock, record(n))),
        ..Commit::default()
    }
}

/// A cursor that says `n`.
fn record(n: u64) -> ResourceRecord {
    ResourceRecord {
        baseline_at: at(0),
        passed_at: at(0),
        horizon: None,
        fields: String::new(),
        rows: n,
        measure: String::new(),
        calls: 1,
        unreadable: 0,
    }
}

/// A commit of one event without anything else.
fn told(n: u64, seconds: i64) -> Commit {
    Commit { events: vec![(at(seconds), event(n))], ..Commit::default() }
}

/// A commit of one event with one delivery to `erp`.
fn sent(n: u64, seconds: i64) -> Commit {
    let event = event(n);
    Commit {
        deliveries: vec![delivery("erp", &[&event], seconds)],
        events: vec![(at(seconds), event)],
        ..Commit::default()
    }
}

async fn rows(store: &Store) -> Vec<u64> {
    match store.known::<u64>(&main_shop(), Resource::Stock).await.unwrap() {
        Known::Nothing => Vec::new(),
        Known::Rows { rows, .. } => rows.into_values().collect(),
    }
}

/// The log: numbers and JSON, oldest first.
async fn events(store: &Store) -> Vec<(u64, String)> {
    store.events(EventFilter { limit: ALL, ..EventFilter::default() }).await.unwrap()
}

async fn deliveries(store: &Store) -> Vec<Delivery> {
    store.deliveries(DeliveryFilter { limit: ALL, ..DeliveryFilter::default() }).await.unwrap()
}

/// The ids of what is due for `erp` at `seconds`.
async fn due(store: &Store, seconds: i64) -> Vec<Delivery> {
    let due = store.due(&channel("erp"), at(seconds), ALL, |_| false).await.unwrap();
    due.now.into_iter().map(|item| item.delivery).collect()
}
