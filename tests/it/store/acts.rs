//! Does a person's word on a delivery move it to where it belongs, whatever happens at the same moment?

use std::time::Duration;

use posbell::domain::event::Pattern;
use posbell::domain::outbox::{Act, Address, Delivery, Outcome, Reason, RetryPolicy, State};
use posbell::edge::store::{Commit, PastFilter, ReplayPlace, ReplayRecord, Store};

use super::{ALL, at, channel, deliveries, delivery, due, event, open, sent};

/// `n` deliveries to `erp`, planned at second 1, of the events 0, 1, 2 …
async fn planned(store: &Store, n: u64) -> Vec<Delivery> {
    for n in 0..n {
        store.commit(sent(n, 1)).await.unwrap();
    }
    deliveries(store).await
}

async fn put(store: &Store, before: &Delivery, state: State) -> Delivery {
    let after = Delivery { state, tried: 1, ..before.clone() };
    store.commit(Commit { settled: vec![(before.clone(), after.clone())], ..Commit::default() }).await.unwrap();
    after
}

async fn act(store: &Store, act: Act, delivery: &Delivery, seconds: i64) -> Delivery {
    let acts = vec![(delivery.id.clone(), act, at(seconds))];
    store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    store.delivery(delivery.id.clone()).await.unwrap().unwrap()
}

/// The attempt that found the delivery as `before` ends so.
async fn end(store: &Store, before: &Delivery, outcome: &Outcome) -> Delivery {
    let after = before.clone().settle(outcome, at(20), Duration::ZERO, 1.0, &RetryPolicy::default());
    store.commit(Commit { settled: vec![(before.clone(), after)], ..Commit::default() }).await.unwrap();
    store.delivery(before.id.clone()).await.unwrap().unwrap()
}

async fn waits_and_dead(store: &Store) -> (u64, u64) {
    let counts = store.outbox_counts().await.unwrap();
    (counts.waiting.values().sum(), counts.dead)
}

fn failed() -> Outcome {
    Outcome::retry(Reason::Status(503))
}

fn filter() -> PastFilter {
    PastFilter { since: at(0), until: at(1_000), kinds: None, channel: None, failed: false }
}

#[tokio::test]
async fn each_act_moves_a_delivery_to_where_its_state_belongs() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all = planned(&store, 4).await;
    let dead = put(&store, &all[0], State::Dead { at: at(9) }).await;
    let ended = put(&store, &all[1], State::Dead { at: at(9) }).await;
    let told = put(&store, &all[2], State::Delivered { at: at(9) }).await;
    assert_eq!(waits_and_dead(&store).await, (1, 2));
    let retried = act(&store, Act::Retry, &dead, 30).await;
    assert_eq!(act(&store, Act::Drop, &ended, 30).await.state, State::Dropped { at: at(30) });
    assert_eq!(act(&store, Act::Drop, &all[3], 30).await.state, State::Dropped { at: at(30) });
    assert_eq!(act(&store, Act::Retry, &told, 30).await, told, "what is delivered is not retried");
    drop(store);
    let store = open(dir.path());
    assert_eq!(waits_and_dead(&store).await, (1, 0));
    assert!(due(&store, 29).await.is_empty());
    assert_eq!(due(&store, 30).await, [retried]);
    let again = act(&store, Act::Replay, &told, 40).await;
    let after_all = act(&store, Act::Replay, &ended, 41).await;
    assert_eq!(due(&store, 50).await[1..], [again, after_all]);
    assert_eq!(deliveries(&store).await.len(), 4, "the old records, and none besides");
}

#[tokio::test]
async fn said_twice_at_once_nothing_waits_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all = planned(&store, 1).await;
    let dead = put(&store, &all[0], State::Dead { at: at(9) }).await;
    for what in [Act::Retry, Act::Replay] {
        let twice = [30, 31].map(|seconds| (dead.id.clone(), what, at(seconds))).to_vec();
        store.commit(Commit { acts: twice, ..Commit::default() }).await.unwrap();
        act(&store, what, &dead, 32).await;
        assert_eq!(waits_and_dead(&store).await, (1, 0), "{what:?}");
        let now = due(&store, 99).await.remove(0);
        put(&store, &now, State::Dead { at: at(50) }).await;
        assert_eq!(waits_and_dead(&store).await, (0, 1), "{what:?}");
    }
}

#[tokio::test]
async fn what_is_dropped_while_it_is_sent_stays_dropped_unless_it_was_taken() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let under_way = planned(&store, 2).await;
    for one in &under_way {
        act(&store, Act::Drop, one, 15).await;
    }
    let refused = end(&store, &under_way[0], &failed()).await;
    assert_eq!((&refused.state, refused.tried), (&State::Dropped { at: at(15) }, 1));
    let taken = end(&store, &under_way[1], &Outcome::Delivered).await;
    assert_eq!(taken.state, State::Delivered { at: at(20) });
    drop(store);
    assert_eq!(waits_and_dead(&open(dir.path())).await, (0, 0));
}

#[tokio::test]
async fn what_is_retried_while_it_is_sent_is_tried_again_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all = planned(&store, 1).await;
    let before = put(&store, &all[0], State::Retrying { due_at: at(10) }).await;
    act(&store, Act::Retry, &before, 15).await;
    let after = end(&store, &before, &failed()).await;
    assert_eq!((&after.state, after.tried), (&State::Retrying { due_at: at(15) }, 2));
    assert_eq!(due(&store, 15).await, [after]);
    assert_eq!(waits_and_dead(&store).await, (1, 0));
}

#[tokio::test]
async fn what_was_dropped_is_forgotten_like_everything_that_is_finished() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all = planned(&store, 2).await;
    act(&store, Act::Drop, &all[0], 15).await;
    act(&store, Act::Drop, &all[1], 50).await;
    assert_eq!(store.prune(at(40)).await.unwrap(), (1, 2));
    let left = deliveries(&store).await;
    assert_eq!(left.iter().map(|one| &one.id).collect::<Vec<_>>(), [&all[1].id]);
}

#[tokio::test]
async fn dead_letters_come_in_parts_of_which_none_is_missed_or_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut dead = Vec::new();
    for one in planned(&store, 7).await {
        dead.push(put(&store, &one, State::Dead { at: at(9) }).await);
    }
    let other = Commit { deliveries: vec![delivery("owner", &[&event(9)], 1)], ..Commit::default() };
    store.commit(other).await.unwrap();
    let other = deliveries(&store).await.pop().unwrap();
    put(&store, &other, State::Dead { at: at(9) }).await;
    for most in [1, 3, 7, 100] {
        let (mut found, mut from) = (Vec::new(), Some(0));
        while let Some(first) = from {
            let page = store.dead_letters(first, Some(channel("erp")), most).await.unwrap();
            assert!(page.deliveries.len() <= most);
            // What is retried in between leaves the table, and moves no other.
            found.extend(page.deliveries);
            from = page.next;
        }
        assert_eq!(found, dead, "{most} at once");
    }
    assert_eq!(store.dead_letters(0, None, ALL).await.unwrap().deliveries.len(), 8);
}

#[tokio::test]
async fn past_deliveries_are_found_by_time_type_channel_and_what_became_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..6 {
        store.commit(sent(n, i64::try_from(n).unwrap() * 10)).await.unwrap();
    }
    let all = deliveries(&store).await;
    put(&store, &all[1], State::Dead { at: at(99) }).await;
    put(&store, &all[2], State::Delivered { at: at(99) }).await;
    act(&store, Act::Drop, &all[3], 99).await;
    let gathered = delivery("owner", &[&event(4), &event(5)], 60);
    store.commit(Commit { deliveries: vec![gathered.clone()], ..Commit::default() }).await.unwrap();

    let check = async |filter: PastFilter, want: &[&Delivery]| {
        for most in [1, ALL] {
            let (mut found, mut from) = (Vec::new(), Some(0));
            while let Some(first) = from {
                let page = store.past_deliveries(first, filter.clone(), most).await.unwrap();
                found.extend(page.found.into_iter().map(|past| past.delivery.id));
                from = page.next;
            }
            let want: Vec<_> = want.iter().map(|one| one.id.clone()).collect();
            assert_eq!(found, want, "{filter:?}");
        }
    };
    let (erp, sales) = (Some(channel("erp")), Some(Pattern::parse("sale.*").unwrap()));
    check(filter(), &[&all[0], &all[1], &all[2], &all[3], &all[4], &all[5], &gathered]).await;
    check(PastFilter { since: at(10), until: at(30), ..filter() }, &[&all[1], &all[2]]).await;
    check(PastFilter { since: at(50), ..filter() }, &[&all[5], &gathered]).await;
    check(PastFilter { failed: true, ..filter() }, &[&all[1], &all[3]]).await;
    check(PastFilter { channel: erp, since: at(40), ..filter() }, &[&all[4], &all[5]]).await;
    check(PastFilter { kinds: sales, since: at(50), ..filter() }, &[&all[5], &gathered]).await;
    check(PastFilter { kinds: Some(Pattern::parse("stock.*").unwrap()), ..filter() }, &[]).await;
    let (found, next) =
        store.addressed(0, |one| one.events.len() > 1 && one.channel == channel("owner")).await.unwrap();
    assert_eq!((found, next), (vec![(Address { channel: channel("owner"), recipient: None }, gathered.events)], None));
}

#[tokio::test]
async fn how_far_a_replay_has_come_is_written_with_what_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let all = planned(&store, 1).await;
    let told = put(&store, &all[0], State::Delivered { at: at(9) }).await;
    assert_eq!(store.replay().await.unwrap(), None);
    let record = ReplayRecord {
        words: "since 2h".to_owned(),
        began_at: at(30),
        at: at(31),
        since: at(0),
        until: at(30),
        next: ReplayPlace::Deliveries(1),
        queued: 1,
    };
    let acts = vec![(told.id.clone(), Act::Replay, at(31))];
    store.commit(Commit { acts, replay: Some(Some(record.clone())), ..Commit::default() }).await.unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.replay().await.unwrap(), Some(record));
    assert_eq!(due(&store, 31).await.len(), 1);
    store.commit(Commit { replay: Some(None), ..Commit::default() }).await.unwrap();
    assert_eq!(store.replay().await.unwrap(), None);
}
