//! From events to what is committed with them: the deliveries that the rules make of them, and what the rules remember
//! from then on.
//!
//! Everything that becomes a message goes through here, whoever found it: a pass, the guard, a refresh, a notice of the
//! service, a replay. A [`Plan`] takes the events, finds their channels and puts together what came together. Then each
//! stage of `STAGES` takes the messages that the one before has left, lets through what is to be sent now and keeps the
//! rest in the [`RuleState`]. The state is read before and committed with the deliveries in one step, so that a kill finds
//! both or neither.
//!
//! A new key of a rule is one more stage here, its line in `STAGES` and its part of the state.

mod group;
mod message;
mod plan;
mod state;

pub use group::{OpenGroup, close};
pub use message::body;
pub use plan::Plan;
pub use state::{GroupKey, RuleState};

use std::collections::BTreeSet;

use message::Message;

use super::model::Timestamp;
use super::outbox::{Delivery, Destinations};
use super::rules::RuleSet;

/// What is in force.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The rules.
    pub rules: RuleSet,
    /// What planning must know of the channels.
    pub destinations: Destinations,
}

/// What follows from events.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// What is to be sent, in its order.
    pub deliveries: Vec<Delivery>,
    /// What the rules remember differently from now on.
    pub changed: RuleState,
}

/// What the stages know and change.
struct Turn {
    state: RuleState,
    /// The groups that what came together has begun.
    begun: BTreeSet<GroupKey>,
    now: Timestamp,
}

/// Takes messages, and returns those that go on.
type Stage = fn(Vec<Message>, &Settings, &mut Turn) -> Vec<Message>;

/// What becomes of a message behind the conditions of its rule, in this order.
const STAGES: [Stage; 1] = [group::stage];

/// What follows from what is planned. Of the state only what [`Plan::keys`] names must be in `before`.
///
/// `begun` is empty for what came together in one plan. What came together in several hands it on from one to the next.
pub fn publish(
    plan: Plan,
    settings: &Settings,
    before: &RuleState,
    begun: &mut BTreeSet<GroupKey>,
    now: Timestamp,
) -> Published {
    let mut turn = Turn { state: before.clone(), begun: std::mem::take(begun), now };
    let messages = STAGES.iter().fold(plan.into_messages(), |messages, stage| stage(messages, settings, &mut turn));
    *begun = turn.begun;
    let deliveries = messages.into_iter().map(|message| message.close(now)).collect();
    Published { deliveries, changed: turn.state.since(before) }
}
