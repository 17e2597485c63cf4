//! What systemd hears, if it waits to hear something.

use std::sync::Once;
use std::time::Duration;

use sd_notify::NotifyState;
use tracing::{debug, warn};

/// Everything stands, or waits for nothing but its disk: units that wait for this one may start.
pub fn ready() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
            warn!("systemd could not be notified: {error}");
        }
    });
}

/// The end has been asked for.
pub fn stopping() {
    notify(NotifyState::Stopping);
}

/// The start goes on and takes so much longer.
pub fn extend_start(by: Duration) {
    notify(NotifyState::ExtendTimeoutUsec(u32::try_from(by.as_micros()).unwrap_or(u32::MAX)));
}

/// Everything turns.
pub fn feed_watchdog() {
    notify(NotifyState::Watchdog);
}

/// How often systemd wants to be fed, where it does; see sd_watchdog_enabled(3).
pub fn watchdog_interval() -> Option<Duration> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_other = number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id()));
    let interval = number("WATCHDOG_USEC").filter(|usec| *usec > 0 && !is_other)?;
    Some(Duration::from_micros(interval))
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        debug!("systemd could not be notified: {error}");
    }
}
