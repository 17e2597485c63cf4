//! One attempt to send a delivery: what is sent, what becomes of it, and what is said about it.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::{Deliverer, Letterhead, UnderWay, lock};
use crate::domain::event::{DeliveryId, Event};
use crate::domain::message::{Text, render, render_newest};
use crate::domain::model::Timestamp;
use crate::domain::outbox::{Answer, Concern, Delivery, Outcome, Reason, State};
use crate::domain::publish::body;
use crate::edge::channel::Outgoing;
use crate::edge::store::{Commit, DueDelivery, StoreError};
use crate::service::catch_up::Lookout;
use crate::service::guard;
use crate::service::health::FailedAttempt;
use crate::service::send_limits::Places;

/// How much longer a pause is than the time of the delivery that met it: times are stored without their last digits.
pub(super) const GRAIN: Duration = Duration::from_millis(2);

/// For how many deliveries a place is kept. Where a receiver asks for a pause shorter than they wait by themselves, one
/// after the other meets its wish.
pub(super) const MOST_MET: usize = 32;

impl UnderWay {
    /// Keeps the place of what met a wish of the receiver; whatever else becomes of it, it waits like any other.
    fn keep_place(&self, delivery: &DeliveryId, answer: Answer) {
        let mut met = lock(&self.met);
        met.retain(|known| known != delivery);
        if matches!(answer, Answer::Wishes(_)) && met.len() < MOST_MET {
            met.push(delivery.clone());
        }
    }
}

/// What an attempt says about the receiver, where it left the delivery as `after`.
fn answer(outcome: &Outcome, after: &Delivery) -> Answer {
    let last = after.attempts.last();
    let pause = last.and_then(|last| (last.paused_until? - last.ended()).to_std().ok());
    match (outcome, pause) {
        (Outcome::Delivered, _) => Answer::Takes,
        (_, Some(pause)) => Answer::Wishes(pause + GRAIN),
        (Outcome::Retry { .. }, None) => Answer::Fails,
        (Outcome::Rejected { reason, .. }, None) => match reason.concerns() {
            // It reads what it is sent, and may take another one.
            Concern::Message => Answer::Takes,
            Concern::Posbell => Answer::Nothing,
            Concern::Channel | Concern::Way => Answer::Fails,
        },
    }
}

impl Deliverer {
    /// One attempt and its settling, which is durable when this returns.
    pub(super) async fn attempt(&self, item: DueDelivery, places: Places, shared: &UnderWay) -> Result<(), StoreError> {
        let begun = self.shared.clock.mark();
        let (at, before) = (begun.shown, item.delivery.clone());
        let outcome = if item.events.len() == item.delivery.events.len() {
            let letterhead = self.channel.channel.is_for_people().then(|| Arc::clone(&self.letterhead));
            guard::send(&self.channel, move || outgoing(item, letterhead.as_deref(), at)).await
        } else {
            Outcome::rejected(Reason::EventLost)
        };
        let ended = self.shared.clock.mark().up;
        let took = ended.saturating_sub(begun.up);
        let after = self.settle(before.clone(), &outcome, at, took);
        let answer = answer(&outcome, &after);
        shared.keep_place(&after.id, answer);
        self.shared.limits.end(&self.channel.name, places, answer, ended);
        self.say(&outcome, &after, &shared.lookout);
        self.shared.store.commit(Commit { settled: vec![(before, after)], ..Commit::default() }).await
    }

    /// What becomes of a delivery. How old it is, only a clock can say that is right.
    fn settle(&self, before: Delivery, outcome: &Outcome, at: Timestamp, took: Duration) -> Delivery {
        let (clock, policy) = (&self.shared.clock, &self.channel.retry);
        match clock.is_right() {
            true => {
                let now = clock.now();
                // It may have been set back since the attempt was begun.
                before.counted_at(now).settle(outcome, at.min(now), took, clock.jitter(), policy)
            }
            false => before.settle(outcome, at, took, clock.jitter(), &policy.without_end()),
        }
    }

    fn say(&self, outcome: &Outcome, after: &Delivery, lookout: &Lookout) {
        let name = &self.channel.name;
        let health = &self.shared.health;
        let (reason, said) = match outcome {
            Outcome::Delivered => {
                if let Some(failing) = health.send_succeeded(name, after.recipient.as_deref()) {
                    info!(channel.name = %name, "channel {name} takes messages again, after {} failures", failing.times);
                    lookout.channel_is_back(&failing, self.shared.clock.now());
                }
                return;
            }
            Outcome::Retry { reason, said, .. } | Outcome::Rejected { reason, said } => (reason, said.clone()),
        };
        let why = reason.to_string();
        let (delivery, recipient, concern) = (&after.id, after.recipient.as_deref(), reason.concerns());
        let failed = FailedAttempt { delivery, recipient, concern, why: &why, said };
        let when = (self.shared.clock.now(), self.shared.clock.mark().up);
        let is_dead = matches!(after.state, State::Dead { .. });
        if health.send_failed(name, failed, when) && !is_dead {
            warn!(channel.name = %name, "channel {name} did not take a message: {why}; it is kept and tried again");
        }
        if is_dead {
            warn!(channel.name = %name, delivery.id = %after.id,
                "delivery {} to {name} is given up and stands as a dead letter: {why}", after.id);
        }
    }
}

/// What is sent of a delivery. Only where people read it there is a letterhead, and a text for them.
fn outgoing(item: DueDelivery, letterhead: Option<&Letterhead>, at: Timestamp) -> Outgoing {
    let text = letterhead.map(|letterhead| text(&item, letterhead)).unwrap_or_default();
    let body = body(&item.events);
    let Delivery { id: delivery, events, recipient, severity, .. } = item.delivery;
    let id = match events.as_slice() {
        [one] => one.as_str().to_owned(),
        _ => delivery.as_str().to_owned(),
    };
    Outgoing { delivery, id, body, text, recipient, severity, at }
}

fn text(item: &DueDelivery, letterhead: &Letterhead) -> Text {
    let numbered = item.events.iter().enumerate();
    let read = numbered.filter_map(|(at, json)| Some((Event::from_json(json).ok()?, item.delivery.count(at))));
    let (events, counts): (Vec<Event>, Vec<u64>) = read.unzip();
    let shop = &item.delivery.shop;
    let name = letterhead.names.get(shop).map_or(shop.as_str(), String::as_str);
    // Where there is one shop everybody knows which it is, and a lock screen cuts the title.
    let in_title = (letterhead.names.len() > 1).then_some(name);
    match events.as_slice() {
        // Written by another version: the body still says it all, to whoever reads JSON.
        [] => Text { title: name.to_owned(), body: body(&item.events) },
        events if !item.delivery.counts.is_empty() => render_newest(events, &counts, in_title, &letterhead.wording),
        events => render(events, in_title, &letterhead.wording),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{ChannelName, ShopId};
    use crate::domain::outbox::{Address, RetryPolicy};

    #[test]
    fn the_end_of_an_attempt_says_whether_the_receiver_takes_messages() {
        let at = Timestamp::from_timestamp(1_700_000_000, 0).expect("is in range");
        let (took, seconds) = (Duration::from_secs(2), Duration::from_secs);
        let address = Address { channel: ChannelName::new("erp").expect("is a name"), recipient: None };
        let shop = ShopId::new("main").expect("is an id");
        let before = Delivery::new(address, shop, "all".to_owned(), Vec::new(), at);
        let wishes = |wish| Answer::Wishes(seconds(wish) + GRAIN);
        for (outcome, expected) in [
            (Outcome::Delivered, Answer::Takes),
            (Outcome::rejected(Reason::Status(422)), Answer::Takes),
            (Outcome::rejected(Reason::EventLost), Answer::Nothing),
            (Outcome::rejected(Reason::Unsendable("it has panicked".to_owned())), Answer::Nothing),
            (Outcome::rejected(Reason::RecipientRefused), Answer::Fails),
            (Outcome::retry(Reason::Timeout), Answer::Fails),
            (Outcome::retry(Reason::Status(503)), Answer::Fails),
            (Outcome::retry_after(Reason::Status(503), seconds(60)), wishes(60)),
            (Outcome::retry_after(Reason::Status(429), seconds(60)), wishes(60)),
            // The delivery itself waits for 5 s or 100 s, and the others do not wait for it.
            (Outcome::retry_after(Reason::Status(429), seconds(1)), wishes(1)),
            (Outcome::retry(Reason::Status(429)), wishes(5)),
            (Outcome::retry_after(Reason::Status(429), seconds(7 * 3600)), wishes(6 * 3600)),
        ] {
            let after = before.clone().settle(&outcome, at, took, 1.0, &RetryPolicy::default());
            assert_eq!(answer(&outcome, &after), expected, "{outcome:?}");
        }
        let slow = RetryPolicy { retry_first: seconds(100), ..RetryPolicy::default() };
        for (outcome, pause) in
            [(Outcome::retry_after(Reason::Status(503), seconds(1)), 1), (Outcome::retry(Reason::Status(429)), 60)]
        {
            let after = before.clone().settle(&outcome, at, took, 1.0, &slow);
            assert_eq!(answer(&outcome, &after), wishes(pause), "{outcome:?}");
            assert_eq!(after.state.due_at(), Some(at + took + seconds(100)), "its own delay is not shortened");
        }
    }
}
