//! What collapses into what, as tables, and what no backlog may ever lose.

use proptest::prelude::*;

use super::super::{Outcome, Reason, RetryPolicy, State};
use super::*;
use crate::domain::event::{DeliveryId, Epoch, EventId};
use crate::domain::model::{ChannelName, EntityId};
use crate::domain::test_shop::{shop, time};

fn now() -> Timestamp {
    time("2026-11-23T03:00:00Z")
}

/// `low a` is a level of product `a`, `changed a` its quantity, `sale a` a sale; the log has them in this order.
fn news(text: &str, number: u64) -> News {
    let (kind, name) = text.split_once(' ').unwrap();
    let id = EntityId::new(name).unwrap();
    let kind = match kind {
        "sale" => EventKind::SaleCreated,
        stock => EventKind::by_name(&format!("stock.{stock}")).unwrap(),
    };
    let subject = if kind == EventKind::SaleCreated { Subject::sale(&id) } else { Subject::product(&id) };
    News { kind, subject, number, json: 1_000 }
}

fn event_id(news: &News) -> EventId {
    EventId::counted(&Epoch::from_random([1; 16]), &shop(), &news.subject, news.kind, news.number)
}

/// A delivery of one event, planned so many minutes ago.
fn waiting(news: News, minutes: i64, recipient: Option<&str>) -> Waiting {
    let address = Address { channel: ChannelName::new("erp").unwrap(), recipient: recipient.map(str::to_owned) };
    let planned = now() - chrono::TimeDelta::minutes(minutes);
    Waiting {
        delivery: Delivery::new(address, shop(), "all".to_owned(), vec![event_id(&news)], planned),
        news: vec![news],
    }
}

fn backlog(events: &str, minutes: i64) -> Vec<Waiting> {
    events.split(", ").zip(1..).map(|(text, number)| waiting(news(text, number), minutes, None)).collect()
}

/// The outbox as the store keeps it: a step happens whole, and only when all is as it was.
fn commit(outbox: &mut Vec<Waiting>, step: &Collapse) {
    let find = |outbox: &[Waiting], id: &DeliveryId| outbox.iter().position(|one| one.delivery.id == *id).unwrap();
    let own = |one: &Waiting| one.delivery.events.clone().into_iter().zip(one.news.clone()).collect::<Vec<_>>();
    let known: BTreeMap<EventId, News> = outbox.iter().flat_map(own).collect();
    for (before, after) in &step.settled {
        let index = find(outbox, &before.id);
        assert_eq!(outbox[index].delivery, *before, "it was planned with what is stored");
        outbox[index].delivery = after.clone();
    }
    if let Some(digest) = &step.digest {
        assert!(outbox.iter().all(|one| one.delivery.id != digest.id), "its id is its own");
        let news = digest.events.iter().map(|id| known[id].clone()).collect();
        outbox.push(Waiting { news, delivery: digest.clone() });
    }
}

fn still_waiting(outbox: &[Waiting]) -> Vec<Waiting> {
    outbox.iter().filter(|one| one.delivery.state.due_at().is_some()).cloned().collect()
}

/// The steps where people read the channel.
fn for_people(waiting: Vec<Waiting>) -> Vec<Collapse> {
    catch_up(waiting, Room::FOR_PEOPLE, now())
}

/// Catches up, and says what waits then: a message a line, `low a` with how many it stands for.
fn caught_up(outbox: Vec<Waiting>) -> Vec<String> {
    caught_up_with(Room::FOR_PEOPLE, outbox)
}

fn caught_up_with(room: Room, mut outbox: Vec<Waiting>) -> Vec<String> {
    for step in catch_up(outbox.clone(), room, now()) {
        commit(&mut outbox, &step);
    }
    assert_eq!(catch_up(still_waiting(&outbox), room, now()), [], "a second look finds nothing to do");
    let line = |one: &Waiting| {
        let told = one.news.iter().enumerate().map(|(at, news)| {
            let (kind, name) = (news.kind.name(), news.subject.as_str());
            let name = name.split_once('/').unwrap().1;
            let kind = kind.strip_prefix("stock.").unwrap_or("sale");
            match one.delivery.count(at) {
                1 => format!("{kind} {name}"),
                count => format!("{kind} {name} ×{count}"),
            }
        });
        told.collect::<Vec<_>>().join(" + ")
    };
    still_waiting(&outbox).iter().map(line).collect()
}

#[track_caller]
fn check(events: &str, expected: &[&str]) {
    assert_eq!(caught_up(backlog(events, 120)), expected, "{events}");
}

#[test]
fn of_each_product_the_newest_state_goes_into_one_message() {
    check("low a, critical a, out a, low b", &["out a ×3 + low b"]);
    check("low a, low b, out a, recovered a, recovered b", &["recovered a ×3 + recovered b ×2"]);
    check("low a, low b, out b, out c, out a", &["out b ×2 + out c + out a ×2"]);
}

#[test]
fn a_machine_gets_the_newest_state_of_each_product_under_its_own_id() {
    #[track_caller]
    fn check(events: &str, expected: &[&str]) {
        assert_eq!(caught_up_with(Room::ALONE, backlog(events, 120)), expected, "{events}");
    }
    check("low a, critical a, out a, low b", &["out a ×3", "low b"]);
    check(
        "low a, sale a, low b, out a, sale b, recovered a, recovered b",
        &["sale a", "sale b", "recovered a ×3", "recovered b ×2"],
    );
    check("changed a, low a, changed a, changed a, out a", &["changed a ×3", "out a ×2"]);
    check("low a, out a, low b", &["low a", "out a", "low b"]);
    let steps = catch_up(backlog("low a, critical a, out a, low b", 120), Room::ALONE, now());
    assert!(steps.iter().all(|step| step.digest.is_none()), "{steps:?}");
}

#[test]
fn arrays_hold_as_many_as_the_machine_wants_and_256_kib() {
    let events = "low a, out a, low a, low b, low c, low d, low e";
    let check = |room, expected: &[&str]| assert_eq!(caught_up_with(room, backlog(events, 120)), expected);
    check(Room::array(1), &["low a ×3", "low b", "low c", "low d", "low e"]);
    check(Room::array(2), &["low e", "low a ×3 + low b", "low c + low d"]);
    check(Room::array(100), &["low a ×3 + low b + low c + low d + low e"]);
    let mut long = backlog(events, 120);
    long.iter_mut().for_each(|one| one.news[0].json = 100 * 1024);
    assert_eq!(caught_up_with(Room::array(100), long), ["low e", "low a ×3 + low b", "low c + low d"]);
}

#[test]
fn a_digest_is_as_severe_as_the_most_severe_state_in_it() {
    use crate::domain::event::Severity;
    let mut outbox = backlog("low a, critical a, out a, low b", 120);
    for (one, severity) in
        outbox.iter_mut().zip([Severity::Critical, Severity::Critical, Severity::Info, Severity::Warning])
    {
        one.delivery.severity = severity;
    }
    let digest = for_people(outbox).remove(0).digest.unwrap();
    assert_eq!(digest.severity, Severity::Warning, "of what is told, and not of what is overtaken");
}

#[test]
fn levels_and_quantities_overtake_their_own_kind_alone() {
    check("changed a, low a, changed a, changed a, out a", &["changed a ×3 + out a ×2"]);
    check("changed a, low a, changed b, low b", &["changed a", "low a", "changed b", "low b"]);
}

#[test]
fn sales_go_out_one_by_one() {
    check(
        "sale a, low a, sale b, out a, sale c, recovered a, low b",
        &["sale a", "sale b", "sale c", "recovered a ×3 + low b"],
    );
    check("sale a, sale b, sale c", &["sale a", "sale b", "sale c"]);
}

#[test]
fn one_overtaken_state_is_not_worth_it() {
    check("low a, out a, low b", &["low a", "out a", "low b"]);
}

#[test]
fn states_of_one_product_are_one_message_with_the_id_of_its_event() {
    check("low a, out a, recovered a", &["recovered a ×3"]);
    let mut outbox = backlog("low a, out a, recovered a", 120);
    let newest = outbox[2].delivery.id.clone();
    for step in for_people(outbox.clone()) {
        assert_eq!(step.digest, None);
        commit(&mut outbox, &step);
    }
    assert_eq!(still_waiting(&outbox)[0].delivery.id, newest);
}

#[test]
fn nothing_is_overtaken_before_an_hour_is_over() {
    let events = "low a, critical a, out a, low b";
    assert_eq!(caught_up(backlog(events, 59)).len(), 4);
    assert_eq!(caught_up(backlog(events, 60)).len(), 1);
    let mut mixed = backlog(events, 1);
    mixed[0] = waiting(news("low a", 1), 60, None);
    assert_eq!(caught_up(mixed), ["out a ×3 + low b"], "the oldest decides, and the youngest comes along");
}

#[test]
fn recipients_have_messages_of_their_own() {
    let mut outbox = backlog("low a, critical a, out a, low b", 120);
    let of_another = backlog("low a, critical a, out a, low b", 120).into_iter();
    outbox.extend(of_another.map(|one| waiting(one.news[0].clone(), 120, Some("second@example.com"))));
    assert_eq!(caught_up(outbox), ["out a ×3 + low b"; 2]);
}

#[test]
fn what_is_collapsed_says_into_what_and_is_finished() {
    let outbox = backlog("low a, critical a, out a, low b", 120);
    let steps = for_people(outbox);
    let [Collapse { digest: Some(digest), settled }] = steps.as_slice() else { panic!("{steps:?}") };
    assert_eq!(settled.len(), 4);
    for (_, after) in settled {
        assert_eq!((&after.state, &after.collapsed_into), (&State::Delivered { at: now() }, &Some(digest.id.clone())));
    }
    assert_eq!(digest.id, DeliveryId::of(&digest.channel, None, &digest.events));
    assert_eq!((digest.counts.as_slice(), digest.state.due_at()), (&[3, 1][..], Some(now())));
}

#[test]
fn a_digest_that_failed_is_overtaken_like_any_other() {
    let mut outbox = backlog("low a, critical a, out a, low b", 120);
    for step in for_people(outbox.clone()) {
        commit(&mut outbox, &step);
    }
    let mut left = still_waiting(&outbox);
    left.push(waiting(news("recovered a", 5), 1, None));
    left.push(waiting(news("low c", 6), 1, None));
    assert_eq!(caught_up(left), ["low b + recovered a ×4 + low c"]);
}

#[test]
fn a_large_backlog_is_collapsed_in_small_steps_that_are_each_whole() {
    let texts: Vec<String> = (0..3000).map(|n| format!("low p{}", n % 500)).collect();
    let mut outbox = backlog(&texts.join(", "), 120);
    let steps = for_people(outbox.clone());
    for step in &steps {
        assert!(step.settled.len() <= 2 * AT_ONCE, "{}", step.settled.len());
        commit(&mut outbox, step);
        let counts = still_waiting(&outbox)
            .iter()
            .map(|one| (0..one.news.len()).map(|at| one.delivery.count(at)).sum::<u64>())
            .sum::<u64>();
        assert_eq!(counts, 3000, "whoever is killed here has lost nothing");
    }
    let sizes: Vec<usize> = still_waiting(&outbox).iter().map(|one| one.news.len()).collect();
    assert_eq!(sizes, [200, 200, 100]);
}

/// What may happen to an outbox.
#[derive(Debug, Clone)]
enum Happening {
    /// An event of the kind with this number, about this thing, is planned.
    Told(usize, u8),
    /// A catch-up; killed after so many of its steps.
    CatchUp(usize),
    /// The attempt of one that waits ends: taken, or not.
    Tried(prop::sample::Index, bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0usize..6, 0u8..4).prop_map(|(kind, name)| Happening::Told(kind, name)),
        1 => (0usize..4).prop_map(Happening::CatchUp),
        2 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(which, taken)| Happening::Tried(which, taken)),
    ]
}

fn happen(outbox: &mut Vec<Waiting>, room: Room, happening: &Happening, number: u64) {
    const KINDS: [&str; 6] = ["low", "critical", "out", "recovered", "changed", "sale"];
    match happening {
        Happening::Told(kind, name) => {
            // A sale happens once.
            let name = if KINDS[*kind] == "sale" { number } else { u64::from(*name) };
            outbox.push(waiting(news(&format!("{} {name}", KINDS[*kind]), number), 120, None));
        }
        Happening::CatchUp(steps) => {
            for step in catch_up(still_waiting(outbox), room, now()).iter().take(*steps) {
                commit(outbox, step);
            }
        }
        Happening::Tried(which, taken) => {
            let left: Vec<usize> =
                (0..outbox.len()).filter(|at| outbox[*at].delivery.state.due_at().is_some()).collect();
            if left.is_empty() {
                return;
            }
            let outcome = match taken {
                true => Outcome::Delivered,
                false => Outcome::retry(Reason::Timeout),
            };
            let delivery = &mut outbox[*which.get(&left)].delivery;
            let policy = RetryPolicy::default();
            *delivery = delivery.clone().settle(&outcome, now(), std::time::Duration::ZERO, 0.5, &policy);
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_no_state_is_lost_and_no_sale_is_touched(
        happenings in prop::collection::vec(happening(), 0..80),
        room in prop_oneof![Just(Room::FOR_PEOPLE), (1usize..5).prop_map(Room::array)],
    ) {
        let mut outbox: Vec<Waiting> = Vec::new();
        for (happening, number) in happenings.iter().zip(1..) {
            happen(&mut outbox, room, happening, number);
        }
        happen(&mut outbox, room, &Happening::CatchUp(usize::MAX), 1000);
        let said: Vec<&News> =
            outbox.iter().filter(|one| one.delivery.collapsed_into.is_none()).flat_map(|one| &one.news).collect();
        for one in &outbox {
            for news in &one.news {
                let newer = |other: &&News| {
                    other.subject == news.subject && family(other.kind) == family(news.kind) && other.number >= news.number
                };
                prop_assert!(said.iter().copied().any(|other| newer(&other)), "{news:?} is told by nobody");
            }
            if let Some(into) = &one.delivery.collapsed_into {
                prop_assert!(one.news.iter().all(|news| News::can_be_overtaken(news.kind)), "{one:?}");
                prop_assert!(outbox.iter().any(|other| other.delivery.id == *into), "{one:?} points nowhere");
            }
        }
        // Each event is to be sent by one delivery at most, so under one id.
        let mut told: Vec<u64> = said.iter().map(|news| news.number).collect();
        told.sort_unstable();
        let all = told.len();
        told.dedup();
        prop_assert_eq!(told.len(), all, "an event has two messages");
        prop_assert_eq!(catch_up(still_waiting(&outbox), room, now()), []);
        prop_assert!(outbox.iter().all(|one| room.holds(one.news.len(), 0)), "a message has more than it may");
    }

    #[test]
    fn after_a_catch_up_every_waiting_state_is_the_newest_or_told_by_a_newer_one(
        events in prop::collection::vec((0usize..5, 0u8..5), 3..60),
    ) {
        const KINDS: [&str; 5] = ["low", "out", "recovered", "changed", "changed"];
        let texts: Vec<String> = events.iter().map(|(kind, name)| format!("{} {name}", KINDS[*kind])).collect();
        let all = backlog(&texts.join(", "), 120);
        let mut outbox = all.clone();
        for step in for_people(outbox.clone()) {
            commit(&mut outbox, &step);
        }
        let left = still_waiting(&outbox);
        let keys: BTreeSet<_> = all.iter().map(|one| (one.news[0].subject.clone(), family(one.news[0].kind))).collect();
        let told: Vec<_> = left.iter().flat_map(|one| &one.news).collect();
        if all.len() - keys.len() >= 2 {
            prop_assert_eq!(told.len(), keys.len());
            prop_assert_eq!(left.len(), 1);
        } else {
            prop_assert_eq!(left, all);
        }
    }
}

#[test]
fn what_a_person_has_had_sent_again_is_sent_as_it_is() {
    let events = "low a, out a, recovered a, low a";
    assert!(!for_people(backlog(events, 120)).is_empty());
    let mut waiting = backlog(events, 120);
    for one in &mut waiting {
        let dead = one.delivery.clone().give_up(now());
        one.delivery = dead.act(super::super::Act::Retry, now()).unwrap();
    }
    assert_eq!(for_people(waiting), []);
}
