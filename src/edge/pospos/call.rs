//! One call: a place in the quota, one request on the wire, and its answer or a reason.
//!
//! Exactly one request leaves for each permit. So redirects are refused (each hop is a call, and the key would go along)
//! and nothing is repeated.
//!
//! # Why connections may be kept
//!
//! The client below reqwest (hyper-util's legacy client) takes a request that a kept connection gave back, and sends it on
//! another one; nobody can tell it not to. It does so only where it gets the message itself back, and hyper's connection
//! gives a message back only while it still waits in the connection's queue: from when it is taken out to be written
//! (`poll_msg`), what is left is a callback without the message, and an error is final. So what is sent again was never
//! begun, and what was begun is never sent again. The raw servers of the tests hold this: they close a kept connection
//! while it is idle, after the first byte of a request, and after all of it.
//!
//! A request that meets a connection which the server is just closing is lost with its permit. So connections are kept
//! for less time than servers do, and a pass after a pause begins with a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use chrono::NaiveDateTime;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use serde::de::IgnoredAny;
use url::Url;

use super::blockade::{Blockade, Leave};
use super::body::Body;
use super::error::{ReadError, TransportError};
use super::notes::Notes;
use super::quota::{Governor, Monotonic, Urgency};
use super::retry_after::{retry_after, server_time};
use super::transport::transport;
use super::wall_clock::WallClock;

/// The header that carries the key: not `Authorization`, as the captures show.
const KEY_HEADER: HeaderName = HeaderName::from_static("apikey");

/// How long the kernel goes on sending what nobody acknowledges, also after the socket is closed.
///
/// Well below [`STRAGGLER`](super::quota::STRAGGLER), which is how long an unanswered call is kept for under way.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// How long a connection without a request is kept: shorter than the five seconds after which common servers close it.
const KEPT: Duration = Duration::from_secs(4);

/// As many connections as there are calls at once in one reading.
const MOST_KEPT: usize = 4;

/// How long connecting may take, the name and the encryption included.
const CONNECTING: Duration = Duration::from_secs(10);

/// The longest body of a refusal that is looked at: the API's own is a line.
const REFUSAL: usize = 64 * 1024;

/// Makes calls of one shop.
pub(super) struct Caller {
    client: Client,
    key: HeaderValue,
    timeout: Duration,
    body_limit: usize,
    clock: WallClock,
    governor: Governor,
    /// The status that refused the key; 0 while it is good. Other loops of the shop share this caller, and the first
    /// refusal must be the last call of all of them.
    refused: AtomicU16,
    /// What keeps the API from all of them, if anything does.
    blockade: Blockade,
    notes: Notes,
}

/// The body of a good answer.
#[derive(Debug)]
pub(super) struct Received {
    pub body: Body,
    /// When the request left.
    pub sent: Monotonic,
    /// What the server's clock said.
    pub server_time: Option<NaiveDateTime>,
}

impl Caller {
    /// A caller that gives each call `timeout` for the head of the answer and `timeout` for its body (see `body` for a
    /// large one), and reads at most `body_limit` bytes.
    pub fn new(
        key: HeaderValue,
        timeout: Duration,
        body_limit: usize,
        clock: WallClock,
        governor: Governor,
    ) -> reqwest::Result<Self> {
        // Installed once for the process; an error means that it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(MOST_KEPT)
            .pool_idle_timeout(KEPT)
            .no_proxy()
            .http1_only()
            .gzip(true)
            .connect_timeout(timeout.min(CONNECTING))
            .tcp_user_timeout(UNACKNOWLEDGED)
            .user_agent(concat!("posbell/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            client,
            key,
            timeout,
            body_limit,
            clock,
            governor,
            refused: AtomicU16::new(0),
            blockade: Blockade::default(),
            notes: Notes::default(),
        })
    }

    /// Who lets the calls go.
    pub fn governor(&self) -> &Governor {
        &self.governor
    }

    /// What there is to say of the shop's lists.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Forgets that the key was refused, and that something in between has answered.
    pub fn allow_again(&self) {
        self.refused.store(0, Ordering::Release);
        self.blockade.end();
    }

    /// For how long no call is made because something in between has answered.
    pub fn blocked_for(&self) -> Option<Duration> {
        self.blockade.left(self.governor.now())
    }

    /// Returns when calls may be made again after something in between has answered them.
    pub async fn unblocked(&self) {
        self.blockade.over(|| self.governor.now(), |pause| self.governor.wait(pause)).await;
    }

    /// Makes one call, when the quota allows it, and gives the body of a good answer.
    ///
    /// After a refused key no call is made until [`Caller::allow_again`]; the refusal is said again instead. So it is
    /// while something in between keeps the API away, but for a person. Where the server's time is far from this
    /// machine's, no answer is good but to a person.
    pub async fn get(&self, url: Url, urgency: Urgency) -> Result<Received, ReadError> {
        self.not_refused()?;
        self.not_blocked(urgency)?;
        let permit = self.governor.permit(urgency).await?;
        // Again, because the refusal may have come while this call waited for its place.
        let left = match self.not_refused().and_then(|()| self.leave(urgency)) {
            Ok(left) => left,
            Err(refused) => {
                permit.end();
                return Err(refused);
            }
        };
        let sent = self.governor.now();
        // Declared after the permit, the exchange is given up before it, also where this future is dropped. Its socket
        // is closed by the connection's own task a moment later, which is part of what STRAGGLER is for.
        let exchange = self.client.get(url).header(KEY_HEADER, self.key.clone()).send();
        // Nobody says when the connection stands, so the head may take as long as both.
        let head = tokio::time::timeout(self.timeout + self.timeout.min(CONNECTING), exchange).await;
        let answer = match head {
            Ok(Ok(response)) => self.judged(response, sent, urgency).await,
            // Perhaps still on its way: the permit is dropped, not ended.
            Ok(Err(error)) => return Err(self.unanswered(transport(&error), left)),
            Err(_) => return Err(self.unanswered(TransportError::NoAnswer, left)),
        };
        permit.end();
        self.note(&answer, left);
        answer
    }

    /// What an answer is worth.
    async fn judged(&self, response: Response, sent: Monotonic, urgency: Urgency) -> Result<Received, ReadError> {
        let server_time = server_time(response.headers());
        let apart = server_time.and_then(|time| self.clock.compare(time.and_utc()));
        match (self.answer(response).await, apart) {
            // A person sees what there is, and from a probe how far the clocks are apart.
            (Ok(_), Some(apart)) if urgency != Urgency::Person => Err(ReadError::ClockApart(apart)),
            (answer, _) => answer.map(|body| Received { body, sent, server_time }),
        }
    }

    /// What follows from an answer for the calls after it.
    fn note(&self, answer: &Result<Received, ReadError>, left: Leave) {
        match answer {
            Err(ReadError::Blocked { status }) => return self.blockade.note(*status, left, self.governor.now()),
            Err(ReadError::KeyRefused { status }) => self.refused.store(*status, Ordering::Release),
            Err(ReadError::Limited { retry_after }) => self.governor.pause(retry_after.unwrap_or_default()),
            _ => {}
        }
        self.blockade.note_none(left);
    }

    /// That nobody answered is another trouble than a blockade.
    fn unanswered(&self, error: TransportError, left: Leave) -> ReadError {
        self.blockade.note_none(left);
        ReadError::Unreachable(error)
    }

    fn not_refused(&self) -> Result<(), ReadError> {
        match self.refused.load(Ordering::Acquire) {
            0 => Ok(()),
            status => Err(ReadError::KeyRefused { status }),
        }
    }

    fn not_blocked(&self, urgency: Urgency) -> Result<(), ReadError> {
        let blocked = self.blockade.status(self.governor.now()).filter(|_| urgency != Urgency::Person);
        blocked.map_or(Ok(()), |status| Err(ReadError::Blocked { status }))
    }

    fn leave(&self, urgency: Urgency) -> Result<Leave, ReadError> {
        match urgency {
            Urgency::Person => Ok(Leave::ByHand),
            _ => self.blockade.leave(self.governor.now()).map_err(|status| ReadError::Blocked { status }),
        }
    }

    async fn answer(&self, response: Response) -> Result<Body, ReadError> {
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.refusal(response).await),
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(ReadError::Limited { retry_after: retry_after(response.headers()) });
            }
            status if !status.is_success() => return Err(ReadError::Status(status.as_u16())),
            _ => {}
        }
        Body::read(response, self.body_limit, self.timeout).await.map_err(ReadError::Unreachable)
    }

    /// Who has refused: the API does it with a JSON object, a firewall with a page of its own.
    async fn refusal(&self, response: Response) -> ReadError {
        let status = response.status().as_u16();
        match Body::read(response, REFUSAL, self.timeout).await {
            Ok(body) if is_object(&body) => ReadError::KeyRefused { status },
            _ => ReadError::Blocked { status },
        }
    }
}

fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<HashMap<String, IgnoredAny>>(body).is_ok()
}
