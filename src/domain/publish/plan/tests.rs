//! Which events become one delivery, as tables, and that each goes everywhere once.

use proptest::prelude::*;

use super::super::{RuleState, body, publish};
use super::*;
use crate::domain::event::DeliveryId;
use crate::domain::model::{ChannelName, Resource};
use crate::domain::outbox::{Destination, Destinations, State};
use crate::domain::rules::{Names, RuleSet, no_file, parse};
use crate::domain::test_shop::{row, sale, scribe, shop, time};

fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

fn rules(text: &str) -> RuleSet {
    let names = Names { shops: BTreeSet::new(), channels: ["mail", "owner", "erp", "bulk"].map(channel).into() };
    let mut rules = RuleSet::default();
    parse(text, &names, &no_file, &mut rules).unwrap();
    rules
}

/// Everything to everybody, by one rule.
const ALL: &str = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"mail\", \"owner\", \"erp\", \"bulk\"]\n";

/// A mailbox with two recipients, a chat, a machine, and one that takes three at once.
fn destinations() -> Destinations {
    let people = |recipients: &[&str]| {
        let recipients = recipients.iter().map(|one| (*one).to_owned()).collect();
        Destination { recipients, for_people: true, batch: None }
    };
    let machine = |batch| Destination { batch, ..Destination::default() };
    let known =
        [("mail", people(&["a@x", "b@x"])), ("owner", people(&[])), ("erp", machine(None)), ("bulk", machine(Some(3)))];
    known.into_iter().map(|(name, known)| (channel(name), known)).collect()
}

fn now() -> Timestamp {
    time("2026-11-23T03:00:00Z")
}

/// What is to be sent of these events, which came together, where no rule remembers anything.
fn plan(events: &[Event], rules: &RuleSet, destinations: &Destinations, now: Timestamp) -> Vec<Delivery> {
    let settings = Settings { rules: rules.clone(), destinations: destinations.clone() };
    publish(Plan::of(events, &settings), &settings, &RuleState::default(), &mut BTreeSet::new(), now).deliveries
}

fn sales(count: usize) -> Vec<Event> {
    (0..count).map(|number| scribe().sale_created(&sale(&number.to_string()))).collect()
}

/// `owner all: 0 1 2` for each delivery, by the places of its events.
fn said(planned: &[Delivery], events: &[Event]) -> Vec<String> {
    let place = |id: &EventId| events.iter().position(|event| event.id == *id).unwrap().to_string();
    let line = |one: &Delivery| {
        let places: Vec<String> = one.events.iter().map(place).collect();
        let to = one.recipient.as_deref().unwrap_or(one.channel.as_str());
        format!("{to} {}: {}", one.rule, places.join(" "))
    };
    planned.iter().map(line).collect()
}

fn all_of(events: &[Event], text: &str) -> Vec<String> {
    said(&plan(events, &rules(text), &destinations(), now()), events)
}

#[test]
fn one_event_is_a_delivery_for_each_recipient_of_each_channel() {
    let planned = plan(&sales(1), &rules(ALL), &destinations(), now());
    assert_eq!(said(&planned, &sales(1)), ["a@x all: 0", "b@x all: 0", "owner all: 0", "erp all: 0", "bulk all: 0"]);
    for delivery in &planned {
        assert_eq!((&delivery.shop, &delivery.state), (&shop(), &State::Pending { due_at: now() }));
        assert_eq!((delivery.tried, delivery.attempts.len()), (0, 0));
    }
}

#[test]
fn what_one_pass_brings_is_one_message_for_people_and_one_request_each_for_machines() {
    let want = [
        "a@x all: 0 1 2 3",
        "b@x all: 0 1 2 3",
        "owner all: 0 1 2 3",
        "erp all: 0",
        "bulk all: 0 1 2",
        "erp all: 1",
        "erp all: 2",
        "erp all: 3",
        "bulk all: 3",
    ];
    assert_eq!(all_of(&sales(4), ALL), want);
}

#[test]
fn a_sale_first_seen_as_cancelled_is_one_message_in_the_order_of_its_events() {
    let sale = sale("a");
    let events = [scribe().sale_created(&sale), scribe().sale_cancelled(&sale, None)];
    let text = "[[rule]]\nname = \"sales\"\non = [\"sale.*\"]\nto = [\"owner\", \"erp\"]\n";
    assert_eq!(all_of(&events, text), ["owner sales: 0 1", "erp sales: 0", "erp sales: 1"]);
}

#[test]
fn each_rule_has_a_message_of_its_own() {
    let events = [
        scribe().sale_created(&sale("a")),
        scribe().sale_cancelled(&sale("a"), None),
        scribe().sale_created(&sale("b")),
        scribe().sale_cancelled(&sale("b"), None),
    ];
    let text = "[[rule]]\nname = \"sold\"\non = [\"sale.created\"]\nto = [\"owner\"]\n\n\
        [[rule]]\nname = \"rest\"\non = [\"*\"]\nto = [\"owner\"]\n";
    assert_eq!(all_of(&events, text), ["owner sold: 0 2", "owner rest: 1 3"]);
}

#[test]
fn a_message_is_as_severe_as_the_most_severe_of_its_events() {
    let events = [
        scribe().sale_created(&sale("a")),
        scribe().sale_cancelled(&sale("a"), None),
        scribe().sale_created(&sale("b")),
    ];
    let planned = plan(&events, &rules(ALL), &destinations(), now());
    let of = |name: &str| planned.iter().filter(|one| one.channel == channel(name)).map(|one| one.severity).collect();
    let (owner, erp): (Vec<Severity>, Vec<Severity>) = (of("owner"), of("erp"));
    assert_eq!(owner, [Severity::Warning]);
    assert_eq!(erp, [Severity::Info, Severity::Warning, Severity::Info]);
}

#[test]
fn a_notice_is_never_told_with_anything_else() {
    let held =
        |counter| scribe().pass_held(counter, Resource::Stock, now(), crate::domain::event::HeldCounts::default());
    let events = [scribe().sale_created(&sale("a")), held(1), scribe().sale_created(&sale("b")), held(2)];
    let text = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\", \"bulk\"]\n";
    assert_eq!(
        all_of(&events, text),
        ["owner all: 0 2", "bulk all: 0 2", "owner all: 1", "bulk all: 1", "owner all: 3", "bulk all: 3"]
    );
}

#[test]
fn an_event_that_stands_twice_in_a_pass_is_told_once() {
    let twice = [sales(2), sales(2)].concat();
    assert_eq!(all_of(&twice, ALL).len(), all_of(&sales(2), ALL).len());
}

#[test]
fn five_thousand_events_are_the_most_in_one_message() {
    let text = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\"]\n";
    let planned = plan(&sales(5_001), &rules(text), &destinations(), now());
    assert_eq!(planned.iter().map(|one| one.events.len()).collect::<Vec<_>>(), [5_000, 1]);
}

#[test]
fn an_array_has_at_most_256_kib() {
    let long = |name: &str, length: usize| {
        let mut sale = sale(name);
        sale.comment = Some("x".repeat(length));
        scribe().sale_created(&sale)
    };
    let destinations: Destinations =
        [(channel("bulk"), Destination { batch: Some(100), ..Destination::default() })].into_iter().collect();
    let text = rules("[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"bulk\"]\n");
    // As long as three of them are to the byte, with two commas and the brackets.
    let bare = long("a", 0).to_json().len();
    let third = (256 * 1024 - 4) / 3;
    let exact = (256 * 1024 - 4) - 2 * third;
    for (last, want) in [(exact, vec![3]), (exact + 1, vec![2, 1])] {
        let events = [long("a", third - bare), long("b", third - bare), long("c", last - bare)];
        let planned = plan(&events, &text, &destinations, now());
        assert_eq!(planned.iter().map(|one| one.events.len()).collect::<Vec<_>>(), want);
        let json: Vec<String> = events.iter().map(Event::to_json).collect();
        assert_eq!(body(&json).len() <= 256 * 1024, want.len() == 1);
    }
    let events = [long("a", 300 * 1024), long("b", 0), long("c", 0)];
    let planned = plan(&events, &text, &destinations, now());
    assert_eq!(said(&planned, &events), ["bulk all: 0", "bulk all: 1 2"], "one that is longer goes alone");
}

#[test]
fn the_same_event_has_the_same_deliveries_whenever_it_is_planned() {
    let ids = |now: &str| -> Vec<DeliveryId> {
        plan(&sales(3), &rules(ALL), &destinations(), time(now)).into_iter().map(|one| one.id).collect()
    };
    assert_eq!(ids("2026-11-23T03:00:00Z"), ids("2027-01-01T00:00:00Z"));
}

#[test]
fn an_event_that_no_rule_is_about_has_no_delivery() {
    assert_eq!(plan(&sales(3), &RuleSet::default(), &destinations(), now()), []);
}

#[test]
fn one_event_is_a_body_and_several_are_an_array() {
    let [a, b] = ["a", "b"].map(|name| scribe().sale_created(&sale(name)).to_json());
    assert_eq!(body(std::slice::from_ref(&a)), a);
    let several: serde_json::Value = serde_json::from_str(&body(&[a, b])).unwrap();
    assert_eq!(several.as_array().map(Vec::len), Some(2));
}

/// Events of two kinds about a few things.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (0u8..3, 0u64..30).prop_map(|(kind, number)| match kind {
        0 => scribe().sale_created(&sale(&number.to_string())),
        1 => scribe().sale_cancelled(&sale(&number.to_string()), None),
        _ => scribe().stock_changed(number, &row("p", "1").product, &row("p", "2").product),
    });
    prop::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn each_event_goes_to_each_address_once_and_in_its_order(events in events(), most in 1usize..4_000) {
        let text = "[[rule]]\nname = \"sold\"\non = [\"sale.created\"]\nto = [\"owner\", \"bulk\"]\n\n".to_owned() + ALL;
        let rules = rules(&text);
        let planned = plan(&events, &rules, &destinations(), now());
        let mut first: Vec<&EventId> = Vec::new();
        events.iter().for_each(|event| if !first.contains(&&event.id) { first.push(&event.id) });
        for name in ["mail", "owner", "erp", "bulk"] {
            for address in destinations().addresses(&channel(name)) {
                let own: Vec<&Delivery> = planned
                    .iter()
                    .filter(|one| one.channel == address.channel && one.recipient == address.recipient)
                    .collect();
                let mut told: Vec<&EventId> = own.iter().flat_map(|one| &one.events).collect();
                told.sort_by_key(|id| first.iter().position(|known| known == id));
                prop_assert_eq!(&told, &first, "{}", name);
                for one in &own {
                    prop_assert!(one.events.iter().is_sorted_by_key(|id| first.iter().position(|known| *known == id)));
                    let room = destinations().room(&channel(name));
                    prop_assert!(room.holds(one.events.len(), 0));
                    prop_assert_eq!(&one.id, &DeliveryId::of(&one.channel, one.recipient.as_deref(), &one.events));
                }
                let of_rules: BTreeSet<&str> = own.iter().map(|one| one.rule.as_str()).collect();
                let for_people = destinations().of(&channel(name)).is_some_and(|known| known.for_people);
                prop_assert!(!for_people || own.len() == of_rules.len(), "{own:?}");
            }
        }
        // The same in parts, and the same without what is gathered.
        let settings = Settings { rules, destinations: destinations() };
        let made = || Plan::of(&events, &settings);
        let in_parts = made().in_parts(most).into_iter().flat_map(|part| part.at_once(now()));
        prop_assert_eq!(in_parts.collect::<Vec<_>>(), planned.clone());
        let (alone, others) = made().alone();
        let alone = alone.at_once(now());
        let for_erp = |one: &&Delivery| one.channel == channel("erp");
        prop_assert_eq!(alone.iter().collect::<Vec<_>>(), planned.iter().filter(for_erp).collect::<Vec<_>>());
        prop_assert_eq!(others, planned.len() > alone.len());
    }
}
