//! After an outage of hours: what stands in stock now, to people in one message and to a machine one by one, and every
//! sale on its own.

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
use crate::support::smtp::{Behaviour, MailServer};

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

const RULES: &str = "[[rule]]\nname = \"all\"\non = [\"stock.*\", \"sale.*\"]\nto = [\"late\"]\ngroup = \"0s\"\n";

/// A receiver of its own, which gets nothing but the backlog. And the rig that sends to it.
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
    (receiver, Rig::new(RigPlan { config, rules: RULES.to_owned(), ..RigPlan::default() }))
}

/// A mailbox, and the rig that sends to it.
async fn rig_of_people() -> (MailServer, Rig) {
    let mail = MailServer::start().await;
    let config = format!(
        "\n[channel.late]\ntype = \"email\"\nsmtp = \"{}\"\nfrom = \"posbell <shop@example.com>\"\nto = [\"{TO}\"]\n",
        mail.url()
    );
    (mail, Rig::new(RigPlan { config, rules: RULES.to_owned(), ..RigPlan::default() }))
}

const TO: &str = "owner@example.com";

/// What waits in the store, and which of it is to be told after the outage.
struct Outage {
    stock: Vec<Event>,
    sales: Vec<Event>,
}

impl Outage {
    /// Writes a store in which the deliveries of a backlog have waited for two hours.
    async fn begin(rig: &Rig, recipient: Option<&str>) -> Outage {
        let then = Clock::default().now() - TimeDelta::hours(2);
        let epoch = Epoch::from_random([7; 16]);
        let shop = ShopId::new("main").expect("is an id");
        let events = backlog(&Scribe::new(shop.clone(), "Test shop", epoch.clone(), then));
        let store = Store::open_or_create(&rig.path().join("posbell-data"), epoch).expect("opens");
        for event in &events {
            let address = Address { channel: channel(), recipient: recipient.map(str::to_owned) };
            let deliveries = vec![Delivery::new(address, shop.clone(), "all".to_owned(), vec![event.id.clone()], then)];
            let commit = Commit { events: vec![(then, event.clone())], deliveries, ..Commit::default() };
            store.commit(commit).await.expect("is written");
        }
        let (stock, sales) = events.into_iter().partition(|event| event.kind.name().starts_with("stock."));
        Outage { stock, sales }
    }

    /// The newest state of each product.
    fn newest(&self) -> &[Event] {
        &self.stock[self.stock.len() - PRODUCTS as usize..]
    }

    /// The delivery that says all of them.
    fn digest(&self, recipient: Option<&str>) -> DeliveryId {
        let ids: Vec<_> = self.newest().iter().map(|event| event.id.clone()).collect();
        DeliveryId::of(&channel(), recipient, &ids)
    }
}

fn ids(received: &[Received]) -> BTreeSet<&str> {
    received.iter().map(|one| one.id.as_str()).collect()
}

fn show(rig: &Rig, id: &DeliveryId) -> String {
    String::from_utf8(rig.run(&["deliveries", "show", id.as_str()]).stdout).expect("is text")
}

/// Waits until nothing of the backlog is left that could still come.
async fn settled(rig: &Rig) {
    let settled = async {
        let waits = |state| !rig.lines(&["deliveries", "--state", state, "--json"]).is_empty();
        while waits("pending") || waits("retrying") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("all is settled");
}

/// Kills it at moments on the way into the catch-up, and at last once so much was collapsed.
async fn kills(rig: &Rig, collapsed: usize) {
    for moment in [30, 90, 180, 320, 500] {
        let service = rig.start();
        // A kill at any moment is what is tested here: there is nothing to wait for.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        service.kill();
    }
    let service = rig.start();
    let collapse = async {
        while rig.lines(&["deliveries", "--state", "delivered", "--json"]).len() < collapsed {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, collapse).await.expect("what is overtaken is collapsed");
    service.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_and_kills_a_machine_gets_each_newest_state_and_each_sale_alone() {
    let (receiver, rig) = rig();
    let outage = Outage::begin(&rig, None).await;
    receiver.answer(Some(503));
    kills(&rig, outage.stock.len() - PRODUCTS as usize).await;

    receiver.answer(None);
    let service = rig.start();
    let expected: Vec<&Event> = outage.sales.iter().chain(outage.newest()).collect();
    let enough = receiver.wait_for(|all| ids(all).len() >= expected.len());
    tokio::time::timeout(PATIENCE, enough).await.expect("everything arrives");
    settled(&rig).await;
    let received = receiver.received();
    assert_eq!(ids(&received), expected.iter().map(|event| event.id.as_str()).collect());
    for one in &received {
        let event = expected.iter().find(|event| event.id.as_str() == one.id).expect("is known");
        assert_eq!(one.body, event.to_json(), "no array");
    }
    let of = |event: &Event| DeliveryId::of(&channel(), None, std::slice::from_ref(&event.id));
    let (old, new) = (of(&outage.stock[0]), of(&outage.newest()[0]));
    assert!(show(&rig, &old).contains(&format!("collapsed into {new}")), "{}", show(&rig, &old));
    assert!(show(&rig, &new).contains(&format!("the newest of {ROUNDS} changes")), "{}", show(&rig, &new));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_and_kills_stock_is_told_to_people_in_one_message_and_each_sale_alone() {
    let (mail, rig) = rig_of_people().await;
    let outage = Outage::begin(&rig, Some(TO)).await;
    mail.behave(Behaviour::TryLater);
    kills(&rig, outage.stock.len()).await;

    mail.behave(Behaviour::Take);
    let service = rig.start();
    settled(&rig).await;
    let message_id = |id: &DeliveryId| format!("<{id}@example.com>");
    let digest = outage.digest(Some(TO));
    let of = |event: &Event| DeliveryId::of(&channel(), Some(TO), std::slice::from_ref(&event.id));
    let expected: BTreeSet<String> =
        outage.sales.iter().map(of).chain([digest.clone()]).map(|id| message_id(&id)).collect();
    let mails = mail.mails();
    let told: BTreeSet<String> =
        mails.iter().map(|one| one.header("Message-ID").expect("has one").to_owned()).collect();
    assert_eq!(told, expected);
    let old = of(&outage.stock[0]);
    assert!(show(&rig, &old).contains(&format!("collapsed into {digest}")), "{}", show(&rig, &old));
    assert!(show(&rig, &digest).contains(&format!("the newest of {ROUNDS} changes")), "{}", show(&rig, &digest));
    drop(service);
}
