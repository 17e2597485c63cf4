//! One shop at run time: its client, its rules, and what stops it.

mod baseline;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::{Mutex, watch};
use tracing::{error, info};

use super::key;
use super::pace::{self, ShopPace};
use super::pass::refreshes::Refreshes;
use super::pass::sales_memory::SalesMemory;
use super::ready::{BODY_LIMIT, Env};
use super::shared::Shared;
use crate::config::ShopConfig;
use crate::domain::event::{Event, Scribe};
use crate::domain::model::{KeyHash, Resource, ShopId, StockRow, Timestamp};
use crate::domain::rhythm::hours::Observed;
use crate::domain::rhythm::stock_way::{Bounds, StockList, StockSize, StockWay, stock_way};
use crate::domain::rhythm::{Costs, Rhythm};
use crate::domain::rules::Limits;
use crate::domain::stale::{StaleRecord, Step};
use crate::edge::pospos::Pospos;
use crate::edge::pospos::quota::QuotaLimit;
use crate::edge::store::{Commit, ShopRecord, Store, StoreError};

/// About what a row of the stock list takes in an answer: the captured fields and the guessed ones.
const ROW_BYTES: u64 = 600;

/// One shop.
pub struct Shop {
    /// Its configuration.
    pub config: ShopConfig,
    /// What all shops share.
    pub shared: Arc<Shared>,
    /// Its API.
    pub pospos: Pospos,
    /// Held while the guard's record of a resource is read, judged by and written.
    pub guard: Mutex<()>,
    /// Held by whoever compares products with what is stored and commits what follows: a pass and a refresh must not
    /// do so at once.
    pub gate: Mutex<()>,
    /// What its sales have moved.
    pub refreshes: Refreshes,
    /// What is remembered of its passes over the sales.
    pub sales: SalesMemory,
    /// How often its resources are read.
    pub pace: ShopPace,
    /// The stock came in one answer that was too long or too slow.
    pub stock_was_too_much: AtomicBool,
    /// Held while a person reads by hand: each such reading holds an answer in memory, so there is one at a time.
    pub by_hand: Arc<Mutex<()>>,
    /// The uptime at its opening: from then on counts how long a list has not been read.
    pub began_up: Duration,
    /// The lists of which it was told that they are not read.
    stale: std::sync::Mutex<BTreeSet<Resource>>,
    /// What is known of its key without knowing the key.
    key_hash: KeyHash,
    /// Whether nothing may be read.
    stopped: watch::Sender<bool>,
    /// Held while the shop's record is read, changed and written.
    record: Mutex<()>,
}

impl Shop {
    /// The shop, stopped if its key was refused before and is still the same.
    pub async fn new(
        config: ShopConfig,
        key_hash: KeyHash,
        pospos: Pospos,
        shared: Arc<Shared>,
    ) -> Result<Shop, StoreError> {
        let record = shared.store.shop(&config.id).await?;
        let stopped = record.stopped.as_ref().is_some_and(|stopped| stopped.key_hash == key_hash);
        let (stopped, _) = watch::channel(stopped);
        let pace = ShopPace::new(costs(&config, &shared.store).await?, record.observed.clone());
        let began_up = shared.clock.mark().up;
        let shop = Shop {
            config,
            began_up,
            stale: std::sync::Mutex::new(record.stale.told.keys().copied().collect()),
            shared,
            pospos,
            gate: Mutex::new(()),
            refreshes: Refreshes::default(),
            sales: SalesMemory::default(),
            pace,
            stock_was_too_much: AtomicBool::new(false),
            by_hand: Arc::default(),
            key_hash,
            stopped,
            guard: Mutex::new(()),
            record: Mutex::new(()),
        };
        shop.begin(record).await?;
        Ok(shop)
    }

    /// The shop's id.
    pub fn id(&self) -> &ShopId {
        &self.config.id
    }

    /// A scribe for events of this shop that are seen now.
    pub fn scribe(&self, now: Timestamp) -> Scribe {
        Scribe::new(self.config.id.clone(), self.config.name.as_str(), self.shared.store.epoch().clone(), now)
    }

    /// By which fields a resource is read: a hash, to see whether they are others than the last time.
    pub fn fields_of(&self, resource: Resource) -> String {
        let places = self.config.fields.of(resource);
        let fields: String = places.into_iter().map(|(name, place)| format!("{name}={place}\n")).collect();
        let digest = ring::digest::digest(&ring::digest::SHA256, fields.as_bytes());
        digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How often `resource` is read now; `None` where it is not read by itself.
    pub fn interval(&self, resource: Resource) -> Option<Duration> {
        self.rhythm().paces.get(&resource).map(|pace| pace.every)
    }

    /// How everything is read now.
    pub fn rhythm(&self) -> Rhythm {
        let rhythm = self.pace.rhythm(&self.config, &self.limits(), self.shared.clock.now());
        if let Some(plan) = rhythm.sales {
            self.sales.follow(plan);
        }
        rhythm
    }

    /// How often each list may be read by the configured quota, whatever has failed lately.
    pub fn allowed_intervals(&self) -> BTreeMap<Resource, Duration> {
        let rhythm = self.pace.rhythm(&self.config, &self.config.quota, self.shared.clock.now());
        rhythm.paces.iter().map(|(resource, pace)| (*resource, pace.every)).collect()
    }

    fn limits(&self) -> Vec<QuotaLimit> {
        self.pospos.governor().left().into_iter().map(|(limit, _)| limit).collect()
    }

    /// Whether so many calls may be made now without taking them from what is planned: a quarter of each allowance
    /// stays.
    pub fn has_room(&self, calls: usize) -> bool {
        let left = self.pospos.governor().left();
        left.iter().all(|(limit, left)| *left as usize >= calls + limit.calls as usize / 4)
    }

    /// How many pages so many rows fill, of a list that is read by pages.
    pub fn pages(&self, rows: u64) -> u32 {
        u32::try_from(rows.div_ceil(u64::from(self.config.page_size)).max(1)).unwrap_or(u32::MAX)
    }

    /// Whether the stock is read in one answer or by pages, where it had so many rows.
    pub fn stock_way(&self, rows: Option<u64>) -> StockWay {
        if self.config.stock_list == StockList::Auto && self.stock_was_too_much.load(Ordering::Relaxed) {
            return StockWay::Pages;
        }
        let size = rows.map(|rows| StockSize { rows, row_bytes: ROW_BYTES });
        let bounds = Bounds { page_size: self.config.page_size, body_limit: BODY_LIMIT as u64 };
        let every = self.config.poll.get(&Resource::Stock).copied().unwrap_or(Duration::MAX);
        stock_way(self.config.stock_list, size, bounds, every, pace::capacity(&self.limits()))
    }

    /// What "low" means for this product.
    pub fn limits_of(&self, row: &StockRow) -> Limits {
        self.shared.settings.rules.limits(&self.config.id, row)
    }

    /// Keeps what sales have shown of the shop's hours.
    pub async fn keep_observed(&self, observed: Observed) -> Result<(), StoreError> {
        let _held = self.record.lock().await;
        let record = ShopRecord { observed, ..self.shared.store.shop(&self.config.id).await? };
        self.write(record, Vec::new()).await
    }

    /// Returns when the shop may be read; at once unless it is stopped, or something in between keeps its API away.
    pub async fn may_read(&self) {
        self.pospos.unblocked().await;
        let mut stopped = self.stopped.subscribe();
        // The sender lives as long as the shop, so this cannot fail while anyone asks.
        drop(stopped.wait_for(|stopped| !*stopped).await);
    }

    /// Whether its key was refused, so that nothing may be read.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Notes when posbell first ran for this shop, and lifts a stop that was about another key.
    async fn begin(&self, mut record: ShopRecord) -> Result<(), StoreError> {
        let other_key = record.stopped.as_ref().is_some_and(|stopped| stopped.key_hash != self.key_hash);
        if record.began_at.is_some() && !other_key {
            return Ok(());
        }
        record.began_at = record.began_at.or(Some(self.shared.clock.now()));
        if other_key {
            info!(shop.id = %self.config.id, "the key of {} is another one now: reading again", self.config.id);
            record.stopped = None;
        }
        self.write(record, Vec::new()).await
    }

    /// The API refused the key: nothing is read any more, now and after a restart, and the owner is told.
    pub async fn stop(&self, status: u16) -> Result<(), StoreError> {
        let _held = self.record.lock().await;
        if self.stopped.send_replace(true) {
            return Ok(());
        }
        error!(shop.id = %self.config.id, status,
            "the key of {} was refused ({status}); nothing is read until the key changes or `posbell resume {}`",
            self.config.id, self.config.id);
        key::refused(&self.shared, &self.config, &self.key_hash, status).await
    }

    /// Whether another key stands where this one was read from: only a restart can use it.
    pub fn has_another_key(&self, env: Env<'_>) -> bool {
        let key = self.config.api_key.read(env);
        key.is_ok_and(|key| KeyHash::of(key.expose_secret()) != self.key_hash)
    }

    /// A person says that the shop may be read again.
    pub async fn resume(&self) -> Result<(), StoreError> {
        let _held = self.record.lock().await;
        key::tried_again(&self.shared, &self.config.id).await?;
        self.pospos.allow_again();
        self.stopped.send_replace(false);
        info!(shop.id = %self.config.id, "{} is read again", self.config.id);
        Ok(())
    }

    /// The lists of which it was told that they are not read.
    pub fn stale_resources(&self) -> BTreeSet<Resource> {
        self.stale.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Writes down and tells what `decide` says of what was told of its lists.
    pub async fn tell_stale(
        &self,
        now: Timestamp,
        decide: impl FnOnce(&StaleRecord) -> Option<Step>,
    ) -> Result<Option<Step>, StoreError> {
        let _held = self.record.lock().await;
        let record = self.shared.store.shop(&self.config.id).await?;
        let Some(step) = decide(&record.stale) else { return Ok(None) };
        let factory = self.scribe(now);
        let recovered = step.recovered.clone().map(|(counter, event)| factory.shop_recovered(counter, event));
        let stale = step.stale.clone().map(|(counter, event)| factory.shop_stale(counter, event));
        let told = step.record.told.keys().copied().collect();
        let record = ShopRecord { stale: step.record.clone(), ..record };
        self.write(record, recovered.into_iter().chain(stale).collect()).await?;
        *self.stale.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = told;
        Ok(Some(step))
    }

    /// Notes that a list which must have rows was answered and has had none yet. Returns whether this is news.
    pub fn note_empty(&self, resource: Resource) -> bool {
        self.shared.health.empty_is_news(self.id(), resource)
    }

    /// Whether a list was answered since the start and has had no rows yet.
    pub fn is_empty_so_far(&self, resource: Resource) -> bool {
        self.shared.health.is_empty_so_far(self.id(), resource)
    }

    /// Commits the shop's record with its events and their deliveries in one step.
    async fn write(&self, record: ShopRecord, events: Vec<Event>) -> Result<(), StoreError> {
        let shop = Some((self.config.id.clone(), record));
        self.shared.publish(events, Commit { shop, ..Commit::default() }).await
    }
}

/// What the last passes have cost.
pub async fn costs(config: &ShopConfig, store: &Store) -> Result<Costs, StoreError> {
    let mut costs = Costs::default();
    for resource in config.poll.keys() {
        let record = store.resource(&config.id, *resource).await?;
        let Some(calls) = record.map(|record| record.calls).filter(|calls| *calls > 0) else { continue };
        match resource {
            Resource::Transactions => costs.sales.whole = calls,
            _ => drop(costs.passes.insert(*resource, calls)),
        }
    }
    Ok(costs)
}
