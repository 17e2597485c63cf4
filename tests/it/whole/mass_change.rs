//! What one pass brings, be it two changes or a whole list: one message for people, one request each for machines. And
//! whole readings that say what a shop's day does not do: held, released, and told once.

use std::collections::BTreeSet;

use posbell::demo::shop::{Line, ProductEdit};
use posbell::domain::event::{EventId, EventKind};
use posbell::domain::model::Resource;

use crate::support::rig::{Rig, RigPlan, Service, event, until};
use crate::support::smtp::MailServer;

/// Everything that can be told of products, and what is held.
const RULES: &str = r#"
[[threshold]]
low = 5
critical = 2
rearm = 8

[[rule]]
name = "everything"
on = ["sale.*", "stock.low", "stock.critical", "stock.out", "stock.recovered", "product.*", "shop.*", "pass.*"]
to = ["receiver", "owner"]
group = "0s"
"#;

/// A shop with so many products, a machine and a mailbox.
async fn rig_of(products: usize) -> (MailServer, Rig) {
    let mail = MailServer::start().await;
    let config = format!(
        "\n[channel.owner]\ntype = \"email\"\nsmtp = \"{}\"\nfrom = \"posbell <shop@example.com>\"\n\
         to = [\"owner@example.com\"]\n",
        mail.url()
    );
    (mail, Rig::new(RigPlan { products, config, rules: RULES.to_owned(), ..RigPlan::default() }))
}

async fn rig() -> (MailServer, Rig) {
    rig_of(40).await
}

/// How many mails came, once there are so many at least.
async fn mails(mail: &MailServer, least: usize) -> usize {
    until("a mail comes", || mail.mails().len() >= least).await;
    mail.mails().len()
}

/// The service started again after `act`, done while nobody reads: one pass sees it all.
async fn unseen(rig: &Rig, service: Service, act: impl FnOnce()) -> Service {
    drop(service.stop());
    act();
    rig.start()
}

/// Asserts that so many events of this kind come to the machine, each alone and under its own id, and to the mailbox in
/// one message after the `before` it has.
async fn told_at_once(rig: &Rig, mail: &MailServer, kind: EventKind, count: usize, before: usize) {
    let is_such = |one: &&posbell::demo::receiver::Received| event(one).kind == kind;
    let received = rig.until(|all| all.iter().filter(is_such).count() >= count).await;
    let ids: BTreeSet<EventId> = received.iter().filter(is_such).map(|one| event(one).id).collect();
    assert_eq!(ids.len(), count);
    received.iter().for_each(|one| assert_eq!(one.id, event(one).id.as_str(), "one event under its own id"));
    assert_eq!(mails(mail, before + 1).await, before + 1, "one message");
    rig.passes(Resource::Stock, 2).await;
    assert_eq!(mail.mails().len(), before + 1, "and no other after it");
}

fn is_held(rig: &Rig) -> bool {
    !rig.resource(Resource::Stock)["held"].is_null()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_is_empty_at_once_is_held_and_told_once_and_a_release_tells_it_in_one_message() {
    let (mail, rig) = rig().await;
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
    assert_eq!((rig.receiver.received().len(), mails(&mail, 2).await), (2, 2), "nothing is told while it is held");

    assert!(rig.run(&["held", "release", "main", "stock"]).status.success());
    until("nothing is held any more", || !is_held(&rig)).await;
    let out = rig.lines(&["events", "--json", "--type", "stock.out"]).len();
    assert!(out > 30, "{out}");
    told_at_once(&rig, &mail, EventKind::StockOut, out, 2).await;
    assert_eq!(rig.receiver.received().len(), 2 + out, "it is told once");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_list_for_a_while_is_no_removal() {
    let (_mail, rig) = rig().await;
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
async fn a_new_price_list_is_never_held_and_is_one_message_for_people() {
    let (mail, rig) = rig_of(300).await;
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(mails(&mail, 1).await, 1, "the baseline");
    let products = rig.shop.products();
    let price = |count: usize, price: i64| {
        for product in &products[..count] {
            rig.shop.edit_product(product, ProductEdit::Price(price.into())).expect("is there");
        }
    };
    let service = unseen(&rig, service, || price(55, 998)).await;
    told_at_once(&rig, &mail, EventKind::ProductUpdated, 55, 1).await;
    // More than one commit holds.
    let service = unseen(&rig, service, || price(300, 999)).await;
    told_at_once(&rig, &mail, EventKind::ProductUpdated, 55 + 300, 2).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_out_and_comes_in_together_is_one_message_for_people() {
    let (mail, rig) = rig().await;
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let sold: Vec<_> = rig.shop.products().into_iter().filter(|id| rig.shop.quantity(id) >= Some(8.into())).collect();
    assert_eq!(mails(&mail, 1).await, 1, "the baseline");
    let service = unseen(&rig, service, || {
        for product in &sold[..8] {
            let quantity = rig.shop.quantity(product).expect("is there");
            rig.shop.set_quantity(product, 0.into()).expect("is there");
            assert!(quantity > 0.into());
        }
    })
    .await;
    told_at_once(&rig, &mail, EventKind::StockOut, 8, 1).await;
    let service = unseen(&rig, service, || {
        for product in rig.shop.products() {
            rig.shop.set_quantity(&product, 500.into()).expect("is there");
        }
    })
    .await;
    until("all have recovered", || rig.lines(&["events", "--json", "--type", "stock.recovered"]).len() >= 8).await;
    let recovered = rig.lines(&["events", "--json", "--type", "stock.recovered"]).len();
    told_at_once(&rig, &mail, EventKind::StockRecovered, recovered, 2).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_is_first_seen_as_cancelled_is_one_message_for_people() {
    let (mail, rig) = rig().await;
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(mails(&mail, 1).await, 1, "the baseline");
    let service = unseen(&rig, service, || {
        let sale = rig.sell_one().id;
        rig.shop.cancel(&sale, "mistake").expect("is sold");
    })
    .await;
    told_at_once(&rig, &mail, EventKind::SaleCancelled, 1, 1).await;
    let kinds: BTreeSet<&str> = rig.receiver.received().iter().map(|one| event(one).kind.name()).collect();
    assert_eq!(kinds, ["sale.cancelled", "sale.created", "shop.baseline"].into(), "two requests");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shortages_that_one_sale_causes_are_one_message_for_people() {
    let (mail, rig) = rig().await;
    // There must be room for a refresh beside all that is read.
    for resource in ["credit", "members", "vendors", "buy_documents", "stock"] {
        rig.configure(&format!("{resource} = \"100ms\""), &format!("{resource} = \"1h\""));
    }
    std::fs::write(rig.path().join("rules/rules.toml"), RULES.replace("\"sale.*\", ", "")).expect("writes");
    // A refresh of three products is cheaper than the list, which is not read meanwhile.
    rig.configure("[shop.poll]", "stock_list = \"pages\"\npage_size = 5\n[shop.poll]");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(mails(&mail, 1).await, 1, "the baseline");
    let on_the_shelf = |id: &_| rig.shop.quantity(id).filter(|left| *left >= 8.into());
    let products = rig.shop.products().into_iter();
    let lines = products.filter_map(|id| Some(Line { quantity: on_the_shelf(&id)?, product: id }));
    rig.shop.sell(&lines.take(3).collect::<Vec<_>>()).expect("is sold");
    let is_out = |one: &&posbell::demo::receiver::Received| event(one).kind == EventKind::StockOut;
    rig.until(|all| all.iter().filter(is_out).count() >= 3).await;
    assert_eq!(mails(&mail, 2).await, 2, "one message");
    rig.passes(Resource::Transactions, 2).await;
    assert_eq!(mail.mails().len(), 2, "and no other after it");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_shops_key_is_refused_and_nothing_is_compared() {
    let (_mail, rig) = rig().await;
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
