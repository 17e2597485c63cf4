//! Is what was acknowledged there after `kill -9`, and is no commit there in part?
//!
//! The writer is this test binary once more, asked to run one test of it with a directory to write into.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use posbell::domain::model::Resource;
use posbell::edge::store::Store;
use tokio::task::JoinSet;

use super::{deliveries, due, event, events, main_shop, numbered, open, rows};

/// The directory that the child writes into.
const DIRECTORY: &str = "POSBELL_TEST_WRITES_INTO";
/// Says that the child writes its store anew all the time.
const COMPACTS: &str = "POSBELL_TEST_COMPACTS";
/// How many processes are killed.
const ROUNDS: u64 = 20;
/// How many commits the child keeps under way at once, so that some share a flush and some are cut off by the kill.
const AT_ONCE: usize = 8;
/// A line of the child's: this commit was acknowledged.
const ACKNOWLEDGED: &str = "acknowledged ";

/// Writes into the directory of the variable until it is killed; without the variable, a few commits into its own.
#[tokio::test]
async fn a_writer_finds_what_it_was_told_is_written() {
    match std::env::var_os(DIRECTORY) {
        Some(dir) => write(Path::new(&dir), u64::MAX).await,
        None => {
            let dir = tempfile::tempdir().unwrap();
            write(dir.path(), 20).await;
            assert_eq!(whole(&open(dir.path())).await, (0..20).collect());
        }
    }
}

/// Commits what comes after the last commit that is there, and says the number of each once it is acknowledged.
async fn write(dir: &Path, end: u64) {
    let store = open(dir);
    let first = rows(&store).await.last().map_or(0, |last| last + 1);
    let mut under_way = JoinSet::new();
    let mut compacting = JoinSet::new();
    if std::env::var_os(COMPACTS).is_some() {
        compacting.spawn(compact(store.clone()));
    }
    for n in first..end {
        if under_way.len() == AT_ONCE {
            under_way.join_next().await.unwrap().unwrap();
        }
        let store = store.clone();
        under_way.spawn(async move {
            store.commit(numbered(n)).await.unwrap();
            // Past the test harness, which keeps what a test prints; in one piece.
            std::io::stderr().write_all(format!("{ACKNOWLEDGED}{n}\n").as_bytes()).unwrap();
        });
    }
    under_way.join_all().await;
    compacting.shutdown().await;
}

/// Writes the store anew again and again, so that no kill is far from it.
async fn compact(store: Store) {
    loop {
        store.compact().await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// The numbers of the commits that are there. Fails when one is there in part.
async fn whole(store: &Store) -> BTreeSet<u64> {
    let rows: BTreeSet<u64> = rows(store).await.into_iter().collect();
    let known: BTreeSet<String> = events(store).await.into_iter().map(|(_, json)| json).collect();
    let expected: BTreeSet<String> = rows.iter().map(|n| event(*n).to_json()).collect();
    assert_eq!(known, expected, "rows and events");
    let expected: BTreeSet<_> = rows.iter().map(|n| numbered(*n).deliveries[0].id.clone()).collect();
    let waiting: BTreeSet<_> = due(store, 1_000_000_000).await.into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(waiting, expected, "rows and the queue");
    let listed: Vec<_> = deliveries(store).await.into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(listed.len(), expected.len(), "each delivery once");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), expected, "rows and deliveries");
    let cursor = store.resource(&main_shop(), Resource::Stock).await.unwrap().map(|record| record.rows);
    assert!(cursor.is_none_or(|cursor| rows.contains(&cursor)), "the cursor says {cursor:?}");
    rows
}

/// A process that writes; killed with SIGKILL at the latest when it is dropped.
struct Writer {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Writer {
    fn start(dir: &Path, compacts: bool) -> Writer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        if compacts {
            command.env(COMPACTS, "1");
        }
        let mut process = command
            .args(["--exact", "store::kill::a_writer_finds_what_it_was_told_is_written"])
            .env(DIRECTORY, dir)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        Writer { process, lines }
    }

    /// Waits for so many acknowledgements, kills the process in the middle of its work, and returns all that it had
    /// said until then.
    fn kill_after(mut self, count: usize) -> Vec<u64> {
        let mut said: Vec<u64> = self.acknowledged().take(count).collect();
        assert_eq!(said.len(), count, "the writer ended by itself");
        self.process.kill().unwrap();
        said.extend(self.acknowledged());
        assert_eq!(self.process.wait().unwrap().signal(), Some(9), "it was killed and has not ended by itself");
        said
    }

    fn acknowledged(&mut self) -> impl Iterator<Item = u64> {
        let lines = self.lines.by_ref().map(Result::unwrap);
        lines.filter_map(|line| line.strip_prefix(ACKNOWLEDGED).map(|n| n.parse().unwrap()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It may have been killed and waited for already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_and_nothing_is_there_in_part() {
    killed_again_and_again(false).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill_while_the_store_is_written_anew() {
    killed_again_and_again(true).await;
}

async fn killed_again_and_again(compacts: bool) {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    let mut epoch = None;
    for round in 0..ROUNDS {
        // Anywhere from the opening, where it has said nothing yet, to a hundred commits later.
        let count = usize::try_from(round * 7_919 % 101).unwrap();
        acknowledged.extend(Writer::start(dir.path(), compacts).kill_after(count));
        let store = open(dir.path());
        assert_eq!(epoch.get_or_insert_with(|| store.epoch().clone()), store.epoch());
        let there = whole(&store).await;
        let lost: Vec<&u64> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "round {round}: acknowledged and lost: {lost:?}");
    }
    assert!(acknowledged.len() > 500, "only {} were written", acknowledged.len());
}
