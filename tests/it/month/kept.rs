//! What is in the store after a month: the shop as it is, and no more than that and the events of a few days.

use std::collections::BTreeMap;

use posbell::domain::diff::Known;
use posbell::domain::diff::product::ProductRow;
use posbell::domain::model::Resource;

use super::Month;
use super::house::RETAINED;

/// What is known of the lists is what stands in them.
pub async fn assert_as_the_shop(month: &Month) {
    let (shop, posbell) = (&month.shop, month.house.posbell());
    let store = &posbell.shared.store;
    let known = store.known::<ProductRow>(posbell.id(), Resource::Stock).await.expect("reads");
    let Known::Rows { rows, .. } = known else { panic!("there is a baseline") };
    let mut living = 0;
    for (id, row) in rows.iter().filter(|(_, row)| !row.removed) {
        assert_eq!(row.product.quantity, shop.quantity(id), "{id}");
        living += 1;
    }
    assert!(living > 100, "{living} products");
    for (resource, listed) in [
        (Resource::Members, shop.members().len()),
        (Resource::Vendors, shop.vendors().len()),
        (Resource::BuyDocuments, shop.purchases().len()),
    ] {
        let heads = store.heads(posbell.id(), resource).await.expect("reads").expect("was read");
        assert_eq!(heads.living(), listed, "{resource}");
    }
}

/// No more sales than the trailing window has, no more events than are kept, and nothing besides that grows by the day.
pub async fn assert_small(month: &mut Month) {
    let posbell = month.house.posbell();
    let record = posbell.shared.store.resource(posbell.id(), Resource::Transactions).await.expect("reads");
    let from = record.and_then(|record| record.horizon).expect("the last start has read the whole window");
    let in_window = month.business().sold_at.iter().filter(|sold_at| **sold_at >= from).count();
    let since = month.pruned_at - RETAINED;
    let events = month.house.told.iter().filter(|told| told.seen_at.is_some_and(|at| at >= since)).count();
    month.house.stop();
    let keys = keys(&month.house.store_path());
    let count = |table: &str| keys.get(table).copied().unwrap_or_default();
    assert_eq!(count("r/main/transactions"), in_window, "{keys:?}");
    assert!(in_window < 5 * super::SALES_A_DAY, "{in_window} sales in three days and the one that has begun");
    assert!(count("e") <= events, "{} of {events} events of the days that are kept: {keys:?}", count("e"));
    assert_eq!(count("i"), count("e"), "each event stands once under its id");
    let lists = ["stock", "members", "vendors", "buy_documents"];
    let rows: usize = lists.iter().map(|list| count(&format!("r/main/{list}"))).sum();
    let counted = in_window + 2 * count("e") + rows + count("r/main/credit");
    let others = keys.values().sum::<usize>() - counted;
    assert!(others < 30, "{others} keys that nobody expects: {keys:?}");
}

/// How many keys there are of each table; of rows, of each resource.
fn keys(store: &std::path::Path) -> BTreeMap<String, usize> {
    let db = sled::open(store).expect("nobody has it");
    let mut counts = BTreeMap::new();
    // From there on are the keys that the store keeps for itself.
    for key in db.range(.."\u{7f}").keys() {
        let key = key.expect("reads");
        let parts = if key.starts_with(b"r/") { 3 } else { 1 };
        let table: Vec<_> = key.split(|byte| *byte == b'/').take(parts).map(String::from_utf8_lossy).collect();
        *counts.entry(table.join("/")).or_default() += 1;
    }
    counts
}
