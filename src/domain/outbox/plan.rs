//! From events and rules to deliveries, and from a delivery to the bytes that are sent.
//!
//! **One message for people, one request each for machines.** What is planned together (the events of one pass) becomes
//! one delivery for each address and rule where the channel has [`Room`] for several, and one delivery for each event
//! where it has not. A notice is always a message of its own. The order of the events is the order in which they came.

use std::collections::{BTreeMap, BTreeSet};

use super::{Address, Delivery, Destinations, Room, routes};
use crate::domain::event::{Event, EventId, Severity};
use crate::domain::model::{ShopId, Timestamp};
use crate::domain::rules::{Route, RuleSet};

/// About what one delivery takes in the store, besides the ids of its events.
const DELIVERY_BYTES: usize = 600;
/// About what the id of an event takes in a delivery.
const ID_BYTES: usize = 40;

/// The deliveries of these events, which one pass has brought.
pub fn plan(events: &[Event], rules: &RuleSet, destinations: &Destinations, now: Timestamp) -> Vec<Delivery> {
    let mut plan = Plan::default();
    for event in events {
        plan.add(event, rules, destinations);
    }
    plan.close(now)
}

/// The deliveries of one event by these routes: one for each recipient.
pub fn deliveries_to(event: &Event, routes: &[Route], destinations: &Destinations, now: Timestamp) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for route in routes {
        for address in destinations.addresses(&route.channel) {
            let events = vec![event.id.clone()];
            let delivery = Delivery::new(address, event.shop.clone(), route.rule.clone(), events, now);
            deliveries.push(Delivery { severity: route.severity, ..delivery });
        }
    }
    deliveries
}

/// Deliveries in the making. An event that is added twice counts once.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    messages: Vec<Message>,
    /// Of each address and rule, the message that has room for more.
    open: BTreeMap<(Address, ShopId, String), usize>,
    known: BTreeSet<EventId>,
}

/// One delivery in the making.
#[derive(Debug, Clone)]
struct Message {
    address: Address,
    shop: ShopId,
    rule: String,
    /// The highest of its events.
    severity: Severity,
    events: Vec<EventId>,
    /// How long the JSON of its events is.
    json: usize,
    /// What is planned later may still come into it, or could have.
    is_gathered: bool,
}

impl Plan {
    /// Adds an event wherever it goes.
    pub fn add(&mut self, event: &Event, rules: &RuleSet, destinations: &Destinations) {
        self.add_where(event, rules, destinations, |_| true);
    }

    /// Adds an event wherever it goes and is `wanted`.
    pub fn add_where(
        &mut self,
        event: &Event,
        rules: &RuleSet,
        destinations: &Destinations,
        wanted: impl Fn(&Address) -> bool,
    ) {
        if !self.known.insert(event.id.clone()) {
            return;
        }
        let mut json = None;
        for route in routes(event, rules, destinations) {
            let room = if event.kind.is_notice() { Room::ALONE } else { destinations.room(&route.channel) };
            let json = if room.is_measured() { *json.get_or_insert_with(|| event.to_json().len()) } else { 0 };
            for address in destinations.addresses(&route.channel).into_iter().filter(&wanted) {
                self.put(event, &route, address, room, json);
            }
        }
    }

    fn put(&mut self, event: &Event, route: &Route, address: Address, room: Room, json: usize) {
        let place = (address, event.shop.clone(), route.rule.clone());
        let message = self.open.get(&place).map(|index| &mut self.messages[*index]);
        if let Some(message) = message
            && room.holds(message.events.len() + 1, message.json + json)
        {
            message.events.push(event.id.clone());
            message.json += json;
            message.severity = message.severity.max(route.severity);
            return;
        }
        let (address, shop, rule) = place.clone();
        let (severity, events, is_gathered) = (route.severity, vec![event.id.clone()], room.is_for_several());
        if is_gathered {
            self.open.insert(place, self.messages.len());
        }
        self.messages.push(Message { address, shop, rule, severity, events, json, is_gathered });
    }

    /// About how many bytes of the store the deliveries take.
    pub fn bytes(&self) -> usize {
        self.messages.iter().map(Message::bytes).sum()
    }

    /// The deliveries, due at once.
    pub fn close(self, now: Timestamp) -> Vec<Delivery> {
        self.messages.into_iter().map(|message| message.close(now)).collect()
    }

    /// The deliveries in their order, in parts that each end once they take `most` bytes of the store.
    pub fn close_in_parts(self, most: usize, now: Timestamp) -> Vec<Vec<Delivery>> {
        let mut parts: Vec<Vec<Delivery>> = Vec::new();
        let mut bytes = most;
        for message in self.messages {
            if bytes >= most {
                parts.push(Vec::new());
                bytes = 0;
            }
            bytes += message.bytes();
            if let Some(part) = parts.last_mut() {
                part.push(message.close(now));
            }
        }
        parts
    }

    /// Only the deliveries that nothing planned later could come into, and whether there were others.
    pub fn close_alone(self, now: Timestamp) -> (Vec<Delivery>, bool) {
        let (gathered, alone): (Vec<Message>, Vec<Message>) =
            self.messages.into_iter().partition(|message| message.is_gathered);
        (alone.into_iter().map(|message| message.close(now)).collect(), !gathered.is_empty())
    }
}

impl Message {
    fn bytes(&self) -> usize {
        DELIVERY_BYTES + ID_BYTES * self.events.len()
    }

    fn close(self, now: Timestamp) -> Delivery {
        let Message { address, shop, rule, severity, events, json: _, is_gathered: _ } = self;
        Delivery { severity, ..Delivery::new(address, shop, rule, events, now) }
    }
}

/// The body of a delivery: one event as it stands, several as a JSON array.
pub fn body(events: &[String]) -> String {
    match events {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}

#[cfg(test)]
mod tests;
