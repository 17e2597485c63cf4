//! This machine's clock is wrong by days, or is set while the program runs: nothing is hidden, made up, given up or kept
//! from its receiver, and it is said.

use chrono::TimeDelta;
use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;
use serde_json::Value;

use crate::support::clock::WallClock;
use crate::support::rig::{Rig, RigPlan, event, until};

const A_DAY: i64 = 86_400;

/// Waits until each resource has failed so often because of the clock.
async fn said(rig: &Rig, words: &str, times: u64) {
    let why = format!("this machine's clock is {words} the shop's server: set it");
    for resource in Resource::ALL {
        until(&why, || {
            let failing = rig.resource(resource)["failing"].clone();
            failing["why"] == why.as_str() && failing["times"].as_u64() >= Some(times)
        })
        .await;
    }
    let shown = rig.run(&["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout);
    assert_eq!(shown.matches(&why).count(), Resource::ALL.len(), "{shown}");
}

fn listed(rig: &Rig, state: &str) -> Vec<Value> {
    rig.lines(&["deliveries", "--state", state, "--json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_shops_server_has_another_time_nothing_is_told_and_the_status_says_so() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    for (says, words) in [(TimeDelta::days(-3), "3 days ahead of"), (TimeDelta::days(40), "40 days behind")] {
        rig.passes(Resource::Transactions, 1).await;
        rig.shop.say_ahead(says);
        said(&rig, words, 1).await;
        let (told, kept) = (rig.receiver.received().len(), rig.lines(&["events", "--json"]).len());
        rig.sell_one();
        let failing = rig.resource(Resource::Transactions)["failing"]["times"].as_u64().expect("is failing");
        said(&rig, words, failing + 5).await;
        assert_eq!((rig.receiver.received().len(), rig.lines(&["events", "--json"]).len()), (told, kept));
        rig.shop.say_ahead(TimeDelta::zero());
        let received = rig.all_told().await;
        rig.assert_exact(&received);
    }
    let (ended, log) = service.stop();
    assert!(ended.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_off_by_a_clock_that_was_ahead_is_sent_when_it_is_set_right() {
    let (rig, clock) = (Rig::new(RigPlan::default()), WallClock::build());
    let _service = rig.start_with(|command| clock.hang(command));
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.answer(Some(503));
    rig.sell_one();
    until("it is tried in vain", || !listed(&rig, "retrying").is_empty()).await;
    // Farther than a message is tried, and than sales are read back.
    clock.ahead_by(30 * A_DAY);
    said(&rig, "30 days ahead of", 1).await;
    let now = posbell::service::clock::Clock::default();
    until("it is put off until next month", || {
        let due = listed(&rig, "retrying").first().and_then(|one| one["state"]["due_at"].as_str()?.parse().ok());
        due.is_some_and(|due: posbell::domain::model::Timestamp| due > now.now() + TimeDelta::days(29))
    })
    .await;
    rig.sell_one();
    said(&rig, "30 days ahead of", 3).await;
    assert!(listed(&rig, "dead").is_empty(), "nothing is given up by a clock that is wrong");
    rig.receiver.answer(None);
    clock.ahead_by(0);
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    assert!(listed(&rig, "dead").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_starts_in_1970_gives_nothing_up_and_tells_all_when_its_clock_is_set() {
    let (rig, clock) = (Rig::new(RigPlan::default()), WallClock::build());
    let service = rig.start_with(|command| clock.hang(command));
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.answer(Some(503));
    rig.sell_one();
    until("it is tried in vain", || !listed(&rig, "retrying").is_empty()).await;
    drop(service.stop());
    rig.sell_one();
    clock.ahead_by(-56 * 365 * A_DAY);
    let service = rig.start_with(|command| clock.hang(command));
    said(&rig, "56 years behind", 3).await;
    assert!(listed(&rig, "dead").is_empty());
    clock.ahead_by(0);
    until("the shop is read", || rig.resource(Resource::Transactions)["failing"].is_null()).await;
    until("nothing new is lost", || listed(&rig, "retrying").len() + listed(&rig, "pending").len() >= 2).await;
    rig.receiver.answer(None);
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let sales = received.iter().filter(|one| event(one).kind == EventKind::SaleCreated).count();
    assert_eq!(sales, 2, "each once");
    drop(service.stop());
}
