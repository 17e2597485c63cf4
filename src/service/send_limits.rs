//! Which limits do channels share, and when may the next message of a channel leave?
//!
//! A channel may be held by several: a chat by its own and by that of its bot. Two channels with the same bot and chat
//! are one receiver, so they share both. A pause that a receiver asks for belongs to the first of them: a bot that writes
//! too much into one chat may go on in another.
//!
//! Nothing here is stored; a start takes in what the store knows of the time before it. The clock is the one that nobody
//! sets.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::ready::ReadyChannel;
use crate::domain::model::ChannelName;
use crate::domain::outbox::{Answer, Limit, Place, Rate, SendRoom, tighter};

/// What the clock of the limits shows at the start of the process: calls before it have a moment, too.
const BEGAN: Duration = Duration::from_secs(7 * 86_400);

/// The limits of all channels.
#[derive(Default)]
pub struct SendLimits {
    /// The keys of what holds each channel, the one of its pauses first.
    of: BTreeMap<ChannelName, Vec<String>>,
    all: Mutex<BTreeMap<String, Limit>>,
    /// Rung when a call of any channel has ended.
    pub(super) ended: Notify,
}

/// The places of one call, in the order of the channel's limits.
pub(super) struct Places(Vec<Place>);

impl SendLimits {
    /// The limits of these channels.
    pub fn of(channels: &[ReadyChannel]) -> SendLimits {
        let mut rates: BTreeMap<String, Vec<Rate>> = BTreeMap::new();
        let mut of = BTreeMap::new();
        for channel in channels {
            let limits = channel.channel.limits(&channel.name, channel.rate.as_deref());
            of.insert(channel.name.clone(), limits.iter().map(|limit| limit.key.clone()).collect());
            for limit in limits {
                let known = rates.entry(limit.key).or_default();
                // Where two channels share a receiver, the rates of both hold.
                known.extend(limit.rates);
                known.sort_unstable();
                known.dedup();
            }
        }
        let all = rates.into_iter().map(|(key, rates)| (key, Limit::new(rates))).collect();
        SendLimits { of, all: Mutex::new(all), ended: Notify::new() }
    }

    /// How many messages to the channel may leave now.
    pub(super) fn room(&self, channel: &ChannelName, up: Duration) -> SendRoom {
        self.room_in(&self.lock(), channel, BEGAN + up)
    }

    /// A place for one message that leaves now; `None` where there is no room any more.
    pub(super) fn take(&self, channel: &ChannelName, up: Duration) -> Option<Places> {
        let (mut all, up) = (self.lock(), BEGAN + up);
        match self.room_in(&all, channel, up) {
            SendRoom::Now(_) => {}
            SendRoom::After(_) | SendRoom::WhenOneEnds => return None,
        }
        let mut places = Vec::new();
        for key in self.keys(channel) {
            places.extend(all.get_mut(key).map(|limit| limit.take(up)));
        }
        Some(Places(places))
    }

    /// The message with these places has ended so.
    pub(super) fn end(&self, channel: &ChannelName, places: Places, answer: Answer, up: Duration) {
        let (mut all, up) = (self.lock(), BEGAN + up);
        for (number, (key, place)) in self.keys(channel).iter().zip(places.0).enumerate() {
            // Only the first limit is the receiver's own; what never left takes no place in any.
            let answer = if number == 0 || answer == Answer::Nothing { answer } else { Answer::Takes };
            if let Some(limit) = all.get_mut(key) {
                limit.end(place, answer, up);
            }
        }
        drop(all);
        self.ended.notify_waiters();
    }

    /// How long the receiver of the channel wishes to be left alone from now on.
    pub(super) fn paused_for(&self, channel: &ChannelName, up: Duration) -> Option<Duration> {
        let up = BEGAN + up;
        let until = self.lock().get(self.keys(channel).first()?)?.paused_until(up)?;
        until.checked_sub(up)
    }

    /// Whether only so many messages to the channel may leave in so long.
    pub(super) fn has_rates(&self, channel: &ChannelName) -> bool {
        let all = self.lock();
        self.keys(channel).iter().filter_map(|key| all.get(key)).any(Limit::has_rates)
    }

    /// Takes in what was before the start: how long ago calls ended, and how long the pause of the receiver lasts still.
    pub(super) fn recall(&self, channel: &ChannelName, ended: &[Duration], pause: Option<Duration>, up: Duration) {
        let (mut all, up) = (self.lock(), BEGAN + up);
        let ended: Vec<Duration> = ended.iter().map(|ago| up.saturating_sub(*ago)).collect();
        for (number, key) in self.keys(channel).iter().enumerate() {
            // Only the first limit is the receiver's own.
            let pause = pause.filter(|_| number == 0);
            if let Some(limit) = all.get_mut(key) {
                limit.recall(&ended, pause.map(|pause| up + pause));
            }
        }
    }

    fn room_in(&self, all: &BTreeMap<String, Limit>, channel: &ChannelName, up: Duration) -> SendRoom {
        let limits = self.keys(channel).iter().filter_map(|key| all.get(key));
        limits.map(|limit| limit.room(up)).fold(SendRoom::Now(usize::MAX), tighter)
    }

    fn keys(&self, channel: &ChannelName) -> &[String] {
        self.of.get(channel).map_or(&[], Vec::as_slice)
    }

    /// What a panicking holder has left behind is still a list of places.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Limit>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
