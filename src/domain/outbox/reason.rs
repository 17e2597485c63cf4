//! Why was a message not taken, and is that about the channel, about this one message, about the way to it, or about
//! posbell itself?
//!
//! The words are for the owner of a shop: what happened, and what to do where that is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a message was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub enum Reason {
    /// An HTTP status; in older records also the SMTP reply code of a refused mail.
    Status(u16),
    /// The receiver said that it is gone for good (410).
    Gone,
    /// The mail server asks to come again later (an SMTP reply of 4xx).
    MailLater(u16),
    /// The mail server refuses this mail for good (an SMTP reply of 5xx to its text).
    MailRefused(u16),
    /// The mail server refuses the conversation or the sender for good (an SMTP reply of 5xx before any recipient).
    ServerRefused(u16),
    /// No answer in time.
    Timeout,
    /// The name has no address.
    NameNotFound,
    /// The connection was refused or broke.
    Connection,
    /// The TLS handshake failed, and nothing more is known.
    Tls,
    /// The TLS handshake failed for this reason.
    TlsBecause(TlsFault),
    /// The address is one that posbell does not call; the text says which line would allow it.
    AddressRefused(String),
    /// The login, token or password was refused.
    Unauthorized,
    /// The chat, mailbox or page does not exist or has blocked the sender.
    RecipientRefused,
    /// The group has become a supergroup with this id.
    ChatMoved(i64),
    /// The receiver answered with something that could not be understood.
    BadAnswer,
    /// The store has lost the event that the message would carry.
    EventLost,
    /// The message could not be written for this channel; the text says why.
    Unsendable(String),
    /// So many messages wait for the channel already that no more may.
    TooManyWait(u64),
}

/// Why a TLS handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFault {
    /// Nobody that this machine trusts has signed the certificate.
    UnknownIssuer,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// The certificate is of another name.
    WrongName,
    /// The certificate was withdrawn by its issuer.
    Revoked,
    /// The other side does not speak TLS at all.
    NoTls,
}

/// What a failure is about: what a person must mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// The channel: nothing reaches it before a person has mended it.
    Channel,
    /// This one message: another one may well be taken.
    Message,
    /// The way to it: it may be open again soon.
    Way,
    /// posbell itself: the message never left, and nothing was heard of the receiver.
    Posbell,
}

impl Reason {
    /// The reason with the other side's own words behind it.
    pub fn with(&self, said: Option<&str>) -> String {
        match said {
            Some(said) => format!("{self}: {said}"),
            None => self.to_string(),
        }
    }

    /// What it is about.
    pub fn concerns(&self) -> Concern {
        match self {
            Reason::Status(408 | 425 | 429) => Concern::Way,
            Reason::Status(401 | 403 | 404 | 300..=399) => Concern::Channel,
            // The replies of mail servers in older records. No HTTP status is there.
            Reason::Status(550..=559) => Concern::Message,
            Reason::Status(500..=599) => Concern::Way,
            Reason::Status(_) | Reason::MailRefused(_) => Concern::Message,
            Reason::Unsendable(_) | Reason::EventLost | Reason::TooManyWait(_) => Concern::Posbell,
            Reason::Gone
            | Reason::ServerRefused(_)
            | Reason::Unauthorized
            | Reason::RecipientRefused
            | Reason::ChatMoved(_)
            | Reason::AddressRefused(_) => Concern::Channel,
            Reason::MailLater(_)
            | Reason::Timeout
            | Reason::NameNotFound
            | Reason::Connection
            | Reason::Tls
            | Reason::TlsBecause(_)
            | Reason::BadAnswer => Concern::Way,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Status(code) | Reason::MailLater(code) | Reason::MailRefused(code) => write!(f, "answered {code}"),
            Reason::ServerRefused(code) => write!(f, "the mail server refuses us: answered {code}"),
            Reason::Gone => f.write_str("answered 410: it is gone for good"),
            Reason::Timeout => f.write_str("no answer in time"),
            Reason::NameNotFound => f.write_str("its name has no address"),
            Reason::Connection => f.write_str("the connection failed"),
            Reason::Tls => f.write_str("the TLS handshake failed"),
            Reason::TlsBecause(fault) => fault.fmt(f),
            Reason::AddressRefused(help) => f.write_str(help),
            Reason::Unauthorized => f.write_str("the login or token was refused"),
            Reason::RecipientRefused => f.write_str("the recipient was refused"),
            Reason::ChatMoved(id) => write!(f, "the group has become a supergroup; set chat_id = {id}"),
            Reason::BadAnswer => f.write_str("its answer could not be understood"),
            Reason::EventLost => f.write_str("its event is lost in the store"),
            Reason::TooManyWait(most) => {
                write!(f, "not tried: {most} messages wait for this channel already (`[store] max_waiting`)")
            }
            Reason::Unsendable(why) => write!(f, "the message could not be written: {why}"),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TlsFault::UnknownIssuer => {
                "nobody that this machine trusts has signed its certificate: add its CA to the machine's certificates"
            }
            TlsFault::Expired => "its certificate has expired: renew it, or set this machine's clock",
            TlsFault::NotYetValid => "its certificate is not valid yet: set this machine's clock",
            TlsFault::WrongName => "its certificate is of another name: write the name that stands in it",
            TlsFault::Revoked => "its certificate was withdrawn by its issuer: it needs a new one",
            TlsFault::NoTls => "what answers there does not speak TLS: check the port, or whether it is http or https",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_about_channel_message_way_or_posbell() {
        let text = || "…".to_owned();
        for (concern, reasons) in [
            (
                Concern::Channel,
                vec![
                    Reason::Status(301),
                    Reason::Status(308),
                    Reason::Status(401),
                    Reason::Status(403),
                    Reason::Status(404),
                    Reason::Gone,
                    Reason::Unauthorized,
                    Reason::RecipientRefused,
                    Reason::ChatMoved(-100),
                    Reason::AddressRefused(text()),
                    Reason::ServerRefused(554),
                ],
            ),
            (
                Concern::Message,
                vec![
                    Reason::Status(400),
                    Reason::Status(405),
                    Reason::Status(413),
                    Reason::Status(422),
                    Reason::Status(554),
                    Reason::Status(600),
                    Reason::MailRefused(554),
                ],
            ),
            (Concern::Posbell, vec![Reason::Unsendable(text()), Reason::EventLost, Reason::TooManyWait(5)]),
            (
                Concern::Way,
                vec![
                    Reason::Status(408),
                    Reason::Status(425),
                    Reason::Status(429),
                    Reason::Status(500),
                    Reason::Status(503),
                    Reason::Status(599),
                    Reason::MailLater(451),
                    Reason::Timeout,
                    Reason::NameNotFound,
                    Reason::Connection,
                    Reason::Tls,
                    Reason::TlsBecause(TlsFault::Expired),
                    Reason::BadAnswer,
                ],
            ),
        ] {
            for reason in reasons {
                assert_eq!(reason.concerns(), concern, "{reason:?}");
            }
        }
    }

    #[test]
    fn a_reason_of_an_older_version_is_read() {
        for (stored, reason) in [
            (r#"{"kind":"tls"}"#, Reason::Tls),
            (r#"{"kind":"status","detail":554}"#, Reason::Status(554)),
            (r#"{"kind":"tls_because","detail":"unknown_issuer"}"#, Reason::TlsBecause(TlsFault::UnknownIssuer)),
            (r#"{"kind":"chat_moved","detail":-1001}"#, Reason::ChatMoved(-1001)),
        ] {
            assert_eq!(serde_json::from_str::<Reason>(stored).expect("is a reason"), reason);
            assert_eq!(serde_json::to_string(&reason).expect("is JSON"), stored);
        }
    }
}
