//! Whole readings that say what a shop's day does not do: held, released, and told as one message.

use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;

use crate::support::rig::{PATIENCE, Rig, RigPlan, events};

/// Everything that can be told of products, and what is held.
const RULES: &str = r#"
[[threshold]]
low = 5
critical = 2
rearm = 8

[[rule]]
name = "everything"
on = ["stock.low", "stock.critical", "stock.out", "stock.recovered", "product.*", "shop.*", "pass.*"]
to = ["receiver"]
"#;

fn rig() -> Rig {
    Rig::new(RigPlan { rules: RULES.to_owned(), ..RigPlan::default() })
}

fn is_held(rig: &Rig) -> bool {
    !rig.resource(Resource::Stock)["held"].is_null()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_empty_at_once_is_held_and_told_once_and_a_release_tells_it_in_one_message() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.zero_all();
    let received = rig.told(EventKind::PassHeld).await;
    assert_eq!(received.len(), 2, "the baseline and the notice: {received:?}");
    until("a second pass is held too", || {
        rig.lines(&["held", "--json"]).first().is_some_and(|held| held["passes"].as_u64() > Some(1))
    })
    .await;
    let shown = rig.run(&["held", "show", "main", "stock"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("posbell held release main stock"), "{shown}");
    assert_eq!(rig.receiver.received().len(), 2, "nothing is told while it is held");

    assert!(rig.run(&["held", "release", "main", "stock"]).status.success());
    let received = rig.told(EventKind::StockOut).await;
    assert_eq!(received.len(), 3, "one message of them all");
    let told = events(&received[2]);
    assert!(told.len() > 30 && told.iter().all(|event| event.kind == EventKind::StockOut), "{}", told.len());
    until("nothing is held any more", || !is_held(&rig)).await;
    rig.passes(Resource::Stock, 2).await;
    assert_eq!(rig.receiver.received().len(), 3, "it is told once");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_list_for_a_while_is_no_removal() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.hide();
    rig.told(EventKind::PassHeld).await;
    rig.shop.unhide();
    until("a good pass ends it", || !is_held(&rig)).await;
    rig.passes(Resource::Stock, 2).await;
    assert_eq!(rig.receiver.received().len(), 2, "the baseline and the notice");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_list_is_never_held_and_is_one_message() {
    use posbell::demo::shop::ProductEdit;
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    // While nobody reads, so that one pass sees them all.
    drop(service.stop());
    for product in rig.shop.products() {
        rig.shop.edit_product(&product, ProductEdit::Price(999.into())).expect("is there");
    }
    let service = rig.start();
    let received = rig.told(EventKind::ProductUpdated).await;
    assert_eq!(received.len(), 2, "one message");
    let told = events(&received[1]);
    assert_eq!(told.len(), 40);
    let ids: std::collections::BTreeSet<_> = told.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), 40);
    assert_ne!(received[1].id, told[0].id.as_str(), "a digest has an id of its own");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_shops_key_is_refused_and_nothing_is_compared() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    let other = Rig::new(RigPlan { seed: 99, ..RigPlan::default() });
    rig.configure(rig.shop.base_url(), other.shop.base_url());
    rig.configure(&rig.key, &other.key);
    let service = rig.start();
    for resource in [Resource::Stock, Resource::Members, Resource::Vendors, Resource::BuyDocuments] {
        until("it is refused", || {
            rig.resource(resource)["failing"]["why"].as_str().is_some_and(|why| why.contains("another shop"))
        })
        .await;
    }
    assert_eq!(rig.receiver.received().len(), 1, "only the baseline");
    drop(service);
}
