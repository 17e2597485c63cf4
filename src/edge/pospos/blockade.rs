//! Does something in between keep the API from this shop, and when may it be tried again?
//!
//! A firewall, a proxy or a login page of a network answers 401 or 403 with a page of its own. That says nothing about
//! the key, and asking on in the shop's rhythm would only make it block for longer. So after such an answer no call of
//! the shop leaves for a minute, after the next one for ten, and then for an hour each time. When that is over one call
//! goes ahead of all others; any other answer to it, or none, ends the blockade. So does such an answer to a person's
//! call, which waits for nothing.
//!
//! It decides by the moments that it is handed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::quota::{Monotonic, Waiting};

/// How long no call leaves after so many such answers in a row; from the contract. The last one stays.
const PAUSES: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(600), Duration::from_secs(3600)];

/// What keeps the API from a shop, if anything does.
#[derive(Debug, Default)]
pub(super) struct Blockade {
    blocked: Mutex<Option<Blocked>>,
    ended: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Blocked {
    status: u16,
    /// How many calls in a row were answered so, of those that were let go one by one.
    times: usize,
    until: Monotonic,
}

/// That a call may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// As all others.
    Freely,
    /// To see whether the blockade is over, while the others wait.
    Ahead,
    /// Because a person wants it, whatever there is.
    ByHand,
}

impl Blockade {
    /// How long the shop is still kept from the API at that moment.
    pub fn left(&self, now: Monotonic) -> Option<Duration> {
        self.lock().filter(|blocked| now < blocked.until).map(|blocked| now.until(blocked.until))
    }

    /// The status with which the shop is kept from the API at that moment.
    pub fn status(&self, now: Monotonic) -> Option<u16> {
        self.lock().filter(|blocked| now < blocked.until).map(|blocked| blocked.status)
    }

    /// Lets a call leave, or says with which status it is kept back. One that goes ahead holds back the others until its
    /// answer is noted, or for as long as if it had been blocked once more.
    pub fn leave(&self, now: Monotonic) -> Result<Leave, u16> {
        match &mut *self.lock() {
            None => Ok(Leave::Freely),
            Some(blocked) if now < blocked.until => Err(blocked.status),
            Some(blocked) => {
                blocked.until = now.plus(pause(blocked.times + 1));
                Ok(Leave::Ahead)
            }
        }
    }

    /// Notes that a call which left so was answered by something in between. Calls that had left together count once.
    pub fn note(&self, status: u16, left: Leave, now: Monotonic) {
        let mut blocked = self.lock();
        let times = match (&*blocked, left) {
            (None, _) => 1,
            (Some(before), Leave::Ahead) => before.times + 1,
            (Some(_), Leave::Freely | Leave::ByHand) => return,
        };
        *blocked = Some(Blocked { status, times, until: now.plus(pause(times)) });
    }

    /// Notes that a call which left so was answered by the API, or by nobody. One that was on its way when the blockade
    /// began says nothing about it.
    pub fn note_none(&self, left: Leave) {
        if left != Leave::Freely {
            self.end();
        }
    }

    /// Whoever waits may go.
    pub fn end(&self) {
        if self.lock().take().is_some() {
            self.ended.notify_waiters();
        }
    }

    /// Returns when a call may leave, by the clock that `now` reads and `wait` waits by.
    pub async fn over(&self, now: impl Fn() -> Monotonic, wait: impl Fn(Duration) -> Waiting) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // From here on an end is not missed.
            ended.as_mut().enable();
            let until = self.lock().map(|blocked| blocked.until);
            let left = until.map(|until| now().until(until)).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = ended => {}
                () = wait(left) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Blocked>> {
        // Every change under this lock is an assignment.
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pause(times: usize) -> Duration {
    PAUSES[times.clamp(1, PAUSES.len()) - 1]
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::default().plus(Duration::from_secs(seconds))
    }

    #[test]
    fn one_call_goes_after_a_minute_ten_minutes_and_then_each_hour() {
        let blockade = Blockade::default();
        assert_eq!(blockade.leave(at(0)), Ok(Leave::Freely));
        blockade.note(403, Leave::Freely, at(0));
        blockade.note(403, Leave::Freely, at(1));
        let mut now = 0;
        for pause in [60, 600, 3600, 3600, 3600] {
            assert_eq!(blockade.leave(at(now + pause - 1)), Err(403), "{pause}");
            now += pause;
            assert_eq!(blockade.status(at(now)), None);
            assert_eq!(blockade.leave(at(now)), Ok(Leave::Ahead), "{pause}");
            assert_eq!(blockade.leave(at(now)), Err(403), "one goes ahead of the others");
            assert_eq!(blockade.status(at(now)), Some(403));
            blockade.note(403, Leave::Ahead, at(now));
        }
    }

    #[test]
    fn any_other_answer_ends_it_and_the_next_blockade_begins_with_a_minute() {
        let blockade = Blockade::default();
        blockade.note(403, Leave::Freely, at(0));
        assert_eq!(blockade.leave(at(60)), Ok(Leave::Ahead));
        blockade.note(401, Leave::Ahead, at(60));
        assert_eq!(blockade.leave(at(61)), Err(401));
        blockade.note_none(Leave::Freely);
        assert_eq!(blockade.leave(at(61)), Err(401), "that one had left before");
        blockade.note(403, Leave::ByHand, at(61));
        assert_eq!(blockade.leave(at(61)), Err(401));
        blockade.note_none(Leave::ByHand);
        assert_eq!(blockade.leave(at(61)), Ok(Leave::Freely));
        blockade.note(403, Leave::Freely, at(62));
        assert_eq!((blockade.status(at(121)), blockade.status(at(122))), (Some(403), None));
        assert_eq!(blockade.leave(at(122)), Ok(Leave::Ahead));
        blockade.note_none(Leave::Ahead);
        assert_eq!(blockade.leave(at(122)), Ok(Leave::Freely));
    }

    #[tokio::test]
    async fn whoever_waits_goes_when_the_pause_is_over_or_the_blockade_ends() {
        let now = AtomicU64::new(0);
        let seconds = || now.load(Ordering::Relaxed);
        let blockade = Blockade::default();
        let over = || {
            let pass = |pause: Duration| -> Waiting {
                now.fetch_add(pause.as_secs(), Ordering::Relaxed);
                Box::pin(std::future::ready(()))
            };
            blockade.over(|| at(seconds()), pass)
        };
        over().await;
        assert_eq!(seconds(), 0);
        blockade.note(403, Leave::Freely, at(0));
        over().await;
        assert_eq!(seconds(), 60);
        assert_eq!(blockade.leave(at(60)), Ok(Leave::Ahead));
        let for_ever = |_| -> Waiting { Box::pin(std::future::pending()) };
        let waiting = blockade.over(|| at(60), for_ever);
        tokio::join!(waiting, async { blockade.end() });
        over().await;
        assert_eq!(seconds(), 60);
    }
}
