//! Do the parts of the rhythm together keep what each promises?

use super::*;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

/// The intervals of the contract.
fn poll() -> BTreeMap<Resource, Duration> {
    let seconds = [15, 120, 600, 3600, 6 * 3600, 3600];
    Resource::ALL.into_iter().zip(seconds.map(Duration::from_secs)).collect()
}

/// 70 sales a day, so two pages in three days; everything else in one.
fn small_shop() -> Costs {
    Costs { sales: sales::Cost { today: 1, whole: 2 }, ..Costs::default() }
}

/// 4,000 sales a day, 30,000 products and 12,000 members, in pages of 200.
fn large_shop() -> Costs {
    let passes = [(Resource::Stock, 150), (Resource::Credit, 8), (Resource::Members, 60), (Resource::BuyDocuments, 5)];
    Costs { passes: passes.into(), sales: sales::Cost { today: 20, whole: 80 } }
}

/// The intervals as a person writes them, without fractions of a second, and how deep sales are read.
#[track_caller]
fn check(costs: &Costs, (calls, window): (u32, Duration), expected: &[&str]) {
    let rhythm = Rhythm::of(&poll(), None, costs, Capacity::of(&[(calls, window)]));
    let length = |every: Duration| humantime::format_duration(Duration::from_secs(every.as_secs())).to_string();
    let mut said: Vec<String> = rhythm.paces.iter().map(|(of, pace)| format!("{of} {}", length(pace.every))).collect();
    said[0].push_str(&match rhythm.sales.expect("sales are polled") {
        SalesPlan::Whole { .. } => " whole".to_owned(),
        SalesPlan::Tiers { today, trailing, .. } => format!(", today {}, trailing {}", length(today), length(trailing)),
    });
    assert_eq!(said, expected);
}

#[test]
fn the_vendors_quota_is_enough_for_everything() {
    let configured = ["stock 2m", "credit 10m", "members 1h", "vendors 6h", "buy_documents 1h"];
    for costs in [small_shop(), large_shop()] {
        check(&costs, (300, Duration::from_secs(10)), &[&["transactions 15s whole"][..], &configured].concat());
    }
}

#[test]
fn ten_calls_an_hour_are_spread_over_the_hour() {
    let expected = [
        "transactions 17m 33s, today 17m 33s, trailing 1h",
        "stock 27m 10s",
        "credit 1h 48m 40s",
        "members 1h 48m 40s",
        "vendors 6h",
        "buy_documents 1h 48m 40s",
    ];
    check(&small_shop(), (10, HOUR), &expected);
}

#[test]
fn a_hundred_calls_an_hour_read_a_small_shops_sales_each_minute() {
    let expected = [
        "transactions 1m 12s, today 1m 12s, trailing 1h",
        "stock 2m 22s",
        "credit 10m",
        "members 1h",
        "vendors 6h",
        "buy_documents 1h",
    ];
    check(&small_shop(), (100, HOUR), &expected);
}

#[test]
fn a_call_a_second_is_spread_over_a_large_shop() {
    let expected = [
        "transactions 15s, today 5m, trailing 1h",
        "stock 3m 49s",
        "credit 10m",
        "members 1h",
        "vendors 6h",
        "buy_documents 1h",
    ];
    check(&large_shop(), (60, Duration::from_secs(60)), &expected);
}

#[test]
fn by_night_little_is_read_and_nothing_oftener_than_by_day() {
    let night = |limit| Rhythm::of(&poll(), None, &small_shop(), Capacity::of(&[limit])).at_night().paces;
    let paces = night((300, Duration::from_secs(10)));
    let minutes = |paces: &BTreeMap<Resource, Pace>| -> Vec<(u64, Why)> {
        paces.values().map(|pace| (pace.every.as_secs() / 60, pace.why)).collect()
    };
    let (night_s, as_by_day) = (Why::Night, Why::Configured);
    let expected = [(5, night_s), (60, night_s), (60, night_s), (60, as_by_day), (360, as_by_day), (60, as_by_day)];
    assert_eq!(minutes(&paces), expected);
    let quota = Why::Quota;
    let expected = [(17, quota), (60, night_s), (108, quota), (108, quota), (360, as_by_day), (108, quota)];
    assert_eq!(minutes(&night((10, HOUR))), expected);
}

#[test]
fn what_is_off_costs_nothing() {
    let mut poll = poll();
    poll.remove(&Resource::Transactions);
    let rhythm = Rhythm::of(&poll, None, &small_shop(), Capacity::of(&[(60, HOUR)]));
    assert_eq!(rhythm.sales, None);
    assert_eq!(rhythm.paces.keys().copied().collect::<Vec<_>>(), Resource::ALL[1..]);
    assert_eq!(rhythm.paces[&Resource::Stock].why, Why::Configured);
    let nothing = Rhythm::of(&BTreeMap::new(), None, &small_shop(), Capacity::of(&[(60, HOUR)]));
    assert!(nothing.paces.is_empty() && nothing.sales.is_none());
}

/// Anything that can be written into a file and measured.
type Shop = (BTreeMap<Resource, Duration>, Option<Duration>, Costs);

prop_compose! {
    fn any_shop()(
        asks in prop::collection::vec((any::<bool>(), 1_000u64..50_000_000, 0u32..800), 6),
        trailing in prop::option::of(1_000u64..50_000_000), today in 0u32..50, whole in 0u32..500,
    ) -> Shop {
        let of = || Resource::ALL.into_iter().zip(&asks).filter(|(_, (polled, ..))| *polled);
        let poll = of().map(|(resource, (_, millis, _))| (resource, Duration::from_millis(*millis))).collect();
        let passes = of().map(|(resource, (_, _, calls))| (resource, *calls)).collect();
        (poll, trailing.map(Duration::from_millis), Costs { passes, sales: sales::Cost { today, whole } })
    }
}

proptest! {
    #[test]
    fn all_passes_together_stay_within_the_capacity(
        (poll, trailing, costs) in any_shop(), calls in 1u32..10_000, seconds in 1u64..10_000,
    ) {
        let capacity = Capacity::of(&[(calls, Duration::from_secs(seconds))]);
        let rhythm = Rhythm::of(&poll, trailing, &costs, capacity);
        prop_assert!(rhythm.paces.keys().eq(poll.keys()));
        let spent = |(&resource, pace): (&Resource, &Pace)| match (resource, rhythm.sales) {
            (Resource::Transactions, Some(plan)) => plan.calls_per_second(costs.sales),
            _ => Wanted { resource, every: pace.every, calls: costs.of(resource) }.demand(),
        };
        let spent: f64 = rhythm.paces.iter().map(spent).sum();
        prop_assert!(spent <= capacity.calls_per_second() * (1.0 + 1e-9), "{rhythm:?}");
        for pace in rhythm.paces.values() {
            prop_assert!(pace.every >= pace.configured);
        }
    }

    #[test]
    fn more_quota_makes_nothing_rarer(
        (poll, trailing, costs) in any_shop(), calls in 1u32..10_000, seconds in 1u64..100_000, more in 1u32..1_000,
    ) {
        let paces = |calls| {
            let capacity = Capacity::of(&[(calls, Duration::from_secs(seconds))]);
            Rhythm::of(&poll, trailing, &costs, capacity).paces
        };
        let (less, more) = (paces(calls), paces(calls + more));
        for (resource, pace) in &less {
            prop_assert!(more[resource].every <= pace.every, "{resource}: {less:?} {more:?}");
        }
    }
}
