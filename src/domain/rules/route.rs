//! Which channels an event goes to, and by which rule.

use std::collections::BTreeSet;
use std::time::Duration;

use super::condition::EventView;
use super::{Rule, RuleSet};
use crate::domain::event::{Event, EventKind, Severity};
use crate::domain::model::{ChannelName, ShopId, StockRow};
use crate::domain::rules::Limits;

/// One channel that an event goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it goes.
    pub channel: ChannelName,
    /// The name of the rule that decided so.
    pub rule: String,
    /// How much the event matters there.
    pub severity: Severity,
    /// For how long the rule groups what it sends; `None` leaves it to the channel.
    pub group: Option<Duration>,
}

impl RuleSet {
    /// The channels for this event: each at most once, decided by the first matching rule that names it.
    pub fn route(&self, event: &Event) -> Vec<Route> {
        let mut routes: Vec<Route> = Vec::new();
        let mut view = None;
        for rule in &self.rules {
            if !rule.is_about(event) || !rule.holds(view.get_or_insert_with(|| EventView::of(event))) {
                continue;
            }
            for channel in &rule.to {
                if routes.iter().all(|route| route.channel != *channel) {
                    routes.push(rule.route_to(channel, event.kind));
                }
            }
            if rule.stop {
                break;
            }
        }
        routes
    }

    /// The channels of the rules that have the event's type in `on`, whatever else they ask for.
    pub fn channels_about(&self, event: &Event) -> BTreeSet<ChannelName> {
        let about = self.rules.iter().filter(|rule| rule.is_about(event));
        about.flat_map(|rule| rule.to.iter().cloned()).collect()
    }

    /// The channels that any rule of this shop names.
    pub fn channels_of(&self, shop: &ShopId) -> BTreeSet<ChannelName> {
        let of_shop = self.rules.iter().filter(|rule| rule.is_of(shop));
        of_shop.flat_map(|rule| rule.to.iter().cloned()).collect()
    }

    /// What "low" means for this product.
    pub fn limits(&self, shop: &ShopId, row: &StockRow) -> Limits {
        self.thresholds.iter().find_map(|threshold| threshold.limits(shop, row)).unwrap_or(Limits::NONE)
    }
}

impl Rule {
    fn route_to(&self, channel: &ChannelName, kind: EventKind) -> Route {
        let severity = self.severity.unwrap_or_else(|| Severity::of(kind));
        Route { channel: channel.clone(), rule: self.name.clone(), severity, group: self.group }
    }

    fn is_about(&self, event: &Event) -> bool {
        let about_kind = self.on.iter().any(|pattern| pattern.matches(event.kind));
        about_kind && self.is_of(&event.shop)
    }

    /// Whether it is about that shop.
    pub fn is_of(&self, shop: &ShopId) -> bool {
        self.shops.is_empty() || self.shops.contains(shop)
    }

    /// A `when` that fails does not match: a missing field in one sale must not send the message about another.
    fn holds(&self, view: &EventView) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(view).unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Epoch, Scribe};
    use crate::domain::rules::{Names, no_file, parse};
    use crate::domain::test_shop::{row, sale, scribe};

    fn rules(text: &str) -> RuleSet {
        let names = Names {
            shops: ["main", "second"].map(|id| ShopId::new(id).unwrap()).into(),
            channels: ["owner", "erp", "mail"].map(|name| ChannelName::new(name).unwrap()).into(),
        };
        let mut rules = RuleSet::default();
        parse(text, &names, &no_file, &mut rules).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"));
        rules
    }

    /// A rule with these channels and these further lines.
    fn rule(name: &str, to: &str, lines: &str) -> String {
        let on = if lines.contains("on =") { "" } else { "on = [\"*\"]\n" };
        let to: Vec<String> = to.split(' ').map(|channel| format!("\"{channel}\"")).collect();
        format!("[[rule]]\nname = \"{name}\"\nto = [{}]\n{on}{lines}\n\n", to.join(", "))
    }

    /// Which channels the event goes to, and by which rule: `owner by a, erp by b`.
    #[track_caller]
    fn check(rules_text: &[String], event: &Event, want: &str) {
        let routes = rules(&rules_text.concat()).route(event);
        let said: Vec<String> = routes.iter().map(|route| format!("{} by {}", route.channel, route.rule)).collect();
        assert_eq!(said.join(", "), want);
    }

    fn created() -> Event {
        scribe().sale_created(&sale("a"))
    }

    #[test]
    fn without_a_rule_an_event_goes_nowhere() {
        check(&[], &created(), "");
        check(&[rule("a", "owner", "on = [\"stock.*\"]")], &created(), "");
    }

    #[test]
    fn the_first_matching_rule_that_names_a_channel_decides_for_it() {
        check(&[rule("a", "owner", ""), rule("b", "owner erp", "")], &created(), "owner by a, erp by b");
        check(&[rule("a", "owner", "when = 'sale.total > 9000'"), rule("b", "owner", "")], &created(), "owner by b");
        check(&[rule("a", "owner", "on = [\"stock.*\"]"), rule("b", "owner", "")], &created(), "owner by b");
    }

    #[test]
    fn an_event_reaches_a_channel_at_most_once() {
        check(
            &[rule("a", "owner owner erp owner", ""), rule("b", "erp owner", "")],
            &created(),
            "owner by a, erp by a",
        );
    }

    #[test]
    fn after_a_rule_that_stops_the_later_ones_see_nothing() {
        check(&[rule("a", "owner", "stop = true"), rule("b", "erp", "")], &created(), "owner by a");
        check(
            &[rule("a", "owner", "stop = true\nwhen = 'sale.total > 9000'"), rule("b", "erp", "")],
            &created(),
            "erp by b",
        );
        check(&[rule("a", "erp", ""), rule("b", "owner", "stop = true")], &created(), "erp by a, owner by b");
    }

    #[test]
    fn a_rule_for_one_shop_is_not_for_another() {
        let now = scribe().now();
        let second = Scribe::new(ShopId::new("second").unwrap(), "สาขา", Epoch::from_random([1; 16]), now);
        let only_main = [rule("a", "owner", "shops = [\"main\"]"), rule("b", "erp", "")];
        check(&only_main, &created(), "owner by a, erp by b");
        check(&only_main, &second.sale_created(&sale("a")), "erp by b");
    }

    #[test]
    fn a_rule_that_stops_in_one_shop_stops_nothing_in_another() {
        let now = scribe().now();
        let second = Scribe::new(ShopId::new("second").unwrap(), "สาขา", Epoch::from_random([1; 16]), now);
        let stops = [rule("a", "owner", "shops = [\"main\"]\nstop = true"), rule("b", "erp", "")];
        check(&stops, &second.sale_created(&sale("a")), "erp by b");
    }

    #[test]
    fn a_family_and_everything_can_be_meant() {
        let rules = [rule("a", "owner", "on = [\"stock.*\", \"sale.cancelled\"]"), rule("b", "erp", "on = [\"*\"]")];
        check(&rules, &created(), "erp by b");
        check(&rules, &scribe().sale_cancelled(&sale("a"), None), "owner by a, erp by b");
        let changed = scribe().stock_changed(1, &row("a", "1").product, &row("a", "2").product);
        check(&rules, &changed, "owner by a, erp by b");
    }

    #[test]
    fn a_when_that_fails_does_not_match_and_stops_nothing() {
        let rules = [rule("a", "owner", "when = 'product.quantity < 5'\nstop = true"), rule("b", "erp", "")];
        check(&rules, &created(), "erp by b");
        let changed = scribe().stock_changed(1, &row("a", "1").product, &row("a", "2").product);
        check(&rules, &changed, "owner by a");
    }
}
