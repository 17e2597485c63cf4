//! Is what a sale refreshes told, without anything else being lost or made up by it?

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::demo::shop::{Fault, Line, ProductEdit};
use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;

use crate::support::rig::{Rig, RigPlan, events};

fn rules(passes: u32) -> String {
    format!(
        "[[threshold]]\nlow = 1\npasses = {passes}\n[[rule]]\nname = \"everything\"\n\
         on = [\"stock.*\", \"product.*\", \"shop.*\", \"pass.*\"]\nto = [\"receiver\"]\n"
    )
}

/// The kinds of what was sent, in the order of the log: the receiver has two that came together in either order.
fn told(rig: &Rig) -> Vec<String> {
    let received = rig.receiver.received();
    let sent: BTreeSet<String> = received.iter().flat_map(events).map(|event| event.id.as_str().to_owned()).collect();
    let logged = rig.lines(&["events", "--json", "--limit", "1000"]);
    let sent = logged.iter().filter(|event| event["id"].as_str().is_some_and(|id| sent.contains(id)));
    sent.filter_map(|event| event["type"].as_str().map(ToOwned::to_owned)).collect()
}

/// Reads the stock a page at a time, so that a refresh of one product is cheaper than the list.
fn by_pages(rig: &Rig) {
    rig.configure("[shop.poll]", "stock_list = \"pages\"\npage_size = 20\n[shop.poll]");
}

/// A product that gets another name and is sold out: a refresh tells its quantity before any pass does.
async fn renamed_and_sold_out(passes: u32) -> Vec<String> {
    let rig = Rig::new(RigPlan { rules: rules(passes), ..RigPlan::default() });
    rig.configure("stock = \"100ms\"", "stock = \"1h\"");
    by_pages(&rig);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let product = rig.shop.products().remove(0);
    let quantity = rig.shop.quantity(&product).expect("is there");
    rig.shop.edit_product(&product, ProductEdit::Name("another name".to_owned())).expect("is there");
    rig.shop.sell(&[Line { product: product.clone(), quantity }]).expect("is sold");
    rig.told(EventKind::StockChanged).await;
    drop(service.stop());
    rig.configure("stock = \"1h\"", "stock = \"100ms\"");
    let service = rig.start();
    rig.passes(Resource::Stock, 4).await;
    drop(service.stop());
    told(&rig)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_has_changed_with_a_sale_is_told_by_the_next_pass() {
    let told = renamed_and_sold_out(1).await;
    assert_eq!(told, ["shop.baseline", "stock.changed", "stock.out", "product.updated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_several_passes_must_see_is_told_though_a_refresh_saw_it_first() {
    let told = renamed_and_sold_out(2).await;
    assert_eq!(told, ["shop.baseline", "stock.changed", "product.updated", "stock.out"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_refresh_is_compared_with_what_other_fields_have_read() {
    let rig = Rig::new(RigPlan { rules: rules(1), ..RigPlan::default() });
    by_pages(&rig);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    let product = rig.shop.products().remove(0);
    rig.shop.sell(&[Line { product, quantity: 1.into() }]).expect("is sold");
    rig.configure("[shop.poll]", "[shop.fields.stock]\nquantity = \"/price\"\n[shop.poll]");
    // The sales are read before the first pass with the new fields has ended.
    rig.shop.fail_next(Resource::Stock, Fault::Slow(Duration::from_secs(3)), 1);
    let service = rig.start();
    rig.passes(Resource::Stock, 3).await;
    drop(service.stop());
    assert_eq!(told(&rig), ["shop.baseline"]);
}
