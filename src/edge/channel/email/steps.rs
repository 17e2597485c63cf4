//! In which steps is a mail handed over, and what does a refusal mean at each of them?
//!
//! They are taken one by one, because what a refusal means depends on what was asked: a 550 after `RCPT` is about the
//! recipient, after the text about its content.

use std::net::{IpAddr, SocketAddr};

use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Rcpt, Starttls};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter, ServerInfo};
use tokio::net::TcpStream;

use super::super::transport::reason_of;
use super::conversation::{Conversation, Reply};
use super::{Email, Hello, Security, SmtpServer};
use crate::domain::outbox::{Outcome, Reason, TlsFault};

/// `PLAIN` where the server knows it, `LOGIN` for those that still don't.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// What a server asks for in the steps of `LOGIN`. Some ask in words of their own, so these are taken for granted.
const ASKED: [&str; 2] = ["Username:", "Password:"];

/// The reply that asks for the next step of a login.
const GO_ON: u16 = 334;

/// Replies that ask for a login or refuse the one given, whichever command they follow (RFC 4954, 6).
const LOGIN_REFUSED: [u16; 4] = [530, 534, 535, 538];

/// Replies about the command and how it is said, whichever it is (RFC 5321, 4.2.2). A server that dislikes the name in
/// `EHLO` often says so only after `RCPT`.
const COMMAND_REFUSED: std::ops::RangeInclusive<u16> = 500..=504;

impl Email {
    /// Everything up to the reply that takes the mail. The conversation comes back for the goodbye.
    pub(super) async fn converse(&self, mail: &Message) -> Result<Conversation, Outcome> {
        let (mut conversation, able) = self.begin().await?;
        if let Some(credentials) = &self.credentials {
            log_in(&mut conversation, &able, credentials).await?;
        }
        let bytes = mail.formatted();
        let envelope = mail.envelope();
        let from = Mail::new(envelope.from().cloned(), parameters(mail, &bytes, &able)?);
        yes(conversation.say(from).await?, Reason::ServerRefused)?;
        for to in envelope.to() {
            let refused = |code| match COMMAND_REFUSED.contains(&code) {
                true => Reason::ServerRefused(code),
                false => Reason::RecipientRefused,
            };
            yes(conversation.say(Rcpt::new(to.clone(), Vec::new())).await?, refused)?;
        }
        let begins = yes(conversation.say(Data).await?, Reason::MailRefused)?;
        in_turn(&begins, 300..400)?;
        let taken = yes(conversation.hand_over(&bytes).await?, Reason::MailRefused)?;
        in_turn(&taken, 200..300)?;
        Ok(conversation)
    }

    /// A conversation that is as safe as the settings ask for, and what the server is able to do.
    async fn begin(&self) -> Result<(Conversation, ServerInfo), Outcome> {
        let (stream, speaks_from) = self.connect().await?;
        let SmtpServer { host, security, .. } = &self.server;
        let mut conversation = Conversation::over(stream);
        if let Some(tls) = self.tls.as_ref().filter(|_| *security == Security::Wrapped) {
            conversation = conversation.encrypted(tls, host).await?;
        }
        let hello = self.ehlo.clone().unwrap_or_else(|| Hello::of_this_machine(speaks_from));
        let ehlo = Ehlo::new(hello.id());
        yes(conversation.greeting().await?, Reason::ServerRefused)?;
        let able = yes(conversation.say(&ehlo).await?, Reason::ServerRefused)?.server_info();
        let offers_tls = able.supports_feature(Extension::StartTls);
        let upgrade = match security {
            Security::Required if !offers_tls => return Err(Outcome::retry(Reason::TlsBecause(TlsFault::NoTls))),
            Security::Required | Security::Opportunistic => offers_tls,
            Security::Wrapped | Security::None => false,
        };
        let Some(tls) = self.tls.as_ref().filter(|_| upgrade) else { return Ok((conversation, able)) };
        yes(conversation.say(Starttls).await?, Reason::ServerRefused)?;
        let mut conversation = conversation.encrypted(tls, host).await?;
        // What was said in the clear may have been changed on the way.
        let able = yes(conversation.say(&ehlo).await?, Reason::ServerRefused)?.server_info();
        Ok((conversation, able))
    }

    /// A connection, and the address that it speaks from.
    async fn connect(&self) -> Result<(TcpStream, IpAddr), Outcome> {
        let SmtpServer { host, port, .. } = &self.server;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|_| Outcome::retry(Reason::NameNotFound))?.collect();
        // An address that swallows everything must leave time for the next one.
        let share = self.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut failed = Reason::NameNotFound;
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let speaks_from = stream.local_addr().map_err(|error| Outcome::retry(reason_of(&error)))?;
                    return Ok((stream, speaks_from.ip()));
                }
                Ok(Err(error)) => failed = reason_of(&error),
                Err(_) => failed = Reason::Timeout,
            }
        }
        Err(Outcome::retry(failed))
    }
}

/// Logs in as the server knows it.
async fn log_in(conversation: &mut Conversation, able: &ServerInfo, credentials: &Credentials) -> Result<(), Outcome> {
    let refused = || Outcome::rejected(Reason::Unauthorized);
    let mechanism = able.get_auth_mechanism(&MECHANISMS).ok_or_else(refused)?;
    let steps = match mechanism {
        Mechanism::Login => [None, Some(ASKED[0]), Some(ASKED[1])].as_slice(),
        _ => &[None],
    };
    for asked in steps {
        let step = Auth::new(mechanism, credentials.clone(), asked.map(str::to_owned)).map_err(|_| refused())?;
        let reply = yes(conversation.say(step).await?, |_| Reason::Unauthorized)?;
        if reply.code != GO_ON {
            return Ok(());
        }
    }
    // It asks for something that nobody has.
    Err(refused())
}

/// What the server must be told, and able to do, before it is given this mail.
fn parameters(mail: &Message, bytes: &[u8], able: &ServerInfo) -> Result<Vec<MailParameter>, Outcome> {
    let able = |extension| match able.supports_feature(extension) {
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

/// The reply where the server goes on, else what its refusal means; `permanent` says what a 5xx means at this step. The
/// server's words are not cleaned yet.
fn yes(reply: Reply, permanent: impl FnOnce(u16) -> Reason) -> Result<Reply, Outcome> {
    let refusal = match reply.code {
        ..400 => return Ok(reply),
        code @ 400..500 => Outcome::retry(Reason::MailLater(code)),
        code if LOGIN_REFUSED.contains(&code) => Outcome::rejected(Reason::Unauthorized),
        code => Outcome::rejected(permanent(code)),
    };
    Err(refusal.saying(Some(reply.words())))
}

/// A yes to another question than the one that was asked takes no mail: server and client are out of step.
fn in_turn(reply: &Reply, codes: std::ops::Range<u16>) -> Result<(), Outcome> {
    if codes.contains(&reply.code) { Ok(()) } else { Err(Outcome::retry(Reason::BadAnswer)) }
}
