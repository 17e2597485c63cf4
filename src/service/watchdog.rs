//! Does everything still turn? systemd's watchdog is fed only while that is so.
//!
//! Each loop of the service stamps: its task runs at least every few seconds, also while the loop itself waits for a page,
//! a receiver or its next turn. A loop whose task does not come to run is stuck, or the whole process is. A failed pass, a
//! held one, a stopped shop or an API that is down are turns like any other and starve nothing.
//!
//! A call to the disk that hangs, of the store or of a quota's ledger, blocks a thread and no task, so it is looked at by
//! itself: one that has not come on for a minute starves the watchdog too. An error is an answer: a full or failing disk
//! is healthy here, and a problem for people.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{error, info};

use super::clock::Clock;
use super::systemd;

/// How often a loop stamps at the least, and after how long without a stamp it is stuck.
const STAMP: Duration = Duration::from_secs(5);
const STUCK: Duration = Duration::from_secs(60);

/// How long a call to the disk may take to come on; from the contract.
const CALL: Duration = Duration::from_secs(60);

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);

/// What is looked after.
pub struct Watch {
    clock: Clock,
    registered: AtomicU64,
    loops: Mutex<BTreeMap<u64, Stamped>>,
    disk: Mutex<Vec<Seen>>,
    disk_hangs: AtomicBool,
}

struct Stamped {
    name: String,
    /// The uptime of the latest stamp.
    at: Duration,
}

/// The number of the oldest call to the disk that is under way, if one is: the same for as long as it does not come on.
pub type OldestCall = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// Calls to the disk, and the oldest of them as it was last seen.
struct Seen {
    calls: OldestCall,
    oldest: Option<(u64, Duration)>,
}

impl Watch {
    /// Looks after nothing yet.
    pub fn new(clock: Clock) -> Arc<Watch> {
        Arc::new(Watch {
            clock,
            registered: AtomicU64::new(0),
            loops: Mutex::default(),
            disk: Mutex::default(),
            disk_hangs: AtomicBool::new(false),
        })
    }

    /// Looks after these calls to the disk from now on, and no more after those before.
    pub fn look_after(&self, disk: Vec<OldestCall>) {
        *lock(&self.disk) = disk.into_iter().map(|calls| Seen { calls, oldest: None }).collect();
    }

    /// Whether a call to the disk has not come on for a minute.
    pub fn disk_hangs(&self) -> bool {
        self.disk_hangs.load(Ordering::Relaxed)
    }

    /// The loop, stamping until it ends.
    pub fn stamping<T, F: Future<Output = T>>(
        self: &Arc<Self>,
        name: String,
        work: F,
    ) -> impl Future<Output = T> + use<T, F> {
        let registered = Registered::of(self, name);
        async move {
            let stamps = async {
                loop {
                    registered.stamp();
                    tokio::time::sleep(STAMP).await;
                }
            };
            tokio::select! {
                biased;
                done = work => done,
                done = stamps => done,
            }
        }
    }

    /// The calls to the disk that are under way: the same as a while ago where they do not come on.
    pub fn calls_under_way(&self) -> Vec<u64> {
        lock(&self.disk).iter().filter_map(|seen| (seen.calls)()).collect()
    }

    /// What does not turn, if anything.
    fn look(&self) -> Option<String> {
        let up = self.clock.mark().up;
        let mut hangs = false;
        for seen in lock(&self.disk).iter_mut() {
            // Each is looked at, also behind one that hangs.
            hangs |= seen.hangs(up);
        }
        self.disk_hangs.store(hangs, Ordering::Relaxed);
        let loops = lock(&self.loops);
        let stuck = loops.values().find(|one| up.saturating_sub(one.at) >= STUCK).map(|one| one.name.clone());
        stuck.or_else(|| hangs.then(|| "a call to the disk".to_owned()))
    }

    /// Looks for as long as the process lives, and feeds the watchdog of systemd, where there is one.
    pub async fn feed(self: Arc<Self>) -> Infallible {
        let every = systemd::watchdog_interval().map(|interval| interval / 3);
        let (mut known, mut fed_at): (Option<String>, Option<Duration>) = (None, None);
        loop {
            let stuck = self.look();
            match (&known, &stuck) {
                (None, Some(what)) => error!("{what} has not come on for a minute: the watchdog is not fed"),
                (Some(what), None) => info!("{what} has come on"),
                _ => {}
            }
            let up = self.clock.mark().up;
            let is_hungry = every.is_some_and(|every| fed_at.is_none_or(|at| up.saturating_sub(at) >= every));
            if stuck.is_none() && is_hungry {
                systemd::feed_watchdog();
                fed_at = Some(up);
            }
            known = stuck;
            tokio::time::sleep(every.map_or(LOOK, |every| every.min(LOOK))).await;
        }
    }
}

impl Seen {
    /// Whether the oldest call is the same one for too long.
    fn hangs(&mut self, up: Duration) -> bool {
        self.oldest = (self.calls)().map(|number| match self.oldest {
            Some((known, since)) if known == number => (number, since),
            _ => (number, up),
        });
        self.oldest.is_some_and(|(_, since)| up.saturating_sub(since) >= CALL)
    }
}

/// A loop that is looked after, until it is dropped.
struct Registered {
    watch: Arc<Watch>,
    number: u64,
}

impl Registered {
    fn of(watch: &Arc<Watch>, name: String) -> Registered {
        let number = watch.registered.fetch_add(1, Ordering::Relaxed);
        lock(&watch.loops).insert(number, Stamped { name, at: watch.clock.mark().up });
        Registered { watch: Arc::clone(watch), number }
    }

    fn stamp(&self) {
        let up = self.watch.clock.mark().up;
        if let Some(stamped) = lock(&self.watch.loops).get_mut(&self.number) {
            stamped.at = up;
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.watch.loops).remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_loop_that_does_not_come_to_run_for_a_minute_is_stuck() {
        let up = Arc::new(Mutex::new(Duration::ZERO));
        let shown = Arc::clone(&up);
        let at = |seconds| *lock(&up) = Duration::from_secs(seconds);
        let watch = Watch::new(Clock::showing(|| chrono::DateTime::UNIX_EPOCH, move || *lock(&shown)));
        let mut work = Box::pin(watch.stamping("a loop".to_owned(), std::future::pending::<()>()));
        at(59);
        assert_eq!(watch.look(), None);
        at(60);
        assert_eq!(watch.look().as_deref(), Some("a loop"));
        // It waits for what never comes, and comes to run.
        assert!(tokio::time::timeout(Duration::from_millis(1), &mut work).await.is_err());
        assert_eq!(watch.look(), None);
        at(1_000);
        assert_eq!(watch.look().as_deref(), Some("a loop"));
        drop(work);
        assert_eq!(watch.look(), None, "one that has ended is not waited for");
    }
}
