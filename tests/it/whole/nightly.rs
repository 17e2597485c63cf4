//! The copies that posbell makes of itself: when, how many, through kills and without room, and the way back to one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use posbell::domain::event::{Epoch, EventKind, Scribe};
use posbell::domain::model::{Resource, ShopId, Timestamp};
use posbell::edge::store::{Commit, Store, read_backup};
use posbell::service::clock::Clock;
use serde_json::Value;

use super::copies::{assert_ids, done, refused, run, sell_during};
use super::full_disk::{fill_up_to, on_a_small_disk};
use crate::support::admin;
use crate::support::clock::WallClock;
use crate::support::rig::{PATIENCE, Rig, RigPlan, Service};

/// Long enough to count as settled.
const AN_HOUR: TimeDelta = TimeDelta::minutes(61);

/// A rig that tells nothing to anybody: what is signed at another time would be taken for forged.
fn silent() -> Rig {
    Rig::new(RigPlan { products: 5, sales: 2, rules: String::new(), ..RigPlan::default() })
}

fn copies_in(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("copies")).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn data(rig: &Rig) -> PathBuf {
    rig.path().join("posbell-data")
}

fn start(rig: &Rig, clock: &WallClock) -> Service {
    rig.start_with(|command| clock.hang(command))
}

async fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = found() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited too long: {what}"))
}

/// Waits until the service runs and the store has an event, without which no copy is made.
async fn has_begun(rig: &Rig) {
    until("the baseline is told", || {
        let running = rig.run(&["status", "--json"]);
        let running = String::from_utf8_lossy(&running.stdout).contains("\"running\":true");
        (running && !rig.lines(&["events", "--json"]).is_empty()).then_some(())
    })
    .await;
}

fn status(rig: &Rig) -> Value {
    rig.lines(&["status", "--json"]).remove(0)["copies"].clone()
}

/// Waits until the newest copy is of this moment or later, and the older ones have gone.
async fn made_since(rig: &Rig, moment: Timestamp) -> Vec<String> {
    until("a copy", || {
        let made_at: Timestamp = serde_json::from_value(status(rig)["newest"]["made_at"].clone()).ok()?;
        let names = copies_in(&data(rig));
        (made_at >= moment && names.len() <= 2).then_some(names)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_made_each_night_and_the_newest_two_are_kept() {
    let (rig, clock) = (silent(), WallClock::build());
    // At noon in Bangkok of some day to come.
    let noon = (Clock::default().now() + TimeDelta::days(1)).date_naive().and_hms_opt(5, 0, 0).unwrap().and_utc();
    let night = noon + TimeDelta::hours(14);
    clock.set(noon);
    // By another clock than the shop's nothing would be read.
    rig.shop.say_ahead(noon - Clock::default().now());
    let service = start(&rig, &clock);
    has_begun(&rig).await;
    assert_eq!(status(&rig), serde_json::json!({"newest": null, "failing": null}));
    let shown = done(&rig.run(&["status"]));
    assert!(shown.contains("There is no copy of all this yet"), "{shown}");
    let mut before = Vec::new();
    for (moment, count) in [
        (noon + AN_HOUR, 1),
        (night + TimeDelta::minutes(1), 2),
        (night + TimeDelta::days(1), 2),
        // Off for a while: by day, because the newest has become too old.
        (night + TimeDelta::days(2) + TimeDelta::hours(5), 2),
    ] {
        clock.set(moment);
        let names = made_since(&rig, moment).await;
        assert_eq!(names.len(), count, "{names:?}");
        assert!(names[0] > *before.first().unwrap_or(&String::new()) || count < 3, "{names:?} after {before:?}");
        assert_eq!(names.first(), before.last().or(names.first()), "the one before is kept");
        for name in &names {
            let contents = read_backup(&data(&rig).join("copies").join(name)).expect("reads back");
            assert_eq!(contents.created_at.format("posbell-%Y%m%dT%H%M%SZ.backup").to_string(), *name);
        }
        before = names;
    }
    let shown = done(&rig.run(&["status"]));
    assert!(shown.contains("The newest copy of all this is of 2"), "{shown}");
    let (ended, log) = service.stop();
    assert!(ended.success() && log.contains("made a copy of"), "{log}");
    // What there is says so without the service, too.
    assert!(status(&rig)["newest"]["bytes"].as_u64() > Some(1_000));
}

/// A store that takes a while to be copied.
async fn fill_store(rig: &Rig) {
    let epoch = Epoch::from_random([7; 16]);
    let store = Store::open_or_create(&data(rig), epoch.clone()).expect("opens");
    let seen = Clock::default().now();
    let scribe = Scribe::new(ShopId::new("main").expect("is an id"), "Test shop", epoch, seen);
    for from in (0..40_000).step_by(200) {
        let events = (from..from + 200).map(|n| (seen, scribe.key_rejected(n, 401))).collect();
        store.commit(Commit { events, ..Commit::default() }).await.expect("commits");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_in_the_middle_leaves_the_older_ones() {
    let (rig, clock) = (silent(), WallClock::build());
    fill_store(&rig).await;
    std::fs::create_dir(data(&rig).join("copies")).expect("is made");
    for name in ["posbell-20200101T000000Z.backup", "posbell-20200102T000000Z.backup"] {
        let path = data(&rig).join("copies").join(name);
        done(&rig.run(&["backup", path.to_str().expect("is text")]));
    }
    let older = copies_in(&data(&rig));
    let is_part = |name: &String| name.contains(".part-");
    for round in 0..4 {
        clock.ahead_by(0);
        let service = start(&rig, &clock);
        has_begun(&rig).await;
        clock.ahead_by(3_700);
        until("a copy is begun", || copies_in(&data(&rig)).iter().any(is_part).then_some(())).await;
        // From its first bytes on.
        tokio::time::sleep(Duration::from_millis(round * 40)).await;
        service.kill();
        let (parts, whole): (Vec<String>, Vec<String>) = copies_in(&data(&rig)).into_iter().partition(is_part);
        assert_eq!((parts.len(), &whole), (1, &older), "round {round}");
        for name in &whole {
            read_backup(&data(&rig).join("copies").join(name)).expect("reads back");
        }
    }
    clock.ahead_by(0);
    let service = start(&rig, &clock);
    has_begun(&rig).await;
    clock.ahead_by(3_700);
    let names = made_since(&rig, Clock::default().now()).await;
    assert_eq!((names.len(), &names[0]), (2, &older[1]), "what was left over is gone, and the oldest: {names:?}");
    drop(service.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_no_copy_is_begun_and_that_is_said_once() {
    let (rig, clock) = (silent(), WallClock::build());
    std::fs::create_dir_all(data(&rig)).expect("is made");
    let service = rig.start_with(|command| {
        clock.hang(command);
        on_a_small_disk(command, &data(&rig), "80m");
    });
    let log = || rig.log();
    let address = admin::address(&rig).await;
    let inside = PathBuf::from(format!("/proc/{}/root", service.pid()));
    let inside = inside.join(data(&rig).strip_prefix("/").expect("is absolute"));
    let token = until("the token", || std::fs::read_to_string(inside.join("admin-token")).ok()).await;
    let ask = async |path: &str| {
        let answer = admin::answer_at(&address, &format!("GET {path}"), Some(&token), "").await;
        serde_json::from_str::<Value>(&admin::read(&answer).1).expect("is JSON")
    };
    let asked = async |want: &dyn Fn(&Value) -> bool| {
        let waiting = async {
            loop {
                let copies = ask("/api/v1/status").await["copies"].clone();
                if want(&copies) {
                    return copies;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the status says so")
    };
    let has_events = async {
        while ask("/api/v1/events").await["data"].as_array().is_none_or(Vec::is_empty) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, has_events).await.expect("the baseline is told");
    // Enough to go on, and not enough for a copy besides.
    fill_up_to(&inside.join("filler"), 20_000_000);
    clock.ahead_by(3_700);
    let copies = asked(&|copies| !copies["failing"].is_null()).await;
    let why = copies["failing"]["why"].as_str().expect("is text");
    assert!(why.contains("MB must be free") && copies["newest"].is_null(), "{copies}");
    clock.ahead_by(2 * 3_700);
    asked(&|copies| copies["failing"]["times"].as_u64() >= Some(2)).await;
    assert_eq!(log().matches("no copy of the data could be made").count(), 1, "{}", log());
    assert_eq!(copies_in(&inside), Vec::<String>::new());
    std::fs::remove_file(inside.join("filler")).expect("is there");
    clock.ahead_by(3 * 3_700);
    asked(&|copies| copies["failing"].is_null() && !copies["newest"].is_null()).await;
    assert_eq!(copies_in(&inside).len(), 1);
    let (ended, log) = service.stop();
    assert!(ended.success() && log.contains("the first that could be made since"), "{log}");
}

/// The middle of the store's log becomes zeros, or all of it goes.
fn damage(rig: &Rig, how: &str) {
    let log = data(rig).join("store/db");
    let mut bytes = std::fs::read(&log).expect("reads");
    match how {
        "emptied" => bytes.clear(),
        _ => {
            let used = bytes.iter().rposition(|byte| *byte != 0).expect("has bytes");
            bytes[used / 4..used].fill(0);
        }
    }
    std::fs::write(&log, bytes).expect("writes");
}

/// Restores the newest whole copy beside a newer one that is damaged too, which is named and left alone.
async fn restore_the_last(rig: &Rig, copy: &Path) {
    let newer = copy.with_file_name("posbell-20990101T000000Z.backup");
    let mut bytes = std::fs::read(copy).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newer, &bytes).expect("writes");
    std::fs::rename(copy, copy.with_file_name("posbell-20980101T000000Z.backup")).expect("moves");
    let dry = run(rig, &["restore", "--last", "--dry-run"]).await;
    let noted = String::from_utf8_lossy(&dry.stderr).into_owned();
    assert!(noted.contains("posbell-20990101T000000Z.backup: it is damaged"), "{noted}");
    let dry = done(&dry);
    assert!(dry.contains("Nothing was changed") && dry.contains("under the id that they had"), "{dry}");
    refused(&run(rig, &["status"]).await);
    let said = done(&run(rig, &["restore", "--last"]).await);
    for part in ["is forgotten", "store.before-restore.", "(0)", "posbell knows what it knew at"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    assert_eq!(copies_in(&data(rig)).len(), 2, "a restore leaves the copies alone");
    std::fs::remove_file(newer).expect("is there");
    std::fs::rename(copy.with_file_name("posbell-20980101T000000Z.backup"), copy).expect("moves back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_says_the_way_out_and_the_newest_whole_copy_is_restored() {
    let rules = "[[rule]]\nname = \"all\"\non = [\"sale.*\", \"stock.*\", \"shop.*\"]\nto = [\"receiver\"]\n";
    let rig = Rig::new(RigPlan { products: 60, sales: 30, seed: 5, rules: rules.to_owned(), ..RigPlan::default() });
    let clock = WallClock::build();
    let said = refused(&rig.run(&["restore", "--last"]));
    assert!(said.contains("there is no whole copy in") && said.contains("posbell restore FILE"), "{said}");
    let service = start(&rig, &clock);
    rig.told(EventKind::ShopBaseline).await;
    sell_during(&rig, tokio::time::sleep(Duration::from_secs(1))).await;
    rig.all_told().await;
    // Nothing happens while the clock is wrong: what is sent then is signed at another time.
    rig.passes(Resource::Stock, 2).await;
    until("all is sent", || {
        let waiting = ["pending", "retrying"].map(|state| rig.lines(&["deliveries", "--state", state, "--json"]));
        waiting.concat().is_empty().then_some(())
    })
    .await;
    clock.ahead_by(3_700);
    until("a copy", || (!status(&rig)["newest"].is_null()).then_some(())).await;
    clock.ahead_by(0);
    // What a pass of the wrong time still found would be due in an hour.
    rig.passes(Resource::Transactions, 2).await;
    rig.passes(Resource::Stock, 2).await;
    sell_during(&rig, tokio::time::sleep(Duration::from_secs(1))).await;
    rig.all_told().await;
    drop(service.stop());
    let copy = data(&rig).join("copies").join(&copies_in(&data(&rig))[0]);
    let lost = rig.lines(&["export", "events"]);

    for how in ["emptied", "zeroed"] {
        damage(&rig, how);
        for command in [&["run"][..], &["status"], &["events"], &["retry", "--dead"]] {
            let said = refused(&run(&rig, command).await);
            assert!(said.contains("the store is damaged") && said.contains("posbell restore --last"), "{how}: {said}");
            assert!(said.contains("puts the copy of 2"), "{how}: {said}");
        }
        restore_the_last(&rig, &copy).await;
        let in_copy = rig.lines(&["export", "events"]);
        assert_eq!(in_copy, lost[..in_copy.len()], "the copy is the log up to a moment");
        assert!(in_copy.len() > 5 && in_copy.len() < lost.len(), "{} of {}", in_copy.len(), lost.len());
        let service = rig.start();
        sell_during(&rig, tokio::time::sleep(Duration::from_secs(1))).await;
        let received = rig.all_told().await;
        assert_ids(&received, &in_copy);
        drop(service.stop());
        let sold = rig.shop.journal().expected();
        let sold = sold.iter().filter(|one| one.kind == EventKind::SaleCreated).count();
        assert_eq!(rig.lines(&["export", "events", "--type", "sale.created"]).len(), sold, "{how}: every sale once");
        assert_eq!((rig.shop.quota_violations(), rig.receiver.forged()), (0, 0), "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_without_a_copy_says_what_is_left_to_do() {
    let rig = silent();
    let service = rig.start();
    has_begun(&rig).await;
    drop(service.stop());
    damage(&rig, "emptied");
    let said = refused(&run(&rig, &["run"]).await);
    for part in ["the store is damaged", "posbell restore FILE", "posbell-data/store aside", "new baseline"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}
