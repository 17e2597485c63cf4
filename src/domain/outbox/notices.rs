//! Where does a notice of posbell about itself go? It reaches a person also where no rule routes it.
//!
//! A notice goes to the channels whose rules have its type in `on`, and never to the channel that it is about. Where
//! no such rule names a channel for people, it goes to every other channel for people of the shop: those that any rule
//! of the shop names, or else all. The same channels get it when none of the first has taken it in time
//! ([`ESCALATE_AFTER`]).

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::Destinations;
use crate::domain::event::{Event, EventData, Severity, ShopDetails};
use crate::domain::model::ChannelName;
use crate::domain::rules::{Route, RuleSet};

/// How long the channels that the rules name have to take a notice; from the contract.
pub const ESCALATE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// What stands as the rule of a delivery that no rule has planned.
const NO_RULE: &str = "(notice)";

/// The channels of this event by the rules; of a notice also those that no rule names.
pub fn routes(event: &Event, rules: &RuleSet, destinations: &Destinations) -> Vec<Route> {
    let mut routes = rules.route(event);
    if !event.kind.is_notice() {
        return routes;
    }
    let about = about(event);
    routes.retain(|route| Some(&route.channel) != about);
    let mut named = rules.channels_about(event);
    named.retain(|channel| Some(channel) != about);
    let reaches_people = destinations.for_people().any(|channel| named.contains(channel));
    if !reaches_people {
        routes.extend(other_routes(event, rules, destinations, &routes));
    }
    routes
}

/// The other channels for people of the shop: for a notice that none of `routes` has taken in time.
pub fn other_routes(event: &Event, rules: &RuleSet, destinations: &Destinations, routes: &[Route]) -> Vec<Route> {
    let of_shop = rules.channels_of(&event.shop);
    let may = |channel: &&ChannelName| {
        about(event) != Some(*channel) && routes.iter().all(|route| route.channel != **channel)
    };
    let is_named = |channel: &&ChannelName| of_shop.contains(*channel);
    let has_named = destinations.for_people().any(|channel| of_shop.contains(channel) && about(event) != Some(channel));
    let others = destinations.for_people().filter(may).filter(|channel| !has_named || is_named(channel));
    let route = |channel: &ChannelName| Route {
        channel: channel.clone(),
        rule: NO_RULE.to_owned(),
        severity: Severity::of(event.kind),
        group: None,
    };
    others.map(route).collect()
}

/// The channel that a notice is about.
fn about(event: &Event) -> Option<&ChannelName> {
    match &event.data {
        EventData::Shop { details: ShopDetails::ChannelFailing(failing), .. } => Some(&failing.channel),
        EventData::Shop { details: ShopDetails::ChannelRecovered(recovered), .. } => Some(&recovered.channel),
        _ => None,
    }
}

/// The channels in these routes that people read.
pub fn people_of<'a>(routes: &'a [Route], destinations: &Destinations) -> BTreeSet<&'a ChannelName> {
    let is_for_people = |channel: &ChannelName| destinations.of(channel).is_some_and(|known| known.for_people);
    routes.iter().map(|route| &route.channel).filter(|channel| is_for_people(channel)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{ChannelFailing, ChannelFault};
    use crate::domain::outbox::Destination;
    use crate::domain::rules::{Names, no_file, parse};
    use crate::domain::test_shop::{scribe, shop, time};

    fn channel(name: &str) -> ChannelName {
        ChannelName::new(name).unwrap()
    }

    /// `owner`, `mail` and `boss` are for people, `erp` is for machines.
    fn destinations() -> Destinations {
        let known = |name: &str| (channel(name), Destination { for_people: name != "erp", ..Destination::default() });
        ["owner", "mail", "boss", "erp"].map(known).into_iter().collect()
    }

    /// Each rule is `on to…`: `shop.* owner erp`.
    fn rules(rules: &[&str]) -> RuleSet {
        let names = Names { shops: [shop()].into(), channels: ["owner", "mail", "boss", "erp"].map(channel).into() };
        let mut set = RuleSet::default();
        for (number, rule) in rules.iter().enumerate() {
            let (on, to) = rule.split_once(' ').unwrap();
            let to: Vec<String> = to.split(' ').map(|name| format!("\"{name}\"")).collect();
            let text = format!("[[rule]]\nname = \"{number}\"\non = [\"{on}\"]\nto = [{}]\n", to.join(","));
            parse(&text, &names, &no_file, &mut set).unwrap();
        }
        set
    }

    fn failing(name: &str) -> Event {
        let since = time("2026-11-23T02:00:00Z");
        let (cause, why) = (ChannelFault::Refused, String::new());
        scribe().channel_failing(1, ChannelFailing { channel: channel(name), since, cause, why, waiting: 0 })
    }

    #[track_caller]
    fn check(of: &[&str], event: &Event, want: &str, escalated: &str) {
        let (rules, destinations) = (rules(of), destinations());
        let said = |routes: &[Route]| {
            let mut names: Vec<String> = routes.iter().map(|route| route.channel.to_string()).collect();
            names.sort();
            names.join(" ")
        };
        let first = routes(event, &rules, &destinations);
        assert_eq!(said(&first), want);
        assert_eq!(said(&other_routes(event, &rules, &destinations, &first)), escalated, "others");
    }

    #[test]
    fn a_notice_goes_where_its_rules_say_and_else_to_all_people_of_the_shop() {
        let refused = scribe().key_rejected(1, 403);
        check(&["shop.* owner", "stock.low mail"], &refused, "owner", "mail");
        check(&["stock.low mail", "sale.created erp"], &refused, "mail", "");
        check(&["sale.created erp"], &refused, "boss mail owner", "");
        check(&[], &refused, "boss mail owner", "");
    }

    #[test]
    fn a_rule_for_machines_alone_does_not_keep_a_notice_from_people() {
        check(&["* erp", "stock.low owner"], &scribe().key_rejected(1, 403), "erp owner", "");
    }

    #[test]
    fn a_notice_about_a_channel_goes_to_the_others() {
        check(&["* owner"], &failing("owner"), "boss mail", "");
        check(&["* owner", "stock.low mail"], &failing("owner"), "mail", "");
        check(&["* owner mail"], &failing("owner"), "mail", "");
        check(&["* owner mail", "stock.low boss"], &failing("erp"), "mail owner", "boss");
    }

    #[test]
    fn what_is_no_notice_goes_where_its_rules_say_alone() {
        let sale = scribe().sale_created(&crate::domain::test_shop::sale("a"));
        let routes = routes(&sale, &rules(&["stock.low owner"]), &destinations());
        assert_eq!(routes, []);
    }
}
