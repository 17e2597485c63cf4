//! The rule files: which events go to which channels, and what "low" means.
//!
//! Text goes in, a rule set or every mistake with its place comes out; matching is pure. The order of the stages is
//! the contract's: `on`, `shops` and `when` are conditions, and the first matching rule that names a channel decides
//! for it.

mod condition;
mod hidden;
mod route;
mod text;
mod threshold;

pub use condition::{Condition, ConditionError};
pub use hidden::{HiddenRule, HiddenThreshold};
pub use route::Route;
#[cfg(test)]
pub(crate) use text::no_file;
pub use text::{Beside, Names, Places, parse};
pub use threshold::{Figures, Limits, Low, Threshold};

pub use crate::domain::event::Severity;

use std::time::Duration;

use crate::domain::event::Pattern;
use crate::domain::model::{ChannelName, ShopId};

/// Everything that the rule files say.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    /// What "low" means; the first that matches a product counts.
    pub thresholds: Vec<Threshold>,
    /// Which events go where, in the order of files and lines.
    pub rules: Vec<Rule>,
}

/// One `[[rule]]`.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique; stands in every delivery that it makes.
    pub name: String,
    /// The kinds of events it is about.
    pub on: Vec<Pattern>,
    /// The shops it is about; empty means all.
    pub shops: Vec<ShopId>,
    /// What must be true of the event.
    pub when: Option<Condition>,
    /// Where they go.
    pub to: Vec<ChannelName>,
    /// How much it matters; `None` leaves it to the kind of each event.
    pub severity: Option<Severity>,
    /// For how long what it sends is put together after a message; `None` leaves it to the channel.
    pub group: Option<Duration>,
    /// Later rules do not see an event that matched this one.
    pub stop: bool,
}
