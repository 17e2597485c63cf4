//! When the sending loop looks for stock states that newer ones have overtaken, and how it collapses them.
//!
//! A look reads all that waits for the channel, so it is rare: when something that is old is about to be sent, at most
//! once in [`CATCH_UP_AFTER`], and when a channel is back after having failed for that long. So a channel without an
//! outage is never looked through. Nothing is sent by the loop while it looks.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::error;

use crate::domain::event::DeliveryId;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{CATCH_UP_AFTER, Room, Waiting, catch_up};
use crate::edge::store::{Commit, Due, Store, StoreError};

use super::guard::guarded;
use super::health::Failing;

/// How many states are compared at once. With ten attempts each they take about 10 MB.
const STATES_AT_ONCE: usize = 5_000;

/// How many times one look compares so many: 250,000 waiting states. What is beyond waits for the next look.
const ROUNDS_MOST: usize = 50;

/// When the loop of one channel looks.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    last: std::sync::Mutex<Option<Timestamp>>,
    is_back: AtomicBool,
}

impl Lookout {
    /// The channel took a message after it had been failing so.
    pub(super) fn channel_is_back(&self, failing: &Failing, now: Timestamp) {
        if now - failing.since >= CATCH_UP_AFTER {
            self.is_back.store(true, Ordering::Release);
        }
    }

    /// Whether to look before `due` is sent. Whoever is told yes looks.
    pub(super) fn has_to_look(&self, due: &Due, now: Timestamp) -> bool {
        let is_back = self.is_back.swap(false, Ordering::AcqRel);
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The clock may have been set back since.
        let lately = last.is_some_and(|last| (now - last).abs() < CATCH_UP_AFTER);
        let is_old = due.now.iter().any(|item| now - item.delivery.since() >= CATCH_UP_AFTER);
        let look = is_back || (is_old && !lately);
        if look {
            *last = Some(now);
        }
        look
    }
}

/// Collapses what is overtaken among what waits for `channel`, whose messages have this room, and is not `busy`. Returns
/// how many deliveries were collapsed.
///
/// Each step is a commit. Killed between two, the next start looks again before it sends.
pub(super) async fn collapse_waiting(
    store: &Store,
    channel: &ChannelName,
    room: Room,
    busy: &BTreeSet<DeliveryId>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut collapsed = 0;
    let mut before = Vec::new();
    for _round in 0..ROUNDS_MOST {
        let (waiting, is_all) = waiting_states(store, channel, busy).await?;
        let Some(steps) = guarded(|| catch_up(waiting, room, now)) else {
            error!(channel.name = %channel, "catching up has panicked: each message to {channel} is sent; please report it");
            break;
        };
        // The same again: the store has found it void.
        if steps.is_empty() || steps == before {
            break;
        }
        for step in &steps {
            collapsed += step.settled.iter().filter(|(_, after)| after.collapsed_into.is_some()).count();
            store.commit(Commit { collapse: Some(step.clone()), ..Commit::default() }).await?;
        }
        if is_all {
            break;
        }
        before = steps;
    }
    Ok(collapsed)
}

/// The stock states that wait, and whether these are all.
async fn waiting_states(
    store: &Store,
    channel: &ChannelName,
    busy: &BTreeSet<DeliveryId>,
) -> Result<(Vec<Waiting>, bool), StoreError> {
    let mut states = Vec::new();
    let mut from = None;
    loop {
        let page = store.waiting_states(channel, from, busy.clone()).await?;
        states.extend(page.states);
        from = page.next;
        if from.is_none() || states.len() >= STATES_AT_ONCE {
            return Ok((states, from.is_none()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::ShopId;
    use crate::domain::outbox::{Address, Delivery};
    use crate::edge::store::DueDelivery;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000 + minutes * 60, 0).expect("is in range")
    }

    /// What is due: one delivery, planned at this minute.
    fn due(minutes: i64) -> Due {
        let address = Address { channel: ChannelName::new("erp").expect("is a name"), recipient: None };
        let shop = ShopId::new("main").expect("is an id");
        let delivery = Delivery::new(address, shop, "all".to_owned(), Vec::new(), at(minutes));
        Due { now: vec![DueDelivery { delivery, events: Vec::new() }], ..Due::default() }
    }

    #[test]
    fn a_look_is_made_before_something_old_is_sent_and_not_again_within_the_hour() {
        let lookout = Lookout::default();
        let looks: Vec<i64> = (0..300).filter(|now| lookout.has_to_look(&due(0), at(*now))).collect();
        assert_eq!(looks, [60, 120, 180, 240]);
        assert!(lookout.has_to_look(&due(0), at(150)), "the clock was set back");
        assert!(!Lookout::default().has_to_look(&due(0), at(59)), "what is young is sent without a look");
        assert!(!Lookout::default().has_to_look(&Due::default(), at(900)), "nothing is due");
    }

    #[test]
    fn a_channel_that_is_back_after_hours_is_looked_through_at_once() {
        let failing = |since| Failing { since: at(since), times: 9, why: String::new(), said: None };
        let lookout = Lookout::default();
        assert!(lookout.has_to_look(&due(0), at(100)));
        lookout.channel_is_back(&failing(50), at(109));
        assert!(!lookout.has_to_look(&due(0), at(110)), "it was away for 59 minutes");
        lookout.channel_is_back(&failing(50), at(110));
        assert!(lookout.has_to_look(&due(0), at(110)));
        assert!(!lookout.has_to_look(&due(0), at(110)));
    }
}
