//! `[channel.NAME]` and `[delivery]`.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::secret::{self, SecretRef};
use super::value;
use crate::domain::document::{Placed, Scalar, Table, choice, suggestion};
use crate::domain::event::Severity;
use crate::domain::mistake::Mistake;
use crate::domain::model::ChannelName;
use crate::domain::outbox::RetryPolicy;
use crate::edge::channel::email::{Hello, SmtpServer};
use crate::edge::channel::telegram::ChatTarget;
use crate::edge::channel::webhook::address::refused_here;
use crate::edge::pospos::quota::QuotaLimit;

/// The types of channels that this version has.
const TYPES: &[&str] = &["webhook", "email", "telegram"];

/// One channel.
#[derive(Debug, Clone)]
pub struct ChannelConfig {
    /// Its name in rules and listings.
    pub name: ChannelName,
    /// Where it is written.
    pub span: Range<usize>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How many attempts may be under way at once.
    pub concurrency: usize,
    /// How many calls may be made in how long; all hold at once. `None` leaves it to the kind of channel.
    pub rate: Option<Vec<(u32, Duration)>>,
    /// Up to how many events one request may carry in an array; `None` for one event a request. Webhooks only.
    pub batch: Option<usize>,
    /// When failed messages are tried again.
    pub retry: RetryPolicy,
    /// What it is.
    pub kind: ChannelKind,
}

impl ChannelConfig {
    /// Whether a person reads what is sent there.
    pub fn is_for_people(&self) -> bool {
        match self.kind {
            ChannelKind::Webhook { .. } => false,
            ChannelKind::Email { .. } | ChannelKind::Telegram { .. } => true,
        }
    }
}

/// What a channel is.
#[derive(Debug, Clone)]
pub enum ChannelKind {
    /// HTTP POST.
    Webhook {
        /// Where to.
        url: Url,
        /// Signing secrets; several while one is being replaced.
        secrets: Vec<SecretRef>,
        /// Extra headers.
        headers: Vec<(String, String)>,
        /// Private addresses that may be called.
        allow_networks: Vec<IpNet>,
    },
    /// SMTP.
    Email {
        /// The mail server.
        smtp: SmtpServer,
        /// The password of its login.
        password: Option<SecretRef>,
        /// The sender.
        from: String,
        /// The recipients; each gets a delivery of its own.
        to: Vec<String>,
        /// The name in `EHLO`; this machine's, if not given.
        ehlo: Option<Hello>,
    },
    /// A Telegram chat.
    Telegram {
        /// The bot's token.
        token: SecretRef,
        /// The chat.
        chat_id: ChatTarget,
        /// The severities that make no sound.
        silent: Vec<Severity>,
        /// A Bot API server of one's own.
        api_url: Option<Url>,
    },
}

pub(super) fn read(
    name: &Placed<String>,
    mut table: Table<'_>,
    dir: &Path,
    delivery: &RetryPolicy,
    mistakes: &mut Vec<Mistake>,
) -> Option<ChannelConfig> {
    let channel_name = ChannelName::new(name.value.as_str());
    if let Err(error) = &channel_name {
        mistakes.push(name.mistake(format!("the name of a channel {error}")));
    }
    let written = table.require::<String>("type", mistakes)?;
    let timeout = value::duration(&mut table, "timeout", mistakes).unwrap_or(Duration::from_secs(15));
    let retry = policy(&mut table, delivery, mistakes);
    let rate = rate(&mut table, mistakes);
    let batch = if written.value == "webhook" { batch(&mut table, mistakes) } else { None };
    let (kind, concurrency) = match written.value.as_str() {
        "webhook" => (webhook(&mut table, dir, mistakes), concurrency(&mut table, 4, mistakes)),
        "email" => (email(&mut table, dir, mistakes), concurrency(&mut table, 1, mistakes)),
        "telegram" => (telegram(&mut table, dir, mistakes), concurrency(&mut table, 1, mistakes)),
        other => {
            mistakes.push(unknown_type(&written, other));
            return None;
        }
    };
    table.misplaced("batch", "webhook channels", mistakes);
    table.misplaced("ehlo", "email channels", mistakes);
    table.misplaced("silent", "telegram channels", mistakes);
    table.finish(&["format", "order", "include_raw", "monthly_budget"], mistakes);
    let span = name.span.clone();
    Some(ChannelConfig { name: channel_name.ok()?, span, timeout, concurrency, rate, batch, retry, kind: kind? })
}

fn unknown_type(written: &Placed<String>, other: &str) -> Mistake {
    if other == "line" {
        return written.mistake("`line` channels do not work in this version of posbell yet");
    }
    let mistake = written.mistake(format!("there are no `{other}` channels"));
    match suggestion(other, TYPES.iter().copied()) {
        Some(alike) => mistake.help(format!("did you mean `{alike}`?")),
        None => mistake.help(format!("a channel is one of: {}", TYPES.join(", "))),
    }
}

fn concurrency(table: &mut Table<'_>, standard: usize, mistakes: &mut Vec<Mistake>) -> usize {
    let Some(placed) = table.take::<usize>("concurrency", mistakes) else { return standard };
    if !(1..=64).contains(&placed.value) {
        mistakes.push(placed.mistake("`concurrency` must be from 1 to 64"));
    }
    placed.value
}

/// `rate = ["20/1s"]`, in the form of a shop's quota.
fn rate(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Option<Vec<(u32, Duration)>> {
    let written = table.take::<Vec<toml::Spanned<String>>>("rate", mistakes)?;
    if written.value.is_empty() {
        mistakes.push(written.mistake("`rate` is empty").help("write it as `[\"20/1s\"]`, or leave it out"));
    }
    let mut limits = Vec::new();
    for spot in written.value {
        match spot.get_ref().parse::<QuotaLimit>() {
            Ok(limit) => limits.push((limit.calls, limit.window)),
            Err(error) => {
                let mistake = Mistake::new(spot.span(), format!("`rate`: `{}`: {error}", spot.get_ref()));
                mistakes.push(mistake.help("write it as `20/1s`"));
            }
        }
    }
    Some(limits)
}

/// The most events that one request may carry.
const BATCH_MOST: usize = 1000;

fn batch(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Option<usize> {
    let placed = table.take::<usize>("batch", mistakes)?;
    if !(1..=BATCH_MOST).contains(&placed.value) {
        mistakes.push(placed.mistake(format!("`batch` must be from 1 to {BATCH_MOST}")));
    }
    Some(placed.value)
}

fn webhook(table: &mut Table<'_>, dir: &Path, mistakes: &mut Vec<Mistake>) -> Option<ChannelKind> {
    let url = value::required_http_url(table, "url", mistakes);
    let secrets = secret::take_list(table, "secret", dir, mistakes);
    let headers = table.table("headers", mistakes).map(|headers| headers.rest::<String>(mistakes));
    let headers = headers.into_iter().flatten().map(|(name, value)| (name.value, value.value)).collect();
    let networks = table.take::<Vec<toml::Spanned<String>>>("allow_networks", mistakes);
    let mut allow_networks = Vec::new();
    for spot in networks.map(|placed| placed.value).unwrap_or_default() {
        let written = spot.get_ref();
        match written.parse::<IpNet>().or_else(|_| written.parse::<std::net::IpAddr>().map(IpNet::from)) {
            Ok(network) => allow_networks.push(network),
            Err(_) => mistakes.push(
                Mistake::new(spot.span(), format!("`{written}` is no network")).help("write it as `192.168.1.0/24`"),
            ),
        }
    }
    if let Some(url) = &url
        && let Some(refused) = refused_here(&url.value, &allow_networks)
    {
        mistakes.push(url.mistake(refused));
    }
    Some(ChannelKind::Webhook { url: url?.value, secrets, headers, allow_networks })
}

fn email(table: &mut Table<'_>, dir: &Path, mistakes: &mut Vec<Mistake>) -> Option<ChannelKind> {
    let smtp = table.require::<String>("smtp", mistakes);
    let password = secret::take(table, "password", dir, mistakes);
    let from = table.require::<String>("from", mistakes);
    let to = table.require::<Vec<String>>("to", mistakes);
    if let Some(to) = &to {
        let mut distinct = BTreeSet::new();
        let doubled = to.value.iter().find(|address| !distinct.insert(*address));
        mistakes.extend(doubled.map(|address| to.mistake(format!("`{address}` stands twice in `to`"))));
    }
    if let Some(to) = to.as_ref().filter(|to| to.value.is_empty()) {
        mistakes.push(to.mistake("`to` is empty: the mail would reach nobody"));
    }
    let smtp = smtp.and_then(|placed| match SmtpServer::parse(&placed.value) {
        Ok(server) => Some(server),
        Err(error) => {
            mistakes.push(placed.mistake(format!("`smtp`: {error}")));
            None
        }
    });
    let ehlo = ehlo(table, mistakes);
    Some(ChannelKind::Email { smtp: smtp?, password, from: from?.value, to: to?.value, ehlo })
}

/// `ehlo = "shop.example.com"`.
fn ehlo(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Option<Hello> {
    let placed = table.take::<String>("ehlo", mistakes)?;
    let hello = placed.value.parse::<Hello>();
    hello
        .map_err(|error| {
            let mistake = placed.mistake(format!("`ehlo` {error}"));
            let bracketed = format!("[{}]", placed.value);
            mistakes.push(match bracketed.parse::<Hello>() {
                Ok(likely) => mistake.help(format!("did you mean \"{likely}\"?")),
                Err(_) => mistake,
            });
        })
        .ok()
}

fn telegram(table: &mut Table<'_>, dir: &Path, mistakes: &mut Vec<Mistake>) -> Option<ChannelKind> {
    let before = mistakes.len();
    let token = secret::take(table, "token", dir, mistakes);
    if token.is_none() && mistakes.len() == before {
        mistakes.push(Mistake::new(table.span.clone(), "the bot has no token").help("add `token_file`"));
    }
    let chat_id = chat_id(table, mistakes);
    let silent = silent(table, mistakes);
    let api_url = value::http_url(table, "api_url", mistakes).map(|placed| placed.value);
    Some(ChannelKind::Telegram { token: token?, chat_id: chat_id?, silent, api_url })
}

/// `-1001234`, `"-1001234"` or `"@channel"`.
fn chat_id(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Option<ChatTarget> {
    let placed = table.require::<Scalar>("chat_id", mistakes)?;
    let text = match &placed.value {
        Scalar::Number(text) | Scalar::Text(text) => text.trim(),
        Scalar::Other => "",
    };
    let chat = text.parse::<ChatTarget>();
    chat.map_err(|error| {
        let mistake = placed.mistake(format!("`chat_id` {error}"));
        let name = text.rsplit('/').next().unwrap_or_default();
        let likely = format!("@{name}").parse::<ChatTarget>();
        mistakes.push(match likely {
            Ok(likely) => mistake.help(format!("did you mean \"{likely}\"?")),
            Err(_) => mistake,
        });
    })
    .ok()
}

/// `silent = ["info"]`, which is also what holds where nothing is written.
fn silent(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Vec<Severity> {
    let Some(written) = table.take::<Vec<toml::Spanned<String>>>("silent", mistakes) else {
        return vec![Severity::Info];
    };
    let place = |spot: toml::Spanned<String>| Placed { span: spot.span(), value: spot.into_inner() };
    let words = written.value.into_iter().map(place);
    words.filter_map(|word| choice("silent", &word, Severity::WORDS, mistakes)).collect()
}

/// `[delivery]`, if it is there.
pub(super) fn retry_policy(
    table: Option<Table<'_>>,
    standard: &RetryPolicy,
    mistakes: &mut Vec<Mistake>,
) -> RetryPolicy {
    let Some(mut table) = table else { return standard.clone() };
    let policy = policy(&mut table, standard, mistakes);
    table.finish(&[], mistakes);
    policy
}

fn policy(table: &mut Table<'_>, standard: &RetryPolicy, mistakes: &mut Vec<Mistake>) -> RetryPolicy {
    RetryPolicy {
        retry_for: value::duration(table, "retry_for", mistakes).unwrap_or(standard.retry_for),
        retry_first: value::duration(table, "retry_first", mistakes).unwrap_or(standard.retry_first),
        retry_max: value::duration(table, "retry_max", mistakes).unwrap_or(standard.retry_max),
    }
}
