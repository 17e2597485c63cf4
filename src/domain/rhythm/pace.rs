//! How often is each resource really read, where the quota is too small for what the file asks for?
//!
//! Two numbers meet: what the passes would cost at the configured rhythm, and what the quota allows. Where the first
//! is the smaller one, everything is as configured. Else the allowance is shared by value, as water is poured into
//! glasses of different width: each resource is filled up to its own demand at most, and what one does not need goes
//! to the others. So a cheap resource keeps its rhythm, a dear one does not starve the rest, and none gets nothing.
//!
//! This decides averages. That no single call goes over the quota is the governor's business and stays it: a wrong
//! figure in here costs punctuality, never the key.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::model::Resource;

/// The part of the quota that no rhythm plans with. It is for a person's own questions and refreshes, and it covers
/// that a call holds its place a little longer than the window: while it is under way, and a thousandth on top.
const RESERVE: f64 = 0.1;

/// No interval becomes longer than this, however dear a pass and however small the quota: ten years are as good as
/// never, and times can still be added up without leaving the calendar.
const LONGEST_MS: f64 = 10.0 * 366.0 * 24.0 * 3600.0 * 1000.0;

/// How much the last digits of floating point may be off after a few sums. Without it, what fits to the digit would be
/// rounded up to a millisecond more.
const GRAIN: f64 = 1e-12;

/// A shorter window or interval cannot be told from none, and nothing is divided by none.
const SHORTEST: Duration = Duration::from_millis(1);

/// How many calls a second the rhythm may plan with.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Capacity(f64);

impl Capacity {
    /// What the tightest of these limits allows (so many calls in such a window), less the reserve.
    ///
    /// A governor that has been told to slow down passes fewer calls. A limit of no calls is taken for one of one
    /// call, so that nothing stops for good; without any limit there is nothing to share.
    pub fn of(limits: &[(u32, Duration)]) -> Capacity {
        let rate = |&(calls, window): &(u32, Duration)| f64::from(calls.max(1)) / seconds(window);
        let tightest = limits.iter().map(rate).fold(f64::INFINITY, f64::min);
        Capacity(tightest * (1.0 - RESERVE))
    }

    /// Calls in a second; infinite where there is no limit.
    pub fn calls_per_second(self) -> f64 {
        self.0
    }

    /// What is left beside something that takes so many calls a second.
    pub(super) fn less(self, calls_per_second: f64) -> Capacity {
        if self.0.is_infinite() { self } else { Capacity((self.0 - calls_per_second).max(0.0)) }
    }
}

/// What one polled resource asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The resource; each is asked for once.
    pub resource: Resource,
    /// The interval in the file.
    pub every: Duration,
    /// How many calls a pass costs: as many as the last one took, or one where that is not known.
    pub calls: u32,
}

impl Wanted {
    /// Calls a second at the configured interval.
    pub(super) fn demand(&self) -> f64 {
        f64::from(self.calls.max(1)) / seconds(self.every)
    }
}

/// How often one resource is really read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From start to start of two passes.
    pub every: Duration,
    /// What the file asks for; never longer than `every`.
    pub configured: Duration,
    /// What `every` comes from.
    pub why: Why,
}

/// Why a resource is read as often as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// As the file says.
    Configured,
    /// The quota does not allow more.
    Quota,
    /// The shop is closed.
    Night,
}

/// What a call for this resource is worth, beside a call for another.
///
/// Each step down halves it. A sale is what a shop wants to hear of at once, and most events follow from sales. Stock
/// moves with each of them, but what runs low does so in hours. Credit changes a few times a day and its alarms count
/// in days. Members and purchase documents change by the day and nobody waits for them. Vendors hardly change at all.
pub fn value(resource: Resource) -> f64 {
    match resource {
        Resource::Transactions => 8.0,
        Resource::Stock => 4.0,
        Resource::Credit => 2.0,
        Resource::BuyDocuments | Resource::Members => 1.0,
        Resource::Vendors => 0.5,
    }
}

/// The order in which first passes ask for their calls at a start: what is worth most comes first.
pub fn first_start(resources: impl IntoIterator<Item = Resource>) -> Vec<Resource> {
    let mut order: Vec<Resource> = resources.into_iter().collect();
    order.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
    order
}

/// How often each resource is read by day.
///
/// All passes together stay within `capacity`; no interval is shorter than the configured one; a larger capacity makes
/// none longer.
pub fn effective(wanted: &[Wanted], capacity: Capacity) -> BTreeMap<Resource, Pace> {
    let asks: Vec<Ask> = wanted.iter().map(Ask::of).collect();
    let fits = asks.iter().map(|ask| ask.calls).sum::<f64>() <= capacity.0;
    let level = level(&asks, capacity.0);
    let pace = |(wanted, ask): (&Wanted, &Ask)| {
        let share = level * ask.weight;
        let every = match fits || share >= ask.calls {
            true => wanted.every,
            false => spaced(f64::from(wanted.calls.max(1)), share).max(wanted.every),
        };
        let why = if every > wanted.every { Why::Quota } else { Why::Configured };
        (wanted.resource, Pace { every, configured: wanted.every, why })
    };
    wanted.iter().zip(&asks).map(pace).collect()
}

/// How many calls a second `resource` gets beside these others where it asks for any number of them: what they leave,
/// and where they leave too little, its share by value.
pub(super) fn most(resource: Resource, others: &[Wanted], capacity: Capacity) -> f64 {
    let mut asks: Vec<Ask> = others.iter().map(Ask::of).collect();
    let weight = value(resource);
    asks.push(Ask { calls: f64::INFINITY, weight });
    level(&asks, capacity.0) * weight
}

/// Somebody among whom calls are shared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    /// Calls a second that it can use; more than none.
    pub calls: f64,
    /// Its part beside the others.
    pub weight: f64,
}

impl Ask {
    fn of(wanted: &Wanted) -> Ask {
        Ask { calls: wanted.demand(), weight: value(wanted.resource) }
    }
}

/// How many calls a second there are for each unit of weight, where nobody gets more than it can use.
///
/// With the asks in the order in which they are satisfied, the level is the highest of what the rest of the calls gives
/// to the rest of the weight, after none, one, two … of them are. The highest, and not the first that fits, because a
/// maximum of values that each grow with the capacity grows with it too, also where floating point rounds.
pub(super) fn level(asks: &[Ask], capacity: f64) -> f64 {
    let mut asks = asks.to_vec();
    asks.sort_by(|a, b| (a.calls / a.weight).total_cmp(&(b.calls / b.weight)));
    let mut weight: f64 = asks.iter().map(|ask| ask.weight).sum();
    let (mut met, mut level) = (0.0, 0.0_f64);
    for ask in asks {
        level = level.max((capacity - met) / weight);
        met += ask.calls;
        weight -= ask.weight;
    }
    level
}

/// How far apart passes of `calls` calls lie that take so many calls a second. Whole milliseconds, rounded up, so that
/// rounding never costs a call.
pub(super) fn spaced(calls: f64, calls_per_second: f64) -> Duration {
    let millis = (calls / calls_per_second * 1000.0 * (1.0 - GRAIN)).ceil().min(LONGEST_MS);
    Duration::from_millis(millis as u64)
}

/// The length in seconds, never zero.
pub(super) fn seconds(duration: Duration) -> f64 {
    duration.max(SHORTEST).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// All six at the intervals of the contract, at what a small shop's passes cost.
    fn small_shop() -> Vec<Wanted> {
        let wanted = |resource, seconds, calls| Wanted { resource, every: Duration::from_secs(seconds), calls };
        vec![
            wanted(Resource::Transactions, 15, 1),
            wanted(Resource::Stock, 120, 1),
            wanted(Resource::Credit, 600, 2),
            wanted(Resource::Members, 3600, 1),
            wanted(Resource::Vendors, 6 * 3600, 1),
            wanted(Resource::BuyDocuments, 3600, 1),
        ]
    }

    /// The intervals as a person writes them, without fractions of a second.
    fn table(paces: &BTreeMap<Resource, Pace>) -> Vec<String> {
        let line = |(resource, pace): (&Resource, &Pace)| {
            let every = humantime::format_duration(Duration::from_secs(pace.every.as_secs()));
            format!("{resource} {every} {:?}", pace.why)
        };
        paces.iter().map(line).collect()
    }

    #[test]
    fn what_fits_is_as_configured() {
        for limits in [&[][..], &[(300, Duration::from_secs(10))], &[(300, Duration::from_secs(10)), (400, HOUR)]] {
            for (resource, pace) in effective(&small_shop(), Capacity::of(limits)) {
                assert_eq!((pace.every, pace.why), (pace.configured, Why::Configured), "{resource} {limits:?}");
            }
        }
    }

    #[test]
    fn ten_calls_an_hour_are_spread_over_the_hour_by_value() {
        let expected = [
            "transactions 13m 35s Quota",
            "stock 27m 10s Quota",
            "credit 1h 48m 40s Quota",
            "members 1h 48m 40s Quota",
            "vendors 6h Configured",
            "buy_documents 1h 48m 40s Quota",
        ];
        assert_eq!(table(&effective(&small_shop(), Capacity::of(&[(10, HOUR)]))), expected);
    }

    #[test]
    fn a_hundred_calls_an_hour_are_enough_for_all_but_sales_and_stock() {
        let expected = [
            "transactions 56s Quota",
            "stock 2m Configured",
            "credit 10m Configured",
            "members 1h Configured",
            "vendors 6h Configured",
            "buy_documents 1h Configured",
        ];
        // 90 calls less 12 for credit, 2 for members and purchases and a sixth for vendors, two to one.
        let stretched = ["transactions 1m 11s Quota", "stock 2m 22s Quota"];
        let paces = table(&effective(&small_shop(), Capacity::of(&[(100, HOUR)])));
        assert_eq!((&paces[..2], &paces[2..]), (&stretched.map(str::to_owned)[..], &expected.map(str::to_owned)[2..]));
        // At 120 stock is satisfied too, and sales have all the rest.
        assert_eq!(table(&effective(&small_shop(), Capacity::of(&[(120, HOUR)]))), expected);
    }

    #[test]
    fn a_dear_list_pays_for_itself_and_leaves_sales_alone() {
        let mut wanted = small_shop();
        wanted[1].calls = 500;
        let paces = table(&effective(&wanted, Capacity::of(&[(60, Duration::from_secs(60))])));
        assert_eq!(paces[..2], ["transactions 15s Configured", "stock 10m 2s Quota"]);
    }

    #[test]
    fn of_several_limits_the_tightest_counts() {
        let rate = |limits: &[(u32, Duration)]| Capacity::of(limits).calls_per_second();
        assert_eq!(rate(&[(300, Duration::from_secs(10))]), 27.0);
        assert_eq!(rate(&[(300, Duration::from_secs(10)), (400, HOUR)]), rate(&[(400, HOUR)]));
        assert_eq!(rate(&[(400, HOUR), (300, Duration::from_secs(10))]), rate(&[(400, HOUR)]));
        assert_eq!(rate(&[(0, HOUR)]), rate(&[(1, HOUR)]));
        assert!(rate(&[]).is_infinite());
    }

    #[test]
    fn first_passes_start_in_the_order_of_their_value() {
        let names: Vec<&str> = first_start(Resource::ALL.into_iter().rev()).iter().map(|r| r.name()).collect();
        assert_eq!(names, ["transactions", "stock", "credit", "members", "buy_documents", "vendors"]);
    }

    #[test]
    fn the_dearest_pass_under_the_smallest_quota_still_has_a_time() {
        let wanted = [Wanted { resource: Resource::Stock, every: SHORTEST, calls: u32::MAX }];
        let pace = effective(&wanted, Capacity::of(&[(1, 366 * 24 * HOUR)]))[&Resource::Stock];
        assert_eq!(pace.every, Duration::from_millis(LONGEST_MS as u64));
    }

    prop_compose! {
        fn any_wanted()(
            asks in prop::collection::vec((any::<bool>(), 1u64..100_000_000, 0u32..5_000), 6)
        ) -> Vec<Wanted> {
            let wanted = |(resource, (polled, millis, calls)): (Resource, (bool, u64, u32))| {
                polled.then_some(Wanted { resource, every: Duration::from_millis(millis), calls })
            };
            Resource::ALL.into_iter().zip(asks).filter_map(wanted).collect()
        }
    }

    prop_compose! {
        fn any_limit()(calls in 1u32..10_000, millis in 1u64..100_000_000) -> (u32, Duration) {
            (calls, Duration::from_millis(millis))
        }
    }

    /// Calls a second of all passes at these paces.
    fn spent(wanted: &[Wanted], paces: &BTreeMap<Resource, Pace>) -> f64 {
        wanted.iter().map(|wanted| Wanted { every: paces[&wanted.resource].every, ..*wanted }.demand()).sum()
    }

    proptest! {
        #[test]
        fn all_passes_together_stay_within_the_capacity(wanted in any_wanted(), limit in any_limit()) {
            let capacity = Capacity::of(&[limit]);
            let paces = effective(&wanted, capacity);
            prop_assert_eq!(paces.len(), wanted.len());
            prop_assert!(spent(&wanted, &paces) <= capacity.calls_per_second() * (1.0 + 1e-9)
                || paces.values().any(|pace| pace.every.as_millis() as f64 >= LONGEST_MS));
        }

        #[test]
        fn what_the_quota_allows_is_used(wanted in any_wanted(), limit in any_limit()) {
            let capacity = Capacity::of(&[limit]);
            let paces = effective(&wanted, capacity);
            let stretched = paces.values().any(|pace| pace.why == Why::Quota);
            let shortest = paces.values().map(|pace| seconds(pace.every)).fold(f64::INFINITY, f64::min);
            // Each interval is rounded up by less than a millisecond.
            let used = spent(&wanted, &paces) * (1.0 + 0.001 / shortest);
            prop_assert!(!stretched || used >= capacity.calls_per_second() * (1.0 - 1e-9), "{used}");
        }

        #[test]
        fn no_interval_is_shorter_than_configured(wanted in any_wanted(), limit in any_limit()) {
            for (resource, pace) in effective(&wanted, Capacity::of(&[limit])) {
                prop_assert!(pace.every >= pace.configured, "{}", resource);
                prop_assert_eq!(pace.why == Why::Configured, pace.every == pace.configured);
            }
        }

        #[test]
        fn more_quota_makes_no_interval_longer(wanted in any_wanted(), limit in any_limit(), more in 1u32..1_000) {
            let less = effective(&wanted, Capacity::of(&[limit]));
            let more = effective(&wanted, Capacity::of(&[(limit.0 + more, limit.1)]));
            for (resource, pace) in &less {
                prop_assert!(more[resource].every <= pace.every, "{}", resource);
            }
        }
    }
}
