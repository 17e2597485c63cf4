//! Does a listing of events show what was asked for, the newest of it, oldest first?

use posbell::domain::event::{Epoch, Scribe};
use posbell::edge::store::{Commit, EventFilter, Store};

use super::{ALL, at, event, event_of, id, main_shop, numbered, open, told};

#[tokio::test]
async fn events_are_listed_by_type_family_shop_time_and_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let scribe = Scribe::new(main_shop(), "ร้าน", Epoch::from_random([7; 16]), at(0));
    let all = [event(0), event_of("second", 1), scribe.key_rejected(1, 401), event(3), scribe.key_rejected(2, 403)];
    for (seconds, event) in (0..).zip(&all) {
        store.commit(Commit { events: vec![(at(seconds), event.clone())], ..Commit::default() }).await.unwrap();
    }
    let filter = EventFilter { limit: ALL, ..EventFilter::default() };
    let kind = |kind: &str| EventFilter { kind: Some(kind.to_owned()), ..filter.clone() };
    let shop = |shop: &str| EventFilter { shop: Some(shop.to_owned()), ..filter.clone() };
    for (filter, expected) in [
        (filter.clone(), vec![0, 1, 2, 3, 4]),
        (EventFilter { limit: 2, ..filter.clone() }, vec![3, 4]),
        (EventFilter { limit: 0, ..filter.clone() }, vec![]),
        (kind("sale.created"), vec![0, 1, 3]),
        (EventFilter { limit: 2, ..kind("sale.*") }, vec![1, 3]),
        (kind("shop.*"), vec![2, 4]),
        (kind("*"), vec![0, 1, 2, 3, 4]),
        (kind("sale"), vec![]),
        (kind("sale.cancelled"), vec![]),
        (shop("second"), vec![1]),
        (shop("sec"), vec![]),
        (EventFilter { shop: Some("main".to_owned()), ..kind("sale.created") }, vec![0, 3]),
        (EventFilter { since: Some(at(3)), ..filter.clone() }, vec![3, 4]),
        (EventFilter { since: Some(at(9)), ..filter.clone() }, vec![]),
        (EventFilter { after: Some(0), ..filter.clone() }, vec![1, 2, 3, 4]),
        (EventFilter { after: Some(4), ..filter.clone() }, vec![]),
        (EventFilter { after: Some(u64::MAX), ..filter.clone() }, vec![]),
        (EventFilter { since: Some(at(2)), after: Some(2), limit: 1, ..kind("*") }, vec![3]),
        (EventFilter { after: Some(0), limit: 2, ..filter.clone() }, vec![1, 2]),
        (EventFilter { subject: Some("shop/main".to_owned()), ..filter.clone() }, vec![2, 4]),
        (EventFilter { subject: Some("shop/mai".to_owned()), ..filter.clone() }, vec![]),
    ] {
        let asked = format!("{filter:?}");
        let found = store.events(filter).await.unwrap();
        let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, expected, "{asked}");
        assert!(found.iter().all(|(number, json)| *json == all[usize::try_from(*number).unwrap()].to_json()));
    }
}

#[tokio::test]
async fn an_event_written_while_the_clock_was_behind_does_not_hide_older_ones() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for (n, seconds) in [(0, 100), (1, 200), (2, -1_000_000), (3, 300)] {
        store.commit(told(n, seconds)).await.unwrap();
    }
    let since = EventFilter { since: Some(at(150)), limit: ALL, ..EventFilter::default() };
    let numbers: Vec<u64> = store.events(since).await.unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 3]);
}

#[tokio::test]
async fn an_unknown_event_is_nothing_and_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.commit(numbered(1)).await.unwrap();
    assert_eq!(store.event(&event(2).id).await.unwrap(), None);
    assert_eq!(store.delivery(numbered(2).deliveries[0].id.clone()).await.unwrap(), None);
}

/// The numbers of what these filters find.
async fn found(store: &Store, filters: &[EventFilter]) -> Vec<Vec<u64>> {
    let mut found = Vec::new();
    for filter in filters {
        let events = store.events(filter.clone()).await.unwrap();
        found.push(events.into_iter().map(|(number, _)| number).collect());
    }
    found
}

/// Filters of every sort, with limits that end in the middle.
fn filters() -> Vec<EventFilter> {
    let kinds =
        [None, Some("sale.created"), Some("shop.*"), Some("shop.key_rejected"), Some("*"), Some("sale.cancelled")];
    let shops = [None, Some("main"), Some("second"), Some("third")];
    let subjects = [None, Some(format!("sale/{}", id(300))), Some("shop/main".to_owned())];
    let times = [(None, None), (Some(at(700)), None), (None, Some(255)), (None, Some(600)), (Some(at(90)), Some(10))];
    let mut filters = Vec::new();
    for kind in kinds.map(|kind| kind.map(str::to_owned)) {
        for shop in shops.map(|shop| shop.map(str::to_owned)) {
            for subject in &subjects {
                for (since, after) in times {
                    for limit in [3, ALL] {
                        let (kind, shop, subject) = (kind.clone(), shop.clone(), subject.clone());
                        filters.push(EventFilter { kind, shop, subject, since, after, before: None, limit });
                    }
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn what_is_found_by_the_index_is_what_is_found_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let scribe = Scribe::new(main_shop(), "ร้าน", Epoch::from_random([7; 16]), at(0));
    let write = async |numbers: std::ops::Range<u64>| {
        for n in numbers {
            let event = match n % 7 {
                0 => scribe.key_rejected(n, 401),
                1 | 4 => event_of("second", n),
                _ => event(n),
            };
            let seconds = if n % 90 == 5 { -5_000 } else { i64::try_from(n).unwrap() };
            store.commit(Commit { events: vec![(at(seconds), event)], ..Commit::default() }).await.unwrap();
        }
    };
    write(0..800).await;
    let filters = filters();
    let without = found(&store, &filters).await;
    assert!(without.iter().filter(|found| !found.is_empty()).count() > 60, "most of them find something");
    assert_eq!(store.index_log().await.unwrap(), 3, "three blocks are full");
    assert_eq!(store.index_log().await.unwrap(), 0);
    assert_eq!(found(&store, &filters).await, without);
    // What comes later is found behind the index, and then in it.
    write(800..1_100).await;
    let without = found(&store, &filters).await;
    assert_eq!(store.index_log().await.unwrap(), 1);
    assert_eq!(found(&store, &filters).await, without);
    // What is forgotten is not found any more, and neither is its place kept for ever.
    store.prune(at(600)).await.unwrap();
    let kept = found(&store, &filters).await;
    let still = |found: &[u64]| found.iter().all(|number| *number >= 600);
    assert!(kept.iter().zip(&filters).all(|(found, _)| still(found)));
    assert_eq!(store.index_log().await.unwrap(), 0);
    drop(store);
    assert_eq!(found(&open(dir.path()), &filters).await, kept);
}

#[tokio::test]
async fn old_stamps_among_young_ones_do_not_end_a_search_by_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let scribe = Scribe::new(main_shop(), "ร้าน", Epoch::from_random([7; 16]), at(0));
    let mut events = vec![(at(10_000), scribe.key_rejected(1, 401))];
    // Every second one was written while the clock was behind: many more in all than are passed over in a row.
    events.extend((1..3_000).map(|n| (at(if n % 2 == 0 { -5_000 } else { 10_000 }), event(n))));
    for some in events.chunks(200) {
        store.commit(Commit { events: some.to_vec(), ..Commit::default() }).await.unwrap();
    }
    let filter =
        EventFilter { kind: Some("shop.*".to_owned()), since: Some(at(0)), limit: 9, ..EventFilter::default() };
    for _indexed in [false, true] {
        assert_eq!(found(&store, std::slice::from_ref(&filter)).await, [[0]]);
        store.index_log().await.unwrap();
    }
}
