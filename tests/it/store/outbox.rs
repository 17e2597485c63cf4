//! Is what is due told in the order of time, and does a settled delivery move to where it belongs?

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::domain::event::Severity;
use posbell::domain::outbox::{Delivery, Outcome, Reason, RetryPolicy, State};
use posbell::edge::store::{Commit, DeliveryFilter, Store, When};

use super::{ALL, at, channel, deliveries, delivery, due, event, open, sent};

/// A store with deliveries of the events 0, 1, 2 … to `erp`, planned in this order and due at these seconds.
async fn waiting(store: &Store, seconds: &[i64]) {
    for (n, seconds) in (0..).zip(seconds) {
        store.commit(sent(n, *seconds)).await.unwrap();
    }
}

async fn settle(store: &Store, before: &Delivery, state: State) -> Delivery {
    let after = Delivery { state, ..before.clone() };
    store.commit(Commit { settled: vec![(before.clone(), after.clone())], ..Commit::default() }).await.unwrap();
    after
}

fn moments(deliveries: &[Delivery]) -> Vec<i64> {
    let second = |delivery: &Delivery| delivery.state.due_at().unwrap() - at(0);
    deliveries.iter().map(|delivery| second(delivery).num_seconds()).collect()
}

#[tokio::test]
async fn the_longest_due_comes_first_and_nothing_before_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[300, 100, 256, 200, 100]).await;
    for (now, expected, next) in [
        (99, vec![], Some(100)),
        (100, vec![100, 100], Some(200)),
        (255, vec![100, 100, 200], Some(256)),
        (299, vec![100, 100, 200, 256], Some(300)),
        (300, vec![100, 100, 200, 256, 300], None),
    ] {
        let due = store.due(&channel("erp"), at(now), ALL, |_| false).await.unwrap();
        let found: Vec<Delivery> = due.now.into_iter().map(|item| item.delivery).collect();
        assert_eq!((moments(&found), due.next), (expected, next.map(at)), "at {now}");
    }
}

#[tokio::test]
async fn what_is_put_off_for_longer_than_any_pause_is_due_now_behind_what_was_due_before() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[9_000_000, 200, 100, 700, 9_000_001, 701]).await;
    for (now, limit, expected, next) in [
        (100, ALL, vec![100, 701, 9_000_000, 9_000_001], Some(200)),
        (100, 2, vec![100, 701], Some(200)),
        (101, ALL, vec![100, 9_000_000, 9_000_001], Some(200)),
        (700, ALL, vec![100, 200, 700, 9_000_000, 9_000_001], Some(701)),
        (701, ALL, vec![100, 200, 700, 701, 9_000_000, 9_000_001], Some(1_301)),
        (9_000_000, ALL, vec![100, 200, 700, 701, 9_000_000], Some(9_000_001)),
    ] {
        let when = When::with_pauses(at(now), Duration::from_secs(600));
        let due = store.due(&channel("erp"), when, limit, |_| false).await.unwrap();
        let found: Vec<Delivery> = due.now.into_iter().map(|item| item.delivery).collect();
        assert_eq!((moments(&found), due.next), (expected, next.map(at)), "at {now}");
    }
    let busy = store.due(&channel("erp"), When::with_pauses(at(0), Duration::from_secs(600)), ALL, |_| true).await;
    assert!(busy.unwrap().now.is_empty(), "what is under way is passed over");
}

#[tokio::test]
async fn what_is_critical_goes_before_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[10, 20, 30, 40, 900]).await;
    for (n, seconds) in [(5, 35), (6, 25), (7, 800)] {
        let mut commit = sent(n, seconds);
        commit.deliveries[0].severity = Severity::Critical;
        store.commit(commit).await.unwrap();
    }
    for (limit, expected) in [(1, vec![25]), (3, vec![25, 35, 10]), (ALL, vec![25, 35, 10, 20, 30, 40])] {
        let due = store.due(&channel("erp"), at(50), limit, |_| false).await.unwrap();
        let found: Vec<Delivery> = due.now.into_iter().map(|item| item.delivery).collect();
        assert_eq!(moments(&found), expected, "limit {limit}");
        if limit == ALL {
            assert_eq!(due.next, Some(at(800)));
        }
    }
    assert_eq!(store.outbox_counts().await.unwrap().waiting["erp"], 8);
    assert_eq!(store.waiting_channels().await.unwrap(), [channel("erp")]);
    let critical = due(&store, 50).await.remove(0);
    let put_off = settle(&store, &critical, State::Retrying { due_at: at(45) }).await;
    assert_eq!(moments(&due(&store, 50).await), [35, 45, 10, 20, 30, 40]);
    settle(&store, &put_off, State::Delivered { at: at(50) }).await;
    assert_eq!(moments(&due(&store, 50).await), [35, 10, 20, 30, 40]);
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.outbox_counts().await.unwrap().waiting["erp"], 7);
    assert_eq!(moments(&due(&store, 900).await), [35, 800, 10, 20, 30, 40, 900]);
}

#[tokio::test]
async fn no_delivery_is_due_a_part_of_a_millisecond_early() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let due_at = at(1) + Duration::from_micros(900);
    let mut commit = sent(1, 1);
    commit.deliveries[0].state = State::Pending { due_at };
    store.commit(commit).await.unwrap();
    let early = store.due(&channel("erp"), at(1), ALL, |_| false).await.unwrap();
    assert!(early.now.is_empty());
    assert_eq!(early.next, Some(due_at));
    assert_eq!(store.due(&channel("erp"), due_at, ALL, |_| false).await.unwrap().now.len(), 1);
}

#[tokio::test]
async fn what_was_due_before_1970_is_due_now_and_can_be_settled() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[-1_800_000_000, 5]).await;
    let found = due(&store, 0).await;
    assert_eq!(moments(&found), [-1_800_000_000]);
    settle(&store, &found[0], State::Delivered { at: at(1) }).await;
    assert!(due(&store, 0).await.is_empty());
}

#[tokio::test]
async fn busy_deliveries_are_passed_over_and_the_limit_counts_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[1, 2, 3, 4]).await;
    let busy: BTreeSet<_> = due(&store, 2).await.into_iter().map(|delivery| delivery.id).collect();
    for (limit, expected) in [(0, vec![]), (1, vec![3]), (2, vec![3, 4]), (ALL, vec![3, 4])] {
        let busy = busy.clone();
        let due = store.due(&channel("erp"), at(9), limit, move |delivery| busy.contains(&delivery.id)).await.unwrap();
        let found: Vec<Delivery> = due.now.into_iter().map(|item| item.delivery).collect();
        assert_eq!(moments(&found), expected, "limit {limit}");
    }
}

#[tokio::test]
async fn a_delivery_settled_while_it_is_looked_at_is_not_sent_twice() {
    for state in [State::Delivered { at: at(2) }, State::Retrying { due_at: at(20) }] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        waiting(&store, &[1]).await;
        let (runtime, settling, after) = (tokio::runtime::Handle::current(), store.clone(), state.clone());
        // The attempt ends between the look and the question whether it is under way: it is not, any more.
        let is_busy = move |delivery: &Delivery| {
            runtime.block_on(settle(&settling, delivery, after.clone()));
            false
        };
        let due = store.due(&channel("erp"), at(9), ALL, is_busy).await.unwrap();
        assert!(due.now.is_empty(), "{state:?}: {due:?}");
    }
}

#[tokio::test]
async fn each_channel_has_a_queue_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let event = event(1);
    let names = ["erp", "erp-2", "er"];
    let planned = names.map(|name| delivery(name, &[&event], 1));
    let events = vec![(at(1), event)];
    store.commit(Commit { events, deliveries: planned.to_vec(), ..Commit::default() }).await.unwrap();
    for (name, planned) in names.into_iter().zip(&planned) {
        let due = store.due(&channel(name), at(1), ALL, |_| false).await.unwrap();
        assert_eq!(due.now.len(), 1, "{name}");
        assert_eq!(due.now[0].delivery, *planned, "{name}");
    }
    let waiting: BTreeSet<_> = store.waiting_channels().await.unwrap().into_iter().collect();
    assert_eq!(waiting, names.map(channel).into());
}

#[tokio::test]
async fn a_settled_delivery_moves_to_where_its_state_belongs() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[1, 2, 3]).await;
    let planned = due(&store, 9).await;
    settle(&store, &planned[0], State::Delivered { at: at(10) }).await;
    let dead = settle(&store, &planned[1], State::Dead { at: at(10) }).await;
    let retrying = settle(&store, &planned[2], State::Retrying { due_at: at(20) }).await;
    drop(store);
    for _opening in 1..=2 {
        let store = open(dir.path());
        assert!(due(&store, 19).await.is_empty());
        assert_eq!(due(&store, 20).await, std::slice::from_ref(&retrying));
        assert_eq!(deliveries(&store).await.len(), 3);
        let counts = store.outbox_counts().await.unwrap();
        assert_eq!((counts.dead, counts.waiting.get("erp")), (1, Some(&1)));
        let filter = DeliveryFilter { state: Some("dead".to_owned()), limit: ALL, ..DeliveryFilter::default() };
        assert_eq!(store.deliveries(filter).await.unwrap(), std::slice::from_ref(&dead));
    }
}

#[tokio::test]
async fn a_dead_letter_that_is_tried_again_is_no_dead_letter_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[1]).await;
    let planned = due(&store, 1).await.remove(0);
    let dead = settle(&store, &planned, State::Dead { at: at(2) }).await;
    let again = settle(&store, &dead, State::Pending { due_at: at(5) }).await;
    assert_eq!(store.outbox_counts().await.unwrap().dead, 0);
    assert_eq!(due(&store, 5).await, [again]);
}

#[tokio::test]
async fn a_settling_leaves_no_key_behind_when_the_delivery_has_moved_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[1]).await;
    let planned = due(&store, 1).await.remove(0);
    settle(&store, &planned, State::Retrying { due_at: at(5) }).await;
    settle(&store, &planned, State::Delivered { at: at(6) }).await;
    assert!(due(&store, 9).await.is_empty());
    assert!(store.outbox_counts().await.unwrap().waiting.is_empty());
}

#[tokio::test]
async fn the_attempts_of_a_delivery_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[1]).await;
    let before = due(&store, 1).await.remove(0);
    let outcome = Outcome::retry(Reason::Timeout);
    let after = before.clone().settle(&outcome, at(1), Duration::from_secs(15), 0.5, &RetryPolicy::default());
    store.commit(Commit { settled: vec![(before, after.clone())], ..Commit::default() }).await.unwrap();
    drop(store);
    assert_eq!(open(dir.path()).delivery(after.id.clone()).await.unwrap(), Some(after));
}

#[tokio::test]
async fn deliveries_are_listed_newest_limited_and_oldest_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    waiting(&store, &[1, 2, 3]).await;
    let other = Commit { deliveries: vec![delivery("owner", &[&event(9)], 4)], ..Commit::default() };
    store.commit(other).await.unwrap();
    let first = deliveries(&store).await.remove(0);
    settle(&store, &first, State::Delivered { at: at(9) }).await;
    for (state, name, limit, expected) in [
        (None, None, ALL, vec![1, 2, 3, 4]),
        (None, None, 2, vec![3, 4]),
        (None, None, 0, vec![]),
        (Some("pending"), None, ALL, vec![2, 3, 4]),
        (Some("delivered"), None, ALL, vec![1]),
        (Some("retrying"), None, ALL, vec![]),
        (None, Some("erp"), 1, vec![3]),
        (Some("pending"), Some("owner"), ALL, vec![4]),
    ] {
        let (of_state, channel) = (state.map(str::to_owned), name.map(str::to_owned));
        let filter = DeliveryFilter { state: of_state, channel, before: None, limit };
        let found = store.deliveries(filter).await.unwrap();
        let created: Vec<i64> = found.iter().map(|found| (found.created_at - at(0)).num_seconds()).collect();
        assert_eq!(created, expected, "{state:?} {name:?} {limit}");
    }
}
