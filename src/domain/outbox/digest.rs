//! Several events as one message: what a mass change becomes, since nobody reads five thousand.

use std::collections::BTreeMap;

use super::{Address, Delivery, Destinations};
use crate::domain::event::{Event, EventId, Severity};
use crate::domain::model::{ShopId, Timestamp};
use crate::domain::rules::RuleSet;

/// How many events one digest carries at most: some megabytes of JSON, which a receiver can still be asked to take.
const MOST: usize = 5_000;

/// Digests in the making: for each address and rule the events that go there.
#[derive(Debug, Clone, Default)]
pub struct Digests {
    events: BTreeMap<(Address, String), Gathered>,
}

/// What goes to one address by one rule.
#[derive(Debug, Clone, Default)]
struct Gathered {
    events: Vec<EventId>,
    /// The highest of them.
    severity: Severity,
}

impl Digests {
    /// Adds an event wherever its rules send it.
    pub fn add(&mut self, event: &Event, rules: &RuleSet, destinations: &Destinations) {
        for route in rules.route(event) {
            for address in destinations.addresses(&route.channel) {
                let gathered = self.events.entry((address, route.rule.clone())).or_default();
                gathered.events.push(event.id.clone());
                gathered.severity = gathered.severity.max(route.severity);
            }
        }
    }

    /// The deliveries, due at once; more than five thousand events at one address become several.
    pub fn close(self, shop: &ShopId, now: Timestamp) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for ((address, rule), Gathered { events, severity }) in self.events {
            for events in events.chunks(MOST) {
                let delivery = Delivery::new(address.clone(), shop.clone(), rule.clone(), events.to_vec(), now);
                deliveries.push(Delivery { severity, ..delivery });
            }
        }
        deliveries
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::model::ChannelName;
    use crate::domain::outbox::Destination;
    use crate::domain::rules::{Names, no_file, parse};
    use crate::domain::test_shop::{sale, scribe, shop, time};

    #[test]
    fn each_address_gets_one_message_of_all_its_events() {
        let channel = |name: &str| ChannelName::new(name).unwrap();
        let names = Names { shops: BTreeSet::new(), channels: ["mail", "erp"].map(channel).into() };
        let text = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"mail\", \"erp\"]\n";
        let mut rules = RuleSet::default();
        parse(text, &names, &no_file, &mut rules).unwrap();
        let mail = Destination { recipients: vec!["a@x".to_owned(), "b@x".to_owned()], ..Destination::default() };
        let recipients: Destinations = [(channel("mail"), mail)].into_iter().collect();
        let mut digests = Digests::default();
        for number in 0..MOST + 1 {
            digests.add(&scribe().sale_created(&sale(&number.to_string())), &rules, &recipients);
        }
        let deliveries = digests.close(&shop(), time("2026-11-23T03:00:00Z"));
        let sizes: Vec<_> =
            deliveries.iter().map(|one| (one.channel.as_str(), one.recipient.as_deref(), one.events.len())).collect();
        let (a, b) = (Some("a@x"), Some("b@x"));
        let want = [
            ("erp", None, MOST),
            ("erp", None, 1),
            ("mail", a, MOST),
            ("mail", a, 1),
            ("mail", b, MOST),
            ("mail", b, 1),
        ];
        assert_eq!(sizes, want);
        assert_eq!(deliveries.iter().map(|one| &one.id).collect::<BTreeSet<_>>().len(), 6);
    }
}
