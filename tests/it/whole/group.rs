//! What a rule sends people within a while is one message, through the built program and through kills.

use std::collections::BTreeMap;
use std::time::Duration;

use posbell::domain::model::{EntityId, Quantity};
use serde_json::Value;

use crate::support::rig::{PATIENCE, Rig, RigPlan};
use crate::support::telegram::BotApi;

fn rules(name: &str, group: &str) -> String {
    format!(
        "[[rule]]\nname = \"{name}\"\non = [\"stock.changed\"]\nto = [\"owner\"]\n{group}\n\
         [[rule]]\nname = \"baseline\"\non = [\"shop.baseline\"]\nto = [\"receiver\"]\n"
    )
}

/// A shop whose chat hears of stock that moves.
fn rig(bot: &BotApi, group: &str) -> Rig {
    let config = format!(
        "\n[channel.owner]\ntype = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = -100777\n\
         api_url = \"{}\"\n",
        bot.url()
    );
    let rules = rules("moved", group);
    Rig::new(RigPlan { products: 60, config, rules, ..RigPlan::default() })
}

/// Gives so many products another quantity, and waits until that is in the log.
async fn move_stock(rig: &Rig, products: &[EntityId], quantity: i64) {
    for product in products {
        rig.shop.set_quantity(product, Quantity::from(quantity)).expect("is another quantity");
    }
    for product in products {
        let subject = format!("product/{product}");
        let logged = async {
            while !rig
                .lines(&["events", "--json", "--type", "stock.changed", "--subject", &subject])
                .iter()
                .any(|event| event["data"]["product"]["quantity"].as_f64() == Some(quantity as f64))
            {}
        };
        tokio::time::timeout(PATIENCE, logged).await.unwrap_or_else(|_| panic!("{subject} is not in the log"));
    }
}

/// Waits until the chat has so many messages.
async fn messages(bot: &BotApi, count: usize) -> Vec<String> {
    let come = async {
        loop {
            let texts: Vec<String> = bot.messages().into_iter().map(|message| message.text).collect();
            if texts.len() >= count {
                return texts;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(2 * PATIENCE, come).await.unwrap_or_else(|_| panic!("{count} messages: {:#?}", bot.messages()))
}

/// How often each event stands in a delivery.
fn planned(rig: &Rig) -> BTreeMap<String, usize> {
    let mut planned = BTreeMap::new();
    for delivery in rig.lines(&["deliveries", "--json", "--channel", "owner", "--limit", "100000"]) {
        for event in delivery["events"].as_array().expect("is a list") {
            *planned.entry(event.as_str().expect("is an id").to_owned()).or_default() += 1;
        }
    }
    planned
}

fn events(rig: &Rig) -> Vec<String> {
    let lines = rig.lines(&["events", "--json", "--type", "stock.changed", "--limit", "100000"]);
    lines.iter().map(|event: &Value| event["id"].as_str().expect("has an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restock_of_40_products_over_three_passes_is_two_messages() {
    let bot = BotApi::start().await;
    // As it is without a word about it.
    let rig = rig(&bot, "");
    let _service = rig.start();
    rig.told(posbell::domain::event::EventKind::ShopBaseline).await;
    let products = rig.shop.products();
    for part in [&products[..10], &products[10..25], &products[25..40]] {
        move_stock(&rig, part, 5_000).await;
    }
    let texts = messages(&bot, 2).await;
    for text in &texts {
        println!("---\n{text}");
    }
    assert_eq!(texts.len(), 2, "{texts:#?}");
    let counts = planned(&rig);
    assert_eq!((counts.len(), counts.values().max()), (40, Some(&1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_end_of_a_group_is_sent_once_through_kills() {
    let bot = BotApi::start().await;
    let rig = rig(&bot, "group = \"2s\"");
    let mut service = rig.start();
    rig.told(posbell::domain::event::EventKind::ShopBaseline).await;
    let products = rig.shop.products();
    for (round, some) in products.chunks(4).take(12).enumerate() {
        move_stock(&rig, some, 5_000).await;
        // Now before its end, now at it, now behind it.
        tokio::time::sleep(Duration::from_millis(190 * (round as u64 % 12))).await;
        service.kill();
        service = rig.start();
    }
    let all = events(&rig);
    let done = async {
        while planned(&rig).len() < all.len() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("everything is planned");
    let counts = planned(&rig);
    println!("12 kills, {} events, {} messages", all.len(), bot.messages().len());
    assert!(all.iter().all(|event| counts.get(event) == Some(&1)), "{counts:#?}");
    assert_eq!(counts.len(), all.len());
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gathers_is_shown_not_replayed_and_sent_when_its_rule_is_gone() {
    let bot = BotApi::start().await;
    let rig = rig(&bot, "group = \"1h\"");
    let service = rig.start();
    rig.told(posbell::domain::event::EventKind::ShopBaseline).await;
    let products = rig.shop.products();
    move_stock(&rig, &products[..1], 5_000).await;
    messages(&bot, 1).await;
    move_stock(&rig, &products[1..3], 5_000).await;
    let grouped = || {
        let status = rig.lines(&["status", "--json"]);
        let channels = status[0]["channels"].as_array().expect("is a list").clone();
        channels.iter().find(|one| one["name"] == "owner").map(|one| one["grouped"].clone())
    };
    assert_eq!(grouped(), Some(Value::from(2)));
    let replayed = rig.lines(&["replay", "--since", "1h", "--channel", "owner", "--json"]);
    assert_eq!(replayed[0]["messages"], 1, "{replayed:?}");
    messages(&bot, 2).await;
    assert_eq!(planned(&rig).len(), 1, "what gathers is in no message yet");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert_eq!(grouped(), Some(Value::from(2)), "also while the service does not run");

    std::fs::write(rig.path().join("rules/rules.toml"), rules("renamed", "group = \"1h\"")).expect("writes");
    let _service = rig.start();
    messages(&bot, 3).await;
    let counts = planned(&rig);
    assert_eq!((counts.len(), counts.values().max()), (3, Some(&1)));
    assert_eq!(grouped(), Some(Value::from(0)));
}
