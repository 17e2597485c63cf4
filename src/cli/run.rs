//! `posbell run`: the service in the foreground.

use anyhow::Context;
use tokio::net::TcpListener;
use tracing::info;

use super::source::patiently;
use super::{Failure, bad_config, env};
use crate::config::{Config, Weight};
use crate::edge::store::Store;
use crate::service::clock::Clock;
use crate::service::run::{Start, run as run_service};
use crate::service::setup;
use crate::service::shutdown::shutdown;
use crate::service::systemd;

pub(super) fn run(config: Config) -> Result<(), Failure> {
    let ready = setup::ready(&config, &env).map_err(|mut found| {
        // What only the unit can read is needed here and now.
        found.iter_mut().for_each(|problem| problem.weight = Weight::Error);
        bad_config(&found)
    })?;
    let clock = Clock::default();
    let open = || Store::open_or_create(&config.data_dir, clock.new_epoch());
    let store = patiently(&clock, open).context("Failed to open the store")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = match &config.admin {
            Some(admin) => Some(TcpListener::bind(admin.listen).await.with_context(|| {
                format!("Failed to listen on {} (`[admin] listen` in {})", admin.listen, config.file.path.display())
            })?),
            None => None,
        };
        let (ending, shutdown) = shutdown();
        let mut signals = Signals::new().context("Failed to listen for signals")?;
        let start = Start { config, ready, store, listener, clock };
        let service = run_service(start, shutdown, |address| {
            if let Some(address) = address {
                info!("ask at http://{address}/api/v1/status, or with `posbell status`");
            }
            systemd::ready();
        });
        let mut service = Box::pin(service);
        tokio::select! {
            outcome = &mut service => return outcome,
            () = signals.end() => {}
        }
        systemd::stopping();
        ending.ask();
        service.await
    })?;
    Ok(())
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when the process is asked to end.
    async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => info!("asked to end (SIGTERM)"),
            _ = self.interrupt.recv() => info!("asked to end (Ctrl-C)"),
        }
    }
}
