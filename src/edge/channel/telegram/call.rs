//! How does a method of the Bot API reach its server, and how much of the answer is read?
//!
//! The library makes the methods, their names and their JSON. Its own way to the server is not taken: that follows
//! redirects with the text of the message, reads an answer without a bound, sleeps for 10 s on a 5xx, and trusts a list
//! of CAs of its own instead of the machine's.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use serde::Serialize;
use teloxide::net::TELEGRAM_API_URL;
use teloxide::requests::Payload;
use url::Url;

use super::TelegramError;
use crate::domain::model::Timestamp;
use crate::domain::outbox::Reason;
use crate::edge::channel::retry_after;
use crate::edge::channel::transport::reason_of;
use crate::edge::http::client_of;

/// How much of an answer is read. The longest one repeats the message, which takes some tens of kilobytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// One bot at one server. Not `Debug`: the address has the token in it.
pub(super) struct Api {
    client: Client,
    /// Where its methods are, one behind another.
    bot: Url,
}

/// What the server has said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// For how long the server wishes to be left alone, from the answer's head.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
    pub(super) end: End,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The call cannot be written down.
    Unwritable,
    /// It was not answered.
    Failed(Reason),
}

/// How the body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Where it should.
    Whole,
    /// It broke off.
    Cut(Reason),
    /// It was longer than any answer and was not read any further.
    TooLong,
}

impl Api {
    /// The bot with this token, which is one. No connection is made.
    pub(super) fn new(token: &str, api_url: Option<Url>, timeout: Duration) -> Result<Api, TelegramError> {
        let telegrams = || Url::parse(TELEGRAM_API_URL).expect("the library's own address is a URL");
        let mut bot = api_url.unwrap_or_else(telegrams);
        if !matches!(bot.scheme(), "http" | "https") || !bot.has_host() {
            return Err(TelegramError::BadApiUrl);
        }
        // `https://host/bots/` and `https://host/bots` are the same to whoever writes them.
        let mut path = bot.path_segments_mut().map_err(|()| TelegramError::BadApiUrl)?;
        path.pop_if_empty().push(&format!("bot{token}"));
        drop(path);
        let client = client_of(&bot, timeout).build().map_err(|_| TelegramError::Client)?;
        Ok(Api { client, bot })
    }

    /// Where the bot is, token and all. Not to be shown.
    pub(super) fn address(&self) -> &Url {
        &self.bot
    }

    /// Calls a method at this time: one request.
    pub(super) async fn call<P: Payload + Serialize>(&self, payload: &P, at: Timestamp) -> Result<Answer, NoAnswer> {
        let mut url = self.bot.clone();
        url.path_segments_mut().map_err(|()| NoAnswer::Unwritable)?.push(P::NAME);
        let body = serde_json::to_vec(payload).map_err(|_| NoAnswer::Unwritable)?;
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        let mut response = request.send().await.map_err(|error| NoAnswer::Failed(failed(&error)))?;
        let (status, retry_after) = (response.status(), retry_after::wish(response.headers(), at));
        let mut bytes = Vec::new();
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > ANSWER_LIMIT => break End::TooLong,
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break End::Whole,
                Err(error) => break End::Cut(failed(&error)),
            }
        };
        Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&bytes).into_owned(), end })
    }
}

/// Why there was no answer. Leaves the error's text, which holds the URL.
fn failed(error: &reqwest::Error) -> Reason {
    if error.is_timeout() { Reason::Timeout } else { reason_of(error) }
}
