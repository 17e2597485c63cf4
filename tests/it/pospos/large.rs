//! What a large answer does to the others: one is held in memory at a time, in the whole process.

use std::time::Duration;

use posbell::domain::rhythm::stock_way::StockWay;
use posbell::edge::pospos::quota::Urgency;

use super::{Shop, products, settings, shop_with};

/// A list of three mebibytes in one answer, and more rows than are handed out at once.
fn large() -> String {
    let row = |number: usize| format!(r#"{{"_id":"{number}","code":"PK{number}","more":"{}"}}"#, "x".repeat(2_000));
    format!(r#"{{"success":1,"data":[{}]}}"#, (0..1_600).map(row).collect::<Vec<_>>().join(","))
}

async fn shop_of(body: String, timeout: Duration) -> ((mockito::ServerGuard, mockito::Mock), Shop) {
    let mut server = mockito::Server::new_async().await;
    let mock = server.mock("GET", "/stock").with_body(body).create_async().await;
    let settings = posbell::edge::pospos::PosposSettings { timeout, body_limit: 8 << 20, ..settings(&server.url()) };
    let shop = shop_with(settings, "1000/1ms");
    ((server, mock), shop)
}

#[tokio::test]
async fn of_two_large_answers_one_waits_for_the_other_longer_than_its_timeout() {
    const TIMEOUT: Duration = Duration::from_millis(1_500);
    let (_one, one) = shop_of(large(), TIMEOUT).await;
    let (_two, two) = shop_of(large(), TIMEOUT).await;
    let (_three, three) = shop_of(products("abc", ""), TIMEOUT).await;
    let mut first = one.pospos.stock(StockWay::Whole, |_, _| false, Urgency::Sweep);
    assert_eq!(first.next().await.unwrap().map(|rows| rows.len()), Some(500), "the rest of it is still held");
    let mut second = two.pospos.stock(StockWay::Whole, |_, _| false, Urgency::Sweep);
    {
        let mut waiting = std::pin::pin!(second.next());
        let waited = tokio::time::timeout(3 * TIMEOUT, &mut waiting).await;
        assert!(waited.is_err(), "it waits, and has not failed: {waited:?}");
        let small = three.pospos.stock(StockWay::Whole, |_, _| false, Urgency::Sweep).next().await;
        assert_eq!(small.unwrap().map(|rows| rows.len()), Some(3), "a small one waits for nothing");
        let mut rows = 500;
        while let Some(more) = first.next().await.unwrap() {
            rows += more.len();
        }
        assert_eq!(rows, 1_600);
        assert_eq!(waiting.await.unwrap().map(|rows| rows.len()), Some(500));
    }
    // Given up in the middle, it leaves its room to the next.
    drop(second);
    let mut third = one.pospos.stock(StockWay::Whole, |_, _| false, Urgency::Sweep);
    assert_eq!(third.next().await.unwrap().map(|rows| rows.len()), Some(500));
}
