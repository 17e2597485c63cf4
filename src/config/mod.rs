//! `posbell.toml` and the rule files: read value by value, resolved, and checked before anything runs.
//!
//! Every mistake is reported with its file and place, all at once. Secrets are only *named* here and read in
//! `service::setup`, because most commands need none and must work where none can be read.

mod advice;
mod channel;
mod destinations;
mod guard;
mod heartbeat;
mod rules;
mod secret;
mod shop;
mod text_file;
mod value;

pub use advice::MAKE_SECRET;
pub use channel::{ChannelConfig, ChannelKind};
pub use heartbeat::HeartbeatConfig;
pub use rules::RulePlaces;
pub use secret::{SecretError, SecretRef};
pub use shop::ShopConfig;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use crate::domain::document::{Placed, Table, choice};
use crate::domain::message::{Language, Wording};
use crate::domain::mistake::Mistake;
use crate::domain::model::ChannelName;
use crate::domain::outbox::RetryPolicy;
use crate::domain::rules::{Names, RuleSet};

/// How long events and finished deliveries are kept unless told otherwise; from the contract.
const RETAIN: Duration = Duration::from_secs(90 * 24 * 3600);

/// How many deliveries may wait for one channel unless told otherwise: some hundred megabytes with their events.
const MAX_WAITING: u64 = 100_000;
/// The most that a file may say.
const MAX_WAITING_MOST: u64 = 10_000_000;

/// Where the admin address listens unless told otherwise; from the contract.
const LISTEN: &str = "127.0.0.1:8787";

/// Everything the files say.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: Arc<SourceFile>,
    /// Where the snapshot, the outbox and the quota ledgers are.
    pub data_dir: PathBuf,
    /// Language and zone of built-in messages.
    pub wording: Wording,
    /// How long events, finished deliveries, and credits that are paid or lost are kept.
    pub retain: Duration,
    /// How many deliveries may wait for one channel; what is more is a dead letter at once.
    pub max_waiting: u64,
    /// Where the service can be asked; `None` for nowhere.
    pub admin: Option<AdminConfig>,
    /// Whom to tell regularly that all is well, where the file says so.
    pub heartbeat: Option<HeartbeatConfig>,
    /// The shops, at least one.
    pub shops: Vec<ShopConfig>,
    /// The channels.
    pub channels: Vec<ChannelConfig>,
    /// The rules.
    pub rules: RuleSet,
    /// Where each of them is written.
    pub rule_places: RulePlaces,
    /// What is wrong in the files. Nothing, unless it was read by [`Config::load_partly`].
    pub mistakes: Mistakes,
}

/// What is wrong in files that are read in spite of it, by what it keeps from being read.
#[derive(Debug, Clone, Default)]
pub struct Mistakes {
    /// In the tables of the shops.
    pub shops: Vec<Problem>,
    /// Elsewhere in `posbell.toml`.
    pub elsewhere: Vec<Problem>,
    /// In the rules; there are none then.
    pub rules: Vec<Problem>,
}

impl Mistakes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shops.is_empty() && self.elsewhere.is_empty() && self.rules.is_empty()
    }

    /// All of them, in the order of the files.
    pub fn all(&self) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.shops.iter().chain(&self.elsewhere).cloned().collect();
        all.sort_by_key(|problem| problem.mistake.span.start);
        all.extend_from_slice(&self.rules);
        all
    }
}

/// `[admin]`.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// `127.0.0.1:8787`.
    pub listen: std::net::SocketAddr,
    /// The token that callers from elsewhere must show.
    pub token: Option<SecretRef>,
}

/// A file that a person wrote.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// Only where it is: the text may hold a secret.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceFile").field(&self.path).finish()
    }
}

/// Whether posbell can run in spite of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It cannot.
    Error,
    /// It can, or might where this command cannot see.
    Warning,
}

/// One mistake in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: Arc<SourceFile>,
    /// What is wrong and where.
    pub mistake: Mistake,
    /// Whether it matters.
    pub weight: Weight,
}

impl Problem {
    /// All mistakes of one file as errors.
    fn all(file: &Arc<SourceFile>, mistakes: Vec<Mistake>) -> Vec<Problem> {
        let problem = |mistake| Problem { file: Arc::clone(file), mistake, weight: Weight::Error };
        mistakes.into_iter().map(problem).collect()
    }
}

impl Config {
    /// Reads the configuration and its rules, or returns every mistake in all of the files.
    ///
    /// `env` answers for environment variables, so that tests need not change the process's own.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
        let config = Self::load_partly(path, env)?;
        if config.mistakes.is_empty() { Ok(config) } else { Err(config.mistakes.all()) }
    }

    /// The same, also where there are mistakes: what has none is read. Returns every mistake where it cannot be said where
    /// the data and the service are, or which shops there are.
    pub fn load_partly(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
        let text = text_file::read(path).map_err(|error| {
            let file = Arc::new(SourceFile { path: path.to_owned(), text: String::new() });
            Problem::all(&file, vec![Mistake::new(0..0, error.to_string())])
        })?;
        Self::read(path, text, env)
    }

    fn read(path: &Path, text: String, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Vec<Problem>> {
        let file = Arc::new(SourceFile { path: path.to_owned(), text });
        let mut document = Table::parse(&file.text).map_err(|mistakes| Problem::all(&file, mistakes))?;
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        // Without the first, nothing can be done; without the others, what needs neither.
        let (mut needed, mut of_shops, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
        let m = &mut elsewhere;

        let data_dir = document.take::<PathBuf>("data_dir", &mut needed);
        let rules_path = document.take::<PathBuf>("rules", m);
        let wording = wording(&mut document, m);
        let (retain, max_waiting) = store(&mut document, m);
        let admin = admin(&mut document, &dir, &mut needed);
        let heartbeat = heartbeat::take(&mut document, m);
        let delivery = channel::retry_policy(document.table("delivery", m), &RetryPolicy::default(), m);
        // A shop or channel with a mistake in it is still one that rules may name: one mistake, one message.
        let mut names = Names::default();
        let (shops, is_each_known) = shops(&mut document, &dir, &mut names, &mut of_shops);
        let channels = channels(&mut document, &dir, &delivery, &mut names, m);
        // A key that is unknown may be a mistyped `data_dir`.
        document.finish(&[], if data_dir.is_none() { &mut needed } else { m });

        let (rules, rule_places, in_rules) = match rules::load(&dir, rules_path.as_ref(), &file, &names) {
            Ok((rules, places)) => (rules, places, Vec::new()),
            Err(found) => (RuleSet::default(), RulePlaces::default(), found),
        };
        let is_usable = needed.is_empty() && is_each_known;
        elsewhere.append(&mut needed);
        let mistakes = Mistakes {
            shops: Problem::all(&file, of_shops),
            elsewhere: Problem::all(&file, elsewhere),
            rules: in_rules,
        };
        if !is_usable {
            return Err(mistakes.all());
        }
        let data_dir = match data_dir {
            Some(placed) => dir.join(placed.value),
            None => {
                let given = env("STATE_DIRECTORY").filter(|directory| !directory.is_empty());
                given.map_or_else(|| dir.join("posbell-data"), PathBuf::from)
            }
        };
        Ok(Config {
            file,
            data_dir,
            wording,
            retain,
            max_waiting,
            admin,
            heartbeat,
            shops,
            channels,
            rules,
            rule_places,
            mistakes,
        })
    }
}

fn wording(document: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Wording {
    let timezone = document.take::<String>("timezone", mistakes);
    let timezone = timezone.and_then(|placed| match placed.value.parse::<Tz>() {
        Ok(timezone) => Some(timezone),
        Err(_) => {
            let mistake = placed.mistake(format!("there is no time zone `{}`", placed.value));
            mistakes.push(mistake.help("write it as `Asia/Bangkok`"));
            None
        }
    });
    let language = document.take::<String>("language", mistakes);
    let words = [("th", Language::Thai), ("en", Language::English)];
    let language = language.and_then(|placed| choice("language", &placed, &words, mistakes)).unwrap_or(Language::Thai);
    Wording { language, timezone: timezone.unwrap_or(Tz::Asia__Bangkok) }
}

fn store(document: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> (Duration, u64) {
    let Some(mut store) = document.table("store", mistakes) else { return (RETAIN, MAX_WAITING) };
    let retain = value::duration(&mut store, "retain", mistakes).unwrap_or(RETAIN);
    let max_waiting = store.take::<u64>("max_waiting", mistakes).and_then(|placed| {
        let fits = (1..=MAX_WAITING_MOST).contains(&placed.value);
        if !fits {
            mistakes.push(placed.mistake("`max_waiting` must be from 1 to 10000000"));
        }
        fits.then_some(placed.value)
    });
    store.finish(&["url"], mistakes);
    (retain, max_waiting.unwrap_or(MAX_WAITING))
}

fn admin(document: &mut Table<'_>, dir: &Path, mistakes: &mut Vec<Mistake>) -> Option<AdminConfig> {
    let standard = || Placed { value: LISTEN.to_owned(), span: 0..0 };
    let (listen, token) = match document.table("admin", mistakes) {
        None => (standard(), None),
        Some(mut table) => {
            let listen = table.take::<String>("listen", mistakes).unwrap_or_else(standard);
            let token = secret::take(&mut table, "token", dir, mistakes);
            table.finish(&[], mistakes);
            (listen, token)
        }
    };
    if listen.value == "off" {
        return None;
    }
    let address = listen.value.parse::<std::net::SocketAddr>();
    let Ok(address) = address else {
        let mistake = listen.mistake(format!("`{}` is no address", listen.value));
        mistakes.push(mistake.help("write it as `127.0.0.1:8787`, or \"off\""));
        return None;
    };
    if !address.ip().is_loopback() && token.is_none() {
        let mistake = listen.mistake("others than this machine can reach this address, so it needs a `token_file`");
        mistakes.push(mistake.help("add `token_file`, or listen on 127.0.0.1"));
    }
    Some(AdminConfig { listen: address, token })
}

/// The shops, and whether it is known of each table which shop it is, and what it is like.
fn shops(
    document: &mut Table<'_>,
    dir: &Path,
    names: &mut Names,
    mistakes: &mut Vec<Mistake>,
) -> (Vec<ShopConfig>, bool) {
    let before = mistakes.len();
    let tables = document.tables("shop", mistakes);
    if tables.is_empty() && mistakes.len() == before {
        mistakes.push(Mistake::new(0..0, "there is no `[[shop]]`").help("add one with `id` and `api_key_file`"));
    }
    let (mut shops, count) = (Vec::new(), tables.len());
    for table in tables {
        let (id, shop) = shop::read(table, dir, mistakes);
        if let Some((written, id)) = id
            && !names.shops.insert(id.clone())
        {
            mistakes.push(written.mistake(format!("there is another shop `{id}`")));
        }
        shops.extend(shop);
    }
    let is_each_known = count > 0 && shops.len() == count && names.shops.len() == count;
    (shops, is_each_known)
}

fn channels(
    document: &mut Table<'_>,
    dir: &Path,
    delivery: &RetryPolicy,
    names: &mut Names,
    mistakes: &mut Vec<Mistake>,
) -> Vec<ChannelConfig> {
    let Some(tables) = document.table("channel", mistakes) else { return Vec::new() };
    let named = tables.named_tables("channel", mistakes);
    names.channels.extend(named.iter().filter_map(|(name, _)| ChannelName::new(name.value.as_str()).ok()));
    named.into_iter().filter_map(|(name, table)| channel::read(&name, table, dir, delivery, mistakes)).collect()
}

#[cfg(test)]
mod tests;
