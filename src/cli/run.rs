//! `posbell run`: the service in the foreground.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use secrecy::SecretString;
use tracing::info;

use super::damaged::while_running;
use super::source::{patiently, served};
use super::{Failure, bad_config, env};
use crate::config::{Config, Weight};
use crate::edge::store::{DirLock, Store, StoreError, make_data_dir};
use crate::service::clock::Clock;
use crate::service::full::{self, After, Waiter};
use crate::service::listeners::Listeners;
use crate::service::run::{Start, run as run_service};
use crate::service::setup::{self, Ready};
use crate::service::shutdown::{Shutdown, shutdown};
use crate::service::systemd;
use crate::service::telemetry::LogFormat;

/// How long threads that read or write may take to end after everything else has.
const LAST_THREADS: Duration = Duration::from_secs(2);

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
    let spare = ready(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let (ending, shutdown) = shutdown();
        let mut signals = Signals::new().context("Failed to listen for signals")?;
        let mut service = Box::pin(keep_running(Arc::clone(config), spare, shutdown));
        loop {
            tokio::select! {
                outcome = &mut service => return outcome,
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
        service.await
    });
    // A thread that a damaged store does not let go must not keep the process.
    runtime.shutdown_timeout(LAST_THREADS);
    outcome
}

fn ready(config: &Config) -> Result<Ready, Failure> {
    setup::ready(config, &env).map_err(|mut found| {
        // What only the unit can read is needed here and now.
        found.iter_mut().for_each(|problem| problem.weight = Weight::Error);
        bad_config(&found)
    })
}

/// What this process has from its beginning to its end, whether or not the store is open.
struct Held {
    lock: Arc<DirLock>,
    listeners: Listeners,
}

/// Runs until the end is asked for: where the disk is full, again as soon as there is space.
async fn keep_running(config: Arc<Config>, spare: Ready, shutdown: Shutdown) -> Result<(), Failure> {
    let clock = Clock::default();
    let token = spare.admin_token.clone();
    let mut waiter = Waiter::new(Arc::clone(&config), spare, clock.clone());
    let mut held = None;
    let outcome = loop {
        match run_once(&config, (&mut held, &token), &clock, &shutdown).await {
            Err(Failure::Failed(error)) if full::is_full(&error) => {}
            outcome => break outcome,
        }
        let interface = held.as_ref().map(|held: &Held| held.listeners.interface());
        if waiter.wait(interface, &shutdown).await == After::End {
            break Ok(());
        }
    };
    if let Some(Held { lock, listeners }) = held {
        listeners.close().await;
        drop(lock);
    }
    if outcome.is_ok() {
        info!("posbell has ended");
    }
    outcome
}

async fn run_once(
    config: &Arc<Config>,
    (held, token): (&mut Option<Held>, &Option<SecretString>),
    clock: &Clock,
    shutdown: &Shutdown,
) -> Result<(), Failure> {
    let ready = ready(config)?;
    let Held { lock, listeners } = match held {
        Some(held) => held,
        None => {
            let Some(lock) = shutdown.unless_asked(take_lock(config, clock)).await else { return Ok(()) };
            let lock = Arc::new(lock.context("Failed to take the data directory")?);
            held.insert(Held { lock, listeners: Listeners::open(config, token.clone(), clock).await })
        }
    };
    let interface = listeners.interface().clone();
    interface.close("posbell is opening its store", true, Vec::new());
    // A large store takes its time, an older one more; cut off, it is opened by the next start as after a kill.
    let opening = open(config, Arc::clone(lock), clock);
    let Some(store) = shutdown.unless_asked(opening).await else { return Ok(()) };
    let store = store.context("Failed to open the store")?;
    listeners.write_token()?;
    let start = Start { config: Arc::clone(config), ready, store, interface, clock: clock.clone() };
    run_service(start, shutdown.clone(), systemd::ready).await.map_err(while_running)?;
    Ok(())
}

/// Takes the lock on the data directory, which a command may have for a moment.
async fn take_lock(config: &Arc<Config>, clock: &Clock) -> Result<DirLock, StoreError> {
    let (config, clock) = (Arc::clone(config), clock.clone());
    on_a_thread(move || {
        make_data_dir(&config.data_dir)?;
        patiently(&clock, || served(&config.data_dir), || DirLock::take(&config.data_dir))
    })
    .await
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
