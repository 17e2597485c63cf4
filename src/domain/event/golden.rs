//! Is the public form of every kind of event what it was?
//!
//! Receivers are built on these texts. One line of the file is one event, to the byte; a line that must change is a change
//! of the contract.

use super::*;
use crate::domain::model::{ChannelName, Quantity, Resource, Sale, SaleStatus};
use crate::domain::test_shop::{credit, member, overdue, paid, purchase, row, sale, scribe, time, vendor};

const LINES: &str = include_str!("../../../tests/it/fixtures/events.jsonl");

/// One event of each kind.
fn events() -> Vec<Event> {
    let scribe = scribe();
    let changed = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (few, many) = (row("p", "1.50").product, row("p", "40").product);
    let cancelled_at = Some(time("2026-11-23T02:10:00.5Z"));
    let cancelled = Sale { status: SaleStatus::Cancelled, cancelled_at, ..sale("s") };
    let level = |level| {
        let threshold = ThresholdView { level, below: Some(Quantity::from(24)), rearm: None };
        scribe.stock_level(2, &few, Some(&many), threshold)
    };
    let counts =
        HeldCounts { known: 120, vanished: 40, quantity_lost: 2, to_zero: 3, renamed: 4, ..HeldCounts::default() };
    let baseline = BaselineCounts { sales: Some(73), products: Some(500), low: Some(0), ..BaselineCounts::default() };
    vec![
        scribe.sale_created(&sale("s")),
        scribe.sale_cancelled(&cancelled, Some(&sale("s"))),
        scribe.sale_updated(1, &cancelled, &sale("s"), changed(&["status", "cancelled_at"])),
        level(Level::Low),
        level(Level::Critical),
        level(Level::Out),
        level(Level::Ok),
        scribe.stock_changed(1, &few, &many),
        scribe.product_created(&few),
        scribe.product_updated(3, &few, &many, changed(&["quantity"])),
        scribe.product_removed(4, &few),
        scribe.credit_created(&credit("c")),
        scribe.credit_updated(1, &overdue(credit("c")), &credit("c"), changed(&["paid"])),
        scribe.credit_overdue(&overdue(credit("c")), Some(&credit("c"))),
        scribe.credit_aging(2, &overdue(credit("c"))),
        scribe.credit_paid(3, &paid(credit("c")), &credit("c"), changed(&["balance", "status"])),
        scribe.listed_created(&member("m")),
        scribe.listed_updated(1, &member("m"), &member("m"), changed(&["points"])),
        scribe.listed_removed(2, &member("m")),
        scribe.listed_created(&vendor("v")),
        scribe.listed_updated(1, &vendor("v"), &vendor("v"), changed(&["phone"])),
        scribe.listed_removed(2, &vendor("v")),
        scribe.listed_created(&purchase("d")),
        scribe.listed_updated(1, &purchase("d"), &purchase("d"), changed(&["status"])),
        scribe.listed_removed(2, &purchase("d")),
        scribe.shop_baseline(baseline),
        scribe.key_rejected(1, 401),
        scribe.pass_held(1, Resource::Stock, time("2026-11-23T02:00:00Z"), counts),
        scribe.shop_stale(1, stale()),
        scribe.shop_recovered(1, recovered()),
        scribe.channel_failing(1, failing()),
        scribe.channel_recovered(1, channel_recovered()),
    ]
}

fn stale() -> ShopStale {
    ShopStale {
        resources: vec![Resource::Transactions, Resource::Stock],
        since: Some(time("2026-11-23T02:00:00Z")),
        cause: StaleCause::ApiError,
        why: "the API answered 503; this is the server's trouble, the next pass tries again".to_owned(),
        again: false,
    }
}

fn recovered() -> ShopRecovered {
    let resources = vec![Resource::Transactions, Resource::Stock];
    ShopRecovered { resources, since: Some(time("2026-11-23T02:00:00Z")), lasted_s: 3_600, changes: 7 }
}

fn owner() -> ChannelName {
    ChannelName::new("owner").unwrap()
}

fn failing() -> ChannelFailing {
    ChannelFailing {
        channel: owner(),
        since: time("2026-11-23T02:00:00Z"),
        cause: ChannelFault::Refused,
        why: "Bad Request: chat not found".to_owned(),
        waiting: 12,
    }
}

fn channel_recovered() -> ChannelRecovered {
    ChannelRecovered { channel: owner(), since: time("2026-11-23T02:00:00Z"), lasted_s: 3_600, waiting: 12 }
}

#[test]
fn every_kind_of_event_has_the_text_that_receivers_know() {
    let made: Vec<String> = events().iter().map(Event::to_json).collect();
    let known: Vec<&str> = LINES.lines().collect();
    let new: Vec<&String> = made.iter().filter(|line| !known.contains(&line.as_str())).collect();
    assert!(new.is_empty(), "not in the file:\n{}", new.into_iter().map(String::as_str).collect::<Vec<_>>().join("\n"));
    assert_eq!(made, known);
    let kinds: Vec<EventKind> = events().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, EventKind::ALL);
}

#[test]
fn a_bill_of_which_lines_were_left_out_says_how_many() {
    let json = scribe().sale_created(&Sale { lines_left_out: 9_001, ..sale("s") }).to_json();
    assert!(json.ends_with(r#""notes":[]}],"lines_left_out":9001}}}"#), "{json}");
    assert_eq!(Event::from_json(&json).map(|event| event.to_json()).ok(), Some(json));
}

#[test]
fn every_kind_of_event_reads_back_to_the_byte() {
    for line in LINES.lines() {
        let event = Event::from_json(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(event.to_json(), line);
    }
}

#[test]
fn only_what_can_happen_once_has_an_id_without_the_epoch() {
    let first = events();
    assert!(first.iter().all(|event| !event.id.as_str().contains('.')));
    let ids: std::collections::BTreeSet<&EventId> = first.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), first.len());
    for event in &first {
        let name = event.kind.name();
        let once = name.ends_with(".created") || name == "sale.cancelled" || name == "credit.overdue";
        assert_eq!(event.id == EventId::once(&event.shop, &event.subject, event.kind), once, "{name}");
    }
}
