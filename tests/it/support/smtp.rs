//! A real SMTP server on loopback: takes mails and shows them, or refuses as told.
//!
//! The conversation is a library's state machine, not a script, so a client that speaks out of turn is told off. It
//! offers no TLS: there is no certificate that a client would trust.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes it.
    Take,
    /// 550 to every recipient.
    RefuseRecipients,
    /// 554 to every text.
    RefuseText,
    /// 451 to every text.
    TryLater,
}

/// A mail as it arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Headers and body, as they came.
    pub text: String,
}

impl Mail {
    /// The value of the first header of that name, if it fits on one line.
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let mut fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// What the conversations share.
struct Office {
    login: Option<(String, String)>,
    behaviour: Mutex<Behaviour>,
    mails: Mutex<Vec<Mail>>,
}

/// The server. It stops when this is dropped.
pub struct MailServer {
    address: SocketAddr,
    office: Arc<Office>,
    task: JoinHandle<()>,
}

impl MailServer {
    /// A server that takes mails from anybody.
    pub async fn start() -> Self {
        Self::open(None).await
    }

    /// A server that takes mails only after this login.
    pub async fn with_login(user: &str, password: &str) -> Self {
        Self::open(Some((user.to_owned(), password.to_owned()))).await
    }

    #[allow(clippy::disallowed_methods, reason = "the outside world runs beside the test")]
    async fn open(login: Option<(String, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("is bound");
        let office = Arc::new(Office { login, behaviour: Mutex::new(Behaviour::Take), mails: Mutex::default() });
        let shared = Arc::clone(&office);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { address, office, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The `smtp` line of a channel: `smtp://127.0.0.1:PORT`, with the user if there is a login.
    pub fn url(&self) -> String {
        match &self.office.login {
            Some((user, _)) => format!("smtp://{user}@{}", self.address),
            None => format!("smtp://{}", self.address),
        }
    }

    /// From now on, do this with every mail.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.office.behaviour.lock().expect("no test panics with the lock") = behaviour;
    }

    /// The mails that were taken, in order.
    pub fn mails(&self) -> Vec<Mail> {
        self.office.mails.lock().expect("no test panics with the lock").clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One conversation.
struct Clerk {
    office: Arc<Office>,
    mail: Mail,
}

impl Clerk {
    fn behaviour(&self) -> Behaviour {
        *self.office.behaviour.lock().expect("no test panics with the lock")
    }

    fn login(&self, user: &str, password: &str) -> Response {
        match &self.office.login {
            Some((good_user, good_password)) if (good_user.as_str(), good_password.as_str()) == (user, password) => {
                response::AUTH_OK
            }
            _ => response::INVALID_CREDENTIALS,
        }
    }
}

impl Handler for Clerk {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.mail = Mail { from: from.to_owned(), ..Mail::default() };
        response::OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if self.behaviour() == Behaviour::RefuseRecipients {
            return response::NO_MAILBOX;
        }
        self.mail.to.push(to.to_owned());
        response::OK
    }

    fn data_start(&mut self, _domain: &str, _from: &str, _is8bit: bool, _to: &[String]) -> Response {
        response::START_DATA
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.text.push_str(&String::from_utf8_lossy(line));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        match self.behaviour() {
            Behaviour::RefuseText => response::TRANSACTION_FAILED,
            Behaviour::TryLater => response::INTERNAL_ERROR,
            Behaviour::Take | Behaviour::RefuseRecipients => {
                self.office.mails.lock().expect("no test panics with the lock").push(std::mem::take(&mut self.mail));
                response::OK
            }
        }
    }

    fn auth_plain(&mut self, _as_whom: &str, user: &str, password: &str) -> Response {
        self.login(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        self.login(user, password)
    }
}

async fn converse(stream: TcpStream, office: Arc<Office>) {
    let mut builder = SessionBuilder::new("mail.test");
    if office.login.is_some() {
        builder.enable_auth(AuthMechanism::Plain).insecure_enable_plaintext_auth();
    }
    let clerk = Clerk { office, mail: Mail::default() };
    let mut session = builder.build(Ipv4Addr::LOCALHOST.into(), clerk);
    // A client that hangs up in the middle is none of the server's business.
    let _ = speak(stream, &mut session).await;
}

async fn speak(stream: TcpStream, session: &mut Session<Clerk>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(&session.greeting().buffer()?).await?;
    let mut line = Vec::new();
    while stream.read_until(b'\n', &mut line).await? > 0 {
        let reply = session.process(&line);
        line.clear();
        stream.write_all(&reply.buffer()?).await?;
        if reply.action == Action::Close {
            break;
        }
    }
    Ok(())
}
