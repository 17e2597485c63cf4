//! posbell in this process, without its loops: the real passes over the real store and the real wire, each begun when
//! the shop's own rhythm says so.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use posbell::config::Config;
use posbell::demo::shop::SimulatedShop;
use posbell::domain::event::{Epoch, EventKind};
use posbell::domain::model::{Resource, Subject, Timestamp};
use posbell::domain::rhythm::pace::first_start;
use posbell::edge::store::{Store, StoreError};
use posbell::service::forget::forget;
use posbell::service::pass::{PassError, PassReport, pass};
use posbell::service::setup;
use posbell::service::shared::Shared;
use posbell::service::shop::Shop;
use serde::Deserialize;

use super::time::Time;
use crate::support::rig::PATIENCE;

/// The key of the simulated shop.
pub const KEY: &str = "demo-key-of-a-month";

/// How long events are kept: shorter than the run, so that it shows whether the store forgets.
pub const RETAINED: chrono::TimeDelta = chrono::TimeDelta::days(3);

/// More than any reading makes.
const ALL: usize = 1_000_000;

/// An event that was told: what of it is compared with the shop's journal.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub subject: Subject,
    /// When it was seen in the store.
    #[serde(skip)]
    pub seen_at: Option<Timestamp>,
}

/// The running service, or the files of one that does not run.
pub struct House {
    shop: Arc<SimulatedShop>,
    time: Time,
    dir: tempfile::TempDir,
    open: Option<Open>,
    next_event: u64,
    /// Everything that was told, in its order.
    pub told: Vec<Told>,
    /// How many passes failed because the API was down.
    pub failed: u64,
    /// How many passes a kill has cut off.
    pub cut_off: u64,
}

/// What there is of the service while it runs.
struct Open {
    posbell: Shop,
    begun: BTreeMap<Resource, Duration>,
}

impl House {
    /// The files of a service for that shop. It does not run yet.
    pub fn new(shop: Arc<SimulatedShop>, time: Time, config: &str) -> House {
        House::with_key(shop, time, KEY, config)
    }

    /// The same for a shop with another key: one is claimed for the whole machine, and tests run side by side.
    pub fn with_key(shop: Arc<SimulatedShop>, time: Time, key: &str, config: &str) -> House {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let file = format!(
            "data_dir = \"data\"\n[[shop]]\nid = \"main\"\napi_key = \"{key}\"\nbase_url = \"{}\"\n{config}",
            shop.base_url()
        );
        std::fs::write(dir.path().join("posbell.toml"), file).expect("writes");
        std::fs::create_dir(dir.path().join("rules")).expect("makes a directory");
        let rules = "[[threshold]]\nlow = 5\ncritical = 2\nrearm = 8\n";
        std::fs::write(dir.path().join("rules/rules.toml"), rules).expect("writes");
        House { shop, time, dir, open: None, next_event: 0, told: Vec::new(), failed: 0, cut_off: 0 }
    }

    /// From the next start on, these rules as well.
    pub fn route(&self, rules: &str) {
        std::fs::write(self.dir.path().join("rules/routes.toml"), rules).expect("writes");
    }

    /// Where the store is.
    pub fn store_path(&self) -> std::path::PathBuf {
        self.dir.path().join("data/store")
    }

    /// What runs.
    pub fn posbell(&self) -> &Shop {
        &self.open.as_ref().expect("posbell runs").posbell
    }

    /// Starts the service.
    pub async fn start(&mut self) {
        let begun = BTreeMap::new();
        self.open = Some(Open { posbell: open(self.dir.path(), &self.time).await, begun });
    }

    /// Ends it between two passes.
    pub fn stop(&mut self) {
        self.open = None;
    }

    /// Makes every pass whose time has come, in the order in which a start makes them.
    pub async fn read_what_is_due(&mut self) {
        let now = self.time.gone();
        let resources = match &self.open {
            None => return,
            Some(open) => {
                let rhythm = open.posbell.rhythm();
                let is_due = |resource: &Resource| {
                    let every = rhythm.paces.get(resource).map(|pace| pace.every);
                    every.is_some_and(|every| open.begun.get(resource).is_none_or(|begun| *begun + every <= now))
                };
                first_start(Resource::ALL.into_iter().filter(is_due))
            }
        };
        for resource in resources {
            self.read(resource).await;
        }
    }

    /// One pass, and what the loop does after it.
    async fn read(&mut self, resource: Resource) {
        let now = self.time.gone();
        let open = self.open.as_mut().expect("posbell runs");
        open.begun.insert(resource, now);
        let outcome = tokio::time::timeout(PATIENCE, pass(&open.posbell, resource)).await.expect("the pass ends");
        match outcome {
            Ok(_) => {}
            Err(PassError::Read(_)) => self.failed += 1,
            Err(error) => panic!("{resource} at {}: {error}", self.time.now()),
        }
        open.posbell.tell_baseline().await.expect("is written");
        self.listen().await;
    }

    /// One pass, with `act` done once its first call has come to the shop and before the answer is heard.
    pub async fn read_with(&mut self, resource: Resource, act: impl FnOnce()) -> Result<PassReport, PassError> {
        let (before, mut act) = (self.shop.calls(), Some(act));
        let shop = Arc::clone(&self.shop);
        let mut work = Box::pin(pass(self.posbell(), resource));
        std::future::poll_fn(move |context| {
            if shop.calls() > before
                && let Some(act) = act.take()
            {
                act();
            }
            work.as_mut().poll(context)
        })
        .await
    }

    /// Kills the service in the middle of a pass: once its first call has come to the shop it gets so many turns and no
    /// more. How far it comes in some turns is up to the machine; with none it has not ended.
    pub async fn kill_in(&mut self, resource: Resource, turns: usize) {
        let posbell = self.open.take().expect("posbell runs").posbell;
        let before = self.shop.calls();
        let shop = Arc::clone(&self.shop);
        let ended = cut_off(pass(&posbell, resource), move || shop.calls() > before, turns).await;
        self.cut_off += u64::from(ended.is_none());
        drop(posbell);
    }

    /// Takes note of what was told since the last time, and lets the shop know.
    async fn listen(&mut self) {
        let posbell = &self.open.as_ref().expect("posbell runs").posbell;
        let events = posbell.shared.store.events_from(self.next_event, posbell.id(), ALL).await.expect("reads");
        for (number, json) in events {
            self.next_event = number + 1;
            let mut told: Told = serde_json::from_str(&json).expect("is an event");
            told.seen_at = Some(self.time.now());
            if let Some(kind) = EventKind::by_name(&told.kind) {
                self.shop.acknowledge(kind, &told.subject);
            }
            self.told.push(told);
        }
    }

    /// Forgets what is old, as the service does each hour.
    pub async fn prune(&self) {
        if let Some(open) = &self.open {
            forget(&open.posbell.shared).await.expect("forgets");
        }
    }
}

/// Opens the service as its start does. What was dropped in the middle may still be letting go of its locks.
async fn open(dir: &Path, time: &Time) -> Shop {
    let config = Config::load(&dir.join("posbell.toml"), &|_| None);
    let config = config.unwrap_or_else(|problems| panic!("{}", problems[0].mistake.message));
    let opened = async {
        let store = loop {
            match Store::open_or_create(&config.data_dir, Epoch::from_random([7; 16])) {
                Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
                opened => break opened.expect("opens"),
            }
        };
        loop {
            let Ok(ready) = setup::ready(&config, &|_| None) else { panic!("the secrets stand in the file") };
            let mut shared = Shared::new(store.clone(), time.clock(), &config, &[]);
            shared.retain = RETAINED.to_std().expect("is not negative");
            let shared = Arc::new(shared);
            let only = ready.shops.into_iter().next().expect("there is one");
            match setup::open_shop(only, &config, &shared, Arc::new(time.clone())).await {
                Ok(shop) => return shop,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, opened).await.expect("the locks are free")
}

/// The outcome of `work`, or `None` where it has not ended so many turns after it has `begun` and is dropped.
async fn cut_off<T>(work: impl Future<Output = T>, begun: impl Fn() -> bool, turns: usize) -> Option<T> {
    let mut work = Box::pin(work);
    let mut left = turns;
    std::future::poll_fn(move |context| {
        if begun() {
            let Some(rest) = left.checked_sub(1) else { return Poll::Ready(None) };
            left = rest;
        }
        work.as_mut().poll(context).map(Some)
    })
    .await
}
