//! What the running service remembers of its loops, for the status; lost with the process, and nothing depends on it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::domain::model::{ChannelName, Resource, ShopId, Timestamp};

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

/// How passes and channels are doing.
#[derive(Debug, Default)]
pub struct Health {
    passes: Mutex<BTreeMap<(ShopId, Resource), Failing>>,
    channels: Mutex<BTreeMap<ChannelName, Failing>>,
    blind: Mutex<BTreeMap<ShopId, bool>>,
    unreadable: Mutex<BTreeMap<(ShopId, Resource), u64>>,
    copies: Mutex<BTreeMap<(), Failing>>,
}

impl Health {
    /// A pass failed. Returns whether this is news: the first failure, or one for another reason than the last.
    pub fn pass_failed(&self, shop: &ShopId, resource: Resource, why: &str, now: Timestamp) -> bool {
        note(&mut lock(&self.passes), (shop.clone(), resource), why, now)
    }

    /// A pass was accepted. Returns what it ends.
    pub fn pass_succeeded(&self, shop: &ShopId, resource: Resource) -> Option<Failing> {
        lock(&self.passes).remove(&(shop.clone(), resource))
    }

    /// How the passes over a resource have been failing, if they have.
    pub fn pass(&self, shop: &ShopId, resource: Resource) -> Option<Failing> {
        lock(&self.passes).get(&(shop.clone(), resource)).cloned()
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

    /// An attempt failed, and the other side said so much about it. Returns whether this is news; other words for the
    /// same reason are none.
    pub fn send_refused(&self, channel: &ChannelName, why: &str, said: Option<String>, now: Timestamp) -> bool {
        let mut channels = lock(&self.channels);
        let news = note(&mut channels, channel.clone(), why, now);
        if let Some(failing) = channels.get_mut(channel) {
            failing.said = said;
        }
        news
    }

    /// An attempt failed. Returns whether this is news.
    pub fn send_failed(&self, channel: &ChannelName, why: &str, now: Timestamp) -> bool {
        note(&mut lock(&self.channels), channel.clone(), why, now)
    }

    /// A message was taken. Returns what it ends.
    pub fn send_succeeded(&self, channel: &ChannelName) -> Option<Failing> {
        lock(&self.channels).remove(channel)
    }

    /// How a channel has been failing, if it has.
    pub fn channel(&self, channel: &ChannelName) -> Option<Failing> {
        lock(&self.channels).get(channel).cloned()
    }

    /// No copy of the data could be made. Returns whether this is news.
    pub fn copy_failed(&self, why: &str, now: Timestamp) -> bool {
        note(&mut lock(&self.copies), (), why, now)
    }

    /// A copy was made. Returns what it ends.
    pub fn copy_made(&self) -> Option<Failing> {
        lock(&self.copies).remove(&())
    }

    /// How copies have been failing, if they have.
    pub fn copies(&self) -> Option<Failing> {
        lock(&self.copies).get(&()).cloned()
    }
}

fn note<K: Ord>(failing: &mut BTreeMap<K, Failing>, key: K, why: &str, now: Timestamp) -> bool {
    match failing.get_mut(&key) {
        Some(known) => {
            known.times += 1;
            let news = wording(&known.why) != wording(why);
            known.why = why.to_owned();
            known.said = None;
            news
        }
        None => {
            failing.insert(key, Failing { since: now, times: 1, why: why.to_owned(), said: None });
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
