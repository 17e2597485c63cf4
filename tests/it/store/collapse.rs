//! Is a step of a catch-up whole or absent, and is what it collapses neither sent nor lost?

use std::collections::BTreeSet;

use posbell::domain::event::{Epoch, Event, Level, Scribe, ThresholdView};
use posbell::domain::model::Product;
use posbell::domain::outbox::{CATCH_UP_AFTER, Collapse, Delivery, Room, State, catch_up};
use posbell::edge::store::{Commit, DeliveryFilter, Store};

use super::{ALL, at, channel, deliveries, delivery, due, event, id, main_shop, open, sent};

/// The `counter`-th `stock.low` of the `n`-th product.
fn low(n: u64, counter: u64) -> Event {
    let product: Product = serde_json::from_str(&format!(
        r#"{{"id":"{}","code":null,"name":"ข้าวสาร","barcode":null,"category":null,"unit":null,"price":null,
            "cost":null,"quantity":2,"updated_at":null}}"#,
        id(n)
    ))
    .unwrap();
    let threshold = ThresholdView { level: Level::Low, below: None, rearm: None };
    let scribe = Scribe::new(main_shop(), "ร้าน", Epoch::from_random([7; 16]), at(0));
    scribe.stock_level(counter, &product, None, threshold)
}

/// Three states of product 1, one of product 2, and a sale, all planned at second 0.
async fn backlog(store: &Store) {
    for event in [low(1, 1), low(1, 2), low(2, 1), low(1, 3)] {
        let deliveries = vec![delivery("erp", &[&event], 0)];
        store.commit(Commit { events: vec![(at(0), event)], deliveries, ..Commit::default() }).await.unwrap();
    }
    store.commit(sent(9, 0)).await.unwrap();
}

async fn steps(store: &Store) -> Vec<Collapse> {
    let page = store.waiting_states(&channel("erp"), None, BTreeSet::new()).await.unwrap();
    catch_up(page.states, Room::FOR_PEOPLE, at(0) + CATCH_UP_AFTER)
}

async fn collapse(store: &Store, step: &Collapse) {
    store.commit(Commit { collapse: Some(step.clone()), ..Commit::default() }).await.unwrap();
}

fn ids(deliveries: &[Delivery]) -> BTreeSet<String> {
    deliveries.iter().map(|one| one.id.to_string()).collect()
}

#[tokio::test]
async fn the_digest_waits_and_what_it_stands_for_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    backlog(&store).await;
    let planned = steps(&store).await;
    let [step] = planned.as_slice() else { panic!("{planned:?}") };
    collapse(&store, step).await;
    drop(store);

    let store = open(dir.path());
    let digest = step.digest.clone().unwrap();
    assert_eq!(digest.events, [low(2, 1).id, low(1, 3).id]);
    let sale = delivery("erp", &[&event(9)], 0);
    assert_eq!(ids(&due(&store, 7200).await), ids(&[digest.clone(), sale]));
    let found = store.due(&channel("erp"), at(7200), ALL, |_| false).await.unwrap();
    let body = found.now.into_iter().find(|item| item.delivery.id == digest.id).unwrap().events;
    assert_eq!(body, [low(2, 1).to_json(), low(1, 3).to_json()]);
    let filter = DeliveryFilter { state: Some("delivered".to_owned()), limit: ALL, ..DeliveryFilter::default() };
    let collapsed = store.deliveries(filter).await.unwrap();
    assert_eq!(collapsed.len(), 4);
    assert!(collapsed.iter().all(|one| one.collapsed_into.as_ref() == Some(&digest.id)));
    assert_eq!(steps(&store).await, []);
}

#[tokio::test]
async fn a_step_is_void_when_anything_of_it_has_changed_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    backlog(&store).await;
    let step = steps(&store).await.remove(0);
    let (before, _) = step.settled[0].clone();
    let dropped = Delivery { state: State::Dead { at: at(1) }, ..before.clone() };
    store.commit(Commit { settled: vec![(before, dropped)], ..Commit::default() }).await.unwrap();
    let stored = deliveries(&store).await;
    collapse(&store, &step).await;
    assert_eq!(deliveries(&store).await, stored);
    assert_eq!(due(&store, 7200).await.len(), 4);
}

#[tokio::test]
async fn a_step_is_void_when_its_message_was_planned_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    backlog(&store).await;
    let step = steps(&store).await.remove(0);
    let digest = step.digest.clone().unwrap();
    let sent = Delivery { state: State::Delivered { at: at(1) }, ..digest };
    store.commit(Commit { deliveries: vec![sent], ..Commit::default() }).await.unwrap();
    collapse(&store, &step).await;
    assert_eq!(due(&store, 7200).await.len(), 5, "what would be collapsed into a message of the past is sent itself");
}

#[tokio::test]
async fn what_is_under_way_and_what_can_never_be_overtaken_is_not_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    backlog(&store).await;
    let busy = delivery("erp", &[&low(1, 2)], 0).id;
    let page = store.waiting_states(&channel("erp"), None, [busy.clone()].into()).await.unwrap();
    let found: Vec<_> = page.states.iter().map(|one| one.delivery.id.clone()).collect();
    let expected = [low(1, 1), low(2, 1), low(1, 3)].map(|event| delivery("erp", &[&event], 0).id);
    assert_eq!(found, expected);
    assert!(page.next.is_none());
}
