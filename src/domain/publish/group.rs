//! `group`: what comes within a while is one message.
//!
//! The first message of a rule to an address goes at once and begins a window. What comes within the window waits for its
//! end and is one message then, which begins the next window. A window in which nothing comes ends in silence, and the
//! next message goes at once again. So the first is never late, and a busy hour rings once in a window.
//!
//! Notices and what is critical neither wait nor begin a window.
//!
//! Windows are measured by a clock that may be set: one that began in the future for longer than it lasts is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::Message;
use super::{GroupKey, Published, RuleState, Settings, Turn};
use crate::domain::event::{EventId, Severity};
use crate::domain::model::{ChannelName, Timestamp};

/// How many events wait for the end of a window at most: their ids are written anew with each that comes. A group that
/// would have more is sent, and the next begins.
pub(super) const MOST_WAITING: usize = 200;

/// A window, and what waits for its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGroup {
    /// When the message went that began it.
    pub since: Timestamp,
    /// The highest of what waits.
    #[serde(default)]
    pub severity: Severity,
    /// What waits, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventId>,
    /// How long the JSON of each is; 0 where that does not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<u32>,
}

impl OpenGroup {
    fn begun(now: Timestamp) -> OpenGroup {
        OpenGroup { since: now, severity: Severity::default(), events: Vec::new(), lengths: Vec::new() }
    }

    /// How much longer it lasts; `None` where it is over.
    fn left(&self, length: Duration, now: Timestamp) -> Option<Duration> {
        let passed = now - self.since;
        match passed.to_std() {
            Ok(passed) => length.checked_sub(passed).filter(|left| !left.is_zero()),
            // Begun in the future: somebody has set the clock back.
            Err(_) => (passed.abs().to_std().is_ok_and(|ahead| ahead < length)).then_some(length),
        }
    }

    fn has_room(&self, message: &Message) -> bool {
        self.events.len() + message.events.len() <= MOST_WAITING
    }

    fn take(&mut self, message: Message) {
        self.severity = self.severity.max(message.severity);
        self.events.extend(message.events);
        self.lengths.extend(message.lengths);
    }

    /// What waits as messages: one, or more where the channel has no room for so much in one.
    fn into_messages(self, key: &GroupKey, settings: &Settings) -> Vec<Message> {
        let room = settings.destinations.room(&key.address.channel);
        let mut messages: Vec<Message> = Vec::new();
        let lengths = self.lengths.into_iter().chain(std::iter::repeat(0));
        for (event, length) in self.events.into_iter().zip(lengths) {
            match messages.last_mut() {
                Some(last) if room.holds(last.events.len() + 1, last.json + length as usize) => {
                    last.push(event, length)
                }
                _ => messages.push(Message {
                    key: key.clone(),
                    severity: self.severity,
                    events: vec![event],
                    lengths: vec![length],
                    json: length as usize,
                    is_gathered: room.is_for_several(),
                    group: Duration::ZERO,
                }),
            }
        }
        messages
    }
}

/// Lets the first messages through and keeps the others for the end of their windows.
pub(super) fn stage(messages: Vec<Message>, settings: &Settings, turn: &mut Turn) -> Vec<Message> {
    let mut through = Vec::new();
    for message in messages {
        // What came together goes together.
        if message.group.is_zero() || turn.begun.contains(&message.key) {
            through.push(message);
            continue;
        }
        let now = turn.now;
        let open = turn.state.groups.get_mut(&message.key).and_then(Option::as_mut);
        match open {
            Some(open) if open.left(message.group, now).is_some() && open.has_room(&message) => open.take(message),
            // What waited goes before what came after it. The service was late, or more came than may wait.
            Some(over) if !over.events.is_empty() && message.events.len() <= MOST_WAITING => {
                let key = message.key.clone();
                let waited = std::mem::replace(over, OpenGroup::begun(now));
                over.take(message);
                through.extend(waited.into_messages(&key, settings));
            }
            open => {
                if let Some(waited) = open {
                    through
                        .extend(std::mem::replace(waited, OpenGroup::begun(now)).into_messages(&message.key, settings));
                }
                turn.begun.insert(message.key.clone());
                turn.state.groups.insert(message.key.clone(), Some(OpenGroup::begun(now)));
                through.push(message);
            }
        }
    }
    through
}

/// Ends the windows that are over: what waited is to be sent. Besides, how long it is until the next one is over.
///
/// A rule that is gone, or that does not group any more, has no windows: what it has collected is sent. Where that is
/// more than `most` bytes of the store, the rest is over still.
pub fn close(open: &RuleState, settings: &Settings, now: Timestamp, most: usize) -> (Published, Option<Duration>) {
    let mut published = Published::default();
    let (mut next, mut bytes) = (None, 0);
    for (key, group) in open.groups.iter().filter_map(|(key, group)| Some((key, group.as_ref()?))) {
        let length = settings.group_of(key).unwrap_or_default();
        if let Some(left) = group.left(length, now) {
            // Nobody waits for the end of an empty one.
            if !group.events.is_empty() {
                next = Some(next.map_or(left, |next: Duration| next.min(left)));
            }
            continue;
        }
        if bytes >= most {
            return (published, Some(Duration::ZERO));
        }
        // The message begins the next window.
        let after = (!group.events.is_empty() && !length.is_zero()).then(|| OpenGroup::begun(now));
        published.changed.groups.insert(key.clone(), after);
        let messages = group.clone().into_messages(key, settings);
        bytes += messages.iter().map(Message::bytes).sum::<usize>();
        published.deliveries.extend(messages.into_iter().map(|message| message.close(now)));
    }
    (published, next)
}

/// For how long messages to people are grouped unless the rule says otherwise; from the contract.
const FOR_PEOPLE: Duration = Duration::from_secs(60);

impl Settings {
    /// For how long messages to this channel are grouped unless their rule says otherwise.
    pub(super) fn usual_group(&self, channel: &ChannelName) -> Duration {
        let is_for_people = self.destinations.of(channel).is_some_and(|known| known.for_people);
        if is_for_people { FOR_PEOPLE } else { Duration::ZERO }
    }

    /// For how long a rule groups what it sends there; `None` where it is gone or sends nothing there.
    fn group_of(&self, key: &GroupKey) -> Option<Duration> {
        let rule = self.rules.rules.iter().find(|rule| rule.name == key.rule)?;
        let channel = &key.address.channel;
        rule.to.contains(channel).then(|| rule.group.unwrap_or_else(|| self.usual_group(channel)))
    }
}

#[cfg(test)]
mod tests;
