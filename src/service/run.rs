//! The service: everything that can fail first, then the loops, then the end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::app::App;
use super::channels::ChannelWatch;
use super::clock::Clock;
use super::deliver::{self, Deliverer, Letterhead};
use super::interface::Interface;
use super::pass::{self, refresh};
use super::poll::poll;
use super::ready::{Ready, ReadyChannel};
use super::running::Running;
use super::setup::open_shop;
use super::shared::Shared;
use super::shop::Shop;
use super::shutdown::Shutdown;
use super::stale::StaleWatch;
use super::watchdog::{OldestCall, Watch};
use super::whole::read_whole;
use super::{copies, forget, groups, heartbeat, notices};
use crate::config::{Config, HeartbeatConfig};
use crate::domain::disk::DiskFault;
use crate::domain::model::{Resource, Timestamp};
use crate::domain::rhythm::pace::first_start;
use crate::edge::heartbeat::Heartbeat;
use crate::edge::pospos::quota::SystemBootClock;
use crate::edge::store::{FULL, Store, StoreError, free_bytes};

/// How often new events are put into the index by which they are listed.
const INDEXING: Duration = Duration::from_secs(10);

/// How often it is looked whether there is space left and the files are still there.
const LOOK_AT_DISK: Duration = Duration::from_secs(5);

/// What the service runs with.
pub struct Start {
    /// What was configured.
    pub config: Arc<Config>,
    /// Its secrets and channels.
    pub ready: Ready,
    /// The open store.
    pub store: Store,
    /// Where it is asked.
    pub interface: Interface,
    /// The time.
    pub clock: Clock,
    /// Looks whether everything turns.
    pub watch: Arc<Watch>,
    /// Hears that the store was read and is whole.
    pub is_whole: oneshot::Sender<()>,
}

/// The loops of the service.
struct Loops {
    running: JoinSet<anyhow::Result<()>>,
    watch: Arc<Watch>,
}

impl Loops {
    /// Starts one, under the name by which it is known where it does not turn.
    fn spawn(&mut self, name: impl Into<String>, work: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.running.spawn(self.watch.stamping(name.into(), work));
    }
}

/// Runs until the end is asked for, and calls `started` once everything stands.
///
/// An error means that the store failed or a loop panicked: the caller ends the process and whoever watches it starts
/// it again, since everything that matters is in the store.
pub async fn run(start: Start, shutdown: Shutdown, started: impl FnOnce()) -> anyhow::Result<()> {
    let Start { config, ready, store, interface, clock, watch, is_whole } = start;
    let shared = Arc::new(Shared::new(store, clock, &config, &ready.channels));
    watch.look_after(calls_to_disk(&shared, &[]));
    let began = shared.clock.now();
    shared.store.let_wait_at_most(config.max_waiting);
    let mut shops = Vec::new();
    for shop in ready.shops {
        shops.push(Arc::new(open_shop(shop, &config, &shared, Arc::new(SystemBootClock)).await?));
    }
    watch.look_after(calls_to_disk(&shared, &shops));
    let mut loops = Loops { running: JoinSet::new(), watch };
    let shutdown = of_this_run(&mut loops, shutdown);
    let running = Running { shops: shops.clone(), watch: Arc::clone(&loops.watch), doors: interface.doors().clone() };
    interface.open(Arc::new(App::running(Arc::clone(&config), Arc::clone(&shared), running)));
    loops.spawn("the wait to close", close_when_asked(interface.clone(), shutdown.clone()));
    loops.spawn("the look at the disk", watch_disk(Arc::clone(&shared), config.data_dir.clone(), shutdown.clone()));
    info!(
        "posbell {} is running: {} shops, {} channels, {} rules",
        env!("CARGO_PKG_VERSION"),
        shops.len(),
        config.channels.len(),
        config.rules.rules.len()
    );
    started();
    if read_whole(&shared.store, &shutdown).await? {
        // An error means that nobody waits for it.
        let _ = is_whole.send(());
        deliver::recall(&shared, &ready.channels).await?;
        start_sending(ready.channels, &config, &shared, &mut loops, &shutdown);
        for shop in &shops {
            pass::go_on(shop).await?;
        }
        start_reading(&shops, &mut loops, &shutdown);
        start_watching(&config, &shared, &shops, &mut loops, &shutdown).await?;
        start_keeping(&config, &shared, began, &mut loops, &shutdown);
        // What a channel that is gone had gathered waits for it from now on.
        shared.end_groups().await.context("Failed to send what was grouped")?;
        warn_of_orphans(&shared).await?;
    }
    let outcome = watch_loops(&mut loops.running, &shutdown).await;
    // Nobody holds the store when this returns, or not for long: it may be opened again.
    interface.close(ENDING, true, Vec::new());
    loops.running.shutdown().await;
    outcome
}

/// The calls to the disk that are under way: of the store, and of each shop's ledger.
fn calls_to_disk(shared: &Shared, shops: &[Arc<Shop>]) -> Vec<OldestCall> {
    let calls = Arc::clone(shared.store.calls());
    let of_store: OldestCall = Box::new(move || calls.oldest());
    let of_shop = |shop: &Arc<Shop>| {
        // Weak: the watch outlives the shops.
        let shop = Arc::downgrade(shop);
        let writing: OldestCall = Box::new(move || shop.upgrade()?.pospos.governor().writing());
        writing
    };
    std::iter::once(of_store).chain(shops.iter().map(of_shop)).collect()
}

/// The end of this run alone: asked for with that of all, and when the loops are dropped. What was begun for a request
/// has tasks of its own, which would go on, and hold the store.
fn of_this_run(loops: &mut Loops, of_all: Shutdown) -> Shutdown {
    let (ending, shutdown) = super::shutdown::shutdown();
    loops.spawn("the wait for the end", async move {
        of_all.asked().await;
        ending.ask();
        Ok(())
    });
    shutdown
}

/// Waits for the end. A loop that ends before it was asked to ends them all.
async fn watch_loops(loops: &mut JoinSet<anyhow::Result<()>>, shutdown: &Shutdown) -> anyhow::Result<()> {
    while let Some(ended) = loops.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(error),
            Err(panic) => return Err(panic).context("A loop of the service has panicked"),
        }
        if !shutdown.is_asked() {
            anyhow::ensure!(!loops.is_empty(), "Every loop of the service has ended");
        }
    }
    Ok(())
}

fn start_sending(
    channels: Vec<ReadyChannel>,
    config: &Arc<Config>,
    shared: &Arc<Shared>,
    loops: &mut Loops,
    shutdown: &Shutdown,
) {
    let names = config.shops.iter().map(|shop| (shop.id.clone(), shop.name.clone())).collect();
    let channels: Vec<_> = channels.into_iter().map(Arc::new).collect();
    let letterhead = Arc::new(Letterhead { wording: config.wording.clone(), names });
    for channel in channels {
        let wake = shared.wakes.get(&channel.name).cloned().unwrap_or_default();
        let name = channel.name.clone();
        let deliverer = Deliverer { channel, shared: Arc::clone(shared), letterhead: Arc::clone(&letterhead), wake };
        let shutdown = shutdown.clone();
        loops.spawn(format!("sending to {name}"), async move {
            deliverer.run(shutdown).await.with_context(|| format!("Failed to deliver to channel {name}"))
        });
    }
}

fn start_reading(shops: &[Arc<Shop>], loops: &mut Loops, shutdown: &Shutdown) {
    for shop in shops {
        for resource in first_start(shop.config.poll.keys().copied()) {
            let (shop, shutdown) = (Arc::clone(shop), shutdown.clone());
            loops.spawn(format!("reading {resource} of {}", shop.id()), async move {
                let id = shop.id().clone();
                poll(shop, resource, shutdown).await.with_context(|| format!("Failed to keep {resource} of {id}"))
            });
        }
        if shop.config.poll.contains_key(&Resource::Stock) {
            let (shop, shutdown) = (Arc::clone(shop), shutdown.clone());
            loops.spawn(format!("refreshing the stock of {}", shop.id()), async move {
                let id = shop.id().clone();
                refresh::run(shop, shutdown).await.with_context(|| format!("Failed to refresh the stock of {id}"))
            });
        }
    }
}

/// What tells when a list is not read, a channel takes nothing, or a notice finds no reader.
async fn start_watching(
    config: &Arc<Config>,
    shared: &Arc<Shared>,
    shops: &[Arc<Shop>],
    loops: &mut Loops,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let channels = ChannelWatch::new(Arc::clone(shared), Arc::clone(config)).await?;
    loops.spawn("the look at lists", StaleWatch::new(shops).run(shutdown.clone()));
    loops.spawn("the look at channels", channels.run(shutdown.clone()));
    loops.spawn("the end of groups", groups::run(Arc::clone(shared), shutdown.clone()));
    loops.spawn("the look at notices", notices::watch(Arc::clone(shared), shutdown.clone()));
    if let Some(HeartbeatConfig { url, every }) = config.heartbeat.clone() {
        let beats = (Heartbeat::new(url).context("Failed to begin the heartbeat")?, every);
        loops.spawn("the heartbeat", heartbeat::run(Arc::clone(shared), Arc::clone(config), beats, shutdown.clone()));
    }
    Ok(())
}

/// What keeps the store in order.
fn start_keeping(config: &Arc<Config>, shared: &Arc<Shared>, began: Timestamp, loops: &mut Loops, shutdown: &Shutdown) {
    loops.spawn("forgetting", forget::run(Arc::clone(shared), shutdown.clone()));
    loops.spawn("the index", index(Arc::clone(shared), shutdown.clone()));
    loops.spawn("the backups", copies::keep(Arc::clone(shared), Arc::clone(config), began, shutdown.clone()));
}

/// What is answered from when the end was asked for.
const ENDING: &str = "posbell is ending";

/// Answers nothing from the store any more, as soon as the end is asked for.
async fn close_when_asked(interface: Interface, shutdown: Shutdown) -> anyhow::Result<()> {
    shutdown.asked().await;
    interface.close(ENDING, true, Vec::new());
    Ok(())
}

/// Gives up in time: a store that runs out of space, or whose files are gone, cannot say much any more.
async fn watch_disk(shared: Arc<Shared>, data_dir: PathBuf, shutdown: Shutdown) -> anyhow::Result<()> {
    while shutdown.unless_asked(tokio::time::sleep(LOOK_AT_DISK)).await.is_some() {
        let looked = async {
            shared.store.check_place().await?;
            let dir = data_dir.clone();
            // It may hang where the disk does.
            let free =
                tokio::task::spawn_blocking(move || free_bytes(&dir)).await.context("Failed to look at the disk")?;
            anyhow::ensure!(!free.is_ok_and(|free| free < FULL), StoreError::Disk(DiskFault::Full));
            Ok(())
        };
        shutdown.unless_asked(looked).await.unwrap_or(Ok(()))?;
    }
    Ok(())
}

/// Keeps the index of the log near its end.
async fn index(shared: Arc<Shared>, shutdown: Shutdown) -> anyhow::Result<()> {
    loop {
        if let Some(indexed) = shutdown.unless_asked(shared.store.index_log()).await {
            indexed.context("Failed to index the events")?;
        }
        if shutdown.unless_asked(tokio::time::sleep(INDEXING)).await.is_none() {
            return Ok(());
        }
    }
}

/// Messages for a channel that the configuration has lost would wait in silence.
async fn warn_of_orphans(shared: &Shared) -> anyhow::Result<()> {
    let waiting = shared.store.waiting_channels().await.context("Failed to look for waiting messages")?;
    for channel in waiting.iter().filter(|channel| !shared.wakes.contains_key(*channel)) {
        warn!(channel.name = %channel, "messages wait for channel {channel}, which is not in the configuration any more");
    }
    Ok(())
}
