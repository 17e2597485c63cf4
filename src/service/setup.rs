//! From what was configured to what runs: everything that can fail, before anything runs.

use std::sync::Arc;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

use super::shop::{Shared, Shop};
use crate::config::{Config, ShopConfig};
use crate::domain::model::ChannelName;
use crate::domain::outbox::{Recipients, RetryPolicy};
use crate::edge::channel::Channel;
use crate::edge::pospos::quota::{BootClock, Governor};
use crate::edge::pospos::{Pospos, PosposSettings};

/// The most bytes of one answer of the API. A page of 200 sales has about half a megabyte; 64 MiB is a stock list of
/// a hundred thousand products in one answer, and more than that is not an answer.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What the configuration says, with its secrets read and its channels built.
pub struct Ready {
    /// The shops.
    pub shops: Vec<ReadyShop>,
    /// The channels.
    pub channels: Vec<ReadyChannel>,
}

/// A shop whose key has been read.
pub struct ReadyShop {
    /// What was configured.
    pub config: ShopConfig,
    /// The key.
    pub api_key: SecretString,
}

/// A channel that is ready to send.
pub struct ReadyChannel {
    /// Its name.
    pub name: ChannelName,
    /// How many attempts may be under way at once.
    pub concurrency: usize,
    /// When failed messages are tried again.
    pub retry: RetryPolicy,
    /// What sends.
    pub channel: Channel,
    /// The recipients, where it has several.
    pub recipients: Vec<String>,
}

impl Ready {
    /// The recipients of the channels that have several.
    pub fn recipients(&self) -> Recipients {
        let with_several = self.channels.iter().filter(|channel| !channel.recipients.is_empty());
        with_several.map(|channel| (channel.name.clone(), channel.recipients.clone())).collect()
    }
}

/// Opens a shop: its quota ledger, its client, and what the store knows of it.
pub async fn open_shop(
    ready: ReadyShop,
    config: &Config,
    shared: &Arc<Shared>,
    clock: Arc<dyn BootClock>,
) -> anyhow::Result<Shop> {
    let ReadyShop { config: shop, api_key } = ready;
    let failed = || format!("Failed to open shop {}", shop.id);
    let dir = config.data_dir.join("quota");
    let governor = Governor::open(&dir, &shop.id, shop.quota.clone(), clock).with_context(failed)?;
    let settings = PosposSettings {
        base_url: shop.base_url.clone(),
        api_key: api_key.clone(),
        page_size: shop.page_size,
        timeout: shop.timeout,
        body_limit: BODY_LIMIT,
        stock_fields: shop.stock_fields.clone(),
        credit_fields: shop.credit_fields.clone(),
        query: shop.query.clone(),
    };
    let pospos = Pospos::new(settings, governor).with_context(failed)?;
    Shop::new(shop.clone(), key_hash(&api_key), pospos, Arc::clone(shared)).await.with_context(failed)
}

/// What is kept of a refused key, to know it again without knowing it.
fn key_hash(key: &SecretString) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.expose_secret().as_bytes());
    digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
