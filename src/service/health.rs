//! What the running service remembers of its loops, for the status and for what is told of itself; lost with the
//! process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use crate::domain::event::{ChannelFault, DeliveryId, StaleCause};
use crate::domain::model::{ChannelName, Resource, ShopId, Timestamp};
use crate::domain::outbox::{Concern, Streak};

/// A row of failures without a success in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// When the first of them was.
    pub since: Timestamp,
    /// How many there have been.
    pub times: u64,
    /// Why the latest one was.
    pub why: String,
    /// What the other side said to it.
    pub said: Option<String>,
}

impl Failing {
    /// Why the latest one was, with the other side's own words.
    pub fn in_full(&self) -> String {
        match &self.said {
            Some(said) => format!("{}: {said}", self.why),
            None => self.why.clone(),
        }
    }
}

/// A failed pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedPass<'a> {
    /// What it said.
    pub why: &'a str,
    /// What kind of failure it was.
    pub cause: StaleCause,
}

/// The passes over one list since the start.
#[derive(Debug, Clone, Default)]
pub struct Passes {
    /// How they have been failing, if they have.
    pub failing: Option<FailingPasses>,
    /// The uptime of the latest one that was accepted or had no rows yet.
    pub read_up: Option<Duration>,
    /// How many changes were found since [`Health::count_changes_from_now`].
    pub changes: u64,
}

/// Failed passes without a success in between.
#[derive(Debug, Clone)]
pub struct FailingPasses {
    /// Since when, how often and why.
    pub failing: Failing,
    /// The uptime of the first of them.
    pub since_up: Duration,
    /// What kind of failure the latest one was.
    pub cause: StaleCause,
}

/// A failed attempt.
#[derive(Debug, Clone)]
pub struct FailedAttempt<'a> {
    /// Which delivery it was.
    pub delivery: &'a DeliveryId,
    /// Which of the channel's recipients it was for, where it has several.
    pub recipient: Option<&'a str>,
    /// What it says something about.
    pub concern: Concern,
    /// Why it failed.
    pub why: &'a str,
    /// What the other side said.
    pub said: Option<String>,
}

/// The attempts at one recipient of a channel since the start.
#[derive(Debug, Clone, Default)]
struct Attempts {
    streak: Option<Streak>,
    /// It has taken a message since the start.
    has_taken: bool,
    /// The uptime of the latest failure.
    failed_up: Option<Duration>,
}

/// How passes and channels are doing.
#[derive(Debug, Default)]
pub struct Health {
    passes: Mutex<BTreeMap<(ShopId, Resource), Passes>>,
    channels: Mutex<BTreeMap<ChannelName, BTreeMap<Option<String>, Attempts>>>,
    blind: Mutex<BTreeMap<ShopId, bool>>,
    unreadable: Mutex<BTreeMap<(ShopId, Resource), u64>>,
    empty: Mutex<BTreeSet<(ShopId, Resource)>>,
    copies: Mutex<Option<Failing>>,
}

impl Health {
    /// A pass failed at this uptime. Returns whether this is news: the first failure, or one for another reason than the
    /// last.
    pub fn pass_failed(
        &self,
        shop: &ShopId,
        resource: Resource,
        failed: FailedPass<'_>,
        (now, up): (Timestamp, Duration),
    ) -> bool {
        let mut passes = lock(&self.passes);
        let passes = passes.entry((shop.clone(), resource)).or_default();
        let since_up = passes.failing.as_ref().map_or(up, |known| known.since_up);
        let mut failing = passes.failing.take().map(|known| known.failing);
        let news = note(&mut failing, failed.why, now);
        passes.failing = failing.map(|failing| FailingPasses { failing, since_up, cause: failed.cause });
        news
    }

    /// A pass was accepted at this uptime and found so many changes. Returns what it ends.
    pub fn pass_succeeded(&self, shop: &ShopId, resource: Resource, changes: u64, up: Duration) -> Option<Failing> {
        let mut passes = lock(&self.passes);
        let passes = passes.entry((shop.clone(), resource)).or_default();
        passes.read_up = Some(up);
        passes.changes = passes.changes.saturating_add(changes);
        passes.failing.take().map(|known| known.failing)
    }

    /// Counts the changes of these lists from now on.
    pub fn count_changes_from_now(&self, shop: &ShopId, resources: &[Resource]) {
        let mut passes = lock(&self.passes);
        for resource in resources {
            passes.entry((shop.clone(), *resource)).or_default().changes = 0;
        }
    }

    /// How the passes over a resource have been going.
    pub fn passes(&self, shop: &ShopId, resource: Resource) -> Passes {
        lock(&self.passes).get(&(shop.clone(), resource)).cloned().unwrap_or_default()
    }

    /// How the passes over a resource have been failing, if they have.
    pub fn pass(&self, shop: &ShopId, resource: Resource) -> Option<Failing> {
        self.passes(shop, resource).failing.map(|known| known.failing)
    }

    /// Notes whether the stock list has no quantity at all. Returns whether that is news.
    pub fn blindness_is_news(&self, shop: &ShopId, blind: bool) -> bool {
        lock(&self.blind).insert(shop.clone(), blind) != Some(blind)
    }

    /// Whether the stock list had no quantity at all when it was last read.
    pub fn was_blind(&self, shop: &ShopId) -> bool {
        lock(&self.blind).get(shop).copied().unwrap_or_default()
    }

    /// Whether so many rows that cannot be understood are worth a word: there are some, and it is not the same number
    /// as in the last pass.
    pub fn unreadable_are_news(&self, shop: &ShopId, resource: Resource, unreadable: u64) -> bool {
        let before = lock(&self.unreadable).insert((shop.clone(), resource), unreadable);
        unreadable > 0 && before != Some(unreadable)
    }

    /// A list that must have rows was answered and has had none yet. Returns whether this is news.
    pub fn empty_is_news(&self, shop: &ShopId, resource: Resource) -> bool {
        lock(&self.empty).insert((shop.clone(), resource))
    }

    /// A list has rows: the first of them were its baseline.
    pub fn has_rows(&self, shop: &ShopId, resource: Resource) {
        lock(&self.empty).remove(&(shop.clone(), resource));
    }

    /// Whether a list was answered since the start and has had no rows yet.
    pub fn is_empty_so_far(&self, shop: &ShopId, resource: Resource) -> bool {
        lock(&self.empty).contains(&(shop.clone(), resource))
    }

    /// An attempt failed at this uptime. Returns whether this is news.
    pub fn send_failed(
        &self,
        channel: &ChannelName,
        failed: FailedAttempt<'_>,
        (now, up): (Timestamp, Duration),
    ) -> bool {
        let FailedAttempt { delivery, recipient, concern, why, said } = failed;
        let mut channels = lock(&self.channels);
        let of_channel = channels.entry(channel.clone()).or_default();
        let attempts = of_channel.entry(recipient.map(ToOwned::to_owned)).or_default();
        attempts.failed_up = Some(up);
        let streak = attempts.streak.get_or_insert_with(|| Streak::begin(now));
        let news = streak.times == 0 || wording(&streak.why) != wording(why);
        streak.failed(delivery, concern, (why, said), up);
        news
    }

    /// A message was taken by this recipient. Returns what it ends.
    pub fn send_succeeded(&self, channel: &ChannelName, recipient: Option<&str>) -> Option<Failing> {
        let mut channels = lock(&self.channels);
        let of_channel = channels.entry(channel.clone()).or_default();
        let attempts = of_channel.entry(recipient.map(ToOwned::to_owned)).or_default();
        attempts.has_taken = true;
        attempts.streak.take().map(Failing::from)
    }

    /// How a channel has been failing, if it has, for whichever recipient.
    pub fn channel(&self, channel: &ChannelName) -> Option<Failing> {
        let channels = lock(&self.channels);
        let streak = channels.get(channel)?.values().find_map(|attempts| attempts.streak.clone())?;
        Some(Failing::from(streak))
    }

    /// What is wrong with a channel at this uptime, if the attempts at each of its so many recipients say so: a channel
    /// with one recipient that works works.
    pub fn channel_fault(
        &self,
        channel: &ChannelName,
        recipients: usize,
        up: Duration,
    ) -> Option<(ChannelFault, Failing)> {
        let channels = lock(&self.channels);
        let of_channel = channels.get(channel)?;
        let fault = |attempts: &Attempts| attempts.streak.as_ref().and_then(|streak| streak.fault(up));
        let mut faults = of_channel.values().filter_map(|attempts| fault(attempts).zip(attempts.streak.clone()));
        let (first, streak) = faults.next()?;
        (faults.count() + 1 >= recipients).then(|| (first, Failing::from(streak)))
    }

    /// Whether a channel has taken a message since the start and this recipient has refused none since.
    pub fn channel_takes(&self, channel: &ChannelName) -> bool {
        let takes = |attempts: &Attempts| attempts.has_taken && attempts.streak.is_none();
        lock(&self.channels).get(channel).is_some_and(|of_channel| of_channel.values().any(takes))
    }

    /// For how long no attempt at a channel has failed, as far back as the start at this uptime.
    pub fn channel_quiet_for(&self, channel: &ChannelName, up: Duration) -> Duration {
        let channels = lock(&self.channels);
        let failed =
            channels.get(channel).and_then(|of_channel| of_channel.values().filter_map(|one| one.failed_up).max());
        up.saturating_sub(failed.unwrap_or_default())
    }

    /// No copy of the data could be made. Returns whether this is news.
    pub fn copy_failed(&self, why: &str, now: Timestamp) -> bool {
        note(&mut lock(&self.copies), why, now)
    }

    /// A copy was made. Returns what it ends.
    pub fn copy_made(&self) -> Option<Failing> {
        lock(&self.copies).take()
    }

    /// How copies have been failing, if they have.
    pub fn copies(&self) -> Option<Failing> {
        lock(&self.copies).clone()
    }
}

impl From<Streak> for Failing {
    fn from(streak: Streak) -> Self {
        Self { since: streak.since, times: streak.times, why: streak.why, said: streak.said }
    }
}

fn note(failing: &mut Option<Failing>, why: &str, now: Timestamp) -> bool {
    match failing {
        Some(known) => {
            known.times += 1;
            let news = wording(&known.why) != wording(why);
            why.clone_into(&mut known.why);
            known.said = None;
            news
        }
        None => {
            *failing = Some(Failing { since: now, times: 1, why: why.to_owned(), said: None });
            true
        }
    }
}

/// A reason without its figures: "read 199 of 200" and "read 198 of 200" are the same news.
fn wording(why: &str) -> String {
    why.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// What a panicking holder has left behind is still a map of past failures.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
