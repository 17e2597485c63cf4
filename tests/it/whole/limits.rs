//! A chat that asks for a pause, a chat with rates, and what failed and is tried at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posbell::domain::event::EventKind;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::channel::receiver::Receiver;
use crate::support::clock::WallClock;
use crate::support::rig::{Rig, RigPlan, monotonic, until};
use crate::support::telegram::{Answer, BotApi};

const SALES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.created\"]\nto = [\"owner\"]\ngroup = \"0s\"\n\
    [[rule]]\nname = \"baseline\"\non = [\"shop.baseline\"]\nto = [\"receiver\"]\n";

/// A shop whose sales are told in one group.
fn rig(bot: &BotApi) -> Rig {
    let config = format!(
        "\n[channel.owner]\ntype = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = -1001\n\
         api_url = \"{}\"\n",
        bot.url()
    );
    Rig::new(RigPlan { config, rules: SALES.to_owned(), ..RigPlan::default() })
}

fn owner(rig: &Rig) -> Value {
    let status = rig.lines(&["status", "--json"]).remove(0);
    let channels = status["channels"].as_array().cloned().unwrap_or_default();
    channels.into_iter().find(|channel| channel["name"] == "owner").expect("is configured")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_asks_for_a_pause_gets_nothing_until_it_is_over_and_then_all_of_it_once() {
    let bot = BotApi::start().await;
    bot.refuse(4, 6);
    let rig = rig(&bot);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("owner", 9).await;
    until("the wish", || !bot.refused().is_empty()).await;
    let status = owner(&rig);
    assert!(status["paused_until"].is_string() && status["next_try"].is_string(), "{status}");
    let shown = String::from_utf8(rig.run(&["status"]).stdout).expect("is text");
    assert!(shown.contains("NEXT TRY") && shown.contains("as the receiver asked"), "{shown}");
    until("nine messages", || bot.messages().len() == 9).await;

    let (refused, texts) = (bot.refused(), bot.messages().iter().map(|one| one.text.clone()).collect::<Vec<_>>());
    assert_eq!((refused.len(), bot.early(), bot.calls()), (1, 0, 10));
    assert_eq!(texts[3], refused[0], "it keeps its place");
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), 9);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_asks_for_a_pause_gets_one_probe_after_it_and_then_the_rest() {
    const WISH: Duration = Duration::from_secs(3);
    let calls: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let kept = Arc::clone(&calls);
    let erp = Receiver::start(move |mut stream| {
        let mut calls = kept.lock().expect("no test panics with the lock");
        calls.push(monotonic());
        let answer = match calls.len() {
            1 => format!("HTTP/1.1 429 \r\nretry-after: {}\r\ncontent-length: 0\r\n\r\n", WISH.as_secs()),
            _ => "HTTP/1.1 204 \r\n\r\n".to_owned(),
        };
        async move { drop(stream.write_all(answer.as_bytes()).await) }
    })
    .await;
    let config = format!(
        "\n[channel.erp]\ntype = \"webhook\"\nurl = \"http://{}/\"\nallow_networks = [\"127.0.0.0/8\"]\n",
        erp.address()
    );
    let rules = SALES.replace("\"owner\"", "\"erp\"");
    let rig = Rig::new(RigPlan { config, rules, ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    for _ in 0..8 {
        rig.sell_one();
    }
    until("every sale", || erp.requests().len() == 9).await;

    let calls = calls.lock().expect("no test panics with the lock").clone();
    // Those that were under way when it asked.
    let before = calls.iter().filter(|at| **at < calls[0] + WISH).count();
    assert!(before <= 4, "{calls:?}");
    let ids: Vec<String> =
        erp.requests().iter().map(|one| one.header("webhook-id").expect("has an id").to_owned()).collect();
    assert_eq!(ids[before], ids[0], "what met the wish goes first");
    assert_eq!(ids[1..].iter().collect::<BTreeSet<_>>().len(), 8);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_takes_twenty_a_minute_is_never_asked_for_more() {
    let bot = BotApi::start().await;
    bot.be_strict();
    let rig = rig(&bot);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("owner", 22).await;
    until("all messages", || bot.messages().len() == 22).await;
    assert_eq!((bot.refused(), bot.calls()), (Vec::new(), 22));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_chat_is_tried_at_once_and_the_status_says_what_waits_and_why() {
    let bot = BotApi::start().await;
    bot.answer(Answer::Error(400, "Bad Request: chat not found"));
    let rig = rig(&bot);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("owner", 1).await;
    until("a refusal", || owner(&rig)["failing"].is_object()).await;
    let status = owner(&rig);
    assert_eq!(status["failing"]["why"], "the recipient was refused: Bad Request: chat not found");
    assert_eq!((&status["waiting"], status["next_try"].is_string()), (&1.into(), true));
    let waiting = rig.lines(&["deliveries", "--state", "retrying", "--json"]).remove(0);
    assert_eq!(waiting["attempts"][0]["said"], "Bad Request: chat not found");
    let shown = rig.run(&["deliveries", "show", waiting["id"].as_str().expect("has an id")]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("chat not found"));
    service.stop();

    bot.answer(Answer::Take);
    rig.configure("chat_id = -1001", "chat_id = -1002");
    let service = rig.start();
    until("the message", || bot.messages().len() == 1).await;
    assert_eq!(bot.messages()[0].chat_id, -1002);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_tried_when_a_person_says_so_and_at_a_start_once_in_a_quarter_of_an_hour() {
    let bot = BotApi::start().await;
    bot.answer(Answer::Error(403, "Forbidden: bot was kicked from the group chat"));
    let (rig, clock) = (rig(&bot), WallClock::build());
    let tried = || {
        let failed = rig.lines(&["deliveries", "--state", "retrying", "--json"]);
        failed.first().and_then(|failed| failed["tried"].as_u64()).unwrap_or_default()
    };
    let service = rig.start_with(|command| clock.hang(command));
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("owner", 1).await;
    until("a refusal", || tried() == 1).await;
    let retry = || String::from_utf8_lossy(&rig.run(&["retry", "--channel", "owner"]).stdout).into_owned();
    assert!(retry().contains("Retried 1 message"));
    until("another refusal", || tried() == 2).await;

    // A start soon after another one leaves it alone: what is new comes first.
    bot.answer(Answer::Take);
    service.stop();
    let service = rig.start_with(|command| clock.hang(command));
    rig.sell_one_by_one("owner", 1).await;
    until("what is new", || bot.messages().len() == 1).await;
    assert_eq!(tried(), 2);
    service.stop();
    clock.ahead_by(16 * 60);
    let service = rig.start_with(|command| clock.hang(command));
    until("what failed", || bot.messages().len() == 2).await;
    assert_eq!(tried(), 0);
    service.stop();
    // Where no service runs there is something to retry too, or not.
    assert!(retry().contains("Nothing waits for owner because an attempt failed."));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_channels_of_one_bot_and_chat_share_its_rate_and_its_pause() {
    let bot = BotApi::start().await;
    bot.be_strict();
    bot.refuse(2, 2);
    let rig = rig(&bot);
    let config = std::fs::read_to_string(rig.config()).expect("reads");
    let (_, owner) = config.split_once("[channel.owner]").expect("has the channel");
    rig.configure("[channel.owner]", &format!("[channel.manager]{owner}\n[channel.owner]"));
    std::fs::write(rig.path().join("rules/rules.toml"), SALES.replace("[\"owner\"]", "[\"owner\", \"manager\"]"))
        .expect("writes");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("owner", 3).await;
    until("all messages", || bot.messages().len() == 6).await;
    assert_eq!((bot.refused().len(), bot.early(), bot.calls()), (1, 0, 7));
    drop(service);
}
