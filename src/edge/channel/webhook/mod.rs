//! How does a message become one signed POST, and what does the answer mean?
//!
//! The receiver is somebody else's machine and may do anything: the timeout covers connect, headers and body together,
//! at most 64 KiB of the answer is read and it is never unpacked, redirects are not followed, no proxy is asked, and only
//! addresses that pass the guard in [`address`] are dialled. A status that was read counts, whatever becomes of the body.
//!
//! It refuses to repeat: one call of [`Webhook::send`] puts at most one request on the wire, and the outbox decides
//! what follows. What comes back is an [`Outcome`] of closed words, because URLs and headers carry tokens; of a
//! refusal the receiver's own words come with it, cleaned by `said`.

pub mod address;
pub mod sign;

use std::fmt;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, Response, StatusCode};
use url::{Host, Url};

use self::address::{GuardedResolver, NameRefused};
use self::sign::SigningSecret;
use super::said::{Secrets, title_of};
use super::transport::{causes, reason_of};
use super::{Outgoing, credentials, retry_after};
use crate::domain::model::Timestamp;
use crate::domain::outbox::{Outcome, Reason};
use crate::edge::http::client_of;

/// How much of a receiver's answer is read. A good one is read so that a receiver that answers in good order can keep
/// the connection, a bad one for its words; one that sends gigabytes must cost us nothing.
const ANSWER_LIMIT: usize = 64 * 1024;

/// How long the rest of a good answer is waited for.
const REST_LIMIT: Duration = Duration::from_secs(1);

/// Headers that posbell or HTTP itself sets. A second value from the configuration would leave it to the receiver
/// which of the two counts.
const OWN_HEADERS: [&str; 9] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "user-agent",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "host",
];

/// What `[channel.NAME]` says of a webhook.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where to POST. May carry a token, so it is never printed.
    pub url: Url,
    /// One signature is sent for each; none at all sends unsigned.
    pub secrets: Vec<SigningSecret>,
    /// Sent besides posbell's own. Values may be tokens, so they are never printed.
    pub headers: Vec<(String, String)>,
    /// Private networks that this channel may call.
    pub allow_networks: Vec<IpNet>,
    /// For connect, headers and body together.
    pub timeout: Duration,
}

impl WebhookSettings {
    /// All that they say, secrets too, to see whether they have changed. Not to be shown.
    pub fn parts(&self) -> Vec<String> {
        // The same key makes the same signature.
        let secrets = self.secrets.iter().map(|secret| secret.sign("settings", 0, b""));
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        let networks = self.allow_networks.iter().map(ToString::to_string);
        let own = [self.url.to_string(), format!("{:?}", self.timeout)].into_iter();
        own.chain(secrets).chain(headers).chain(networks).collect()
    }
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSettings").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

/// Settings that make no webhook. Names what is wrong, never its value.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Neither `http` nor `https`, or no host.
    #[error("the url must be http:// or https:// with a host")]
    BadUrl,
    /// A header's name has characters that no name has.
    #[error("`{0}` is not the name of a header")]
    BadHeaderName(String),
    /// A header's value has a line break or another control character.
    #[error("the value of the header `{0}` has a character that no header can carry")]
    BadHeaderValue(String),
    /// The header is one that posbell sets itself.
    #[error("the header `{0}` is set by posbell and cannot be replaced")]
    OwnHeader(String),
    /// The HTTP client could not be made; on a machine without CA certificates, for one.
    #[error("the HTTPS client could not be made; are the system's CA certificates installed?")]
    Client,
}

/// A webhook channel.
pub struct Webhook {
    client: Client,
    url: Url,
    secrets: Vec<SigningSecret>,
    headers: HeaderMap,
    /// What no answer may show.
    hidden: Secrets,
    /// The resolver is not asked for literal addresses, so theirs is judged once, here.
    refused: Option<String>,
}

impl Webhook {
    /// Checks the settings and makes the client. Nothing is sent and no name is looked up.
    pub fn new(settings: WebhookSettings) -> Result<Self, WebhookError> {
        let WebhookSettings { url, secrets, headers, allow_networks, timeout } = settings;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(WebhookError::BadUrl);
        }
        let refused = match url.host() {
            Some(Host::Ipv4(ip)) => address::refusal(ip.into(), &allow_networks),
            Some(Host::Ipv6(ip)) => address::refusal(ip.into(), &allow_networks),
            Some(Host::Domain(_)) | None => None,
        };
        let client = client(&url, allow_networks, timeout)?;
        let of_headers = headers.iter().flat_map(|(_, value)| credentials::of_header(value));
        let hidden = Secrets::new(credentials::of_url(&url).into_iter().chain(of_headers));
        Ok(Self { client, headers: custom_headers(headers)?, url, secrets, hidden, refused })
    }

    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        if let Some(refused) = &self.refused {
            return Outcome::rejected(Reason::AddressRefused(refused.clone()));
        }
        let request = match self.request(outgoing) {
            Ok(request) => request,
            Err(why) => return Outcome::rejected(Reason::Unsendable(why.to_owned())),
        };
        match self.client.execute(request).await {
            Ok(response) if response.status().is_success() => taken(response).await,
            Ok(response) => {
                let outcome = refused(&response, outgoing.at);
                outcome.saying(words(response).await.and_then(|words| self.hidden.clean(&words, outgoing)))
            }
            Err(error) => failed(&error),
        }
    }

    fn request(&self, outgoing: &Outgoing) -> Result<Request, &'static str> {
        // A dot would let two different deliveries share one signature; a line break would end the header.
        if outgoing.id.is_empty() || !outgoing.id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.') {
            return Err("its id is not plain letters and digits");
        }
        let timestamp = outgoing.at.timestamp();
        let signatures: Vec<String> =
            self.secrets.iter().map(|secret| secret.sign(&outgoing.id, timestamp, outgoing.body.as_bytes())).collect();

        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone());
        request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &outgoing.id)
            .header("webhook-timestamp", timestamp);
        if !signatures.is_empty() {
            request = request.header("webhook-signature", signatures.join(" "));
        }
        request.body(outgoing.body.clone()).build().map_err(|_| "the url or a header cannot be sent")
    }
}

/// The client of one channel, with that channel's own guard in it.
fn client(url: &Url, allow_networks: Vec<IpNet>, timeout: Duration) -> Result<Client, WebhookError> {
    let builder = client_of(url, timeout).dns_resolver(GuardedResolver { allowed: allow_networks.into() });
    builder.build().map_err(|_| WebhookError::Client)
}

fn custom_headers(headers: Vec<(String, String)>) -> Result<HeaderMap, WebhookError> {
    let mut checked = HeaderMap::new();
    for (name, value) in headers {
        let Ok(header) = HeaderName::try_from(&name) else { return Err(WebhookError::BadHeaderName(name)) };
        if OWN_HEADERS.contains(&header.as_str()) {
            return Err(WebhookError::OwnHeader(name));
        }
        let Ok(mut value) = HeaderValue::try_from(value) else { return Err(WebhookError::BadHeaderValue(name)) };
        value.set_sensitive(true);
        checked.append(header, value);
    }
    Ok(checked)
}

/// What an answer that is no yes means.
fn refused(response: &Response, at: Timestamp) -> Outcome {
    let status = response.status();
    let reason = Reason::Status(status.as_u16());
    match status {
        StatusCode::GONE => Outcome::rejected(Reason::Gone),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            match retry_after::wish(response.headers(), at) {
                Some(wish) => Outcome::retry_after(reason, wish),
                None => Outcome::retry(reason),
            }
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => Outcome::retry(reason),
        _ if status.is_server_error() => Outcome::retry(reason),
        _ => Outcome::rejected(reason),
    }
}

/// What the receiver says in an answer that is no yes: its text or JSON, of a page the title. It has said no already, so
/// an answer that breaks off is an answer.
async fn words(mut response: Response) -> Option<String> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_ascii_lowercase);
    let is_text = kind.as_ref().is_none_or(|kind| kind.starts_with("text/") || kind.contains("json"));
    if !is_text {
        return None;
    }
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_LIMIT
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = ANSWER_LIMIT - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    let text = String::from_utf8_lossy(&bytes);
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html")) || text.trim_start().starts_with('<');
    if is_page { title_of(&text).map(str::to_owned) } else { Some(text.into_owned()) }
}

/// Reads a good answer to its end or to the limit, so that the connection can be kept. The head has said yes: whatever
/// becomes of the rest, the delivery was taken.
async fn taken(mut response: Response) -> Outcome {
    let reading = async {
        let mut read = 0;
        while read < ANSWER_LIMIT
            && let Ok(Some(chunk)) = response.chunk().await
        {
            read += chunk.len();
        }
    };
    // Without its end the connection is closed, and the next delivery begins with a new one.
    let _ = tokio::time::timeout(REST_LIMIT, reading).await;
    Outcome::Delivered
}

/// What a failed exchange means. Takes the kinds out of the error and leaves its text, which holds the URL.
fn failed(error: &reqwest::Error) -> Outcome {
    match causes(error).find_map(|cause| cause.downcast_ref()) {
        Some(NameRefused::Address(text)) => Outcome::rejected(Reason::AddressRefused(text.clone())),
        Some(NameRefused::NotFound) => Outcome::retry(Reason::NameNotFound),
        None if error.is_timeout() => Outcome::retry(Reason::Timeout),
        None => Outcome::retry(reason_of(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{DeliveryId, Severity};
    use crate::domain::message::Text;
    use crate::domain::model::ChannelName;

    const TOKEN: &str = "hunter2";

    fn settings(url: &str, headers: &[(&str, &str)]) -> WebhookSettings {
        WebhookSettings {
            url: Url::parse(url).expect("is a URL"),
            secrets: Vec::new(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            allow_networks: Vec::new(),
            timeout: Duration::from_secs(1),
        }
    }

    fn outgoing(id: &str) -> Outgoing {
        Outgoing {
            delivery: DeliveryId::of(&ChannelName::new("erp").expect("is a name"), None, &[]),
            id: id.to_owned(),
            body: "{}".to_owned(),
            text: Text { title: String::new(), body: String::new() },
            recipient: None,
            severity: Severity::Info,
            at: "2026-01-15T09:30:00Z".parse().expect("is a time"),
        }
    }

    #[test]
    fn settings_that_cannot_be_sent_are_refused_without_their_values() {
        let long_name = "x".repeat(70_000);
        for (url, headers, expected) in [
            ("ftp://example.com/", [].as_slice(), "the url must be"),
            ("mailto:hunter2@example.com", &[], "the url must be"),
            ("http://example.com/", &[("x-team", "hunter2\r\nx-evil: 1")], "the value of the header `x-team`"),
            ("http://example.com/", &[("x-team", "hunter2\n")], "the value of the header `x-team`"),
            ("http://example.com/", &[("x team", TOKEN)], "`x team` is not the name of a header"),
            ("http://example.com/", &[("x-team\r\nx-evil", TOKEN)], "`x-team\r\nx-evil` is not"),
            ("http://example.com/", &[("", TOKEN)], "`` is not the name of a header"),
            ("http://example.com/", &[(&long_name, TOKEN)], "`xxxx"),
            (
                "http://example.com/",
                &[("Webhook-Signature", TOKEN)],
                "the header `Webhook-Signature` is set by posbell",
            ),
        ] {
            let error = Webhook::new(settings(url, headers)).map(|_| ()).expect_err("is refused").to_string();
            assert!(error.starts_with(expected), "{error}");
            assert!(!error.contains(TOKEN), "{error}");
        }
        assert!(Webhook::new(settings("http://example.com/", &[("x-team", "ร้าน"), ("x-team", "two")])).is_ok());
        let printed = format!("{:?}", settings("https://u:hunter2@example.com/hunter2?t=hunter2", &[("a", TOKEN)]));
        assert!(!printed.contains(TOKEN), "{printed}");
    }

    #[test]
    fn an_id_that_would_break_the_signature_or_the_header_is_not_sent() {
        let webhook = Webhook::new(settings("http://example.com/", &[])).expect("is a webhook");
        for id in ["", "evt.1", "evt_1\r\nx-evil: 1", "evt_1\n", "evt 1", "evt_๑"] {
            assert!(webhook.request(&outgoing(id)).is_err(), "{id:?}");
        }
        assert!(webhook.request(&outgoing("evt_1")).is_ok());
    }

    #[tokio::test]
    async fn a_forbidden_address_is_not_called_however_it_is_written() {
        for url in [
            "http://127.0.0.1:9/",
            "http://2130706433:9/",
            "http://0x7f.1:9/",
            "http://017700000001:9/",
            "http://127.0.0.1.:9/",
            "http://[::1]:9/",
            "http://[::ffff:127.0.0.1]:9/",
            "http://public.example@127.0.0.1:9/",
            "http://127.0.0.1:9\\@public.example/",
            "http://localhost:9/",
            "http://169.254.169.254/",
        ] {
            let webhook = Webhook::new(settings(url, &[])).expect("is a webhook");
            let outcome = webhook.send(&outgoing("evt_1")).await;
            assert!(
                matches!(outcome, Outcome::Rejected { reason: Reason::AddressRefused(_), .. }),
                "{url}: {outcome:?}"
            );
        }
        assert!(Url::parse("http://[::1%25eth0]/").is_err());
    }
}
