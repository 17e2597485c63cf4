//! Does a listing of events show what was asked for, the newest of it, oldest first?

use posbell::domain::event::{Epoch, Scribe};
use posbell::edge::store::{Commit, EventFilter};

use super::{ALL, at, event, event_of, main_shop, numbered, open, told};

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
