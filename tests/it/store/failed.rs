//! What waits because an attempt failed, and nothing else, is made due; and what is remembered of a channel.

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::domain::event::{DeliveryId, Severity};
use posbell::domain::outbox::{Act, Outcome, Reason, RetryPolicy, State};
use posbell::edge::store::{ChannelRecord, Commit, Store};

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
async fn failed(store: &Store, with_pauses: bool) -> (BTreeSet<DeliveryId>, usize) {
    let (mut found, mut parts, mut from) = (BTreeSet::new(), 0, None);
    loop {
        let page = store.failed(&channel("erp"), at(1), with_pauses, from).await.unwrap();
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
    assert_eq!(failed(&store, false).await, (expected.clone(), 3));

    let acts: Vec<_> = expected.iter().take(100).map(|id| (id.clone(), Act::TryNow, at(1))).collect();
    store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    let left: BTreeSet<DeliveryId> = expected.iter().skip(100).cloned().collect();
    assert_eq!(failed(&store, false).await.0, left);
    let due = store.due(&channel("erp"), at(1), ALL, |_| false).await.unwrap();
    let now = due.now.iter().filter(|item| matches!(item.delivery.state, State::Retrying { .. })).count();
    assert_eq!(now, 100);
    assert!(due.now.iter().all(|item| item.delivery.again.is_none()), "no new beginning");
    let all: BTreeSet<DeliveryId> = left.into_iter().chain([pauses]).collect();
    assert_eq!(failed(&store, true).await.0, all);
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
