//! How far this machine's clock is from a server's time, as somebody else says.

use std::fmt;
use std::sync::Arc;

use crate::domain::clock::Apart;
use crate::domain::model::Timestamp;

/// What says how far this machine's clock is from a server's time, where that is too far.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn(Timestamp) -> Option<Apart> + Send + Sync>);

impl WallClock {
    /// Asks `compare` about the time of each answer.
    pub fn new(compare: impl Fn(Timestamp) -> Option<Apart> + Send + Sync + 'static) -> Self {
        Self(Arc::new(compare))
    }

    /// What it says.
    pub(super) fn compare(&self, server: Timestamp) -> Option<Apart> {
        (self.0)(server)
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WallClock").finish_non_exhaustive()
    }
}
