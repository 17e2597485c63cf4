//! From events and rules to deliveries, and from a delivery to the bytes that are sent.

use std::collections::BTreeMap;

use super::{Address, Delivery};
use crate::domain::event::Event;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::rules::RuleSet;

/// The recipients of each channel that has several; one delivery is planned for each.
pub type Recipients = BTreeMap<ChannelName, Vec<String>>;

/// The deliveries of one event.
pub fn plan(event: &Event, rules: &RuleSet, recipients: &Recipients, now: Timestamp) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    for route in rules.route(event) {
        let addresses: Vec<Option<String>> = match recipients.get(&route.channel) {
            Some(recipients) => recipients.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        for recipient in addresses {
            let address = Address { channel: route.channel.clone(), recipient };
            let events = vec![event.id.clone()];
            deliveries.push(Delivery::new(address, event.shop.clone(), route.rule.clone(), events, now));
        }
    }
    deliveries
}

/// The body of a delivery: one event as it stands, several as a JSON array.
pub fn body(events: &[String]) -> String {
    match events {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}
