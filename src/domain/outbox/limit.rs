//! When may the next message leave for a receiver? Its rates, and the pauses that it asks for.
//!
//! Pure bookkeeping on a clock that nobody sets, which the caller hands in. A place in a rate is held from when a call
//! may leave until it has ended and the window has passed besides: so no latency pushes two windows together, and the
//! receiver never counts more calls in a window than its rate.
//!
//! A pause holds everything until the longest wish is over. Then one probe goes, and the rest after it, unless it meets
//! another wish: one that fails otherwise, an hour after the wish, is a failure like any other, and each delivery waits
//! for its own time. Nothing here is stored; a start takes in what the store knows of the time before it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// So many calls in so long.
pub type Rate = (u32, Duration);

/// A moment on the clock that nobody sets.
type Uptime = Duration;

/// How many calls may leave now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SendRoom {
    /// None, until so much time has passed.
    After(Duration),
    /// None, until a call that is under way has ended.
    WhenOneEnds,
    /// So many.
    Now(usize),
}

/// A place of a call that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

/// What the end of a call says about the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It takes messages, this one or others.
    Takes,
    /// It wishes that nothing comes for so long.
    Wishes(Duration),
    /// It cannot be reached, or takes nothing.
    Fails,
    /// Nothing: the message never left. Its place is given back.
    Nothing,
}

/// The rates of one receiver and its wish to be left alone.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    rates: Vec<Rate>,
    open: BTreeSet<Place>,
    /// When calls ended, oldest first; as long as a window still counts them.
    ended: VecDeque<Uptime>,
    next: u64,
    pause: Option<Pause>,
}

/// A wish that is not known to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    until: Uptime,
    /// The call that finds out whether it is over.
    probe: Option<Place>,
}

impl Limit {
    /// A receiver that takes so many calls; all of the rates hold at once.
    pub fn new(rates: Vec<Rate>) -> Limit {
        Limit { rates, ..Limit::default() }
    }

    /// Whether it takes only so many calls in so long.
    pub fn has_rates(&self) -> bool {
        !self.rates.is_empty()
    }

    /// Until when it wishes to be left alone.
    pub fn paused_until(&self, now: Uptime) -> Option<Uptime> {
        self.pause.map(|pause| pause.until).filter(|until| *until > now)
    }

    /// How many calls may leave now.
    pub fn room(&self, now: Uptime) -> SendRoom {
        let of_pause = match self.pause {
            Some(pause) if pause.until > now => SendRoom::After(pause.until - now),
            Some(Pause { probe: Some(_), .. }) => SendRoom::WhenOneEnds,
            Some(_) => SendRoom::Now(1),
            None => SendRoom::Now(usize::MAX),
        };
        let of_rates = self.rates.iter().map(|rate| self.room_in(*rate, now));
        of_rates.fold(of_pause, tighter)
    }

    fn room_in(&self, (most, window): Rate, now: Uptime) -> SendRoom {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let counted: Vec<Uptime> = self.ended.iter().filter(|end| **end + window > now).copied().collect();
        let held = self.open.len() + counted.len();
        if held < most {
            return SendRoom::Now(most - held);
        }
        // So many must be gone before there is room for one.
        match counted.get(held - most) {
            Some(end) => SendRoom::After(*end + window - now),
            None => SendRoom::WhenOneEnds,
        }
    }

    /// Takes a place for a call that leaves now. Only where there is room.
    pub fn take(&mut self, now: Uptime) -> Place {
        let longest = self.rates.iter().map(|(_, window)| *window).max().unwrap_or_default();
        while self.ended.front().is_some_and(|end| *end + longest <= now) {
            self.ended.pop_front();
        }
        let place = Place(self.next);
        self.next += 1;
        self.open.insert(place);
        if let Some(pause) = &mut self.pause {
            pause.probe = Some(place);
        }
        place
    }

    /// The call of this place has ended so.
    pub fn end(&mut self, place: Place, answer: Answer, now: Uptime) {
        self.open.remove(&place);
        if !self.rates.is_empty() && answer != Answer::Nothing {
            self.count(now);
        }
        let is_probe = self.pause.is_some_and(|pause| pause.probe == Some(place));
        match answer {
            Answer::Wishes(length) => {
                let until = self.pause.map_or(now + length, |pause| pause.until.max(now + length));
                self.pause = Some(Pause { until, probe: None });
            }
            Answer::Takes | Answer::Fails if is_probe => self.pause = None,
            Answer::Nothing if is_probe => self.pause = self.pause.map(|pause| Pause { probe: None, ..pause }),
            // It was under way when the pause began, and says nothing about its end.
            Answer::Takes | Answer::Fails | Answer::Nothing => {}
        }
    }

    /// Takes in what was before the start: calls that ended at these moments, and a pause until then.
    pub fn recall(&mut self, ended: &[Uptime], paused_until: Option<Uptime>) {
        if !self.rates.is_empty() {
            ended.iter().for_each(|end| self.count(*end));
        }
        if let Some(until) = paused_until {
            let until = self.pause.map_or(until, |pause| pause.until.max(until));
            self.pause = Some(Pause { until, probe: None });
        }
    }

    /// Counts a call that has ended. Two that end at once may come in another order.
    fn count(&mut self, end: Uptime) {
        let at = self.ended.partition_point(|other| *other <= end);
        self.ended.insert(at, end);
    }
}

/// The tighter of two.
pub fn tighter(one: SendRoom, other: SendRoom) -> SendRoom {
    match (one, other) {
        (SendRoom::After(one), SendRoom::After(other)) => SendRoom::After(one.max(other)),
        (one, other) => one.min(other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u64) -> Uptime {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_place_is_held_until_the_call_has_ended_and_the_window_is_over() {
        let mut limit = Limit::new(vec![(2, at(10))]);
        assert_eq!(limit.room(at(0)), SendRoom::Now(2));
        let (first, second) = (limit.take(at(0)), limit.take(at(0)));
        assert_eq!(limit.room(at(100)), SendRoom::WhenOneEnds, "however long they take");
        limit.end(first, Answer::Takes, at(100));
        assert_eq!(limit.room(at(101)), SendRoom::After(at(9)));
        limit.end(second, Answer::Fails, at(104));
        assert_eq!(limit.room(at(109)), SendRoom::After(at(1)));
        assert_eq!(limit.room(at(110)), SendRoom::Now(1));
        assert_eq!(limit.room(at(114)), SendRoom::Now(2));
    }

    #[test]
    fn a_wish_holds_everything_and_then_one_probe_goes() {
        let mut limit = Limit::new(Vec::new());
        let calls = [0; 3].map(|_| limit.take(at(0)));
        limit.end(calls[0], Answer::Wishes(at(6)), at(1));
        limit.end(calls[1], Answer::Wishes(at(2)), at(2));
        assert_eq!(
            (limit.room(at(3)), limit.paused_until(at(3))),
            (SendRoom::After(at(4)), Some(at(7))),
            "the longest"
        );
        limit.end(calls[2], Answer::Takes, at(3));
        assert_eq!(limit.room(at(6)), SendRoom::After(SECOND), "what was under way says nothing");
        assert_eq!((limit.room(at(7)), limit.paused_until(at(7))), (SendRoom::Now(1), None));

        let probe = limit.take(at(7));
        assert_eq!(limit.room(at(8)), SendRoom::WhenOneEnds);
        limit.end(probe, Answer::Wishes(at(3)), at(8));
        assert_eq!(limit.room(at(9)), SendRoom::After(at(2)));
        let probe = limit.take(at(11));
        limit.end(probe, Answer::Takes, at(12));
        assert_eq!(limit.room(at(12)), SendRoom::Now(usize::MAX));
    }

    #[test]
    fn a_probe_that_fails_does_not_repeat_a_pause_of_an_hour() {
        let mut limit = Limit::new(Vec::new());
        let call = limit.take(at(0));
        limit.end(call, Answer::Wishes(at(3600)), at(0));
        let probe = limit.take(at(3600));
        limit.end(probe, Answer::Fails, at(3601));
        assert_eq!(limit.room(at(3601)), SendRoom::Now(usize::MAX));
    }

    #[test]
    fn what_never_left_is_no_probe_and_takes_no_place() {
        let mut limit = Limit::new(vec![(3, at(60))]);
        let call = limit.take(at(0));
        limit.end(call, Answer::Wishes(at(6)), at(0));
        for _ in 0..3 {
            let probe = limit.take(at(6));
            assert_eq!(limit.room(at(6)), SendRoom::WhenOneEnds);
            limit.end(probe, Answer::Nothing, at(6));
            assert_eq!(limit.room(at(6)), SendRoom::Now(1));
        }
        let probe = limit.take(at(6));
        limit.end(probe, Answer::Takes, at(6));
        assert_eq!(limit.room(at(6)), SendRoom::Now(1), "of three, two have been called");
    }

    #[test]
    fn what_was_before_the_start_is_taken_in() {
        let mut limit = Limit::new(vec![(3, at(60))]);
        limit.recall(&[at(50), at(10)], Some(at(105)));
        limit.recall(&[at(40)], Some(at(102)));
        assert_eq!(limit.room(at(55)), SendRoom::After(at(50)), "the pause");
        assert_eq!(limit.room(at(105)), SendRoom::Now(1));
        let mut without_pause = Limit::new(vec![(3, at(60))]);
        without_pause.recall(&[at(50), at(10), at(40)], None);
        assert_eq!(without_pause.room(at(60)), SendRoom::After(at(10)), "the rate");
    }

    #[test]
    fn the_tighter_of_two_rates_counts() {
        let mut limit = Limit::new(vec![(1, SECOND), (3, at(60))]);
        for second in [0, 1, 2] {
            assert_eq!(limit.room(at(second)), SendRoom::Now(1));
            let place = limit.take(at(second));
            limit.end(place, Answer::Takes, at(second));
        }
        assert_eq!(limit.room(at(2)), SendRoom::After(at(58)));
        assert_eq!(tighter(SendRoom::Now(3), SendRoom::WhenOneEnds), SendRoom::WhenOneEnds);
        assert_eq!(tighter(SendRoom::After(at(3)), SendRoom::After(at(4))), SendRoom::After(at(4)));
        assert_eq!(tighter(SendRoom::After(at(3)), SendRoom::Now(4)), SendRoom::After(at(3)));
    }

    proptest! {
        /// The receiver counts a call at any moment between its beginning and its end.
        #[test]
        fn no_receiver_counts_more_than_its_rate(
            most in 1u32..5,
            window in 1u64..20,
            waits in prop::collection::vec((0u64..8, 0u64..8, 0.0f64..=1.0), 1..60),
        ) {
            let mut limit = Limit::new(vec![(most, at(window))]);
            let mut now = at(0);
            let mut under_way: Vec<(Place, Uptime, Uptime, f64)> = Vec::new();
            let mut counted: Vec<Uptime> = Vec::new();
            for (wait, takes, when) in waits {
                now += at(wait);
                under_way.retain(|(place, begun, end, when)| {
                    if *end <= now {
                        limit.end(*place, Answer::Takes, *end);
                        counted.push(*begun + (*end - *begun).mul_f64(*when));
                    }
                    *end > now
                });
                if matches!(limit.room(now), SendRoom::Now(_)) {
                    under_way.push((limit.take(now), now, now + at(takes), when));
                }
            }
            counted.sort();
            for first in 0..counted.len() {
                let within = counted[first..].iter().filter(|other| **other < counted[first] + at(window)).count();
                prop_assert!(within <= most as usize);
            }
        }
    }
}
