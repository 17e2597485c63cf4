//! The service: everything that can fail first, then the loops, then the end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::answers::ServiceAnswers;
use super::channels::ChannelWatch;
use super::clock::Clock;
use super::deliver::{self, Deliverer, Letterhead};
use super::health::Health;
use super::notices::OpenNotices;
use super::pass::{self, refresh};
use super::poll::poll;
use super::send_limits::SendLimits;
use super::setup::{Ready, ReadyChannel, open_shop};
use super::shop::{Shared, Shop};
use super::shutdown::Shutdown;
use super::stale::StaleWatch;
use super::whole::read_whole;
use super::{copies, forget, heartbeat, notices};
use crate::config::{Config, HeartbeatConfig};
use crate::domain::model::{ChannelName, Resource, Timestamp};
use crate::domain::rhythm::pace::first_start;
use crate::edge::admin::{self, Access};
use crate::edge::heartbeat::Heartbeat;
use crate::edge::pospos::quota::SystemBootClock;
use crate::edge::store::{FULL, Store, StoreError, free_bytes};

/// How often new events are put into the index by which they are listed.
const INDEXING: Duration = Duration::from_secs(10);

/// How often it is looked whether there is space left.
const SPACE: Duration = Duration::from_secs(5);

/// How long answers at the admin address may take to end after the end was asked for.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// What the service runs with.
pub struct Start {
    /// What was configured.
    pub config: Arc<Config>,
    /// Its secrets and channels.
    pub ready: Ready,
    /// The open store.
    pub store: Store,
    /// Where to listen, bound already; `None` for nowhere.
    pub listener: Option<TcpListener>,
    /// The time.
    pub clock: Clock,
}

/// Runs until the end is asked for, and calls `started` once everything stands.
///
/// An error means that the store failed or a loop panicked: the caller ends the process and whoever watches it starts
/// it again, since everything that matters is in the store.
pub async fn run(start: Start, shutdown: Shutdown, started: impl FnOnce(Option<SocketAddr>)) -> anyhow::Result<()> {
    let Start { config, ready, store, listener, clock } = start;
    let shared = Arc::new(shared(store, clock, &config, &ready.channels));
    let began = shared.clock.now();
    shared.store.let_wait_at_most(config.max_waiting);
    let mut shops = Vec::new();
    for shop in ready.shops {
        shops.push(Arc::new(open_shop(shop, &config, &shared, Arc::new(SystemBootClock)).await?));
    }
    let mut loops: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let shutdown = of_this_run(&mut loops, shutdown);
    let address = match listener {
        Some(listener) => {
            let token = admin_token(ready.admin_token, &config, &shared.clock)?;
            let answers = ServiceAnswers {
                config: Arc::clone(&config),
                shared: Arc::clone(&shared),
                shops: shops.clone(),
                replaying: Arc::default(),
            };
            Some(serve(listener, answers, token, &mut loops, &shutdown)?)
        }
        None => None,
    };
    loops.spawn(watch_space(config.data_dir.clone(), shutdown.clone()));
    info!(
        "posbell {} is running: {} shops, {} channels, {} rules",
        env!("CARGO_PKG_VERSION"),
        shops.len(),
        config.channels.len(),
        config.rules.rules.len()
    );
    started(address);
    if read_whole(&shared.store, &shutdown).await? {
        deliver::recall(&shared, &ready.channels).await?;
        start_sending(ready.channels, &config, &shared, &mut loops, &shutdown);
        for shop in &shops {
            pass::go_on(shop).await?;
        }
        start_reading(&shops, &mut loops, &shutdown);
        start_watching(&config, &shared, &shops, &mut loops, &shutdown).await?;
        start_keeping(&config, &shared, began, &mut loops, &shutdown);
        warn_of_orphans(&shared).await?;
    }
    let outcome = watch(&mut loops, &shutdown).await;
    // Nobody holds the store when this returns, or not for long: it may be opened again.
    loops.shutdown().await;
    info!("posbell has ended");
    outcome
}

/// What the loops share at their beginning.
fn shared(store: Store, clock: Clock, config: &Config, channels: &[ReadyChannel]) -> Shared {
    let wakes: BTreeMap<ChannelName, Arc<Notify>> =
        channels.iter().map(|channel| (channel.name.clone(), Arc::new(Notify::new()))).collect();
    Shared {
        store,
        clock,
        measure: measure(config),
        retain: config.retain,
        rules: config.rules.clone(),
        destinations: config.destinations(),
        health: Health::default(),
        notices: OpenNotices::default(),
        limits: SendLimits::of(channels),
        wakes,
    }
}

/// The end of this run alone: asked for with that of all, and when the loops are dropped. Answers at the admin address
/// have tasks of their own, which would go on, and hold the store.
fn of_this_run(loops: &mut JoinSet<anyhow::Result<()>>, of_all: Shutdown) -> Shutdown {
    let (ending, shutdown) = super::shutdown::shutdown();
    loops.spawn(async move {
        of_all.asked().await;
        ending.ask();
        Ok(())
    });
    shutdown
}

/// Waits for the end. A loop that ends before it was asked to ends them all.
async fn watch(loops: &mut JoinSet<anyhow::Result<()>>, shutdown: &Shutdown) -> anyhow::Result<()> {
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
    loops: &mut JoinSet<anyhow::Result<()>>,
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
        loops.spawn(async move {
            deliverer.run(shutdown).await.with_context(|| format!("Failed to deliver to channel {name}"))
        });
    }
}

/// What decides on levels besides the rows.
fn measure(config: &Config) -> String {
    let thresholds = format!("{:?}", config.rules.thresholds);
    let digest = ring::digest::digest(&ring::digest::SHA256, thresholds.as_bytes());
    digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn start_reading(shops: &[Arc<Shop>], loops: &mut JoinSet<anyhow::Result<()>>, shutdown: &Shutdown) {
    for shop in shops {
        for resource in first_start(shop.config.poll.keys().copied()) {
            let (shop, shutdown) = (Arc::clone(shop), shutdown.clone());
            loops.spawn(async move {
                let id = shop.id().clone();
                poll(shop, resource, shutdown).await.with_context(|| format!("Failed to keep {resource} of {id}"))
            });
        }
        if shop.config.poll.contains_key(&Resource::Stock) {
            let (shop, shutdown) = (Arc::clone(shop), shutdown.clone());
            loops.spawn(async move {
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
    loops: &mut JoinSet<anyhow::Result<()>>,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let channels = ChannelWatch::new(Arc::clone(shared), Arc::clone(config)).await?;
    loops.spawn(StaleWatch::new(shops).run(shutdown.clone()));
    loops.spawn(channels.run(shutdown.clone()));
    loops.spawn(notices::watch(Arc::clone(shared), shutdown.clone()));
    if let Some(HeartbeatConfig { url, every }) = config.heartbeat.clone() {
        let beats = (Heartbeat::new(url).context("Failed to begin the heartbeat")?, every);
        loops.spawn(heartbeat::run(Arc::clone(shared), Arc::clone(config), beats, shutdown.clone()));
    }
    Ok(())
}

/// What keeps the store in order.
fn start_keeping(
    config: &Arc<Config>,
    shared: &Arc<Shared>,
    began: Timestamp,
    loops: &mut JoinSet<anyhow::Result<()>>,
    shutdown: &Shutdown,
) {
    loops.spawn(forget::run(Arc::clone(shared), shutdown.clone()));
    loops.spawn(index(Arc::clone(shared), shutdown.clone()));
    loops.spawn(copies::keep(Arc::clone(shared), Arc::clone(config), began, shutdown.clone()));
}

fn serve(
    listener: TcpListener,
    answers: ServiceAnswers,
    token: SecretString,
    loops: &mut JoinSet<anyhow::Result<()>>,
    shutdown: &Shutdown,
) -> anyhow::Result<SocketAddr> {
    let address = listener.local_addr().context("Failed to learn the admin address")?;

    let lock = answers.shared.store.lock();
    lock.serves_at(&address.to_string()).with_context(|| format!("Failed to write {}", lock.path().display()))?;
    let router = admin::router(Arc::new(answers), Access { listen: address, token });
    let (asked, late) = (shutdown.clone(), shutdown.clone());
    loops.spawn(async move {
        let serving = admin::serve(listener, router, async move { asked.asked().await });
        let late = async {
            late.asked().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            served = serving => served.context("Failed to serve the admin address"),
            () = late => Ok(()),
        }
    });
    Ok(address)
}

/// The token of the configuration, or one that is written for the command line to find.
fn admin_token(configured: Option<SecretString>, config: &Config, clock: &Clock) -> anyhow::Result<SecretString> {
    if let Some(token) = configured {
        return Ok(token);
    }
    if let Some(token) = written_token(&config.data_dir) {
        return Ok(token);
    }
    let path = token_path(&config.data_dir);
    let failed = || format!("Failed to write the admin token {}", path.display());
    let token = clock.token();
    write_private(&path, &token).with_context(failed)?;
    Ok(SecretString::from(token))
}

/// Gives up in time: a store that runs out of space cannot say much any more.
async fn watch_space(data_dir: PathBuf, shutdown: Shutdown) -> anyhow::Result<()> {
    while shutdown.unless_asked(tokio::time::sleep(SPACE)).await.is_some() {
        if free_bytes(&data_dir).is_ok_and(|free| free < FULL) {
            return Err(StoreError::Full.into());
        }
    }
    Ok(())
}

/// Where `run` writes a token when none is configured.
fn token_path(data_dir: &Path) -> PathBuf {
    data_dir.join("admin-token")
}

/// The token that stands there. A person may have written it, with an editor that puts a byte order mark before it.
pub fn written_token(data_dir: &Path) -> Option<SecretString> {
    let text = std::fs::read_to_string(token_path(data_dir)).ok()?;
    let token = text.trim_start_matches('\u{feff}').trim();
    (!token.is_empty()).then(|| SecretString::from(token))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
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

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_written_token_is_read_without_its_byte_order_mark() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        for (text, token) in [(" \n", None), ("t0ken\n", Some("t0ken")), ("\u{feff}t0ken\r\n", Some("t0ken"))] {
            std::fs::write(token_path(dir.path()), text).expect("writes");
            let written = written_token(dir.path());
            assert_eq!(written.as_ref().map(ExposeSecret::expose_secret), token, "{text:?}");
        }
    }
}
