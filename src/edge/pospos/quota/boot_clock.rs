//! How long has this machine been up, and which boot is it?
//!
//! The ledger needs a clock that a person, NTP or a flat battery cannot set back, and that goes on while the machine
//! sleeps. `CLOCK_BOOTTIME` is that clock; it starts again at each boot, so a stamp means something only together
//! with the boot's id. This and the two calls below are all that the quota ever asks the system about time.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The clock of the quota; a trait so that tests can crash, sleep and reboot.
pub trait BootClock: Send + Sync {
    /// Which boot this is. An empty text means *unknown*, and is never taken for the same boot as another.
    fn boot_id(&self) -> String;

    /// Time since the boot, sleep included; never goes back within one boot.
    fn now(&self) -> Duration;

    /// Whether it goes on as the clock of the disk does.
    fn is_the_systems(&self) -> bool {
        false
    }

    /// Waits about that long by this clock. One that is set by somebody else has to say how.
    fn wait(&self, duration: Duration) -> Waiting {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A wait that ends by itself.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The clock of Linux.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemBootClock;

/// Where Linux shows the id that it drew at boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

impl BootClock for SystemBootClock {
    fn boot_id(&self) -> String {
        // Not readable in a few hardened sandboxes. Unknown only costs time: each start then counts as another boot.
        std::fs::read_to_string(BOOT_ID).map(|id| id.trim().to_owned()).unwrap_or_default()
    }

    fn now(&self) -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanos)
    }

    fn is_the_systems(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_has_a_boot_and_its_time_goes_on() {
        let clock = SystemBootClock;
        assert_eq!(clock.boot_id(), clock.boot_id());
        let first = clock.now();
        assert!(first > Duration::ZERO);
        assert!(clock.now() >= first);
    }
}
