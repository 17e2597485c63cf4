//! Webhooks: what stands on the wire, what each status means, whom they call, and receivers that mean harm.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use posbell::domain::outbox::{Outcome, Reason, TlsFault};
use posbell::edge::channel::webhook::sign::{Received, SigningSecret, VerifyingKey, verify};
use posbell::edge::channel::webhook::{Webhook, WebhookSettings};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::receiver::{Receiver, silent_port};
use super::{LONG, SHORT, outgoing};
use crate::support::smtp::MailServer;

const HMAC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PAIR: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";

fn settings(url: &str) -> WebhookSettings {
    WebhookSettings {
        url: url.parse().expect("is a URL"),
        secrets: Vec::new(),
        headers: Vec::new(),
        allow_networks: ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("is a network")).to_vec(),
        timeout: LONG,
    }
}

fn webhook(address: SocketAddr, timeout: Duration) -> Webhook {
    Webhook::new(WebhookSettings { timeout, ..settings(&format!("http://{address}/hook")) }).expect("is a webhook")
}

fn secrets(texts: &[&str]) -> Vec<SigningSecret> {
    texts.iter().map(|text| SigningSecret::parse(&SecretString::from(*text)).expect("is a secret")).collect()
}

fn retry(reason: Reason) -> Outcome {
    Outcome::retry(reason)
}

#[tokio::test]
async fn a_delivery_is_signed_by_every_secret_and_says_who_sends_it() {
    let receiver = Receiver::with_status(200, "").await;
    let settings = WebhookSettings {
        secrets: secrets(&[HMAC, PAIR]),
        headers: vec![("x-team".to_owned(), "shop".to_owned())],
        ..settings(&format!("http://{}/hooks/posbell?a=b", receiver.address()))
    };
    let outgoing = outgoing();
    assert_eq!(Webhook::new(settings).expect("is a webhook").send(&outgoing).await, Outcome::Delivered);

    let [request] = receiver.requests().try_into().expect("one request");
    assert!(request.head.starts_with("POST /hooks/posbell?a=b HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.body, outgoing.body);
    for (name, expected) in [
        ("webhook-id", Some(outgoing.id.as_str())),
        ("webhook-timestamp", Some("1768469400")),
        ("content-type", Some("application/json")),
        ("user-agent", Some(concat!("posbell/", env!("CARGO_PKG_VERSION")))),
        ("x-team", Some("shop")),
        ("accept-encoding", None),
        ("referer", None),
    ] {
        assert_eq!(request.header(name), expected, "{name}");
    }
    let received = Received {
        id: request.header("webhook-id"),
        timestamp: request.header("webhook-timestamp"),
        signature: request.header("webhook-signature"),
    };
    for key in [HMAC, PUBLIC] {
        let key = VerifyingKey::parse(&SecretString::from(key)).expect("is a key");
        assert_eq!(verify(&key, received, request.body.as_bytes(), outgoing.at), Ok(()));
    }
}

#[tokio::test]
async fn without_a_secret_nothing_is_signed() {
    let receiver = Receiver::with_status(200, "").await;
    assert_eq!(webhook(receiver.address(), LONG).send(&outgoing()).await, Outcome::Delivered);
    assert_eq!(receiver.requests()[0].header("webhook-signature"), None);
}

#[tokio::test]
async fn each_status_has_one_meaning() {
    let wish = "retry-after: 7\r\n";
    let rejected = Outcome::rejected;
    let wished = |status| Outcome::retry_after(Reason::Status(status), Duration::from_secs(7));
    for (status, headers, expected) in [
        (200, "", Outcome::Delivered),
        (202, "content-type: text/html\r\n", Outcome::Delivered),
        (204, "x-odd: \u{fc}\u{0e44}\r\n", Outcome::Delivered),
        (299, "", Outcome::Delivered),
        (101, "", rejected(Reason::Status(101))),
        (304, "", rejected(Reason::Status(304))),
        (400, wish, rejected(Reason::Status(400))),
        (404, "", rejected(Reason::Status(404))),
        (410, wish, rejected(Reason::Gone)),
        (600, "", rejected(Reason::Status(600))),
        (999, wish, rejected(Reason::Status(999))),
        (408, wish, retry(Reason::Status(408))),
        (425, "", retry(Reason::Status(425))),
        (429, "", retry(Reason::Status(429))),
        (429, wish, wished(429)),
        (429, "retry-after: soon\r\n", retry(Reason::Status(429))),
        (500, wish, retry(Reason::Status(500))),
        (503, wish, wished(503)),
        (503, "retry-after: Thu, 15 Jan 2026 09:30:07 GMT\r\n", wished(503)),
        (599, "", retry(Reason::Status(599))),
    ] {
        let receiver = Receiver::with_status(status, headers).await;
        assert_eq!(webhook(receiver.address(), LONG).send(&outgoing()).await, expected, "{status} {headers}");
        assert_eq!(receiver.requests().len(), 1, "{status} is not repeated by the client");
    }
}

#[tokio::test]
async fn a_refusal_comes_with_the_receivers_own_words() {
    let echo = |kind: &str, words: &str| {
        format!("HTTP/1.1 400 \r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{words}", words.len())
    };
    let outgoing = outgoing();
    let json = r#"{"error":"unknown warehouse"}"#;
    for (kind, words, said) in [
        ("application/json; charset=utf-8", json, Some(json)),
        ("application/problem+json", json, Some(json)),
        ("text/plain", "no such\r\nwarehouse\n", Some("no such warehouse")),
        ("text/html", "<html><title>Not here</title><p>token</p>", Some("Not here")),
        ("text/plain", "<html><p>a page all the same", None),
        ("image/png", "PNG", None),
        ("text/plain", &format!("cannot read {}", outgoing.body), Some("cannot read …")),
        (
            "text/plain",
            "POST /hook/t0ken-in-path?key=hunter2 with x-team: s3cret",
            Some("POST /hook/…?… with x-team: …"),
        ),
    ] {
        let receiver = Receiver::saying(echo(kind, words)).await;
        let settings = WebhookSettings {
            headers: vec![("x-team".to_owned(), "s3cret".to_owned())],
            ..settings(&format!("http://{}/hook/t0ken-in-path?key=hunter2", receiver.address()))
        };
        let outcome = Webhook::new(settings).expect("is a webhook").send(&outgoing).await;
        assert_eq!(outcome, Outcome::rejected(Reason::Status(400)).saying(said.map(str::to_owned)), "{kind} {words}");
    }
}

#[tokio::test]
async fn a_refusal_that_quotes_a_login_in_part_shows_none_of_it() {
    let words = r#"{"error":"Incorrect API key provided: sk-live-abcdef1234XYZ. user shopuser pass p@ss9word"}"#;
    let answer = "HTTP/1.1 401 \r\ncontent-type: application/json\r\ncontent-length: ";
    let receiver = Receiver::saying(format!("{answer}{}\r\n\r\n{words}", words.len())).await;
    let headers = [("authorization", "Bearer sk-live-abcdef1234XYZ"), ("x-basic", "Basic c2hvcHVzZXI6cEBzczl3b3Jk")];
    let settings = WebhookSettings {
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..settings(&format!("http://{}/hook", receiver.address()))
    };
    let outcome = Webhook::new(settings).expect("is a webhook").send(&outgoing()).await;
    let said = r#"{"error":"Incorrect API key provided: …. user … pass …"}"#;
    assert_eq!(outcome, Outcome::rejected(Reason::Status(401)).saying(Some(said.to_owned())));
}

#[tokio::test]
async fn a_refusal_without_an_end_is_not_listened_to() {
    let receiver = Receiver::start(|mut stream| async move {
        let mut sent = stream.write_all(b"HTTP/1.1 500 \r\ncontent-type: text/plain\r\n\r\nbroken ").await;
        while sent.is_ok() {
            sent = stream.write_all(&[b'x'; 64 * 1024]).await;
        }
    })
    .await;
    let outcome = webhook(receiver.address(), LONG).send(&outgoing()).await;
    assert!(outcome.said().is_some_and(|said| said.starts_with("broken xxx") && said.ends_with('…')), "{outcome:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::with_status(200, "").await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: http://{}/\r\n", elsewhere.address());
        let receiver = Receiver::with_status(status, &location).await;
        let outcome = webhook(receiver.address(), LONG).send(&outgoing()).await;
        assert_eq!(outcome, Outcome::rejected(Reason::Status(status)));
    }
    assert_eq!(elsewhere.requests(), []);
}

#[tokio::test]
async fn a_name_is_called_only_where_its_addresses_may_be() {
    let receiver = Receiver::with_status(200, "").await;
    let url = format!("http://localhost:{}/", receiver.address().port());
    let unlisted = WebhookSettings { allow_networks: Vec::new(), ..settings(&url) };
    let outcome = Webhook::new(unlisted).expect("is a webhook").send(&outgoing()).await;
    let Outcome::Rejected { reason: Reason::AddressRefused(told), .. } = outcome else { panic!("{outcome:?}") };
    assert!(told.contains("is a loopback address; add allow_networks = ["), "{told}");
    assert_eq!(receiver.requests(), []);

    let listed = Webhook::new(settings(&url)).expect("is a webhook");
    assert_eq!(listed.send(&outgoing()).await, Outcome::Delivered);
}

#[tokio::test]
async fn a_name_without_an_address_is_tried_again() {
    // Too long for a name, so that no resolver anywhere is asked for it.
    let url = format!("http://{}.example/", "a".repeat(64));
    let outcome = Webhook::new(settings(&url)).expect("is a webhook").send(&outgoing()).await;
    assert_eq!(outcome, retry(Reason::NameNotFound));
}

#[tokio::test]
async fn a_failed_handshake_is_not_taken_for_a_closed_port() {
    let https = |address: SocketAddr, timeout| {
        let settings = WebhookSettings { timeout, ..settings(&format!("https://{address}/")) };
        Webhook::new(settings).expect("is a webhook")
    };
    let (_listener, silent) = silent_port().await;
    assert_eq!(https(silent, SHORT).send(&outgoing()).await, retry(Reason::Timeout));
    // It greets in plain text, which is no part of a handshake.
    let plain = MailServer::start().await;
    assert_eq!(https(plain.address(), LONG).send(&outgoing()).await, retry(Reason::TlsBecause(TlsFault::NoTls)));
}

#[tokio::test]
async fn a_yes_counts_whatever_becomes_of_its_body() {
    let length = "content-length: 40\r\n\r\n";
    let chunked = "transfer-encoding: chunked\r\n\r\n";
    for body in [
        format!("{length}ok"),
        length.to_owned(),
        format!("{chunked}5\r\nfirst\r\n"),
        format!("{chunked}ff\r\n{{}}"),
        format!("{chunked}no chunk at all"),
        "content-encoding: gzip\r\n\r\nno gzip".to_owned(),
    ] {
        let receiver = Receiver::saying(format!("HTTP/1.1 200 OK\r\n{body}")).await;
        assert_eq!(webhook(receiver.address(), LONG).send(&outgoing()).await, Outcome::Delivered, "{body:?}");
        assert_eq!(receiver.requests().len(), 1, "{body:?}");
    }
    // Neither goes on nor hangs up.
    for timeout in [SHORT, LONG] {
        let receiver = Receiver::start(move |mut stream| async move {
            let _ = stream.write_all(format!("HTTP/1.1 202 \r\n{length}ok").as_bytes()).await;
            let _ = stream.read(&mut [0]).await;
        })
        .await;
        assert_eq!(webhook(receiver.address(), timeout).send(&outgoing()).await, Outcome::Delivered);
    }
}

#[tokio::test]
async fn a_head_that_breaks_off_is_no_answer() {
    let many_headers = "x-filler: 1\r\n".repeat(10_000);
    for (name, answer) in [
        ("nothing", String::new()),
        ("half a head", "HTTP/1.1 200 OK\r\ncontent-le".to_owned()),
        ("no HTTP", "SSH-2.0-OpenSSH_9.9\r\n".to_owned()),
        ("10 000 headers", format!("HTTP/1.1 200 OK\r\n{many_headers}content-length: 0\r\n\r\n")),
    ] {
        let receiver = Receiver::saying(answer).await;
        assert_eq!(webhook(receiver.address(), LONG).send(&outgoing()).await, retry(Reason::Connection), "{name}");
        assert_eq!(receiver.requests().len(), 1, "{name}: the client does not repeat");
    }
}

#[tokio::test]
async fn the_timeout_covers_all_of_the_head_and_a_yes_comes_before_it() {
    /// Says `first` at once and then `again` for ever, a piece every few milliseconds.
    async fn drip(mut stream: TcpStream, first: &'static str, again: &'static str) {
        let mut piece = first;
        while stream.write_all(piece.as_bytes()).await.is_ok() {
            piece = again;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let timeout = || retry(Reason::Timeout);
    for (first, again, expected) in [
        ("", "", timeout()),
        ("HTTP/1.1 200 OK\r\n", "x-filler: 1\r\n", timeout()),
        ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", timeout()),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", ".", Outcome::Delivered),
        ("HTTP/1.1 200 OK\r\n\r\n", ".", Outcome::Delivered),
    ] {
        let receiver = Receiver::start(move |stream| drip(stream, first, again)).await;
        let outcome = webhook(receiver.address(), SHORT).send(&outgoing()).await;
        assert_eq!(outcome, expected, "{first:?} {again:?}");
    }
}

#[tokio::test]
async fn an_endless_yes_is_a_yes_and_is_not_listened_to() {
    // Claims to be packed, and is bytes that a client which unpacks would choke on or swell from.
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"] {
        let hung_up = Arc::new(Notify::new());
        let heard = Arc::clone(&hung_up);
        let receiver = Receiver::start(move |mut stream| {
            let heard = Arc::clone(&heard);
            async move {
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(&[0; 64 * 1024]).await;
                }
                heard.notify_one();
            }
        })
        .await;
        assert_eq!(webhook(receiver.address(), LONG).send(&outgoing()).await, Outcome::Delivered, "{head:?}");
        tokio::time::timeout(LONG, hung_up.notified()).await.expect("the client hangs up");
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_between_requests_costs_at_most_a_retry() {
    // Promises to keep the connection, and closes it when it likes.
    let receiver = Receiver::start(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n").await;
        let mut more = [0; 1];
        let _ = tokio::time::timeout(Duration::from_millis(5), stream.read(&mut more)).await;
    })
    .await;
    let webhook = webhook(receiver.address(), LONG);
    let mut delivered = 0;
    for attempt in 0..20 {
        tokio::time::sleep(Duration::from_millis(attempt % 7)).await;
        match webhook.send(&outgoing()).await {
            Outcome::Delivered => delivered += 1,
            outcome => assert_eq!(outcome, retry(Reason::Connection)),
        }
    }
    assert_eq!(receiver.requests().len(), delivered, "what was not delivered was not seen");
}
