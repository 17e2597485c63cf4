//! Whether the simulated shop, asked over HTTP, answers as the vendor does.

mod changing;
mod listing;
mod spoiling;

use reqwest::StatusCode;
use serde_json::Value;

use super::*;

fn now() -> Timestamp {
    "2026-11-23T03:00:00Z".parse().expect("is a time")
}

fn open(plan: ShopPlan) -> SimulatedShop {
    SimulatedShop::start(plan, now).expect("a loopback port is free")
}

fn client() -> reqwest::Client {
    // The demo talks plain HTTP, but building a client asks for a TLS provider all the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client can be built")
}

/// One client for all tests: setting one up takes longer than most of them. It keeps no connection, since each belongs
/// to the test that opened it.
fn shared_client() -> reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    let new = || {
        // Whoever is first installs it; the others find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        builder.pool_max_idle_per_host(0).build().expect("a client can be built")
    };
    CLIENT.get_or_init(new).clone()
}

async fn ask(shop: &SimulatedShop, path: &str, key: Option<&str>) -> reqwest::Result<(StatusCode, String)> {
    let mut request = shared_client().get(format!("{}{path}", shop.base_url()));
    if let Some(key) = key {
        request = request.header("apikey", key);
    }
    let answer = request.send().await?;
    Ok((answer.status(), answer.text().await?))
}

async fn rows(shop: &SimulatedShop, path: &str) -> Value {
    let (status, text) = ask(shop, path, Some("demo-key")).await.expect("answers");
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    let answer: Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(answer["success"], 1);
    answer
}

#[tokio::test]
async fn a_call_without_a_key_or_with_a_wrong_one_is_refused() {
    let shop = open(ShopPlan::default());
    let (status, text) = ask(&shop, "/stock", None).await.expect("answers");
    assert_eq!((status.as_u16(), text.as_str()), (401, r#"{"message":"No API key found in request"}"#));
    assert_eq!(ask(&shop, "/stock", Some("wrong")).await.expect("answers").0, StatusCode::FORBIDDEN);
    shop.issue_key("new");
    assert_eq!(ask(&shop, "/stock", Some("demo-key")).await.expect("answers").0, StatusCode::FORBIDDEN);
    assert_eq!(ask(&shop, "/stock", Some("new")).await.expect("answers").0, StatusCode::OK);
    assert_eq!((shop.calls(), shop.quota_violations()), (4, 0));
}

#[tokio::test]
async fn going_over_the_quota_revokes_the_key() {
    let shop = open(ShopPlan { quota: vec![(2, Duration::from_secs(3600))], ..ShopPlan::default() });
    for expected in [200, 200, 403, 403] {
        assert_eq!(ask(&shop, "/stock", Some("demo-key")).await.expect("answers").0.as_u16(), expected);
    }
    assert_eq!((shop.quota_violations(), shop.most_calls_in(Duration::from_secs(3600))), (2, 4));
}

#[tokio::test]
async fn transactions_come_newest_first_in_pages() {
    let shop = open(ShopPlan { sales_today: 25, ..ShopPlan::default() });
    let day = "/transactions?start=2026-11-23&end=2026-11-23&limit=10";
    let first = rows(&shop, &format!("{day}&page=1")).await;
    let last = rows(&shop, &format!("{day}&page=3")).await;
    assert_eq!((&first["total"], &first["total_page"]), (&Value::from(25), &Value::from(3)));
    assert_eq!(last["data"].as_array().map(Vec::len), Some(5));
    assert!(first["data"][0]["timestamp"].as_str() > last["data"][4]["timestamp"].as_str());
    assert_eq!(first["data"][0]["_id"], shop.sales()[0].as_str());
    assert_eq!(rows(&shop, "/transactions?start=2026-11-24&end=2026-11-25").await["total"], 0);
}

#[tokio::test]
async fn stock_is_found_whole_by_page_by_term_and_by_id() {
    let shop = open(ShopPlan { products: 40, ..ShopPlan::default() });
    let whole = rows(&shop, "/stock").await;
    assert_eq!((whole["data"].as_array().map(Vec::len), &whole["total"]), (Some(40), &Value::Null));
    assert_eq!(rows(&shop, "/stock/pagination?page=2&limit=30").await["data"].as_array().map(Vec::len), Some(10));
    assert_eq!(rows(&shop, "/stock/pagination?term=pk66000007").await["data"][0]["code"], "PK66000007");
    assert_eq!(rows(&shop, "/stock/pagination?term=%E0%B9%84%E0%B8%82%E0%B9%88").await["total"], 2, "ไข่");
    let id = &shop.products()[3];
    assert_eq!(rows(&shop, &format!("/stock/{id}")).await["data"][0]["_id"], id.as_str());
}

#[tokio::test]
async fn a_credit_moves_between_the_lists_that_are_asked_for() {
    let shop = open(ShopPlan { credits: 0, ..ShopPlan::default() });
    let line = Line { product: shop.products()[0].clone(), quantity: 1.into() };
    let lent = shop.lend(&[line]).expect("is on the shelf");
    let lists = ["period=IN_OF_PERIOD&status=pending", "period=OUT_OF_PERIOD&status=pending", "period=ALL&status=paid"];
    let found = async || {
        let mut found = Vec::new();
        for list in lists {
            found.push(rows(&shop, &format!("/credit?{list}")).await["total"].as_u64().expect("is a number"));
        }
        found
    };
    assert_eq!(found().await, [1, 0, 0]);
    shop.let_fall_due(&lent.id).expect("is pending");
    assert_eq!(found().await, [0, 1, 0]);
    shop.pay(&lent.id).expect("is pending");
    assert_eq!(found().await, [0, 0, 1]);
    let row = &rows(&shop, "/credit?period=ALL&status=paid").await["data"][0];
    assert_eq!((&row["status"], &row["balance"], &row["total_paid"]), (&"paid".into(), &0.into(), &row["grand_total"]));
}

#[tokio::test]
async fn a_fault_spoils_the_next_calls_of_its_resource_only() {
    let shop = open(ShopPlan::default());
    let stock = async || ask(&shop, "/stock", Some("demo-key")).await;
    for fault in [Fault::Status(500), Fault::Status(429), Fault::Html, Fault::CutOff, Fault::SuccessZero] {
        shop.fail_next(Resource::Stock, fault, 1);
    }
    assert_eq!(rows(&shop, "/credit").await["success"], 1);
    assert_eq!(stock().await.expect("answers").0.as_u16(), 500);
    let (status, text) = stock().await.expect("answers");
    assert_eq!((status.as_u16(), text.as_str()), (429, r#"{"message":"API rate limit exceeded"}"#));
    assert!(stock().await.expect("answers").1.starts_with("<html>"));
    let (status, text) = stock().await.expect("answers");
    assert!(status.is_success() && serde_json::from_str::<Value>(&text).is_err_and(|error| error.is_eof()));
    assert!(stock().await.expect("answers").1.contains(r#""success":0"#));
    shop.fail_next(Resource::Stock, Fault::EmptyList, 1);
    assert_eq!(rows(&shop, "/stock").await["data"], Value::Array(Vec::new()));
    shop.fail_next(Resource::Stock, Fault::WrongShape, 1);
    assert!(rows(&shop, "/stock").await["data"][0]["phonenumber"].is_string(), "members instead of products");
    shop.fail_next(Resource::Stock, Fault::HangUp, 1);
    assert!(stock().await.is_err(), "a broken connection is no answer");
    shop.fail_next(Resource::Stock, Fault::Redirect, 1);
    assert_eq!(stock().await.expect("answers").0, StatusCode::FOUND);
    shop.fail_next(Resource::Stock, Fault::Slow(Duration::from_millis(50)), 1);
    rows(&shop, "/stock").await;
}

#[tokio::test]
async fn a_dropped_shop_answers_no_more() {
    let shop = open(ShopPlan::default());
    let (client, url) = (client(), format!("{}/stock", shop.base_url()));
    let ask = async || client.get(&url).header("apikey", "demo-key").send().await;
    ask().await.expect("answers").text().await.expect("is whole");
    drop(shop);
    // The server notices the drop on its next turn; until then it may still answer.
    while ask().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
