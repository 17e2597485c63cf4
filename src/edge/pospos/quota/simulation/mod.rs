//! The quota against a server that counts: days of calls, crashes, torn files, reboots, reloads, 429s and people who
//! give up, on virtual time.
//!
//! The desk and the ledger are the ones that run; clock, disk, network and processes are played here. No test states
//! when a call may go: each only asks the server whether a window was too full, and how much was used.

mod dice;
mod mishaps;
mod server;
mod world;

use std::time::Duration;

use proptest::prelude::*;

use super::ledger::{self, Mark};
use super::{Monotonic, Places, QuotaLimit, Share, Urgency, Wait};
use dice::Dice;
use mishaps::Mishaps;
use world::World;

const HOUR: u64 = 60 * 60 * 1000;
const DAY: u64 = 24 * HOUR;

fn limits(text: &[&str]) -> Vec<QuotaLimit> {
    text.iter().map(|text| text.parse().unwrap()).collect()
}

/// Plays one life of a shop and asks the server.
fn play(seed: u64, configurations: &[&[&str]], mishaps: Mishaps, until: u64) -> Result<usize, TestCaseError> {
    let configurations = configurations.iter().map(|text| limits(text)).collect();
    let mut world = World::new(Dice::new(seed), configurations, mishaps);
    world.play(until);
    let calls = world.calls();
    match world.server().too_full() {
        Some(window) => Err(TestCaseError::fail(format!("{window}, seed {seed}"))),
        None => Ok(calls),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_of_the_server_ever_sees_too_many_calls(seed in any::<u64>(), first in 0usize..5, second in 0usize..5) {
        const SHORT: [&[&str]; 5] =
            [&["3/10s", "10/1m"], &["1/10s"], &["5/3s", "6/10s", "20/10m"], &["12/30s"], &["60/20s", "100/1m"]];
        let often = Mishaps { every: 20_000, wish_every: 800, too_many_in: 200, ..Mishaps::default() };
        play(seed, &[SHORT[first], SHORT[second]], often.clone(), HOUR / 4)?;
        // Where somebody takes lines out of the ledger, or puts an older one in its place, nothing is called too early.
        play(seed, &[SHORT[first], SHORT[second]], Mishaps { meddled_in: 2, ..often }, HOUR / 4)?;
    }

    #[test]
    fn any_bytes_are_a_ledger_that_lets_nothing_go_too_early(bytes in any::<Vec<u8>>(), now in any::<u32>()) {
        let now = Monotonic::from_nanos(i64::from(now));
        let (places, _) = ledger::recover(Some(&bytes), Mark::Missing, "b", now);
        prop_assert_ne!(places.earliest(now, &limits(&["300/10s"]), Share::Whole), Wait::Now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn thirty_days_of_the_smallest_quota_never_break_it(seed in any::<u64>()) {
        let low: &[&[&str]] = &[&["100/1h", "10/10s"], &["100/1h"], &["60/1h", "10/10s"]];
        let mishaps = Mishaps { every: 2 * HOUR, wish_every: 40_000, too_many_in: 4000, ..Mishaps::default() };
        let calls = play(seed, low, mishaps, 30 * DAY)?;
        prop_assert!(calls > 20_000, "hardly anything was tried: {calls}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn minutes_of_the_fastest_quota_in_groups_never_break_it(seed in any::<u64>()) {
        let fast: &[&[&str]] = &[&["300/10s"], &["300/10s", "1000/1m"], &["80/10s"]];
        let mishaps = Mishaps { every: 15_000, wish_every: 35, too_many_in: 4000, ..Mishaps::default() };
        // One that reboots again and again waits most of its minutes, so what they have tried is counted together.
        let mut calls = 0;
        for more in 0..4 {
            calls += play(seed.wrapping_add(more), fast, mishaps.clone(), 3 * 60_000)?;
        }
        prop_assert!(calls > 4 * 300, "hardly anything was tried: {calls}");
    }
}

/// Plays without mishaps while these classes always wait, and gives the classes in the order in which they went.
fn saturated(text: &[&str], classes: &[Urgency], minutes: u64) -> Vec<Urgency> {
    let mut world = World::new(Dice::new(1), vec![limits(text)], Mishaps::none(classes));
    world.play(minutes * 60_000);
    assert_eq!(world.server().too_full(), None);
    let gone = world.server().gone();
    let most = limits(text).into_iter().map(|limit| {
        // What the unknown past takes is not to be had.
        let rest = Duration::from_secs(minutes * 60).saturating_sub(limit.window);
        rest.as_secs_f64() / limit.window.as_secs_f64() * f64::from(limit.calls)
    });
    let most = most.fold(f64::MAX, f64::min);
    let used = gone.len() as f64 / most;
    assert!(used >= 0.8, "{text:?} for {classes:?}: {used}");
    gone
}

#[test]
fn with_work_waiting_four_fifths_of_the_allowance_are_used_and_no_class_starves() {
    for text in [&["300/10s"][..], &["20/4s"], &["3/10s"], &["300/10s", "1000/1m"], &["100/1h", "10/10s"]] {
        let minutes = if text.contains(&"100/1h") { 24 * 60 } else { 2 };
        let gone = saturated(text, &Urgency::ALL, minutes);
        for class in Urgency::ALL {
            let longest = gone.split(|&one| one == class).map(<[_]>::len).max();
            assert!(longest <= Some(10), "{class:?} waits for {longest:?} others under {text:?}");
        }
        let sales = gone.iter().filter(|&&one| one == Urgency::Sales).count();
        assert!(sales * 2 > gone.len(), "sales go first: {sales} of {}", gone.len());
        saturated(text, &[Urgency::Sweep], minutes);
    }
}

#[test]
fn after_a_429_the_pace_is_halved_and_comes_back() {
    let mut world = World::new(Dice::new(1), vec![limits(&["300/10s"])], Mishaps::none(&[Urgency::Sales]));
    let minute = |world: &mut World| {
        let before = world.calls();
        world.play(60_000);
        world.calls() - before
    };
    minute(&mut world);
    let full = minute(&mut world);
    world.too_many(0);
    minute(&mut world);
    let half = minute(&mut world);
    assert!((full * 9 / 20..=full * 11 / 20).contains(&half), "{half} is not half of {full}");
    for _ in 0..9 {
        minute(&mut world);
    }
    assert!(minute(&mut world) * 20 >= full * 19);
}

#[test]
fn a_full_quota_is_used_to_its_last_call() {
    // Safe is not enough: a governor that never lets go would pass every test of safety.
    let limits = limits(&["3/10s"]);
    let mut places = Places::unknown_before(Monotonic::from_nanos(0));
    let mut now = Monotonic::since_boot(Duration::from_secs(100));
    for _ in 0..10 {
        for left in (0..3).rev() {
            assert_eq!(places.earliest(now, &limits, Share::Whole), Wait::Now);
            let id = let_go(&mut places, now);
            places.end(id, now);
            assert_eq!(places.left(now, &limits[0]), left);
        }
        let wait = Wait::For(Duration::from_nanos(10_010_000_001));
        assert_eq!(places.earliest(now, &limits, Share::Whole), wait);
        now = now.plus(Duration::from_nanos(10_010_000_001));
    }
}

fn let_go(places: &mut Places, now: Monotonic) -> super::PlaceId {
    let ids = places.number(1);
    places.add_spare(ids, now);
    places.take(now).unwrap()
}

#[test]
fn a_call_under_way_holds_its_place_however_long_it_takes() {
    let limits = limits(&["1/10s"]);
    let mut places = Places::unknown_before(Monotonic::from_nanos(0));
    let start = Monotonic::since_boot(Duration::from_secs(100));
    let id = let_go(&mut places, start);
    for seconds in [0, 9, 11, 1000] {
        let now = start.plus(Duration::from_secs(seconds));
        let wait = Wait::For(limits[0].hold() + Duration::from_nanos(1));
        assert_eq!(places.earliest(now, &limits, Share::Whole), wait, "it cannot end before {seconds}");
    }
    let end = start.plus(Duration::from_secs(1000));
    places.end(id, end);
    let last = end.plus(limits[0].hold());
    assert_ne!(places.earliest(last, &limits, Share::Whole), Wait::Now, "both ends of a window count");
    assert_eq!(places.earliest(last.shifted(1), &limits, Share::Whole), Wait::Now);
}

#[test]
fn an_hour_of_calls_is_remembered_in_few_entries() {
    let limits = limits(&["300/10s"]);
    let mut places = Places::unknown_before(Monotonic::from_nanos(0));
    for tenth in 0..72_000 {
        places.add_ended(Monotonic::since_boot(Duration::from_millis(tenth * 100)), 1);
    }
    let now = Monotonic::since_boot(Duration::from_secs(7200));
    places.prune(now, &limits);
    assert!(places.ended.len() < 500, "{}", places.ended.len());
    assert!((36_000..36_200).contains(&places.ended.values().sum::<u32>()));
    let left = places.left(now, &"40000/1h".parse().unwrap());
    assert!((3_850..=4_000).contains(&left), "{left}: never too many, and hardly too few");
    let left = places.left(now, &"100000/90m".parse().unwrap());
    assert!(left <= 14_000, "{left}: of what was forgotten, half the allowance is assumed");
}
