//! What systemd is told, if it waits to be told.

use sd_notify::NotifyState;
use tracing::warn;

/// Everything stands: units that wait for this one may start.
pub fn ready() {
    tell(NotifyState::Ready);
}

/// The end has been asked for.
pub fn stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        warn!("systemd could not be told: {error}");
    }
}
