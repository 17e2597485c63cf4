//! A channel that takes nothing: told on the others, shown where it is the only one, and ended once.

use std::time::Duration;

use super::{asked, chat, check, events, messages, rig, told, watching, well};
use crate::support::rig::{PATIENCE, Rig, RigPlan};
use crate::support::telegram::{Answer, BotApi};

const SALES_TO: &str =
    "[[rule]]\nname = \"sales\"\non = [\"sale.created\", \"shop.baseline\"]\nto = [\"receiver\", TO]\ngroup = \"0s\"\n";

fn to(channel: &str) -> String {
    SALES_TO.replace("TO", &format!("\"{channel}\""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_channel_is_told_on_the_other_in_its_own_words() {
    let (dead, alive) = (BotApi::start().await, BotApi::start().await);
    dead.answer(Answer::Error(403, "Forbidden: bot was blocked by the user"));
    let config = chat("owner", &dead) + &chat("boss", &alive);
    let rig = Rig::new(RigPlan { config, rules: to("owner"), ..RigPlan::default() });
    let service = rig.start();
    let failing = told(&rig, "channel.failing", 1).await.remove(0);
    assert_eq!(failing["subject"], "channel/owner");
    assert_eq!(failing["data"]["details"]["cause"], "refused");
    let said = messages(&alive, 1).await.remove(0).text;
    assert!(said.contains("Messages to owner do not arrive"), "{said}");
    let (exit, lines) = check(&rig);
    assert!(exit == Some(1) && lines.contains("channel owner does not take messages"), "{lines}");
    // One of several: posbell can still do its work.
    assert!(asked(&rig, "/readyz").await.starts_with("HTTP/1.1 200"));

    // A restart tells nothing again.
    service.kill();
    let service = rig.start();
    dead.answer(Answer::Take);
    rig.sell_one();
    told(&rig, "channel.recovered", 1).await;
    messages(&alive, 2).await;
    well(&rig).await;
    assert_eq!(events(&rig, "channel.failing").len(), 1);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_only_channel_is_shown_to_whoever_asks() {
    let bot = BotApi::start().await;
    bot.answer(Answer::Error(403, "Forbidden: bot was blocked by the user"));
    let rig = Rig::new(RigPlan { config: chat("owner", &bot), rules: to("owner"), ..RigPlan::default() });
    let service = rig.start();
    told(&rig, "channel.failing", 1).await;
    let (exit, lines) = check(&rig);
    assert!(exit == Some(1) && lines.contains("no channel for people takes messages"), "{lines}");
    assert!(asked(&rig, "/readyz").await.starts_with("HTTP/1.1 503"));
    bot.answer(Answer::Take);
    rig.sell_one();
    told(&rig, "channel.recovered", 1).await;
    well(&rig).await;
    assert!(asked(&rig, "/readyz").await.starts_with("HTTP/1.1 200"));

    // Again so soon, it is a problem at once and told only if it lasts.
    bot.answer(Answer::Error(403, "Forbidden: bot was blocked by the user"));
    rig.sell_one();
    let shown = async {
        while check(&rig).0 == Some(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, shown).await.expect("it is a problem");
    assert!(asked(&rig, "/readyz").await.starts_with("HTTP/1.1 503"));
    bot.answer(Answer::Take);
    rig.sell_one();
    well(&rig).await;
    assert_eq!((events(&rig, "channel.failing").len(), events(&rig, "channel.recovered").len()), (1, 1));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_that_is_refused_is_no_failing_channel_and_three_are() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    rig.configure("retry_first = \"100ms\"", "retry_first = \"100ms\"\nretry_max = \"200ms\"");
    let service = watching(&rig).await;
    rig.receiver.answer(Some(422));
    rig.sell_one();
    // It is tried again and again.
    let tried = |times: u64| {
        let all = rig.lines(&["deliveries", "--state", "retrying", "--json"]);
        all.iter().any(|one| one["tried"].as_u64() >= Some(times))
    };
    while !tried(5) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(events(&rig, "channel.failing").len(), 0);
    (0..2).for_each(|_| drop(rig.sell_one()));
    let failing = told(&rig, "channel.failing", 1).await.remove(0);
    assert_eq!(failing["data"]["details"]["cause"], "rejects_messages");
    messages(&bot, 1).await;
    rig.receiver.answer(None);
    told(&rig, "channel.recovered", 1).await;
    drop(service);
}
