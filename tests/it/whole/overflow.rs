//! More is to be sent to a channel than may wait for it: what is more is kept, people are told once, and nothing is lost.

use std::time::Duration;

use posbell::domain::event::EventKind;
use serde_json::Value;

use super::full_disk::owner;
use super::held::asked_without_token;
use crate::support::rig::{PATIENCE, Rig, RigPlan, event};
use crate::support::telegram::BotApi;

const SALES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.created\", \"shop.baseline\"]\nto = [\"receiver\"]\n";

/// Waits until so many deliveries are waiting and dead.
async fn until(rig: &Rig, waiting: u64, dead: u64) -> Value {
    let counted = async {
        loop {
            let status = rig.lines(&["status", "--json"]).remove(0);
            let channel =
                status["channels"].as_array().expect("is a list").iter().find(|one| one["name"] == "receiver");
            let channel = channel.expect("is configured").clone();
            if (channel["waiting"].as_u64(), status["dead"].as_u64()) == (Some(waiting), Some(dead)) {
                return channel;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.unwrap_or_else(|_| panic!("never {waiting} waiting and {dead} dead"))
}

async fn messages(bot: &BotApi, count: usize) {
    let told = async {
        while bot.messages().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("the owner is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_more_than_may_wait_is_kept_told_once_and_sent_when_a_person_says_so() {
    let bot = BotApi::start().await;
    let config = format!("{}\n[store]\nmax_waiting = 5\n", owner(&bot));
    let rig = Rig::new(RigPlan { config, rules: SALES.to_owned(), ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    until(&rig, 0, 0).await;
    rig.receiver.answer(Some(503));
    (0..12).for_each(|_| drop(rig.sell_one()));
    let channel = until(&rig, 5, 7).await;
    assert_eq!(channel["overflow"]["refused"], 7);
    messages(&bot, 1).await;
    let said = &bot.messages()[0].text;
    assert!(said.contains("receiver") && said.contains("posbell retry --dead --channel receiver"), "{said}");

    // Neither what comes then nor a restart tells it again.
    (0..3).for_each(|_| drop(rig.sell_one()));
    until(&rig, 5, 10).await;
    assert_eq!(rig.log().matches("5 messages wait for receiver").count(), 1, "{}", rig.log());
    service.kill();
    let service = rig.start();
    rig.sell_one();
    until(&rig, 5, 11).await;
    // Time for two looks.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        (bot.messages().len(), rig.log().matches("messages wait for receiver").count()),
        (1, 0),
        "{}",
        rig.log()
    );
    assert_eq!(asked_without_token(&rig, "GET", "/readyz").await, "HTTP/1.1 503 Service Unavailable");
    let shown = String::from_utf8(rig.run(&["status"]).stdout).expect("is text");
    assert!(shown.contains("11 have become dead letters at once since"), "{shown}");
    let dead = rig.lines(&["deliveries", "--state", "dead", "--json"]);
    assert!(dead.iter().all(|one| one["refused"]["kind"] == "too_many_wait" && one["tried"] == 0), "{dead:?}");
    let one = rig.run(&["deliveries", "show", dead[0]["id"].as_str().expect("has one")]);
    let one = String::from_utf8(one.stdout).expect("is text");
    assert!(one.contains("not tried: 5 messages wait for this channel already"), "{one}");

    // The receiver is back: what waits is sent by itself, and the rest when somebody says so.
    rig.receiver.answer(None);
    assert!(until(&rig, 0, 11).await["overflow"].is_null());
    messages(&bot, 2).await;
    assert!(bot.messages()[1].text.contains("Messages to receiver arrive again"), "{:?}", bot.messages());
    let retried = rig.run(&["retry", "--dead", "--channel", "receiver"]);
    assert!(String::from_utf8_lossy(&retried.stdout).contains("Retried 11 messages"), "{retried:?}");
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let mut ids: Vec<&str> = received.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 17, "each under its one id: the baseline and 16 sales");
    assert!(received.iter().all(|one| event(one).id.as_str() == one.id));
    until(&rig, 0, 0).await;

    // The next time is another one.
    rig.receiver.answer(Some(503));
    (0..6).for_each(|_| drop(rig.sell_one()));
    until(&rig, 5, 1).await;
    messages(&bot, 3).await;
    let (ended, log) = service.stop();
    assert!(ended.success() && log.contains("fewer messages wait for receiver again"), "{log}");
}
