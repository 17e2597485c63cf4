//! Looks after the lists of all shops: tells when one has not been read for too long, and when it is read again.
//!
//! What is told is decided in [`crate::domain::stale`] and written in one commit with the event and its deliveries, so
//! a restart tells nothing twice. How long a list has not been read counts by the machine's uptime from the start or
//! the last good pass on: a clock that is set and a night in which the machine is off make nothing stale.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::health::Passes;
use super::pass::PassError;
use super::shop::Shop;
use super::shutdown::Shutdown;
use crate::domain::diff::Unbelievable;
use crate::domain::event::StaleCause;
use crate::domain::model::{Resource, ShopId};
use crate::domain::stale::{Look, Step, step};
use crate::edge::pospos::{ReadError, TransportError};
use crate::edge::store::StoreError;

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// How long the end of an outage waits for the lists that are not read again yet; all of them are read at once when
/// the first is.
const WAIT_FOR_ALL: Duration = Duration::from_secs(30);

/// How many intervals a list may go unread; from the contract.
const INTERVALS: u32 = 3;

/// A list whose passes go on without a failure gets so many times its limit, and at least so long: how long a first pass
/// takes where the quota is scarce is not known before it.
const SLOW: u32 = 4;
const SLOW_LEAST: Duration = Duration::from_secs(60);

/// Who looks after the lists.
pub(super) struct StaleWatch {
    shops: Vec<Arc<Shop>>,
    /// Since when an outage of a shop is ending.
    recovering: BTreeMap<ShopId, Duration>,
    /// How long a list may go unread, and since when it may be no longer than that.
    limits: BTreeMap<(ShopId, Resource), (Duration, Duration)>,
}

impl StaleWatch {
    /// Looks after the lists of these shops.
    pub(super) fn new(shops: &[Arc<Shop>]) -> StaleWatch {
        StaleWatch { shops: shops.to_vec(), recovering: BTreeMap::new(), limits: BTreeMap::new() }
    }

    /// Looks until the end is asked for. Only a failing store ends it earlier.
    pub(super) async fn run(mut self, shutdown: Shutdown) -> anyhow::Result<()> {
        while shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_some() {
            for shop in self.shops.clone() {
                self.look(&shop).await?;
            }
        }
        Ok(())
    }

    async fn look(&mut self, shop: &Shop) -> Result<(), StoreError> {
        let (now, up) = (shop.shared.clock.now(), shop.shared.clock.mark().up);
        let mut looks = self.looks(shop, up);
        let told = shop.stale_resources();
        // What was told is read only where there may be something to tell.
        if told.is_empty() && !looks.iter().any(|look| look.is_overdue) {
            return Ok(());
        }
        for look in &mut looks {
            let record = shop.shared.store.resource(shop.id(), look.resource).await?;
            look.passed_at = record.map(|record| record.passed_at);
        }
        let wait_for_all = self.wait_for_all(shop, &looks, &told, up);
        let step = shop.tell_stale(now, |record| step(record, &looks, now, wait_for_all)).await?;
        if let Some(step) = step {
            self.say(shop, &step, &told);
        }
        Ok(())
    }

    /// Whether the end of an outage is to wait for the lists that are not read again yet.
    fn wait_for_all(&mut self, shop: &Shop, looks: &[Look], told: &BTreeSet<Resource>, up: Duration) -> bool {
        if !looks.iter().any(|look| look.is_read && told.contains(&look.resource)) {
            self.recovering.remove(shop.id());
            return false;
        }
        let since = *self.recovering.entry(shop.id().clone()).or_insert_with(|| {
            told.iter().for_each(|resource| shop.pace.read_now(*resource));
            up
        });
        up.saturating_sub(since) < WAIT_FOR_ALL
    }

    fn say(&mut self, shop: &Shop, step: &Step, told: &BTreeSet<Resource>) {
        let id = shop.id();
        let new: Vec<Resource> = step.record.told.keys().filter(|resource| !told.contains(resource)).copied().collect();
        shop.shared.health.count_changes_from_now(id, &new);
        if let Some((_, recovered)) = &step.recovered {
            self.recovering.remove(id);
            info!(shop.id = %id, "{} of {id} are read again, after {} s: {} changes",
                names(&recovered.resources), recovered.lasted_s, recovered.changes);
        }
        if let Some((_, stale)) = &step.stale {
            warn!(shop.id = %id, "{} of {id} have not been read for too long: {}", names(&stale.resources), stale.why);
        }
    }

    /// How each polled list is doing, without what only the store knows.
    fn looks(&mut self, shop: &Shop, up: Duration) -> Vec<Look> {
        let mut intervals = None;
        let mut looks = Vec::new();
        for resource in shop.config.poll.keys().copied() {
            let passes = shop.shared.health.passes(shop.id(), resource);
            let unread_for = passes.read_up.map(|read_up| up.saturating_sub(read_up));
            let unread_or_new = unread_for.unwrap_or(up.saturating_sub(shop.began_up));
            let Trouble { cause, why, since_up } = trouble_of(shop, &passes);
            // What a shop's rhythm is costs more than the question whether it matters.
            let is_overdue = if unread_or_new >= shop.config.stale_after {
                let intervals = intervals.get_or_insert_with(|| shop.allowed_intervals());
                let every = intervals.get(&resource).copied().unwrap_or_default();
                let limit = shop.config.stale_after.max(every * INTERVALS);
                let limit = if cause == StaleCause::TooSlow { limit * SLOW + SLOW_LEAST } else { limit };
                self.is_over(shop, resource, (limit, unread_or_new), up)
            } else {
                self.limits.remove(&(shop.id().clone(), resource));
                false
            };
            looks.push(Look {
                resource,
                passed_at: None,
                unread_for,
                failing_for: since_up.map_or(unread_or_new, |since_up| up.saturating_sub(since_up)),
                // A refused key and a firewall's page make each list wait, whether or not it was tried.
                is_failing: since_up.is_some() || shop.is_stopped(),
                is_overdue,
                is_read: passes.read_up.is_some() && passes.failing.is_none() && !is_overdue && !shop.is_stopped(),
                changes: passes.changes,
                cause,
                why,
            });
        }
        looks
    }

    /// Whether a list has not been read for longer than its limit. A limit that has become shorter (the shop has opened)
    /// counts from that moment on: until then the list was read as often as it had to be.
    fn is_over(
        &mut self,
        shop: &Shop,
        resource: Resource,
        (limit, unread_for): (Duration, Duration),
        up: Duration,
    ) -> bool {
        let known = self.limits.entry((shop.id().clone(), resource)).or_insert((limit, Duration::ZERO));
        if limit < known.0 {
            known.1 = up;
        }
        known.0 = limit;
        unread_for >= limit && up.saturating_sub(known.1) >= limit
    }
}

fn names(resources: &[Resource]) -> String {
    resources.iter().map(|resource| resource.name()).collect::<Vec<_>>().join(", ")
}

/// Why a list is not read.
struct Trouble {
    cause: StaleCause,
    why: String,
    /// The uptime from which on it was so; `None` where no pass has failed.
    since_up: Option<Duration>,
}

fn trouble_of(shop: &Shop, passes: &Passes) -> Trouble {
    if shop.is_stopped() {
        let why = "the shop's key was refused, and nothing is read with it".to_owned();
        return Trouble { cause: StaleCause::KeyRefused, why, since_up: None };
    }
    // Behind a firewall the first list that was refused makes all of them wait.
    let of_shop = || {
        let mut failing =
            shop.config.poll.keys().filter_map(|other| shop.shared.health.passes(shop.id(), *other).failing);
        failing.find(|known| known.cause == StaleCause::ApiUnreachable)
    };
    match passes.failing.clone().or_else(of_shop) {
        Some(known) => Trouble { cause: known.cause, why: known.failing.why, since_up: Some(known.since_up) },
        None => Trouble { cause: StaleCause::TooSlow, why: "its passes do not end in time".to_owned(), since_up: None },
    }
}

/// What kind of failure this is.
pub(super) fn cause(error: &PassError) -> StaleCause {
    match error {
        PassError::Held(_) => StaleCause::Held,
        PassError::ClockSet => StaleCause::ClockApart,
        PassError::Unbelievable(Unbelievable::OtherShop { .. }) => StaleCause::AnotherShop,
        PassError::Unbelievable(_) => StaleCause::BadAnswer,
        PassError::Store(_) => StaleCause::Quota,
        PassError::Read(error) => match error {
            ReadError::KeyRefused { .. } => StaleCause::KeyRefused,
            ReadError::Limited { .. } => StaleCause::TooManyCalls,
            ReadError::Malformed { .. } | ReadError::Incomplete { .. } | ReadError::Endless { .. } => {
                StaleCause::BadAnswer
            }
            ReadError::Unreachable(TransportError::NotHttp | TransportError::Garbled | TransportError::TooLarge) => {
                StaleCause::BadAnswer
            }
            ReadError::Unreachable(_) | ReadError::Blocked { .. } => StaleCause::ApiUnreachable,
            ReadError::Status(_) => StaleCause::ApiError,
            ReadError::ClockApart(_) => StaleCause::ClockApart,
            ReadError::Quota(_) => StaleCause::Quota,
        },
    }
}
