//! One message to one channel, and what has become of it so far.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Outcome, Reason, RetryPolicy};
use crate::domain::event::{DeliveryId, EventId, Severity};
use crate::domain::model::{ChannelName, ShopId, Timestamp};

/// How many attempts are kept for a person to read, the first and the newest; the pauses of the default policy make
/// about thirty.
const ATTEMPTS_KEPT: usize = 50;

/// How many attempts are kept of what is collapsed: enough to see why it was late. Hundreds are written in one
/// commit, which must stay small.
const ATTEMPTS_OF_COLLAPSED: usize = 10;

/// One message to one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Computed from channel and events; the same in every repeat.
    pub id: DeliveryId,
    /// Where it goes.
    pub channel: ChannelName,
    /// Which of a mail channel's addresses: one refused address must not hold up the others.
    pub recipient: Option<String>,
    /// The shop whose events it carries.
    pub shop: ShopId,
    /// The rule that sent it there.
    pub rule: String,
    /// How much it matters: what is critical goes before what waits.
    #[serde(default)]
    pub severity: Severity,
    /// The events it carries; fixed before the first attempt.
    pub events: Vec<EventId>,
    /// When it was planned: in the commit of its events, or at the end of the group that they waited in.
    pub created_at: Timestamp,
    /// What has become of it.
    pub state: State,
    /// How many attempts there have been.
    pub tried: u32,
    /// The first attempt and the latest ones, oldest first.
    pub attempts: Vec<Attempt>,
    /// After a person's word that it is to be sent again: from when on its time counts anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
    /// After a catch-up: how many changes each of `events` stands for, in their order. Empty where each stands for
    /// itself alone. No part of the id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    /// After a catch-up: the delivery that says what this one would have said, or what is newer. This one is finished
    /// without having been taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapsed_into: Option<DeliveryId>,
    /// Why it became a dead letter without an attempt, until a person has it sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Reason>,
    /// After it was planned, or had sent again, by a clock that was ahead: from when on its time counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_from: Option<Timestamp>,
}

/// A channel, and which of its recipients where it has several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// The channel.
    pub channel: ChannelName,
    /// One mail address of an e-mail channel; `None` for all other channels.
    pub recipient: Option<String>,
}

/// That a person has had a delivery sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// When it was said; `retry_for` counts from here.
    pub since: Timestamp,
    /// How many attempts there had been until then; the pauses grow from here.
    pub tried: u32,
}

/// What has become of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// Not tried yet.
    Pending {
        /// Not to be tried before.
        due_at: Timestamp,
    },
    /// Tried, and to be tried again.
    Retrying {
        /// Not to be tried before.
        due_at: Timestamp,
    },
    /// Taken by the receiver, or collapsed into another delivery.
    Delivered {
        /// When it was taken or collapsed.
        at: Timestamp,
    },
    /// A dead letter: not tried again until a person says so.
    Dead {
        /// When it was given up.
        at: Timestamp,
    },
    /// Ended by a person, and not sent.
    Dropped {
        /// When that was said.
        at: Timestamp,
    },
}

impl State {
    /// Every word in listings and filters.
    pub const NAMES: [&str; 5] = ["pending", "retrying", "delivered", "dead", "dropped"];

    /// The word in listings and filters.
    pub fn name(&self) -> &'static str {
        match self {
            State::Pending { .. } => "pending",
            State::Retrying { .. } => "retrying",
            State::Delivered { .. } => "delivered",
            State::Dead { .. } => "dead",
            State::Dropped { .. } => "dropped",
        }
    }

    /// When it is to be tried; `None` where it is finished.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            State::Pending { due_at } | State::Retrying { due_at } => Some(*due_at),
            State::Delivered { .. } | State::Dead { .. } | State::Dropped { .. } => None,
        }
    }
}

/// One try to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which one it was, from 1 on; 0 where it was written down before they were numbered.
    #[serde(default)]
    pub number: u32,
    /// When it was begun.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// `delivered`, `retry` or `rejected`.
    pub outcome: String,
    /// Why it was not taken; `null` when it was.
    pub reason: Option<Reason>,
    /// What the other side said to it, cleaned: one line without secrets and without the message's own text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The receiver asked for a pause of the whole channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pauses: bool,
    /// Until when; in older records, where this is missing, until the delivery was due again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<Timestamp>,
}

impl Attempt {
    /// When it had ended.
    pub fn ended(&self) -> Timestamp {
        later(self.at, Duration::from_millis(self.took_ms))
    }

    /// Why it was not taken, in words: the reason, and what the other side said to it. `None` when it was taken.
    pub fn why(&self) -> Option<String> {
        self.reason.as_ref().map(|reason| reason.with(self.said.as_deref()))
    }
}

impl Delivery {
    /// A new delivery, due at once.
    pub fn new(address: Address, shop: ShopId, rule: String, events: Vec<EventId>, now: Timestamp) -> Self {
        let Address { channel, recipient } = address;
        Self {
            id: DeliveryId::of(&channel, recipient.as_deref(), &events),
            channel,
            recipient,
            shop,
            rule,
            severity: Severity::default(),
            events,
            created_at: now,
            state: State::Pending { due_at: now },
            tried: 0,
            attempts: Vec::new(),
            again: None,
            counts: Vec::new(),
            collapsed_into: None,
            refused: None,
            counted_from: None,
        }
    }

    /// The same delivery of the events that are not `known`; `None` where that leaves nothing. Before it is stored: another
    /// list of events is another id.
    pub fn without(mut self, known: &BTreeSet<EventId>) -> Option<Self> {
        let all = self.events.len();
        self.events.retain(|event| !known.contains(event));
        if self.events.len() < all {
            self.id = DeliveryId::of(&self.channel, self.recipient.as_deref(), &self.events);
        }
        (!self.events.is_empty() || all == 0).then_some(self)
    }

    /// How many changes its event at `place` stands for.
    pub fn count(&self, place: usize) -> u64 {
        self.counts.get(place).copied().unwrap_or(1)
    }

    /// From when on its time to be delivered counts.
    pub fn since(&self) -> Timestamp {
        let said = self.again.as_ref().map_or(self.created_at, |again| again.since);
        self.counted_from.unwrap_or(said)
    }

    /// The same delivery as it is at `now`, by a clock that is right: what is said to be of the future was written down
    /// by one that was ahead, and would be kept until then and longer.
    pub fn counted_at(self, now: Timestamp) -> Self {
        let counted_from = if self.since() > now { Some(now) } else { self.counted_from };
        Self { counted_from, ..self }
    }

    /// Whether a newer state may be told instead. What a person has had sent again is sent as it is.
    pub fn may_be_overtaken(&self) -> bool {
        self.again.is_none()
    }

    /// How much is left at `now` of the pause of the channel that its receiver asked for at the last attempt; never more
    /// than was asked for, whatever the clock shows. `None` where none was asked for, where it is over, and where the
    /// delivery is due before its end, because a person said so.
    pub fn pause_left(&self, now: Timestamp) -> Option<Duration> {
        let (last, due_at) = (self.attempts.last()?, self.state.due_at()?);
        let until = if last.pauses { last.paused_until.unwrap_or(due_at) } else { return None };
        if due_at < until {
            return None;
        }
        let whole = (until - last.ended()).to_std().ok()?;
        (until - now).to_std().ok().filter(|left| !left.is_zero()).map(|left| left.min(whole))
    }

    /// The attempts that are kept, each with its number from 1 on, oldest first.
    pub fn numbered_attempts(&self) -> impl Iterator<Item = (u32, &Attempt)> {
        let kept = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        // What has no number is older than the numbers, of which the latest were kept without a gap.
        let before = self.tried.saturating_sub(kept);
        self.attempts.iter().zip(1..).map(move |(attempt, place)| match attempt.number {
            0 => (before.saturating_add(place), attempt),
            number => (number, attempt),
        })
    }

    /// Leaves the first attempt and the newest, `most` in all: how it began to fail, and how it ends.
    fn keep_attempts(&mut self, most: usize) {
        let numbers: Vec<u32> = self.numbered_attempts().map(|(number, _)| number).collect();
        self.attempts.iter_mut().zip(numbers).for_each(|(attempt, number)| attempt.number = number);
        let surplus = self.attempts.len().saturating_sub(most);
        if surplus > 0 {
            self.attempts.drain(1..=surplus);
        }
    }

    /// The same delivery, not to be sent any more because `into` says it. Its first and latest attempts stay to be read.
    pub fn collapse(mut self, into: DeliveryId, at: Timestamp) -> Self {
        self.keep_attempts(ATTEMPTS_OF_COLLAPSED);
        Self { state: State::Delivered { at }, collapsed_into: Some(into), ..self }
    }

    /// The same delivery as a dead letter: nobody is left who could send it.
    pub fn give_up(self, at: Timestamp) -> Self {
        Self { state: State::Dead { at }, ..self }
    }

    /// The same delivery as a dead letter from the beginning: `most` wait for its channel already, and no more may.
    pub fn refuse(self, most: u64) -> Self {
        let state = State::Dead { at: self.created_at };
        Self { state, refused: Some(Reason::TooManyWait(most)), ..self }
    }

    /// The same delivery after an attempt that began at `at` and took `took`.
    ///
    /// Given up is only what was tried when its time was over: a delivery that waited out a long stop of the machine gets
    /// its attempt first, and so does one whose attempt was under way while the clock was set ahead.
    pub fn settle(
        mut self,
        outcome: &Outcome,
        at: Timestamp,
        took: Duration,
        jitter: f64,
        policy: &RetryPolicy,
    ) -> Self {
        let ended = later(at, took);
        self.tried = self.tried.saturating_add(1);
        let failed = self.tried - self.again.as_ref().map_or(0, |again| again.tried.min(self.tried));
        let pause = policy.pause(outcome, failed, jitter);
        let of_channel = pause.and_then(|pause| outcome.channel_pause(pause));
        self.attempts.push(Attempt {
            number: self.tried,
            at,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome: word(outcome).to_owned(),
            reason: outcome.reason().cloned(),
            said: outcome.said().map(str::to_owned),
            pauses: of_channel.is_some(),
            paused_until: of_channel.map(|pause| later(ended, pause)),
        });
        self.keep_attempts(ATTEMPTS_KEPT);
        self.state = match pause {
            None => State::Delivered { at: ended },
            // Waiting mends neither.
            Some(_) if matches!(outcome.reason(), Some(Reason::Gone | Reason::EventLost)) => State::Dead { at: ended },
            Some(pause) => {
                let give_up_at = later(self.since(), policy.retry_for);
                if at >= give_up_at {
                    State::Dead { at: ended }
                } else {
                    State::Retrying { due_at: later(ended, pause).min(give_up_at) }
                }
            }
        };
        self
    }
}

/// So much later, or the end of the calendar: no setting may make a delivery panic.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = chrono::TimeDelta::from_std(by).unwrap_or(chrono::TimeDelta::MAX);
    at.checked_add_signed(by).unwrap_or(Timestamp::MAX_UTC)
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Retry { .. } => "retry",
        Outcome::Rejected { .. } => "rejected",
    }
}

#[cfg(test)]
mod tests;
