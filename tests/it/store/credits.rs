//! Does the store stay bounded by the credits that matter, and is a forgotten one never told under an old id?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use posbell::domain::diff::Known;
use posbell::domain::diff::credit::{BUCKETS, CreditRow, PaidCredits, PendingCredits, Terms, compare};
use posbell::domain::diff::guard::GuardLimits;
use posbell::domain::event::{Epoch, Event, Scribe};
use posbell::domain::model::{Credit, CreditStatus, EntityId, Resource, Whole};
use posbell::edge::store::{Commit, Store};

use super::{at, events, id, main_shop, open, record};

const DAY: i64 = 86_400;

/// For how long what is finished is kept here.
const RETAIN: Duration = Duration::from_secs(90 * 86_400);

/// How many credits are paid and forgotten: several commits of them.
const MANY: u64 = 250;

/// The `n`-th credit of a shop, given on day 0.
fn credit(n: u64) -> Credit {
    Credit {
        id: id(n),
        code: None,
        sale_code: None,
        customer: None,
        amount: Some(100.into()),
        paid: None,
        balance: Some(100.into()),
        issued_at: Some(at(0)),
        due_at: None,
        days_overdue: None,
        status: Some(CreditStatus::Pending),
        overdue: false,
    }
}

/// One pass on that day, in which these are pending and those are paid. It commits what follows and returns what it
/// told.
async fn pass(
    store: &Store,
    day: i64,
    pending: impl Iterator<Item = u64>,
    paid: impl Iterator<Item = u64>,
) -> Vec<Event> {
    let known = store.known::<CreditRow>(&main_shop(), Resource::Credit).await.unwrap();
    let lists = PendingCredits::join(Whole::vouch(pending.map(credit).collect(), 0), Whole::vouch(Vec::new(), 0));
    let wanted = lists.wanted(&known, &GuardLimits::default());
    let paid = paid.map(|n| Credit { status: Some(CreditStatus::Paid), balance: Some(0.into()), ..credit(n) });
    let found: BTreeMap<EntityId, Credit> =
        paid.filter(|credit| wanted.contains(&credit.id)).map(|credit| (credit.id.clone(), credit)).collect();
    let now = at(day * DAY);
    let scribe = Scribe::new(main_shop(), "ร้าน", Epoch::from_random([7; 16]), now);
    let terms = Terms { buckets: BUCKETS, forget_before: now - RETAIN, scribe: &scribe };
    let changes = compare(&known, lists, PaidCredits { found, ..PaidCredits::default() }, &terms).unwrap();
    let mut commit = Commit { resource: Some((main_shop(), Resource::Credit, record(0))), ..Commit::default() };
    for change in changes {
        let row = change.row.map(|row| Store::row(&row).unwrap());
        commit.rows.push((main_shop(), Resource::Credit, change.id, row));
        commit.events.extend(change.events.into_iter().map(|event| (now, event)));
    }
    let told = commit.events.iter().map(|(_, event)| event.clone()).collect();
    store.commit(commit).await.unwrap();
    told
}

/// The credits that are known.
async fn kept(store: &Store) -> Vec<EntityId> {
    match store.known::<CreditRow>(&main_shop(), Resource::Credit).await.unwrap() {
        Known::Nothing => Vec::new(),
        Known::Rows { rows, .. } => rows.into_keys().collect(),
    }
}

#[tokio::test]
async fn credits_that_are_paid_for_long_enough_leave_the_store_without_an_event_and_come_back_under_new_ids() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let none = || 0..0;
    // Number 0 stays owed; the others are given on day 0 and paid on day 1. So many are looked for at once.
    assert_eq!(pass(&store, 0, 0..1, none()).await.len(), 0);
    let created = pass(&store, 0, 0..=MANY, none()).await;
    let paid = pass(&store, 1, 0..1, 1..=MANY).await;
    assert_eq!(pass(&store, 1, 0..1, 1..=MANY).await, []);
    assert_eq!((created.len() as u64, paid.len() as u64), (MANY, MANY));
    assert_eq!(kept(&store).await.len() as u64, MANY + 1);

    assert_eq!(pass(&store, 91, 0..1, 1..=MANY).await, [], "they are kept for as long as events are");
    assert_eq!(kept(&store).await.len() as u64, MANY + 1);
    assert_eq!(pass(&store, 92, 0..1, 1..=MANY).await, [], "forgetting tells nothing");
    assert_eq!(kept(&store).await, [id(0)]);
    assert_eq!(events(&store).await.len() as u64, 2 * MANY);

    assert_eq!(pass(&store, 93, 0..1, 1..=MANY).await, [], "one that is still paid is nothing new");
    assert_eq!(kept(&store).await, [id(0)]);
    // Their first events are still in the log, as they are where a delivery needs them: an old id would be dropped.
    let back = pass(&store, 94, 0..=MANY, none()).await;
    assert_eq!(back.len() as u64, MANY, "one that is owed again is told once");
    let paid_again = pass(&store, 95, 0..1, 1..=MANY).await;
    let told = [created, paid, back, paid_again].concat();
    let ids: BTreeSet<_> = told.iter().map(|event| event.id.clone()).collect();
    assert_eq!((ids.len() as u64, events(&store).await.len() as u64), (4 * MANY, 4 * MANY));
}
