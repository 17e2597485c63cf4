//! Everything stored is read once after a start, before anything is read from a shop or sent: nothing is told that damage
//! has made up.

use std::time::Duration;

use anyhow::Context;
use tracing::{debug, info};

use super::shutdown::Shutdown;
use crate::edge::store::Store;

/// How often it is said how far it is.
const SAID: Duration = Duration::from_secs(5);

/// Returns `true` when all was read, and `false` when the end was asked for; an error says what is not as it was written.
pub(super) async fn read_whole(store: &Store, shutdown: &Shutdown) -> anyhow::Result<bool> {
    let whole = store.whole();
    tokio::pin!(whole);
    loop {
        tokio::select! {
            read = &mut whole => {
                read.context("The store was read before anything is sent")?;
                store.tidy_up().await;
                debug!("the store was read and is as it was written");
                return Ok(true);
            }
            () = shutdown.asked() => return Ok(false),
            () = tokio::time::sleep(SAID) => {
                if let Some(progress) = store.being_read() {
                    info!("reading the store before anything is sent: {} of {} entries", progress.done, progress.of);
                }
            }
        }
    }
}
