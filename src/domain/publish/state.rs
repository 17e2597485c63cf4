//! What the rules remember from one event to the next.

use std::collections::BTreeMap;

use super::OpenGroup;
use crate::domain::model::{ChannelName, ShopId};
use crate::domain::outbox::Address;

/// Whose messages are grouped: those of one rule to one address, shop by shop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// The shop whose events they are about.
    pub shop: ShopId,
    /// The name of the rule: what it remembers belongs to that.
    pub rule: String,
    /// Where they go.
    pub address: Address,
}

/// What the rules remember.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleState {
    /// The open groups; one that is empty here is to be forgotten.
    pub groups: BTreeMap<GroupKey, Option<OpenGroup>>,
}

impl RuleState {
    /// How many events wait for the end of a group that goes there; of several recipients the most.
    pub fn waiting_for(&self, channel: &ChannelName) -> u64 {
        let mut by_recipient: BTreeMap<Option<&str>, u64> = BTreeMap::new();
        for (key, group) in self.groups.iter().filter(|(key, _)| key.address.channel == *channel) {
            let waiting = group.as_ref().map_or(0, |group| group.events.len() as u64);
            *by_recipient.entry(key.address.recipient.as_deref()).or_default() += waiting;
        }
        by_recipient.into_values().max().unwrap_or_default()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What is not as it was before.
    pub(super) fn since(self, before: &RuleState) -> RuleState {
        let is_new = |key: &GroupKey, group: &Option<OpenGroup>| before.groups.get(key) != Some(group);
        RuleState { groups: self.groups.into_iter().filter(|(key, group)| is_new(key, group)).collect() }
    }
}
