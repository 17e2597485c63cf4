//! When has a list not been read for too long, and what does a person hear of it?
//!
//! A list is stale when it was last read longer ago than the larger of `stale_after` and three of its intervals. One
//! event names the lists that become stale together. While none of a shop's lists is read, those that become stale
//! later belong to the same outage and make no event of their own; while others are read, each is news. It is repeated
//! once a day while it lasts, and ends with one event when the lists are read again.
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
    /// For how long this process has not read it.
    pub unread_for: Duration,
    /// For how long it may go unread.
    pub limit: Duration,
    /// This process has read it, and not longer ago than that.
    pub is_read: bool,
    /// How many changes its passes have found since it is read again.
    pub changes: u64,
    /// Why it is not read.
    pub cause: StaleCause,
    /// Why, as a sentence in English.
    pub why: String,
}

impl Look {
    fn is_stale(&self) -> bool {
        !self.is_read && self.unread_for >= self.limit
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

    /// Whether any of these looks may change what was told. Cheap, because it is asked every second or two.
    pub fn is_news(&self, looks: &[Look], now: Timestamp) -> bool {
        let told = |look: &Look| self.told.contains_key(&look.resource);
        let changed = looks.iter().any(|look| if told(look) { look.is_read } else { look.is_stale() });
        changed || self.is_due_again(looks, now)
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
    let is_new = |look: &&Look| look.is_stale() && !record.told.contains_key(&look.resource);
    let new: Vec<&Look> = looks.iter().filter(is_new).collect();
    let others_are_read = looks.iter().any(|look| look.is_read);
    let outage = record.problems().map(|(_, list)| list.told_at).min();
    let in_outage = outage.is_some_and(|told_at| {
        let read_since = |look: &Look| look.is_read || look.passed_at.is_some_and(|at| at > told_at);
        !looks.iter().any(read_since)
    });
    for look in &new {
        let never = look.passed_at.is_none() && others_are_read;
        let list = StaleList { since: look.passed_at, told_at: now, cause: look.cause, never };
        record.told.insert(look.resource, list);
    }
    if new.is_empty() || in_outage {
        return None;
    }
    Some(event(record, &new, now, false))
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
