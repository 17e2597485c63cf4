//! A pass that is cut off anywhere tells each change to each address once, and to people in one message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use posbell::demo::shop::{ProductEdit, ShopPlan, SimulatedShop};
use posbell::domain::model::{Resource, Timestamp};
use posbell::domain::outbox::Delivery;
use posbell::edge::store::{DeliveryFilter, EventFilter};
use posbell::service::pass::{go_on, pass};

use super::house::{House, KEY};
use super::time::Time;

const PRODUCTS: usize = 250;

/// How many recipients the books have: so many that their messages are more than one commit.
const BOOKS: usize = 40;

/// More than there is of anything.
const ALL: usize = 10_000_000;

fn config() -> String {
    let books: Vec<String> = (0..BOOKS).map(|number| format!("\"books{number}@example.com\"")).collect();
    let mailbox = "type = \"email\"\nsmtp = \"smtp://127.0.0.1:1\"\nfrom = \"posbell <shop@example.com>\"";
    format!(
        r#"quota = ["100000/1s"]
[shop.poll]
transactions = "off"
stock = "10m"
credit = "off"
members = "off"
vendors = "off"
buy_documents = "off"

[channel.erp]
type = "webhook"
url = "http://127.0.0.1:1/"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
allow_networks = ["127.0.0.0/8"]

[channel.owner]
{mailbox}
to = ["owner@example.com"]

[channel.books]
{mailbox}
to = [{}]
"#,
        books.join(", ")
    )
}

const RULES: &str = "[[rule]]\nname = \"all\"\non = [\"product.*\"]\nto = [\"erp\", \"owner\", \"books\"]\n";

/// A shop with a baseline, and posbell that runs.
async fn begin() -> (Arc<SimulatedShop>, Time, House) {
    let opened: Timestamp = "2026-11-02T03:00:00Z".parse().unwrap();
    let time = Time::from(opened);
    let plan =
        ShopPlan { api_key: format!("{KEY}-in-parts"), quota: Vec::new(), products: PRODUCTS, ..ShopPlan::default() };
    let key = plan.api_key.clone();
    let (clock, uptime) = (time.clone(), time.clone());
    let shop = SimulatedShop::start_in(plan, move || clock.now(), move || uptime.gone()).unwrap();
    let shop = Arc::new(shop);
    let mut house = House::with_key(Arc::clone(&shop), time.clone(), &key, &config());
    house.route(RULES);
    house.start().await;
    house.read_what_is_due().await;
    (shop, time, house)
}

async fn deliveries(house: &House) -> Vec<Delivery> {
    let filter = DeliveryFilter { limit: ALL, ..DeliveryFilter::default() };
    house.posbell().shared.store.deliveries(filter).await.unwrap()
}

async fn is_promised(house: &House) -> bool {
    let posbell = house.posbell();
    posbell.shared.store.gathering(posbell.id(), Resource::Stock).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_is_cut_off_anywhere_tells_each_change_to_each_address_once() {
    let (shop, time, mut house) = begin().await;
    let products = shop.products();
    let (mut promised, mut half_kept, mut messages) = (0, 0, 0);
    for turns in 0_i64.. {
        for product in &products {
            shop.edit_product(product, ProductEdit::Price((1_000 + turns).into())).unwrap();
        }
        time.go_to(time.now() + TimeDelta::minutes(10));
        let was_cut_off = house.cut_off;
        house.kill_in(Resource::Stock, usize::try_from(turns).unwrap()).await;
        house.start().await;
        let to_people = |all: &[Delivery]| all.iter().filter(|one| one.recipient.is_some()).count();
        if is_promised(&house).await {
            promised += 1;
            half_kept += usize::from(to_people(&deliveries(&house).await) > messages);
        }
        go_on(house.posbell()).await.unwrap();
        assert!(!is_promised(&house).await);
        pass(house.posbell(), Resource::Stock).await.unwrap();
        let all = to_people(&deliveries(&house).await);
        let most = if house.cut_off > was_cut_off { 2 } else { 1 };
        let addresses = BOOKS + 1;
        assert!(all - messages <= most * addresses, "{turns}: {} messages to {addresses}", all - messages);
        messages = all;
        if house.cut_off == was_cut_off {
            break;
        }
    }
    assert!(promised > 0, "no kill came between the events and their message");
    println!("kills {}, after the promise {promised}, with a part of it kept {half_kept}", house.cut_off);

    // What came after a kill waits for the end of its group.
    time.go_to(time.now() + TimeDelta::minutes(2));
    let shared = &house.posbell().shared;
    while shared.end_groups().await.unwrap().is_some() {}
    let events =
        house.posbell().shared.store.events(EventFilter { limit: ALL, ..EventFilter::default() }).await.unwrap();
    let told = |json: &String| serde_json::from_str::<serde_json::Value>(json).unwrap();
    let updated = events.iter().map(|(_, json)| told(json)).filter(|event| event["type"] == "product.updated");
    let ids: BTreeSet<String> = updated.map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= PRODUCTS);
    let mut by_address: BTreeMap<(String, Option<String>), Vec<String>> = BTreeMap::new();
    for one in deliveries(&house).await {
        assert!(one.channel.as_str() != "erp" || one.events.len() == 1, "one request each for machines");
        let told = by_address.entry((one.channel.to_string(), one.recipient)).or_default();
        told.extend(one.events.iter().map(ToString::to_string));
    }
    assert_eq!(by_address.len(), 2 + BOOKS);
    for (address, told) in by_address {
        let distinct: BTreeSet<String> = told.iter().cloned().collect();
        assert_eq!(told.len(), distinct.len(), "{address:?}: something was told twice");
        assert_eq!(distinct, ids, "{address:?}: something was not told");
    }
}
