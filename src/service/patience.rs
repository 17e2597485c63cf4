//! Waiting for what another process holds for a moment: a command with the store, or a service that starts or ends.

use std::time::Duration;

use super::clock::Clock;
use crate::edge::store::StoreError;

/// How long what passes in a moment is waited for.
pub const MOMENT: Duration = Duration::from_secs(10);
/// How often it is tried meanwhile.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Takes what another process may hold for a moment. Where it holds it for good there is no waiting.
pub fn patiently<T>(
    clock: &Clock,
    is_for_good: impl Fn() -> bool,
    take: impl Fn() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let began = clock.mark().up;
    loop {
        match take() {
            Err(StoreError::Locked { .. }) if !is_for_good() && clock.mark().up.saturating_sub(began) < MOMENT => {
                std::thread::park_timeout(PAUSE);
            }
            taken => return taken,
        }
    }
}
