//! What stops posbell is told to a person: each cause with the built program, a chat and a webhook.

mod channel;
mod elsewhere;
mod shop;

use std::process::Output;

use posbell::domain::event::{Event, EventKind};
use serde_json::Value;

use crate::support::rig::{PATIENCE, Rig, RigPlan, Service};
use crate::support::telegram::{BotApi, Message};

/// Sales and the baseline to the webhook; no rule names a notice.
const WITHOUT_NOTICES: &str = r#"
[[rule]]
name = "sales"
on = ["sale.*", "stock.*", "shop.baseline"]
to = ["receiver"]

[[rule]]
name = "stock to the owner"
on = ["stock.out"]
to = ["owner"]
"#;

/// A chat on this server.
fn chat(name: &str, bot: &BotApi) -> String {
    format!(
        "\n[channel.{name}]\ntype = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = 1234567\napi_url = \"{}\"\n",
        bot.url()
    )
}

/// A shop with one chat for its owner; a list is stale after a second.
fn rig(bot: &BotApi) -> Rig {
    let shop = "stale_after = \"1s\"".to_owned();
    Rig::new(RigPlan { shop, config: chat("owner", bot), rules: WITHOUT_NOTICES.to_owned(), ..RigPlan::default() })
}

/// Starts the service and waits until it watches.
async fn watching(rig: &Rig) -> Service {
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    service
}

/// Waits until the chat has so many messages.
async fn messages(bot: &BotApi, count: usize) -> Vec<Message> {
    let told = async {
        while bot.messages().len() < count {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, told).await.is_err() {
        panic!("only {:?}", bot.messages());
    }
    bot.messages()
}

/// The events of this type so far, oldest first.
fn events(rig: &Rig, kind: &str) -> Vec<Value> {
    let output = rig.run(&["events", "--json", "--type", kind]);
    // Before the service has made its store there is nothing to ask.
    let lines = shown(&output);
    lines.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect()
}

/// Waits until there are so many events of this type.
async fn told(rig: &Rig, kind: &str, count: usize) -> Vec<Value> {
    let told = async {
        while events(rig, kind).len() < count {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(PATIENCE, told).await.is_err() {
        panic!("only {:?} of {kind}; {}", events(rig, kind), shown(&rig.run(&["status"])));
    }
    events(rig, kind)
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `posbell status --check`: its exit status and its lines.
fn check(rig: &Rig) -> (Option<i32>, String) {
    let output = rig.run(&["status", "--check"]);
    (output.status.code(), shown(&output))
}

/// Waits until `posbell status --check` ends with 0.
async fn well(rig: &Rig) {
    let well = async {
        while check(rig).0 != Some(0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, well).await.unwrap_or_else(|_| panic!("{:?}", check(rig)));
}

/// The status line of this address, asked without a token.
async fn asked(rig: &Rig, path: &str) -> String {
    super::held::asked_without_token(rig, "GET", path).await
}

/// Every event is one by the program's own reading.
fn parsed(event: &Value) -> Event {
    Event::from_json(&event.to_string()).expect("is an event")
}
