//! What does the Bot API's answer mean?
//!
//! It gives its errors as texts: their first word is that of the HTTP status, and the rest tells a chat that cannot be
//! reached from a message that cannot be sent. The library knows few of the texts and throws the status away, so the
//! answer is read here. The texts are those of the API's own server.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::call::{Answer, End};
use crate::domain::outbox::{Outcome, Reason};

/// How each answer begins, as the server writes it.
const YES: &str = r#"{"ok":true"#;
const NO: &str = r#"{"ok":false"#;

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

/// What is around each answer. What was sent is told in `result`, in a form that changes: a yes is a yes without it.
#[derive(Default, Deserialize)]
struct Envelope {
    ok: bool,
    #[serde(default)]
    description: Option<String>,
    /// Absent unless it says something; of a form that nobody promises.
    #[serde(default)]
    parameters: Value,
}

/// What an answer means. The API's words are not cleaned yet.
pub(super) fn meaning(answer: &Answer) -> Outcome {
    let status = answer.status.as_u16();
    if answer.status.is_redirection() {
        return Outcome::rejected(Reason::Status(status));
    }
    // What has been read of an answer counts: the message was sent, and a repeat would show it twice. But no Bot API
    // says as much as that.
    let read: String = answer.body.chars().filter(|c| !c.is_whitespace()).take(NO.len()).collect();
    let begins = |words: &str| answer.end != End::TooLong && read.starts_with(words);
    // The status of each answer is that of its error, so a good one that breaks off before it says so is a yes.
    let is_cut_yes = answer.status.is_success() && matches!(answer.end, End::Cut(_)) && YES.starts_with(&read);
    match serde_json::from_str::<Envelope>(&answer.body) {
        Ok(Envelope { ok: true, .. }) => Outcome::Delivered,
        Ok(envelope) => refused(answer, envelope),
        Err(_) if begins(YES) || is_cut_yes => Outcome::Delivered,
        Err(_) if begins(NO) => refused(answer, Envelope::default()),
        // A proxy in front of the API, or the API in a hurry.
        Err(_) if matches!(status, 429 | 503) => match answer.retry_after {
            Some(wish) => Outcome::retry_after(Reason::Status(status), wish),
            None => Outcome::retry(Reason::Status(status)),
        },
        Err(_) if answer.status.is_server_error() => Outcome::retry(Reason::Status(status)),
        Err(_) => Outcome::retry(match &answer.end {
            End::Cut(reason) => reason.clone(),
            End::Whole | End::TooLong => Reason::BadAnswer,
        }),
    }
}

fn refused(answer: &Answer, envelope: Envelope) -> Outcome {
    if let Some(id) = envelope.parameters["migrate_to_chat_id"].as_i64() {
        return Outcome::rejected(Reason::ChatMoved(id));
    }
    let wish = envelope.parameters["retry_after"].as_u64().map(Duration::from_secs);
    let outcome = match &envelope.description {
        _ if wish.is_some() => Outcome::retry(Reason::Status(429)),
        Some(said) => answered(said),
        // Cut off before it: the status says as much as its first word.
        None => answered(answer.status.canonical_reason().unwrap_or_default()),
    };
    let outcome = match (outcome.reason(), wish.or(answer.retry_after)) {
        (Some(Reason::Status(429)), Some(wish)) => Outcome::retry_after(Reason::Status(429), wish),
        (Some(Reason::BadAnswer), _) if answer.status.is_server_error() => {
            Outcome::retry(Reason::Status(answer.status.as_u16()))
        }
        _ => outcome,
    };
    outcome.saying(envelope.description)
}

fn answered(text: &str) -> Outcome {
    let begins = |words: &str| text.starts_with(words);
    let of_the_chat = |said: &str| OF_THE_CHAT.iter().any(|words| said.starts_with(words));
    match text.strip_prefix("Bad Request: ") {
        Some(said) if of_the_chat(said) => Outcome::rejected(Reason::RecipientRefused),
        _ if begins("Bad Request") => Outcome::rejected(Reason::Status(400)),
        _ if begins("Forbidden") => Outcome::rejected(Reason::RecipientRefused),
        _ if begins("Unauthorized") || begins("Not Found") => Outcome::rejected(Reason::Unauthorized),
        _ if begins("Request Entity Too Large") || begins("Payload Too Large") => {
            Outcome::rejected(Reason::Status(413))
        }
        _ if begins("Too Many Requests") => Outcome::retry(Reason::Status(429)),
        _ if begins("Internal Server Error") => Outcome::retry(Reason::Status(500)),
        _ if begins("Bad Gateway") => Outcome::retry(Reason::Status(502)),
        _ => Outcome::retry(Reason::BadAnswer),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

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
            let outcome = answered(text);
            assert_eq!(outcome.reason().map(Reason::concerns), Some(concern), "{text}");
            assert_eq!(outcome, expected, "{text}");
        }
    }

    fn answer(status: u16, body: &str, end: End) -> Answer {
        let status = StatusCode::from_u16(status).expect("is a status");
        Answer { status, retry_after: None, body: body.to_owned(), end }
    }

    #[test]
    fn an_answer_is_read_by_its_words_and_its_status() {
        let rejected = Outcome::rejected;
        let retry = |status| Outcome::retry(Reason::Status(status));
        let wished = |seconds| Outcome::retry_after(Reason::Status(429), Duration::from_secs(seconds));
        let bad = || Outcome::retry(Reason::BadAnswer);
        for (status, body, expected) in [
            (200, r#"{"ok":true,"result":{"message_id":1}}"#, Outcome::Delivered),
            (200, r#"{"ok":true,"result":{"message_id":"of a new kind"}}"#, Outcome::Delivered),
            (200, r#"{"result":true}"#, bad()),
            (200, "<html>ok</html>", bad()),
            (200, "", bad()),
            (307, r#"{"ok":true}"#, rejected(Reason::Status(307))),
            (302, "", rejected(Reason::Status(302))),
            (400, r#"{"ok":false,"description":"Bad Request: chat not found"}"#, rejected(Reason::RecipientRefused)),
            (
                400,
                r#"{"ok":false,"description":"x","parameters":{"migrate_to_chat_id":-1002}}"#,
                rejected(Reason::ChatMoved(-1002)),
            ),
            (403, "<html>a firewall</html>", bad()),
            (409, r#"{"ok":false,"description":"Conflict: something new"}"#, bad()),
            (
                429,
                r#"{"ok":false,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#,
                wished(7),
            ),
            (429, r#"{"ok":false,"description":"Too Many Requests","parameters":{}}"#, retry(429)),
            (500, r#"{"ok":false,"description":"Internal Server Error"}"#, retry(500)),
            (503, r#"{"ok":false,"description":"something new"}"#, retry(503)),
            (502, "<html>502</html>", retry(502)),
        ] {
            assert_eq!(meaning(&answer(status, body, End::Whole)).saying(None), expected, "{status} {body}");
        }
        let headed = Answer { retry_after: Some(Duration::from_secs(9)), ..answer(429, NO, End::Cut(Reason::Timeout)) };
        assert_eq!(meaning(&headed), wished(9));
    }

    #[test]
    fn what_has_been_read_of_an_answer_counts() {
        let cut = || End::Cut(Reason::Connection);
        let yes = r#"{"ok":true,"result":{"message_"#;
        for (status, body, end, expected) in [
            (200, yes, cut(), Outcome::Delivered),
            (200, yes, End::Cut(Reason::Timeout), Outcome::Delivered),
            // No Bot API says so much.
            (200, yes, End::TooLong, Outcome::retry(Reason::BadAnswer)),
            (200, "{\"ok\": true, \"result\": {\n", cut(), Outcome::Delivered),
            (200, "", cut(), Outcome::Delivered),
            (200, r#"{"o"#, End::Cut(Reason::Timeout), Outcome::Delivered),
            (200, "", End::Whole, Outcome::retry(Reason::BadAnswer)),
            (200, "<html>", cut(), Outcome::retry(Reason::Connection)),
            (502, "", cut(), Outcome::retry(Reason::Status(502))),
            (403, r#"{"ok":false,"descr"#, cut(), Outcome::rejected(Reason::RecipientRefused)),
            (400, r#"{"ok":false,"error_co"#, cut(), Outcome::rejected(Reason::Status(400))),
            (413, r#"{"ok":false"#, cut(), Outcome::rejected(Reason::Status(413))),
            (502, "<html", cut(), Outcome::retry(Reason::Status(502))),
        ] {
            assert_eq!(meaning(&answer(status, body, end)), expected, "{status} {body}");
        }
    }
}
