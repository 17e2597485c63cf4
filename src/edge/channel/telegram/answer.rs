//! What does the Bot API's answer mean?
//!
//! It gives its errors as texts: their first word is that of the HTTP status, and the rest tells a chat that cannot be
//! reached from a message that cannot be sent. The library knows few of the texts, so its variants are turned back into
//! texts and read here. The texts are those of the API's own server.

use teloxide::types::ChatId;
use teloxide::{ApiError, RequestError};

use super::reason_of;
use crate::domain::outbox::{Outcome, Reason};

/// What a `400` says of the chat, and not of the message: by what it begins with, behind `Bad Request: `.
const OF_THE_CHAT: [&str; 18] = [
    "chat not found",
    "user not found",
    "group is deactivated",
    "group chat was deactivated",
    "the group chat was deleted",
    "group chat was upgraded",
    "not enough rights",
    "have no rights to send",
    "have no write access",
    "need administrator rights",
    "bot is not a member",
    "message thread not found",
    "TOPIC_CLOSED",
    "TOPIC_DELETED",
    "CHAT_WRITE_FORBIDDEN",
    "CHAT_RESTRICTED",
    "CHAT_ADMIN_REQUIRED",
    "PEER_ID_INVALID",
];

/// What a failed call means. The API's words are not cleaned yet.
pub(super) fn failed(error: &RequestError) -> Outcome {
    match error {
        RequestError::RetryAfter(wish) => {
            let said = format!("Too Many Requests: retry after {}", wish.seconds());
            Outcome::retry_after(Reason::Status(429), wish.duration()).saying(Some(said))
        }
        RequestError::MigrateToChatId(ChatId(id)) => Outcome::rejected(Reason::ChatMoved(*id)),
        RequestError::Api(error) => answered(&text_of(error)),
        // The message was sent: only what is told about it has a shape that this version of the library does not
        // know. A repeat would show it twice.
        RequestError::InvalidJson { raw, .. } if says_ok(raw) => Outcome::Delivered,
        RequestError::InvalidJson { .. } => Outcome::retry(Reason::BadAnswer),
        RequestError::Network(error) if error.is_timeout() => Outcome::retry(Reason::Timeout),
        RequestError::Network(error) => Outcome::retry(reason_of(error.as_ref())),
        RequestError::Io(error) => Outcome::retry(reason_of(error.as_ref())),
    }
}

/// The API's own text, also where the library has a word of its own for it.
fn text_of(error: &ApiError) -> String {
    match error {
        ApiError::Unknown(text) => text.clone(),
        // Also of a URL that the API does not know, which the library tells as the same.
        ApiError::InvalidToken => "Unauthorized".to_owned(),
        known => known.to_string(),
    }
}

fn answered(text: &str) -> Outcome {
    let begins = |words: &str| text.starts_with(words);
    let of_the_chat = |said: &str| OF_THE_CHAT.iter().any(|words| said.starts_with(words));
    let outcome = match text.strip_prefix("Bad Request: ") {
        Some(said) if of_the_chat(said) => Outcome::rejected(Reason::RecipientRefused),
        _ if begins("Bad Request") => Outcome::rejected(Reason::Status(400)),
        _ if begins("Forbidden") => Outcome::rejected(Reason::RecipientRefused),
        _ if begins("Unauthorized") || begins("Not Found") => Outcome::rejected(Reason::Unauthorized),
        _ if begins("Request Entity Too Large") => Outcome::rejected(Reason::Status(413)),
        _ if begins("Too Many Requests") => Outcome::retry(Reason::Status(429)),
        _ if begins("Internal Server Error") => Outcome::retry(Reason::Status(500)),
        _ if begins("Bad Gateway") => Outcome::retry(Reason::Status(502)),
        _ => Outcome::retry(Reason::BadAnswer),
    };
    outcome.saying(Some(text.to_owned()))
}

/// Whether an answer that could not be understood begins with a yes.
fn says_ok(raw: &str) -> bool {
    let answer: Option<serde_json::Value> = serde_json::from_str(raw).ok();
    answer.is_some_and(|answer| answer.get("ok") == Some(&serde_json::Value::Bool(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outbox::Concern;

    #[test]
    fn what_the_bot_api_says_decides_what_follows() {
        let unauthorized = || Outcome::rejected(Reason::Unauthorized);
        let refused = || Outcome::rejected(Reason::RecipientRefused);
        let status = |status| Outcome::rejected(Reason::Status(status));
        let (channel, message, way) = (Concern::Channel, Concern::Message, Concern::Way);
        for (text, expected, concern) in [
            ("Unauthorized", unauthorized(), channel),
            ("Not Found", unauthorized(), channel),
            ("Not Found: method not found", unauthorized(), channel),
            ("Unauthorized: invalid token specified", unauthorized(), channel),
            ("Forbidden: bot was blocked by the user", refused(), channel),
            ("Forbidden: bot was kicked from the group chat", refused(), channel),
            ("Forbidden: bot was kicked from the supergroup chat", refused(), channel),
            ("Forbidden: bot is not a member of the channel chat", refused(), channel),
            ("Forbidden: user is deactivated", refused(), channel),
            ("Bad Request: chat not found", refused(), channel),
            ("Bad Request: group is deactivated", refused(), channel),
            ("Bad Request: not enough rights to send text messages to the chat", refused(), channel),
            ("Bad Request: have no write access to the chat", refused(), channel),
            ("Bad Request: need administrator rights in the channel chat", refused(), channel),
            ("Bad Request: CHAT_WRITE_FORBIDDEN", refused(), channel),
            ("Bad Request: message thread not found", refused(), channel),
            ("Bad Request: TOPIC_CLOSED", refused(), channel),
            ("Bad Request: message text is empty", status(400), message),
            ("Bad Request: text must be non-empty", status(400), message),
            ("Bad Request: message is too long", status(400), message),
            ("Bad Request: text is too long", status(400), message),
            ("Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 3", status(400), message),
            ("Bad Request: something new", status(400), message),
            ("Request Entity Too Large", status(413), message),
            ("Too Many Requests: retry later", Outcome::retry(Reason::Status(429)), way),
            ("Internal Server Error", Outcome::retry(Reason::Status(500)), way),
            ("Bad Gateway", Outcome::retry(Reason::Status(502)), way),
            ("something new", Outcome::retry(Reason::BadAnswer), way),
        ] {
            let error: ApiError = serde_json::from_value(text.into()).expect("is an error");
            let outcome = answered(&text_of(&error));
            assert!(outcome.said().is_some(), "{text}");
            assert_eq!(outcome.reason().map(Reason::concerns), Some(concern), "{text}");
            assert_eq!(outcome.saying(None), expected, "{text}");
        }
    }

    #[test]
    fn the_words_are_those_of_the_api() {
        for text in [
            "Bad Request: chat not found",
            "Forbidden: bot was blocked by the user",
            "Bad Request: need administrator rights in the channel chat",
            "Bad Request: something new",
        ] {
            let error: ApiError = serde_json::from_value(text.into()).expect("is an error");
            assert_eq!(text_of(&error), text);
        }
    }

    #[test]
    fn a_yes_of_unknown_shape_is_a_yes() {
        for (raw, expected) in [
            (r#"{"ok":true,"result":{"message_id":"of a new kind"}}"#, true),
            (r#"{"ok":false,"result":{}}"#, false),
            (r#"{"result":true}"#, false),
            ("<html>ok</html>", false),
            ("", false),
        ] {
            assert_eq!(says_ok(raw), expected, "{raw}");
        }
    }
}
