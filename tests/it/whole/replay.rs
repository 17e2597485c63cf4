//! Past events sent again: which they are, that each comes once under its own id, and that neither a second word nor an
//! interruption doubles any.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use posbell::api::{ActLine, ReplayDone, ReplayQuery};
use posbell::config::Config;
use posbell::domain::event::{Epoch, Event, EventKind, Scribe};
use posbell::domain::model::{ChannelName, Sale, ShopId, Timestamp};
use posbell::domain::outbox::{Act, Address, Delivery, Outcome, RetryPolicy};
use posbell::edge::store::{Commit, DeliveryFilter, Store};
use posbell::service::app::App;
use posbell::service::clock::Clock;
use posbell::service::replay;
use tokio::sync::mpsc;

use crate::support::rig::{PATIENCE, Rig, RigPlan};

const SALES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.*\", \"shop.*\"]\nto = [\"receiver\"]\n";

fn rig() -> Rig {
    Rig::new(RigPlan { rules: SALES.to_owned(), ..RigPlan::default() })
}

/// How often each id has come.
fn times(rig: &Rig) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for one in rig.receiver.received() {
        *times.entry(one.id).or_default() += 1;
    }
    times
}

fn replayed(rig: &Rig, args: &[&str]) -> serde_json::Value {
    let args: Vec<&str> = ["replay", "--json"].iter().chain(args).copied().collect();
    rig.lines(&args).remove(0)
}

#[track_caller]
fn said(rig: &Rig, args: &[&str]) -> String {
    let output = rig.run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until nothing waits any more.
async fn settled(rig: &Rig) {
    let settled = async {
        let waits = || rig.lines(&["status", "--json"])[0]["channels"][0]["waiting"] != 0;
        while waits() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("all is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_past_event_comes_once_more_under_its_own_id_and_a_dry_run_sends_nothing() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    for _ in 0..3 {
        rig.sell_one();
    }
    let first = rig.all_told().await;
    settled(&rig).await;
    assert_eq!(times(&rig).into_values().collect::<Vec<_>>(), [1; 4]);

    let dry = said(&rig, &["replay", "--since", "1h", "--dry-run"]);
    for part in ["4 messages would be sent again", "sale.created   3", "shop.baseline  1", "Nothing was changed."] {
        assert!(dry.contains(part), "no {part} in {dry}");
    }
    assert!(rig.lines(&["deliveries", "--state", "retrying", "--json"]).is_empty());
    let kinds = said(&rig, &["replay", "--since", "1h", "--type", "sale.*"]);
    assert!(kinds.contains("3 messages made due again"), "{kinds}");
    rig.until(|all| all.len() >= 7).await;
    settled(&rig).await;
    let sales: Vec<usize> = times(&rig).into_values().collect();
    assert_eq!(sales.iter().sum::<usize>(), 7, "the dry run has sent nothing: {sales:?}");
    for one in rig.receiver.received() {
        assert!(first.iter().any(|before| (&before.id, &before.body) == (&one.id, &one.body)), "other bytes: {one:?}");
    }
    for (args, part) in [
        (&["--since", "1h", "--until", "59m"][..], "Nothing is to be sent again"),
        (&["--since", "1h", "--failed"], "Nothing is to be sent again"),
        (&["--since", "1h", "--type", "stock.*"], "Nothing is to be sent again"),
    ] {
        let args: Vec<&str> = ["replay"].iter().chain(args).copied().collect();
        assert!(said(&rig, &args).contains(part), "{args:?}");
    }
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    // Without the service they are made due, and wait for it.
    let alone = said(&rig, &["replay", "--since", "1h", "--channel", "receiver"]);
    assert!(alone.contains("4 messages made due again") && alone.contains("sent when it runs"), "{alone}");
    let service = rig.start();
    settled(&rig).await;
    assert_eq!(times(&rig).into_values().sum::<usize>(), 11);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_words_is_said_before_anything_is_sent() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    settled(&rig).await;
    let check = || {
        for (args, part) in [
            (&["--since", "yesterday"][..], "write `2h`, `7d` or"),
            (&["--since", "1h", "--until", "2h"], "there is no time between"),
            (&["--since", "1h", "--type", "sale.creatd"], "there are no `sale.creatd` events; write a type such as"),
            (&["--since", "1h", "--channel", "erp"], "there is no channel `erp`; there is: receiver"),
        ] {
            let args: Vec<&str> = ["replay"].iter().chain(args).copied().collect();
            let output = rig.run(&args);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
            assert!(text.contains(part), "no {part} in {text}");
        }
    };
    check();
    assert_eq!(rig.run(&["replay"]).status.code(), Some(2));
    drop(service.stop());
    check();
}

#[tokio::test(flavor = "multi_thread")]
async fn said_twice_at_once_it_doubles_nothing_that_waits() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    for _ in 0..20 {
        rig.sell_one();
    }
    rig.all_told().await;
    settled(&rig).await;
    rig.receiver.answer(Some(503));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // One that comes while another is under way may be refused: it has queued nothing then.
            scope.spawn(|| rig.run(&["replay", "--since", "1h"]));
        }
    });
    let twice = replayed(&rig, &["--since", "1h"]);
    assert_eq!((&twice["messages"], &twice["waiting"]), (&0.into(), &21.into()), "{twice}");
    rig.receiver.answer(None);
    rig.until(|all| all.len() >= 42).await;
    settled(&rig).await;
    assert!(times(&rig).into_values().all(|times| times == 2), "{:?}", times(&rig));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_alone_can_be_meant_and_what_was_dropped_comes_after_all() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.answer(Some(410));
    let (dead, dropped) = (rig.sell_one(), rig.sell_one());
    let both = async {
        loop {
            let found = rig.lines(&["deliveries", "--state", "dead", "--json"]);
            if found.len() == 2 {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, both).await.unwrap();
    said(&rig, &["drop", found[1]["id"].as_str().unwrap()]);
    rig.receiver.answer(None);
    let done = replayed(&rig, &["--since", "1h", "--failed"]);
    assert_eq!((&done["messages"], &done["counts"][0]["type"]), (&2.into(), &"sale.created".into()), "{done}");
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    settled(&rig).await;
    for sale in [dead, dropped] {
        assert_eq!(received.iter().filter(|one| one.body.contains(sale.id.as_str())).count(), 1);
    }
    assert_eq!(replayed(&rig, &["--since", "1h", "--failed"])["messages"], 0);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_channel_gets_its_past_where_it_is_named() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one();
    rig.all_told().await;
    drop(service.stop());
    rig.configure("[channel.receiver]", "[channel.erp]");
    let rules = SALES.replace("receiver", "erp").replace("sale.*", "sale.created");
    std::fs::write(rig.path().join("rules/rules.toml"), rules).unwrap();
    let service = rig.start();
    let unnamed = replayed(&rig, &["--since", "1h"]);
    assert_eq!((&unnamed["messages"], &unnamed["orphaned"]), (&0.into(), &2.into()), "{unnamed}");
    for again in [0, 1] {
        let named = replayed(&rig, &["--since", "1h", "--channel", "erp", "--type", "sale.*"]);
        assert_eq!(named["messages"], 1, "{again}: {named}");
        rig.until(|all| all.len() >= 3 + again).await;
        settled(&rig).await;
    }
    assert_eq!(times(&rig).into_values().collect::<std::collections::BTreeSet<_>>(), [1, 3].into());
    drop(service);
}

fn channel() -> ChannelName {
    ChannelName::new("receiver").unwrap()
}

/// A store with so many sales of an hour ago, all of them delivered.
async fn history(rig: &Rig, count: u64) -> (Store, Vec<Event>) {
    let then = Clock::default().now() - chrono::TimeDelta::minutes(50);
    let epoch = Epoch::from_random([7; 16]);
    let shop = ShopId::new("main").unwrap();
    let scribe = Scribe::new(shop.clone(), "Test shop", epoch.clone(), then);
    let sale = |n: u64| {
        let text = format!(
            r#"{{"id":"{n:024x}","code":"TR{n}","receipt":null,"status":"success","sold_at":null,"cancelled_at":null,
                "subtotal":10,"discount":0,"total":10,"currency":"THB","comment":null,"staff":null,"member":null,
                "payments":[],"lines":[]}}"#
        );
        scribe.sale_created(&serde_json::from_str::<Sale>(&text).unwrap())
    };
    let events: Vec<Event> = (0..count).map(sale).collect();
    let store = Store::open_or_create(&rig.path().join("posbell-data"), epoch).unwrap();
    for some in events.chunks(100) {
        let delivery = |event: &Event| {
            let address = Address { channel: channel(), recipient: None };
            let new = Delivery::new(address, shop.clone(), "sales".to_owned(), vec![event.id.clone()], then);
            new.settle(&Outcome::Delivered, then, Duration::ZERO, 0.0, &RetryPolicy::default())
        };
        let deliveries = some.iter().map(delivery).collect();
        let events = some.iter().map(|event| (then, event.clone())).collect();
        store.commit(Commit { events, deliveries, ..Commit::default() }).await.unwrap();
    }
    (store, events)
}

async fn all(store: &Store) -> Vec<Delivery> {
    store.deliveries(DeliveryFilter { limit: 1_000_000, ..DeliveryFilter::default() }).await.unwrap()
}

/// The receiver takes all of these.
async fn deliver(store: &Store, waiting: &[Delivery], now: Timestamp) {
    for some in waiting.chunks(100) {
        let taken = |one: &Delivery| {
            let after = one.clone().settle(&Outcome::Delivered, now, Duration::ZERO, 0.0, &RetryPolicy::default());
            (one.clone(), after)
        };
        store.commit(Commit { settled: some.iter().map(taken).collect(), ..Commit::default() }).await.unwrap();
    }
}

/// Replays what is an hour old, and goes away after so many lines.
async fn replay_until(config: &Arc<Config>, store: &Store, now: Timestamp, lines: usize) -> Option<ReplayDone> {
    let query = ReplayQuery { since: "1h".to_owned(), ..ReplayQuery::default() };
    let plan = replay::plan(config, &query, now).unwrap();
    // Of one line, so that no more is done than is listened to.
    let (sender, mut heard) = mpsc::channel(1);
    let app = App::without_loops(Arc::clone(config), store.clone(), Clock::default());
    let work = async {
        let sender = sender;
        replay::run(&app, plan, &sender).await;
    };
    let listening = async move {
        let mut done = None;
        for _ in 0..lines {
            match heard.recv().await {
                Some(ActLine::Done(last)) => done = Some(last),
                Some(_) => {}
                None => break,
            }
        }
        done
    };
    tokio::join!(work, listening).1
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_replay_goes_on_and_doubles_nothing_that_was_delivered_meanwhile() {
    let rig = rig();
    let (store, _) = history(&rig, 1_000).await;
    let config = Arc::new(Config::load(&rig.config(), &|_| None).unwrap());
    let now = Clock::default().now();
    assert_eq!(replay_until(&config, &store, now, 3).await, None);
    let first: Vec<Delivery> = all(&store).await.into_iter().filter(|one| one.again.is_some()).collect();
    assert!((100..900).contains(&first.len()), "{} were queued", first.len());
    // What was queued is delivered before the same is said again: nothing in it tells that it was replayed already.
    deliver(&store, &first, now).await;
    let done = replay_until(&config, &store, now + chrono::TimeDelta::minutes(5), 1_000).await.unwrap();
    let resumed = done.resumed.unwrap();
    assert_eq!((resumed.messages, done.messages + resumed.messages), (first.len() as u64, 1_000));
    let tried = |one: &Delivery| first.iter().any(|first| first.id == one.id);
    for one in all(&store).await {
        assert_eq!(one.state.name(), if tried(&one) { "delivered" } else { "retrying" });
    }
    // It has ended: said again now, it is another one. What waits is left alone.
    let done = replay_until(&config, &store, now, 1_000).await.unwrap();
    assert_eq!((done.resumed, done.messages, done.waiting), (None, first.len() as u64, 1_000 - first.len() as u64));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_learn_that_a_replay_has_ended_can_say_it_again() {
    let rig = rig();
    let (store, _) = history(&rig, 250).await;
    let config = Arc::new(Config::load(&rig.config(), &|_| None).unwrap());
    let now = Clock::default().now();
    // A line for each hundred, and gone before the last one.
    assert_eq!(replay_until(&config, &store, now, 3).await, None);
    let waiting = all(&store).await;
    assert!(waiting.iter().all(|one| one.state.due_at().is_some()));
    deliver(&store, &waiting, now).await;
    let done = replay_until(&config, &store, now, 1_000).await.unwrap();
    assert_eq!((done.messages, done.resumed.map(|before| before.messages)), (0, Some(250)));
    let done = replay_until(&config, &store, now, 1_000).await.unwrap();
    assert_eq!((done.messages, done.resumed), (250, None), "now it is another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_retry_or_a_replay_loses_and_doubles_nothing() {
    const COUNT: u64 = 2_000;
    // What is on its way at the kill is sent again: at least once.
    const UNDER_WAY: usize = 4;
    let rig = rig();
    rig.configure("transactions = \"100ms\"", "transactions = \"1h\"");
    let (store, events) = history(&rig, COUNT).await;
    let now = Clock::default().now();
    for some in all(&store).await.chunks(100) {
        let acts = some.iter().map(|one| (one.id.clone(), Act::Replay, now)).collect();
        store.commit(Commit { acts, ..Commit::default() }).await.unwrap();
    }
    for some in all(&store).await.chunks(100) {
        let settled = some.iter().map(|one| (one.clone(), one.clone().give_up(now))).collect();
        store.commit(Commit { settled, ..Commit::default() }).await.unwrap();
    }
    drop(store);
    for (round, args) in [&["retry", "--dead"][..], &["replay", "--since", "1h"]].into_iter().enumerate() {
        let service = rig.start();
        let mut command = rig.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
        assert!(line.contains("messages so far"), "{line}");
        service.kill();
        let was_done = child.wait().unwrap().success();
        let service = rig.start();
        settled(&rig).await;
        // As a person would: who was told that it is done does not say it again.
        if !was_done {
            said(&rig, args);
        }
        settled(&rig).await;
        drop(service.stop());
        let times = times(&rig);
        let sales: Vec<usize> = events.iter().map(|event| times.get(event.id.as_str()).copied().unwrap_or(0)).collect();
        assert!(sales.iter().all(|times| *times > round), "{args:?}: lost");
        let doubled = sales.iter().sum::<usize>() - (round + 1) * events.len();
        assert!(doubled <= (round + 1) * UNDER_WAY, "{args:?}: {doubled} were doubled");
    }
}
