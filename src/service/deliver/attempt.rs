//! One attempt to send a delivery: what is sent, what becomes of it, and what is said about it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::Deliverer;
use crate::domain::event::Event;
use crate::domain::message::{Text, render, render_newest};
use crate::domain::model::Timestamp;
use crate::domain::outbox::{Delivery, Outcome, Reason, State, body};
use crate::edge::channel::Outgoing;
use crate::edge::store::{Commit, DueDelivery, StoreError};
use crate::service::catch_up::Lookout;

impl Deliverer {
    /// One attempt and its settling, which is durable when this returns.
    pub(super) async fn attempt(&self, item: DueDelivery, lookout: &Lookout) -> Result<(), StoreError> {
        let begun = self.shared.clock.mark();
        let at = begun.shown;
        let outcome = if item.events.len() == item.delivery.events.len() {
            self.send(self.outgoing(&item, at)).await
        } else {
            Outcome::rejected(Reason::EventLost)
        };
        let took = self.shared.clock.mark().up.saturating_sub(begun.up);
        let before = item.delivery;
        let after = self.settle(before.clone(), &outcome, at, took);
        self.say(&outcome, &after, lookout);
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

    /// Sends in a task of its own: a message that makes the channel panic must not end the service at each start.
    async fn send(&self, outgoing: Outgoing) -> Outcome {
        let channel = Arc::clone(&self.channel);
        let mut sending = JoinSet::new();
        sending.spawn(async move { channel.channel.send(&outgoing).await });
        match sending.join_next().await {
            Some(Ok(outcome)) => outcome,
            _ => {
                error!(channel.name = %self.channel.name, "sending to {} has panicked; please report it", self.channel.name);
                Outcome::rejected(Reason::Unsendable("posbell failed while writing it".to_owned()))
            }
        }
    }

    fn outgoing(&self, item: &DueDelivery, at: Timestamp) -> Outgoing {
        let numbered = item.events.iter().enumerate();
        let read = numbered.filter_map(|(at, json)| Some((Event::from_json(json).ok()?, item.delivery.count(at))));
        let (events, counts): (Vec<Event>, Vec<u64>) = read.unzip();
        let shop = &item.delivery.shop;
        let name = self.letterhead.names.get(shop).map_or(shop.as_str(), String::as_str);
        let text = match events.as_slice() {
            // Written by another version: the body still says it all, to whoever reads JSON.
            [] => Text { title: name.to_owned(), body: body(&item.events) },
            events if !item.delivery.counts.is_empty() => {
                render_newest(events, &counts, name, &self.letterhead.wording)
            }
            events => render(events, name, &self.letterhead.wording),
        };
        let id = match item.delivery.events.as_slice() {
            [one] => one.as_str().to_owned(),
            _ => item.delivery.id.as_str().to_owned(),
        };
        let recipient = item.delivery.recipient.clone();
        let (delivery, severity) = (item.delivery.id.clone(), item.delivery.severity);
        Outgoing { delivery, id, body: body(&item.events), text, recipient, severity, at }
    }

    fn say(&self, outcome: &Outcome, after: &Delivery, lookout: &Lookout) {
        let name = &self.channel.name;
        let health = &self.shared.health;
        let why = match outcome {
            Outcome::Delivered => {
                if let Some(failing) = health.send_succeeded(name) {
                    info!(channel.name = %name, "channel {name} takes messages again, after {} failures", failing.times);
                    lookout.channel_is_back(&failing, self.shared.clock.now());
                }
                return;
            }
            Outcome::Retry { reason, .. } | Outcome::Rejected { reason, .. } => reason.to_string(),
        };
        let is_dead = matches!(after.state, State::Dead { .. });
        if health.send_failed(name, &why, self.shared.clock.now()) && !is_dead {
            warn!(channel.name = %name, "channel {name} did not take a message: {why}; it is kept and tried again");
        }
        if is_dead {
            warn!(channel.name = %name, delivery.id = %after.id,
                "delivery {} to {name} is given up and stands as a dead letter: {why}", after.id);
        }
    }
}
