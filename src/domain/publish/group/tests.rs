//! What comes within a while is one message: as a table of moments, and through clocks that are set and kills.

use proptest::prelude::*;

use std::collections::BTreeSet;

use super::*;
use crate::domain::event::{Event, EventId, EventKind};
use crate::domain::model::ShopId;
use crate::domain::outbox::{Delivery, Destination};
use crate::domain::publish::{Plan, publish};
use crate::domain::rules::{Names, RuleSet, no_file, parse};
use crate::domain::test_shop::{row, sale, scribe, time};

fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

/// A chat, a mailbox with two recipients, and two machines, of which one takes three events at once.
fn settings(rules: &str) -> Settings {
    let names = Names {
        shops: [ShopId::new("main").unwrap()].into(),
        channels: ["owner", "mail", "erp", "bulk"].map(channel).into(),
    };
    let mut set = RuleSet::default();
    parse(rules, &names, &no_file, &mut set).unwrap();
    let people = |recipients: &[&str]| {
        let recipients = recipients.iter().map(|one| (*one).to_owned()).collect();
        Destination { recipients, for_people: true, batch: None }
    };
    let machine = |batch| Destination { batch, ..Destination::default() };
    let known =
        [("owner", people(&[])), ("mail", people(&["a@x", "b@x"])), ("erp", machine(None)), ("bulk", machine(Some(3)))];
    let destinations = known.into_iter().map(|(name, known)| (channel(name), known)).collect();
    Settings { rules: set, destinations }
}

/// What is stored, and a clock that only the test moves.
struct World {
    settings: Settings,
    state: RuleState,
    sent: Vec<(Timestamp, Delivery)>,
    now: Timestamp,
}

impl World {
    fn new(rules: &str) -> World {
        let now = time("2026-11-23T03:00:00Z");
        World { settings: settings(rules), state: RuleState::default(), sent: Vec::new(), now }
    }

    /// What is committed with these events.
    fn published(&self, events: &[Event]) -> Published {
        publish(Plan::of(events, &self.settings), &self.settings, &self.state, &mut BTreeSet::new(), self.now)
    }

    fn commit(&mut self, published: Published) {
        self.sent.extend(published.deliveries.into_iter().map(|delivery| (self.now, delivery)));
        for (key, group) in published.changed.groups {
            match group {
                Some(group) => self.state.groups.insert(key, Some(group)),
                None => self.state.groups.remove(&key),
            };
        }
    }

    fn tell(&mut self, events: &[Event]) {
        let published = self.published(events);
        self.commit(published);
    }

    /// Ends what is over, as the service does, and says how long it may sleep.
    fn look(&mut self) -> Option<Duration> {
        let (published, next) = close(&self.state, &self.settings, self.now, usize::MAX);
        self.commit(published);
        next
    }

    /// Lets so much time pass, with a look whenever one is due.
    fn wait(&mut self, length: Duration) {
        let end = self.now + length;
        loop {
            let next = self.look().map(|next| self.now + next).filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = next;
        }
        self.now = end;
    }
}

fn sales(numbers: std::ops::Range<u32>) -> Vec<Event> {
    numbers.map(|number| scribe().sale_created(&sale(&number.to_string()))).collect()
}

/// One rule with these lines sends to one channel. Each step is the second at which so many sales are told, and `want` the
/// messages: `0: 1 2` were sent at second 0 with these sales.
#[track_caller]
fn check(to: &str, lines: &str, steps: &[(u64, u32)], want: &[&str]) {
    let mut world = World::new(&format!("[[rule]]\nname = \"sold\"\non = [\"*\"]\nto = [\"{to}\"]\n{lines}\n"));
    let (began, mut told) = (world.now, 0);
    for (second, count) in steps {
        let until = began + Duration::from_secs(*second);
        world.wait((until - world.now).to_std().unwrap());
        world.tell(&sales(told..told + count));
        told += count;
    }
    world.wait(Duration::from_secs(600));
    let all = sales(0..told);
    let place = |id: &EventId| all.iter().position(|event| event.id == *id).unwrap().to_string();
    let line = |(at, delivery): &(Timestamp, Delivery)| {
        let places: Vec<String> = delivery.events.iter().map(place).collect();
        format!("{}: {}", (*at - began).num_seconds(), places.join(" "))
    };
    assert_eq!(world.sent.iter().map(line).collect::<Vec<_>>(), want);
}

#[test]
fn the_first_goes_at_once_and_what_follows_is_one_message() {
    check("owner", "", &[(0, 1)], &["0: 0"]);
    check("owner", "", &[(0, 1), (10, 1), (59, 2)], &["0: 0", "60: 1 2 3"]);
    check("owner", "", &[(0, 1), (60, 1)], &["0: 0", "60: 1"]);
    check("owner", "", &[(0, 1), (10, 1), (70, 1), (200, 1)], &["0: 0", "60: 1", "120: 2", "200: 3"]);
    check("owner", "group = \"5m\"", &[(0, 1), (299, 1), (301, 1)], &["0: 0", "300: 1", "600: 2"]);
    check("owner", "group = \"0s\"", &[(0, 1), (1, 1)], &["0: 0", "1: 1"]);
}

#[test]
fn what_one_pass_brings_goes_together_and_machines_wait_only_where_a_rule_says_so() {
    check("owner", "", &[(0, 3)], &["0: 0 1 2"]);
    check("erp", "", &[(0, 2), (1, 1)], &["0: 0", "0: 1", "1: 2"]);
    check("erp", "group = \"1m\"", &[(0, 2), (1, 2)], &["0: 0", "0: 1", "60: 2", "60: 3"]);
    check("bulk", "group = \"1m\"", &[(0, 1), (1, 2), (2, 2)], &["0: 0", "60: 1 2 3", "60: 4"]);
}

/// How many events each message has had.
fn sizes(world: &World) -> Vec<usize> {
    world.sent.iter().map(|(_, one)| one.events.len()).collect()
}

#[test]
fn a_group_that_is_full_is_sent_and_the_next_begins() {
    let most = u32::try_from(MOST_WAITING).unwrap();
    let mut world = World::new("[[rule]]\nname = \"sold\"\non = [\"*\"]\nto = [\"owner\"]\ngroup = \"24h\"\n");
    for number in 0..1 + 2 * most + 1 {
        world.tell(&sales(number..number + 1));
    }
    assert_eq!(sizes(&world), [1, MOST_WAITING, MOST_WAITING], "one ring for each so many");
    // A pass that is longer than may wait goes at once, behind what waits.
    world.tell(&sales(1_000..1_000 + most + 1));
    assert_eq!(sizes(&world), [1, MOST_WAITING, MOST_WAITING, 1, MOST_WAITING + 1]);
}

#[test]
fn what_one_pass_brings_in_several_commits_goes_together() {
    let mut world = World::new("[[rule]]\nname = \"sold\"\non = [\"*\"]\nto = [\"erp\"]\ngroup = \"5m\"\n");
    let mut begun = BTreeSet::new();
    for part in [0..100, 100..200, 200..250] {
        let plan = Plan::of(&sales(part), &world.settings);
        let published = publish(plan, &world.settings, &world.state, &mut begun, world.now);
        world.commit(published);
    }
    assert_eq!(world.sent.len(), 250);
    world.tell(&sales(250..251));
    assert_eq!(world.sent.len(), 250, "another pass waits");
}

#[test]
fn more_than_fits_into_one_commit_is_ended_in_several() {
    let mut world = World::new("[[rule]]\nname = \"sold\"\non = [\"*\"]\nto = [\"owner\", \"mail\"]\n");
    world.tell(&sales(0..1));
    world.tell(&sales(1..100));
    world.now += Duration::from_secs(60);
    let (mut looks, groups) = (0, world.state.groups.len());
    loop {
        let (published, next) = close(&world.state, &world.settings, world.now, 1);
        assert!(published.deliveries.len() <= 1, "one message is as much as asked for");
        world.commit(published);
        looks += 1;
        if next != Some(Duration::ZERO) {
            break;
        }
    }
    assert_eq!((groups, looks, world.sent.len()), (3, 3, 6));
}

#[test]
fn notices_and_what_is_critical_wait_for_nothing() {
    let rules = "[[rule]]\nname = \"moved\"\non = [\"stock.*\"]\nto = [\"owner\"]\nseverity = \"critical\"\n\n\
        [[rule]]\nname = \"rest\"\non = [\"*\"]\nto = [\"owner\"]\n";
    let mut world = World::new(rules);
    let moved = |number| scribe().stock_changed(number, &row("p", "1").product, &row("p", "2").product);
    for number in 1..4 {
        world.tell(&[moved(number)]);
        world.tell(&[scribe().key_rejected(number, 401)]);
    }
    assert_eq!(world.sent.len(), 6);
    assert!(world.state.is_empty(), "and they begin no window: {:?}", world.state);
}

#[test]
fn what_a_rule_has_collected_is_sent_when_it_is_gone_or_groups_no_more() {
    let of =
        |name: &str, lines: &str| format!("[[rule]]\nname = \"{name}\"\non = [\"*\"]\nto = [\"owner\"]\n{lines}\n");
    for after in [of("other", ""), of("sold", "group = \"0s\""), String::new()] {
        let mut world = World::new(&of("sold", ""));
        world.tell(&sales(0..1));
        world.tell(&sales(1..3));
        world.settings = settings(&after);
        assert_eq!(world.look(), None);
        assert_eq!(world.sent.iter().map(|(_, one)| one.events.len()).collect::<Vec<_>>(), [1, 2], "{after}");
        assert!(world.state.is_empty());
    }
}

#[test]
fn a_clock_that_is_set_back_by_more_than_the_window_ends_it() {
    let mut world = World::new("[[rule]]\nname = \"sold\"\non = [\"*\"]\nto = [\"owner\"]\n");
    world.tell(&sales(0..1));
    world.tell(&sales(1..2));
    world.now -= Duration::from_secs(365 * 86_400);
    assert_eq!(world.look(), None);
    assert_eq!(world.sent.len(), 2);
}

/// What happens to a shop and to the machine.
#[derive(Debug, Clone)]
enum Step {
    /// A pass finds so many sales.
    Sales(u32),
    /// The same, and the process is killed before the commit: the next pass finds them again.
    Killed(u32),
    Notice,
    Wait(u64),
    /// Killed before the commit of what is over.
    KilledLook(u64),
    Clock(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1u32..6).prop_map(Step::Sales),
        1 => (1u32..6).prop_map(Step::Killed),
        1 => Just(Step::Notice),
        3 => (0u64..90).prop_map(Step::Wait),
        1 => (0u64..90).prop_map(Step::KilledLook),
        1 => (-200i64..200).prop_map(Step::Clock),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn each_event_is_sent_once_to_each_address_whatever_comes_in_between(steps in steps()) {
        let rules = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"owner\", \"mail\", \"erp\", \"bulk\"]\ngroup = \"1m\"\n";
        let mut world = World::new(rules);
        let (mut told, mut notices) = (0, 0);
        let mut all: Vec<Event> = Vec::new();
        for step in steps {
            match step {
                Step::Sales(count) | Step::Killed(count) => {
                    let events = sales(told..told + count);
                    told += count;
                    if matches!(step, Step::Killed(_)) {
                        drop(world.published(&events));
                    }
                    world.tell(&events);
                    all.extend(events);
                }
                Step::Notice => {
                    notices += 1;
                    let notice = scribe().key_rejected(notices, 401);
                    world.tell(std::slice::from_ref(&notice));
                    all.push(notice);
                }
                Step::Wait(seconds) => world.wait(Duration::from_secs(seconds)),
                Step::KilledLook(seconds) => {
                    world.now += Duration::from_secs(seconds);
                    drop(close(&world.state, &world.settings, world.now, usize::MAX));
                }
                Step::Clock(seconds) => world.now += chrono::TimeDelta::seconds(seconds),
            }
        }
        world.wait(Duration::from_secs(600));
        let waits = world.state.groups.values().flatten().any(|group| !group.events.is_empty());
        prop_assert!(!waits, "nothing waits for ever: {:?}", world.state);
        let ids: Vec<&crate::domain::event::DeliveryId> = world.sent.iter().map(|(_, one)| &one.id).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        prop_assert_eq!(distinct.len(), ids.len());
        for name in ["owner", "mail", "erp", "bulk"] {
            for address in world.settings.destinations.addresses(&channel(name)) {
                let own = world.sent.iter().map(|(_, one)| one);
                let own = own.filter(|one| one.channel == address.channel && one.recipient == address.recipient);
                let mut got: Vec<&EventId> = own.flat_map(|one| &one.events).collect();
                got.sort();
                let mut want: Vec<&EventId> = all.iter().map(|event| &event.id).collect();
                want.sort();
                prop_assert_eq!(got, want, "{}", name);
            }
        }
        prop_assert!(all.iter().all(|event| event.kind == EventKind::SaleCreated || event.kind.is_notice()));
    }

    #[test]
    fn a_rule_rings_once_in_a_window_and_keeps_nothing_longer(steps in prop::collection::vec((0u64..40, 1u32..4), 1..60)) {
        let mut world = World::new("[[rule]]\nname = \"sold\"\non = [\"*\"]\nto = [\"owner\"]\n");
        let mut told_at = Vec::new();
        for (seconds, count) in steps {
            world.wait(Duration::from_secs(seconds));
            let first = u32::try_from(told_at.len()).unwrap();
            let events = sales(first..first + count);
            told_at.extend(events.iter().map(|event| (event.id.clone(), world.now)));
            world.tell(&events);
        }
        world.wait(Duration::from_secs(120));
        let at: Vec<Timestamp> = world.sent.iter().map(|(at, _)| *at).collect();
        prop_assert!(at.windows(2).all(|two| two[1] - two[0] >= FOR_PEOPLE_DELTA), "{at:?}");
        for (at, delivery) in &world.sent {
            for event in &delivery.events {
                let told = told_at.iter().find(|(id, _)| id == event).unwrap().1;
                prop_assert!(*at - told <= FOR_PEOPLE_DELTA);
            }
        }
    }
}

const FOR_PEOPLE_DELTA: chrono::TimeDelta = chrono::TimeDelta::seconds(60);
