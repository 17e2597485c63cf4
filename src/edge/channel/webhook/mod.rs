//! Webhook.

use super::Outgoing;
use crate::domain::outbox::Outcome;

/// A webhook channel.
pub struct Webhook;

impl Webhook {
    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        let _ = outgoing;
        Outcome::Delivered
    }
}
