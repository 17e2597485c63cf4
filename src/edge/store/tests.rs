//! What can be shown only from the inside: what is not durable yet, and what another version or a fault leaves behind.

use std::path::Path;

use super::commit::{Numbers, apply};
use super::{Commit, DeliveryFilter, EventFilter, Store};
use crate::domain::event::{Epoch, Event, Scribe};
use crate::domain::model::{ChannelName, ShopId, Timestamp};
use crate::domain::outbox::{Address, Delivery};

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
    let mut numbers = Numbers::stored(&store.inner.tree).expect("has numbers");
    let id = sent(2).deliveries[0].id.clone();
    apply(&store.inner.tree, &mut numbers, sent(2)).expect("applies");
    let events = EventFilter { limit: 9, ..EventFilter::default() };
    assert_eq!(store.events(events).await.expect("reads").len(), 1);
    assert_eq!(store.event(&event(2).id).await.expect("reads"), None);
    let deliveries = DeliveryFilter { limit: 9, ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(deliveries).await.expect("reads").len(), 1);
    assert_eq!(store.delivery(id).await.expect("reads"), None);
    assert_eq!(store.due(&channel(), now(), 9, |_| false).await.expect("reads").now.len(), 1);
}
