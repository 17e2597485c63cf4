//! `posbell run`: the service in the foreground.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tracing::{info, warn};

use super::damaged::while_running;
use super::mistaken::keeps_from_starting;
use super::source::patiently;
use super::{Failure, bad_config, env};
use crate::config::{Config, Problem, Weight};
use crate::edge::store::{Store, StoreError, close_to_others, is_open_to_others};
use crate::service::clock::Clock;
use crate::service::full::{self, After, Waiter};
use crate::service::mistaken;
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
    let spare = ready(config).map_err(|found| keeps_from_starting(config, &found))?;
    mistaken::forget(&config.data_dir);
    see_to_privacy(&config.data_dir);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let door = Door::open(config).await?;
        let (ending, shutdown) = shutdown();
        let mut signals = Signals::new().context("Failed to listen for signals")?;
        let mut service = Box::pin(keep_running(Arc::clone(config), spare, door, shutdown));
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

/// Runs until the end is asked for: where the disk is full, again as soon as there is space.
async fn keep_running(config: Arc<Config>, spare: Ready, door: Door, shutdown: Shutdown) -> Result<(), Failure> {
    let clock = Clock::default();
    let mut waiter = Waiter::new(Arc::clone(&config), spare, clock.clone());
    loop {
        match run_once(&config, &door, &clock, &shutdown).await {
            Err(Failure::Failed(error)) if full::is_full(&error) => {}
            outcome => return outcome,
        }
        if waiter.wait(door.again()?, &shutdown).await == After::End {
            info!("posbell has ended");
            return Ok(());
        }
    }
}

async fn run_once(config: &Arc<Config>, door: &Door, clock: &Clock, shutdown: &Shutdown) -> Result<(), Failure> {
    let ready = ready(config).map_err(|found| bad_config(&found))?;
    // A large store takes its time, an older one more; cut off, it is opened by the next start as after a kill.
    let Some(store) = shutdown.unless_asked(open(config, clock)).await else {
        info!("posbell has ended");
        return Ok(());
    };
    let store = store.context("Failed to open the store")?;
    let start = Start { config: Arc::clone(config), ready, store, listener: door.again()?, clock: clock.clone() };
    run_service(start, shutdown.clone(), |address| {
        if let Some(address) = address {
            info!("ask at http://{address}/api/v1/status, or with `posbell status`");
        }
        systemd::ready();
    })
    .await
    .map_err(while_running)?;
    Ok(())
}

async fn open(config: &Arc<Config>, clock: &Clock) -> Result<Store, StoreError> {
    let (config, clock) = (Arc::clone(config), clock.clone());
    let opening = tokio::task::spawn_blocking(move || {
        patiently(&clock, || Store::open_or_create(&config.data_dir, clock.new_epoch()))
    });
    opening.await.unwrap_or_else(|_| Err(StoreError::Damaged("opening it has panicked".to_owned())))
}

/// The admin address: bound once, and served by whoever runs.
struct Door(Option<std::net::TcpListener>);

impl Door {
    async fn open(config: &Config) -> anyhow::Result<Door> {
        let Some(admin) = &config.admin else { return Ok(Door(None)) };
        let bound = TcpListener::bind(admin.listen).await.and_then(TcpListener::into_std);
        let bound = bound.with_context(|| {
            format!("Failed to listen on {} (`[admin] listen` in {})", admin.listen, config.file.path.display())
        })?;
        Ok(Door(Some(bound)))
    }

    fn again(&self) -> anyhow::Result<Option<TcpListener>> {
        let Some(bound) = &self.0 else { return Ok(None) };
        let listener = bound.try_clone().and_then(TcpListener::from_std).context("Failed to listen again")?;
        Ok(Some(listener))
    }
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
