//! When a list is read to its end, and when it is not whole.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use mockito::{Matcher, ServerGuard};
use posbell::domain::model::{CreditStatus, EntityId, Resource, Whole};
use posbell::edge::pospos::quota::Urgency;
use posbell::edge::pospos::{Period, ReadError};

use super::{day, page, products, settings, shop, shop_with};

const PATH: &str = "/stock/pagination";

/// Reads products of two a page from a server that gives these answers one after the other, and says which pages
/// were asked for.
async fn read(answers: &[(&str, &str)]) -> (String, Result<Whole<char>, ReadError>) {
    let mut server = mockito::Server::new_async().await;
    let bodies: Vec<_> = answers.iter().map(|(ids, rest)| products(ids, rest)).collect();
    let asked = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let (count, log) = (AtomicUsize::new(0), asked.clone());
    let answer = move |request: &mockito::Request| {
        let page = request.path_and_query().rsplit_once("page=").expect("asks for a page").1.to_owned();
        log.lock().unwrap().push_str(&page);
        let n = count.fetch_add(1, Ordering::SeqCst);
        bodies.get(n).expect("no more pages are asked for").clone().into_bytes()
    };
    let mock = server.mock("GET", PATH).match_query(Matcher::Any).with_body_from_request(answer);
    let _mock = mock.create_async().await;
    let stock = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await;
    let id = |row: &posbell::domain::model::StockRow| row.product.id.as_str().chars().next().unwrap();
    let stock = stock.map(|whole| Whole::vouch(whole.rows().iter().map(id).collect(), whole.unreadable()));
    let asked = asked.lock().unwrap().clone();
    (asked, stock)
}

async fn whole(answers: &[(&str, &str)], pages: &str, want: &str) {
    let (asked, stock) = read(answers).await;
    let stock: String = stock.expect("is whole").into_rows().into_iter().collect();
    assert_eq!((asked.as_str(), stock.as_str()), (pages, want), "{answers:?}");
}

async fn incomplete(answers: &[(&str, &str)], pages: &str, want: (u64, Option<u64>)) {
    let (asked, stock) = read(answers).await;
    match stock {
        Err(ReadError::Incomplete { resource: Resource::Stock, read, total }) => {
            assert_eq!((asked.as_str(), (read, total)), (pages, want), "{answers:?}");
        }
        other => panic!("{answers:?}: {other:?}"),
    }
}

const FOUR: &str = r#","total":4,"total_page":2"#;
const FIVE: &str = r#","total":5,"total_page":3"#;

#[tokio::test]
async fn every_page_is_read_and_no_more() {
    whole(&[("ab", FOUR), ("cd", FOUR)], "12", "abcd").await;
    whole(&[("ab", ""), ("cd", ""), ("e", "")], "123", "abcde").await;
    whole(&[("ab", ""), ("", "")], "12", "ab").await;
    whole(&[("", r#","total":0,"total_page":0"#)], "1", "").await;
    whole(&[("", "")], "1", "").await;
}

#[tokio::test]
async fn a_list_that_ignores_the_page_ends() {
    whole(&[("ab", ""), ("ab", "")], "12", "ab").await;
    whole(&[("abcde", ""), ("abcde", "")], "12", "abcde").await;
    whole(&[("abcde", r#","total":5"#)], "1", "abcde").await;
}

#[tokio::test]
async fn a_list_that_moved_is_read_once_more() {
    // `b` was deleted after the first page, so `c` was skipped. It was seen all the same: the next pass misses it.
    let three = r#","total":3,"total_page":2"#;
    whole(&[("ab", FOUR), ("d", three), ("ac", three), ("d", three)], "1212", "abdc").await;
    // One came and one went: only the count tells.
    whole(&[("ab", FOUR), ("bd", FOUR), ("xa", FOUR), ("cd", FOUR)], "1212", "abdxc").await;
}

#[tokio::test]
async fn a_list_that_only_grows_is_believed() {
    let grows = [("ab", FOUR), ("bc", FIVE), ("d", FIVE)];
    let again = [("xa", FIVE), ("ab", r#","total":6,"total_page":3"#), ("cd", r#","total":6,"total_page":3"#)];
    whole(&[grows, again].concat(), "123123", "abcdx").await;
}

#[tokio::test]
async fn a_list_that_is_short_twice_is_refused() {
    incomplete(&[("ab", FOUR), ("c", FOUR), ("ab", FOUR), ("c", FOUR)], "1212", (3, Some(4))).await;
    incomplete(&[("ab", FOUR), ("d", r#","total":3"#), ("ab", FOUR), ("d", r#","total":3"#)], "1212", (3, None)).await;
    incomplete(&[("a", r#","total":2"#), ("", ""), ("a", r#","total":2"#), ("", "")], "1212", (1, Some(2))).await;
    // It says that there are three pages, and gives the first again for the second.
    let again = ("ab", r#","total_page":3"#);
    incomplete(&[again, again, again, again], "1212", (2, None)).await;
}

#[tokio::test]
async fn a_failed_page_fails_the_list() {
    let mut server = mockito::Server::new_async().await;
    let _one = page(&mut server, PATH, 1, &products("ab", FIVE), 1).await;
    let _two = page(&mut server, PATH, 2, "<html>", 1).await;
    let error = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await.unwrap_err();
    assert_eq!(error.to_string(), "stock, page 2: the answer is a web page, not data; check base_url");
}

#[tokio::test]
async fn a_row_that_stands_twice_in_one_answer_is_one_and_where_the_two_differ_nobody_knows_which_is_so() {
    for (second, rows, unreadable) in [(5, 2, 0), (4, 1, 1)] {
        let mut server = mockito::Server::new_async().await;
        let body = format!(
            r#"{{"success":1,"data":[{{"_id":"a","code":"1","stock":5}},{{"_id":"b","code":"2"}},{{"_id":"a","code":"1","stock":{second}}}],"total":2}}"#
        );
        let _one = page(&mut server, PATH, 1, &body, 1).await;
        let stock = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await.unwrap();
        assert_eq!((stock.rows().len(), stock.unreadable()), (rows, unreadable), "{second}");
    }
}

#[tokio::test]
async fn a_row_that_stands_on_two_pages_is_one_and_read_last() {
    let mut server = mockito::Server::new_async().await;
    let row = |id: &str, left: u32| format!(r#"{{"_id":"{id}","code":"{id}","stock":{left}}}"#);
    let answer = |rows: [String; 2]| format!(r#"{{"success":1,"data":[{}],"total":3}}"#, rows.join(","));
    let _one = page(&mut server, PATH, 1, &answer([row("a", 5), row("b", 1)]), 1).await;
    let _two = page(&mut server, PATH, 2, &answer([row("a", 4), row("c", 1)]), 1).await;
    let stock = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await.unwrap();
    assert_eq!((stock.rows().len(), stock.rows()[0].product.quantity), (3, Some(4.into())));
}

#[tokio::test]
async fn an_unreadable_row_is_counted_and_not_missed() {
    let mut server = mockito::Server::new_async().await;
    let body =
        r#"{"success":1,"data":[{"_id":"a","code":"1"},{"_id":"b","code":"2","stock":1E400},{"code":"3"}],"total":3}"#;
    let _one = page(&mut server, PATH, 1, body, 1).await;
    let stock = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await.unwrap();
    assert_eq!((stock.rows().len(), stock.unreadable()), (1, 2));
}

async fn credits(server: &mut ServerGuard, pages: &[(&str, usize)], rest: &str) -> Vec<mockito::Mock> {
    let mut mocks = Vec::new();
    for (number, (ids, times)) in (1..).zip(pages) {
        mocks.push(page(server, "/credit", number, &products(ids, rest), *times).await);
    }
    mocks
}

#[tokio::test]
async fn paid_credits_are_looked_for_no_further_than_needed() {
    let wanted = |ids: &str| ids.chars().map(|id| EntityId::new(id).unwrap()).collect::<BTreeSet<_>>();
    let check = async |ids: &str, pages: &[(&str, usize)], want: &str| {
        let mut server = mockito::Server::new_async().await;
        let mocks = credits(&mut server, pages, r#","total":5,"total_page":3"#).await;
        let found =
            shop(&server.url()).pospos.credit_find(&wanted(ids), day("2025-09-08"), Urgency::Refresh).await.unwrap();
        assert_eq!(found.found.keys().map(EntityId::as_str).collect::<String>(), want);
        assert_eq!((found.unreadable, found.nameless), (BTreeSet::new(), 0));
        for mock in mocks {
            mock.assert_async().await;
        }
    };
    check("", &[("ab", 0), ("cd", 0), ("e", 0)], "").await;
    check("b", &[("ab", 1), ("cd", 0), ("e", 0)], "b").await;
    check("ac", &[("ab", 1), ("cd", 1), ("e", 0)], "ac").await;
    check("ax", &[("ab", 1), ("cd", 1), ("e", 1)], "a").await;
}

#[tokio::test]
async fn an_unreadable_credit_is_said_to_be_there() {
    let mut server = mockito::Server::new_async().await;
    let id = |id: &str| EntityId::new(id).unwrap();
    let garbled = r#"{"_id":"b","grand_total":1E400}"#;
    let first = format!(r#"{{"success":1,"data":[{{"_id":"a","code":"1"}},{garbled}],"total":4,"total_page":2}}"#);
    let last = r#"{"success":1,"data":[{"_id":"c","grand_total":1E400},{"code":"4"}],"total":4,"total_page":2}"#;
    let _first = page(&mut server, "/credit", 1, &first, 3).await;
    let _last = page(&mut server, "/credit", 2, last, 2).await;
    let shop = shop(&server.url());
    let (today, urgency) = (day("2025-09-08"), Urgency::Sweep);

    let list = shop.pospos.credit(Period::All, CreditStatus::Pending, today, urgency).await.unwrap();
    assert_eq!((list.rows().len(), list.unreadable(), list.nameless()), (1, 3, 1));
    assert_eq!(*list.unreadable_ids(), [id("b"), id("c")].into());

    let wanted = ["a", "b", "x"].map(id).into();
    let found = shop.pospos.credit_find(&wanted, today, urgency).await.unwrap();
    assert_eq!(found.found.into_keys().collect::<Vec<_>>(), [id("a")]);
    assert_eq!((found.unreadable, found.nameless), ([id("b")].into(), 1));

    // No further than needed: nobody waits for one that is there and cannot be read.
    let found = shop.pospos.credit_find(&["a", "b"].map(id).into(), today, urgency).await.unwrap();
    assert_eq!((found.found.len(), found.unreadable, found.nameless), (1, [id("b")].into(), 0));
}

#[tokio::test]
async fn a_paid_credit_at_the_end_of_a_long_page_is_found() {
    let mut server = mockito::Server::new_async().await;
    let rows: Vec<String> = (1..=1000).map(|n| format!(r#"{{"_id":"{n}","code":"{n}"}}"#)).collect();
    let body = format!(r#"{{"success":1,"data":[{}],"total":1000,"total_page":1}}"#, rows.join(","));
    let _page = page(&mut server, "/credit", 1, &body, 1).await;
    let wanted = BTreeSet::from([EntityId::new("1000").unwrap()]);
    let found = shop(&server.url()).pospos.credit_find(&wanted, day("2025-09-08"), Urgency::Sweep).await.unwrap();
    assert!(found.found.keys().eq(&wanted), "it came with the first rows of the page and was not understood yet");
}

#[tokio::test]
async fn a_credit_that_comes_twice_is_as_unreadable_as_it_came_last() {
    let id = |id: &str| EntityId::new(id).unwrap();
    for (first, last, want) in [("", r#","grand_total":1E400"#, vec![id("a")]), (r#","grand_total":1E400"#, "", vec![])]
    {
        let mut server = mockito::Server::new_async().await;
        let row = |rest: &str| format!(r#"{{"_id":"a","code":"1"{rest}}}"#);
        let body =
            |rows: [String; 2]| format!(r#"{{"success":1,"data":[{}],"total":3,"total_page":2}}"#, rows.join(","));
        let [b, c] = ["b", "c"].map(|id| format!(r#"{{"_id":"{id}","code":"2"}}"#));
        let _first = page(&mut server, "/credit", 1, &body([row(first), b]), 1).await;
        let _last = page(&mut server, "/credit", 2, &body([row(last), c]), 1).await;
        let (today, pending) = (day("2025-09-08"), CreditStatus::Pending);
        let list = shop(&server.url()).pospos.credit(Period::All, pending, today, Urgency::Sweep).await.unwrap();
        assert_eq!(list.unreadable_ids().iter().cloned().collect::<Vec<_>>(), want, "{first} {last}");
        assert_eq!((list.rows().len() + list.unreadable(), list.nameless()), (3, 0));
    }
}

#[tokio::test]
async fn a_paid_credit_that_may_have_been_skipped_is_not_said_to_be_missing() {
    let mut server = mockito::Server::new_async().await;
    let _mocks = credits(&mut server, &[("ab", 2), ("c", 2)], FOUR).await;
    let wanted = BTreeSet::from([EntityId::new("x").unwrap()]);
    let error = shop(&server.url()).pospos.credit_find(&wanted, day("2025-09-08"), Urgency::Refresh).await.unwrap_err();
    assert!(matches!(error, ReadError::Incomplete { read: 3, total: Some(4), .. }), "{error:?}");
}

#[tokio::test]
async fn a_large_list_is_read_in_the_pages_that_were_asked_for() {
    let mut server = mockito::Server::new_async().await;
    let query = Matcher::Exact("limit=1000&page=1".to_owned());
    let mock = server.mock("GET", PATH).match_query(query).with_body(products("abc", "")).expect(1);
    let mock = mock.create_async().await;
    let mut settings = settings(&server.url());
    settings.page_size = 1000;
    assert_eq!(shop_with(settings, "1000/1ms").pospos.stock_whole(Urgency::Sweep).await.unwrap().rows().len(), 3);
    mock.assert_async().await;
}

#[tokio::test]
async fn a_nameless_product_alone_on_the_last_page_does_not_stop_the_list() {
    let mut server = mockito::Server::new_async().await;
    let nameless = r#"{"success":1,"data":[{"_id":"c","code":"","name":"-"}],"total":3,"total_page":2}"#;
    let _first = page(&mut server, PATH, 1, &products("ab", r#","total":3,"total_page":2"#), 1).await;
    let _last = page(&mut server, PATH, 2, nameless, 1).await;
    let stock = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await.expect("is whole");
    assert_eq!((stock.rows().len(), stock.unreadable()), (2, 1));
}
