//! `posbell run`: the service in the foreground.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use secrecy::SecretString;
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::client::served;
use super::damaged::{is_unusable, may_be_whole, while_running};
use super::mistaken::keeps_from_starting;
use super::{Failure, bad_config, env};
use crate::config::{Config, Problem, Weight};
use crate::domain::disk::DiskFault;
use crate::edge::store::{DirLock, Moving, Store, StoreError, make_data_dir};
use crate::edge::store::{close_to_others, is_open_to_others};
use crate::server::listeners::Listeners;
use crate::service::clock::Clock;
use crate::service::disk::{After, DiskWatch, fault_behind};
use crate::service::mistaken;
use crate::service::patience::patiently;
use crate::service::ready::Ready;
use crate::service::run::{Start, run as run_service};
use crate::service::setup;
use crate::service::shutdown::{Shutdown, shutdown};
use crate::service::systemd;
use crate::service::telemetry::LogFormat;
use crate::service::watchdog::Watch;

/// How long threads that read or write may take to end after everything else has.
const LAST_THREADS: Duration = Duration::from_secs(2);

/// After the end was asked for: how long a call of the store may stand still.
const LAST_CALL: Duration = Duration::from_secs(5);

/// How soon after it was opened again a store that fails once more is given up.
const BETWEEN_REOPENINGS: Duration = Duration::from_secs(600);

/// How long the lock on the data directory may take: longer only where the disk hangs.
const TAKING: Duration = Duration::from_secs(60);

/// How long answers and tasks may take to end with the process.
const LAST_TASKS: Duration = Duration::from_secs(5);

/// How often it is looked whether an opening reads on, and how much longer systemd waits then.
const LOOK_AT_OPENING: Duration = Duration::from_secs(10);
const START_LONGER: Duration = Duration::from_secs(60);

/// What `posbell run` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    /// How the log looks: `text`, or `json` for what collects logs
    #[arg(long, value_enum, default_value = "text")]
    log_format: Format,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl RunArgs {
    /// How the log looks.
    pub(super) fn log_format(&self) -> LogFormat {
        match self.log_format {
            Format::Text => LogFormat::Text,
            Format::Json => LogFormat::Json,
        }
    }
}

pub(super) fn run(config: &Arc<Config>) -> Result<(), Failure> {
    let spare = ready(config).map_err(|found| keeps_from_starting(config, &found))?;
    mistaken::forget(&config.data_dir);
    see_to_privacy(&config.data_dir);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let (ending, shutdown) = shutdown();
        let mut signals = Signals::new().context("Failed to listen for signals")?;
        let clock = Clock::default();
        let watch = Watch::new(clock.clone());
        let token = spare.admin_token.clone();
        let keeper = Keeper { config: Arc::clone(config), token, clock, watch: Arc::clone(&watch), shutdown };
        let mut service = Box::pin(keeper.keep_running(spare));
        let mut feeding = Box::pin(Arc::clone(&watch).feed());
        loop {
            tokio::select! {
                outcome = &mut service => return outcome,
                never = &mut feeding => match never {},
                asked = signals.next() => match asked {
                    Asked::End => break,
                    Asked::Reload => info!(
                        "asked to read the configuration again (SIGHUP): this version does so when it is restarted"
                    ),
                },
            }
        }
        systemd::stopping();
        ending.ask();
        tokio::select! {
            outcome = service => outcome,
            () = store_stands_still(&watch) => {
                warn!("the store does not answer: what is under way is cut off, as by a kill");
                Ok(())
            }
        }
    });
    // A thread that a damaged store does not let go must not keep the process.
    runtime.shutdown_timeout(LAST_THREADS);
    outcome
}

/// Returns when a call of the store does not come on.
async fn store_stands_still(watch: &Watch) {
    let mut known = Vec::new();
    loop {
        tokio::time::sleep(LAST_CALL).await;
        let under_way = watch.calls_under_way();
        if under_way.iter().any(|call| known.contains(call)) {
            return;
        }
        known = under_way;
    }
}

fn ready(config: &Config) -> Result<Ready, Vec<Problem>> {
    setup::ready(config, &env).map_err(|mut found| {
        // What only the unit can read is needed here and now.
        found.iter_mut().for_each(|problem| problem.weight = Weight::Error);
        found
    })
}

/// What posbell keeps is for its owner's eyes alone, also where another version or a person has made it wider.
fn see_to_privacy(data_dir: &Path) {
    let dir = data_dir.display();
    if is_open_to_others(data_dir) {
        warn!("others than its owner can look into the data directory: chmod 700 {dir}");
    }
    match close_to_others(data_dir) {
        (closed, Some((path, error))) => warn!(
            closed,
            "others than the owner may use {}, which could not be changed ({error}): chmod -R go= {dir}",
            path.display()
        ),
        (0, None) => {}
        (closed, None) => warn!("others could use {closed} files in {dir}; from now on only their owner can"),
    }
}

/// What lives as long as the process, however often the store is opened.
struct Keeper {
    config: Arc<Config>,
    token: Option<SecretString>,
    clock: Clock,
    watch: Arc<Watch>,
    shutdown: Shutdown,
}

/// What this process has from its beginning to its end, whether or not the store is open.
struct Held {
    lock: Arc<DirLock>,
    listeners: Listeners,
}

impl Held {
    async fn leave(self) {
        // One that asks a disk that hangs is left to the end of the process.
        drop(tokio::time::timeout(LAST_TASKS, self.listeners.close()).await);
        drop(self.lock);
    }
}

impl Keeper {
    /// Runs until the end is asked for: where the disk fails, again as soon as it works.
    async fn keep_running(self, spare: Ready) -> Result<(), Failure> {
        let mut disk = DiskWatch::new(Arc::clone(&self.config), spare, self.clock.clone());
        let mut held = None;
        let outcome = self.open_again_and_again(&mut disk, &mut held).await;
        if let Some(held) = held {
            held.leave().await;
        }
        if outcome.is_ok() {
            info!("posbell has ended");
        }
        outcome
    }

    async fn open_again_and_again(&self, disk: &mut DiskWatch, held: &mut Option<Held>) -> Result<(), Failure> {
        let mut reopened_at: Option<Duration> = None;
        loop {
            let (whole, is_whole) = oneshot::channel();
            let outcome = tokio::select! {
                outcome = self.run_once(held, whole) => outcome,
                never = disk.attend(&self.watch, is_whole) => match never {},
            };
            let Err(Failure::Failed(error)) = outcome else { return outcome };
            if let Some(fault) = fault_behind(&error, &self.config.data_dir).await {
                // It waits for nothing but its disk, which is no fault of the unit.
                systemd::ready();
                let interface = held.as_ref().map(|held| held.listeners.interface());
                if disk.wait(fault, interface, &self.shutdown).await == After::End {
                    return Ok(());
                }
                // It may be gone with the rest, and the socket too.
                if let Some(gone) = held.take_if(|held| !held.lock.is_in_place()) {
                    gone.leave().await;
                }
                continue;
            }
            let up = self.clock.mark().up;
            let is_first = reopened_at.is_none_or(|at| up.saturating_sub(at) > BETWEEN_REOPENINGS);
            if !is_first || !may_be_whole(&error) {
                if is_unusable(&error) {
                    disk.is_unusable().await;
                }
                return Err(Failure::Failed(error));
            }
            warn!("the store has failed and is opened again: {error:#}");
            reopened_at = Some(up);
        }
    }

    async fn run_once(&self, held: &mut Option<Held>, is_whole: oneshot::Sender<()>) -> Result<(), Failure> {
        let Keeper { config, clock, shutdown, .. } = self;
        let ready = ready(config).map_err(|found| bad_config(&found))?;
        let Held { lock, listeners } = match held {
            Some(held) => held,
            None => {
                let Some(lock) = shutdown.unless_asked(take_lock(config, clock)).await else { return Ok(()) };
                let lock = Arc::new(lock.context("Failed to take the data directory")?);
                held.insert(Held { lock, listeners: Listeners::open(config, self.token.clone(), clock).await })
            }
        };
        let interface = listeners.interface().clone();
        interface.close("posbell is opening its store", true, Vec::new());
        // A large store takes its time, an older one more; cut off, it is opened by the next start as after a kill.
        let opening = async {
            tokio::select! {
                opened = open(config, Arc::clone(lock), clock) => opened,
                never = extend_start() => match never {},
            }
        };
        let Some(store) = shutdown.unless_asked(opening).await else { return Ok(()) };
        let store = store.context("Failed to open the store")?;
        listeners.write_token()?;
        let watch = Arc::clone(&self.watch);
        let start =
            Start { config: Arc::clone(config), ready, store, interface, clock: clock.clone(), watch, is_whole };
        run_service(start, shutdown.clone(), systemd::ready).await.map_err(while_running)?;
        Ok(())
    }
}

/// Has systemd wait on for the start while the process reads or writes.
async fn extend_start() -> Infallible {
    let mut moving = Moving::now();
    loop {
        tokio::time::sleep(LOOK_AT_OPENING).await;
        if moving.has_moved() {
            systemd::extend_start(START_LONGER);
        }
    }
}

/// Takes the lock on the data directory, which a command may have for a moment.
async fn take_lock(config: &Arc<Config>, clock: &Clock) -> Result<DirLock, StoreError> {
    let (config, clock) = (Arc::clone(config), clock.clone());
    let taking = on_a_thread(move || {
        make_data_dir(&config.data_dir)?;
        patiently(&clock, || served(&config.data_dir), || DirLock::take(&config.data_dir))
    });
    tokio::time::timeout(TAKING, taking).await.unwrap_or(Err(StoreError::Disk(DiskFault::Hanging)))
}

async fn open(config: &Arc<Config>, lock: Arc<DirLock>, clock: &Clock) -> Result<Store, StoreError> {
    let (config, clock) = (Arc::clone(config), clock.clone());
    on_a_thread(move || {
        // What a request still reads keeps the store of before open for a moment.
        patiently(&clock, || false, || Store::open_locked(&config.data_dir, &lock, clock.new_epoch()))
    })
    .await
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(StoreError::Damaged("opening it has panicked".to_owned())))
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// What the process is asked for next.
    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => info!("asked to end (SIGTERM)"),
            _ = self.interrupt.recv() => info!("asked to end (Ctrl-C)"),
            _ = self.hangup.recv() => return Asked::Reload,
        }
        Asked::End
    }
}

/// What a signal asks for.
enum Asked {
    End,
    Reload,
}
