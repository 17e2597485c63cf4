//! After an outage of hours: one message for what stands in stock now, and every sale on its own.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use posbell::demo::receiver::{Received, Receiver};
use posbell::demo::verifier;
use posbell::domain::event::{DeliveryId, Epoch, Event, Level, Scribe, ThresholdView};
use posbell::domain::model::{ChannelName, Product, Sale, ShopId};
use posbell::domain::outbox::{Address, Delivery};
use posbell::edge::store::{Commit, Store};
use posbell::service::clock::Clock;

use crate::support::rig::{PATIENCE, Rig, RigPlan, SECRET};

const PRODUCTS: u64 = 5;
const ROUNDS: u64 = 6;

/// Every product through all levels again and again, with a sale in between.
fn backlog(scribe: &Scribe) -> Vec<Event> {
    let mut events = Vec::new();
    for round in 0..ROUNDS {
        for number in 0..PRODUCTS {
            let text = format!(
                r#"{{"id":"{number:024x}","code":null,"name":"Rice {number}","barcode":null,"category":null,"unit":null,
                    "price":null,"cost":null,"quantity":{round},"updated_at":null}}"#
            );
            let product: Product = serde_json::from_str(&text).expect("is a product");
            let level = [Level::Low, Level::Out, Level::Ok][(round % 3) as usize];
            let threshold = ThresholdView { level, below: None, rearm: None };
            events.push(scribe.stock_level(round, &product, None, threshold));
        }
        let text = format!(
            r#"{{"id":"{round:024x}","code":"TR{round}","receipt":null,"status":"success","sold_at":null,
                "cancelled_at":null,"subtotal":10,"discount":0,"total":10,"currency":"THB","comment":null,
                "staff":null,"member":null,"payments":[],"lines":[]}}"#
        );
        let sale: Sale = serde_json::from_str(&text).expect("is a sale");
        events.push(scribe.sale_created(&sale));
    }
    events
}

fn channel() -> ChannelName {
    ChannelName::new("late").expect("is a name")
}

/// A receiver of its own: this one gets messages of several events. And the rig that sends to it.
fn rig() -> (Receiver, Rig) {
    let clock = Clock::default();
    let verify = verifier(SECRET, &clock).expect("is a secret");
    let receiver = Receiver::start(verify, move || clock.now(), Box::new(|_| ())).expect("opens");
    let config = format!(
        r#"
[channel.late]
type = "webhook"
url = "{}"
secret = "{SECRET}"
allow_networks = ["127.0.0.0/8"]
timeout = "5s"
"#,
        receiver.url()
    );
    let rules = "[[rule]]\nname = \"all\"\non = [\"stock.*\", \"sale.*\"]\nto = [\"late\"]\n".to_owned();
    (receiver, Rig::new(RigPlan { config, rules, ..RigPlan::default() }))
}

/// A store in which the deliveries of a backlog have waited for two hours.
async fn outage(rig: &Rig) -> Vec<Event> {
    let then = Clock::default().now() - TimeDelta::hours(2);
    let epoch = Epoch::from_random([7; 16]);
    let shop = ShopId::new("main").expect("is an id");
    let events = backlog(&Scribe::new(shop.clone(), "Test shop", epoch.clone(), then));
    let store = Store::open_or_create(&rig.path().join("posbell-data"), epoch).expect("opens");
    for event in &events {
        let address = Address { channel: channel(), recipient: None };
        let deliveries = vec![Delivery::new(address, shop.clone(), "all".to_owned(), vec![event.id.clone()], then)];
        let commit = Commit { events: vec![(then, event.clone())], deliveries, ..Commit::default() };
        store.commit(commit).await.expect("is written");
    }
    events
}

fn ids(received: &[Received]) -> BTreeSet<&str> {
    received.iter().map(|one| one.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_and_kills_stock_is_told_in_one_message_and_each_sale_alone() {
    let (receiver, rig) = rig();
    let events = outage(&rig).await;
    let is_stock = |event: &&Event| event.kind.name().starts_with("stock.");
    let stock: Vec<&Event> = events.iter().filter(is_stock).collect();
    let sales: Vec<&Event> = events.iter().filter(|event| !is_stock(event)).collect();
    let newest = &stock[stock.len() - PRODUCTS as usize..];
    let newest_ids: Vec<_> = newest.iter().map(|event| event.id.clone()).collect();
    let digest = DeliveryId::of(&channel(), None, &newest_ids);

    receiver.answer(Some(503));
    for moment in [30, 90, 180, 320, 500] {
        let service = rig.start();
        // A kill at any moment is what is tested here: there is nothing to wait for.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        service.kill();
    }
    let service = rig.start();
    let collapsed = async {
        while !rig
            .lines(&["deliveries", "--state", "retrying", "--json"])
            .iter()
            .any(|one| one["id"] == digest.as_str())
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, collapsed).await.expect("the digest is tried");
    service.kill();

    receiver.answer(None);
    let service = rig.start();
    let enough = receiver.wait_for(|all| ids(all).len() > sales.len());
    let received = tokio::time::timeout(PATIENCE, enough).await.expect("everything arrives");
    let expected: BTreeSet<&str> = sales.iter().map(|sale| sale.id.as_str()).chain([digest.as_str()]).collect();
    assert_eq!(ids(&received), expected);
    for one in &received {
        let body = match sales.iter().find(|sale| sale.id.as_str() == one.id) {
            Some(sale) => sale.to_json(),
            None => format!("[{}]", newest.iter().map(|event| event.to_json()).collect::<Vec<_>>().join(",")),
        };
        assert_eq!(one.body, body);
    }
    // Nothing of the backlog is left that could still come.
    let delivered = async {
        let waits = |state| !rig.lines(&["deliveries", "--state", state, "--json"]).is_empty();
        while waits("pending") || waits("retrying") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, delivered).await.expect("all is settled");
    assert_eq!(ids(&receiver.received()), expected);
    let old = DeliveryId::of(&channel(), None, std::slice::from_ref(&stock[0].id));
    let show =
        |id: &DeliveryId| String::from_utf8(rig.run(&["deliveries", "show", id.as_str()]).stdout).expect("is text");
    assert!(show(&old).contains(&format!("collapsed into {digest}")), "{}", show(&old));
    assert!(show(&digest).contains(&format!("the newest of {ROUNDS} changes")), "{}", show(&digest));
    drop(service);
}
