//! After an outage of hours: which waiting stock states are overtaken by newer ones, and what is sent instead.
//!
//! Nobody wants forty messages about a shelf that ran low, out and full again while the line was down. Of each product
//! the newest state is told, with the number of changes it stands for, and the newest states go out in one message where
//! the channel has [`Room`] for several events, else one by one as they were planned. All else (sales, cancels, credits,
//! payments) is a record of its own and is never touched.
//!
//! **Two families.** A level (`stock.low` … `stock.recovered`) overtakes older levels; a `stock.changed` overtakes
//! older `stock.changed`. Neither overtakes the other: a receiver that keeps quantities by `stock.changed` reads no
//! levels, and would keep a wrong figure for ever; a level is told once, and no later quantity says it again.
//!
//! **Newest** is what was told last, by the number in the event log. Times can stand still or go back when a clock is
//! set; the log cannot.
//!
//! **Small steps.** A commit must stay small, so a large backlog is collapsed in several. After each of them everything
//! waits somewhere: an overtaken delivery is collapsed into the waiting one that has the newest state, whose count
//! grows in the same step; the newest are collapsed into the digest that the same step makes, if one is made. Killed in
//! between, the next look goes on from there. A digest that failed and was overtaken meanwhile takes part like any other.
//! A message of several that the channel has no room for any more is sent as it is, unless all of it is overtaken.
//!
//! It refuses to hurry: what is under way is not handed in, and so is left alone. So is what a person has had sent again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Address, Delivery, Room};
use crate::domain::event::EventKind;
use crate::domain::model::{ShopId, Subject, Timestamp};

/// How old the oldest waiting stock state must be. In an hour posbell has tried some ten times: shorter breaks (a
/// restart, a router, a deployment) are over by then and everything is told as it came. After it a state is no news
/// any more but history, and history of stock is what the newest state replaces.
pub const CATCH_UP_AFTER: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// How many states must be overtaken: one old message too many disturbs nobody, and stays as it was planned.
const OVERTAKEN_LEAST: u64 = 2;

/// How many events one step moves, and so the most in one digest: about 300 KB for the store. A shop with more products
/// gets several digests, each product in one of them.
const AT_ONCE: usize = 200;

/// What is known of an event that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Its kind.
    pub kind: EventKind,
    /// What it is about.
    pub subject: Subject,
    /// Its number in the event log: what was told later has a higher one.
    pub number: u64,
    /// How long its JSON is.
    pub json: usize,
}

impl News {
    /// Whether a newer one of the same product may be told instead.
    pub fn can_be_overtaken(kind: EventKind) -> bool {
        family(kind).is_some()
    }
}

/// A delivery that waits and is not under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The delivery.
    pub delivery: Delivery,
    /// What is known of each of its events, in their order.
    pub news: Vec<News>,
}

/// One step of a catch-up: one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collapse {
    /// The message that is sent instead; `None` where one that waits already says it.
    pub digest: Option<Delivery>,
    /// What it changes, before and after: collapsed, or standing for more than before. The step is void unless all
    /// of them are still as they were.
    pub settled: Vec<(Delivery, Delivery)>,
}

/// What newer states can take the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Level,
    Quantity,
}

fn family(kind: EventKind) -> Option<Family> {
    match kind {
        EventKind::StockLow | EventKind::StockCritical | EventKind::StockOut | EventKind::StockRecovered => {
            Some(Family::Level)
        }
        EventKind::StockChanged => Some(Family::Quantity),
        _ => None,
    }
}

/// The steps that collapse what waits for one channel, whose messages have this room, to be committed in their order;
/// none where nothing has to be.
///
/// Each recipient and shop has messages of its own. Deliveries with any other event than a stock state are left out.
pub fn catch_up(waiting: Vec<Waiting>, room: Room, now: Timestamp) -> Vec<Collapse> {
    let mut groups: BTreeMap<(Address, ShopId), Vec<Waiting>> = BTreeMap::new();
    for one in waiting {
        let stock = one.news.iter().all(|news| News::can_be_overtaken(news.kind));
        if stock
            && one.delivery.may_be_overtaken()
            && !one.news.is_empty()
            && one.news.len() == one.delivery.events.len()
        {
            let Delivery { channel, recipient, shop, .. } = &one.delivery;
            let address = Address { channel: channel.clone(), recipient: recipient.clone() };
            groups.entry((address, shop.clone())).or_default().push(one);
        }
    }
    groups.into_values().flat_map(|waiting| Group::of(waiting, room).steps(now)).collect()
}

/// Where an event waits: which delivery, and at which place in it.
type Place = (usize, usize);

/// What waits for one recipient from one shop, as it stands after the steps so far.
struct Group {
    waiting: Vec<Waiting>,
    room: Room,
    /// Where the newest state of each product and family is.
    newest: BTreeMap<(Subject, Family), Place>,
}

impl Group {
    fn of(waiting: Vec<Waiting>, room: Room) -> Group {
        let mut newest: BTreeMap<(Subject, Family), Place> = BTreeMap::new();
        for (index, one) in waiting.iter().enumerate() {
            for (at, news) in one.news.iter().enumerate() {
                let Some(family) = family(news.kind) else { continue };
                let known = newest.entry((news.subject.clone(), family)).or_insert((index, at));
                if news.number > waiting[known.0].news[known.1].number {
                    *known = (index, at);
                }
            }
        }
        Group { waiting, room, newest }
    }

    fn steps(mut self, now: Timestamp) -> Vec<Collapse> {
        if !self.is_worth_it(now) {
            return Vec::new();
        }
        let all = 0..self.waiting.len();
        let (mut overtaken, mut merged): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for index in all {
            match self.live(index) {
                0 => overtaken.push(index),
                // A digest whose states are all the newest already is sent as it is.
                live if live == self.waiting[index].news.len() && live > 1 => {}
                _ if self.room.is_for_several() && self.has_room(&[index]) => merged.push(index),
                _ => {}
            }
        }
        let counted = merged.iter().any(|index| self.waiting[*index].delivery.count(0) > 1);
        if overtaken.is_empty() && !counted && merged.iter().all(|index| self.waiting[*index].news.len() == 1) {
            return Vec::new();
        }
        merged.sort_by_key(|index| self.waiting[*index].news.iter().map(|news| news.number).max());
        let mut steps = Vec::new();
        let mut digests = Vec::new();
        for members in self.packed(merged, |members| self.has_room(members)) {
            let live: usize = members.iter().map(|index| self.live(*index)).sum();
            if live < 2 {
                // The one newest state is a message of its own already.
                continue;
            }
            let own = |index: &usize| members.contains(&self.successor(*index, 0).0);
            let older: Vec<usize> = overtaken.iter().copied().filter(own).collect();
            if self.weight(&members) + self.weight(&older) <= AT_ONCE {
                overtaken.retain(|index| !older.contains(index));
                digests.push((members, older));
            } else {
                digests.push((members, Vec::new()));
            }
        }
        for older in self.packed(overtaken, |_| true) {
            steps.push(self.absorb(&older, now));
        }
        for (members, older) in digests {
            steps.push(self.digest(members, older, now));
        }
        steps
    }

    /// Whether the oldest is old enough, and enough is overtaken.
    fn is_worth_it(&self, now: Timestamp) -> bool {
        // What stands for several is left from an earlier catch-up of the same outage.
        let is_old = |one: &Waiting| !one.delivery.counts.is_empty() || now - one.delivery.created_at >= CATCH_UP_AFTER;
        let counts = self.waiting.iter().flat_map(|one| (0..one.news.len()).map(|at| one.delivery.count(at)));
        let changes = counts.fold(0, u64::saturating_add);
        self.waiting.iter().any(is_old) && changes.saturating_sub(self.newest.len() as u64) >= OVERTAKEN_LEAST
    }

    /// Where the newest state is of what the event at this place is about.
    fn successor(&self, index: usize, at: usize) -> Place {
        let news = &self.waiting[index].news[at];
        let key = family(news.kind).map(|family| (news.subject.clone(), family));
        key.and_then(|key| self.newest.get(&key)).copied().unwrap_or((index, at))
    }

    /// How many of a delivery's events are the newest of their kind.
    fn live(&self, index: usize) -> usize {
        (0..self.waiting[index].news.len()).filter(|at| self.successor(index, *at) == (index, *at)).count()
    }

    fn weight(&self, deliveries: &[usize]) -> usize {
        deliveries.iter().map(|index| self.waiting[*index].news.len()).sum()
    }

    /// Whether the newest states of these deliveries are one message.
    fn has_room(&self, deliveries: &[usize]) -> bool {
        let places = deliveries.iter().flat_map(|index| (0..self.waiting[*index].news.len()).map(|at| (*index, at)));
        let live: Vec<Place> = places.filter(|place| self.successor(place.0, place.1) == *place).collect();
        self.room.holds(live.len(), live.iter().map(|(index, at)| self.waiting[*index].news[*at].json).sum())
    }

    /// These deliveries in their order, as many together as one step moves and `fits`.
    fn packed(&self, deliveries: Vec<usize>, fits: impl Fn(&[usize]) -> bool) -> Vec<Vec<usize>> {
        let mut packs: Vec<Vec<usize>> = Vec::new();
        for index in deliveries {
            if let Some(pack) = packs.last_mut() {
                pack.push(index);
                if self.weight(pack) <= AT_ONCE && fits(pack) {
                    continue;
                }
                pack.pop();
            }
            packs.push(vec![index]);
        }
        packs
    }

    /// Collapses `older` into the waiting deliveries that have the newest states.
    fn absorb(&mut self, older: &[usize], now: Timestamp) -> Collapse {
        let mut settled = self.pass_on(older, &BTreeSet::new());
        for index in older {
            let into = self.waiting[self.successor(*index, 0).0].delivery.id.clone();
            let before = self.waiting[*index].delivery.clone();
            settled.push((before.clone(), before.collapse(into, now)));
        }
        Collapse { digest: None, settled }
    }

    /// Collapses `members`, which have newest states, and `older`, which have none, into one new message.
    fn digest(&mut self, members: Vec<usize>, older: Vec<usize>, now: Timestamp) -> Collapse {
        let inside: BTreeSet<usize> = members.iter().copied().collect();
        let gone: Vec<usize> = members.into_iter().chain(older).collect();
        let before: Vec<Delivery> = gone.iter().map(|index| self.waiting[*index].delivery.clone()).collect();
        let mut settled = self.pass_on(&gone, &inside);
        let mut states: Vec<Place> =
            self.newest.values().copied().filter(|(index, _)| inside.contains(index)).collect();
        states.sort_by_key(|(index, at)| self.waiting[*index].news[*at].number);
        let last = states.last().map_or(gone[0], |(index, _)| *index);
        let Delivery { channel, recipient, shop, rule, .. } = self.waiting[last].delivery.clone();
        let events = states.iter().map(|(index, at)| self.waiting[*index].delivery.events[*at].clone()).collect();
        let mut digest = Delivery::new(Address { channel, recipient }, shop, rule, events, now);
        digest.severity =
            states.iter().map(|(index, _)| self.waiting[*index].delivery.severity).max().unwrap_or_default();
        digest.counts = states.iter().map(|(index, at)| self.waiting[*index].delivery.count(*at)).collect();
        settled.extend(before.into_iter().map(|before| (before.clone(), before.collapse(digest.id.clone(), now))));
        self.wait_in(&digest, &states);
        Collapse { digest: Some(digest), settled }
    }

    /// From now on these states wait in the digest: what the next step passes on goes there.
    fn wait_in(&mut self, digest: &Delivery, states: &[Place]) {
        let news: Vec<News> = states.iter().map(|(index, at)| self.waiting[*index].news[*at].clone()).collect();
        let index = self.waiting.len();
        for (at, news) in news.iter().enumerate() {
            self.newest.extend(family(news.kind).map(|family| ((news.subject.clone(), family), (index, at))));
        }
        self.waiting.push(Waiting { delivery: digest.clone(), news });
    }

    /// Adds the counts of what is overtaken in `gone` to what overtakes it. Returns what has changed by that outside
    /// of `inside`, whose counts go into a digest.
    fn pass_on(&mut self, gone: &[usize], inside: &BTreeSet<usize>) -> Vec<(Delivery, Delivery)> {
        let mut before: BTreeMap<usize, Delivery> = BTreeMap::new();
        for index in gone {
            for at in 0..self.waiting[*index].news.len() {
                let (holder, place) = self.successor(*index, at);
                if (holder, place) == (*index, at) {
                    continue;
                }
                let count = self.waiting[*index].delivery.count(at);
                let delivery = &mut self.waiting[holder].delivery;
                if !inside.contains(&holder) {
                    before.entry(holder).or_insert_with(|| delivery.clone());
                }
                delivery.counts.resize(delivery.events.len(), 1);
                delivery.counts[place] = delivery.counts[place].saturating_add(count);
            }
        }
        before.into_iter().map(|(index, before)| (before, self.waiting[index].delivery.clone())).collect()
    }
}

#[cfg(test)]
mod tests;
