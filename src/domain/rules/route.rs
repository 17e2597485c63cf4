//! Which channels an event goes to, and by which rule.

use super::condition::EventView;
use super::{Rule, RuleSet};
use crate::domain::event::Event;
use crate::domain::model::{ChannelName, ShopId, StockRow};
use crate::domain::rules::Limits;

/// One channel that an event goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where it goes.
    pub channel: ChannelName,
    /// The name of the rule that decided so.
    pub rule: String,
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
                    routes.push(Route { channel: channel.clone(), rule: rule.name.clone() });
                }
            }
            if rule.stop {
                break;
            }
        }
        routes
    }

    /// What "low" means for this product.
    pub fn limits(&self, shop: &ShopId, row: &StockRow) -> Limits {
        self.thresholds.iter().find_map(|threshold| threshold.limits(shop, row)).unwrap_or(Limits::NONE)
    }
}

impl Rule {
    fn is_about(&self, event: &Event) -> bool {
        let about_kind = self.on.iter().any(|pattern| pattern.matches(event.kind));
        about_kind && (self.shops.is_empty() || self.shops.contains(&event.shop))
    }

    /// A `when` that fails does not match: a missing field in one sale must not send the message about another.
    fn holds(&self, view: &EventView) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(view).unwrap_or(false))
    }
}
