//! Looks after the lists of all shops: tells when one has not been read for too long, and when it is read again.
//!
//! What is told is decided in [`crate::domain::stale`] and written in one commit with the event and its deliveries, so
//! a restart tells nothing twice. How long a list has not been read counts by the machine's uptime from the start or
//! the last good pass on: a clock that is set and a night in which the machine is off make nothing stale.

use std::collections::BTreeMap;
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
use crate::domain::stale::{Look, step};
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

/// Looks until the end is asked for. Only a failing store ends it earlier.
pub(super) async fn watch(shops: Vec<Arc<Shop>>, shutdown: Shutdown) -> anyhow::Result<()> {
    let mut recovering: BTreeMap<ShopId, Duration> = BTreeMap::new();
    while shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_some() {
        for shop in &shops {
            look(shop, &mut recovering).await?;
        }
    }
    Ok(())
}

async fn look(shop: &Shop, recovering: &mut BTreeMap<ShopId, Duration>) -> Result<(), StoreError> {
    let (now, up) = (shop.shared.clock.now(), shop.shared.clock.mark().up);
    let mut looks = looks(shop, up);
    // The record is looked up only where the looks or what was told give a reason to.
    if !shop.stale_is_told() && looks.iter().all(|look| look.unread_for < look.limit) {
        return Ok(());
    }
    let (looks, wait_for_all) = {
        for look in &mut looks {
            let record = shop.shared.store.resource(shop.id(), look.resource).await?;
            look.passed_at = record.map(|record| record.passed_at);
        }
        let read_again = looks.iter().any(|look| look.is_read && shop.stale_resources().contains(&look.resource));
        if read_again && !recovering.contains_key(shop.id()) {
            recovering.insert(shop.id().clone(), up);
            shop.stale_resources().into_iter().for_each(|resource| shop.pace.read_now(resource));
        }
        let since = recovering.get(shop.id()).copied();
        (looks, since.is_some_and(|since| up.saturating_sub(since) < WAIT_FOR_ALL))
    };
    let told = shop
        .tell_stale(now, |record| match record.is_news(&looks, now) {
            true => step(record, &looks, now, wait_for_all),
            false => None,
        })
        .await?;
    let Some(told) = told else { return Ok(()) };
    if let Some((_, recovered)) = &told.recovered {
        recovering.remove(shop.id());
        info!(shop.id = %shop.id(), "{} of {} are read again, after {} s: {} changes",
            names(&recovered.resources), shop.id(), recovered.lasted_s, recovered.changes);
    }
    if let Some((_, stale)) = &told.stale {
        warn!(shop.id = %shop.id(), "{} of {} have not been read for too long: {}",
            names(&stale.resources), shop.id(), stale.why);
    }
    Ok(())
}

fn names(resources: &[Resource]) -> String {
    resources.iter().map(|resource| resource.name()).collect::<Vec<_>>().join(", ")
}

/// How each polled list is doing, without what only the store knows.
fn looks(shop: &Shop, up: Duration) -> Vec<Look> {
    let stale_after = shop.config.stale_after;
    let since = |passes: &Passes| up.saturating_sub(passes.read_up.unwrap_or(shop.began_up));
    let mut intervals = None;
    let polled = shop.config.poll.keys().map(|resource| {
        let passes = shop.shared.health.passes(shop.id(), *resource);
        let unread_for = since(&passes);
        // What a shop's rhythm is costs more than the question whether it matters.
        let limit = match unread_for >= stale_after {
            true => {
                let intervals = intervals.get_or_insert_with(|| shop.allowed_intervals());
                intervals.get(resource).map_or(stale_after, |every| stale_after.max(*every * INTERVALS))
            }
            false => stale_after,
        };
        let (cause, why) = cause_of(shop, &passes);
        let limit = if cause == StaleCause::TooSlow { limit * SLOW + SLOW_LEAST } else { limit };
        Look {
            resource: *resource,
            passed_at: None,
            unread_for,
            limit,
            is_read: passes.read_up.is_some() && passes.failing.is_none() && unread_for < limit,
            changes: passes.changes,
            cause,
            why,
        }
    });
    polled.collect()
}

fn cause_of(shop: &Shop, passes: &Passes) -> (StaleCause, String) {
    if shop.is_stopped() {
        return (StaleCause::KeyRefused, "the shop's key was refused, and nothing is read with it".to_owned());
    }
    // Behind a firewall the first list that was refused makes all of them wait.
    let of_shop = || {
        let mut failing =
            shop.config.poll.keys().filter_map(|other| shop.shared.health.passes(shop.id(), *other).failing);
        failing.find(|(_, cause)| *cause == StaleCause::ApiUnreachable)
    };
    match passes.failing.clone().or_else(of_shop) {
        Some((failing, cause)) => (cause, failing.why),
        None => (StaleCause::TooSlow, "its passes do not end in time".to_owned()),
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
            ReadError::Malformed { .. } | ReadError::Incomplete { .. } => StaleCause::BadAnswer,
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
