//! Are sales read as deep as the quota allows, and never deeper?

use super::*;
use proptest::prelude::*;

const HOUR: f64 = 3600.0;

fn settings(every: u64) -> Settings {
    Settings { every: Duration::from_secs(every), trailing: None }
}

/// Room for so many calls an hour, none of them idle.
fn scarce(calls: f64) -> Room {
    Room { idle: 0.0, share: calls / HOUR }
}

/// Room for so many calls an hour that nobody else needs.
fn idle(calls: f64) -> Room {
    Room { idle: calls / HOUR, share: calls / HOUR }
}

/// The plan in seconds: one number for the whole window, three for tiers.
#[track_caller]
fn check(settings: Settings, (today, whole): (u32, u32), room: Room, seconds: &[u64]) {
    let said = match plan(settings, Cost { today, whole }, room) {
        SalesPlan::Whole { every } => vec![every.as_secs()],
        SalesPlan::Tiers { head, today, trailing } => vec![head.as_secs(), today.as_secs(), trailing.as_secs()],
    };
    assert_eq!(said, seconds, "{settings:?} {today} {whole} {room:?}");
}

#[test]
fn the_whole_window_is_read_as_long_as_its_calls_lie_idle() {
    check(settings(15), (1, 2), idle(480.0), &[15]);
    check(settings(15), (30, 90), idle(90.0 * 240.0), &[15]);
    // One call an hour short, and each depth has its own rhythm.
    check(settings(15), (30, 90), idle(90.0 * 240.0 - 1.0), &[15, 300, 3600]);
    // There is as much, but the others would have to wait for it.
    check(settings(15), (30, 90), scarce(90.0 * 240.0), &[15, 300, 3600]);
}

#[test]
fn today_is_read_each_time_where_it_costs_no_more_than_its_head() {
    check(settings(15), (1, 3), idle(300.0), &[15, 15, 3600]);
    check(settings(15), (3, 9), idle(700.0), &[15, 300, 3600]);
}

#[test]
fn a_window_of_one_page_is_always_read_whole() {
    check(settings(15), (1, 1), scarce(240.0), &[15]);
    check(settings(15), (1, 1), scarce(9.0), &[400]);
}

#[test]
fn too_small_a_share_is_divided_so_that_no_depth_starves() {
    // A head costs 1, the window 1 beyond it: 1 an hour is less than its third, and the head has the other 3.4.
    check(settings(15), (1, 2), scarce(4.4), &[1058, 1058, 3600]);
    // The head has half of 40; today 1 of 10 beyond it, the window 28 of 10.
    check(settings(15), (3, 30), scarce(40.0), &[360, 360, 10_080]);
    check(settings(15), (12, 30), scarce(40.0), &[360, 3600, 10_080]);
}

#[test]
fn a_slow_rhythm_of_ones_own_makes_every_depth_as_slow() {
    check(settings(600), (5, 50), scarce(100.0), &[600, 600, 3600]);
    check(settings(7200), (5, 50), scarce(100.0), &[7200]);
}

#[test]
fn the_file_can_set_the_trailing_reading() {
    let trailing = |seconds| Settings { trailing: Some(Duration::from_secs(seconds)), ..settings(15) };
    check(trailing(6 * 3600), (5, 50), scarce(1000.0), &[15, 300, 21_600]);
    // More often than today: then there is no need of readings of today.
    check(trailing(120), (5, 20), scarce(2000.0), &[15, 120, 120]);
    // More often than any pass, which is more than there is.
    check(trailing(1), (5, 20), scarce(20_000.0), &[15]);
    check(trailing(1), (5, 20), scarce(2000.0), &[15, 42, 42]);
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("is a moment")
}

const TIERS: SalesPlan = SalesPlan::Tiers {
    head: Duration::from_secs(15),
    today: Duration::from_secs(300),
    trailing: Duration::from_secs(3600),
};

#[test]
fn the_deepest_reading_that_is_due_is_made() {
    let now = at("2026-11-23T05:00:00Z");
    let ago = |seconds: i64| now - chrono::TimeDelta::seconds(seconds);
    #[track_caller]
    fn check(last_today: Option<Timestamp>, last_trailing: Option<Timestamp>, expected: Depth) {
        let now = at("2026-11-23T05:00:00Z");
        assert_eq!(next_depth(&TIERS, last_today, last_trailing, now), expected, "{last_today:?} {last_trailing:?}");
    }
    check(None, None, Depth::Trailing);
    check(Some(ago(10)), None, Depth::Trailing);
    check(Some(ago(10)), Some(ago(3599)), Depth::Trailing);
    check(Some(ago(10)), Some(ago(3500)), Depth::Head);
    check(Some(ago(300)), Some(ago(3500)), Depth::Today);
    // The window has today in it.
    check(None, Some(ago(290)), Depth::Head);
    check(Some(ago(3000)), Some(ago(290)), Depth::Head);
    check(None, Some(ago(301)), Depth::Today);
}

#[test]
fn a_clock_that_was_set_back_makes_everything_due() {
    let now = at("2026-11-23T05:00:00Z");
    let ahead = now + chrono::TimeDelta::days(400);
    let ago = now - chrono::TimeDelta::seconds(20);
    assert_eq!(next_depth(&TIERS, Some(ahead), Some(ahead), now), Depth::Trailing);
    assert_eq!(next_depth(&TIERS, Some(ago), Some(ahead), now), Depth::Trailing);
    assert_eq!(next_depth(&TIERS, Some(ahead), Some(ago), now), Depth::Today);
    assert_eq!(next_depth(&TIERS, Some(Timestamp::MAX_UTC), Some(Timestamp::MIN_UTC), now), Depth::Trailing);
}

#[test]
fn a_plan_for_the_whole_window_reads_it_each_time() {
    let now = at("2026-11-23T05:00:00Z");
    let plan = SalesPlan::Whole { every: Duration::from_secs(15) };
    assert_eq!(next_depth(&plan, Some(now), Some(now), now), Depth::Trailing);
}

#[test]
fn after_a_break_over_midnight_the_evening_is_not_forgotten() {
    let day = SalesPlan::Tiers {
        head: Duration::from_secs(15),
        today: Duration::from_secs(300),
        trailing: Duration::from_secs(24 * 3600),
    };
    // 23:50 in Bangkok, then 00:10, 02:59 and 03:00: from then on today's list no longer has the evening.
    let evening = Some(at("2026-11-23T16:50:00Z"));
    for (now, expected) in [
        ("2026-11-23T16:51:00Z", Depth::Head),
        ("2026-11-23T17:10:00Z", Depth::Today),
        ("2026-11-23T19:59:59Z", Depth::Today),
        ("2026-11-23T20:00:00Z", Depth::Trailing),
    ] {
        assert_eq!(next_depth(&day, evening, evening, at(now)), expected, "{now}");
    }
    // Without the break, three o'clock is a pass like any other.
    let before_three = Some(at("2026-11-23T19:59:50Z"));
    assert_eq!(next_depth(&day, before_three, evening, at("2026-11-23T20:00:05Z")), Depth::Head);
}

#[test]
fn until_three_in_the_morning_today_includes_yesterday() {
    let first = |text: &str| first_day(bangkok(at(text))).to_string();
    assert_eq!(first("2026-11-23T16:59:59Z"), "2026-11-23");
    assert_eq!(first("2026-11-23T17:00:00Z"), "2026-11-23");
    assert_eq!(first("2026-11-23T19:59:59Z"), "2026-11-23");
    assert_eq!(first("2026-11-23T20:00:00Z"), "2026-11-24");
}

/// Runs a plan for two days of passes that are on time, and counts its calls a second.
fn run(plan: SalesPlan, cost: Cost) -> f64 {
    let start = at("2026-11-23T05:00:00Z");
    let step = chrono::TimeDelta::from_std(plan.every()).expect("is no age of the world");
    let until = start + (step * 400).max(chrono::TimeDelta::from_std(plan.trailing() * 20).expect("likewise"));
    let (mut now, mut calls, mut last_today, mut last_trailing) = (start, 0.0, None, None);
    while now < until {
        calls += match next_depth(&plan, last_today, last_trailing, now) {
            Depth::Head => cost.head(),
            Depth::Today => {
                last_today = Some(now);
                cost.today()
            }
            Depth::Trailing => {
                last_trailing = Some(now);
                cost.whole()
            }
        };
        now += step;
    }
    // The first reading is none that the rhythm has asked for, and passes fall early by half a hundredth.
    (calls - cost.whole()) / (now - start).to_std().expect("time goes on").as_secs_f64() / 1.006
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_plan_takes_more_than_its_share(
        every in 5u64..4_000, today in 1u32..40, more in 0u32..200, calls in 1u32..100_000,
        trailing in prop::option::of(60u64..20_000), part in 0.0f64..=1.0,
    ) {
        let settings = Settings { trailing: trailing.map(Duration::from_secs), ..settings(every) };
        let cost = Cost { today, whole: today + more };
        let share = f64::from(calls) / HOUR;
        let (plan, spend) = planned(settings, cost, Room { idle: share * part, share });
        prop_assert!(spend <= share);
        prop_assert!(plan.every() >= settings.every);
        // Where tiers are so far apart that a day ends between two, the window is read instead of today.
        if plan.every() < Duration::from_secs(3600) && plan.trailing() < Duration::from_secs(20 * 3600) {
            prop_assert!(run(plan, cost) <= spend * (1.0 + 1e-6), "{plan:?} {} {spend}", run(plan, cost));
        }
        if let SalesPlan::Tiers { head, today, trailing } = plan {
            prop_assert!(head <= today && today <= trailing);
        }
    }

    #[test]
    fn more_room_makes_no_pass_rarer(
        every in 5u64..4_000, today in 1u32..40, more in 0u32..200, calls in 1u32..100_000, extra in 1u32..10_000,
    ) {
        let cost = Cost { today, whole: today + more };
        let less = plan(settings(every), cost, scarce(f64::from(calls)));
        for room in [scarce(f64::from(calls + extra)), idle(f64::from(calls + extra))] {
            prop_assert!(plan(settings(every), cost, room).every() <= less.every(), "{less:?}");
        }
    }
}
