//! Which rules and thresholds can never count, because earlier ones have decided everything before them?
//!
//! Only what is certain is named: every rule with a condition of its own may let an event pass, so that it hides
//! nothing. A pattern is compared as text, which overlooks some that are hidden and never names one that is not.

use std::collections::{BTreeMap, BTreeSet};

use super::threshold::wildcard;
use super::{Low, Rule, RuleSet, Threshold};
use crate::domain::event::EventKind;
use crate::domain::model::{ChannelName, ShopId};

/// A rule that no event is left for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenRule {
    /// Its place among the rules.
    pub rule: usize,
    /// The places of the earlier rules that leave nothing, in their order.
    pub by: Vec<usize>,
    /// Whether `stop` of these alone is what keeps the events from it.
    pub is_stopped: bool,
}

/// A threshold that no product is left for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenThreshold {
    /// Its place among the thresholds.
    pub threshold: usize,
    /// The place of the earlier one that matches all of its products.
    pub by: usize,
}

/// By which rule something is decided, for each kind of event.
type Decided = BTreeMap<EventKind, usize>;

impl RuleSet {
    /// The rules that can never send anything nor stop anything, in a configuration with these shops.
    pub fn hidden_rules(&self, shops: &[ShopId]) -> Vec<HiddenRule> {
        let mut decided: BTreeMap<(&ShopId, &ChannelName), Decided> = BTreeMap::new();
        let mut stopped: BTreeMap<&ShopId, Decided> = BTreeMap::new();
        let mut hidden = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let kinds: Vec<EventKind> = rule.kinds().collect();
            let own_shops: Vec<&ShopId> = shops.iter().filter(|shop| rule.is_of(shop)).collect();
            let (mut by, mut is_hidden, mut is_stopped) = (BTreeSet::new(), true, true);
            for (shop, kind) in own_shops.iter().flat_map(|shop| kinds.iter().map(move |kind| (*shop, kind))) {
                if let Some(earlier) = stopped.get(shop).and_then(|decided| decided.get(kind)) {
                    by.insert(*earlier);
                    continue;
                }
                is_stopped = false;
                for channel in &rule.to {
                    match decided.get(&(shop, channel)).and_then(|decided| decided.get(kind)) {
                        // What it stops still matters to later rules.
                        Some(earlier) if !rule.stop => drop(by.insert(*earlier)),
                        _ => is_hidden = false,
                    }
                }
            }
            if is_hidden && !by.is_empty() {
                hidden.push(HiddenRule { rule: index, by: by.into_iter().collect(), is_stopped });
            }
            if !rule.is_unconditional() {
                continue;
            }
            for (shop, kind) in own_shops.iter().flat_map(|shop| kinds.iter().map(move |kind| (*shop, *kind))) {
                for channel in &rule.to {
                    decided.entry((shop, channel)).or_default().entry(kind).or_insert(index);
                }
                if rule.stop {
                    stopped.entry(shop).or_default().entry(kind).or_insert(index);
                }
            }
        }
        hidden
    }

    /// The thresholds that can never be the first to match a product, in a configuration with these shops.
    pub fn hidden_thresholds(&self, shops: &[ShopId]) -> Vec<HiddenThreshold> {
        let hidden = |(index, threshold): (usize, &Threshold)| {
            let by = self.thresholds[..index].iter().position(|earlier| earlier.covers(threshold, shops))?;
            Some(HiddenThreshold { threshold: index, by })
        };
        self.thresholds.iter().enumerate().filter_map(hidden).collect()
    }
}

impl Rule {
    /// The kinds of events that it is about.
    pub fn kinds(&self) -> impl Iterator<Item = EventKind> {
        EventKind::ALL.iter().copied().filter(|kind| self.on.iter().any(|on| on.matches(*kind)))
    }

    /// Whether every event of its kinds and shops matches it.
    fn is_unconditional(&self) -> bool {
        self.when.is_none()
    }
}

impl Threshold {
    /// Whether it matches every product that `later` does.
    fn covers(&self, later: &Threshold, shops: &[ShopId]) -> bool {
        // Products without a figure of their own, or without a line in the table, go on to later thresholds.
        if self.by_code.is_some() || self.low == Some(Low::MinStock) {
            return false;
        }
        let about = |threshold: &Threshold, shop| threshold.shops.is_empty() || threshold.shops.contains(shop);
        let in_shops = self.shops.is_empty() || shops.iter().all(|shop| about(self, shop) || !about(later, shop));
        let in_category = self.category.is_none() || self.category == later.category;
        in_shops && in_category && self.covers_codes(later)
    }

    fn covers_codes(&self, later: &Threshold) -> bool {
        if self.products.is_empty() {
            return true;
        }
        let covered = |code: &String| self.products.iter().any(|pattern| wildcard(pattern, code));
        let by_pattern = !later.products.is_empty() && later.products.iter().all(covered);
        by_pattern || later.by_code.as_ref().is_some_and(|by_code| by_code.keys().all(covered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rules::{Names, parse};

    fn shops() -> [ShopId; 2] {
        ["main", "second"].map(|id| ShopId::new(id).unwrap())
    }

    fn rules(text: &str) -> RuleSet {
        let names = Names {
            shops: shops().into(),
            channels: ["owner", "erp"].map(|name| ChannelName::new(name).unwrap()).into(),
        };
        let sheet = |_: &str| Ok("code,low\nPK64000001,3\nPK64000002,4\n".to_owned());
        let mut rules = RuleSet::default();
        parse(text, &names, &sheet, &mut rules).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:#?}"));
        rules
    }

    /// Rules of these lines each; which of them is hidden by which: `1 by 0`.
    #[track_caller]
    fn check_rules(rules_lines: &[&str], want: &str) {
        let rule = |(index, lines): (usize, &&str)| {
            let on = if lines.contains("on =") { "" } else { "on = [\"stock.*\"]\n" };
            let to = if lines.contains("to =") { "" } else { "to = [\"owner\"]\n" };
            format!("[[rule]]\nname = \"{index}\"\n{on}{to}{lines}\n")
        };
        let text: String = rules_lines.iter().enumerate().map(rule).collect();
        let said = rules(&text).hidden_rules(&shops()).into_iter().map(|hidden| {
            let by: Vec<String> = hidden.by.iter().map(ToString::to_string).collect();
            format!("{} {} {}", hidden.rule, if hidden.is_stopped { "after" } else { "by" }, by.join("+"))
        });
        assert_eq!(said.collect::<Vec<_>>().join(", "), want, "{text}");
    }

    #[test]
    fn a_rule_is_hidden_where_earlier_ones_decide_for_all_of_its_channels() {
        check_rules(&["", ""], "1 by 0");
        check_rules(&["on = [\"*\"]", "on = [\"stock.low\"]\nwhen = 'product.quantity > 1'"], "1 by 0");
        check_rules(&["to = [\"owner\", \"erp\"]", "to = [\"erp\"]"], "1 by 0");
        check_rules(&["", "to = [\"erp\"]", "to = [\"erp\", \"owner\"]"], "2 by 0+1");
        check_rules(
            &["on = [\"stock.low\"]", "on = [\"stock.out\"]", "on = [\"stock.low\", \"stock.out\"]"],
            "2 by 0+1",
        );
        check_rules(&["shops = [\"main\"]", "shops = [\"second\"]", ""], "2 by 0+1");
        check_rules(&["shops = [\"main\", \"second\"]", "shops = [\"main\"]"], "1 by 0");
    }

    #[test]
    fn a_rule_is_hidden_where_an_earlier_one_stops_all_of_its_events() {
        check_rules(&["stop = true", "to = [\"erp\"]"], "1 after 0");
        check_rules(&["stop = true", "stop = true"], "1 after 0");
        check_rules(
            &[
                "on = [\"stock.low\"]\nstop = true",
                "on = [\"stock.out\"]",
                "to = [\"owner\"]\non = [\"stock.low\", \"stock.out\"]",
            ],
            "2 by 0+1",
        );
    }

    #[test]
    fn a_rule_that_may_still_decide_is_not_named() {
        for rules in [
            &["when = 'product.quantity > 1'", ""][..],
            &["when = 'product.quantity > 1'\nstop = true", "to = [\"erp\"]"],
            &["", "to = [\"owner\", \"erp\"]"],
            &["on = [\"stock.low\"]", ""],
            &["shops = [\"main\"]", ""],
            &["shops = [\"main\"]\nstop = true", "to = [\"erp\"]"],
            // It sends nothing, and keeps the third from sending.
            &["", "stop = true", "to = [\"erp\"]\non = [\"*\"]"],
        ] {
            check_rules(rules, "");
        }
    }

    /// Thresholds of these lines each; which of them is hidden by which: `1 by 0`.
    #[track_caller]
    fn check_thresholds(lines: &[&str], want: &str) {
        let text: String = lines.iter().map(|lines| format!("[[threshold]]\n{lines}\n")).collect();
        let hidden = rules(&text).hidden_thresholds(&shops());
        let said: Vec<String> = hidden.iter().map(|hidden| format!("{} by {}", hidden.threshold, hidden.by)).collect();
        assert_eq!(said.join(", "), want, "{text}");
    }

    #[test]
    fn a_threshold_is_hidden_behind_one_that_matches_all_of_its_products() {
        for (earlier, later) in [
            ("low = 5", "low = 9\nproducts = [\"PK64*\"]"),
            ("low = 5", "csv = \"x\""),
            ("low = 5", "low = \"min_stock\""),
            ("critical = 5", "low = 9\nshops = [\"main\"]\ncategory = \"a\""),
            ("low = 5\nshops = [\"main\", \"second\"]", "low = 9"),
            ("low = 5\nshops = [\"main\"]", "low = 9\nshops = [\"main\"]"),
            ("low = 5\ncategory = \"a\"", "low = 9\ncategory = \"a\"\nproducts = [\"PK*\"]"),
            ("low = 5\nproducts = [\"PK*\"]", "low = 9\nproducts = [\"PK64*\", \"PK65*1\"]"),
            ("low = 5\nproducts = [\"PK1\", \"PK2\"]", "low = 9\nproducts = [\"PK2\"]"),
            ("low = 5\nproducts = [\"PK64*\"]", "csv = \"x\""),
        ] {
            check_thresholds(&[earlier, later], "1 by 0");
        }
        check_thresholds(&["low = \"min_stock\"", "low = 5", "low = 9\nproducts = [\"PK64*\"]"], "2 by 1");
    }

    #[test]
    fn a_threshold_that_may_still_match_is_not_named() {
        for (earlier, later) in [
            ("low = \"min_stock\"", "low = 5"),
            ("low = \"min_stock\"\ncritical = 2", "low = 5"),
            ("csv = \"x\"", "low = 5"),
            ("low = 5\nshops = [\"main\"]", "low = 9"),
            ("low = 5\ncategory = \"a\"", "low = 9"),
            ("low = 5\ncategory = \"a\"", "low = 9\ncategory = \"b\""),
            // Not every product has a code.
            ("low = 5\nproducts = [\"*\"]", "low = 9"),
            ("low = 5\nproducts = [\"PK64*\"]", "low = 9\nproducts = [\"PK*\"]"),
            ("low = 5\nproducts = [\"PK64*\"]", "low = 9\nproducts = [\"PK64*\", \"PK65*\"]"),
            ("low = 5\nproducts = [\"PK64000001\"]", "csv = \"x\""),
        ] {
            check_thresholds(&[earlier, later], "");
        }
    }
}
