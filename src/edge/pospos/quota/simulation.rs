//! The quota against a server that counts: random latencies, crashes, torn files, reboots and reloads on virtual time.
//!
//! The server here is brute force and knows nothing of places: it has the list of arrivals and looks at every window.
//! An arrival lies anywhere between a call's leaving and its end, and for a call that was cut off, anywhere until
//! [`STRAGGLER`] after that.

use std::time::Duration;

use proptest::prelude::*;

use super::{Monotonic, PlaceId, Places, QuotaLimit, STRAGGLER, Wait, ledger};

/// What happens before the next call.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Nothing,
    /// The file is replaced, as it is when it has grown.
    Replace,
    /// The process dies, and what was not synced is cut somewhere; it starts again that much later.
    Crash {
        pause: u64,
        cut: usize,
    },
    /// The machine dies too, and is up for that long when the next process starts.
    Reboot {
        pause: u64,
        cut: usize,
        uptime: u64,
    },
}

/// One call, in milliseconds and thousandths.
#[derive(Debug, Clone, Copy)]
struct Call {
    gap: u64,
    latency: u64,
    arrival: u64,
    answered: bool,
    before: Chance,
}

/// A call as the world sees it; all in milliseconds of true time.
struct Sent {
    id: PlaceId,
    end: u64,
    arrival: u64,
    /// Which configuration let it go.
    limits: usize,
    answered: bool,
}

struct World {
    /// True time.
    now: u64,
    /// True time of the boot, less what its clock showed then.
    boot: i64,
    boots: u32,
    places: Places,
    configurations: [Vec<QuotaLimit>; 2],
    limits: usize,
    disk: String,
    synced: usize,
    under_way: Vec<Sent>,
    done: Vec<Sent>,
}

impl World {
    fn new(configurations: [Vec<QuotaLimit>; 2]) -> Self {
        let places = Places::unknown_before(Monotonic::from_nanos(0));
        let (under_way, done) = (Vec::new(), Vec::new());
        let (disk, synced) = (String::new(), 0);
        let mut world =
            Self { now: 0, boot: 0, boots: 0, places, configurations, limits: 0, disk, synced, under_way, done };
        world.replace();
        world
    }

    fn stamp(&self, true_time: u64) -> Monotonic {
        Monotonic::from_nanos((i64::try_from(true_time).unwrap() - self.boot) * 1_000_000)
    }

    fn boot_id(&self) -> String {
        format!("boot-{}", self.boots)
    }

    fn limits(&self) -> &[QuotaLimit] {
        &self.configurations[self.limits]
    }

    fn replace(&mut self) {
        let now = self.stamp(self.now);
        self.places.prune(now, &self.configurations[self.limits]);
        self.disk = ledger::render(&self.places, &self.boot_id(), now);
        self.synced = self.disk.len();
    }

    /// Time goes on until `to`; calls that end meanwhile are written, not synced.
    fn advance(&mut self, to: u64) {
        self.now = to;
        let (mut ended, rest): (Vec<_>, Vec<_>) = self.under_way.drain(..).partition(|sent| sent.end <= to);
        self.under_way = rest;
        ended.sort_by_key(|sent| sent.end);
        for sent in ended {
            let end = self.stamp(sent.end);
            if sent.answered {
                self.places.end(sent.id, end);
                self.disk += &ledger::ended(sent.id, end);
            } else {
                self.places.end(sent.id, end.plus(STRAGGLER));
                self.disk += &ledger::lost(sent.id, end);
            }
            self.done.push(sent);
        }
    }

    fn call(&mut self, call: Call) {
        self.advance(self.now + call.gap);
        while let Wait::For(wait) = self.places.earliest(self.stamp(self.now), self.limits()) {
            self.advance(self.now + u64::try_from(wait.as_millis()).unwrap() + 1);
        }
        let leave = self.stamp(self.now);
        let id = self.places.reserve(leave);
        self.disk += &ledger::reserved(id, leave);
        self.synced = self.disk.len();
        let end = self.now + call.latency;
        let until = if call.answered { end } else { end + millis(STRAGGLER) };
        let arrival = self.now + (until - self.now) * call.arrival / 1000;
        let sent = Sent { id, end, arrival, limits: self.limits, answered: call.answered };
        self.under_way.push(sent);
    }

    /// The process dies and comes back `pause` later, perhaps with the other configuration.
    fn crash(&mut self, pause: u64, cut: usize, other_limits: bool) {
        for mut sent in self.under_way.drain(..) {
            sent.arrival = sent.arrival.min(self.now + millis(STRAGGLER));
            self.done.push(sent);
        }
        let unsynced = self.disk.len() - self.synced;
        self.disk.truncate(self.synced + cut % (unsynced + 1));
        self.now += pause;
        if other_limits {
            self.limits = 1;
        }
    }

    fn start(&mut self) {
        let now = self.stamp(self.now);
        (self.places, _) = ledger::recover(Some(self.disk.as_bytes()), &self.boot_id(), now);
        self.replace();
    }

    /// Every window with an arrival at its start, both ends included, against what let its last call go.
    fn server_is_content(&self) -> Result<(), TestCaseError> {
        let mut sent: Vec<_> = self.done.iter().chain(&self.under_way).collect();
        sent.sort_by_key(|sent| sent.arrival);
        for (start, first) in sent.iter().enumerate() {
            for limit in self.configurations.iter().flatten() {
                let window = millis(limit.window);
                let inside = || sent[start..].iter().take_while(|sent| sent.arrival <= first.arrival + window);
                // The configuration changes once, so the latest one let the last call of this window go.
                let in_force = inside().map(|sent| sent.limits).max().expect("the first is inside");
                if self.configurations[in_force].contains(limit) {
                    let count = inside().count();
                    prop_assert!(count <= limit.calls as usize, "{count} calls in {limit} at {} ms", first.arrival);
                }
            }
        }
        Ok(())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}

fn limits(text: &[&str]) -> Vec<QuotaLimit> {
    text.iter().map(|text| text.parse().unwrap()).collect()
}

fn chance() -> impl Strategy<Value = Chance> {
    let pause = prop_oneof![0u64..200, 0u64..20_000];
    prop_oneof![
        12 => Just(Chance::Nothing),
        1 => Just(Chance::Replace),
        2 => (pause.clone(), any::<usize>()).prop_map(|(pause, cut)| Chance::Crash { pause, cut }),
        1 => (pause, any::<usize>(), prop_oneof![0u64..5000, Just(100_000_000)])
            .prop_map(|(pause, cut, uptime)| Chance::Reboot { pause, cut, uptime }),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let gap = prop_oneof![3 => Just(0u64), 1 => 0u64..4000];
    let latency = prop_oneof![1 => Just(0u64), 2 => 0u64..5000];
    let arrival = prop_oneof![Just(0u64), Just(1000), 0u64..=1000];
    (gap, latency, arrival, prop::bool::weighted(0.9), chance())
        .prop_map(|(gap, latency, arrival, answered, before)| Call { gap, latency, arrival, answered, before })
}

fn configuration() -> impl Strategy<Value = Vec<QuotaLimit>> {
    prop_oneof![
        Just(limits(&["3/10s", "10/1m"])),
        Just(limits(&["1/10s"])),
        Just(limits(&["5/3s", "6/10s", "20/10m"])),
        Just(limits(&["12/30s"])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_of_the_server_ever_sees_too_many_calls(
        first in configuration(),
        second in configuration(),
        changed_at in 0usize..80,
        calls in prop::collection::vec(call(), 1..70),
    ) {
        let mut world = World::new([first, second]);
        for (index, call) in calls.into_iter().enumerate() {
            match call.before {
                Chance::Nothing => {}
                Chance::Replace => world.replace(),
                Chance::Crash { pause, cut } => {
                    world.crash(pause, cut, index >= changed_at);
                    world.start();
                }
                Chance::Reboot { pause, cut, uptime } => {
                    world.crash(pause, cut, index >= changed_at);
                    world.boots += 1;
                    world.boot = i64::try_from(world.now).unwrap() - i64::try_from(uptime).unwrap();
                    world.start();
                }
            }
            world.call(call);
        }
        world.server_is_content()?;
    }

    #[test]
    fn any_bytes_are_a_ledger_that_lets_nothing_go_too_early(bytes in any::<Vec<u8>>(), now in any::<u32>()) {
        let now = Monotonic::from_nanos(i64::from(now));
        let (places, _) = ledger::recover(Some(&bytes), "b", now);
        prop_assert_ne!(places.earliest(now, &limits(&["300/10s"])), Wait::Now);
    }
}

#[test]
fn a_full_quota_is_used_to_its_last_call() {
    // Safe is not enough: a governor that never lets go would pass every test above.
    let limits = limits(&["3/10s"]);
    let mut places = Places::unknown_before(Monotonic::from_nanos(0));
    let mut now = Monotonic::since_boot(Duration::from_secs(100));
    for _ in 0..10 {
        for left in (0..3).rev() {
            assert_eq!(places.earliest(now, &limits), Wait::Now);
            let id = places.reserve(now);
            places.end(id, now);
            assert_eq!(places.left(now, &limits[0]), left);
        }
        assert_eq!(places.earliest(now, &limits), Wait::For(Duration::from_nanos(10_010_000_001)));
        now = now.plus(Duration::from_nanos(10_010_000_001));
    }
}

#[test]
fn a_call_under_way_holds_its_place_however_long_it_takes() {
    let limits = limits(&["1/10s"]);
    let mut places = Places::unknown_before(Monotonic::from_nanos(0));
    let start = Monotonic::since_boot(Duration::from_secs(100));
    let id = places.reserve(start);
    for seconds in [0, 9, 11, 1000] {
        let now = start.plus(Duration::from_secs(seconds));
        assert_eq!(
            places.earliest(now, &limits),
            Wait::For(limits[0].hold() + Duration::from_nanos(1)),
            "it cannot end before {seconds}"
        );
    }
    let end = start.plus(Duration::from_secs(1000));
    places.end(id, end);
    assert_ne!(places.earliest(end.plus(limits[0].hold()), &limits), Wait::Now, "both ends of a window count");
    assert_eq!(places.earliest(end.plus(limits[0].hold()).shifted(1), &limits), Wait::Now);
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
