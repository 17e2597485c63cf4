//! How much of the trailing window does a pass over the sales read?
//!
//! A cancel changes a sale of an hour or a day ago, and a till that was offline brings its sales late, so the whole
//! window of days must be read again and again. Where the quota leaves the calls idle, every pass does just that.
//! Where it does not, three depths share what there is: the *head* of today's list finds new sales, *today* finds
//! the cancels of the day, and the *trailing* window finds all the rest, each less often than the one before.
//!
//! A deeper pass takes the place of a shallower one, since it reads all that the other would have. So a tier costs only
//! what it reads beyond a head, and the three together never cost more than the room that is given to sales.

use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime, Timelike as _};

use super::hours::bangkok;
use super::pace::{self, Ask, seconds, spaced};
use crate::domain::model::Timestamp;

/// How old the reading of the whole day may become. Most cancels are made within the hour (seen 10 and 81 minutes
/// after the sale), and five minutes are soon enough to tell the owner of one.
const TODAY: Duration = Duration::from_secs(5 * 60);

/// How old the reading of the whole window may become unless the file says otherwise: what arrives by it is hours late
/// already.
pub(super) const TRAILING: Duration = Duration::from_secs(3600);

/// Until this hour, today includes yesterday: a shop that closes after midnight still cancels the evening's sales, and
/// a sale of the last minute before midnight may be listed after it.
const SMALL_HOURS: u32 = 3;

/// How the calls are divided where not even the tiers fit: half to the head, since new sales are what is waited for,
/// and the rest to the other two alike. In plain proportion the head, asked for so much more often, would take nearly
/// all, and cancels of yesterday would be found days later.
const HEAD_WEIGHT: f64 = 2.0;

/// See [`HEAD_WEIGHT`].
const DEEPER_WEIGHT: f64 = 1.0;

/// What the file says about reading sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `[shop.poll] transactions`.
    pub every: Duration,
    /// `[shop.poll] trailing`.
    pub trailing: Option<Duration>,
}

/// What the two longer readings cost, in calls, as the last of each has shown; 1 where it has not been made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Today, whole.
    pub today: u32,
    /// The trailing window, whole.
    pub whole: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Cost { today: 1, whole: 1 }
    }
}

impl Cost {
    fn today(self) -> f64 {
        f64::from(self.today.max(1))
    }

    fn whole(self) -> f64 {
        f64::from(self.whole.max(self.today).max(1))
    }

    /// A head that brings something new on its first page looks at the second, so where there is one, it may cost two.
    fn head(self) -> f64 {
        self.today().min(2.0)
    }
}

/// How many calls a second sales may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// What everything else leaves idle at its configured pace; zero or less where it does not even fit itself.
    pub idle: f64,
    /// The most that sales may have: what is idle, or where that is little, their share by value. More than zero.
    pub share: f64,
}

/// How sales are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SalesPlan {
    /// Every pass reads the whole trailing window.
    Whole {
        /// From start to start.
        every: Duration,
    },
    /// A pass reads as deep as is due.
    Tiers {
        /// From start to start of any pass.
        head: Duration,
        /// How old the reading of today may become; at least `head`.
        today: Duration,
        /// How old the reading of the window may become; at least `today`.
        trailing: Duration,
    },
}

impl SalesPlan {
    /// From start to start of two passes, whatever their depth.
    pub fn every(&self) -> Duration {
        match *self {
            SalesPlan::Whole { every } => every,
            SalesPlan::Tiers { head, .. } => head,
        }
    }

    /// How old the reading of the whole window may become.
    pub fn trailing(&self) -> Duration {
        match *self {
            SalesPlan::Whole { every } => every,
            SalesPlan::Tiers { trailing, .. } => trailing,
        }
    }

    /// The most calls a second that its passes take at this cost.
    pub fn calls_per_second(&self, cost: Cost) -> f64 {
        match *self {
            SalesPlan::Whole { every } => cost.whole() / seconds(every),
            SalesPlan::Tiers { head, today, trailing } => {
                let beyond_head = if today < trailing { cost.today() - cost.head() } else { 0.0 };
                let trailing_beyond_head = cost.whole() - cost.head();
                cost.head() / seconds(head) + beyond_head / seconds(today) + trailing_beyond_head / seconds(trailing)
            }
        }
    }
}

/// How deep one pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Today's list, newest first, up to the first page that brings nothing unknown.
    Head,
    /// Today, whole; see [`first_day`].
    Today,
    /// The trailing window, whole.
    Trailing,
}

/// Decides how sales are read within `room`.
pub fn plan(settings: Settings, cost: Cost, room: Room) -> SalesPlan {
    planned(settings, cost, room).0
}

/// The plan and the most calls a second that it takes, not rounded; never more than the share.
///
/// The whole window is read where its calls lie idle, and besides wherever it costs no more than the tiers would and
/// is read as often as their head: for a window of one page the tiers have nothing to save.
pub(super) fn planned(settings: Settings, cost: Cost, room: Room) -> (SalesPlan, f64) {
    let demand = cost.whole() / seconds(settings.every);
    if demand <= room.idle {
        return (SalesPlan::Whole { every: settings.every }, demand);
    }
    let tiers = Tiers::of(settings, cost);
    let tiers_spend = tiers.demand().min(room.share);
    let plan = tiers.within(room.share);
    let every = spaced_at_least(settings.every, cost.whole(), demand, room.share);
    let spend = demand.min(room.share);
    if every <= plan.every() && spend <= tiers_spend {
        return (SalesPlan::Whole { every }, spend);
    }
    (plan, tiers_spend)
}

/// The three depths: how often each is wanted, and what it costs beyond the depth that it takes the place of.
struct Tiers {
    head: (Duration, f64),
    today: (Duration, f64),
    trailing: (Duration, f64),
}

impl Tiers {
    fn of(settings: Settings, cost: Cost) -> Tiers {
        let head = settings.every;
        let trailing = settings.trailing.unwrap_or(TRAILING).max(head);
        let today = TODAY.max(head).min(trailing);
        // Today and window are each counted as taking the place of a head. Where a window comes instead of a reading of
        // today, more is saved, but that is left out, so the sum holds however the two fall together.
        let beyond_head = if today == trailing { 0.0 } else { cost.today() - cost.head() };
        Tiers {
            head: (head, cost.head()),
            today: (today, beyond_head),
            trailing: (trailing, cost.whole() - cost.head()),
        }
    }

    fn asks(&self) -> [Ask; 3] {
        let ask = |(every, calls): (Duration, f64), weight| Ask { calls: calls / seconds(every), weight };
        [ask(self.head, HEAD_WEIGHT), ask(self.today, DEEPER_WEIGHT), ask(self.trailing, DEEPER_WEIGHT)]
    }

    /// Calls a second at the wanted intervals.
    fn demand(&self) -> f64 {
        self.asks().iter().map(|ask| ask.calls).sum()
    }

    /// The intervals that `share` calls a second allow.
    fn within(&self, share: f64) -> SalesPlan {
        let asks = self.asks();
        let level = match self.demand() <= share {
            true => f64::INFINITY,
            false => pace::level(&asks, share),
        };
        let every =
            |(every, calls): (Duration, f64), ask: Ask| spaced_at_least(every, calls, ask.calls, level * ask.weight);
        let head = every(self.head, asks[0]);
        let trailing = every(self.trailing, asks[2]).max(head);
        let today = if self.today.0 == self.trailing.0 {
            trailing
        } else if self.today.1 > 0.0 {
            every(self.today, asks[1]).max(head).min(trailing)
        } else {
            // What costs nothing beyond the head is read each time.
            head
        };
        SalesPlan::Tiers { head, today, trailing }
    }
}

/// The wanted interval, or the longer one that a share allows which is smaller than the demand.
fn spaced_at_least(every: Duration, calls: f64, demand: f64, share: f64) -> Duration {
    if demand <= share { every } else { spaced(calls, share).max(every) }
}

/// How deep the pass reads that begins at `now`. The times are those at which the last good readings of today and of
/// the window *began*; a reading of the window need not be noted as one of today too.
///
/// A time in the future counts as due: the clock was set back, and nobody can wait until it is there again. What began
/// half a hundredth early is due too, so that a clock that is being pulled straight does not skip a turn.
pub fn next_depth(
    plan: &SalesPlan,
    last_today: Option<Timestamp>,
    last_trailing: Option<Timestamp>,
    now: Timestamp,
) -> Depth {
    let SalesPlan::Tiers { today, trailing, .. } = *plan else { return Depth::Trailing };
    if is_due(last_trailing, trailing, now) {
        return Depth::Trailing;
    }
    let last = last_today.max(last_trailing);
    // After a break over midnight, today's list no longer has what was sold before it.
    let day_is_over = last.is_some_and(|last| bangkok(last).date() < first_day(bangkok(now)));
    if day_is_over {
        return Depth::Trailing;
    }
    if is_due(last, today, now) { Depth::Today } else { Depth::Head }
}

fn is_due(last: Option<Timestamp>, every: Duration, now: Timestamp) -> bool {
    let Some(last) = last else { return true };
    (now - last).to_std().map_or(true, |gone| gone >= every - every / 200)
}

/// The first day that readings of the head and of today ask for: yesterday until three in the morning in Bangkok, else
/// today.
pub fn first_day(now_local: NaiveDateTime) -> NaiveDate {
    let today = now_local.date();
    if now_local.hour() < SMALL_HOURS { today.pred_opt().unwrap_or(today) } else { today }
}

#[cfg(test)]
mod tests;
