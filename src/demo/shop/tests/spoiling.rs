//! Whether the faults that need a wire, a list or a header of their own are what they say.

use reqwest::Response;

use super::*;

async fn response(shop: &SimulatedShop, path: &str) -> Response {
    let request = shared_client().get(format!("{}{path}", shop.base_url())).header("apikey", "demo-key");
    request.send().await.expect("answers")
}

#[tokio::test]
async fn too_many_calls_are_answered_with_and_without_a_time_to_wait() {
    let shop = open(ShopPlan::default());
    shop.fail_next(Resource::Members, Fault::Limited(7), 1);
    shop.fail_next(Resource::Members, Fault::Status(429), 1);
    for wait in [Some("7"), None] {
        let limited = response(&shop, "/member").await;
        let header = limited.headers().get("retry-after").map(|value| value.to_str().expect("is text"));
        assert_eq!((limited.status().as_u16(), header), (429, wait));
    }
}

#[tokio::test]
async fn a_wrong_total_and_a_page_that_is_ignored_look_like_good_answers() {
    let shop = open(ShopPlan::default());
    shop.fail_next(Resource::Stock, Fault::WrongTotal(3), 1);
    assert_eq!(rows(&shop, "/stock/pagination?limit=10").await["total"], 43);
    let first = rows(&shop, "/stock/pagination?limit=10&page=1").await;
    shop.fail_next(Resource::Stock, Fault::IgnoresPage, usize::MAX);
    for page in 2..6 {
        assert_eq!(rows(&shop, &format!("/stock/pagination?limit=10&page={page}")).await, first);
    }
    shop.fail_no_more();
    assert_ne!(rows(&shop, "/stock/pagination?limit=10&page=2").await, first);
}

#[tokio::test]
async fn one_row_of_many_cannot_be_read() {
    let shop = open(ShopPlan::default());
    shop.fail_next(Resource::Stock, Fault::NoId, 1);
    let spoilt = rows(&shop, "/stock").await;
    let without = spoilt["data"].as_array().expect("is a list").iter().filter(|row| row["_id"].is_null()).count();
    assert_eq!(without, 1);
    for (resource, path) in [(Resource::Stock, "/stock"), (Resource::Members, "/member"), (Resource::Credit, "/credit")]
    {
        shop.fail_next(resource, Fault::HugeNumber, 1);
        let (_, text) = ask(&shop, path, Some("demo-key")).await.expect("answers");
        assert_eq!(text.matches(&format!(":{}", "1234567890".repeat(4))).count(), 1, "{path}");
        serde_json::from_str::<Value>(&text).expect("is JSON all the same");
    }
}

#[tokio::test]
async fn an_answer_can_come_byte_by_byte() {
    let shop = open(ShopPlan { products: 0, sales_today: 0, ..ShopPlan::default() });
    shop.fail_next(Resource::Stock, Fault::Drip(Duration::from_millis(1)), 1);
    let mut dripping = response(&shop, "/stock").await;
    let mut whole = Vec::new();
    let mut chunks = 0;
    while let Some(chunk) = dripping.chunk().await.expect("comes whole in the end") {
        (chunks, whole) = (chunks + 1, [whole, chunk.to_vec()].concat());
    }
    assert_eq!(String::from_utf8(whole).expect("is text"), r#"{"success":1,"data":[]}"#);
    assert!(chunks > 5, "{chunks} chunks");
}

#[tokio::test]
async fn an_endless_answer_goes_on_until_the_reader_hangs_up() {
    let shop = open(ShopPlan::default());
    shop.fail_next(Resource::Stock, Fault::Endless, 1);
    let mut endless = response(&shop, "/stock").await;
    let mut length = 0;
    while length < 3_000_000 {
        let chunk = endless.chunk().await.expect("goes on").expect("has no end");
        if length == 0 {
            assert!(chunk.starts_with(br#"{"success":1,"data":[{"_id""#));
        }
        length += chunk.len();
    }
    drop(endless);
    assert_eq!(rows(&shop, "/stock").await["success"], 1, "the shop is open still");
}
