//! The governor on a real directory: what one run leaves to the next, and what it does when the disk fails.

use super::*;
use crate::edge::pospos::quota::SystemBootClock;

/// A clock that only the test moves.
struct Still(&'static str, Mutex<Duration>);

impl Still {
    fn at(boot: &'static str, seconds: u64) -> Arc<Self> {
        Arc::new(Self(boot, Mutex::new(Duration::from_secs(seconds))))
    }

    fn pass(&self, duration: Duration) {
        *self.1.lock().unwrap() += duration;
    }
}

impl BootClock for Still {
    fn boot_id(&self) -> String {
        self.0.to_owned()
    }

    fn now(&self) -> Duration {
        *self.1.lock().unwrap()
    }
}

fn key() -> KeyHash {
    KeyHash::of("main")
}

fn limits(text: &[&str]) -> Vec<QuotaLimit> {
    text.iter().map(|text| text.parse().unwrap()).collect()
}

fn left(governor: &Governor) -> Vec<u32> {
    governor.left().into_iter().map(|(_, left)| left).collect()
}

#[tokio::test]
async fn a_ledger_is_taken_over_by_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Still::at("a", 1000);
    let open = |text| Governor::open(dir.path(), &key(), limits(text), clock.clone()).unwrap();
    let first = open(&["3/10s", "9/1h"]);
    assert_eq!((first.ledger_state(), left(&first)), (LedgerState::New, vec![0, 4]));
    clock.pass(Duration::from_secs(11));
    assert_eq!(left(&first), [3, 4]);
    first.permit().await.unwrap().end();
    let under_way = first.permit().await.unwrap();
    assert_eq!(left(&first), [1, 2]);
    drop((first, under_way));
    clock.pass(Duration::from_secs(11));
    // The second call had no answer, so it holds its place for longer.
    let second = open(&["3/10s", "9/1h"]);
    assert_eq!((second.ledger_state(), left(&second)), (LedgerState::Continued, vec![2, 2]));
    drop(second);
    // A longer limit that nobody knew of before finds the same two calls.
    clock.pass(Duration::from_secs(3700));
    assert_eq!(left(&open(&["5/10s", "9/2h"])), [5, 2]);
}

#[tokio::test]
async fn a_killed_process_is_found_to_have_called() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Still::at("a", 1000);
    let open = |dir: &Path| Governor::open(dir, &key(), limits(&["3/10s"]), clock.clone()).unwrap();
    let killed = open(dir.path());
    clock.pass(Duration::from_secs(11));
    let _under_way = killed.permit().await.unwrap();
    let found = std::fs::read(dir.path().join(format!("{}.ledger", key()))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(format!("{}.ledger", key())), found).unwrap();
    let next = open(dir.path());
    clock.pass(Duration::from_secs(20));
    assert_eq!(left(&next), [2], "until ten seconds after the last moment at which it could arrive");
    clock.pass(Duration::from_secs(6));
    assert_eq!(left(&next), [3]);
}

#[test]
fn two_governors_never_spend_the_same_allowance() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Governor::open(dir.path(), &key(), limits(&["3/10s"]), Still::at("a", 0));
    let first = open().unwrap();
    assert!(matches!(open(), Err(QuotaError::InUse { .. })));
    drop(first);
    assert!(open().is_ok());
    assert!(matches!(Governor::open(dir.path(), &key(), Vec::new(), Still::at("a", 0)), Err(QuotaError::NoLimits)));
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Still::at("a", 1000);
    let governor = Governor::open(dir.path(), &key(), limits(&["3/10s"]), clock.clone()).unwrap();
    clock.pass(Duration::from_secs(11));
    let file = governor.books.file.lock().unwrap().break_it();
    std::fs::rename(dir.path(), dir.path().with_extension("away")).unwrap();
    assert!(matches!(governor.permit().await, Err(QuotaError::Storage { .. })));
    assert_eq!(left(&governor), [3], "a call that was not made costs nothing");
    std::fs::rename(dir.path().with_extension("away"), dir.path()).unwrap();
    governor.permit().await.unwrap().end();
    drop(file);
    let text = std::fs::read_to_string(dir.path().join(format!("{}.ledger", key()))).unwrap();
    assert!(text.ends_with('\n') && text.contains("\n- "), "{text}");
}

#[tokio::test]
async fn a_grown_ledger_is_made_short_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Still::at("a", 1000);
    let governor = Governor::open(dir.path(), &key(), limits(&["100000/10s"]), clock.clone()).unwrap();
    clock.pass(Duration::from_secs(11));
    governor.books.file.lock().unwrap().append(&"+ 0 1\n- 0 1\n".repeat(30_000)).unwrap();
    governor.permit().await.unwrap().end();
    let text = std::fs::read_to_string(dir.path().join(format!("{}.ledger", key()))).unwrap();
    assert_eq!(text.lines().count(), 6, "{text}");
}

#[tokio::test]
async fn a_silence_the_server_asked_for_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Still::at("a", 1000);
    let open = || Governor::open(dir.path(), &key(), limits(&["3/10s"]), clock.clone()).unwrap();
    let governor = open();
    clock.pass(Duration::from_secs(11));
    governor.pause(Duration::from_secs(60));
    drop(governor);
    let governor = open();
    clock.pass(Duration::from_secs(59));
    assert_eq!(left(&governor), [0]);
    clock.pass(Duration::from_secs(2));
    assert_eq!(left(&governor), [3]);
}

#[tokio::test]
async fn on_the_real_clock_calls_are_let_go_in_order_and_apart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemBootClock);
    let governor = Governor::open(dir.path(), &key(), limits(&["2/60ms"]), clock).unwrap();
    let call = |n: u32| {
        let governor = &governor;
        async move {
            let permit = governor.permit().await.unwrap();
            let left = SystemBootClock.now();
            permit.end();
            (n, left)
        }
    };
    let (a, b, c, d, e) = tokio::join!(call(0), call(1), call(2), call(3), call(4));
    let calls = [a, b, c, d, e];
    assert!(calls.is_sorted_by_key(|&(_, left)| left), "first come, first served");
    for pair in calls.windows(3) {
        assert!(pair[2].1 - pair[0].1 > Duration::from_millis(60), "{calls:?}");
    }
}
