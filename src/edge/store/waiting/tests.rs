//! What is counted is what waits, whatever happens to it, and what is more than may wait is a dead letter at once.

use proptest::prelude::*;

use super::super::commit::{Numbers, batch_of};
use super::super::engine::model::Model;
use super::super::{Commit, DeliveryFilter};
use super::*;
use crate::domain::event::{Epoch, Scribe};
use crate::domain::model::ShopId;
use crate::domain::outbox::{Act, Address, Reason, State};

/// More than any listing here has.
const ALL: usize = 1_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

fn open(dir: &std::path::Path, most: u64) -> Store {
    let store = Store::open_or_create(dir, Epoch::from_random([7; 16])).unwrap();
    store.let_wait_at_most(most);
    store
}

/// A commit of this event with a delivery to each of these channels.
fn sent(n: u64, channels: &[&str]) -> Commit {
    let seen = at(i64::try_from(n).unwrap());
    let scribe = Scribe::new(ShopId::new("main").unwrap(), "ร้าน", Epoch::from_random([7; 16]), seen);
    let event = scribe.key_rejected(n, 401);
    let delivery = |name: &&str| {
        let address = Address { channel: channel(name), recipient: None };
        Delivery::new(address, event.shop.clone(), "all".to_owned(), vec![event.id.clone()], seen)
    };
    Commit { deliveries: channels.iter().map(delivery).collect(), events: vec![(seen, event)], ..Commit::default() }
}

async fn listed(store: &Store, state: &str) -> Vec<Delivery> {
    let filter = DeliveryFilter { state: Some(state.to_owned()), limit: ALL, ..DeliveryFilter::default() };
    store.deliveries(filter).await.unwrap()
}

async fn settle(store: &Store, before: Delivery) {
    let after = Delivery { state: State::Delivered { at: at(99) }, ..before.clone() };
    store.commit(Commit { settled: vec![(before, after)], ..Commit::default() }).await.unwrap();
}

#[tokio::test]
async fn what_is_more_than_may_wait_is_a_dead_letter_at_once_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path(), 3);
    // In commits of their own and in one, and with a channel that has room.
    for n in 0..2 {
        store.commit(sent(n, &["erp", "owner"])).await.unwrap();
    }
    let mut together = Commit::default();
    for n in 2..5 {
        let commit = sent(n, &["erp"]);
        together.events.extend(commit.events);
        together.deliveries.extend(commit.deliveries);
    }
    let planned: Vec<_> = together.deliveries.iter().map(|delivery| delivery.id.clone()).collect();
    store.commit(together).await.unwrap();
    for again in [false, true] {
        let counts = store.outbox_counts().await.unwrap();
        assert_eq!((counts.waiting["erp"], counts.waiting["owner"], counts.dead), (3, 2, 2));
        let dead = listed(&store, "dead").await;
        assert_eq!(dead.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), planned[1..], "the ids that they have");
        assert!(dead.iter().all(|one| one.tried == 0 && one.refused == Some(Reason::TooManyWait(3))), "{dead:?}");
        let overflow = Overflow { since: at(3), refused: 2, told: again };
        assert_eq!(store.overflows().await.unwrap(), [(channel("erp"), overflow)].into());
        store.commit(Commit { overflow_told: vec![channel("erp")], ..Commit::default() }).await.unwrap();
        drop(store);
        // Counted anew, and remembered.
        store = open(dir.path(), 3);
    }
    // A person's word is above it.
    let dead = listed(&store, "dead").await.into_iter();
    let acts = dead.map(|one| (one.id, Act::Retry, at(50))).collect();
    store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    assert_eq!(store.outbox_counts().await.unwrap().waiting["erp"], 5);
    store.commit(sent(9, &["erp"])).await.unwrap();
    assert_eq!((listed(&store, "dead").await.len(), store.overflows().await.unwrap()[&channel("erp")].refused), (1, 3));
    // Two waiting are fewer than nine tenths of three.
    for (settled, is_over) in [(1, false), (2, false), (3, true)] {
        let waiting = listed(&store, "pending").await.into_iter().find(|one| one.channel == channel("erp"));
        settle(&store, waiting.unwrap()).await;
        assert_eq!(store.overflows().await.unwrap().is_empty(), is_over, "after {settled}");
    }
    store.commit(sent(10, &["erp"])).await.unwrap();
    assert_eq!((listed(&store, "dead").await.len(), store.overflows().await.unwrap().len()), (1, 0));
}

#[tokio::test]
async fn who_does_not_say_how_many_may_wait_has_no_say_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), 1);
    for n in 0..3 {
        store.commit(sent(n, &["erp"])).await.unwrap();
    }
    drop(store);
    let store = Store::open_existing(dir.path()).unwrap();
    settle(&store, listed(&store, "pending").await.remove(0)).await;
    for n in 3..6 {
        store.commit(sent(n, &["erp"])).await.unwrap();
    }
    assert_eq!((listed(&store, "pending").await.len(), store.overflows().await.unwrap().len()), (3, 1));
}

/// What is done to the delivery of that number, or a new one is planned.
#[derive(Debug, Clone)]
enum Step {
    Plan(u64, bool),
    Settle(usize, u8),
    Word(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..40_u64, any::<bool>()).prop_map(|(n, both)| Step::Plan(n, both)),
        2 => (any::<usize>(), 0..3_u8).prop_map(|(which, state)| Step::Settle(which, state)),
        1 => (any::<usize>(), 0..3_u8).prop_map(|(which, act)| Step::Word(which, act)),
    ]
}

/// The steps as one commit.
fn commit_of(steps: &[Step], stored: &[Delivery]) -> Commit {
    let mut commit = Commit::default();
    let pick = |which: &usize| stored.get(which % stored.len().max(1)).cloned();
    for step in steps {
        match step {
            Step::Plan(n, both) => {
                let more = sent(*n, if *both { &["erp", "owner"] } else { &["erp"] });
                commit.events.extend(more.events);
                commit.deliveries.extend(more.deliveries);
            }
            Step::Settle(which, state) => commit.settled.extend(pick(which).map(|before| {
                let state = match state {
                    0 => State::Delivered { at: at(50) },
                    1 => State::Dead { at: at(50) },
                    _ => State::Retrying { due_at: at(60) },
                };
                (before.clone(), Delivery { state, ..before })
            })),
            Step::Word(which, act) => {
                let act = [Act::Retry, Act::Drop, Act::Replay][usize::from(*act)];
                commit.acts.extend(pick(which).map(|delivery| (delivery.id, act, at(70))));
            }
        }
    }
    commit
}

proptest! {
    #[test]
    fn what_is_counted_is_what_waits_whatever_is_done_in_whatever_commits(
        commits in prop::collection::vec(prop::collection::vec(step(), 1..8), 1..30),
        most in 1..8_u64,
    ) {
        let engine = Model::default();
        let fence = engine.take_over().unwrap();
        let bound = Bound::default();
        bound.set(most);
        let (mut numbers, mut waiting) = (Numbers::default(), Waiting::stored(&engine, bound.clone()).unwrap());
        for steps in commits {
            let stored = engine.scan(Span::prefix(keys::DELIVERIES));
            let stored: Vec<Delivery> = stored.map(|entry| record::read(&entry.unwrap().1).unwrap()).collect();
            let before = waiting.counts.clone();
            let batch = batch_of(&engine, &mut numbers, &mut waiting, commit_of(&steps, &stored)).unwrap();
            engine.apply(fence, &batch).unwrap();
            let found = Waiting::stored(&engine, bound.clone()).unwrap();
            let mut counts = waiting.counts.clone();
            counts.retain(|_, count| *count > 0);
            prop_assert_eq!(&counts, &found.counts);
            prop_assert_eq!(&waiting.overflows, &found.overflows);
            // Only a word makes more than may wait.
            if !steps.iter().any(|step| matches!(step, Step::Word(..) | Step::Settle(_, 2))) {
                for (channel, count) in counts {
                    prop_assert!(count <= most.max(before.get(&channel).copied().unwrap_or_default()));
                }
            }
        }
    }
}
