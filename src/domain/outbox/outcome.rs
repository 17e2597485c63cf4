//! How a try to send ended: a closed list, so that nobody has to parse an error; and what the failure is about.

use std::time::Duration;

use super::{LONGEST_WISH, Reason};

/// The longest pause of a channel whose receiver has enough (429) and does not say for how long.
const LONGEST_UNSAID: Duration = Duration::from_secs(60);

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

    /// How long the whole channel is to be left alone, if the receiver asks for that: as long as its `Retry-After` says;
    /// after a 429 without one as long as the delivery itself waits (`own`), and not longer than a minute.
    ///
    /// How long the delivery itself waits is its own affair: a channel that waited for it too would stand still for hours
    /// after a receiver that asked for seconds.
    pub fn channel_pause(&self, own: Duration) -> Option<Duration> {
        match self {
            Outcome::Retry { retry_after: Some(wish), .. } => Some((*wish).min(LONGEST_WISH)),
            Outcome::Retry { reason: Reason::Status(429), .. } => Some(own.min(LONGEST_UNSAID)),
            Outcome::Retry { .. } | Outcome::Delivered | Outcome::Rejected { .. } => None,
        }
    }
}
