//! Each way in which an answer can be none, told apart.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mockito::Matcher;
use posbell::domain::clock::apart;
use posbell::edge::pospos::quota::{BootClock, Urgency, Waiting};
use posbell::edge::pospos::{Malformed, Pospos, PosposSettings, ReadError, SettingsError, TransportError, WallClock};

use super::{KEY, day, governor, products, settings, shop, shop_by, shop_with};

const MEMBERS: &str = include_str!("../fixtures/api/members.json");
const TRANSACTIONS: &str = include_str!("../fixtures/api/transactions.json");
const STOCK_PACKED: &[u8] = include_bytes!("../fixtures/api/stock.json.gz");

/// The error of reading products from a server that answers with this.
async fn answered(status: usize, header: Option<(&str, &str)>, body: impl AsRef<[u8]>) -> ReadError {
    let mut server = mockito::Server::new_async().await;
    let mock = server.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_status(status).with_body(body);
    let mock = header.into_iter().fold(mock, |mock, (name, value)| mock.with_header(name, value)).expect(1);
    let mock = mock.create_async().await;
    let error = shop(&server.url()).pospos.stock_whole(Urgency::Sweep).await.unwrap_err();
    mock.assert_async().await;
    let told = format!("{error} {error:?}");
    assert!(!told.contains(KEY) && !told.contains(&server.url()), "{told}");
    error
}

/// Asks an address that is no HTTP server of ours.
async fn at(base_url: &str) -> TransportError {
    let mut settings = settings(base_url);
    settings.timeout = Duration::from_millis(300);
    match shop_with(settings, "1000/1ms").pospos.stock_whole(Urgency::Sweep).await {
        Err(ReadError::Unreachable(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A server that answers one request with these bytes, and then holds the connection or closes it.
fn raw_server(answer: &'static [u8], hold: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request);
        let _ = socket.write_all(answer);
        if hold {
            // Until the client closes.
            while matches!(socket.read(&mut request), Ok(1..)) {}
        }
    };
    std::thread::spawn(serve);
    port
}

#[tokio::test]
async fn a_refused_key_is_told_from_everything_else() {
    let gateway = r#"{"message":"No API key found in request"}"#;
    assert!(matches!(answered(401, None, gateway).await, ReadError::KeyRefused { status: 401 }));
    assert!(matches!(answered(403, None, " {} ").await, ReadError::KeyRefused { status: 403 }));
}

#[tokio::test]
async fn a_refusal_that_is_no_json_object_is_not_the_apis() {
    let long = format!(r#"{{"message":"{}"}}"#, " ".repeat(70_000));
    for body in ["", "<html><body>Access denied</body></html>", "null", r#""no""#, "[{}]", r#"{"message":"#, &long] {
        for status in [401, 403] {
            let error = answered(status.into(), None, body).await;
            assert!(matches!(error, ReadError::Blocked { status: got } if got == status), "{body:.40} {error:?}");
        }
    }
    let said = answered(403, None, "<html>").await.to_string();
    let want =
        "the API is unreachable: something in between answered 403 with a page that is not the API's (a firewall?)";
    assert_eq!(said, want);
}

/// A boot's clock that the test sets, in milliseconds. Whoever waits by it sets it himself.
struct Hand(AtomicU64);

impl Hand {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl BootClock for Hand {
    fn boot_id(&self) -> String {
        "one".to_owned()
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn wait(&self, duration: Duration) -> Waiting {
        self.0.fetch_add(duration.as_millis() as u64 + 1, Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

/// A server that answers with a firewall's page and 403 while `closed`, and counts the calls.
async fn firewall(closed: &Arc<AtomicBool>, calls: &Arc<AtomicU64>) -> (mockito::ServerGuard, mockito::Mock) {
    let mut server = mockito::Server::new_async().await;
    let (of_status, of_body, calls) = (Arc::clone(closed), Arc::clone(closed), Arc::clone(calls));
    let status = move |_: &mockito::Request| {
        calls.fetch_add(1, Ordering::Relaxed);
        if of_status.load(Ordering::Relaxed) { 403 } else { 200 }
    };
    let body = move |_: &mockito::Request| match of_body.load(Ordering::Relaxed) {
        true => b"<html>Access denied</html>".to_vec(),
        false => products("ab", r#","total":2"#).into_bytes(),
    };
    let mock = server.mock("GET", "/stock/pagination").match_query(Matcher::Any);
    let mock = mock.with_status_code_from_request(status).with_body_from_request(body).create_async().await;
    (server, mock)
}

#[tokio::test]
async fn behind_a_firewall_no_call_leaves_for_a_minute_then_ten_then_an_hour_but_a_persons() {
    let (closed, calls) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let (server, _mock) = firewall(&closed, &calls).await;
    let clock = Arc::new(Hand(AtomicU64::new(1_000)));
    let shop = shop_by(settings(&server.url()), "1000/1ms", clock.clone());
    let read = async |urgency| {
        let outcome = shop.pospos.stock_whole(urgency).await;
        let is_blocked = matches!(outcome, Err(ReadError::Blocked { status: 403 }));
        assert!(is_blocked || outcome.is_ok(), "{outcome:?}");
        (is_blocked, calls.load(Ordering::Relaxed))
    };
    assert_eq!(read(Urgency::Sweep).await, (true, 1));
    for (pause, before) in (1..).zip([60, 600, 3600, 3600].map(|pause| pause - 1)).map(|(n, pause)| (pause, n)) {
        clock.pass(pause);
        assert_eq!(read(Urgency::Sales).await, (true, before), "after {pause} s none leaves");
        clock.pass(1);
        assert_eq!(read(Urgency::Sales).await, (true, before + 1), "after {pause} s and one more one does");
        assert_eq!(read(Urgency::Sweep).await, (true, before + 1), "and no other");
    }
    assert_eq!(read(Urgency::Person).await, (true, 6), "a person's goes at once");
    closed.store(false, Ordering::Relaxed);
    assert_eq!(read(Urgency::Sweep).await, (true, 6));
    assert_eq!(read(Urgency::Person).await, (false, 7));
    assert_eq!(read(Urgency::Sweep).await, (false, 8), "a good answer ends it for all");
    closed.store(true, Ordering::Relaxed);
    assert_eq!(read(Urgency::Sweep).await, (true, 9));
    shop.pospos.allow_again();
    assert_eq!(read(Urgency::Sweep).await, (true, 10), "so does a person's word");
    closed.store(false, Ordering::Relaxed);
    clock.pass(60);
    assert_eq!(read(Urgency::Sweep).await, (false, 11), "the first pause is a minute again");
}

#[tokio::test]
async fn a_limit_says_how_long() {
    let body = r#"{"message":"API rate limit exceeded"}"#;
    assert!(matches!(answered(429, None, body).await, ReadError::Limited { retry_after: None }));
    let error = answered(429, Some(("retry-after", "120")), body).await;
    assert!(matches!(error, ReadError::Limited { retry_after: Some(after) } if after == Duration::from_secs(120)));
}

#[tokio::test]
async fn after_a_limit_no_call_leaves() {
    let mut server = mockito::Server::new_async().await;
    let mock = server.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_status(429);
    let _mock = mock.with_header("retry-after", "120").create_async().await;
    let shop = shop(&server.url());
    shop.pospos.stock_whole(Urgency::Sweep).await.unwrap_err();
    let again = tokio::time::timeout(Duration::from_millis(50), shop.pospos.stock_whole(Urgency::Sweep)).await;
    assert!(again.is_err(), "it waits");
}

#[tokio::test]
async fn another_status_is_told_with_advice() {
    for status in [400, 404, 418, 500, 502, 503] {
        assert!(matches!(answered(status, None, "{}").await, ReadError::Status(got) if usize::from(got) == status));
    }
    let error = answered(404, None, "").await;
    assert_eq!(error.to_string(), "the API answered 404; there is no such address; check base_url");
}

#[tokio::test]
async fn what_is_no_list_of_products_is_malformed() {
    let check = async |body: &str, want: Malformed| match answered(200, None, body).await {
        ReadError::Malformed { page: 1, problem, .. } => assert_eq!(problem, want, "{body}"),
        other => panic!("{body}: {other:?}"),
    };
    check("", Malformed::Empty).await;
    check("<html><body>Please log in</body></html>", Malformed::Html).await;
    check(r#"{"success":1,"data":[{"_id":"a","code":"#, Malformed::CutOff).await;
    check("Bad gateway", Malformed::NotJson).await;
    check("[]", Malformed::NotAnObject).await;
    check(r#"{"message":"no"}"#, Malformed::NotSuccess { message: Some("no".to_owned()) }).await;
    check(r#"{"success":1}"#, Malformed::NoRows).await;
    check(MEMBERS, Malformed::WrongShape).await;
    check(TRANSACTIONS, Malformed::WrongShape).await;
}

#[tokio::test]
async fn products_are_no_sales() {
    let mut server = mockito::Server::new_async().await;
    let mock = server.mock("GET", "/transactions").match_query(Matcher::Any).with_body(MEMBERS);
    let _mock = mock.create_async().await;
    let error =
        shop(&server.url()).pospos.sales(day("2025-09-03"), day("2025-09-03"), Urgency::Sales).await.unwrap_err();
    assert!(matches!(error, ReadError::Malformed { problem: Malformed::WrongShape, .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_stays() {
    let mut other = mockito::Server::new_async().await;
    let elsewhere = other.mock("GET", Matcher::Any).with_body("{}").expect(0).create_async().await;
    for status in [301, 302, 307, 308] {
        let error = answered(status, Some(("location", &format!("{}/stock", other.url()))), "").await;
        assert!(matches!(error, ReadError::Status(got) if usize::from(got) == status));
        assert!(error.to_string().contains("check base_url"), "{error}");
    }
    elsewhere.assert_async().await;
}

#[tokio::test]
async fn an_answer_without_end_is_left() {
    let body = format!(r#"{{"success":1,"data":[{}]}}"#, " ".repeat(70_000));
    assert!(matches!(answered(200, None, body).await, ReadError::Unreachable(TransportError::TooLarge)));
}

#[tokio::test]
async fn a_small_answer_cannot_grow_without_limit() {
    let mut server = mockito::Server::new_async().await;
    let mock =
        server.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_header("content-encoding", "gzip");
    let _mock = mock.with_body(STOCK_PACKED).create_async().await;
    let mut settings = settings(&server.url());
    settings.body_limit = 10_000;
    assert!(STOCK_PACKED.len() < 1000);
    let error = shop_with(settings, "1000/1ms").pospos.stock_whole(Urgency::Sweep).await.unwrap_err();
    assert!(matches!(error, ReadError::Unreachable(TransportError::TooLarge)), "{error:?}");
}

#[tokio::test]
async fn what_broke_on_the_way_is_told() {
    assert_eq!(at("http://nothing.invalid").await, TransportError::Dns);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(at(&format!("http://{closed}")).await, TransportError::Refused);
    let check = async |scheme: &str, answer, hold, want| {
        let port = raw_server(answer, hold);
        assert_eq!(at(&format!("{scheme}://127.0.0.1:{port}")).await, want);
    };
    check("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", false, TransportError::Tls).await;
    check("http", b"SSH-2.0-OpenSSH_9.6\r\n", false, TransportError::NotHttp).await;
    check("http", b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n{\"success\"", false, TransportError::Garbled)
        .await;
    check("http", b"", false, TransportError::Reset).await;
    check("http", b"", true, TransportError::NoAnswer).await;
    check("http", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"succ", true, TransportError::Unfinished).await;
    check("http", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"succ", false, TransportError::Reset).await;
}

#[tokio::test]
async fn a_body_that_drips_for_ever_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request);
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        // Nothing more is asked, so each reading waits this long.
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        while socket.write_all(b" ").is_ok() {
            let _ = socket.read(&mut request);
        }
    });
    assert_eq!(at(&format!("http://127.0.0.1:{port}")).await, TransportError::Unfinished);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let _provider = shop("http://localhost");
    let check = |base_url: &str, key: &str, page_size| {
        let mut settings = settings("http://localhost");
        settings.base_url = base_url.parse().unwrap();
        settings.api_key = key.into();
        settings.page_size = page_size;
        let dir = tempfile::tempdir().unwrap();
        Pospos::new(settings, governor(dir.path(), "1/1s")).err()
    };
    assert!(check("http://localhost/api", "key\n", 1).is_none(), "a key from a file ends in a line break");
    assert!(matches!(check("http://localhost", "two\nlines", 1), Some(SettingsError::Key)));
    assert!(matches!(check("ftp://localhost", KEY, 1), Some(SettingsError::BaseUrl)));
    assert!(matches!(check("http://localhost?a=b", KEY, 1), Some(SettingsError::BaseUrl)));
    assert!(matches!(check("http://localhost", KEY, 0), Some(SettingsError::PageSize)));
}

/// What comes of reading products from a server that says this date, by a clock that shows this time.
async fn dated(date: Option<&str>, now: &str, urgency: Urgency) -> Option<String> {
    aged(date, None, now, urgency).await
}

/// The same of an answer out of a cache that says how old it is.
async fn aged(date: Option<&str>, age: Option<&str>, now: &str, urgency: Urgency) -> Option<String> {
    let mut server = mockito::Server::new_async().await;
    let mock = server.mock("GET", "/stock/pagination").match_query(Matcher::Any).with_body(products("ab", ""));
    let mock = date.into_iter().fold(mock, |mock, date| mock.with_header("date", date));
    let _mock = age.into_iter().fold(mock, |mock, age| mock.with_header("age", age)).create_async().await;
    let now = now.parse().unwrap();
    let settings =
        PosposSettings { clock: WallClock::new(move |server| apart(now, server)), ..settings(&server.url()) };
    let read = shop_with(settings, "1000/1ms").pospos.stock_whole(urgency).await;
    read.err().map(|error| error.to_string())
}

#[tokio::test]
async fn an_answer_of_another_time_is_none_but_to_a_person() {
    let date = Some("Tue, 24 Nov 2026 03:00:00 GMT");
    let is = |words: &str| Some(format!("this machine's clock is {words} the shop's server: set it"));
    for (now, want) in [
        ("2026-11-24T03:00:05Z", None),
        ("2026-11-24T04:00:00Z", None),
        ("2026-11-27T03:00:05Z", is("3 days ahead of")),
        ("1970-01-01T00:00:05Z", is("57 years behind")),
    ] {
        assert_eq!(dated(date, now, Urgency::Sweep).await, want, "{now}");
        assert_eq!(dated(date, now, Urgency::Person).await, None, "{now}");
    }
    for date in ["soon", "", "Tue, 31 Feb 2026 03:00:00 GMT"] {
        assert_eq!(dated(Some(date), "1970-01-01T00:00:05Z", Urgency::Sweep).await, None, "{date} says nothing");
    }
}

#[tokio::test]
async fn a_cached_answer_is_of_this_time_where_its_age_says_so() {
    let date = Some("Tue, 24 Nov 2026 01:00:00 GMT");
    let now = "2026-11-24T03:00:05Z";
    assert_eq!(aged(date, Some("7200"), now, Urgency::Sweep).await, None);
    let apart = Some("this machine's clock is 2 hours ahead of the shop's server: set it".to_owned());
    for age in [None, Some("0"), Some("soon"), Some("-7200"), Some("99999999999")] {
        assert_eq!(aged(date, age, now, Urgency::Sweep).await, apart, "{age:?}");
    }
}
