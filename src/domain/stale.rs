//! When has a list not been read for too long, and what does a person hear of it?
//!
//! A list is stale when it was last read longer ago than the larger of `stale_after` and three of its intervals. One
//! event names the lists that become stale together. While no list of the shop is read, those that become stale later
//! belong to the same outage and make no event of their own; while others are read, each is news. It is repeated once a
//! day while it lasts, and ends with one event when the lists are read again.
//!
//! A list that was never read while others are (a key without the right for it) is told once and counts nowhere else.
//! A held list has a notice of its own that is repeated daily, so its staleness is told once.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::event::{ShopRecovered, ShopStale, StaleCause};
use super::model::{Resource, Timestamp};

/// How long after an event the same is told again while it lasts; from the contract.
const AGAIN_AFTER: TimeDelta = TimeDelta::hours(24);

/// How one list of a shop is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The list.
    pub resource: Resource,
    /// When a pass over it was last accepted; `None` where none ever was.
    pub passed_at: Option<Timestamp>,
    /// For how long it has not been read; `None` where this process has never read it.
    pub unread_for: Option<Duration>,
    /// For how long its passes have been failing, or should have ended.
    pub failing_for: Duration,
    /// The last pass over it failed.
    pub is_failing: bool,
    /// It has not been read for longer than it may be.
    pub is_overdue: bool,
    /// This process has read it in time, and no pass has failed since.
    pub is_read: bool,
    /// How many changes its passes have found since it was told that it is not read.
    pub changes: u64,
    /// Why it is not read.
    pub cause: StaleCause,
    /// Why, as a sentence in English.
    pub why: String,
}

impl Look {
    fn is_stale(&self) -> bool {
        !self.is_read && self.is_overdue
    }

    /// Whether any list was read since the passes over this one began to fail. Where none was, it is the shop that is
    /// not read: a list whose next pass is not due yet says nothing about that.
    fn others_are_read(&self, looks: &[Look]) -> bool {
        let read_since = |other: &Look| other.unread_for.is_some_and(|ago| ago < self.failing_for);
        self.cause != StaleCause::KeyRefused && looks.iter().any(read_since)
    }
}

/// What was told of a shop's lists.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StaleRecord {
    /// The lists of which it was told that they are not read, and not yet that they are.
    pub told: BTreeMap<Resource, StaleList>,
    /// When `shop.stale` was last told.
    pub told_at: Option<Timestamp>,
    /// How many `shop.stale` there have been; part of the next one's id.
    pub stale_events: u64,
    /// How many `shop.recovered` there have been.
    pub recovered_events: u64,
}

/// A list that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleList {
    /// When it was last read; `None` where it never was.
    pub since: Option<Timestamp>,
    /// When it became stale.
    pub told_at: Timestamp,
    /// Why it was not read then.
    pub cause: StaleCause,
    /// It was never read while others were: a warning, and no problem.
    pub never: bool,
}

impl StaleRecord {
    /// The stale lists that are a problem.
    pub fn problems(&self) -> impl Iterator<Item = (Resource, &StaleList)> {
        self.told.iter().filter(|(_, list)| !list.never).map(|(resource, list)| (*resource, list))
    }

    fn is_due_again(&self, looks: &[Look], now: Timestamp) -> bool {
        let lasts = |look: &&Look| {
            let is_problem = self.told.get(&look.resource).is_some_and(|list| !list.never);
            is_problem && !look.is_read && look.cause != StaleCause::Held
        };
        self.told_at.is_some_and(|told_at| now - told_at >= AGAIN_AFTER) && looks.iter().any(|look| lasts(&look))
    }
}

/// What follows from a look at a shop's lists: one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was told from now on.
    pub record: StaleRecord,
    /// `shop.stale`, with its counter.
    pub stale: Option<(u64, ShopStale)>,
    /// `shop.recovered`, with its counter.
    pub recovered: Option<(u64, ShopRecovered)>,
}

/// The step at `now`; `None` where nothing changes. While some of the told lists are read again and others not yet, the
/// end waits for the others as long as `wait_for_all`.
pub fn step(record: &StaleRecord, looks: &[Look], now: Timestamp, wait_for_all: bool) -> Option<Step> {
    let mut next = record.clone();
    // A list that is not polled any more is nothing to wait for.
    next.told.retain(|resource, _| looks.iter().any(|look| look.resource == *resource));
    find_never_read(&mut next, looks);
    let recovered = recover(&mut next, looks, now, wait_for_all);
    let stale = become_stale(&mut next, looks, now).or_else(|| tell_again(&mut next, looks, now));
    (next != *record).then_some(Step { record: next, stale, recovered })
}

fn recover(
    record: &mut StaleRecord,
    looks: &[Look],
    now: Timestamp,
    wait_for_all: bool,
) -> Option<(u64, ShopRecovered)> {
    let told = |look: &&Look| record.told.contains_key(&look.resource);
    let read: Vec<&Look> = looks.iter().filter(told).filter(|look| look.is_read).collect();
    let all = read.len() == record.told.len();
    if read.is_empty() || (wait_for_all && !all) {
        return None;
    }
    let mut ended = Vec::new();
    for look in &read {
        ended.extend(record.told.remove(&look.resource));
    }
    let since = ended.iter().filter_map(|list| list.since).min();
    let began = ended.iter().map(|list| list.since.unwrap_or(list.told_at)).min().unwrap_or(now);
    record.recovered_events += 1;
    let event = ShopRecovered {
        resources: read.iter().map(|look| look.resource).collect(),
        since,
        lasted_s: u64::try_from((now - began).num_seconds()).unwrap_or_default(),
        changes: read.iter().map(|look| look.changes).sum(),
    };
    Some((record.recovered_events, event))
}

fn become_stale(record: &mut StaleRecord, looks: &[Look], now: Timestamp) -> Option<(u64, ShopStale)> {
    let problems: Vec<Resource> = record.problems().map(|(resource, _)| resource).collect();
    let told = |look: &&Look| problems.contains(&look.resource);
    let in_outage = looks.iter().filter(told).any(|look| !look.others_are_read(looks));
    let is_known = |look: &Look| record.told.contains_key(&look.resource);
    let stale: Vec<&Look> = looks.iter().filter(|look| look.is_stale() && !is_known(look)).collect();
    // Of an outage of the whole shop the lists that fail too are named at once, whenever they become overdue.
    let is_outage = in_outage || stale.iter().any(|look| !look.others_are_read(looks));
    let with_it = |look: &&Look| !is_known(look) && (look.is_stale() || is_outage && look.is_failing);
    let new: Vec<&Look> =
        if stale.is_empty() && !in_outage { Vec::new() } else { looks.iter().filter(with_it).collect() };
    for look in &new {
        let never = is_never_read(look, looks);
        let list = StaleList { since: look.passed_at, told_at: now, cause: look.cause, never };
        record.told.insert(look.resource, list);
    }
    if new.is_empty() || in_outage {
        return None;
    }
    Some(event(record, &new, now, false))
}

/// Whether a list was never read while others are.
fn is_never_read(look: &Look, looks: &[Look]) -> bool {
    look.passed_at.is_none() && look.unread_for.is_none() && look.others_are_read(looks)
}

/// A list that was told in an outage of the whole shop and is still not read when the others are was never read at all.
fn find_never_read(record: &mut StaleRecord, looks: &[Look]) {
    for look in looks.iter().filter(|look| is_never_read(look, looks)) {
        if let Some(list) = record.told.get_mut(&look.resource) {
            list.never = true;
        }
    }
}

fn tell_again(record: &mut StaleRecord, looks: &[Look], now: Timestamp) -> Option<(u64, ShopStale)> {
    if !record.is_due_again(looks, now) {
        return None;
    }
    let lasts = |look: &&Look| record.told.get(&look.resource).is_some_and(|list| !list.never);
    let lasting: Vec<&Look> = looks.iter().filter(lasts).collect();
    Some(event(record, &lasting, now, true))
}

fn event(record: &mut StaleRecord, looks: &[&Look], now: Timestamp, again: bool) -> (u64, ShopStale) {
    // The cause of the most important list.
    let first = looks.first();
    record.told_at = Some(now);
    record.stale_events += 1;
    let stale = ShopStale {
        resources: looks.iter().map(|look| look.resource).collect(),
        since: looks.iter().filter_map(|look| look.passed_at).min(),
        cause: first.map_or(StaleCause::TooSlow, |look| look.cause),
        why: first.map(|look| look.why.clone()).unwrap_or_default(),
        again,
    };
    (record.stale_events, stale)
}

#[cfg(test)]
mod tests;
