//! Does the log stay small when a shop changes day after day?

use super::*;

const PRODUCTS: u64 = 20_000;
/// How many rows change at once, and how often that happens.
const SOME: u64 = 100;
const ROUNDS: u64 = 1_000;

/// A row of some fifty bytes that nothing makes smaller.
fn row(n: u64, round: u64) -> Vec<u8> {
    let scattered = |part: u64| (n << 20 | round << 4 | part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Store::row(&[1, 2, 3, 4].map(scattered)).unwrap()
}

fn rows(numbers: impl Iterator<Item = u64>, round: u64) -> Commit {
    let rows = numbers.map(|n| (main_shop(), Resource::Stock, id(n), Some(row(n, round)))).collect();
    Commit { rows, ..Commit::default() }
}

/// Without being swept it becomes five times what lives in it.
#[tokio::test]
async fn a_log_of_rows_that_change_for_ever_stays_small() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for some in 0..PRODUCTS / SOME {
        store.commit(rows(some * SOME..(some + 1) * SOME, 0)).await.unwrap();
    }
    for round in 1..=ROUNDS {
        let scattered = |place: u64| (round << 8 | place).wrapping_mul(0x9e37_79b9_7f4a_7c15) % PRODUCTS;
        store.commit(rows((0..SOME).map(scattered), round)).await.unwrap();
        if round % 50 == 0 {
            // As it comes to be when nothing is to be done for a while.
            store.sweep().await.unwrap();
        }
    }
    let log = std::fs::metadata(dir.path().join("store/db")).unwrap().len();
    drop(store);
    let db = older::sled_of(dir.path());
    let live: usize =
        db.range(.."\u{7f}").map(|entry| entry.unwrap()).map(|(key, value)| key.len() + value.len()).sum();
    assert!(log < 4 * live as u64, "{log} bytes, of which {live} live");
}
