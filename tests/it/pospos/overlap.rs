//! Lists that are read in windows, from a server that may cap, ignore or move.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mockito::{Matcher, ServerGuard};
use posbell::domain::model::{EntityId, Resource};
use posbell::domain::rhythm::stock_way::StockWay;
use posbell::edge::pospos::quota::Urgency;
use posbell::edge::pospos::{Question, ReadError};

use super::{Shop, settings, shop_with};

/// How the server takes what it is asked.
#[derive(Debug, Clone, Copy)]
struct Server {
    cap: usize,
    ignores_limit: bool,
    ignores_page: bool,
    tells_total: bool,
}

const HONEST: Server = Server { cap: 1_000_000, ignores_limit: false, ignores_page: false, tells_total: true };

/// What was asked: pages and their lengths.
type Asked = Arc<Mutex<Vec<(usize, usize)>>>;

/// A server over `rows`, which `moves` changes before each answer but the first; the number of the answer is its argument.
async fn serve(
    server: Server,
    mut rows: Vec<u32>,
    moves: impl Fn(usize, &mut Vec<u32>) + Send + Sync + 'static,
) -> (ServerGuard, Asked) {
    let mut guard = mockito::Server::new_async().await;
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    let list = Mutex::new(std::mem::take(&mut rows));
    let answer = move |request: &mockito::Request| {
        let url: url::Url = format!("http://x{}", request.path_and_query()).parse().unwrap();
        let number = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.parse::<usize>().unwrap();
        let (page, limit) = (number("page"), number("limit"));
        let mut log = log.lock().unwrap();
        log.push((page, limit));
        let mut list = list.lock().unwrap();
        moves(log.len(), &mut list);
        let limit = if server.ignores_limit { server.cap } else { limit.min(server.cap) };
        let start = if server.ignores_page { 0 } else { (page - 1) * limit };
        let row = |id: &u32| format!(r#"{{"_id":"{id}","code":"PK{id}"}}"#);
        let data: Vec<String> = list.iter().skip(start).take(limit).map(row).collect();
        let total = if server.tells_total { format!(r#","total":{}"#, list.len()) } else { String::new() };
        format!(r#"{{"success":1,"data":[{}]{total}}}"#, data.join(",")).into_bytes()
    };
    let mock = guard.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_body_from_request(answer);
    mock.create_async().await;
    (guard, asked)
}

fn shop_of(guard: &ServerGuard, page_size: u32) -> Shop {
    let mut settings = settings(&guard.url());
    settings.page_size = page_size;
    settings.body_limit = 10_000_000;
    shop_with(settings, "100000/1h")
}

fn left(shop: &Shop) -> usize {
    shop.pospos.governor().left()[0].1 as usize
}

/// Reads all products; their ids in the order of the numbers, and what was asked for.
async fn read(
    server: Server,
    rows: impl Iterator<Item = u32>,
    page_size: u32,
    moves: impl Fn(usize, &mut Vec<u32>) + Send + Sync + 'static,
) -> (Result<BTreeSet<u32>, ReadError>, Vec<(usize, usize)>) {
    let (guard, asked) = serve(server, rows.collect(), moves).await;
    let shop = shop_of(&guard, page_size);
    let before = left(&shop);
    let read = shop.pospos.stock_whole(Urgency::Sweep).await;
    let asked = asked.lock().unwrap().clone();
    assert_eq!(before - left(&shop), asked.len(), "one permit for each request");
    let id = |row: &posbell::domain::model::StockRow| row.product.id.as_str().parse().unwrap();
    (read.map(|whole| whole.rows().iter().map(id).collect()), asked)
}

fn still(_: usize, _: &mut Vec<u32>) {}

#[tokio::test]
async fn each_window_overlaps_the_one_before() {
    let (read, mut asked) = read(HONEST, 0..500, 50, still).await;
    assert_eq!(read.unwrap().len(), 500);
    asked.sort_by_key(|(page, limit)| (page - 1) * limit);
    assert_eq!(&asked[..3], [(1, 50), (2, 49), (3, 48)]);
    for pair in asked.windows(2) {
        let [(page, limit), (next_page, next_limit)] = [pair[0], pair[1]];
        assert!((next_page - 1) * next_limit < page * limit, "{pair:?}");
    }
}

#[tokio::test]
async fn a_server_that_caps_is_asked_for_what_it_gives() {
    let (read, asked) = read(Server { cap: 20, ..HONEST }, 0..100, 50, still).await;
    assert_eq!(read.unwrap().len(), 100);
    assert!(asked[0] == (1, 50) && asked[1..].iter().all(|(_, limit)| *limit <= 20), "{asked:?}");
}

#[tokio::test]
async fn a_server_with_a_length_of_its_own_is_read_in_its_pages() {
    for tells_total in [true, false] {
        for (length, calls) in [(500, 3), (400, 2), (300, 3)] {
            let server = Server { cap: 200, ignores_limit: true, tells_total, ..HONEST };
            let (read, asked) = read(server, 0..length, 200, still).await;
            assert_eq!(read.unwrap().len(), length as usize, "{asked:?}");
            assert!(asked.len() <= calls + usize::from(!tells_total), "{tells_total} {length}: {asked:?}");
        }
    }
    let server = Server { cap: 200, ignores_limit: true, tells_total: false, ..HONEST };
    let (read, asked) = read(server, 0..200, 200, still).await;
    assert_eq!((read.unwrap().len(), asked.len()), (200, 4), "one full page, and nothing says so");
}

#[tokio::test]
async fn a_server_that_ignores_the_page_is_left() {
    let server = Server { ignores_page: true, ..HONEST };
    let (short, asked) = read(server, 0..90, 30, still).await;
    assert!(matches!(short, Err(ReadError::Incomplete { read: 30, total: Some(90), .. })), "{short:?}");
    assert_eq!(asked.len(), 3);
    let (all, asked) = read(Server { tells_total: false, cap: 300, ..server }, 0..300, 300, still).await;
    assert_eq!((all.unwrap().len(), asked.len()), (300, 3));
}

#[tokio::test]
async fn a_row_between_two_pages_is_not_skipped_though_the_total_stays() {
    for tells_total in [true, false] {
        // Of those that were read already one goes, and another comes at the end.
        let (read, _) = read(Server { tells_total, ..HONEST }, 0..200, 50, |answer, rows| {
            if answer > 1 {
                rows.remove(0);
                rows.push(1_000 + answer as u32);
            }
        })
        .await;
        let read = read.unwrap();
        assert!((0..200).all(|row| read.contains(&row)), "{read:?}");
    }
}

#[tokio::test]
async fn what_was_entered_at_the_top_is_fetched_at_the_end() {
    let (read, asked) = read(HONEST, 0..100, 50, |answer, rows| {
        if answer == 2 {
            rows.insert(0, 1_000);
        }
    })
    .await;
    assert!(read.unwrap().contains(&1_000));
    assert_eq!(asked.last(), Some(&(1, 50)));
}

#[tokio::test]
async fn a_list_that_shrinks_to_nothing_ends() {
    let (read, asked) = read(HONEST, 0..1_000, 50, |answer, rows| {
        if answer > 1 {
            rows.truncate(10);
        }
    })
    .await;
    assert_eq!(read.unwrap().len(), 50, "{asked:?}");
    assert!(asked.len() < 12, "{asked:?}");
}

#[tokio::test]
async fn a_total_that_is_never_reached_is_refused() {
    let (guard, _) = serve(Server { tells_total: false, ..HONEST }, Vec::new(), still).await;
    let mut guard = guard;
    guard.reset();
    let body = super::products("abcdefghijklmnopqrst", r#","total":21"#);
    guard.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_body(body).create_async().await;
    let error = shop_of(&guard, 20).pospos.stock_whole(Urgency::Sweep).await.unwrap_err();
    assert!(
        matches!(error, ReadError::Incomplete { resource: Resource::Stock, read: 20, total: Some(21) }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_large_list_of_known_rows_is_counted_and_never_held() {
    let (guard, asked) = serve(HONEST, (0..20_000).collect(), still).await;
    let shop = shop_of(&guard, 1_000);
    let new = EntityId::new("12345").unwrap();
    let mut list = shop.pospos.stock(StockWay::Pages, |id, _| *id != new, Urgency::Sweep);
    let mut fresh = Vec::new();
    while let Some(page) = list.next().await.unwrap() {
        assert!(page.len() <= 500, "no more than a part of a page is handed out at once");
        fresh.extend(page);
    }
    assert_eq!((list.rows(), list.unreadable(), list.has_seen("19999")), (20_000, 0, true));
    assert_eq!((fresh.len(), &fresh[0].id), (1, &new));
    assert_eq!(asked.lock().unwrap().len(), 21);
}

#[tokio::test]
async fn a_failed_reading_does_not_end_as_if_it_were_whole() {
    let mut guard = mockito::Server::new_async().await;
    guard.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_status(500).create_async().await;
    let shop = shop_of(&guard, 20);
    let mut list = shop.pospos.stock(StockWay::Pages, |_, _| false, Urgency::Sweep);
    assert!(matches!(list.next().await, Err(ReadError::Status(500))));
    assert!(matches!(list.next().await, Err(ReadError::Incomplete { .. })));
}

#[tokio::test]
async fn a_person_gets_the_rows_as_they_were_written() {
    let mut guard = mockito::Server::new_async().await;
    let body = r#"{"success":1,"data":[{"_id":"a", "x" : 1.50},7],"total":2}"#;
    let query = Matcher::Exact("term=a%26b&start_date=2026-01-01&limit=20&page=1".to_owned());
    guard.mock("GET", "/buy-document").match_query(query).with_body(body).expect(1).create_async().await;
    let shop = shop_of(&guard, 20);
    let (term, start) = ("a&b".to_owned(), "2026-01-01".to_owned());
    let question = Question::BuyDocuments { term, start, end: String::new() };
    let mut list = shop.pospos.raw(&question, Urgency::Person);
    let rows: Vec<String> = list.next().await.unwrap().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(rows, [r#"{"_id":"a", "x" : 1.50}"#, "7"]);
    assert!(list.next().await.unwrap().is_none());
}

#[tokio::test]
async fn one_product_is_found_in_any_form_or_there_is_none() {
    let check = async |status: usize, data: &str, want: Result<bool, ()>| {
        let mut guard = mockito::Server::new_async().await;
        let body = format!(r#"{{"success":1,"data":{data}}}"#);
        // What a person types cannot become another address.
        let mock = guard.mock("GET", "/stock/a%2Fb%3Fc").match_query(Matcher::Missing).with_status(status);
        let mock = mock.with_body(body).expect(1).create_async().await;
        let found = shop_of(&guard, 20).pospos.product(&EntityId::new("a/b?c").unwrap(), Urgency::Refresh).await;
        assert_eq!(found.as_ref().map(Option::is_some).map_err(drop), want, "{data} {found:?}");
        mock.assert_async().await;
    };
    check(200, r#"{"_id":"a/b?c","code":"1"}"#, Ok(true)).await;
    check(200, r#"[{"_id":"a/b?c","code":"1"}]"#, Ok(true)).await;
    check(200, "[]", Ok(false)).await;
    check(200, "null", Ok(false)).await;
    check(404, "null", Ok(false)).await;
    check(200, r#"[{"_id":"other","code":"1"}]"#, Err(())).await;
    check(500, "null", Err(())).await;
}
