//! What came together, put together.
//!
//! **One message for people, one request each for machines.** What is planned together (the events of one pass) becomes
//! one message for each address and rule where the channel has [`Room`] for several, and one message for each event
//! where it has not. A notice is always a message of its own. The order of the events is the order in which they came.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::message::Message;
use super::{GroupKey, Settings};
use crate::domain::event::{Event, EventId, Severity};
use crate::domain::model::Timestamp;
use crate::domain::outbox::{Address, Delivery, Room, Route, routes};

/// Messages in the making. An event that is added twice counts once.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    messages: Vec<Message>,
    /// Of each address and rule, the message that has room for more.
    open: BTreeMap<GroupKey, usize>,
    known: BTreeSet<EventId>,
}

impl Plan {
    /// All of these events.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>, settings: &Settings) -> Plan {
        let mut plan = Plan::default();
        events.into_iter().for_each(|event| plan.add(event, settings));
        plan
    }

    /// Adds an event wherever it goes.
    pub fn add(&mut self, event: &Event, settings: &Settings) {
        self.add_where(event, settings, |_| true);
    }

    /// Adds an event wherever it goes and is `wanted`.
    pub fn add_where(&mut self, event: &Event, settings: &Settings, wanted: impl Fn(&Address) -> bool) {
        let routes = routes(event, &settings.rules, &settings.destinations);
        self.add_to(event, &routes, settings, wanted);
    }

    /// Adds an event to these channels.
    pub fn add_to(&mut self, event: &Event, routes: &[Route], settings: &Settings, wanted: impl Fn(&Address) -> bool) {
        if !self.known.insert(event.id.clone()) {
            return;
        }
        let destinations = &settings.destinations;
        let mut json = None;
        for route in routes {
            let is_notice = event.kind.is_notice();
            let room = if is_notice { Room::ALONE } else { destinations.room(&route.channel) };
            let group = match route.severity {
                _ if is_notice => Duration::ZERO,
                Severity::Critical => Duration::ZERO,
                Severity::Info | Severity::Warning => {
                    route.group.unwrap_or_else(|| settings.usual_group(&route.channel))
                }
            };
            // What is grouped for a machine may become an array by another configuration.
            let is_measured = room.is_measured() || (!group.is_zero() && room != Room::FOR_PEOPLE);
            let json = if is_measured { *json.get_or_insert_with(|| event.to_json().len()) } else { 0 };
            for address in destinations.addresses(&route.channel).into_iter().filter(&wanted) {
                self.put(event, route, address, (room, json, group));
            }
        }
    }

    fn put(&mut self, event: &Event, route: &Route, address: Address, (room, json, group): (Room, usize, Duration)) {
        let key = GroupKey { shop: event.shop.clone(), rule: route.rule.clone(), address };
        let message = self.open.get(&key).map(|index| &mut self.messages[*index]);
        let length = u32::try_from(json).unwrap_or(u32::MAX);
        if let Some(message) = message
            && room.holds(message.events.len() + 1, message.json.saturating_add(json))
        {
            message.push(event.id.clone(), length);
            message.severity = message.severity.max(route.severity);
            // What is critical waits for nothing, nor does what comes with it.
            message.group = message.group.min(group);
            return;
        }
        let (severity, events, is_gathered) = (route.severity, vec![event.id.clone()], room.is_for_several());
        if is_gathered {
            self.open.insert(key.clone(), self.messages.len());
        }
        self.messages.push(Message { key, severity, events, lengths: vec![length], json, is_gathered, group });
    }

    /// About how many bytes of the store the deliveries take.
    pub fn bytes(&self) -> usize {
        self.messages.iter().map(Message::bytes).sum()
    }

    /// The same at most, with what may wait in the groups that it comes into.
    pub fn most_bytes(&self) -> usize {
        self.messages.iter().map(Message::most_bytes).sum()
    }

    /// Whose windows decide what becomes of it.
    pub fn keys(&self) -> BTreeSet<GroupKey> {
        self.messages.iter().filter(|message| !message.group.is_zero()).map(|message| message.key.clone()).collect()
    }

    /// The same without these events.
    pub fn without(mut self, known: &BTreeSet<EventId>) -> Plan {
        for message in &mut self.messages {
            let (events, lengths) = (std::mem::take(&mut message.events), std::mem::take(&mut message.lengths));
            message.json = 0;
            let new = events.into_iter().zip(lengths).filter(|(event, _)| !known.contains(event));
            new.for_each(|(event, length)| message.push(event, length));
        }
        self.messages.retain(|message| !message.events.is_empty());
        self.open.clear();
        self
    }

    /// In parts, in their order, that each end once they take `most` bytes of the store.
    pub fn in_parts(self, most: usize) -> Vec<Plan> {
        let mut parts: Vec<Plan> = Vec::new();
        let mut bytes = most;
        for message in self.messages {
            if bytes >= most {
                parts.push(Plan::default());
                bytes = 0;
            }
            bytes += message.most_bytes();
            if let Some(part) = parts.last_mut() {
                part.messages.push(message);
            }
        }
        parts
    }

    /// Only the messages that nothing planned later could come into, and whether there were others.
    pub fn alone(self) -> (Plan, bool) {
        let (gathered, messages): (Vec<Message>, Vec<Message>) =
            self.messages.into_iter().partition(|message| message.is_gathered);
        (Plan { messages, ..Plan::default() }, !gathered.is_empty())
    }

    /// The deliveries, due at once whatever the rules remember: for what a person has sent again.
    pub fn at_once(self, now: Timestamp) -> Vec<Delivery> {
        self.messages.into_iter().map(|message| message.close(now)).collect()
    }

    pub(super) fn into_messages(self) -> Vec<Message> {
        self.messages
    }
}

#[cfg(test)]
mod tests;
