//! Does a data directory still hold what it must, and does each part of it agree with the others?

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use posbell::domain::event::EventId;
use posbell::domain::model::{ChannelName, Timestamp};
use posbell::edge::store::{DeliveryFilter, EventFilter, Store, StoreError};
use posbell::service::clock::Clock;

/// More than any listing here has.
const ALL: usize = 1_000_000;

/// Fails with what is wrong. `told` has what must be there, to the byte; where that is nothing, there may be no store.
pub async fn check(dir: &Path, told: &BTreeMap<EventId, String>) -> Result<(), String> {
    let open = || match told.is_empty() {
        true => Store::open_or_create(dir, Clock::default().new_epoch()),
        false => Store::open_existing(dir),
    };
    let store = patiently(open).map_err(|error| format!("does not open: {error}"))?;
    listings(&store, told).await.map_err(|error| format!("cannot be read: {error}"))??;
    drop(store);
    keys(&dir.join("store"))
}

/// Opens again while it is locked. A process that another test starts has all the locks of this one for as long as it
/// takes it to become another program; the service starts none.
fn patiently(open: impl Fn() -> Result<Store, StoreError>) -> Result<Store, StoreError> {
    for _attempt in 0..100_000 {
        match open() {
            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
            opened => return opened,
        }
    }
    open()
}

/// What anyone is shown.
async fn listings(store: &Store, told: &BTreeMap<EventId, String>) -> Result<Result<(), String>, StoreError> {
    let events = store.events(EventFilter { limit: ALL, ..EventFilter::default() }).await?;
    let by_id: BTreeMap<EventId, &String> = events.iter().map(|(_, json)| (id_of(json), json)).collect();
    if by_id.len() != events.len() {
        return Ok(Err("an event is listed twice".to_owned()));
    }
    for (id, json) in told {
        match by_id.get(id) {
            None => return Ok(Err(format!("{id} was told and is gone"))),
            Some(other) if *other != json => return Ok(Err(format!("{id} stands for {json} and for {other}"))),
            Some(_) => {}
        }
    }
    let deliveries = store.deliveries(DeliveryFilter { limit: ALL, ..DeliveryFilter::default() }).await?;
    for delivery in &deliveries {
        if let Some(lost) = delivery.events.iter().find(|id| !by_id.contains_key(id)) {
            return Ok(Err(format!("delivery {} has lost its event {lost}", delivery.id)));
        }
    }
    let delivered: BTreeSet<&EventId> = deliveries.iter().flat_map(|delivery| &delivery.events).collect();
    if let Some(lost) = told.keys().find(|id| !delivered.contains(id)) {
        return Ok(Err(format!("{lost} has lost its delivery")));
    }
    let waiting: BTreeSet<_> =
        deliveries.iter().filter(|one| one.state.due_at().is_some()).map(|one| &one.id).collect();
    let receiver = ChannelName::new("receiver").unwrap();
    let due = store.due(&receiver, Timestamp::MAX_UTC, ALL, |_| false).await?;
    let queued: BTreeSet<_> = due.now.iter().map(|due| &due.delivery.id).collect();
    if waiting != queued || due.unreadable > 0 {
        return Ok(Err(format!("{waiting:?} wait and {queued:?} are in the queue")));
    }
    Ok(Ok(()))
}

/// The first byte of a row with a head.
const HEAD: u8 = 4;

/// What the listings do not show: that every index points somewhere, and that nothing stands above the next numbers.
fn keys(store: &Path) -> Result<(), String> {
    // A thread of the store that was closed may still have the lock for a moment.
    std::fs::File::open(store.join("db")).and_then(|db| db.lock()).map_err(|error| error.to_string())?;
    let db = sled::Config::new().path(store).cache_capacity(1 << 20).open().map_err(|error| error.to_string())?;
    let all: BTreeMap<Vec<u8>, Vec<u8>> = db
        .range(.."\u{7f}")
        .map(|entry| entry.map(|(key, value)| (key.to_vec(), value.to_vec())))
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    let numbers = &all[&b"m/numbers"[..]];
    let below = |table: &'static [u8]| {
        let rows = all.range(table.to_vec()..).take_while(move |(key, _)| key.starts_with(table));
        rows.map(move |(key, value)| (&key[table.len()..], &value[..]))
    };
    for (table, index, next) in [(&b"e/"[..], &b"i/"[..], &numbers[..8]), (b"d/", b"j/", &numbers[8..])] {
        let rows: BTreeSet<&[u8]> = below(table).map(|(number, _)| number).collect();
        let indexed: BTreeSet<&[u8]> = below(index).map(|(_, number)| number).collect();
        if rows != indexed {
            return Err(format!("{} rows and {} entries of their index", rows.len(), indexed.len()));
        }
        if rows.last().is_some_and(|last| *last >= next) {
            return Err(format!("{:?} stands above the next number {next:?}", rows.last()));
        }
    }
    for (key, _) in below(b"q/") {
        let number = &key[key.len() - 8..];
        if !all.contains_key(&[b"d/", number].concat()) {
            return Err(format!("delivery {number:?} is due and is gone"));
        }
    }
    // Each row of a long list has its head.
    let listed = |key: &[u8]| ["/transactions/", "/credit/"].iter().all(|one| !contains(key, one.as_bytes()));
    let headless = below(b"r/").filter(|(key, row)| listed(key) && row.first() != Some(&HEAD)).count();
    if headless > 0 {
        return Err(format!("{headless} rows without heads"));
    }
    Ok(())
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The id of an event; the rest of it is compared as text.
pub fn id_of(json: &str) -> EventId {
    #[derive(serde::Deserialize)]
    struct Id {
        id: EventId,
    }
    serde_json::from_str::<Id>(json).expect("is an event").id
}
