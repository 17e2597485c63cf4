//! From events and rules to deliveries, and from a delivery to the bytes that are sent.

use super::{Delivery, Destinations, routes};
use crate::domain::event::Event;
use crate::domain::model::Timestamp;
use crate::domain::rules::{Route, RuleSet};

/// The deliveries of one event.
pub fn plan(event: &Event, rules: &RuleSet, destinations: &Destinations, now: Timestamp) -> Vec<Delivery> {
    deliveries_to(event, &routes(event, rules, destinations), destinations, now)
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

/// The body of a delivery: one event as it stands, several as a JSON array.
pub fn body(events: &[String]) -> String {
    match events {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::event::DeliveryId;
    use crate::domain::model::{ChannelName, ShopId};
    use crate::domain::outbox::{Destination, State};
    use crate::domain::rules::{Names, no_file, parse};
    use crate::domain::test_shop::{sale, scribe, shop, time};

    fn channel(name: &str) -> ChannelName {
        ChannelName::new(name).unwrap()
    }

    fn rules() -> RuleSet {
        let names = Names { shops: BTreeSet::<ShopId>::new(), channels: ["mail", "erp"].map(channel).into() };
        let text = "[[rule]]\nname = \"all\"\non = [\"*\"]\nto = [\"mail\", \"erp\"]\n";
        let mut rules = RuleSet::default();
        parse(text, &names, &no_file, &mut rules).unwrap();
        rules
    }

    fn destinations() -> Destinations {
        let recipients = vec!["a@example.com".to_owned(), "b@example.com".to_owned()];
        let mail = Destination { recipients, for_people: true, batch: None };
        [(channel("mail"), mail)].into_iter().collect()
    }

    fn plan_of(name: &str, now: &str) -> Vec<Delivery> {
        plan(&scribe().sale_created(&sale(name)), &rules(), &destinations(), time(now))
    }

    #[test]
    fn each_recipient_of_a_channel_has_a_delivery_of_its_own() {
        let planned = plan_of("a", "2026-11-23T03:00:00Z");
        let to: Vec<_> = planned.iter().map(|one| (one.channel.as_str(), one.recipient.as_deref())).collect();
        assert_eq!(to, [("mail", Some("a@example.com")), ("mail", Some("b@example.com")), ("erp", None)]);
        let events = [scribe().sale_created(&sale("a")).id];
        for delivery in &planned {
            assert_eq!((&delivery.shop, delivery.rule.as_str()), (&shop(), "all"));
            assert_eq!(delivery.events, events);
            assert_eq!(delivery.state, State::Pending { due_at: time("2026-11-23T03:00:00Z") });
            assert_eq!((delivery.tried, delivery.attempts.len()), (0, 0));
        }
    }

    #[test]
    fn the_same_event_has_the_same_deliveries_whenever_it_is_planned() {
        let ids = |planned: Vec<Delivery>| planned.into_iter().map(|delivery| delivery.id).collect::<Vec<DeliveryId>>();
        let (now, later) = (plan_of("a", "2026-11-23T03:00:00Z"), plan_of("a", "2027-01-01T00:00:00Z"));
        assert_eq!(ids(now), ids(later));
    }

    #[test]
    fn another_event_channel_or_recipient_is_another_delivery() {
        let planned = [plan_of("a", "2026-11-23T03:00:00Z"), plan_of("b", "2026-11-23T03:00:00Z")].concat();
        let ids: BTreeSet<&DeliveryId> = planned.iter().map(|delivery| &delivery.id).collect();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn an_event_that_no_rule_is_about_has_no_delivery() {
        let event = scribe().sale_created(&sale("a"));
        assert_eq!(plan(&event, &RuleSet::default(), &destinations(), scribe().now()), []);
    }

    #[test]
    fn one_event_is_a_body_and_several_are_an_array() {
        let [a, b] = ["a", "b"].map(|name| scribe().sale_created(&sale(name)).to_json());
        assert_eq!(body(std::slice::from_ref(&a)), a);
        let several: serde_json::Value = serde_json::from_str(&body(&[a, b])).unwrap();
        assert_eq!(several.as_array().map(Vec::len), Some(2));
    }
}
