//! What comes, changes and goes in the long lists, and what a sale refreshes.

use posbell::demo::shop::{Line, MemberEdit, ProductEdit, PurchaseEdit, VendorEdit};
use posbell::domain::diff::credit::CreditRow;
use posbell::domain::event::EventKind;
use posbell::domain::model::{Resource, ShopId};
use posbell::edge::store::Store;

use crate::support::rig::{Rig, RigPlan, events};

const RULES: &str = r#"
[[rule]]
name = "everything"
on = ["stock.out", "product.*", "member.*", "vendor.*", "purchase.*", "shop.*"]
to = ["receiver"]
"#;

fn rig() -> Rig {
    Rig::new(RigPlan { rules: RULES.to_owned(), ..RigPlan::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_refreshes_what_it_sold_long_before_the_next_pass() {
    let rig = rig();
    rig.configure("stock = \"100ms\"", "stock = \"1h\"");
    // By pages of one product, so that a refresh is the cheaper way.
    rig.configure("[shop.poll]", "stock_list = \"pages\"\npage_size = 20\n[shop.poll]");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let before = rig.resource(Resource::Stock)["passed_at"].clone();
    let product = rig.shop.products().remove(0);
    let quantity = rig.shop.quantity(&product).expect("is there");
    rig.shop.sell(&[Line { product: product.clone(), quantity }]).expect("is sold");
    let received = rig.told(EventKind::StockOut).await;
    let told = events(received.last().expect("there is one"));
    assert_eq!(told[0].subject.as_str(), format!("product/{product}"));
    assert_eq!(rig.resource(Resource::Stock)["passed_at"], before, "a refresh is no pass");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_changes_and_goes_is_told_once_and_stamps_alone_are_not() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.bump_members();
    rig.shop.bump_products();
    for resource in [Resource::Stock, Resource::Members] {
        rig.passes(resource, 2).await;
    }
    assert_eq!(rig.receiver.received().len(), 1, "stamps alone are no news");

    let (product, member) = (rig.shop.products().remove(3), rig.shop.members().remove(3));
    let (vendor, purchase) = (rig.shop.vendors().remove(1), rig.shop.purchases().remove(1));
    rig.shop.edit_product(&product, ProductEdit::Name("new name".to_owned())).expect("is there");
    rig.shop.edit_member(&member, MemberEdit::Phone("0811111111".to_owned())).expect("is there");
    rig.shop.edit_vendor(&vendor, VendorEdit::Name("New Mill".to_owned())).expect("is there");
    rig.shop.edit_purchase(&purchase, PurchaseEdit::Status("received".to_owned())).expect("is there");
    for kind in
        [EventKind::ProductUpdated, EventKind::MemberUpdated, EventKind::VendorUpdated, EventKind::PurchaseUpdated]
    {
        rig.told(kind).await;
    }
    rig.shop.add_product("another product", 50.into());
    rig.shop.add_member("Mali", "0822222222");
    rig.shop.add_vendor("Another Mill");
    let line = Line { product: rig.shop.products().remove(7), quantity: 5.into() };
    rig.shop.add_purchase(&vendor, &[line]).expect("is known");
    for kind in
        [EventKind::ProductCreated, EventKind::MemberCreated, EventKind::VendorCreated, EventKind::PurchaseCreated]
    {
        rig.told(kind).await;
    }
    rig.shop.remove_product(&product).expect("is there");
    rig.shop.remove_member(&member).expect("is there");
    rig.shop.remove_vendor(&vendor).expect("is there");
    rig.shop.remove_purchase(&purchase).expect("is there");
    for kind in
        [EventKind::ProductRemoved, EventKind::MemberRemoved, EventKind::VendorRemoved, EventKind::PurchaseRemoved]
    {
        rig.told(kind).await;
    }
    assert_eq!(rig.receiver.received().len(), 13, "the baseline, and each change once");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_are_forgotten_once_they_are_paid_for_longer_than_things_are_kept() {
    let config = "\n[store]\nretain = \"1s\"\n".to_owned();
    let rig = Rig::new(RigPlan { config, ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let before = rig.shop.credits();
    let owed = rig.shop.lend(&[Line { product: rig.shop.products().remove(0), quantity: 1.into() }]).expect("is lent");
    let paid = before.iter().filter(|credit| rig.shop.pay(credit).is_ok()).count();
    assert!(paid > 1, "some were owed");
    let told = rig.all_told().await.len();
    // Passes begin at least 100 ms apart.
    rig.passes(Resource::Credit, 15).await;
    assert_eq!(rig.receiver.received().len(), told, "forgetting tells nothing");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    let store = Store::open_existing(&rig.path().join("posbell-data")).expect("opens");
    let known = store.known::<CreditRow>(&ShopId::new("main").expect("is an id"), Resource::Credit).await;
    let known: Vec<_> = known.expect("reads").rows().map(|row| row.credit.id.clone()).collect();
    assert_eq!(known, [owed.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_move_while_they_are_read_lose_no_row() {
    let rig = Rig::new(RigPlan { products: 600, ..RigPlan::default() });
    rig.configure("[shop.poll]", "stock_list = \"pages\"\npage_size = 50\n[shop.poll]");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.set_restless(Some(7));
    let mark = rig.shop.mark();
    rig.passes(Resource::Stock, 6).await;
    let gone = rig.lines(&["events", "--json", "--type", "product.removed", "--limit", "10000"]);
    let there = rig.shop.persistent_since(&mark, Resource::Stock);
    rig.shop.set_restless(None);
    for event in gone {
        let subject = event["subject"].as_str().unwrap_or_default().to_owned();
        assert!(!there.iter().any(|id| subject == format!("product/{id}")), "{subject} was there all the while");
    }
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_new_fields_cannot_read_makes_no_event_once_they_can() {
    let rig = rig();
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let member = rig.shop.members().remove(0);
    // A text as it stands, and a number that would lose digits once it is taken for points.
    let phone = |phone: &str| rig.shop.edit_member(&member, MemberEdit::Phone(phone.to_owned())).expect("is there");
    phone(&"1".repeat(30));
    rig.told(EventKind::MemberUpdated).await;
    drop(service.stop());
    rig.configure("[channel.receiver]", "[shop.fields.members]\npoints = \"/phonenumber\"\n\n[channel.receiver]");
    let service = rig.start();
    rig.passes(Resource::Members, 2).await;
    assert_eq!(rig.resource(Resource::Members)["unreadable"], 1);
    phone("5");
    rig.passes(Resource::Members, 3).await;
    assert_eq!(rig.resource(Resource::Members)["unreadable"], 0);
    assert_eq!(rig.lines(&["events", "--json", "--type", "member.*"]).len(), 1, "only what the old fields have read");
    drop(service);
}
