//! Events with what follows from them, committed in one step.
//!
//! What the rules remember is read, changed and committed by one at a time, so that two passes that end at once cannot
//! both begin a window or take each other's events out of one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::shared::Shared;
use crate::domain::event::Event;
use crate::domain::model::ChannelName;
use crate::domain::publish::{GroupKey, Plan, Published, RuleState, close, publish};
use crate::edge::store::{Commit, StoreError};

/// About how many bytes of messages one commit has: see `pass::piece`.
const AT_ONCE: usize = 64 * 1024;

impl Shared {
    /// Commits these events and what follows from them together with `commit`, and wakes the loops of their channels.
    pub async fn publish(&self, events: Vec<Event>, mut commit: Commit) -> Result<(), StoreError> {
        let now = self.clock.now();
        let plan = Plan::of(&events, &self.settings);
        commit.events.extend(events.into_iter().map(|event| (now, event)));
        self.publish_plan(plan, commit, &mut BTreeSet::new()).await
    }

    /// The same of what is planned already, from events that are in `commit` or were committed before. What came together
    /// and is committed in several hands `begun` on.
    pub async fn publish_plan(
        &self,
        plan: Plan,
        mut commit: Commit,
        begun: &mut BTreeSet<GroupKey>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let keys = plan.keys();
        // Only what rules remember must be taken in turn.
        let _turn = if keys.is_empty() { None } else { Some(self.publishing.lock().await) };
        let (plan, before) = match keys.is_empty() {
            true => (plan, RuleState::default()),
            false => {
                let ids = commit.events.iter().map(|(_, event)| event.id.clone()).collect();
                // What was told before has had its messages then.
                let known = self.store.known_events(ids).await?;
                commit.events.retain(|(_, event)| !known.contains(&event.id));
                (plan.without(&known), self.store.rule_state(keys).await?)
            }
        };
        let published = publish(plan, &self.settings, &before, begun, now);
        let notices: Vec<Event> =
            commit.events.iter().map(|(_, event)| event).filter(|event| event.kind.is_notice()).cloned().collect();
        let opened = !published.changed.is_empty();
        self.commit_published(published, &mut commit).await?;
        self.notices.note(&notices, now);
        if opened {
            self.groups.notify_one();
        }
        Ok(())
    }

    /// Ends the groups whose windows are over, and says how long it is until the next one is.
    pub async fn end_groups(&self) -> Result<Option<Duration>, StoreError> {
        let _turn = self.publishing.lock().await;
        let open = self.store.all_rule_state().await?;
        let (published, next) = close(&open, &self.settings, self.clock.now(), AT_ONCE);
        self.commit_published(published, &mut Commit::default()).await?;
        Ok(next)
    }

    async fn commit_published(&self, published: Published, commit: &mut Commit) -> Result<(), StoreError> {
        commit.deliveries.extend(published.deliveries);
        commit.rule_state = published.changed;
        if commit.is_empty() {
            return Ok(());
        }
        let channels: BTreeSet<ChannelName> =
            commit.deliveries.iter().map(|delivery| delivery.channel.clone()).collect();
        self.store.commit(std::mem::take(commit)).await?;
        self.wake(channels.iter());
        Ok(())
    }
}
