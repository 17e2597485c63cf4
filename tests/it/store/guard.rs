//! Does what the guard remembers come back, and only what is held is listed as held?

use posbell::domain::diff::guard::{Decision, GuardLimits, GuardRecord, Tally, Verdict, judge};
use posbell::domain::model::{Resource, ShopId};
use posbell::edge::store::{Commit, Store};

use super::{at, main_shop, numbered, open, rows};

/// What is remembered of a pass in which 100 of so many rows are not there.
fn missing(known: usize) -> GuardRecord {
    let mut tally = Tally::of_known(known);
    (0..100).for_each(|_| tally.missing());
    let every = std::time::Duration::from_secs(60);
    match judge(tally.census(), &GuardLimits::default(), &GuardRecord::default(), at(0), every) {
        Verdict::Hold { record, notice: Some(1) } => record,
        other => panic!("{other:?}"),
    }
}

async fn remember(store: &Store, shop: &ShopId, resource: Resource, record: GuardRecord) {
    let guard = Some((shop.clone(), resource, record));
    store.commit(Commit { guard, ..Commit::default() }).await.unwrap();
}

#[tokio::test]
async fn a_held_pass_is_there_after_reopening_as_it_was_and_touches_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(numbered(5)).await.unwrap();
    assert_eq!(store.guard(&main_shop(), Resource::Stock).await.unwrap(), GuardRecord::default());
    let record = missing(300);
    remember(&store, &main_shop(), Resource::Stock, record.clone()).await;
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.guard(&main_shop(), Resource::Stock).await.unwrap(), record);
    assert_eq!(store.held(&main_shop(), Resource::Stock).await.unwrap(), record.held);
    assert_eq!(store.held(&main_shop(), Resource::Members).await.unwrap(), None);
    assert_eq!(rows(&store).await, [5]);
}

#[tokio::test]
async fn only_what_is_held_is_listed_and_a_cleared_one_keeps_its_counter() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.all_held().await.unwrap(), []);
    let second = ShopId::new("main-2").unwrap();
    let (stock, vendors) = (missing(300), missing(400));
    remember(&store, &main_shop(), Resource::Stock, stock.clone()).await;
    remember(&store, &second, Resource::Vendors, vendors.clone()).await;
    let dropped = stock.held.clone().unwrap().after(Decision::Drop);
    remember(&store, &main_shop(), Resource::Stock, GuardRecord { held: Some(dropped.clone()), ..stock.clone() }).await;
    let all = store.all_held().await.unwrap();
    let vendors = vendors.held.unwrap();
    assert_eq!(all, [(second.clone(), Resource::Vendors, vendors.clone()), (main_shop(), Resource::Stock, dropped)]);
    remember(&store, &main_shop(), Resource::Stock, GuardRecord { held: None, ..stock }).await;
    assert_eq!(store.all_held().await.unwrap(), [(second, Resource::Vendors, vendors)]);
    assert_eq!(store.guard(&main_shop(), Resource::Stock).await.unwrap().notices, 1);
}
