//! How does a message reach a Telegram chat, and what does the Bot API's answer mean?
//!
//! The token is part of the URL of every call, and the errors of the HTTP client print that URL. So errors are taken
//! apart and never shown: what comes back is an [`Outcome`] of closed words, with the API's own description, cleaned.
//! What has the token in it is not `Debug` but the settings, which hide it.
//!
//! It refuses to repeat, to follow a redirect (the text of the message would go with it), to use markup (a product's name
//! is not ours to escape), and to follow a group that moved: whose chat that is a person must say.

mod answer;
mod call;
mod chat;

use std::fmt;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use teloxide::payloads::SendMessage;
use teloxide::types::LinkPreviewOptions;
use url::Url;

pub use chat::ChatTarget;

use self::call::{Api, NoAnswer};
use super::said::Secrets;
use super::{Outgoing, SharedLimit, credentials};
use crate::domain::event::Severity;
use crate::domain::message::{Text, cut_utf16};
use crate::domain::outbox::{Outcome, Rate, Reason};

/// The longest text that `sendMessage` takes, in UTF-16 code units, which is what Telegram counts.
const TEXT_LIMIT: usize = 4096;

/// What the Bot API takes into one chat: the first of each, the second of a group or channel besides.
const CHAT_RATES: [Rate; 2] = [(1, Duration::from_secs(1)), (20, Duration::from_secs(60))];

/// What it takes from one bot into all chats together.
const BOT_RATE: Rate = (30, Duration::from_secs(1));

/// What `[channel.NAME]` says of a chat.
#[derive(Clone)]
pub struct TelegramSettings {
    /// The bot's token.
    pub token: SecretString,
    /// The chat.
    pub chat_id: ChatTarget,
    /// A Bot API server of one's own; Telegram's, if not given.
    pub api_url: Option<Url>,
    /// Messages that matter so much or so little make no sound.
    pub silent: Vec<Severity>,
    /// For the whole call.
    pub timeout: Duration,
}

impl TelegramSettings {
    /// All that they say, secrets too, to see whether they have changed. Not to be shown.
    pub fn parts(&self) -> Vec<String> {
        let api_url = self.api_url.as_ref().map_or(String::new(), Url::to_string);
        vec![self.token.expose_secret().to_owned(), self.chat_id.to_string(), api_url, format!("{:?}", self.timeout)]
    }
}

impl fmt::Debug for TelegramSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramSettings").field("chat_id", &self.chat_id).finish_non_exhaustive()
    }
}

/// Settings that make no Telegram channel. Names what is wrong, never its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TelegramError {
    /// The token has not the form `123456:letters`.
    #[error("the token has not the form 123456789:AbC…, as the BotFather gives it")]
    BadToken,
    /// Neither `http` nor `https`, or no host.
    #[error("api_url must be http:// or https:// with a host")]
    BadApiUrl,
    /// The HTTP client could not be made; on a machine without CA certificates, for one.
    #[error("the HTTPS client could not be made; are the system's CA certificates installed?")]
    Client,
}

/// A Telegram channel.
pub struct Telegram {
    api: Api,
    chat: ChatTarget,
    silent: Vec<Severity>,
    /// Tells its bot from others without its token.
    key: String,
    /// What no answer may show.
    hidden: Secrets,
}

impl Telegram {
    /// Checks the settings. Nothing is sent.
    pub fn new(settings: TelegramSettings) -> Result<Self, TelegramError> {
        let TelegramSettings { token, chat_id, api_url, silent, timeout } = settings;
        let token = token.expose_secret().trim();
        if !is_token(token) {
            return Err(TelegramError::BadToken);
        }
        let mut secrets = vec![token.to_owned()];
        secrets.extend(token.split_once(':').map(|(_, secret)| secret.to_owned()));
        secrets.extend(api_url.as_ref().map(credentials::of_url).into_iter().flatten());
        let api = Api::new(token, api_url, timeout)?;
        let (hidden, key) = (Secrets::new(secrets), key_of(&api));
        Ok(Self { api, chat: chat_id, silent, key, hidden })
    }

    /// What holds back its messages: the chat, and the bot with all its chats.
    pub(super) fn limits(&self, rate: Option<&[Rate]>) -> Vec<SharedLimit> {
        let bot = &self.key;
        // A person's chat is known by the person's number.
        let usual = if self.chat.is_person() { &CHAT_RATES[..1] } else { &CHAT_RATES };
        vec![
            SharedLimit { key: format!("{bot} {}", self.chat), rates: rate.unwrap_or(usual).to_vec() },
            SharedLimit { key: bot.clone(), rates: vec![BOT_RATE] },
        ]
    }

    /// Makes one attempt.
    pub async fn send(&self, outgoing: &Outgoing) -> Outcome {
        let mut message = SendMessage::new(self.chat.recipient(), cut(&outgoing.text));
        // A preview would fetch and show a page that nobody asked for.
        message.link_preview_options = Some(LinkPreviewOptions {
            is_disabled: true,
            url: None,
            prefer_small_media: false,
            prefer_large_media: false,
            show_above_text: false,
        });
        message.disable_notification = self.silent.contains(&outgoing.severity).then_some(true);
        let outcome = match self.api.call(&message, outgoing.at).await {
            Ok(answer) => answer::meaning(&answer),
            Err(NoAnswer::Failed(reason)) => Outcome::retry(reason),
            Err(NoAnswer::Unwritable) => {
                Outcome::rejected(Reason::Unsendable("it cannot be written as JSON".to_owned()))
            }
        };
        let said = outcome.said().and_then(|words| self.hidden.clean(words, outgoing));
        outcome.saying(said)
    }
}

/// The same for the same bot at the same server, and of no use to whoever wants its token.
fn key_of(api: &Api) -> String {
    let digest = digest(&SHA256, api.address().as_str().as_bytes());
    let hex: String = digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("bot {hex}")
}

/// Whether this is a bot's number, a colon and letters. Anything else would end up in the path of a URL.
fn is_token(text: &str) -> bool {
    text.split_once(':').is_some_and(|(number, secret)| {
        let of = |text: &str, good: fn(u8) -> bool| !text.is_empty() && text.bytes().all(good);
        of(number, |byte| byte.is_ascii_digit())
            && of(secret, |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    })
}

/// `title`, a line break, `body`; cut with an ellipsis where Telegram's limit is.
fn cut(text: &Text) -> String {
    let whole = if text.body.is_empty() { text.title.clone() } else { format!("{}\n{}", text.title, text.body) };
    cut_utf16(&whole, TEXT_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "123456789:AAF7-g0gYncWnm5IyfZlpPRqRRv6kNAGlao";

    fn settings(token: &str, api_url: Option<&str>) -> TelegramSettings {
        TelegramSettings {
            token: SecretString::from(token),
            chat_id: (-1001).into(),
            api_url: api_url.map(|url| Url::parse(url).expect("is a URL")),
            silent: Vec::new(),
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn a_token_that_would_change_the_url_is_refused() {
        for (token, api_url, expected) in [
            (TOKEN, None, None),
            ("123:abc\n", None, None),
            (TOKEN, Some("http://127.0.0.1:8081/bots/"), None),
            ("", None, Some(TelegramError::BadToken)),
            ("hunter2", None, Some(TelegramError::BadToken)),
            ("123:", None, Some(TelegramError::BadToken)),
            ("123:a/../b", None, Some(TelegramError::BadToken)),
            ("bot123:abc", None, Some(TelegramError::BadToken)),
            (TOKEN, Some("ftp://127.0.0.1/"), Some(TelegramError::BadApiUrl)),
            (TOKEN, Some("mailto:a@b.example"), Some(TelegramError::BadApiUrl)),
        ] {
            assert_eq!(Telegram::new(settings(token, api_url)).err(), expected, "{token:?} {api_url:?}");
        }
        let printed = format!("{:?}", settings(TOKEN, Some("http://127.0.0.1/hunter2")));
        assert_eq!(printed, "TelegramSettings { chat_id: -1001, .. }");
    }

    #[test]
    fn channels_of_one_bot_and_chat_share_their_limits() {
        let limits = |token: &str, chat: i64, rate: Option<&[Rate]>| {
            let telegram = Telegram::new(TelegramSettings { chat_id: chat.into(), ..settings(token, None) });
            telegram.expect("is a channel").limits(rate)
        };
        let group = limits(TOKEN, -1001, None);
        assert_eq!(limits(TOKEN, -1001, None), group);
        assert_eq!([&group[0].rates[..], &group[1].rates], [&CHAT_RATES[..], &[BOT_RATE]]);
        let person = limits(TOKEN, 1001, None);
        assert_eq!(
            (person[0].rates.len(), person[0].key == group[0].key, person[1].key == group[1].key),
            (1, false, true)
        );
        assert_ne!(limits("123:abc", -1001, None)[1].key, group[1].key);
        let own = limits(TOKEN, -1001, Some(&[(5, Duration::from_secs(1))]));
        assert_eq!((own[0].rates.as_slice(), &own[1]), ([(5, Duration::from_secs(1))].as_slice(), &group[1]));
        assert!(group.iter().all(|limit| !limit.key.contains("AAF7")), "{group:?}");
    }

    #[test]
    fn a_text_is_cut_where_telegram_counts() {
        let text = |title: &str, body: &str| cut(&Text { title: title.to_owned(), body: body.to_owned() });
        assert_eq!(text("title", ""), "title");
        assert_eq!(text("title", "body"), "title\nbody");
        // Thai letters are one unit each, these faces two.
        for (letter, units, fits) in [("ก", 1, 4096), ("😀", 2, 2048), ("🇹🇭", 4, 1024)] {
            assert_eq!(text(&letter.repeat(fits), ""), letter.repeat(fits));
            let longer = text(&letter.repeat(fits + 1), "");
            assert!(longer.ends_with(&format!("{letter}…")), "{letter}");
            let count = longer.encode_utf16().count();
            assert!((TEXT_LIMIT - units + 1..=TEXT_LIMIT).contains(&count), "{letter}: {count}");
        }
    }
}
