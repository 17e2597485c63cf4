//! Sends a notice to the other channels for people when none that its rules name has taken it in time.
//!
//! Which notices are open is not stored: at a start they are found in the log of the last hours. Planning one twice is
//! harmless, since a delivery's id is a function of its channel and event, and the store keeps the first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tracing::warn;

use super::guard::read_event;
use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::domain::event::{Event, EventKind};
use crate::domain::model::Timestamp;
use crate::domain::outbox::{Delivery, ESCALATE_AFTER, Route, State, other_routes, people_of, routes};
use crate::domain::publish::Plan;
use crate::edge::store::{Commit, EventFilter, StoreError};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(5);

/// How long ago a notice may have been told that is still sent elsewhere after a start.
const LOOKED_BACK: TimeDelta = TimeDelta::hours(24);

/// How many notices of each kind are looked for at a start.
const MOST: usize = 100;

/// Looks until the end is asked for. Only a failing store ends it earlier.
pub(super) async fn watch(shared: Arc<Shared>, shutdown: Shutdown) -> anyhow::Result<()> {
    find(&shared).await?;
    while shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_some() {
        escalate(&shared, shared.clock.now()).await?;
    }
    Ok(())
}

/// The notices of the last hours.
async fn find(shared: &Shared) -> Result<(), StoreError> {
    let since = shared.clock.now() - LOOKED_BACK;
    for kind in EventKind::ALL.iter().filter(|kind| kind.is_notice()) {
        let kind = Some(kind.name().to_owned());
        let filter = EventFilter { kind, since: Some(since), limit: MOST, ..EventFilter::default() };
        for (_, json) in shared.store.events(filter).await? {
            let Some(event) = read_event(&json) else { continue };
            // A notice happens when it is committed.
            shared.notices.note(std::slice::from_ref(&event), event.time);
        }
    }
    Ok(())
}

/// Plans what is open for too long for the other people of its shop.
pub async fn escalate(shared: &Shared, now: Timestamp) -> Result<(), StoreError> {
    for (at, event) in shared.notices.all() {
        let planned = routes(&event, &shared.settings.rules, &shared.settings.destinations);
        let people: Vec<Route> = {
            let people = people_of(&planned, &shared.settings.destinations);
            planned.iter().filter(|route| people.contains(&route.channel)).cloned().collect()
        };
        if is_taken(shared, &event, &people).await? {
            shared.notices.end(&event.id);
        } else if now - at >= ESCALATE_AFTER {
            let others = other_routes(&event, &shared.settings.rules, &shared.settings.destinations, &planned);
            let mut plan = Plan::default();
            plan.add_to(&event, &others, &shared.settings, |_| true);
            if !others.is_empty() {
                warn!(event.id = %event.id, "no channel has taken {} for 5 minutes: it goes to the others too", event.kind);
                shared.publish_plan(plan, Commit::default(), &mut BTreeSet::new()).await?;
            }
            shared.notices.end(&event.id);
        }
    }
    Ok(())
}

/// Whether one of these channels has taken the notice.
async fn is_taken(shared: &Shared, event: &Event, routes: &[Route]) -> Result<bool, StoreError> {
    let mut plan = Plan::default();
    plan.add_to(event, routes, &shared.settings, |_| true);
    for Delivery { id, .. } in plan.at_once(event.time) {
        let stored = shared.store.delivery(id).await?;
        if stored.is_some_and(|stored| matches!(stored.state, State::Delivered { .. })) {
            return Ok(true);
        }
    }
    Ok(false)
}
