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
//! # Why the disk may be asked once for many calls
//!
//! A place is on the disk before a call is let go in it, but places are written in groups where calls are many
//! (`Places::group`). A *spare* place is written and nobody's yet. It is held from its reservation on: no group
//! is larger than what is free, so places, spare ones included, never exceed the allowance, and it is never free for
//! another reservation. The proof above takes the letting go for the reservation, and so does the count: a spare place
//! is taken only if the limits *of that moment*, with what the server's 429 left of them, allow one call more. So a
//! spare place that is taken late, or after a reload with smaller limits, needs no argument of its own. After a crash
//! nobody knows which of them were taken: all count as sent.
//!
//! # Which clock
//!
//! The wall clock is not used at all, and nothing here can ask for it: [`BootClock`] is the only clock that comes in,
//! and its two answers are which boot this is and how long that has been up. So steps of the wall clock cannot matter.
//! After a reboot that is also the stricter choice. The wall clock would say how long the machine was off, and a
//! machine without a battery, or a person, sets it wrong at just that moment: an hour too late, and a used-up hour
//! would be taken for over. So of another boot the last stamp in the ledger counts as *now*. At worst that waits for
//! one window too long.
//!
//! # What it refuses
//!
//! It does not know HTTP, it does not repeat calls, and it lets no second process of this machine spend the same key
//! (`claim`), from whatever directory. What other machines and other programs do with the key it cannot see; a 429
//! tells, and then it goes slower (`slow`).

mod boot_clock;
mod claim;
mod desk;
mod file;
mod governor;
mod ledger;
mod limit;
mod queue;
mod seal;
mod slow;
mod window;

#[cfg(test)]
mod simulation;

pub use boot_clock::{BootClock, SystemBootClock, Waiting};
pub use governor::{Governor, Permit};
pub use ledger::LedgerState;
pub use limit::{BadLimit, QuotaLimit};
pub use queue::Urgency;
pub use slow::Slowed;
pub use window::{Monotonic, PlaceId, Places, STRAGGLER, Share, Wait};

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
    /// Another process of this machine spends the allowance of the same key, from another data directory.
    #[error(
        "another posbell on this machine makes calls with the same api_key from another data directory; \
         stop it, or take the shop out of one of the two configurations"
    )]
    KeyInUse,
    /// It could not be found out whether another process of this machine spends of the same key.
    #[error(
        "a Unix socket that keeps a second posbell from using the same api_key could not be opened, so no call is \
         made; let the service open sockets of AF_UNIX"
    )]
    Unclaimed {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A shop without any limit would be allowed everything, which nobody can have meant.
    #[error("the shop has no quota; give at least one, such as 300/10s")]
    NoLimits,
    /// The service is going down while the reservation was being written.
    #[error("the service stopped before the call was allowed")]
    Stopping,
}
