//! How does a message become one plain-text mail, and what does the server's reply mean?
//!
//! One connection a mail. A pool of connections cannot be used with a timeout: a conversation that is given up in the
//! middle goes back into the pool, the late reply of the last mail is then read as the first reply of the next, and a
//! refused mail passes for a delivered one.
//!
//! It refuses to speak to several recipients at once (one refusal would take the others' mail with it) and to log in
//! over a way that can be read.

mod conversation;
mod hello;
mod server;
mod steps;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::commands::Quit;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use secrecy::{ExposeSecret, SecretString};

pub use self::hello::{Hello, NoName};
pub use self::server::{BadSmtpLine, Security, SmtpServer};
use super::said::Secrets;
use super::{Outgoing, credentials};
use crate::domain::outbox::{Outcome, Reason};

/// How long a server may take to say goodbye. The mail is delivered by then, so this is only politeness.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// What `[channel.NAME]` says of a mailbox.
#[derive(Clone)]
pub struct EmailSettings {
    /// The server, from the `smtp` line.
    pub smtp: SmtpServer,
    /// The password of the server's user.
    pub password: Option<SecretString>,
    /// The sender: `posbell <shop@example.com>`.
    pub from: String,
    /// The name in `EHLO`; this machine's, if not given.
    pub ehlo: Option<Hello>,
    /// For the whole conversation, from the name look-up to the last reply.
    pub timeout: Duration,
}

impl EmailSettings {
    /// All that they say, secrets too, to see whether they have changed. Not to be shown.
    pub fn parts(&self) -> Vec<String> {
        let user = self.smtp.user.clone().unwrap_or_default();
        let password = self.password.as_ref().map_or(String::new(), |password| password.expose_secret().to_owned());
        let parts = [format!("{:?}", self.smtp), user, password, self.from.clone(), format!("{:?}", self.timeout)];
        parts.into_iter().chain(self.ehlo.as_ref().map(Hello::to_string)).collect()
    }
}

impl fmt::Debug for EmailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailSettings").field("smtp", &self.smtp).finish_non_exhaustive()
    }
}

/// Settings that make no mail channel. Names what is wrong, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// `from` is not a mail address.
    #[error("from must be an address: shop@example.com or posbell <shop@example.com>")]
    BadFrom,
    /// The server's line names a user, but there is no password.
    #[error("the server's address names a user, but there is no password")]
    PasswordMissing,
    /// There is a password, but the server's line names no user.
    #[error("there is a password, but the server's address names no user: smtps://user@host")]
    UserMissing,
    /// TLS could not be set up; on a machine without CA certificates, for one.
    #[error("TLS could not be set up; are the system's CA certificates installed?")]
    Tls,
}

/// An e-mail channel.
pub struct Email {
    server: SmtpServer,
    /// Present unless the way is in the clear.
    tls: Option<Arc<ClientConfig>>,
    credentials: Option<Credentials>,
    from: Mailbox,
    ehlo: Option<Hello>,
    /// What no reply may show.
    hidden: Secrets,
    timeout: Duration,
}

impl Email {
    /// Whether a mail can be addressed so: one address, with or without a name.
    pub fn can_write_to(recipient: &str) -> bool {
        recipient.parse::<Mailbox>().is_ok()
    }

    /// Checks the settings. No connection is made.
    pub fn new(settings: EmailSettings) -> Result<Self, EmailError> {
        let EmailSettings { smtp: server, password, from, ehlo, timeout } = settings;
        let from = from.parse().map_err(|_| EmailError::BadFrom)?;
        let mut hidden = Secrets::default();
        let credentials = match (&server.user, password) {
            (Some(user), Some(password)) => {
                let password = password.expose_secret();
                hidden = Secrets::new(credentials::of_login(user, password));
                Some(Credentials::new(user.clone(), password.to_owned()))
            }
            (Some(_), None) => return Err(EmailError::PasswordMissing),
            (None, Some(_)) => return Err(EmailError::UserMissing),
            (None, None) => None,
        };
        let tls = match server.security {
            Security::None => None,
            _ => Some(tls()?),
        };
        Ok(Self { server, tls, credentials, from, ehlo, hidden, timeout })
    }

    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        let mail = match self.write(outgoing) {
            Ok(mail) => mail,
            Err(why) => return Outcome::rejected(Reason::Unsendable(why.to_owned())),
        };
        match tokio::time::timeout(self.timeout, Box::pin(self.converse(&mail))).await {
            Ok(Ok(mut conversation)) => {
                // Whatever comes of it: the server has taken the mail.
                let _ = tokio::time::timeout(GOODBYE_LIMIT, conversation.say(Quit)).await;
                Outcome::Delivered
            }
            Ok(Err(outcome)) => {
                let said = outcome.said().and_then(|words| self.hidden.clean(words, outgoing));
                outcome.saying(said)
            }
            Err(_) => Outcome::retry(Reason::Timeout),
        }
    }

    /// The mail, the same bytes at every repeat but for `Date`.
    fn write(&self, outgoing: &Outgoing) -> Result<Message, &'static str> {
        let recipient = outgoing.recipient.as_deref().ok_or("it has no recipient")?;
        let to: Mailbox = recipient.parse().map_err(|_| "its recipient is not a mail address")?;
        let text = &outgoing.text;
        // The headline again: a list of mails cuts the subject, and a printed mail may lack it.
        let body = match one_line(&text.title) {
            headline if text.body.trim().is_empty() => headline,
            headline => format!("{headline}\n{}", text.body),
        };
        let message_id = format!("<{}@{}>", outgoing.delivery, self.from.email.domain());
        let header = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), one_line(value));
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(one_line(&text.title))
            .message_id(Some(message_id))
            .date(SystemTime::from(outgoing.at))
            .raw_header(header("X-Posbell-Event", &outgoing.id))
            // Holiday notices must not answer a machine (RFC 3834).
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|_| "it cannot be written as a mail")
    }
}

/// What a server's certificate is held against: the CAs of this machine.
fn tls() -> Result<Arc<ClientConfig>, EmailError> {
    // Fails when it is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientConfig::with_platform_verifier().map(Arc::new).map_err(|_| EmailError::Tls)
}

/// A header is one line: a line break in a product's name must not begin another header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{DeliveryId, Severity};
    use crate::domain::message::Text;
    use crate::domain::model::ChannelName;

    fn settings(smtp: &str, password: Option<&str>) -> EmailSettings {
        EmailSettings {
            smtp: SmtpServer::parse(smtp).expect("is a server"),
            password: password.map(SecretString::from),
            from: "posbell <shop@example.com>".to_owned(),
            ehlo: None,
            timeout: Duration::from_secs(1),
        }
    }

    fn outgoing(title: &str, recipient: Option<&str>) -> Outgoing {
        Outgoing {
            delivery: DeliveryId::of(&ChannelName::new("accountant").expect("is a name"), recipient, &[]),
            id: "evt_1".to_owned(),
            body: "{}".to_owned(),
            text: Text { title: title.to_owned(), body: "บรรทัดหนึ่ง\nline two".to_owned() },
            recipient: recipient.map(str::to_owned),
            severity: Severity::Info,
            at: "2026-01-15T09:30:00Z".parse().expect("is a time"),
        }
    }

    #[test]
    fn a_password_and_its_user_come_together() {
        let server = "smtps://mail.example.com";
        let with_user = "smtps://user@mail.example.com";
        for (smtp, password, expected) in [
            (server, None, None),
            (with_user, Some("hunter2"), None),
            (server, Some("hunter2"), Some(EmailError::UserMissing)),
            (with_user, None, Some(EmailError::PasswordMissing)),
        ] {
            assert_eq!(Email::new(settings(smtp, password)).err(), expected, "{smtp}");
        }
        let nobody = EmailSettings { from: "posbell".to_owned(), ..settings(server, None) };
        assert_eq!(Email::new(nobody).err(), Some(EmailError::BadFrom));
        let printed = format!("{:?}", settings(with_user, Some("hunter2")));
        assert_eq!(printed, "EmailSettings { smtp: SmtpServer(mail.example.com:465, Wrapped), .. }");
    }

    #[test]
    fn a_repeated_mail_has_the_same_message_id_and_one_line_of_subject() {
        let email = Email::new(settings("smtp://localhost", None)).expect("is a channel");
        let first = outgoing("ของหมด\r\nBcc: thief@example.com", Some("accountant@example.com"));
        let mail = String::from_utf8(email.write(&first).expect("is a mail").formatted()).expect("is text");
        let message_id = format!("Message-ID: <{}@example.com>\r\n", first.delivery);
        for expected in [
            &message_id,
            "From: posbell <shop@example.com>\r\n",
            "To: accountant@example.com\r\n",
            "Date: Thu, 15 Jan 2026 09:30:00 +0000\r\n",
            "X-Posbell-Event: evt_1\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(mail.contains(expected), "{expected} in {mail}");
        }
        assert!(mail.is_ascii() && !mail.contains("\r\nBcc"), "{mail}");
        let again = Outgoing { at: "2026-01-15T10:30:00Z".parse().expect("is a time"), ..first };
        assert!(
            String::from_utf8(email.write(&again).expect("is a mail").formatted())
                .is_ok_and(|mail| { mail.contains(&message_id) && mail.contains("10:30:00") })
        );
    }

    #[tokio::test]
    async fn a_mail_without_a_good_recipient_is_not_begun() {
        // Port 9 on purpose: whoever connects anyway gets another outcome.
        let email = Email::new(settings("smtp://localhost:9", None)).expect("is a channel");
        for recipient in
            [None, Some(""), Some("accountant"), Some("a@b.example>\r\nDATA"), Some("a@b.example, c@d.example")]
        {
            let outcome = email.send(&outgoing("title", recipient)).await;
            assert!(matches!(outcome, Outcome::Rejected { reason: Reason::Unsendable(_), .. }), "{outcome:?}");
        }
    }
}
