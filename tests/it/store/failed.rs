//! What waits because an attempt failed, and nothing else, is made due; and what is remembered of a channel.

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::domain::event::{DeliveryId, Severity};
use posbell::domain::outbox::{Act, Delivery, Outcome, Reason, RetryPolicy, State};
use posbell::edge::store::{ChannelRecord, Commit, Failed, Store};

use super::{ALL, at, channel, open, sent};

/// Commits delivery `n`, tried once with this outcome, and returns its id.
async fn tried(store: &Store, n: u64, severity: Severity, outcome: Option<Outcome>) -> DeliveryId {
    let mut commit = sent(n, 0);
    commit.deliveries[0].severity = severity;
    if let Some(outcome) = outcome {
        let policy = RetryPolicy { retry_first: Duration::from_secs(600), ..RetryPolicy::default() };
        let tried = commit.deliveries[0].clone().settle(&outcome, at(0), Duration::ZERO, 1.0, &policy);
        commit.deliveries[0] = tried;
    }
    let id = commit.deliveries[0].id.clone();
    store.commit(commit).await.unwrap();
    id
}

/// All parts of what failed and is due after second 1.
async fn failed(store: &Store, which: Failed) -> (BTreeSet<DeliveryId>, usize) {
    let (mut found, mut parts, mut from) = (BTreeSet::new(), 0, None);
    loop {
        let page = store.failed(&channel("erp"), at(1), which, from).await.unwrap();
        parts += 1;
        for id in page.ids {
            assert!(found.insert(id), "each is found once");
        }
        match page.next {
            Some(next) => from = Some(next),
            None => return (found, parts),
        }
    }
}

#[tokio::test]
async fn only_what_waits_because_an_attempt_failed_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let timeout = || Some(Outcome::retry(Reason::Timeout));
    let mut expected = BTreeSet::new();
    for n in 0..250 {
        let severity = if n % 2 == 0 { Severity::Critical } else { Severity::Info };
        expected.insert(tried(&store, n, severity, timeout()).await);
    }
    let wish = Outcome::retry_after(Reason::Status(429), Duration::from_secs(3600));
    let pauses = tried(&store, 250, Severity::Info, Some(wish)).await;
    tried(&store, 251, Severity::Info, None).await;
    tried(&store, 252, Severity::Info, Some(Outcome::Delivered)).await;
    tried(&store, 253, Severity::Info, Some(Outcome::rejected(Reason::Gone))).await;
    assert_eq!(failed(&store, Failed::WithoutPauses).await, (expected.clone(), 3));

    let acts: Vec<_> = expected.iter().take(100).map(|id| (id.clone(), Act::TryNow, at(1))).collect();
    store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    let left: BTreeSet<DeliveryId> = expected.iter().skip(100).cloned().collect();
    assert_eq!(failed(&store, Failed::WithoutPauses).await.0, left);
    let due = store.due(&channel("erp"), at(1), ALL, |_| false).await.unwrap();
    let now = due.now.iter().filter(|item| matches!(item.delivery.state, State::Retrying { .. })).count();
    assert_eq!(now, 100);
    assert!(due.now.iter().all(|item| item.delivery.again.is_none()), "no new beginning");
    let all: BTreeSet<DeliveryId> = left.into_iter().chain([pauses]).collect();
    assert_eq!(failed(&store, Failed::All).await.0, all);
}

#[tokio::test]
async fn a_pause_is_known_from_what_met_the_wish_until_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut met = Vec::new();
    for (n, wish) in [(0, 300), (1, 900)] {
        let wish = Outcome::retry_after(Reason::Status(503), Duration::from_secs(wish));
        met.push(tried(&store, n, Severity::Info, Some(wish)).await);
    }
    tried(&store, 2, Severity::Info, Some(Outcome::retry(Reason::Timeout))).await;
    for (now, ids, left) in [(1, &met[..], Some(899)), (301, &met[1..], Some(599)), (-90_000, &met[..], Some(900))] {
        let page = store.failed(&channel("erp"), at(now), Failed::OnlyPauses, None).await.unwrap();
        assert_eq!((&page.ids[..], page.pause), (ids, left.map(Duration::from_secs)), "at {now}");
    }
    let ended = store.failed(&channel("erp"), at(301), Failed::WithoutPauses, None).await.unwrap();
    assert_eq!(ended.ids.len(), 2, "what met a wish that is over waits for nothing but its own delay");
    let acts = met.iter().map(|id| (id.clone(), Act::TryNow, at(1))).collect();
    store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    let page = store.failed(&channel("erp"), at(0), Failed::OnlyPauses, None).await.unwrap();
    assert_eq!((page.ids.len(), page.pause), (0, None), "a person has ended it");
}

#[tokio::test]
async fn what_is_settled_while_it_is_looked_at_is_not_sent_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let wish = Outcome::retry_after(Reason::Status(429), Duration::from_secs(3600));
    let id = tried(&store, 0, Severity::Info, Some(wish)).await;
    let busy = store.waiting_of(vec![id.clone()], |_| true).await.unwrap();
    assert!(busy.waiting.is_empty() && busy.gone.is_empty(), "it keeps its place: {busy:?}");
    let (runtime, settling) = (tokio::runtime::Handle::current(), store.clone());
    // The attempt ends between the look and the question whether it is under way: it is not, any more.
    let is_busy = move |delivery: &Delivery| {
        let after = Delivery { state: State::Delivered { at: at(2) }, ..delivery.clone() };
        let commit = Commit { settled: vec![(delivery.clone(), after)], ..Commit::default() };
        runtime.block_on(settling.commit(commit)).unwrap();
        false
    };
    let still = store.waiting_of(vec![id.clone()], is_busy).await.unwrap();
    assert!(still.waiting.is_empty(), "{still:?}");
    assert_eq!(still.gone, [id]);
}

#[tokio::test]
async fn the_latest_calls_are_found_behind_many_that_wait() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    tried(&store, 0, Severity::Info, Some(Outcome::Delivered)).await;
    tried(&store, 1, Severity::Info, Some(Outcome::retry(Reason::Timeout))).await;
    let planned: Vec<Commit> = (2..1_200).map(|n| sent(n, 0)).collect();
    let waiting = planned.into_iter().fold(Commit::default(), |mut all, commit| {
        all.events.extend(commit.events);
        all.deliveries.extend(commit.deliveries);
        all
    });
    store.commit(waiting).await.unwrap();
    let calls = store.latest_calls(vec![channel("erp"), channel("other")]).await.unwrap();
    assert_eq!(calls.into_iter().collect::<Vec<_>>(), [(channel("erp"), vec![at(0), at(0)])]);
    assert!(store.latest_calls(vec![channel("other")]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_next_try_is_that_of_the_first_that_waits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.next_due(&channel("erp")).await.unwrap(), None);
    for (n, severity, seconds) in [(0, Severity::Info, 30), (1, Severity::Critical, 20), (2, Severity::Info, 10)] {
        let mut commit = sent(n, seconds);
        commit.deliveries[0].severity = severity;
        store.commit(commit).await.unwrap();
        assert_eq!(store.next_due(&channel("erp")).await.unwrap(), Some(at(seconds)));
    }
    assert_eq!(store.next_due(&channel("other")).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_known_of_a_channel_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.channel(&channel("erp")).await.unwrap(), None);
    let record = ChannelRecord { settings: "0123".to_owned(), tried_at: Some(at(5)) };
    let commit = Commit { channel: Some((channel("erp"), record.clone())), ..Commit::default() };
    assert!(!commit.is_empty());
    store.commit(commit).await.unwrap();
    drop(store);
    assert_eq!(open(dir.path()).channel(&channel("erp")).await.unwrap(), Some(record));
}
