//! Tells an outside monitor at regular times that posbell can do its work: while there is no problem of class `bell`.
//!
//! The monitor raises the alarm when heartbeats stop, so it also notices a machine that is off.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::problems::problems;
use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::config::Config;
use crate::edge::heartbeat::Heartbeat;

/// Beats until the end is asked for. Only a failing store ends it earlier.
pub(super) async fn run(
    shared: Arc<Shared>,
    config: Arc<Config>,
    (heartbeat, every): (Heartbeat, Duration),
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let mut failing = false;
    loop {
        let found = problems(&config, &shared.store, shared.clock.now()).await?;
        if found.silence_the_bell() {
            debug!("no heartbeat while there are problems");
        } else if let Some(beaten) = shutdown.unless_asked(heartbeat.beat()).await {
            match beaten {
                Ok(()) if failing => info!("the heartbeat is taken again"),
                Err(error) if !failing => warn!("the heartbeat was not taken: {error}; the next one is the repeat"),
                _ => {}
            }
            failing = beaten.is_err();
        }
        if shutdown.unless_asked(tokio::time::sleep(every)).await.is_none() {
            return Ok(());
        }
    }
}
