//! One permit lets one request onto the wire, whatever the server does with its connections.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use posbell::domain::model::CreditStatus;
use posbell::edge::pospos::Period;
use posbell::edge::pospos::quota::Urgency;

use super::{Shop, day, products, settings, shop_with};

/// What the server does with a connection after a request.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Promises to keep it and closes it at once: a client that keeps it finds it dead.
    CloseAfterPromise,
    /// Keeps it and answers again.
    Keep,
    /// Reads the request and closes without an answer.
    CloseUnanswered,
    /// Answers, and closes so much later, about when the next request comes.
    CloseIdle,
    /// Answers once, and closes when it has read the first byte of the next request.
    CloseAtFirstByte,
    /// Answers once, and closes when it has read all of the next request.
    CloseAtWhole,
}

/// A server that counts every request that reaches it, on any connection, and the connections.
fn counting(manner: Manner) -> (String, Arc<AtomicU32>, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU32::new(0));
    let connections = Arc::new(AtomicU32::new(0));
    let (count, opened) = (Arc::clone(&requests), Arc::clone(&connections));
    // Both threads end with the test's process.
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            opened.fetch_add(1, Ordering::SeqCst);
            let count = Arc::clone(&count);
            std::thread::spawn(move || serve(&socket, manner, &count));
        }
    });
    (url, requests, connections)
}

fn serve(mut socket: &TcpStream, manner: Manner, requests: &AtomicU32) {
    let body = products("a", r#","total":1,"total_page":1"#);
    let answer = format!("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    for answered in 0_u32.. {
        // One byte is a request that has begun.
        if !matches!(reader.fill_buf(), Ok(bytes) if !bytes.is_empty()) {
            return;
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let is_kept = answered > 0;
        if !(is_kept && matches!(manner, Manner::CloseAtFirstByte)) {
            let mut lines = (&mut reader).lines();
            while matches!(lines.next(), Some(Ok(line)) if !line.is_empty()) {}
        }
        match manner {
            Manner::CloseUnanswered => break,
            Manner::CloseAtFirstByte | Manner::CloseAtWhole if is_kept => break,
            _ => drop(socket.write_all(answer.as_bytes())),
        }
        match manner {
            Manner::CloseAfterPromise => break,
            Manner::CloseIdle => {
                // As long as a few turns of the client take, another one each time.
                let turns = requests.load(Ordering::SeqCst) % 7 * 40;
                (0..turns).for_each(|_| std::thread::yield_now());
                break;
            }
            _ => {}
        }
    }
    let _ = socket.shutdown(Shutdown::Both);
}

fn left(shop: &Shop) -> u32 {
    shop.pospos.governor().left()[0].1
}

#[tokio::test]
async fn each_permit_is_one_request() {
    for (manner, good) in [(Manner::Keep, true), (Manner::CloseUnanswered, false)] {
        let (url, requests, _) = counting(manner);
        let shop = shop_with(settings(&url), "1000/1h");
        let before = left(&shop);
        for _ in 0..30 {
            let read = shop.pospos.stock_whole(Urgency::Sweep).await;
            assert_eq!(read.is_ok(), good, "{read:?}");
        }
        assert_eq!((requests.load(Ordering::SeqCst), before - left(&shop)), (30, 30));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_dies_costs_no_second_request() {
    for manner in [Manner::CloseAfterPromise, Manner::CloseIdle, Manner::CloseAtFirstByte, Manner::CloseAtWhole] {
        let (url, requests, _) = counting(manner);
        let shop = shop_with(settings(&url), "100000/1h");
        let before = left(&shop);
        let mut failed = 0;
        for _ in 0..200 {
            failed += u32::from(shop.pospos.stock_whole(Urgency::Sweep).await.is_err());
        }
        // What a dying connection had not begun to write never reached the server, and still has its permit.
        let (requests, permits) = (requests.load(Ordering::SeqCst), before - left(&shop));
        assert!(permits == 200 && requests <= permits, "{manner:?}: {requests} of {permits}");
        // About every other request falls on a kept connection; a few times that is given up before it is used.
        let expected = matches!(manner, Manner::CloseAtFirstByte | Manner::CloseAtWhole);
        assert!(!expected || (50..=100).contains(&failed), "{manner:?}: {failed}");
    }
}

#[tokio::test]
async fn calls_in_a_row_share_a_connection() {
    let (url, requests, connections) = counting(Manner::Keep);
    let shop = shop_with(settings(&url), "1000/1h");
    for _ in 0..30 {
        shop.pospos.stock_whole(Urgency::Sweep).await.unwrap();
    }
    assert_eq!((requests.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (30, 1));
}

#[tokio::test]
async fn requests_at_the_same_time_keep_the_quota() {
    let (url, requests, _) = counting(Manner::Keep);
    let shop = shop_with(settings(&url), "12/1h");
    // Half of the unknown hour is taken for used: six may leave at once.
    let read = async || shop.pospos.stock_whole(Urgency::Sales).await.unwrap();
    tokio::join!(read(), read(), read(), read(), read(), read());
    let seventh = tokio::time::timeout(Duration::from_millis(100), read()).await;
    assert!(seventh.is_err(), "it waits for an hour");
    assert_eq!((requests.load(Ordering::SeqCst), left(&shop)), (6, 0));
}

#[test]
fn a_reading_may_move_between_threads() {
    fn movable<T: Send>(_: T) {}
    let shop = shop_with(settings("http://localhost"), "1/1s");
    movable(shop.pospos.stock_whole(Urgency::Sweep));
    movable(shop.pospos.sales(day("2025-09-03"), day("2025-09-03"), Urgency::Sales));
    movable(shop.pospos.credit(Period::All, CreditStatus::Paid, day("2025-09-03"), Urgency::Refresh));
    movable(shop.pospos.credit_find(&BTreeSet::new(), day("2025-09-03"), Urgency::Refresh));
}
