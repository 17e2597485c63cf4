//! Kills at the worst moments: nothing lost, nothing told under a second id.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use posbell::domain::event::{Event, EventKind};
use posbell::edge::pospos::quota::{BootClock as _, SystemBootClock};

use super::journal::make_changes;
use crate::support::rig::{PATIENCE, Rig, RigPlan, event, events, until};

/// A small seeded generator for the moments of the kills.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        Duration::from_millis(20 + self.below(700))
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// How many kills: a few with the other tests, as many as are wanted with `POSBELL_KILLS=1000`.
fn how_many_kills() -> usize {
    let asked = std::env::var("POSBELL_KILLS").ok();
    asked.map_or(40, |text| text.parse().expect("POSBELL_KILLS is a number"))
}

/// Changes for as long as the service is killed: half of the kills come while it starts, the others somewhere later.
#[tokio::test(flavor = "multi_thread")]
async fn through_kills_and_a_failing_receiver_every_change_is_told_under_one_id() {
    let wanted = how_many_kills();
    // Each call that a kill cuts off holds its place in the quota for a while.
    let quota = (4_000, Duration::from_secs(1));
    let rig = Rig::new(RigPlan { products: 60, sales: 30, seed: 5, quota, ..RigPlan::default() });
    let mut service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.fail_one_in(Some(3));
    let mut moments = Moments(42);
    let changes = make_changes(&rig, &rig.shop, 5, wanted);
    tokio::pin!(changes);
    let mut kills = 0;
    let mut business = true;
    while kills < wanted {
        let most = if kills % 2 == 0 { 120 } else { 400 };
        tokio::select! {
            () = &mut changes, if business => business = false,
            // A kill at a random moment is what is tested here: there is nothing to wait for.
            () = tokio::time::sleep(Duration::from_millis(moments.below(most))) => {
                service.kill();
                service = rig.start();
                kills += 1;
            }
        }
    }
    if business {
        changes.await;
    }
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    drop(service);
    let told: Vec<Event> =
        received.iter().flat_map(events).filter(|event| !event.kind.name().starts_with("shop.")).collect();
    let ids: BTreeSet<&str> = told.iter().map(|event| event.id.as_str()).collect();
    let changed = rig.shop.journal().expected().len();
    println!(
        "kills {kills}, changes {changed}, delivered {}, lost {}, repeated {}, distinct ids per change {}",
        ids.len(),
        changed.saturating_sub(ids.len()),
        told.len() - ids.len(),
        ids.len() as f64 / changed as f64
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_commit_and_the_delivery_loses_nothing() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.answer(Some(503));
    let sale = rig.sell_one();
    let committed = async {
        while rig.lines(&["deliveries", "--state", "retrying", "--json"]).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, committed).await.expect("the delivery is committed and tried");
    service.kill();

    let stored = rig.lines(&["events", "--json"]);
    let waiting = rig.lines(&["deliveries", "--state", "retrying", "--json"]);
    assert!(!waiting.is_empty(), "the delivery has survived the kill");
    rig.receiver.answer(None);
    let service = rig.start();
    let received = rig.all_told().await;
    let stored: BTreeSet<&str> = stored.iter().filter_map(|one| one["id"].as_str()).collect();
    for one in &received {
        assert!(stored.contains(one.id.as_str()), "{} was made anew", one.id);
    }
    assert!(received.iter().any(|one| event(one).subject.as_str().ends_with(sale.id.as_str())));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_stays_within_the_quota() {
    let rig = Rig::new(RigPlan { products: 450, ..RigPlan::default() });
    let mut moments = Moments(7);
    for _ in 0..15 {
        let service = rig.start();
        tokio::time::sleep(moments.next()).await;
        service.kill();
    }
    assert!(rig.shop.calls() > 20, "the loop has hardly called: {}", rig.shop.calls());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(rig.shop.quota_violations(), 0, "the key is lost");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_kills_in_a_minute_stay_within_the_quota_and_use_most_of_it() {
    const WINDOW: Duration = Duration::from_secs(4);
    const MINUTE: Duration = Duration::from_secs(60);
    // By pages, so that there is always more to read than the quota allows.
    let config = "stock_list = \"pages\"".to_owned();
    let rig = Rig::new(RigPlan { products: 4_500, quota: (20, WINDOW), shop: config, ..RigPlan::default() });
    let mut moments = Moments(11);
    let mut kills: Vec<Duration> = (0..60).map(|_| Duration::from_millis(moments.below(60_000))).collect();
    kills.sort();
    let mut service = rig.start();
    // The first window pays for the unknown past.
    tokio::time::sleep(WINDOW).await;
    let (begin, before) = (SystemBootClock.now(), rig.shop.calls());
    for moment in kills.into_iter().chain([MINUTE]) {
        // A kill at a random moment is what is tested here: there is nothing to wait for.
        tokio::time::sleep((begin + moment).saturating_sub(SystemBootClock.now())).await;
        service.kill();
        service = rig.start();
    }
    let (took, used) = (SystemBootClock.now() - begin, rig.shop.calls() - before);
    drop(service);
    assert_eq!(rig.shop.quota_violations(), 0, "the key is lost");
    assert!(rig.shop.most_calls_in(WINDOW) <= 20, "{} calls in one window", rig.shop.most_calls_in(WINDOW));
    let allowed = took.as_secs_f64() / WINDOW.as_secs_f64() * 20.0;
    println!("{used} of {allowed:.0} calls were made, {} in a window at most", rig.shop.most_calls_in(WINDOW));
    assert!(used as f64 >= 0.8 * allowed, "{used} of {allowed:.0} calls were made");
}

/// Something that becomes of a ledger's files between a kill and the next start: the ledger, its mark, and both as they
/// were earlier.
type Meddling = fn(ledger: &Path, mark: &Path, older: &[Vec<u8>; 2]);

/// What a person, a repair of the disk or a copy may do to the files.
const MEDDLED: &[(&str, Meddling)] = &[
    ("nothing", |_, _, _| {}),
    ("cut to its head", |ledger, _, _| keep_lines(ledger, |_| 8)),
    ("cut to its first line", |ledger, _, _| keep_lines(ledger, |_| 1)),
    ("half of its lines", |ledger, _, _| keep_lines(ledger, |lines| lines / 2)),
    ("half of its bytes", |ledger, _, _| {
        let bytes = std::fs::read(ledger).expect("reads");
        std::fs::write(ledger, &bytes[..bytes.len() / 2]).expect("writes");
    }),
    ("empty", |ledger, _, _| std::fs::write(ledger, "").expect("writes")),
    ("gone", |ledger, _, _| std::fs::remove_file(ledger).expect("is there")),
    ("cut to its head, and its mark gone", |ledger, mark, _| {
        keep_lines(ledger, |_| 8);
        std::fs::remove_file(mark).expect("is there");
    }),
    ("an older one", |ledger, _, older| std::fs::write(ledger, &older[0]).expect("writes")),
    ("an older one with its mark", |ledger, mark, older| {
        std::fs::write(ledger, &older[0]).expect("writes");
        std::fs::write(mark, &older[1]).expect("writes");
    }),
];

fn keep_lines(ledger: &Path, how_many: fn(usize) -> usize) {
    let text = std::fs::read_to_string(ledger).expect("reads");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    std::fs::write(ledger, lines[..how_many(lines.len()).min(lines.len())].concat()).expect("writes");
}

/// Kills the program when it has used its quota, has somebody meddle with its ledger, and lets it run for more than a
/// window. Returns the most calls in any window.
async fn meddled(what: &str, meddle: Meddling) -> usize {
    const WINDOW: Duration = Duration::from_secs(4);
    let config = "stock_list = \"pages\"".to_owned();
    let rig = Rig::new(RigPlan { products: 4_500, quota: (20, WINDOW), shop: config, ..RigPlan::default() });
    let quota = rig.path().join("posbell-data/quota");
    let file = |kind: &str| {
        let found = std::fs::read_dir(&quota).expect("is there").map(|entry| entry.expect("reads").path());
        found.into_iter().find(|path| path.extension().is_some_and(|found| found == kind)).expect("is there")
    };
    let service = rig.start();
    until("the first calls", || rig.shop.calls() >= 3).await;
    let older = ["ledger", "mark"].map(|kind| std::fs::read(file(kind)).expect("reads"));
    until("the quota is used", || rig.shop.calls() >= 18).await;
    // A copy is put back by a person, who takes longer than a look at the clock.
    tokio::time::sleep(Duration::from_secs(1)).await;
    service.kill();
    meddle(&file("ledger"), &file("mark"), &older);
    let before = rig.shop.calls();
    let service = rig.start();
    tokio::time::sleep(WINDOW + WINDOW / 2).await;
    service.kill();
    let most = rig.shop.most_calls_in(WINDOW);
    println!("{what}: {most} calls in 4 s at most, {} after the next start", rig.shop.calls() - before);
    assert_eq!((rig.shop.quota_violations(), most.max(20)), (0, 20), "{what}");
    most
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_from_the_ledger_between_kills_no_call_too_many_is_made() {
    let all = MEDDLED.iter().map(|(what, meddle)| meddled(what, *meddle));
    let mut waiting: Vec<_> = all.map(Box::pin).collect();
    while !waiting.is_empty() {
        // A few at once: each waits most of its time.
        let several: Vec<_> = waiting.drain(..waiting.len().min(5)).collect();
        let mut set = tokio::task::JoinSet::new();
        several.into_iter().for_each(|one| drop(set.spawn(one)));
        set.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_with_one_key_never_both_spend_its_quota() {
    let first = Rig::new(RigPlan::default());
    let mut second = Rig::new(RigPlan::default());
    second.use_key_of(&first);
    let service = first.start();
    first.told(EventKind::ShopBaseline).await;
    let refused = second.run(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("another posbell on this machine") && said.contains("stop it"), "{said}");
    assert!(!said.contains(&first.key), "a secret is in the error: {said}");
    assert_eq!(second.shop.calls(), 0);
    // A kill frees the key.
    service.kill();
    let service = second.start();
    second.told(EventKind::ShopBaseline).await;
    drop(service);
}
