//! How a try to send ended: a closed list, so that nobody has to parse an error; and what the failure is about.

use std::time::Duration;

use super::Reason;

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// It may be taken later: try again soon, with growing pauses.
    Retry {
        /// Why it was not taken.
        reason: Reason,
        /// The receiver's own wish, from `Retry-After`. Never shortens a pause.
        retry_after: Option<Duration>,
        /// What the other side said, cleaned: one line without secrets and without the message's own text.
        said: Option<String>,
    },
    /// The receiver does not want it as it is: a person must act, so it is repeated slowly.
    Rejected {
        /// Why it was not taken.
        reason: Reason,
        /// What the other side said, cleaned: one line without secrets and without the message's own text.
        said: Option<String>,
    },
}

impl Outcome {
    /// It may be taken later.
    pub fn retry(reason: Reason) -> Outcome {
        Outcome::Retry { reason, retry_after: None, said: None }
    }

    /// It may be taken later, but not before so long.
    pub fn retry_after(reason: Reason, wish: Duration) -> Outcome {
        Outcome::Retry { reason, retry_after: Some(wish), said: None }
    }

    /// A person must act first.
    pub fn rejected(reason: Reason) -> Outcome {
        Outcome::Rejected { reason, said: None }
    }

    /// The same with the other side's words in the place of what stood there.
    pub fn saying(self, said: Option<String>) -> Outcome {
        match self {
            Outcome::Delivered => Outcome::Delivered,
            Outcome::Retry { reason, retry_after, .. } => Outcome::Retry { reason, retry_after, said },
            Outcome::Rejected { reason, .. } => Outcome::Rejected { reason, said },
        }
    }

    /// Why it was not taken; `None` where it was.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Outcome::Delivered => None,
            Outcome::Retry { reason, .. } | Outcome::Rejected { reason, .. } => Some(reason),
        }
    }

    /// What the other side said.
    pub fn said(&self) -> Option<&str> {
        match self {
            Outcome::Delivered => None,
            Outcome::Retry { said, .. } | Outcome::Rejected { said, .. } => said.as_deref(),
        }
    }

    /// Whether the receiver asks for a pause of the whole channel: a 429, or a `Retry-After`.
    pub fn asks_for_a_pause(&self) -> bool {
        match self {
            Outcome::Retry { reason, retry_after, .. } => retry_after.is_some() || *reason == Reason::Status(429),
            Outcome::Delivered | Outcome::Rejected { .. } => false,
        }
    }
}
