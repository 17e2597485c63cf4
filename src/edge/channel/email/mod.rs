//! Email.

use super::Outgoing;
use crate::domain::outbox::Outcome;

/// A email channel.
pub struct Email;

impl Email {
    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        let _ = outgoing;
        Outcome::Delivered
    }
}
