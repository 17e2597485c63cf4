//! Is only forgotten what is old, finished and needed by nobody?

use posbell::domain::outbox::{Act, Delivery, State};
use posbell::edge::store::{Commit, EventFilter, Store};

use super::{ALL, at, channel, deliveries, delivery, due, event, events, numbered, open, rows, sent, told};

async fn settle(store: &Store, before: &Delivery, state: State) {
    let after = Delivery { state, ..before.clone() };
    store.commit(Commit { settled: vec![(before.clone(), after)], ..Commit::default() }).await.unwrap();
}

async fn numbers(store: &Store) -> Vec<u64> {
    events(store).await.into_iter().map(|(number, _)| number).collect()
}

#[tokio::test]
async fn only_what_is_old_and_finished_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    // Event and delivery n are of second n.
    for n in 0..6 {
        store.commit(sent(n, n.try_into().unwrap())).await.unwrap();
    }
    let planned = deliveries(&store).await;
    settle(&store, &planned[0], State::Delivered { at: at(1) }).await;
    settle(&store, &planned[1], State::Dead { at: at(2) }).await;
    settle(&store, &planned[2], State::Dead { at: at(100) }).await;
    settle(&store, &planned[3], State::Retrying { due_at: at(200) }).await;
    settle(&store, &planned[5], State::Delivered { at: at(6) }).await;
    assert_eq!(store.prune(at(5)).await.unwrap(), (2, 2));
    drop(store);
    for _opening in 1..=2 {
        let store = open(dir.path());
        let left: Vec<_> = deliveries(&store).await.into_iter().map(|delivery| delivery.id).collect();
        assert_eq!(left, [2, 3, 4, 5].map(|n: usize| planned[n].id.clone()));
        assert_eq!(numbers(&store).await, [2, 3, 4, 5]);
        assert_eq!(store.event(&event(0).id).await.unwrap(), None);
        assert_eq!(store.delivery(planned[1].id.clone()).await.unwrap(), None);
        assert_eq!(store.outbox_counts().await.unwrap().dead, 1);
        assert_eq!(store.prune(at(5)).await.unwrap(), (0, 0));
    }
}

#[tokio::test]
async fn a_delivery_that_has_only_just_died_is_kept_however_old_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(sent(1, 0)).await.unwrap();
    let planned = due(&store, 0).await.remove(0);
    // The machine was off for longer than finished deliveries are kept; the first attempt was the last.
    settle(&store, &planned, State::Dead { at: at(10_000) }).await;
    assert_eq!(store.prune(at(9_000)).await.unwrap(), (0, 0));
    assert_eq!(store.outbox_counts().await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_dead_letter_can_be_tried_again_after_its_event_has_grown_old() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(sent(1, 0)).await.unwrap();
    let planned = due(&store, 0).await.remove(0);
    settle(&store, &planned, State::Dead { at: at(100) }).await;
    store.prune(at(50)).await.unwrap();
    let acts = vec![(planned.id, Act::Retry, at(200))];
    store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    store.prune(at(150)).await.unwrap();
    let due = store.due(&channel("erp"), at(200), ALL, |_| false).await.unwrap();
    assert_eq!(due.now[0].events, [event(1).to_json()]);
}

#[tokio::test]
async fn an_event_stays_as_long_as_one_of_its_deliveries_waits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let commit =
        Commit { deliveries: vec![delivery("erp", &[&event(1)], 0), delivery("owner", &[&event(1)], 0)], ..told(1, 0) };
    store.commit(commit).await.unwrap();
    let planned = deliveries(&store).await;
    settle(&store, &planned[0], State::Delivered { at: at(1) }).await;
    assert_eq!(store.prune(at(10)).await.unwrap(), (1, 0));
    settle(&store, &planned[1], State::Delivered { at: at(2) }).await;
    assert_eq!(store.prune(at(10)).await.unwrap(), (1, 1));
}

#[tokio::test]
async fn one_entry_from_the_future_does_not_keep_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for (n, seconds) in [(0, 1), (1, 1_000_000), (2, 2)] {
        store.commit(sent(n, seconds)).await.unwrap();
    }
    for planned in deliveries(&store).await {
        let ended = planned.created_at;
        settle(&store, &planned, State::Delivered { at: ended }).await;
    }
    // The clock was ahead when 1 was written.
    assert_eq!(store.prune(at(10)).await.unwrap(), (2, 2));
    assert_eq!(numbers(&store).await, [1]);
}

#[tokio::test]
async fn an_unfinished_delivery_behind_one_from_the_future_keeps_its_event() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(Commit { deliveries: vec![delivery("erp", &[&event(1)], 1_000_000)], ..told(1, 0) }).await.unwrap();
    store.commit(sent(2, 0)).await.unwrap();
    assert_eq!(store.prune(at(10)).await.unwrap(), (0, 0));
    assert_eq!(due(&store, 1_000_000).await.len(), 2);
}

#[tokio::test]
async fn many_are_forgotten_as_well_as_few_and_the_rest_can_be_listed() {
    const OLD: u64 = 450;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for first in (0..OLD).step_by(50) {
        let events: Vec<_> = (first..first + 50).map(event).collect();
        let finished = |event| Delivery { state: State::Delivered { at: at(1) }, ..delivery("erp", &[event], 0) };
        let deliveries = events.iter().map(finished).collect();
        let events = events.into_iter().map(|event| (at(0), event)).collect();
        store.commit(Commit { events, deliveries, ..Commit::default() }).await.unwrap();
    }
    store.commit(numbered(1_000)).await.unwrap();
    let count = usize::try_from(OLD).unwrap();
    assert_eq!(store.prune(at(10)).await.unwrap(), (count, count));
    assert_eq!(numbers(&store).await, [OLD]);
    assert_eq!(deliveries(&store).await, numbered(1_000).deliveries);
    assert_eq!(rows(&store).await, [1_000]);
}

#[tokio::test]
async fn numbers_go_on_after_all_events_were_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..3 {
        store.commit(told(n, 0)).await.unwrap();
    }
    store.prune(at(10)).await.unwrap();
    drop(store);
    let store = open(dir.path());
    store.commit(told(7, 20)).await.unwrap();
    let after = EventFilter { after: Some(2), limit: ALL, ..EventFilter::default() };
    assert_eq!(store.events(after).await.unwrap(), [(3, event(7).to_json())]);
}
