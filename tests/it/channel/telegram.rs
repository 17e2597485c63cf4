//! Chats and the answers that only the Bot API gives.

use posbell::domain::event::Severity;
use posbell::domain::outbox::{Outcome, Reason};
use posbell::edge::channel::Outgoing;
use posbell::edge::channel::telegram::{ChatTarget, Telegram, TelegramSettings};
use secrecy::SecretString;

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
async fn a_server_error_is_tried_again_even_when_the_library_waits_longer_than_the_timeout() {
    let api = BotApi::start().await;
    for answer in [Answer::Error(500, "Internal Server Error"), Answer::Html] {
        api.answer(answer);
        let telegram = Telegram::new(TelegramSettings { timeout: SHORT, ..settings(&api) });
        let outcome = telegram.expect("is a Telegram channel").send(&outgoing()).await;
        assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    }
}
