//! Whether each list is found, cut and moved as it should be.

use super::*;

fn ids(answer: &Value) -> Vec<String> {
    let rows = answer["data"].as_array().expect("is a list");
    rows.iter().map(|row| row["_id"].as_str().expect("is an id").to_owned()).collect()
}

#[tokio::test]
async fn members_are_found_by_page_by_telephone_by_code_and_by_id() {
    let shop = open(ShopPlan::default());
    let whole = rows(&shop, "/member").await;
    assert_eq!((ids(&whole).len(), &whole["total"]), (12, &Value::Null), "as captured, without pages");
    let page = rows(&shop, "/member?page=2&limit=5").await;
    assert_eq!((&page["total"], &page["total_page"]), (&12.into(), &3.into()));
    assert_eq!(ids(&page), ids(&whole)[5..10], "oldest first");
    assert_eq!(ids(&rows(&shop, "/member/find/phonenumber/0800000000").await).len(), 3, "telephones are shared");
    assert_eq!(ids(&rows(&shop, "/member/find/phonenumber/nobody").await).len(), 0);
    let third = &shop.members()[2];
    for path in [format!("/member/id/{third}"), "/member/code/M000003".to_owned()] {
        assert_eq!(ids(&rows(&shop, &path).await), [third.as_str()], "{path}");
    }
}

#[tokio::test]
async fn one_row_and_none_come_as_the_plan_says() {
    let unknown = ["/stock/nothing", "/member/id/nothing", "/member/code/nothing"];
    let shop = open(ShopPlan::default());
    for path in unknown {
        let (status, text) = ask(&shop, path, Some("demo-key")).await.expect("answers");
        assert_eq!((status.as_u16(), text.as_str()), (404, r#"{"message":"no Route matched with those values"}"#));
    }
    let shop = open(ShopPlan { unknown_is_empty: true, single_is_object: true, ..ShopPlan::default() });
    for path in unknown {
        assert_eq!(rows(&shop, path).await["data"], Value::Array(Vec::new()));
    }
    let id = &shop.products()[0];
    assert_eq!(rows(&shop, &format!("/stock/{id}")).await["data"]["_id"], id.as_str());
    assert_eq!(rows(&shop, "/member/code/M000002").await["data"]["code"], "M000002");
}

#[tokio::test]
async fn vendors_and_purchases_are_found_by_term_and_by_day() {
    let shop = open(ShopPlan::default());
    let found = async |path: &str| ids(&rows(&shop, path).await).len();
    assert_eq!((found("/vendor").await, found("/vendor?limit=3&page=2").await), (4, 1));
    assert_eq!(found("/vendor?term=v000003").await, 1, "by code");
    assert_eq!(found("/vendor?term=020000002").await, 1, "by telephone");
    assert_eq!(found("/vendor?term=%E0%B9%84%E0%B8%82%E0%B9%88").await, 1, "ไข่");
    assert_eq!((found("/buy-document").await, found("/buy-document?term=po69000002").await), (3, 1));
    assert_eq!(found("/buy-document?start_date=2026-11-21&end_date=2026-11-22").await, 2, "one was written each day");
    assert_eq!(found("/buy-document?start=2026-11-21&end=2026-11-22").await, 3, "those are names of another call");
    let newest = rows(&shop, "/buy-document").await["data"][0].clone();
    assert_eq!(
        (&newest["timestamp"], &newest["_id"]),
        (&"2026-11-22T03:00:00.000Z".into(), &shop.purchases()[0].as_str().into())
    );
    assert_eq!(newest["vendor_detail"]["code"], "V000003");
    assert_eq!(newest["order_list"][0]["stock"], 24);
}

#[tokio::test]
async fn a_shop_may_say_no_total_and_give_short_pages() {
    let shop = open(ShopPlan { tells_total: false, largest_page: 7, ..ShopPlan::default() });
    let lists = ["/transactions", "/stock/pagination", "/credit", "/vendor", "/buy-document"];
    for list in lists {
        let answer = rows(&shop, &format!("{list}?limit=1000")).await;
        assert_eq!((&answer["total"], &answer["total_page"]), (&Value::Null, &Value::Null), "{list}");
        assert!((1..=7).contains(&ids(&answer).len()), "{list}");
    }
}

/// Reads a list page by page, each page once, as a client would that trusts it to stand still.
async fn read_naively(shop: &SimulatedShop, list: &str) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    for page in 1.. {
        let answer = rows(shop, &format!("{list}?limit=4&page={page}")).await;
        if ids(&answer).is_empty() {
            break;
        }
        read.extend(ids(&answer));
    }
    read
}

const LISTS: [(&str, Resource); 6] = [
    ("/transactions", Resource::Transactions),
    ("/stock/pagination", Resource::Stock),
    ("/credit", Resource::Credit),
    ("/member", Resource::Members),
    ("/vendor", Resource::Vendors),
    ("/buy-document", Resource::BuyDocuments),
];

#[tokio::test]
async fn a_naive_reader_of_a_restless_list_misses_rows_that_were_there_all_along() {
    let plan =
        ShopPlan { sales_today: 30, credits: 30, members: 30, vendors: 30, purchases: 30, ..ShopPlan::default() };
    let shop = open(ShopPlan { quota: Vec::new(), ..plan });
    for (list, resource) in LISTS {
        let mark = shop.mark();
        let missed = async |mark: Mark| {
            let read = read_naively(&shop, list).await;
            let there = shop.persistent_since(&mark, resource);
            there.iter().filter(|id| !read.contains(id.as_str())).count()
        };
        assert_eq!(missed(mark).await, 0, "{list} at peace");
        let mut lost = 0;
        for seed in 0..6 {
            shop.set_restless(Some(seed));
            lost += missed(shop.mark()).await;
        }
        shop.set_restless(None);
        assert!(lost > 0, "{list} never lost a row to a naive reader, so it tests nothing");
    }
}

#[tokio::test]
async fn a_restless_list_can_move_behind_an_unmoved_total() {
    let shop = open(ShopPlan { restless: Some(1), quota: Vec::new(), ..ShopPlan::default() });
    let (mut still, mut moved) = (0, 0);
    let mut before = rows(&shop, "/member?limit=100").await;
    for _ in 0..30 {
        let next = rows(&shop, "/member?limit=100").await;
        let swapped = before["total"] == next["total"] && ids(&before) != ids(&next);
        (still, moved) = (still + usize::from(swapped), moved + usize::from(before["total"] != next["total"]));
        before = next;
    }
    assert!(still > 3 && moved > 3, "{still} behind an unmoved total, {moved} before all eyes");
}

#[tokio::test]
async fn the_last_page_of_a_hundred_thousand_products_is_there() {
    let shop = open(ShopPlan { products: 100_000, ..ShopPlan::default() });
    let last = rows(&shop, "/stock/pagination?limit=1000&page=100").await;
    assert_eq!((ids(&last).len(), &last["total_page"]), (1000, &100.into()));
    assert_eq!(last["data"][999]["code"], "PK66100000");
}
