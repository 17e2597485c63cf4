//! From what was configured to what runs: everything that can fail, before anything runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ring::digest::{Context, SHA256};
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, warn};

use super::clock::Clock;
use super::ready::{BODY_LIMIT, Env, Ready, ReadyChannel, ReadyShop};
use super::report::kind_name;
use super::shared::Shared;
use super::shop::Shop;
use crate::config::{
    ChannelConfig, ChannelKind, Config, MAKE_SECRET, Problem, SecretError, SecretRef, ShopConfig, Weight,
};
use crate::domain::disk::DiskFault;
use crate::domain::mistake::Mistake;
use crate::domain::model::KeyHash;
use crate::edge::channel::Channel;
use crate::edge::channel::email::{Email, EmailSettings};
use crate::edge::channel::telegram::{Telegram, TelegramSettings};
use crate::edge::channel::webhook::sign::SigningSecret;
use crate::edge::channel::webhook::{Webhook, WebhookSettings};
use crate::edge::pospos::quota::{BootClock, Governor, LedgerState};
use crate::edge::pospos::{Pospos, PosposSettings, WallClock};
use crate::edge::store::StoreError;

/// How long the quota ledger may take to be opened: longer only where the disk hangs.
const OPENING: Duration = Duration::from_secs(60);

/// Reads the key of one shop, or says why it cannot be read here.
pub fn ready_shop(shop: &ShopConfig, env: Env<'_>) -> anyhow::Result<ReadyShop> {
    let api_key = shop.api_key.read(env).with_context(|| format!("Failed to read the key of shop {}", shop.id))?;
    Ok(ReadyShop { config: shop.clone(), api_key })
}

/// Reads every secret and builds every channel, or returns everything that is in the way.
///
/// A secret that only the unit can read is a warning here; `run` needs it all the same and says so.
pub fn ready(config: &Config, env: Env<'_>) -> Result<Ready, Vec<Problem>> {
    let mut building = Building { config, env, problems: Vec::new() };
    let shops: Vec<ReadyShop> = config.shops.iter().filter_map(|shop| building.shop(shop)).collect();
    building.no_key_twice(&shops);
    let token = config.admin.as_ref().and_then(|admin| admin.token.as_ref());
    let admin_token = token.and_then(|token| building.secret(token));
    let channels = config.channels.iter().filter_map(|channel| building.channel(channel)).collect();
    match building.problems.is_empty() {
        true => Ok(Ready { shops, channels, admin_token }),
        false => Err(building.problems),
    }
}

/// The channels that can be built, whatever is wrong with the others.
pub fn ready_channels(config: &Config, env: Env<'_>) -> Vec<ReadyChannel> {
    let mut building = Building { config, env, problems: Vec::new() };
    config.channels.iter().filter_map(|channel| building.channel(channel)).collect()
}

struct Building<'a> {
    config: &'a Config,
    env: Env<'a>,
    problems: Vec<Problem>,
}

impl Building<'_> {
    fn shop(&mut self, shop: &ShopConfig) -> Option<ReadyShop> {
        let api_key = self.secret(&shop.api_key)?;
        if !api_key.expose_secret().chars().all(|c| c.is_ascii_graphic()) {
            self.wrong(shop.api_key.span.clone(), "the key has characters that no header can carry".to_owned());
            return None;
        }
        Some(ReadyShop { config: shop.clone(), api_key })
    }

    /// Two shops with one key would each spend its whole quota.
    fn no_key_twice(&mut self, shops: &[ReadyShop]) {
        for (index, shop) in shops.iter().enumerate() {
            let key = shop.api_key.expose_secret();
            if let Some(first) = shops[..index].iter().find(|first| first.api_key.expose_secret() == key) {
                let message = format!("this is the key of shop {} too; a key is one shop's", first.config.id);
                self.wrong(shop.config.api_key.span.clone(), message);
            }
        }
    }

    fn channel(&mut self, config: &ChannelConfig) -> Option<ReadyChannel> {
        let (built, recipients, mut parts) = match &config.kind {
            ChannelKind::Webhook { url, secrets, headers, allow_networks } => {
                let settings = WebhookSettings {
                    url: url.clone(),
                    secrets: self.signing_secrets(secrets)?,
                    headers: headers.clone(),
                    allow_networks: allow_networks.clone(),
                    timeout: config.timeout,
                };
                let parts = settings.parts();
                let webhook = Webhook::new(settings).map(Channel::Webhook);
                (webhook.map_err(|error| error.to_string()), Vec::new(), parts)
            }
            ChannelKind::Email { smtp, password, from, to, ehlo } => {
                let password = match password {
                    Some(password) => Some(self.secret(password)?),
                    None => None,
                };
                if let Some(address) = to.iter().find(|address| !Email::can_write_to(address)) {
                    let message = format!("channel {}: `{address}` is no mail address", config.name);
                    self.wrong(config.span.clone(), message);
                    return None;
                }
                let (smtp, from, ehlo) = (smtp.clone(), from.clone(), ehlo.clone());
                let settings = EmailSettings { smtp, password, from, ehlo, timeout: config.timeout };
                let parts = settings.parts();
                let email = Email::new(settings).map(Channel::Email);
                (email.map_err(|error| error.to_string()), to.clone(), parts)
            }
            ChannelKind::Telegram { token, chat_id, api_url, silent } => {
                let token = self.secret(token)?;
                let (chat_id, api_url) = (chat_id.clone(), api_url.clone());
                let (silent, timeout) = (silent.clone(), config.timeout);
                let settings = TelegramSettings { token, chat_id, api_url, silent, timeout };
                let parts = settings.parts();
                let telegram = Telegram::new(settings).map(Channel::Telegram);
                (telegram.map_err(|error| error.to_string()), Vec::new(), parts)
            }
        };
        match built {
            Ok(channel) => {
                let (name, retry) = (config.name.clone(), config.retry.clone());
                parts.extend([kind_name(&config.kind).to_owned(), recipients.join("\n")]);
                let (concurrency, settings) = (config.concurrency, settings_hash(&parts));
                let rate = config.rate.clone();
                Some(ReadyChannel { name, concurrency, retry, rate, settings, channel, recipients })
            }
            Err(error) => {
                self.wrong(config.span.clone(), format!("channel {}: {error}", config.name));
                None
            }
        }
    }

    fn signing_secrets(&mut self, secrets: &[SecretRef]) -> Option<Vec<SigningSecret>> {
        let mut signing = Vec::new();
        for secret in secrets {
            match SigningSecret::parse(&self.secret(secret)?) {
                Ok(parsed) => signing.push(parsed),
                Err(error) => {
                    let mistake = Mistake::new(secret.span.clone(), error.to_string());
                    self.is_wrong(mistake.help(MAKE_SECRET));
                }
            }
        }
        (signing.len() == secrets.len()).then_some(signing)
    }

    fn secret(&mut self, secret: &SecretRef) -> Option<SecretString> {
        match secret.read(self.env) {
            Ok(read) => Some(read),
            Err(error) => {
                let weight = match error {
                    SecretError::NotReadableHere(_) => Weight::Warning,
                    SecretError::Missing(_) => Weight::Error,
                };
                let mistake = Mistake::new(secret.span.clone(), error.to_string());
                self.problems.push(Problem { file: Arc::clone(&self.config.file), mistake, weight });
                None
            }
        }
    }

    fn wrong(&mut self, span: std::ops::Range<usize>, message: String) {
        self.is_wrong(Mistake::new(span, message));
    }

    fn is_wrong(&mut self, mistake: Mistake) {
        self.problems.push(Problem { file: Arc::clone(&self.config.file), mistake, weight: Weight::Error });
    }
}

/// A hash by which settings are known again. It is too short to find a secret by.
fn settings_hash(parts: &[String]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Opens a shop: its quota ledger, its client, and what the store knows of it.
pub async fn open_shop(
    ready: ReadyShop,
    config: &Config,
    shared: &Arc<Shared>,
    clock: Arc<dyn BootClock>,
) -> anyhow::Result<Shop> {
    let shop = ready.config.clone();
    let (data_dir, wall) = (config.data_dir.clone(), shared.clock.clone());
    let opening = tokio::task::spawn_blocking(move || open_pospos(&ready, &data_dir, &wall, clock));
    let hangs = |_| StoreError::Disk(DiskFault::Hanging);
    let opened = tokio::time::timeout(OPENING, opening).await.map_err(hangs)?;
    let (pospos, key_hash) = opened.context("Failed to open the quota ledger")??;
    let failed = || format!("Failed to open shop {}", shop.id);
    // A shop is large, and so is whatever waits for it to be opened.
    let opening = Box::pin(Shop::new(shop.clone(), key_hash, pospos, Arc::clone(shared)));
    opening.await.with_context(failed)
}

/// Opens a shop's quota ledger and its client, and says by what its key is known.
pub fn open_pospos(
    ready: &ReadyShop,
    data_dir: &Path,
    clock: &Clock,
    boot_clock: Arc<dyn BootClock>,
) -> anyhow::Result<(Pospos, KeyHash)> {
    let ReadyShop { config: shop, api_key } = ready;
    let failed = || format!("Failed to open shop {}", shop.id);
    let dir = data_dir.join("quota");
    let key_hash = KeyHash::of(api_key.expose_secret());
    let governor = Governor::open(&dir, &key_hash, shop.quota.clone(), boot_clock).with_context(failed)?;
    if governor.ledger_state() == LedgerState::Damaged {
        warn!(shop.id = %shop.id, "a part of what {} has called before is missing from its quota ledger in {}: no call is \
            made for the longest window of its quota", shop.id, dir.display());
    } else if governor.ledger_state() != LedgerState::Continued {
        info!(shop.id = %shop.id, "what {} has called before is not known: the first call waits for its quota", shop.id);
    }
    let settings = PosposSettings {
        base_url: shop.base_url.clone(),
        api_key: api_key.clone(),
        page_size: shop.page_size,
        timeout: shop.timeout,
        body_limit: BODY_LIMIT,
        fields: Arc::clone(&shop.fields),
        clock: {
            let clock = clock.clone();
            WallClock::new(move |server| clock.hear(server))
        },
        extra_query: shop.query.clone(),
    };
    Ok((Pospos::new(settings, governor).with_context(failed)?, key_hash))
}
