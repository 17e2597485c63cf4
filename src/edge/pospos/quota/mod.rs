//! The quota: may this shop make a call now, and if not, when?
//!
//! Going over the quota makes POSPOS revoke the shop's key, and a new one takes days. So this room would rather make
//! no call at all than one that might be too many: what cannot be written down is not sent, what may have been sent
//! counts as sent, and what is not known counts as used.
//!
//! # Why no sliding window of the server can see too many calls
//!
//! The server counts a call when it *arrives*; we can only stamp when it may leave and when it has ended. The request
//! is written after the first stamp, and once the second is taken nothing of it is under way any more, so the arrival
//! lies between the two. A call holds its place from the first stamp until the second *plus the window*. Now take any
//! window of the server with `k` arrivals in it, and of these the call that was reserved last. At the moment of its
//! reservation each of the other `k - 1` had been reserved, and none had ended more than one window before (else it
//! would have arrived more than a window before the last one). So all of them held their places, and the reservation
//! was given only because they were fewer than the allowance: `k` is at most the allowance. Latency appears nowhere
//! in this, so no latency can push two windows together.
//!
//! Two things bend the second stamp, and both are paid for. A call that ended *without an answer* may still lie in a
//! buffer of the kernel, which goes on sending after the socket is closed: it counts as ended [`STRAGGLER`] later,
//! and the client limits the kernel to less than that. And two clocks never tick alike: each window is held a
//! thousandth longer ([`QuotaLimit::hold`]).
//!
//! # What it refuses
//!
//! It does not know HTTP, it does not repeat calls, and it does not trust the wall clock, which a battery-less
//! machine sets wrong at each start.

mod boot_clock;
mod file;
mod governor;
mod ledger;
mod limit;
mod urgency;
mod window;

#[cfg(test)]
mod simulation;

pub use boot_clock::{BootClock, SystemBootClock};
pub use governor::{Governor, Permit};
pub use ledger::LedgerState;
pub use limit::{BadLimit, QuotaLimit};
pub use urgency::Urgency;
pub use window::{Monotonic, PlaceId, Places, STRAGGLER, Wait};

use std::path::PathBuf;

/// Why no call may be made. Each is a reason to send nothing, never to send without a place.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// The ledger could not be read or written (a full disk, most often), so the call could be forgotten.
    #[error("the quota ledger {} could not be {doing}, so no call is made; free the disk or mend its permissions", path.display())]
    Storage {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as a participle.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process, or another governor of this one, spends the same allowance.
    #[error("the quota ledger {} is in use by another posbell; only one may make calls for a shop", path.display())]
    InUse {
        /// The lock that is held.
        path: PathBuf,
    },
    /// A shop without any limit would be allowed everything, which nobody can have meant.
    #[error("the shop has no quota; give at least one, such as 300/10s")]
    NoLimits,
    /// The service is going down while the reservation was being written.
    #[error("the service stopped before the call was allowed")]
    Stopping,
}
