//! How does a message become one plain-text mail, and what does the server's reply mean?
//!
//! One connection a mail. A pool of connections cannot be used with a timeout: a conversation that is given up in the
//! middle goes back into the pool, the late reply of the last mail is then read as the first reply of the next, and a
//! refused mail passes for a delivered one. The steps are taken one by one, because what a refusal means depends on
//! what was asked: a 550 after `RCPT` is about the recipient, after the text about its content.
//!
//! It refuses to speak to several recipients at once (one refusal would take the others' mail with it), to log in
//! over a way that can be read, and to let a word of the conversation into the log.

mod server;

use std::error::Error as _;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use secrecy::{ExposeSecret, SecretString};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

pub use self::server::{BadSmtpLine, Security, SmtpServer};
use super::said::Secrets;
use super::transport::reason_of;
use super::{Outgoing, credentials};
use crate::domain::outbox::{Outcome, Reason, TlsFault};

/// `PLAIN` where the server knows it, `LOGIN` for those that still don't.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Replies that ask for a login or refuse the one given, whichever command they follow (RFC 4954, 6).
const LOGIN_REFUSED: [u16; 4] = [530, 534, 535, 538];

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
    /// For the whole conversation, from the name look-up to the last reply.
    pub timeout: Duration,
}

impl EmailSettings {
    /// All that they say, secrets too, to see whether they have changed. Not to be shown.
    pub fn parts(&self) -> Vec<String> {
        let user = self.smtp.user.clone().unwrap_or_default();
        let password = self.password.as_ref().map_or(String::new(), |password| password.expose_secret().to_owned());
        vec![format!("{:?}", self.smtp), user, password, self.from.clone(), format!("{:?}", self.timeout)]
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
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
    from: Mailbox,
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
        let EmailSettings { smtp: server, password, from, timeout } = settings;
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
            _ => Some(TlsParameters::new(server.host.clone()).map_err(|_| EmailError::Tls)?),
        };
        Ok(Self { server, tls, credentials, from, hidden, timeout })
    }

    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        let mail = match self.write(outgoing) {
            Ok(mail) => mail,
            Err(why) => return Outcome::rejected(Reason::Unsendable(why.to_owned())),
        };
        // At debug level the mail library logs every line that it sends, the one with the password among them.
        let conversation = Box::pin(self.converse(&mail)).with_subscriber(NoSubscriber::new());
        match tokio::time::timeout(self.timeout, conversation).await {
            Ok(Ok(mut connection)) => {
                let goodbye = Box::pin(connection.quit()).with_subscriber(NoSubscriber::new());
                // Whatever comes of it: the server has taken the mail.
                let _ = tokio::time::timeout(GOODBYE_LIMIT, goodbye).await;
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

    /// Everything up to the reply that takes the mail. The connection comes back for the goodbye.
    async fn converse(&self, mail: &Message) -> Result<AsyncSmtpConnection, Outcome> {
        let mut connection = self.connect().await?;
        if let Some(credentials) = &self.credentials {
            let login = connection.auth(&MECHANISMS, credentials).await;
            login.map_err(|error| match error.is_client() {
                // The library found no mechanism that both sides speak.
                true => Outcome::rejected(Reason::Unauthorized),
                false => refused(&error, |_| Reason::Unauthorized),
            })?;
        }
        let bytes = mail.formatted();
        let (from, parameters) = (mail.envelope().from().cloned(), parameters(mail, &bytes, &connection)?);
        connection
            .command(Mail::new(from, parameters))
            .await
            .map_err(|error| refused(&error, Reason::ServerRefused))?;
        for to in mail.envelope().to() {
            let asked = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
            asked.map_err(|error| refused(&error, |_| Reason::RecipientRefused))?;
        }
        connection.command(Data).await.map_err(|error| refused(&error, Reason::MailRefused))?;
        connection.message(&bytes).await.map_err(|error| refused(&error, Reason::MailRefused))?;
        Ok(connection)
    }

    /// A connection that is as safe as the settings ask for.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome> {
        let SmtpServer { host, port, security, .. } = &self.server;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|_| Outcome::retry(Reason::NameNotFound))?.collect();
        let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        // An address that swallows everything must leave time for the next one.
        let share = (count > 1).then(|| self.timeout / count);
        let hello = ClientId::default();
        let wrapped = self.tls.clone().filter(|_| *security == Security::Wrapped);
        let connected = AsyncSmtpConnection::connect_tokio1(&addresses[..], share, &hello, wrapped, None).await;
        let mut connection = connected.map_err(|error| refused(&error, Reason::ServerRefused))?;

        let upgrade = match security {
            Security::Required => true,
            Security::Opportunistic => connection.can_starttls(),
            Security::Wrapped | Security::None => false,
        };
        if let Some(tls) = self.tls.clone().filter(|_| upgrade) {
            if !connection.can_starttls() {
                return Err(Outcome::retry(Reason::TlsBecause(TlsFault::NoTls)));
            }
            connection.starttls(tls, &hello).await.map_err(|error| refused(&error, Reason::ServerRefused))?;
        }
        Ok(connection)
    }
}

/// What the server must be told, and able to do, before it is given this mail.
fn parameters(mail: &Message, bytes: &[u8], connection: &AsyncSmtpConnection) -> Result<Vec<MailParameter>, Outcome> {
    let able = |extension| match connection.server_info().supports_feature(extension) {
        true => Ok(()),
        false => {
            let why = "the mail server takes no addresses outside of ASCII";
            Err(Outcome::rejected(Reason::Unsendable(why.to_owned())))
        }
    };
    let mut parameters = Vec::new();
    let envelope = mail.envelope();
    if !envelope.from().into_iter().chain(envelope.to()).all(|address| address.to_string().is_ascii()) {
        able(Extension::SmtpUtfEight)?;
        parameters.push(MailParameter::SmtpUtfEight);
    }
    // Subjects, names and texts are encoded; only such addresses leave other bytes in a mail.
    if !bytes.is_ascii() {
        able(Extension::EightBitMime)?;
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

/// What a failed step means; `permanent` says what a 5xx means at this step. The server's words are not cleaned yet.
fn refused(error: &smtp::Error, permanent: impl FnOnce(u16) -> Reason) -> Outcome {
    let outcome = match error.status().map(u16::from) {
        Some(code) if error.is_transient() => Outcome::retry(Reason::MailLater(code)),
        Some(code) if LOGIN_REFUSED.contains(&code) => Outcome::rejected(Reason::Unauthorized),
        Some(code) => Outcome::rejected(permanent(code)),
        None if error.is_response() => Outcome::retry(Reason::BadAnswer),
        None => Outcome::retry(reason_of(error)),
    };
    // Only the text of a reply is the server's; that of another error is the library's.
    let reply = error.status().map(u16::from).map(|code| {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        format!("{code} {text}")
    });
    outcome.saying(reply)
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
