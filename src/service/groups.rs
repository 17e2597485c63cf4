//! Sends what was grouped at the end of its window.
//!
//! Nothing is kept here: what waits is in the store with the moment when its window began. Killed before the commit, the
//! next start finds it as it was; killed after it, the delivery is there and the group is empty.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::shared::Shared;
use super::shutdown::Shutdown;

/// The longest wait without looking: a machine that was suspended, or whose clock was set, does not count the time.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Ends groups until the end is asked for. Only a failing store ends it earlier.
pub(super) async fn run(shared: Arc<Shared>, shutdown: Shutdown) -> anyhow::Result<()> {
    loop {
        // Before the look: what is opened meanwhile is looked at again.
        let opened = shared.groups.notified();
        tokio::pin!(opened);
        opened.as_mut().enable();
        // Dropped with the passes at the end: what they leave in the middle must not be taken for what is stored.
        let Some(ended) = shutdown.unless_asked(shared.end_groups()).await else { return Ok(()) };
        let next = ended.context("Failed to send what was grouped")?;
        let pause = next.map_or(LOOK_AGAIN, |next| next.min(LOOK_AGAIN));
        tokio::select! {
            () = shutdown.asked() => return Ok(()),
            () = opened => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
