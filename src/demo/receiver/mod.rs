//! Who posbell's webhooks go to in a demo and in its tests: a receiver that checks every signature, keeps what it
//! took, and fails when it is told to.
//!
//! It keeps repeats too. A receiver of one's own should drop what has an id that it knows; here, how often a message
//! came is what a test wants to see.

mod line;

use std::future::IntoFuture;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::sync::watch;

pub use line::line;

use crate::domain::model::Timestamp;

/// Whether a signature is right, given `webhook-id`, `webhook-timestamp`, the body and `webhook-signature`.
pub type Verify = Arc<dyn Fn(&str, &str, &[u8], &str) -> bool + Send + Sync>;

/// What is done with each message that was taken.
pub type OnMessage = Box<dyn Fn(&Received) + Send + Sync>;

/// One message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its `webhook-id`.
    pub id: String,
    /// Its body, as it came.
    pub body: String,
    /// When it came.
    pub at: Timestamp,
}

/// What the server's tasks and the handle share.
struct Shared {
    kept: Mutex<Kept>,
    verify: Verify,
    on_message: OnMessage,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    news: watch::Sender<()>,
    /// How many calls wait for their answer, while none is given.
    holding: watch::Sender<Option<usize>>,
}

/// What was taken, and how to fail.
#[derive(Debug, Default)]
struct Kept {
    received: Vec<Received>,
    calls: usize,
    forged: usize,
    fail_one_in: Option<usize>,
    answer: Option<u16>,
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A test that failed while it held the lock has said so already; what was received is still whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns at once, or when no call is held any more.
    async fn held(&self) {
        let mut holding = self.holding.subscribe();
        self.holding.send_if_modified(|held| held.as_mut().map(|held| *held += 1).is_some());
        // The sender is in `self`, so this cannot fail.
        drop(holding.wait_for(Option::is_none).await);
    }
}

/// A running receiver. It closes when this is dropped.
pub struct Receiver {
    shared: Arc<Shared>,
    url: String,
    _open: watch::Sender<()>,
}

impl Receiver {
    /// Listens on a free port of 127.0.0.1. Must be called within a tokio runtime.
    pub fn start(
        verify: Verify,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        on_message: OnMessage,
    ) -> std::io::Result<Receiver> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let url = format!("http://{}/hooks/posbell", listener.local_addr()?);
        let shared = Arc::new(Shared {
            kept: Mutex::default(),
            verify,
            on_message,
            clock: Box::new(clock),
            news: watch::Sender::new(()),
            holding: watch::Sender::new(None),
        });
        // A digest may be as large as it likes: what a receiver refuses is not what is tested here.
        let router = Router::new().route("/hooks/posbell", post(take)).layer(DefaultBodyLimit::disable());
        let (open, mut closed) = watch::channel(());
        let server = axum::serve(listener, router.with_state(shared.clone())).with_graceful_shutdown(async move {
            // The only news is that the sender is gone.
            while closed.changed().await.is_ok() {}
        });
        #[expect(clippy::disallowed_methods, reason = "the demo plays the outside world, which runs by itself")]
        tokio::spawn(server.into_future());
        Ok(Self { shared, url, _open: open })
    }

    /// What goes into `url` of the channel.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every message that was taken, repeats too, in the order in which they came.
    pub fn received(&self) -> Vec<Received> {
        self.shared.kept().received.clone()
    }

    /// Waits until what was received is enough, and returns it. Waits for ever where that never comes: the caller
    /// puts a limit on it.
    pub async fn wait_for(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        // Registered before the first look: what comes between the look and the wait is not missed.
        let mut news = self.shared.news.subscribe();
        loop {
            let received = self.received();
            if enough(&received) {
                return received;
            }
            news.changed().await.expect("the sender lives as long as `self`");
        }
    }

    /// Answers every `times`-th call from now on with 503; `None` ends it.
    pub fn fail_one_in(&self, times: Option<usize>) {
        let mut kept = self.shared.kept();
        kept.fail_one_in = times;
        kept.calls = 0;
    }

    /// Answers every call with this status and takes nothing; `None` ends it.
    pub fn answer(&self, status: Option<u16>) {
        self.shared.kept().answer = status;
    }

    /// Lets every call from now on wait for its answer, until [`Receiver::release`].
    pub fn hold(&self) {
        self.shared.holding.send_replace(Some(0));
    }

    /// Waits until so many calls have come that wait for their answer. Calls whose caller is gone count too.
    pub async fn holds(&self, calls: usize) {
        let mut holding = self.shared.holding.subscribe();
        let enough = holding.wait_for(|held| held.is_some_and(|held| held >= calls)).await;
        enough.expect("the sender lives as long as `self`");
    }

    /// Answers again, first of all those who wait and are still there.
    pub fn release(&self) {
        self.shared.holding.send_replace(None);
    }

    /// How many calls had a wrong signature or none.
    pub fn forged(&self) -> usize {
        self.shared.kept().forged
    }
}

/// One call: failed where that was asked for, else checked and kept.
async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    shared.held().await;
    if let Some(status) = failure(&mut shared.kept()) {
        return status;
    }
    if !(shared.verify)(id, timestamp, &body, signature) {
        shared.kept().forged += 1;
        return StatusCode::UNAUTHORIZED;
    }
    let received =
        Received { id: id.to_owned(), body: String::from_utf8_lossy(&body).into_owned(), at: (shared.clock)() };
    // Called before the message is kept, so that whoever waited for it finds the callback's work done.
    (shared.on_message)(&received);
    shared.kept().received.push(received);
    shared.news.send_replace(());
    StatusCode::NO_CONTENT
}

/// The failure that this call was chosen for.
fn failure(kept: &mut Kept) -> Option<StatusCode> {
    kept.calls += 1;
    if let Some(status) = kept.answer {
        return Some(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    }
    kept.fail_one_in.filter(|times| kept.calls.is_multiple_of(*times)).map(|_| StatusCode::SERVICE_UNAVAILABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T03:00:00Z".parse().expect("is a time")
    }

    fn listen(on_message: OnMessage) -> Receiver {
        let verify: Verify = Arc::new(|id, timestamp, body, signature| {
            signature == format!("{id}.{timestamp}.{}", String::from_utf8_lossy(body))
        });
        Receiver::start(verify, now, on_message).expect("a loopback port is free")
    }

    async fn post(receiver: &Receiver, id: &str, signature: &str) -> u16 {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().build().expect("a client can be built");
        let call = client.post(receiver.url()).header("webhook-id", id).header("webhook-timestamp", "7");
        let answer = call.header("webhook-signature", signature).body("{}").send().await.expect("answers");
        answer.status().as_u16()
    }

    #[tokio::test]
    async fn only_what_is_signed_is_taken() {
        let receiver = listen(Box::new(|_| ()));
        assert_eq!(post(&receiver, "a", "a.7.{}").await, 204);
        assert_eq!(post(&receiver, "b", "a.7.{}").await, 401);
        assert_eq!(receiver.received(), [Received { id: "a".to_owned(), body: "{}".to_owned(), at: now() }]);
        assert_eq!(receiver.forged(), 1);
    }

    #[tokio::test]
    async fn every_third_call_fails_when_asked_to() {
        let receiver = listen(Box::new(|_| ()));
        receiver.fail_one_in(Some(3));
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(post(&receiver, "a", "a.7.{}").await);
        }
        assert_eq!(answers, [204, 204, 503, 204, 204, 503]);
        assert_eq!(receiver.received().len(), 4);
        receiver.answer(Some(410));
        assert_eq!(post(&receiver, "a", "a.7.{}").await, 410);
        receiver.answer(None);
        receiver.fail_one_in(None);
        assert_eq!(post(&receiver, "a", "a.7.{}").await, 204);
    }

    #[tokio::test]
    async fn who_waits_is_woken_after_the_message_was_shown() {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let screen = shown.clone();
        let receiver = listen(Box::new(move |received| screen.lock().expect("is whole").push(received.id.clone())));
        let (received, _) = tokio::join!(receiver.wait_for(|received| received.len() == 2), async {
            post(&receiver, "a", "a.7.{}").await;
            post(&receiver, "b", "b.7.{}").await;
        });
        let ids: Vec<_> = received.into_iter().map(|received| received.id).collect();
        assert_eq!(
            (ids.as_slice(), shown.lock().expect("is whole").as_slice()),
            (&["a", "b"].map(String::from)[..], &ids[..])
        );
    }
}
