//! What the rules remember, and which events they have seen.

use std::collections::BTreeSet;

use tracing::warn;

use super::engine::{Engine, Span};
use super::record::{self, GroupRecord};
use super::{Store, StoreError, keys};
use crate::domain::event::EventId;
use crate::domain::publish::{GroupKey, OpenGroup, RuleState};

impl Store {
    /// What the rules remember under these keys.
    pub async fn rule_state(&self, keys: BTreeSet<GroupKey>) -> Result<RuleState, StoreError> {
        self.reading(move |engine| {
            let mut state = RuleState::default();
            for key in keys {
                let stored = engine.get(&keys::group(&key))?;
                if let Some((key, group)) = stored.and_then(|stored| readable(&stored)) {
                    state.groups.insert(key, Some(group));
                }
            }
            Ok(state)
        })
        .await
    }

    /// Everything that the rules remember.
    pub async fn all_rule_state(&self) -> Result<RuleState, StoreError> {
        self.reading(|engine| {
            let mut state = RuleState::default();
            for group in open_groups(engine) {
                let (key, group) = group?;
                state.groups.insert(key, Some(group));
            }
            Ok(state)
        })
        .await
    }

    /// Which of these events are in the log already.
    pub async fn known_events(&self, ids: Vec<EventId>) -> Result<BTreeSet<EventId>, StoreError> {
        self.reading(move |engine| {
            let mut known = BTreeSet::new();
            for id in ids {
                if engine.has(&keys::event_by_id(&id))? {
                    known.insert(id);
                }
            }
            Ok(known)
        })
        .await
    }
}

/// Every open group.
pub(super) fn open_groups(engine: &dyn Engine) -> impl Iterator<Item = Result<(GroupKey, OpenGroup), StoreError>> {
    let entries = engine.scan(Span::prefix(keys::GROUPS));
    entries.filter_map(|entry| entry.map(|(_, stored)| readable(&stored)).transpose())
}

/// A group as it was stored. One that cannot be read must not end the service at each start: it counts as none.
fn readable(stored: &[u8]) -> Option<(GroupKey, OpenGroup)> {
    let read = record::read::<GroupRecord>(stored);
    read.inspect_err(|error| warn!("what gathered for a message is lost: {error}")).ok().map(GroupRecord::parts)
}
