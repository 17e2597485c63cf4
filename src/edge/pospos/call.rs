//! One call: a place in the quota, one request on the wire, and its answer or a reason.
//!
//! Exactly one request leaves for each permit. So redirects are refused (each hop is a call, and the key would go
//! along), nothing is repeated, and no connection is used twice: the client below reqwest sends a request again when a
//! kept connection turns out to be dead, and nobody can tell it not to. A new connection costs two ways to the server
//! and back, which nobody notices; a call too many costs the key.

use std::error::Error;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::error::{ReadError, TransportError};
use super::quota::{Governor, Urgency};

/// The header that carries the key: not `Authorization`, as the captures show.
const KEY_HEADER: HeaderName = HeaderName::from_static("apikey");

/// How long the kernel goes on sending what nobody acknowledges, also after the socket is closed.
///
/// Well below [`STRAGGLER`](super::quota::STRAGGLER), which is how long an unanswered call is kept for under way.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// The longest silence that a `Retry-After` can ask for; more is a mistake of the server.
const LONGEST_SILENCE: Duration = Duration::from_secs(6 * 60 * 60);

/// Makes calls of one shop.
pub(super) struct Caller {
    client: Client,
    key: HeaderValue,
    body_limit: usize,
    governor: Governor,
    /// The status that refused the key; 0 while it is good. Other loops of the shop share this caller, and the first
    /// refusal must be the last call of all of them.
    refused: AtomicU16,
}

impl Caller {
    /// A caller that gives each call `timeout` from connecting to the last byte, and reads at most `body_limit` bytes.
    pub fn new(key: HeaderValue, timeout: Duration, body_limit: usize, governor: Governor) -> reqwest::Result<Self> {
        // Installed once for the process; an error means that it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .no_proxy()
            .http1_only()
            .gzip(true)
            .timeout(timeout)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .user_agent(concat!("posbell/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, key, body_limit, governor, refused: AtomicU16::new(0) })
    }

    /// Who lets the calls go.
    pub fn governor(&self) -> &Governor {
        &self.governor
    }

    /// Forgets that the key was refused.
    pub fn allow_again(&self) {
        self.refused.store(0, Ordering::Release);
    }

    /// Makes one call, when the quota allows it, and gives the body of a good answer.
    ///
    /// After a refused key no call is made until [`Caller::allow_again`]; the refusal is said again instead.
    pub async fn get(&self, url: Url, urgency: Urgency) -> Result<Vec<u8>, ReadError> {
        self.not_refused()?;
        let permit = self.governor.permit(urgency).await?;
        // Again, because the refusal may have come while this call waited for its place.
        if let Err(refused) = self.not_refused() {
            permit.end();
            return Err(refused);
        }
        // Declared after the permit, the exchange is given up before it, also where this future is dropped. Its socket
        // is closed by the connection's own task a moment later, which is part of what STRAGGLER is for.
        let sent = self.client.get(url).header(KEY_HEADER, self.key.clone()).send().await;
        let answer = match sent {
            Ok(response) => self.answer(response).await,
            // Perhaps still on its way: the permit is dropped, not ended.
            Err(error) => return Err(ReadError::Unreachable(transport(&error))),
        };
        permit.end();
        if let Err(ReadError::KeyRefused { status }) = &answer {
            self.refused.store(*status, Ordering::Release);
        }
        if let Err(ReadError::Limited { retry_after }) = &answer {
            self.governor.pause(retry_after.unwrap_or_default());
        }
        answer
    }

    fn not_refused(&self) -> Result<(), ReadError> {
        match self.refused.load(Ordering::Acquire) {
            0 => Ok(()),
            status => Err(ReadError::KeyRefused { status }),
        }
    }

    async fn answer(&self, mut response: Response) -> Result<Vec<u8>, ReadError> {
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(ReadError::KeyRefused { status: response.status().as_u16() });
            }
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(ReadError::Limited { retry_after: retry_after(response.headers()) });
            }
            status if !status.is_success() => return Err(ReadError::Status(status.as_u16())),
            _ => {}
        }
        let mut body = Vec::new();
        loop {
            // Counted after unpacking, so that a small answer cannot grow without limit.
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.body_limit => {
                    return Err(ReadError::Unreachable(TransportError::TooLarge));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) => return Err(ReadError::Unreachable(transport(&error))),
            }
        }
    }
}

/// How long the server wants to be left alone: in seconds, or as a date, which is held against its own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let asked = text(RETRY_AFTER)?.trim();
    let duration = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(asked).ok()?;
            let now = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
            (until - now).to_std().ok()?
        }
    };
    Some(duration.min(LONGEST_SILENCE))
}

/// What broke, by the chain of causes; the texts of the chain have the address in them and are dropped.
fn transport(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        return TransportError::Timeout;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return TransportError::Tls;
        }
        // The type is private to the client; that the text begins so is held by a test.
        if error.to_string().starts_with("dns error") {
            return TransportError::Dns;
        }
        // An `io::Error` hides what it wraps from `source`.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &dyn Error).or_else(|| error.source());
    }
    if error.is_connect() { TransportError::Connect } else { TransportError::Reset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_asked_for_in_seconds_or_until_a_date() {
        let check = |asked: &'static str, date: Option<&'static str>, want: Option<u64>| {
            let mut headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(asked))]);
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), want.map(Duration::from_secs), "{asked}");
        };
        let noon = Some("Wed, 21 Oct 2026 12:00:00 GMT");
        check("120", None, Some(120));
        check("0", None, Some(0));
        check("99999999", None, Some(21_600));
        check("Wed, 21 Oct 2026 12:01:30 GMT", noon, Some(90));
        check("Wed, 21 Oct 2026 11:00:00 GMT", noon, None);
        check("Wed, 21 Oct 2026 12:01:30 GMT", None, None);
        check("soon", noon, None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
