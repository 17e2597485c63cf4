//! Is a commit one step, and does everything in it come back as it was written?

use std::collections::BTreeSet;
use std::sync::Arc;

use posbell::domain::diff::Known;
use posbell::domain::model::Resource;
use posbell::edge::store::{Commit, ShopRecord, Store};
use tokio::sync::Barrier;

use super::{at, deliveries, delivery, due, event, events, id, main_shop, numbered, open, record, rows, sent, told};

#[tokio::test]
async fn all_parts_of_a_commit_appear_together_and_are_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(store.resource(&main_shop(), Resource::Stock).await.unwrap(), None);
    let shop = ShopRecord { began_at: Some(at(1)), baseline_told: true, key_refusals: 2, ..ShopRecord::default() };
    let commit = Commit { shop: Some((main_shop(), shop.clone())), ..numbered(5) };
    let (json, planned) = (commit.events[0].1.to_json(), commit.deliveries.clone());
    store.commit(commit).await.unwrap();
    drop(store);
    for _opening in 1..=2 {
        let store = open(dir.path());
        assert_eq!(rows(&store).await, [5]);
        assert_eq!(events(&store).await, [(0, json.clone())]);
        assert_eq!(store.event(&planned[0].events[0]).await.unwrap().as_ref(), Some(&json));
        assert_eq!(deliveries(&store).await, planned);
        assert_eq!(store.delivery(planned[0].id.clone()).await.unwrap().as_ref(), Some(&planned[0]));
        assert_eq!(due(&store, 5).await, planned);
        assert_eq!(store.resource(&main_shop(), Resource::Stock).await.unwrap(), Some(record(5)));
        assert_eq!(store.shop(&main_shop()).await.unwrap(), shop);
    }
}

#[tokio::test]
async fn a_forgotten_row_is_gone_and_the_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 1..=3 {
        store.commit(numbered(n)).await.unwrap();
    }
    let rows_out = vec![(main_shop(), Resource::Stock, id(2), None)];
    store.commit(Commit { rows: rows_out, ..Commit::default() }).await.unwrap();
    assert_eq!(rows(&store).await, [1, 3]);
    drop(store);
    assert_eq!(rows(&open(dir.path())).await, [1, 3]);
}

#[tokio::test]
async fn rows_without_a_cursor_are_leftovers_and_not_known() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(Commit { resource: None, ..numbered(1) }).await.unwrap();
    assert!(rows(&store).await.is_empty());
    assert_eq!(store.leftovers(&main_shop(), Resource::Stock).await.unwrap(), [id(1)]);
    assert!(store.leftovers(&main_shop(), Resource::Credit).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_keeps_its_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let written = event(1).to_json();
    assert!(written.contains(r#""total":161.10"#) && written.contains("ขอบคุณ"), "{written}");
    let store = open(dir.path());
    store.commit(sent(1, 0)).await.unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.event(&event(1).id).await.unwrap(), Some(written.clone()));
    let due = store.due(&super::channel("erp"), at(0), 1, |_| false).await.unwrap();
    assert_eq!(due.now[0].events, [written]);
}

#[tokio::test]
async fn an_event_that_was_told_before_is_not_told_again_nor_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(sent(1, 0)).await.unwrap();
    let again = Commit { deliveries: vec![delivery("owner", &[&event(1)], 9)], ..told(1, 9) };
    store.commit(again).await.unwrap();
    drop(store);
    let store = open(dir.path());
    store.commit(sent(1, 10)).await.unwrap();
    assert_eq!(events(&store).await.len(), 1);
    assert_eq!(deliveries(&store).await, sent(1, 0).deliveries);
}

#[tokio::test]
async fn an_event_that_a_commit_holds_twice_is_told_and_sent_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (mut twice, again) = (sent(1, 0), sent(1, 0));
    twice.events.extend(again.events);
    twice.deliveries.extend(again.deliveries);
    store.commit(twice).await.unwrap();
    assert_eq!(events(&store).await.len(), 1);
    assert_eq!(deliveries(&store).await.len(), 1);
    assert_eq!(due(&store, 0).await.len(), 1);
}

#[tokio::test]
async fn of_a_message_of_several_what_was_told_before_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(told(1, 0)).await.unwrap();
    let digest = delivery("erp", &[&event(1), &event(2)], 1);
    let events = vec![(at(1), event(1)), (at(1), event(2))];
    store.commit(Commit { events, deliveries: vec![digest], ..Commit::default() }).await.unwrap();
    assert_eq!(due(&store, 1).await, [delivery("erp", &[&event(2)], 1)], "under the id of what is left");
}

#[tokio::test]
async fn a_delivery_that_is_planned_twice_is_one_delivery() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(sent(1, 0)).await.unwrap();
    store.commit(Commit { deliveries: sent(1, 7).deliveries, ..Commit::default() }).await.unwrap();
    assert_eq!(deliveries(&store).await, sent(1, 0).deliveries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commits_of_many_tasks_at_once_all_survive_with_numbers_of_their_own() {
    const TASKS: u64 = 64;
    const EACH: u64 = 20;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let start = Arc::new(Barrier::new(usize::try_from(TASKS).unwrap()));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let (store, start) = (store.clone(), Arc::clone(&start));
        tasks.spawn(async move {
            start.wait().await;
            for n in 0..EACH {
                store.commit(numbered(task * EACH + n)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    drop(store);
    let store = open(dir.path());
    assert_eq!(rows(&store).await, (0..TASKS * EACH).collect::<Vec<_>>());
    let stored = events(&store).await;
    let numbers: BTreeSet<u64> = stored.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (0..TASKS * EACH).collect());
    let told: BTreeSet<&String> = stored.iter().map(|(_, json)| json).collect();
    assert_eq!(told.len(), stored.len());
    assert_eq!(due(&store, 1_000_000).await.len(), stored.len());
}

#[tokio::test]
async fn a_row_that_does_not_fit_into_the_log_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let large = "ก".repeat(400_000);
    let rows = vec![(main_shop(), Resource::Credit, id(1), Some(Store::row(&large).unwrap()))];
    let resource = Some((main_shop(), Resource::Credit, record(1)));
    store.commit(Commit { rows, resource, ..Commit::default() }).await.unwrap();
    drop(store);
    let known = open(dir.path()).known::<String>(&main_shop(), Resource::Credit).await.unwrap();
    let Known::Rows { rows, .. } = known else { panic!("nothing is known") };
    assert_eq!(rows.into_values().collect::<Vec<_>>(), [large]);
}
