//! Whether each change shows in the row that it was made to and nowhere else, and what is journaled of it.

use super::*;

/// The fields of the first row whose `_id` is `id` in which two answers differ.
fn changed(before: &Value, after: &Value, id: &EntityId) -> Vec<String> {
    let row = |answer: &Value| {
        let rows = answer["data"].as_array().expect("is a list").clone();
        rows.into_iter().find(|row| row["_id"] == id.as_str()).expect("is in the list")
    };
    let (before, after) = (row(before), row(after));
    let fields = before.as_object().expect("is an object").keys();
    fields.filter(|field| before[*field] != after[*field]).cloned().collect()
}

#[tokio::test]
async fn an_edit_changes_its_field_and_the_stamp_beside_it() {
    let shop = SimulatedShop::start(ShopPlan { quota: Vec::new(), ..ShopPlan::default() }, ticking()).expect("opens");
    let check = async |list: &str, id: &EntityId, edit: &dyn Fn() -> Result<Change, Refused>, want: &[&str]| {
        let before = rows(&shop, list).await;
        assert_eq!(edit().expect("is known").id, *id);
        assert_eq!(changed(&before, &rows(&shop, list).await, id), want, "{list}");
        assert_eq!(edit(), Err(Refused::Already(id.clone())), "a second time nothing is another");
    };
    let product = &shop.products()[1];
    let name = || shop.edit_product(product, ProductEdit::Name("ชื่อใหม่".to_owned()));
    check("/stock", product, &name, &["lastupdate", "name"]).await;
    let price = || shop.edit_product(product, ProductEdit::Price(77.into()));
    check("/stock", product, &price, &["lastupdate", "price"]).await;
    let deleted = || shop.edit_product(product, ProductEdit::Deleted(true));
    check("/stock", product, &deleted, &["delete", "lastupdate"]).await;
    let member = &shop.members()[1];
    let phone = || shop.edit_member(member, MemberEdit::Phone("02 1234567 เมีย".to_owned()));
    check("/member", member, &phone, &["phonenumber", "updated_at"]).await;
    let points = || shop.edit_member(member, MemberEdit::Points(999));
    check("/member", member, &points, &["point_value", "updated_at"]).await;
    let vendor = &shop.vendors()[1];
    let renamed = || shop.edit_vendor(vendor, VendorEdit::Name("โรงงานใหม่".to_owned()));
    check("/vendor", vendor, &renamed, &["company_name"]).await;
    let purchase = &shop.purchases()[1];
    let status = || shop.edit_purchase(purchase, PurchaseEdit::Status("cancelled".to_owned()));
    check("/buy-document", purchase, &status, &["status"]).await;
    let sale = &shop.sales()[0];
    let comment = || shop.edit_sale(sale, SaleEdit::Comment("ส่งของพรุ่งนี้".to_owned()));
    check("/transactions", sale, &comment, &["comment"]).await;
}

/// A clock that is a second later each time.
fn ticking() -> impl Fn() -> Timestamp + Send + Sync {
    let ticks = std::sync::atomic::AtomicI64::new(0);
    move || now() + chrono::TimeDelta::seconds(ticks.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

#[tokio::test]
async fn an_edited_sale_is_journaled_and_a_cancelled_one_cannot_be_edited() {
    let shop = open(ShopPlan::default());
    let sales = shop.sales();
    let edited = shop.edit_sale(&sales[0], SaleEdit::Total(9.into())).expect("stands");
    assert_eq!(edited.expected.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [EventKind::SaleUpdated]);
    assert!(shop.journal().awaits(EventKind::SaleUpdated, &Subject::sale(&sales[0])));
    shop.cancel(&sales[1], "คีย์ผิด").expect("stands");
    let refused = shop.edit_sale(&sales[1], SaleEdit::Total(9.into()));
    assert_eq!(refused, Err(Refused::Already(sales[1].clone())));
}

#[tokio::test]
async fn what_is_added_stands_at_its_end_and_what_is_removed_is_gone() {
    let shop = open(ShopPlan::default());
    let product = shop.add_product("สินค้าใหม่", 50.into()).id;
    let member = shop.add_member("นายใหม่", "-").id;
    let vendor = shop.add_vendor("บริษัทใหม่").id;
    let lines = [Line { product: product.clone(), quantity: 3.into() }];
    let purchase = shop.add_purchase(&vendor, &lines).expect("are known").id;
    let row = |path: &str, name: &str| (path.to_owned(), name.to_owned());
    assert_eq!(shop.products().last(), Some(&product));
    assert_eq!((shop.members().last(), shop.vendors().last()), (Some(&member), Some(&vendor)));
    assert_eq!(shop.purchases().first(), Some(&purchase));
    let bought = rows(&shop, "/buy-document").await["data"][0].clone();
    assert_eq!((&bought["vendor_detail"]["company_name"], &bought["grand_total"]), (&"บริษัทใหม่".into(), &60.into()));
    shop.remove_product(&product).expect("is there");
    shop.remove_member(&member).expect("is there");
    shop.remove_vendor(&vendor).expect("is there");
    shop.remove_purchase(&purchase).expect("is there");
    for (path, id) in [
        row("/stock", product.as_str()),
        row("/member", member.as_str()),
        row("/vendor", vendor.as_str()),
        row("/buy-document", purchase.as_str()),
    ] {
        assert!(!rows(&shop, &path).await.to_string().contains(&id), "{path}");
    }
    assert_eq!(shop.remove_member(&member), Err(Refused::Unknown(member.clone())));
    assert_ne!(shop.add_member("คนถัดไป", "-").id, member, "an id is never given twice");
}

#[tokio::test]
async fn a_stamp_that_moves_everywhere_moves_nothing_else() {
    let shop = SimulatedShop::start(ShopPlan::default(), ticking()).expect("opens");
    let (members, stock) = (rows(&shop, "/member").await, rows(&shop, "/stock").await);
    shop.bump_members();
    shop.bump_products();
    let (members_after, stock_after) = (rows(&shop, "/member").await, rows(&shop, "/stock").await);
    for id in shop.members() {
        assert_eq!(changed(&members, &members_after, &id), ["updated_at"]);
    }
    for id in shop.products() {
        assert_eq!(changed(&stock, &stock_after, &id), ["lastupdate"]);
    }
    assert_eq!(shop.journal().expected(), []);
}

#[tokio::test]
async fn a_change_of_everything_can_be_taken_back_and_is_not_journaled() {
    let shop = open(ShopPlan::default());
    let before = rows(&shop, "/stock").await;
    let (products, mark) = (shop.products(), shop.mark());
    shop.hide();
    assert_eq!(shop.products().len(), 20);
    assert_eq!(shop.quantity(&products[1]), None, "who is hidden is nowhere");
    shop.unhide();
    assert_eq!(rows(&shop, "/stock").await, before);
    assert_eq!(shop.persistent_since(&mark, Resource::Stock).len(), 20, "the others were away");
    shop.rename_all(|name| format!("{name}!"));
    assert!(rows(&shop, "/stock").await["data"][7]["name"].as_str().is_some_and(|name| name.ends_with('!')));
    shop.zero_all();
    assert!(products.iter().all(|id| shop.quantity(id) == Some(0.into())));
    assert_eq!(shop.journal().expected(), []);
}
