//! The governor on a real directory: what one run leaves to the next, and what it does when the disk fails.

use tempfile::TempDir;

use super::*;

mod waiting;

/// A clock that only the test moves.
struct Still(Mutex<Duration>);

impl BootClock for Still {
    fn boot_id(&self) -> String {
        "a".to_owned()
    }

    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

/// A directory with a clock beside it, and a key that no other test claims.
struct Room {
    dir: TempDir,
    clock: Arc<Still>,
    key: KeyHash,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyHash::of(&dir.path().display().to_string());
        Self { dir, clock: Arc::new(Still(Mutex::new(Duration::from_secs(1000)))), key }
    }

    /// A governor whose unknown past is over: everything is free.
    fn rested(limit: &str) -> (Self, Governor) {
        let room = Self::new();
        let governor = room.open(&[limit]).unwrap();
        room.pass(100_000);
        (room, governor)
    }

    fn open(&self, text: &[&str]) -> Result<Governor, QuotaError> {
        Governor::open(self.dir.path(), &self.key, limits(text), self.clock.clone())
    }

    fn pass(&self, seconds: u64) {
        *self.clock.0.lock().unwrap() += Duration::from_secs(seconds);
    }

    fn ledger(&self) -> String {
        std::fs::read_to_string(self.file("ledger")).unwrap()
    }

    /// What a process finds that starts after this one was killed now.
    fn killed(&self) -> Self {
        let next = Self { clock: Arc::clone(&self.clock), ..Self::new() };
        for kind in ["ledger", "mark"] {
            std::fs::copy(self.file(kind), next.file(kind)).unwrap();
        }
        next
    }

    fn file(&self, kind: &str) -> std::path::PathBuf {
        self.dir.path().join(format!("{}.{kind}", self.key))
    }
}

fn limits(text: &[&str]) -> Vec<QuotaLimit> {
    text.iter().map(|text| text.parse().unwrap()).collect()
}

fn left(governor: &Governor) -> Vec<u32> {
    governor.left().into_iter().map(|(_, left)| left).collect()
}

#[tokio::test]
async fn a_ledger_is_taken_over_by_the_next_run() {
    let room = Room::new();
    let first = room.open(&["3/10s", "9/1h"]).unwrap();
    assert_eq!((first.ledger_state(), left(&first)), (LedgerState::New, vec![0, 4]));
    room.pass(11);
    assert_eq!(left(&first), [3, 4]);
    first.permit(Urgency::Sales).await.unwrap().end();
    let under_way = first.permit(Urgency::Sales).await.unwrap();
    assert_eq!(left(&first), [1, 2]);
    drop((first, under_way));
    room.pass(11);
    // The second call had no answer, so it holds its place for longer.
    let second = room.open(&["3/10s", "9/1h"]).unwrap();
    assert_eq!((second.ledger_state(), left(&second)), (LedgerState::Continued, vec![2, 2]));
    drop(second);
    // A longer limit that nobody knew of before finds the same two calls.
    room.pass(3700);
    assert_eq!(left(&room.open(&["5/10s", "9/2h"]).unwrap()), [5, 2]);
}

#[tokio::test]
async fn a_killed_process_is_found_to_have_called() {
    let (room, governor) = Room::rested("3/10s");
    let _under_way = governor.permit(Urgency::Sales).await.unwrap();
    let next = room.killed().open(&["3/10s"]).unwrap();
    room.pass(20);
    assert_eq!(left(&next), [2], "until ten seconds after the last moment at which it could arrive");
    room.pass(6);
    assert_eq!(left(&next), [3]);
}

#[tokio::test]
async fn a_group_costs_one_write_and_a_kill_costs_the_group() {
    let (room, governor) = Room::rested("300/10s");
    for _ in 0..13 {
        governor.permit(Urgency::Sales).await.unwrap().end();
    }
    assert_eq!(room.ledger().matches("\n+ ").count(), 2, "{}", room.ledger());
    assert_eq!(left(&governor), [287], "what is spare may be used at once");
    let next = room.killed().open(&["300/10s"]).unwrap();
    assert_eq!(left(&next), [276], "both groups count as sent");
    drop(governor);
    assert_eq!(left(&room.open(&["300/10s"]).unwrap()), [287], "who ends in order gives back what is spare");
}

#[tokio::test]
async fn whatever_is_cut_off_or_put_back_no_call_too_many_is_free() {
    let (room, governor) = Room::rested("20/4s");
    let older = room.killed();
    for _ in 0..20 {
        governor.permit(Urgency::Sales).await.unwrap().end();
    }
    assert_eq!(left(&governor), [0]);
    let (ledger, mark) = (std::fs::read(room.file("ledger")).unwrap(), std::fs::read(room.file("mark")).unwrap());
    let found = |ledger: Option<&[u8]>, mark: Option<&[u8]>| {
        let next = room.killed();
        for (kind, bytes) in [("ledger", ledger), ("mark", mark)] {
            match bytes {
                Some(bytes) => std::fs::write(next.file(kind), bytes).unwrap(),
                None => std::fs::remove_file(next.file(kind)).unwrap(),
            }
        }
        let governor = next.open(&["20/4s"]).unwrap();
        (governor.ledger_state(), left(&governor)[0])
    };
    assert_eq!(found(Some(&ledger), Some(&mark)), (LedgerState::Continued, 0));
    let mut damaged = 0;
    for cut in (0..ledger.len()).step_by(17) {
        let (state, left) = found(Some(&ledger[..cut]), Some(&mark));
        assert_eq!(left, 0, "cut at byte {cut}: {state:?}");
        damaged += usize::from(state == LedgerState::Damaged);
    }
    for cut in 0..mark.len() {
        assert_eq!(found(Some(&ledger), Some(&mark[..cut])), (LedgerState::Damaged, 0), "mark cut at byte {cut}");
    }
    let lines: Vec<&[u8]> = ledger.split_inclusive(|byte| *byte == b'\n').collect();
    for gone in 0..lines.len() {
        let rest = [&lines[..gone], &lines[gone + 1..]].concat().concat();
        assert_eq!(found(Some(&rest), Some(&mark)).1, 0, "line {gone} is gone");
    }
    let [older_ledger, older_mark] = ["ledger", "mark"].map(|kind| std::fs::read(older.file(kind)).unwrap());
    assert_eq!(found(Some(&older_ledger), Some(&mark)), (LedgerState::Damaged, 0));
    assert_eq!(found(Some(&ledger), Some(&older_mark)).1, 0);
    assert_eq!(found(Some(&ledger), None), (LedgerState::Damaged, 0));
    assert_eq!(found(None, Some(&mark)), (LedgerState::Damaged, 0));
    assert_eq!(found(None, None), (LedgerState::New, 0));
    println!("{} bytes, {} lines: {damaged} cuts are damage, no call is free after any", ledger.len(), lines.len());
}

#[tokio::test]
async fn damage_costs_one_window_and_what_a_long_one_allows_too() {
    let (room, governor) = Room::rested("20/1h");
    governor.permit(Urgency::Sales).await.unwrap().end();
    let next = room.killed();
    let head = room.ledger().find("\n+").unwrap();
    std::fs::write(next.file("ledger"), &room.ledger()[..head]).unwrap();
    let governor = next.open(&["20/1h"]).unwrap();
    assert_eq!((governor.ledger_state(), left(&governor)), (LedgerState::Damaged, vec![0]));
    drop(governor);
    room.pass(3600);
    let governor = next.open(&["20/1h"]).unwrap();
    assert_eq!((governor.ledger_state(), left(&governor)), (LedgerState::Continued, vec![0]), "not concluded again");
    room.pass(20);
    assert_eq!(left(&governor), [20]);
}

#[tokio::test]
async fn a_ledger_of_the_version_before_is_read_once() {
    let (room, governor) = Room::rested("3/10s");
    drop(governor);
    let first = |lines: &str| {
        let next = Room { clock: Arc::clone(&room.clock), ..Room::new() };
        let text = format!("posbell-quota 1\nboot a\nwritten 50000000000\nsince 10000000000\n{lines}");
        std::fs::write(next.file("ledger"), text).unwrap();
        next
    };
    let now = room.clock.now().as_nanos();
    let next = first(&format!("+ 0 {now}\n- 0 {now}\n"));
    let governor = next.open(&["3/10s"]).unwrap();
    assert_eq!((governor.ledger_state(), left(&governor)), (LedgerState::Continued, vec![2]));
    drop(governor);
    assert!(next.ledger().starts_with("posbell-quota 2 #"), "{}", next.ledger());
    assert_eq!(left(&next.open(&["3/10s"]).unwrap()), [2]);
    // An older posbell has run in between: it knows of no mark.
    std::fs::write(next.file("ledger"), "posbell-quota 1\nboot a\nwritten 50000000000\nsince 10000000000\n").unwrap();
    assert_eq!(next.open(&["3/10s"]).unwrap().ledger_state(), LedgerState::Damaged);
}

/// Made without a process: a child would for a moment hold every lock that another test has just given back.
fn make_fifo(path: &std::path::Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn nothing_that_stands_in_a_files_place_makes_it_wait() {
    for kind in ["lock", "ledger", "mark"] {
        for fifo in [true, false] {
            let room = Room::new();
            match fifo {
                true => make_fifo(&room.file(kind)),
                false => std::fs::create_dir(room.file(kind)).unwrap(),
            }
            let Err(QuotaError::Storage { path, .. }) = room.open(&["3/10s"]) else { panic!("{kind}") };
            assert_eq!(path, room.file(kind));
        }
        let room = Room::new();
        std::os::unix::fs::symlink("/dev/zero", room.file(kind)).unwrap();
        assert!(matches!(room.open(&["3/10s"]), Err(QuotaError::Storage { .. })), "{kind}");
    }
}

#[test]
fn two_governors_never_spend_the_same_allowance() {
    let room = Room::new();
    let first = room.open(&["3/10s"]).unwrap();
    assert!(matches!(room.open(&["3/10s"]), Err(QuotaError::InUse { .. })));
    let elsewhere = Room { key: room.key.clone(), ..Room::new() };
    assert!(matches!(elsewhere.open(&["3/10s"]), Err(QuotaError::KeyInUse)));
    drop(first);
    drop(elsewhere.open(&["3/10s"]).unwrap());
    assert!(room.open(&["3/10s"]).is_ok());
    assert!(matches!(room.open(&[]), Err(QuotaError::NoLimits)));
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let (room, governor) = Room::rested("3/10s");
    let file = governor.books.file.lock().unwrap().swap(None);
    let away = room.dir.path().with_extension("away");
    std::fs::rename(room.dir.path(), &away).unwrap();
    assert!(matches!(governor.permit(Urgency::Sales).await, Err(QuotaError::Storage { .. })));
    assert_eq!(left(&governor), [3], "a call that was not made costs nothing");
    std::fs::rename(&away, room.dir.path()).unwrap();
    governor.permit(Urgency::Sales).await.unwrap().end();
    drop(file);
    assert!(room.ledger().ends_with('\n') && room.ledger().contains("\n- "), "{}", room.ledger());
}

#[tokio::test]
async fn a_full_disk_stops_the_calls_after_those_that_are_written_down() {
    let (room, governor) = Room::rested("300/10s");
    governor.permit(Urgency::Sales).await.unwrap().end();
    let full = std::fs::File::options().append(true).open("/dev/full").unwrap();
    governor.books.file.lock().unwrap().swap(Some(full));
    for _ in 0..11 {
        governor.permit(Urgency::Sales).await.unwrap().end();
    }
    let away = room.dir.path().with_extension("away");
    std::fs::rename(room.dir.path(), &away).unwrap();
    for _ in 0..2 {
        assert!(matches!(governor.permit(Urgency::Sales).await, Err(QuotaError::Storage { .. })));
    }
    assert_eq!(left(&governor), [288]);
    std::fs::rename(&away, room.dir.path()).unwrap();
    governor.permit(Urgency::Sales).await.unwrap().end();
    assert_eq!(left(&governor), [287]);
    let next = room.killed().open(&["300/10s"]).unwrap();
    assert_eq!(left(&next), [276], "the ends that the full disk lost are not lost");
}

#[tokio::test]
async fn a_group_that_was_half_written_was_never_there() {
    let (room, governor) = Room::rested("300/10s");
    let full = std::fs::File::options().append(true).open("/dev/full").unwrap();
    governor.books.file.lock().unwrap().swap(Some(full));
    assert!(matches!(governor.permit(Urgency::Sales).await, Err(QuotaError::Storage { .. })));
    assert_eq!(left(&governor), [300]);
    governor.permit(Urgency::Sales).await.unwrap().end();
    assert_eq!((left(&governor), room.ledger().matches("\n+ ").count()), (vec![299], 1), "{}", room.ledger());
}

#[tokio::test]
async fn a_grown_ledger_is_made_short_again() {
    let (room, governor) = Room::rested("100000/10s");
    governor.books.file.lock().unwrap().append(&"+ 0 1\n- 0 1\n".repeat(13_000)).unwrap();
    governor.permit(Urgency::Sales).await.unwrap().end();
    assert_eq!(room.ledger().lines().count(), 8, "{}", room.ledger());
}

#[tokio::test]
async fn fewer_calls_than_are_spare_hold_at_once() {
    let (room, governor) = Room::rested("300/10s");
    governor.permit(Urgency::Sales).await.unwrap().end();
    governor.set_limits(limits(&["5/10s"]));
    assert_eq!(left(&governor), [4]);
    let before = room.ledger().matches("\n+ ").count();
    for _ in 0..4 {
        governor.permit(Urgency::Sales).await.unwrap().end();
    }
    assert_eq!((left(&governor), room.ledger().matches("\n+ ").count()), (vec![0], before));
    let waiter = governor.permit(Urgency::Sales);
    assert!(tokio::time::timeout(Duration::from_millis(50), waiter).await.is_err(), "seven are spare, none is free");
    room.pass(11);
    assert_eq!(left(&governor), [5]);
    governor.permit(Urgency::Sales).await.unwrap().end();
}

#[tokio::test]
async fn a_429_is_followed_by_silence_and_then_by_half_the_pace_across_restarts() {
    let (room, governor) = Room::rested("300/10s");
    assert_eq!(governor.slowed(), None);
    governor.pause(Duration::from_secs(60));
    governor.pause(Duration::ZERO);
    drop(governor);
    let governor = room.open(&["300/10s"]).unwrap();
    room.pass(59);
    assert_eq!(left(&governor), [0]);
    room.pass(2);
    assert_eq!(governor.left(), [("150/10s".parse().unwrap(), 150)], "two answers of one burst halve once");
    assert_eq!(governor.slowed(), Some(Slowed { divisor: 2, remaining: Duration::from_secs(539) }));
    governor.pause(Duration::ZERO);
    room.pass(11);
    assert_eq!(left(&governor), [75]);
    let governor = room.killed().open(&["300/10s"]).unwrap();
    room.pass(588);
    assert_eq!(left(&governor), [75]);
    room.pass(2);
    assert_eq!((left(&governor), governor.slowed()), (vec![300], None));
}
