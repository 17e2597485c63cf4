//! Which days of sales does a pass ask for? The API's days are Bangkok's, whatever zone messages are shown in.

use chrono::{Days, NaiveDate, NaiveTime, TimeZone};

use crate::domain::diff::sale::Window;
use crate::domain::model::Timestamp;
use crate::domain::rhythm::hours;
use crate::domain::rhythm::sales::{Depth, first_day};
use crate::service::shop::Shop;

/// The days of sales that a pass asks for.
pub(super) struct SaleDays {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    pub(super) window: Window,
}

impl SaleDays {
    /// To tomorrow, since a till's clock may be ahead. The whole window begins before the last accepted pass, so that
    /// nothing falls between two passes when posbell was off for a week.
    pub(super) fn of(shop: &Shop, depth: Depth, now: Timestamp, passed_at: Option<Timestamp>) -> SaleDays {
        let first = match depth {
            Depth::Trailing => {
                let from = passed_at.map_or(now, |passed_at| passed_at.min(now)) - shop.config.trailing_window;
                bangkok_day(from)
            }
            Depth::Head | Depth::Today => first_day(hours::bangkok(now)),
        };
        let last = bangkok_day(now) + Days::new(1);
        let window = Window { from: midnight(first), until: midnight(last + Days::new(1)) };
        SaleDays { first, last, window }
    }
}

/// The API's days are Bangkok's, whatever zone messages are shown in.
pub(in crate::service) fn bangkok_day(now: Timestamp) -> NaiveDate {
    now.with_timezone(&chrono_tz::Asia::Bangkok).date_naive()
}

fn midnight(day: NaiveDate) -> Timestamp {
    let local = day.and_time(NaiveTime::MIN);
    let moment = chrono_tz::Asia::Bangkok.from_local_datetime(&local).earliest();
    moment.expect("Bangkok has had no clock change since 1920").to_utc()
}
