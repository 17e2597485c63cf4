//! A busy day of a shop with the rules that posbell ships: each thing that happens is told, and the phone rings no more
//! than it must.

use std::time::Duration;

use posbell::demo::shop::{Fault, Line};
use posbell::domain::model::{EntityId, Quantity, Resource};
use serde_json::Value;

use crate::support::rig::{PATIENCE, Rig, RigPlan, Service, monotonic};
use crate::support::telegram::{BotApi, Message};

/// The most messages of such a day.
const MESSAGES_MOST: usize = 40;

/// How soon a person hears that something is out.
const IN_TIME: Duration = Duration::from_secs(60);

/// Between two shortages, so that each is in a pass of its own. Twenty in a minute are what a group may get.
const BETWEEN: Duration = Duration::from_millis(3_100);

struct Day {
    rig: Rig,
    bot: BotApi,
    _service: Service,
}

impl Day {
    async fn begin() -> Day {
        let bot = BotApi::start().await;
        bot.be_strict();
        let config = format!(
            "\n[channel.owner]\ntype = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = -100777\n\
             api_url = \"{}\"\n",
            bot.url()
        );
        let rules = include_str!("../../../rules/default.toml").to_owned();
        let shop = "stale_after = \"5s\"".to_owned();
        let rig = Rig::new(RigPlan { products: 300, sales: 30, shop, config, rules, ..RigPlan::default() });
        let service = rig.start();
        let day = Day { rig, bot, _service: service };
        day.message("Now watching the shop").await;
        day
    }

    /// Waits until a message says so.
    async fn message(&self, says: &str) -> Message {
        let said = async {
            loop {
                if let Some(message) = self.bot.messages().into_iter().find(|message| message.text.contains(says)) {
                    return message;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let told = tokio::time::timeout(PATIENCE, said).await;
        told.unwrap_or_else(|_| panic!("no message says {says}: {:#?}", self.texts()))
    }

    /// Waits until the log has an event of this type and subject, and gives its data.
    async fn event(&self, kind: &str, subject: &str) -> Value {
        let found = async {
            loop {
                let found = self.rig.lines(&["events", "--json", "--type", kind, "--subject", subject]);
                if let Some(event) = found.into_iter().next() {
                    return event["data"].clone();
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no {kind} of {subject}"))
    }

    fn texts(&self) -> Vec<String> {
        self.bot.messages().into_iter().map(|message| message.text).collect()
    }

    /// Waits until every event of these types is in a message that was taken.
    async fn all_told(&self, kinds: &[&str]) {
        let told = async {
            loop {
                let deliveries = self.rig.lines(&["deliveries", "--json", "--state", "delivered", "--limit", "100000"]);
                let told: Vec<&str> = deliveries
                    .iter()
                    .flat_map(|one| one["events"].as_array().expect("is a list"))
                    .map(|event| event.as_str().expect("is an id"))
                    .collect();
                let of_kind = |kind: &&str| self.rig.lines(&["events", "--json", "--type", kind, "--limit", "100000"]);
                let events: Vec<Value> = kinds.iter().flat_map(of_kind).collect();
                assert!(events.len() >= kinds.len());
                if events.iter().all(|event| told.contains(&event["id"].as_str().expect("has an id"))) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("everything is told");
    }

    /// Lets a product run short, and waits until that is an event. What is out is named by a message at once; what runs low
    /// may wait for others.
    async fn shortage(&self, product: &EntityId, left: i64) {
        let began = monotonic();
        self.rig.shop.set_quantity(product, Quantity::from(left)).expect("is another quantity");
        let kind = if left == 0 { "stock.out" } else { "stock.low" };
        let data = self.event(kind, &format!("product/{product}")).await;
        let code = data["product"]["code"].as_str().expect("has a code").to_owned();
        if left == 0 {
            self.message(&code).await;
        }
        let took = monotonic() - began;
        assert!(took < IN_TIME, "{kind} of {code} was told after {took:?}");
        tokio::time::sleep(BETWEEN.saturating_sub(took)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_day_tells_everything_in_at_most_40_messages() {
    let day = Day::begin().await;
    let shop = &day.rig.shop;
    let full = |least: i64| {
        let all = shop.products().into_iter();
        let full = all.filter(move |id| shop.quantity(id).is_some_and(|left| left >= Quantity::from(least)));
        full.collect::<Vec<_>>()
    };
    let goods = full(20);
    let (short, rest) = goods.split_at(30);
    let dear: Vec<Line> = rest[2..10].iter().map(|id| Line { product: id.clone(), quantity: 6.into() }).collect();
    let mut sold = Vec::new();
    for (number, product) in short.iter().enumerate() {
        // 209 sales in all: seven between every two shortages but one.
        for _ in 0..if number == 29 { 4 } else { 7 } {
            day.rig.sell_one();
        }
        day.shortage(product, if number < 8 { 0 } else { 1 }).await;
        if number % 15 == 0 {
            sold.push(shop.sell(&dear).expect("is sold").id);
        }
    }
    for sale in &sold {
        let created = day.event("sale.created", &format!("sale/{sale}")).await;
        assert!(created["sale"]["total"].as_f64() >= Some(500.0), "{created}");
        shop.cancel(sale, "keyed in twice").expect("is not cancelled");
        let cancelled = day.event("sale.cancelled", &format!("sale/{sale}")).await;
        assert!(cancelled["sale"]["receipt"].is_string(), "{cancelled}");
    }
    let line = Line { product: rest[1].clone(), quantity: 1.into() };
    let credits: Vec<_> = (0..5).map(|_| shop.lend(std::slice::from_ref(&line)).expect("is lent").id).collect();
    for credit in &credits {
        day.event("credit.created", &format!("credit/{credit}")).await;
    }
    credits.iter().for_each(|credit| drop(shop.let_fall_due(credit).expect("is in its period")));
    for credit in &credits {
        day.event("credit.overdue", &format!("credit/{credit}")).await;
    }
    day.message("Credit overdue").await;

    for product in short.iter().chain(rest.iter().take(20)) {
        shop.restock(product, 50.into()).expect("is restocked");
    }
    day.rig.passes(Resource::Stock, 2).await;
    Resource::ALL.into_iter().for_each(|resource| shop.fail_next(resource, Fault::Status(503), 1_000_000));
    day.message("The shop cannot be read").await;
    shop.fail_no_more();
    day.message("The shop is read again").await;
    day.all_told(&["stock.low", "stock.out", "sale.cancelled", "credit.overdue"]).await;

    let texts = day.texts();
    for text in &texts {
        println!("---\n{text}");
    }
    println!("--- {} messages", texts.len());
    assert!(texts.len() <= MESSAGES_MOST, "{} messages", texts.len());
    assert_eq!(day.bot.refused(), Vec::<String>::new(), "Telegram had to say 429");
    assert!(!texts.iter().any(|text| text.contains("Restocked")), "a restock rang");
}
