//! What the captured answers become.

use posbell::domain::model::{CreditStatus, PaymentKind, SaleStatus};
use posbell::edge::pospos::Period;
use posbell::edge::pospos::quota::Urgency;

use super::{KEY, Matcher, day, settings, shop, shop_with};

const TRANSACTIONS: &str = include_str!("../fixtures/api/transactions.json");
const STOCK: &str = include_str!("../fixtures/api/stock.json");
const STOCK_PACKED: &[u8] = include_bytes!("../fixtures/api/stock.json.gz");
const CREDIT: &str = include_str!("../fixtures/api/credit.json");

fn query(pairs: &[(&str, &str)]) -> Matcher {
    Matcher::AllOf(pairs.iter().map(|&(k, v)| Matcher::UrlEncoded(k.to_owned(), v.to_owned())).collect())
}

#[tokio::test]
async fn a_captured_sale_keeps_every_field_and_digit() {
    let mut server = mockito::Server::new_async().await;
    let pairs = [("page", "1"), ("limit", "2"), ("start", "2025-09-01"), ("end", "2025-09-03")];
    let mock = server.mock("GET", "/developer/api/transactions").match_query(query(&pairs));
    let mock = mock.match_header("apikey", KEY).match_header("authorization", Matcher::Missing);
    let mock = mock.with_body(TRANSACTIONS).expect(1).create_async().await;
    let shop = shop(&format!("{}/developer/api/", server.url()));
    let sales = shop.pospos.sales(day("2025-09-01"), day("2025-09-03"), Urgency::Sales).await.unwrap();
    mock.assert_async().await;
    assert_eq!(sales.unreadable(), 0);
    let [sale, cancelled] = sales.rows() else { panic!("two sales") };
    assert_eq!(
        serde_json::to_string(sale).unwrap(),
        concat!(
            r#"{"id":"68b7fd1d0000000000000001","code":"TR68017651","receipt":"ST68017651","status":"success","#,
            r#""sold_at":"2025-09-03T08:32:27.270Z","cancelled_at":null,"subtotal":2641,"discount":0,"total":2641,"#,
            r#""currency":"THB","comment":null,"staff":"Front Desk","member":{"code":"M000204","name":"Somchai"},"#,
            r#""payments":[{"kind":"transfer","code":4,"amount":2641,"tendered":2641}],"lines":["#,
            r#"{"product_code":"PK64000161","name":"Feed 120","quantity":4,"unit_price":630,"unit_discount":10,"#,
            r#""total":2480,"notes":["note"]},"#,
            r#"{"product_code":"PK66000904","name":"Pork belly","quantity":1.01,"unit_price":159,"unit_discount":0,"#,
            r#""total":161,"notes":[]}]}"#,
        )
    );
    assert_eq!(cancelled.status, SaleStatus::Cancelled);
    assert_eq!(cancelled.cancelled_at.unwrap().to_rfc3339(), "2025-09-03T04:03:43.834+00:00");
    assert_eq!((cancelled.comment.as_deref(), &cancelled.member), (Some("stock adjust"), &None));
    assert_eq!(cancelled.total.unwrap().to_string(), "161.10");
    let [payment] = cancelled.payments.as_slice() else { panic!("one payment") };
    let money = |money: Option<posbell::domain::model::Money>| money.unwrap().to_string();
    assert_eq!(payment.kind, PaymentKind::Cash);
    assert_eq!((money(payment.amount), money(payment.tendered)), ("161.10".to_owned(), "200".to_owned()));
}

#[tokio::test]
async fn a_product_is_read_as_far_as_it_is_known() {
    let mut server = mockito::Server::new_async().await;
    let mock = server.mock("GET", "/stock/pagination").match_query(query(&[("page", "1"), ("limit", "200")]));
    let _mock = mock.with_body(STOCK).create_async().await;
    let mut settings = settings(&server.url());
    settings.page_size = 200;
    let shop = shop_with(settings, "1000/1ms");
    let stock = shop.pospos.stock_whole(Urgency::Sweep).await.unwrap();
    let [seen, guessed] = stock.rows() else { panic!("two products") };
    assert_eq!(
        serde_json::to_string(&seen.product).unwrap(),
        concat!(
            r#"{"id":"600c45c60000000000000004","code":"PK64000158","name":"Feed 105","barcode":null,"#,
            r#""category":"อาหารสัตว์","unit":"กระสอบ","price":null,"cost":737,"quantity":null,"#,
            r#""updated_at":"2025-10-01T05:04:59.197Z"}"#,
        )
    );
    assert_eq!((seen.min_stock, seen.deleted), (None, false));
    assert_eq!(
        serde_json::to_string(&guessed.product).unwrap(),
        concat!(
            r#"{"id":"600c45c60000000000000008","code":"PK64000159","name":"Pork belly","barcode":"8850000000001","#,
            r#""category":null,"unit":null,"price":159.50,"cost":null,"quantity":-1.01,"#,
            r#""updated_at":"2025-10-01T05:04:59Z"}"#,
        )
    );
    assert_eq!((guessed.min_stock, guessed.deleted), (Some(24.into()), true));
}

#[tokio::test]
async fn a_packed_answer_is_unpacked() {
    let mut server = mockito::Server::new_async().await;
    let mock =
        server.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_header("content-encoding", "gzip");
    let _mock = mock.with_body(STOCK_PACKED).create_async().await;
    let mut settings = settings(&server.url());
    settings.page_size = 200;
    assert_eq!(shop_with(settings, "1000/1ms").pospos.stock_whole(Urgency::Sweep).await.unwrap().rows().len(), 2);
}

#[tokio::test]
async fn a_credit_is_what_was_asked_for() {
    let mut server = mockito::Server::new_async().await;
    let mut mocks = Vec::new();
    for (period, status) in [("OUT_OF_PERIOD", "pending"), ("IN_OF_PERIOD", "pending"), ("ALL", "paid")] {
        let mock = server.mock("GET", "/credit").match_query(query(&[("period", period), ("status", status)]));
        mocks.push(mock.with_body(CREDIT).expect(1).create_async().await);
    }
    let shop = shop(&server.url());
    let read = async |period, status| {
        let whole = shop.pospos.credit(period, status, day("2025-09-08"), Urgency::Refresh).await.unwrap();
        whole.rows()[0].clone()
    };
    let overdue = read(Period::OutOfPeriod, CreditStatus::Pending).await;
    assert_eq!(
        serde_json::to_string(&overdue).unwrap(),
        concat!(
            r#"{"id":"68b000000000000000000001","code":"CR68000001","sale_code":"TR68017001","#,
            r#""customer":{"code":"M000204","name":"Somchai","phone":"0800000000"},"amount":1500.50,"paid":500,"#,
            r#""balance":1000.50,"issued_at":"2025-08-01T03:00:00Z","due_at":"2025-08-31T17:00:00Z","#,
            r#""days_overdue":7,"status":"pending","overdue":true}"#,
        )
    );
    let pending = read(Period::InOfPeriod, CreditStatus::Pending).await;
    assert_eq!((pending.overdue, pending.days_overdue, pending.status), (false, None, Some(CreditStatus::Pending)));
    let paid = read(Period::All, CreditStatus::Paid).await;
    assert_eq!((paid.overdue, paid.days_overdue, paid.status), (false, None, Some(CreditStatus::Paid)));
    for mock in mocks {
        mock.assert_async().await;
    }
}

#[tokio::test]
async fn extra_parameters_go_to_their_resource_alone() {
    let mut server = mockito::Server::new_async().await;
    let extra = query(&[("dbname", "0000000000000")]);
    let with = server.mock("GET", "/credit").match_query(extra).with_body(CREDIT).expect(1).create_async().await;
    let without = server.mock("GET", "/stock/pagination").match_query(Matcher::Exact("limit=200&page=1".to_owned()));
    let without = without.with_body(STOCK).expect(1).create_async().await;
    let mut settings = settings(&server.url());
    settings.page_size = 200;
    settings.extra_query.insert("credit".to_owned(), vec![("dbname".to_owned(), "0000000000000".to_owned())]);
    let shop = shop_with(settings, "1000/1ms");
    shop.pospos.credit(Period::All, CreditStatus::Pending, day("2025-09-08"), Urgency::Refresh).await.unwrap();
    shop.pospos.stock_whole(Urgency::Sweep).await.unwrap();
    with.assert_async().await;
    without.assert_async().await;
}
