//! A store that takes much more of the disk than what lives in it is written anew, while everything goes on.

use tracing::{info, warn};

use crate::edge::store::{Space, Store, StoreError};

/// How much larger than after the last time it must have become.
const GROWN: u64 = 2;

/// Looks now and then.
#[derive(Debug, Default)]
pub struct Compactor {
    /// What the store took after it was written anew.
    last: u64,
}

impl Compactor {
    /// Writes the store anew where it is much too large. What keeps it from that is said, and it is tried again the next
    /// time; an error means that the store has failed.
    pub async fn look(&mut self, store: &Store) -> Result<(), StoreError> {
        let space = match store.space().await {
            Err(StoreError::Directory { .. }) => return Ok(()),
            space => space?,
        };
        if !space.is_too_large() || space.taken < self.last.saturating_mul(GROWN) {
            return Ok(());
        }
        match store.compact().await {
            Ok((before, after)) => {
                self.last = after.taken;
                info!("the store was written anew: it took {}, now it takes {}", megabytes(before), megabytes(after));
            }
            Err(error) => {
                // The store in place is as it was, unless it has failed.
                store.check().await?;
                warn!("the store takes {} and is not written anew: {error}", megabytes(space));
            }
        }
        Ok(())
    }
}

fn megabytes(space: Space) -> String {
    let Space { taken, live } = space;
    format!("{} MB for {} MB", taken.div_ceil(1_000_000), live.div_ceil(1_000_000))
}
