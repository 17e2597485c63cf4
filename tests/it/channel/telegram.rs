//! Chats and the answers that only the Bot API gives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posbell::domain::event::Severity;
use posbell::domain::outbox::{Outcome, Reason};
use posbell::edge::channel::Outgoing;
use posbell::edge::channel::telegram::{ChatTarget, Telegram, TelegramSettings};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::receiver::Receiver;
use super::{LONG, SHORT, outgoing};
use crate::support::telegram::{Answer, BotApi, Message};

fn telegram(api: &BotApi) -> Telegram {
    Telegram::new(settings(api)).expect("is a Telegram channel")
}

fn settings(api: &BotApi) -> TelegramSettings {
    TelegramSettings {
        token: SecretString::from("123456789:AbC-dEf"),
        chat_id: ChatTarget::Id(-1_001_234_567_890),
        api_url: Some(api.url().parse().expect("is a URL")),
        silent: vec![Severity::Info],
        timeout: LONG,
    }
}

#[tokio::test]
async fn a_message_reaches_the_chat_as_plain_text() {
    let api = BotApi::start().await;
    assert_eq!(telegram(&api).send(&outgoing()).await, Outcome::Delivered);
    let expected = Message {
        path: "/bot123456789:AbC-dEf/SendMessage".to_owned(),
        chat_id: -1_001_234_567_890,
        text: "ของหมด: น้ำดื่ม\nเหลือ 0".to_owned(),
        without_preview: true,
        without_sound: false,
    };
    assert_eq!(api.messages(), [expected]);
}

#[tokio::test]
async fn what_is_only_good_to_know_makes_no_sound() {
    let api = BotApi::start().await;
    for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
        let outgoing = Outgoing { severity, ..outgoing() };
        assert_eq!(telegram(&api).send(&outgoing).await, Outcome::Delivered);
    }
    let without_sound: Vec<bool> = api.messages().iter().map(|message| message.without_sound).collect();
    assert_eq!(without_sound, [true, false, false]);
}

#[tokio::test]
async fn a_yes_in_another_form_is_not_sent_twice() {
    let api = BotApi::start().await;
    api.answer(Answer::TakeInAnotherForm);
    assert_eq!(telegram(&api).send(&outgoing()).await, Outcome::Delivered);
}

#[tokio::test]
async fn a_chat_that_is_gone_is_rejected_as_the_recipient() {
    let api = BotApi::start().await;
    for (code, description) in [
        (400, "Bad Request: chat not found"),
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (403, "Forbidden: bot is not a member of the channel chat"),
    ] {
        api.answer(Answer::Error(code, description));
        let outcome = telegram(&api).send(&outgoing()).await;
        let expected = Outcome::rejected(Reason::RecipientRefused).saying(Some(description.to_owned()));
        assert_eq!(outcome, expected);
    }
}

#[tokio::test]
async fn a_server_error_is_tried_again_and_heard_at_once() {
    let api = BotApi::start().await;
    for (answer, status) in [(Answer::Error(500, "Internal Server Error"), 500), (Answer::Html, 502)] {
        api.answer(answer);
        let outcome = telegram(&api).send(&outgoing()).await;
        assert_eq!(outcome.saying(None), Outcome::retry(Reason::Status(status)));
    }
}

/// A channel whose Bot API is there.
fn at(address: SocketAddr, timeout: Duration) -> Telegram {
    let settings = TelegramSettings {
        token: SecretString::from("123456789:AbC-dEf"),
        chat_id: ChatTarget::Id(5),
        api_url: Some(format!("http://{address}/").parse().expect("is a URL")),
        silent: Vec::new(),
        timeout,
    };
    Telegram::new(settings).expect("is a Telegram channel")
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::with_status(200, "").await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: http://{}/\r\n", elsewhere.address());
        let api = Receiver::with_status(status, &location).await;
        let outcome = at(api.address(), LONG).send(&outgoing()).await;
        assert_eq!(outcome, Outcome::rejected(Reason::Status(status)));
        assert_eq!(api.requests().len(), 1);
    }
    assert_eq!(elsewhere.requests(), []);
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    for (first, again) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\n\r\n{\"ok\":true,\"result\":\"", "x"),
        ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", "\0"),
        ("HTTP/1.1 200 OK\r\n", "x-filler: 1\r\n"),
    ] {
        let poured = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&poured);
        let api = Receiver::start(move |mut stream| {
            let counted = Arc::clone(&counted);
            async move {
                let again = again.repeat(64 * 1024 / again.len());
                let mut sent = stream.write_all(first.as_bytes()).await;
                while sent.is_ok() {
                    counted.fetch_add(again.len(), Ordering::Relaxed);
                    sent = stream.write_all(again.as_bytes()).await;
                }
            }
        })
        .await;
        let outcome = at(api.address(), LONG).send(&outgoing()).await;
        assert!(matches!(outcome, Outcome::Retry { .. }), "{first:?}: {outcome:?}");
        println!("{first:?}: {} KiB left the server, its buffers included", poured.load(Ordering::Relaxed) / 1024);
    }
}

#[tokio::test]
async fn what_has_been_read_of_an_answer_counts() {
    let length = "content-length: 400\r\n";
    for (answer, expected) in [
        (format!("HTTP/1.1 200 OK\r\n{length}\r\n{{\"ok\":true,\"res"), Outcome::Delivered),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"ok\":true".to_owned(), Outcome::Delivered),
        (format!("HTTP/1.1 200 OK\r\n{length}\r\n"), Outcome::Delivered),
        (format!("HTTP/1.1 403 \r\n{length}\r\n{{\"ok\":false,"), Outcome::rejected(Reason::RecipientRefused)),
        (format!("HTTP/1.1 502 \r\n{length}\r\n<html>"), Outcome::retry(Reason::Status(502))),
        ("HTTP/1.1 200 OK\r\ncontent-le".to_owned(), Outcome::retry(Reason::Connection)),
    ] {
        let api = Receiver::saying(answer.clone()).await;
        assert_eq!(at(api.address(), LONG).send(&outgoing()).await, expected, "{answer}");
        assert_eq!(api.requests().len(), 1, "{answer}: the client does not repeat");
    }
    let slow = Receiver::start(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"ok\":true,").await;
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    assert_eq!(at(slow.address(), SHORT).send(&outgoing()).await, Outcome::Delivered);
}
