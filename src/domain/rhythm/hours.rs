//! Is the shop open, so that it is worth reading often?
//!
//! The file may say when it is. Where it does not, the sales of the last two weeks do: a half hour of the day in which
//! something was sold is one in which the shop is open. Both only ever slow reading down, and being wrong is not equal
//! on both sides: a closed shop taken for open costs a few calls, an open one taken for closed tells of a sale minutes
//! late. So every doubt counts as open: too few days, a lull, the time around closing, a sale just now.
//!
//! All of it is the shop's own time, seven hours ahead of UTC all year round.

mod observed;

pub use observed::Observed;

use std::str::FromStr;
use std::time::Duration;

use chrono::{NaiveDateTime, NaiveTime, TimeDelta, Timelike as _};

use crate::domain::model::{Resource, Timestamp};

/// How far Bangkok is ahead of UTC, since 1920 and without summer time.
const AHEAD_OF_UTC: TimeDelta = TimeDelta::hours(7);

/// A sale as recent as this means that the shop is open, whatever hours say so far.
const JUST_NOW: TimeDelta = TimeDelta::minutes(30);

/// How often a closed shop's sales are read at most: someone may be at the till after all.
const NIGHT_SALES: Duration = Duration::from_secs(5 * 60);

/// How often everything else of a closed shop is read at most. An hour keeps overdue credit and a delivery that is
/// entered before opening from waiting for the morning.
const NIGHT_OTHERS: Duration = Duration::from_secs(3600);

/// Minutes in a day.
const DAY: u32 = 24 * 60;

/// The shop's own time.
pub fn bangkok(moment: Timestamp) -> NaiveDateTime {
    // At the ends of the calendar, where an answer of the API may claim to be, seven more hours do not fit.
    moment.naive_utc().checked_add_signed(AHEAD_OF_UTC).unwrap_or(NaiveDateTime::MAX)
}

/// `open = "07:00-21:00"`: when the shop says that it is open, the same every day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHours {
    /// From and until, in minutes of the day; over midnight where the end is the smaller one.
    spans: Vec<(u32, u32)>,
}

/// A text that is no opening hours, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHours {
    /// There is no `-` between two times.
    #[error("opening hours are FROM-UNTIL, such as 07:00-21:00, or several of them with commas between")]
    Form,
    /// One of the times is none.
    #[error("`{0}` is no time of day; write it as 07:00")]
    Time(String),
    /// A span ends when it begins.
    #[error("`{0}` ends when it begins; for a shop that never closes write 00:00-24:00")]
    Nothing(String),
}

impl FromStr for OpenHours {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let spans: Result<Vec<_>, _> = text.split(',').map(|span| parse_span(span.trim())).collect();
        Ok(OpenHours { spans: spans? })
    }
}

fn parse_span(text: &str) -> Result<(u32, u32), BadHours> {
    let (from, until) = text.split_once('-').ok_or(BadHours::Form)?;
    let (from, until) = (parse_time(from.trim())?, parse_time(until.trim())?);
    // A day ends at 24:00, and none begins there.
    match from == until || from == DAY {
        true => Err(BadHours::Nothing(text.to_owned())),
        false => Ok((from, until)),
    }
}

/// Minutes from midnight; `24:00` is the end of the day.
fn parse_time(text: &str) -> Result<u32, BadHours> {
    if text == "24:00" {
        return Ok(DAY);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| BadHours::Time(text.to_owned()))?;
    Ok(minute_of_day(time))
}

fn minute_of_day(time: NaiveTime) -> u32 {
    time.hour() * 60 + time.minute()
}

impl OpenHours {
    /// Whether the shop says that it is open then. The last minute of a span is not in it.
    pub fn contains(&self, time: NaiveTime) -> bool {
        let minute = minute_of_day(time);
        self.spans.iter().any(|&(from, until)| match from < until {
            true => (from..until).contains(&minute),
            false => minute >= from || minute < until,
        })
    }
}

/// Whether the shop is open: by its own word, else by what was sold so far; always where neither says anything.
pub fn is_open(now_local: NaiveDateTime, configured: Option<&OpenHours>, observed: &Observed) -> bool {
    let sold_just_now = observed.last_sale().is_some_and(|sold| (now_local - sold).abs() <= JUST_NOW);
    sold_just_now
        || match configured {
            Some(hours) => hours.contains(now_local.time()),
            None => observed.seems_open(now_local),
        }
}

/// How often something is read while the shop is closed, given how often by day; never more often.
pub fn at_night(resource: Resource, interval: Duration) -> Duration {
    interval.max(match resource {
        Resource::Transactions => NIGHT_SALES,
        _ => NIGHT_OTHERS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hours: &str, open: &[&str], closed: &[&str]) {
        let parsed: OpenHours = hours.parse().expect("is opening hours");
        for (times, expected) in [(open, true), (closed, false)] {
            for time in times {
                assert_eq!(parsed.contains(time.parse().expect("is a time")), expected, "{hours} at {time}");
            }
        }
    }

    #[test]
    fn opening_hours_say_what_they_say() {
        check("07:00-21:00", &["07:00:00", "12:00:00", "20:59:59"], &["06:59:59", "21:00:00", "00:00:00"]);
        check("18:00-02:00", &["18:00:00", "23:59:59", "00:00:00", "01:59:59"], &["02:00:00", "17:59:59"]);
        check("7:30 - 11:00 , 17:00-24:00", &["07:30:00", "17:00:00", "23:59:59"], &["11:00:00", "00:00:00"]);
        check("00:00-24:00", &["00:00:00", "23:59:59"], &[]);
        check("22:00-00:00", &["23:59:59"], &["00:00:00", "21:59:59"]);
    }

    #[test]
    fn a_slip_is_told_by_its_part() {
        let check = |text: &str, why: BadHours| assert_eq!(text.parse::<OpenHours>(), Err(why), "{text}");
        let time = |text: &str| BadHours::Time(text.to_owned());
        let nothing = |text: &str| BadHours::Nothing(text.to_owned());
        check("", BadHours::Form);
        check("07:00", BadHours::Form);
        check("07:00-21:00,", BadHours::Form);
        check("7-21", time("7"));
        check("07:00-25:00", time("25:00"));
        check("07:00-21:60", time("21:60"));
        check("07:00-21:00-23:00", time("21:00-23:00"));
        check("07:00-", time(""));
        check("07:00-07:00", nothing("07:00-07:00"));
        check("24:00-02:00", nothing("24:00-02:00"));
    }

    #[test]
    fn the_shops_day_begins_seven_hours_before_that_of_utc() {
        let local = |text: &str| bangkok(text.parse().expect("is a moment")).to_string();
        assert_eq!(local("2026-11-23T17:00:00Z"), "2026-11-24 00:00:00");
        assert_eq!(bangkok(Timestamp::MAX_UTC), NaiveDateTime::MAX);
    }

    #[test]
    fn nothing_is_read_often_at_night_and_nothing_oftener_than_by_day() {
        let check = |resource, day, night| {
            assert_eq!(at_night(resource, Duration::from_secs(day)), Duration::from_secs(night), "{resource} {day}");
        };
        check(Resource::Transactions, 15, 300);
        check(Resource::Transactions, 900, 900);
        check(Resource::Stock, 120, 3600);
        check(Resource::Credit, 600, 3600);
        check(Resource::Vendors, 21_600, 21_600);
    }
}
