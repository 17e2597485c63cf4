//! How a try to send ended: a closed list, so that nobody has to parse an error.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

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
    },
    /// The receiver does not want it as it is: a person must act, so it is repeated slowly.
    Rejected {
        /// Why it was not taken.
        reason: Reason,
    },
}

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Reason {
    /// An HTTP status, or the SMTP reply code of a refused mail.
    Status(u16),
    /// The receiver said that it is gone for good (410).
    Gone,
    /// No answer in time.
    Timeout,
    /// The name has no address.
    NameNotFound,
    /// The connection was refused or broke.
    Connection,
    /// The TLS handshake failed.
    Tls,
    /// The address is one that posbell does not call; the text says which line would allow it.
    AddressRefused(String),
    /// The login, token or password was refused.
    Unauthorized,
    /// The chat, mailbox or page does not exist or has blocked the sender.
    RecipientRefused,
    /// The receiver answered with something that could not be understood.
    BadAnswer,
    /// The store has lost the event that the message would carry.
    EventLost,
    /// The message could not be written for this channel; the text says why.
    Unsendable(String),
    /// So many messages wait for the channel already that no more may.
    TooManyWait(u64),
}

/// What a failed attempt says something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// The channel: no message will be taken until a person acts.
    Channel,
    /// Perhaps this message alone.
    Message,
    /// The way to the receiver, or the receiver's present state: it may pass.
    Way,
}

impl Reason {
    /// What this reason says something about.
    pub fn concerns(&self) -> Concern {
        match self {
            Reason::Status(401 | 403 | 404 | 300..=399)
            | Reason::Gone
            | Reason::AddressRefused(_)
            | Reason::Unauthorized
            | Reason::RecipientRefused => Concern::Channel,
            Reason::Status(408 | 425 | 429 | 500..) => Concern::Way,
            Reason::Status(_) | Reason::EventLost | Reason::Unsendable(_) | Reason::TooManyWait(_) => Concern::Message,
            _ => Concern::Way,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Status(status) => write!(f, "answered {status}"),
            Reason::Gone => f.write_str("answered 410: it is gone for good"),
            Reason::Timeout => f.write_str("no answer in time"),
            Reason::NameNotFound => f.write_str("its name has no address"),
            Reason::Connection => f.write_str("the connection failed"),
            Reason::Tls => f.write_str("the TLS handshake failed"),
            Reason::AddressRefused(help) => f.write_str(help),
            Reason::Unauthorized => f.write_str("the login or token was refused"),
            Reason::RecipientRefused => f.write_str("the recipient was refused"),
            Reason::BadAnswer => f.write_str("its answer could not be understood"),
            Reason::EventLost => f.write_str("its event is lost in the store"),
            Reason::TooManyWait(most) => {
                write!(f, "not tried: {most} messages wait for this channel already (`[store] max_waiting`)")
            }
            Reason::Unsendable(why) => write!(f, "the message could not be written: {why}"),
        }
    }
}
