//! The reading loop: one for each polled resource of each shop, pass after pass in the shop's rhythm.
//!
//! The interval runs from start to start, so that a slow answer does not slow the rhythm; a pass that takes longer
//! than its interval is followed by the next at once. The interval is worked out anew after each pass, since the quota,
//! the length of the lists and the time of day change it. Calls of all loops of a shop go through one quota. Where
//! something in between has answered instead of the API, all of them wait, and one pass goes ahead when that is over.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::health::FailedPass;
use super::pass::{PassError, PassReport, pass};
use super::shop::Shop;
use super::shutdown::Shutdown;
use super::stale;
use crate::domain::event::StaleCause;
use crate::domain::model::{Resource, Timestamp};
use crate::edge::pospos::ReadError;
use crate::edge::store::StoreError;

/// The longest wait without looking at the rhythm again: the shop may open meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// The shortest pause between two passes that nobody asked for: a pass that always takes longer than its interval
/// must not keep the others from their turn.
const BREATH: Duration = Duration::from_millis(1);

/// Reads `resource` until the end is asked for. Only a failing store ends it earlier.
pub async fn poll(shop: Arc<Shop>, resource: Resource, shutdown: Shutdown) -> Result<(), StoreError> {
    while shutdown.unless_asked(shop.may_read()).await.is_some() {
        let started = shop.shared.clock.now();
        let begun = shop.pospos.now();
        let Some(outcome) = shutdown.unless_asked(Box::pin(pass(&shop, resource))).await else { break };
        let is_blocked = matches!(outcome, Err(PassError::Read(ReadError::Blocked { .. })));
        // To its end, also when the end is asked for meanwhile: a refused key must be remembered.
        conclude(&shop, resource, outcome, started).await?;
        if is_blocked {
            // By the pauses of the blockade and not by its own rhythm: of all loops the first to go tries for the shop.
            continue;
        }
        let due = async {
            tokio::time::sleep(BREATH).await;
            loop {
                let Some(interval) = shop.interval(resource) else { return std::future::pending().await };
                let wait = shop.pospos.now().until(begun.plus(interval));
                if wait.is_zero() {
                    return;
                }
                tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
            }
        };
        let next = async {
            tokio::select! {
                () = due => {}
                () = shop.pace.wanted(resource) => {}
            }
        };
        if shutdown.unless_asked(next).await.is_none() {
            break;
        }
    }
    Ok(())
}

/// What follows from the outcome of a pass, and what is said about it.
async fn conclude(
    shop: &Shop,
    resource: Resource,
    outcome: Result<PassReport, PassError>,
    started: Timestamp,
) -> Result<(), StoreError> {
    let now = shop.shared.clock.now();
    let took_ms = (now - started).num_milliseconds();
    let when = (now, shop.shared.clock.mark().up);
    match outcome {
        Ok(report) => {
            said(shop, resource, &report, took_ms);
        }
        Err(PassError::Store(error)) => return Err(error),
        Err(PassError::Read(ReadError::KeyRefused { status })) => {
            let failed = FailedPass { why: "the shop's key was refused", cause: StaleCause::KeyRefused };
            shop.shared.health.pass_failed(shop.id(), resource, failed, when);
            shop.stop(status).await?;
        }
        Err(error) => {
            let why = error.to_string();
            let failed = FailedPass { why: &why, cause: stale::cause(&error) };
            if shop.shared.health.pass_failed(shop.id(), resource, failed, when) {
                warn!(shop.id = %shop.id(), pass.resource = %resource,
                    "{resource} of {} could not be read: {why}; the last known state stands", shop.id());
            }
        }
    }
    shop.tell_baseline().await
}

fn said(shop: &Shop, resource: Resource, report: &PassReport, took_ms: i64) {
    let PassReport { rows, unreadable, events, baseline, empty_so_far, is_part } = *report;
    let id = shop.id();
    if is_part {
        debug!(shop.id = %id, pass.resource = %resource, pass.rows = rows, pass.events = events, pass.ms = took_ms,
            "read the newest {rows} rows of {resource} for {id}, {events} events; the whole list still fails");
        return;
    }
    if let Some(failing) = shop.shared.health.pass_succeeded(id, resource, events, shop.shared.clock.mark().up) {
        info!(shop.id = %id, pass.resource = %resource, "{resource} of {id} can be read again, after {} failures", failing.times);
    }
    if empty_so_far {
        match shop.note_empty(resource) {
            true => info!(shop.id = %id, pass.resource = %resource,
                "{resource} of {id}: empty so far; the first list with rows will be the baseline"),
            false => {
                debug!(shop.id = %id, pass.resource = %resource, pass.ms = took_ms, "{resource} of {id}: empty so far")
            }
        }
        return;
    }
    shop.shared.health.has_rows(id, resource);
    if shop.shared.health.unreadable_are_news(id, resource, unreadable) {
        warn!(shop.id = %id, pass.resource = %resource, pass.unreadable = unreadable,
            "{unreadable} of {} rows of {resource} for {id} were left out{}", rows + unreadable,
            shop.pospos.notes(resource).left_out.map(|why| format!(", for example: {why}")).unwrap_or_default());
    }
    if events == 0 && !baseline {
        debug!(shop.id = %id, pass.resource = %resource, pass.rows = rows, pass.ms = took_ms,
            "read {rows} rows of {resource} for {id}, no events");
        return;
    }
    let first = if baseline { " (the first pass: no events)" } else { "" };
    info!(shop.id = %id, pass.resource = %resource, pass.rows = rows, pass.events = events, pass.ms = took_ms,
        "read {rows} rows of {resource} for {id}, {events} events{first}");
}
