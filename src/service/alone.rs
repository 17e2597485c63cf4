//! A shop's API for a command, while no service runs: the same client under the same quota ledger.
//!
//! The ledger is the shop's place in the quota, so the calls of a command count for the service that starts next, and a
//! second process that would make calls meanwhile is refused. The store is opened for a moment at both ends and not in
//! between, so that the listings answer during a long reading. Where there is no store yet, none is made.
//!
//! A key that is refused is written down with its event, as the service does: who watches the shop is told when the
//! service runs again, and that makes no call with it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::sync::Mutex;

use super::clock::Clock;
use super::key;
use super::patience::patiently;
use super::ready::Env;
use super::setup::{open_pospos, ready_shop};
use super::shared::Shared;
use crate::config::{Config, ShopConfig};
use crate::domain::model::KeyHash;
use crate::edge::pospos::Pospos;
use crate::edge::pospos::quota::SystemBootClock;
use crate::edge::store::{DirLock, Store, StoreError, make_data_dir};

/// A shop's API in the hands of a command. It leaves the shop's place in the quota when it is dropped.
pub struct Alone {
    pub(super) pospos: Pospos,
    pub(super) shop: ShopConfig,
    pub(super) clock: Clock,
    /// Held while a person reads by hand.
    pub(super) by_hand: Arc<Mutex<()>>,
    config: Arc<Config>,
    key_hash: KeyHash,
    /// Whether a service has the data directory, which it has for good.
    is_served: fn(&Path) -> bool,
}

impl Alone {
    /// Takes the shop's place in the quota, unless `store` says that its key was refused. `store` is none where there is
    /// none; it is closed before this returns.
    pub async fn open(
        config: &Arc<Config>,
        shop: &ShopConfig,
        env: Env<'_>,
        store: Option<Store>,
        is_served: fn(&Path) -> bool,
    ) -> anyhow::Result<Alone> {
        let ready = ready_shop(shop, env)?;
        let lock = match &store {
            Some(_) => None,
            None => {
                make_data_dir(&config.data_dir)?;
                Some(DirLock::take(&config.data_dir)?)
            }
        };
        let clock = Clock::default();
        let (pospos, key_hash) = open_pospos(&ready, &config.data_dir, &clock, Arc::new(SystemBootClock))?;
        if let Some(store) = &store {
            let record = store.shop(&shop.id).await?;
            if record.stopped.is_some_and(|stopped| stopped.key_hash == key_hash) {
                bail!("{}", key::was_refused(&shop.id));
            }
        }
        drop((lock, store));
        let config = Arc::clone(config);
        Ok(Alone { pospos, shop: shop.clone(), clock, by_hand: Arc::default(), config, key_hash, is_served })
    }

    /// Writes down that the key was refused, where there is a store.
    pub(super) async fn refused(&self, status: u16) -> anyhow::Result<()> {
        let dir = &self.config.data_dir;
        let store = match patiently(&self.clock, || (self.is_served)(dir), || Store::open_existing(dir)) {
            Err(StoreError::Absent(_)) => return Ok(()),
            opened => opened.context("Failed to open the store")?,
        };
        let shared = Shared::new(store, self.clock.clone(), &self.config, &[]);
        Ok(key::refused(&shared, &self.shop, &self.key_hash, status).await?)
    }
}
