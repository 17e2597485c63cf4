//! The places that messages go to, one file or folder each, behind one verb: send.
//!
//! A channel never repeats by itself and never returns an error: it says how the attempt ended, and the outbox
//! decides what follows.

mod credentials;
pub mod email;
mod retry_after;
mod said;
pub mod telegram;
mod transport;
pub mod webhook;

use std::time::Duration;

use crate::domain::event::{DeliveryId, Severity};
use crate::domain::message::Text;
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{Outcome, Rate};

/// One message, ready to be sent by whichever channel.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The delivery: the same in every repeat.
    pub delivery: DeliveryId,
    /// The `webhook-id`: of one event its id, of a digest its own.
    pub id: String,
    /// The JSON body: the same bytes in every repeat.
    pub body: String,
    /// The message for a person; empty where no person reads what the channel sends.
    pub text: Text,
    /// The one mail address it goes to, for e-mail channels.
    pub recipient: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// When this attempt is made.
    pub at: Timestamp,
}

/// How often a mail server is written to, unless the channel says otherwise.
const MAIL_RATES: [Rate; 1] = [(30, Duration::from_secs(60))];

/// What holds back the messages to a receiver. Channels with the same key share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedLimit {
    /// Tells receivers apart, and tells nothing about a token.
    pub key: String,
    /// All of them hold.
    pub rates: Vec<Rate>,
}

/// A channel, ready to send.
pub enum Channel {
    /// HTTP POST, signed.
    Webhook(webhook::Webhook),
    /// SMTP.
    Email(email::Email),
    /// A Telegram chat.
    Telegram(telegram::Telegram),
}

impl Channel {
    /// Whether it is a person who reads what it sends.
    pub fn is_for_people(&self) -> bool {
        match self {
            Channel::Webhook(_) => false,
            Channel::Email(_) | Channel::Telegram(_) => true,
        }
    }

    /// What holds back its messages, first what the receiver itself asks for.
    ///
    /// `rate`, where the channel has one, takes the place of the usual rates: 30 mails a minute; one message a second to
    /// a chat and 20 a minute to a group. A webhook has none. All chats of one bot share 30 a second besides.
    pub fn limits(&self, name: &ChannelName, rate: Option<&[Rate]>) -> Vec<SharedLimit> {
        let own = |usual: &[Rate]| {
            vec![SharedLimit { key: format!("channel {name}"), rates: rate.unwrap_or(usual).to_vec() }]
        };
        match self {
            Channel::Webhook(_) => own(&[]),
            Channel::Email(_) => own(&MAIL_RATES),
            Channel::Telegram(telegram) => telegram.limits(rate),
        }
    }

    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        match self {
            Channel::Webhook(webhook) => webhook.send(outgoing).await,
            Channel::Email(email) => email.send(outgoing).await,
            Channel::Telegram(telegram) => telegram.send(outgoing).await,
        }
    }
}
