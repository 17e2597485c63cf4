//! A shop's API for a command, while no service runs: the same client under the same quota ledger.
//!
//! The ledger is the shop's place in the quota, so the calls of a command count for the service that starts next, and a
//! second process that would make calls meanwhile is refused. The store is opened for a moment at both ends and not in
//! between, so that the listings answer during a long reading. Where there is no store yet, none is made.
//!
//! A key that is refused is written down with its event, as the service does: who watches the shop is told when the
//! service runs again, and that makes no call with it.

use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::sync::mpsc::Sender;

use super::clock::Clock;
use super::fetch::{Asked, Reader, run, stopped};
use super::setup::{Env, open_pospos, ready_shop};
use crate::api::FetchLine;
use crate::config::{Config, ShopConfig};
use crate::domain::event::Scribe;
use crate::domain::model::KeyHash;
use crate::domain::outbox;
use crate::edge::pospos::quota::SystemBootClock;
use crate::edge::pospos::{Pospos, ReadError};
use crate::edge::store::{Commit, DirLock, Stopped, Store, make_data_dir};

/// A shop's API in the hands of a command.
pub struct Alone {
    pospos: Pospos,
    shop: ShopConfig,
    key_hash: KeyHash,
}

impl Alone {
    /// Takes the shop's place in the quota, unless `store` says that its key was refused. `store` is none where there is
    /// none; it is closed before this returns.
    pub async fn open(config: &Config, shop: &ShopConfig, env: Env<'_>, store: Option<Store>) -> anyhow::Result<Alone> {
        let ready = ready_shop(shop, env)?;
        let lock = match &store {
            Some(_) => None,
            None => {
                make_data_dir(&config.data_dir)?;
                Some(DirLock::take(&config.data_dir)?)
            }
        };
        let (pospos, key_hash) = open_pospos(&ready, &config.data_dir, &Clock::default(), Arc::new(SystemBootClock))?;
        if let Some(store) = &store {
            let record = store.shop(&shop.id).await?;
            if record.stopped.is_some_and(|stopped| stopped.key_hash == key_hash) {
                bail!("{}", stopped(&shop.id));
            }
        }
        drop((lock, store));
        Ok(Alone { pospos, shop: shop.clone(), key_hash })
    }

    /// Asks, and sends line after line.
    pub async fn read(&self, asked: &Asked, clock: &Clock, lines: &Sender<FetchLine>) -> Result<(), ReadError> {
        run(asked, Reader { pospos: &self.pospos, shop: &self.shop, clock }, lines).await
    }

    /// Writes down that the key was refused, with the event and its messages, in one step.
    pub async fn remember_refusal(
        &self,
        config: &Config,
        store: &Store,
        clock: &Clock,
        status: u16,
    ) -> anyhow::Result<()> {
        let now = clock.now();
        let id = &self.shop.id;
        let mut record = store.shop(id).await?;
        record.key_refusals += 1;
        record.stopped = Some(Stopped { at: now, status, key_hash: self.key_hash.clone() });
        let scribe = Scribe::new(id.clone(), self.shop.name.as_str(), store.epoch().clone(), now);
        let event = scribe.key_rejected(record.key_refusals, status);
        let deliveries = outbox::plan(std::slice::from_ref(&event), &config.rules, &config.destinations(), now);
        let commit =
            Commit { events: vec![(now, event)], deliveries, shop: Some((id.clone(), record)), ..Commit::default() };
        store.commit(commit).await.with_context(|| format!("Failed to write down that the key of {id} was refused"))
    }

    /// Leaves the shop's place in the quota.
    pub fn close(self) {
        drop(self);
    }
}
