//! The copies that posbell makes of itself, one a night, so that a damaged store is not the end of it.
//!
//! A copy counts when it was read back, and older ones go only after that. What keeps one from being made stops nothing
//! else: it is told once in the log and stands in the status until there is a copy again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};
use tracing::{info, warn};

use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::config::Config;
use crate::domain::copies::Moment;
use crate::domain::model::Timestamp;
use crate::edge::store::{BackupError, BackupFile, Contents, RESERVE, Shelf, Store, StoreError, free_bytes};

/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(5);

/// How many pieces are ready before they are written.
const PIECES_AHEAD: usize = 4;

/// After how many bytes it is looked whether there is still room.
const ROOM_LOOKED_AT: u64 = 16 * 1024 * 1024;

/// Makes copies until the end is asked for. Only a failing store ends it earlier.
pub(super) async fn keep(
    shared: Arc<Shared>,
    config: Arc<Config>,
    mut running_since: Timestamp,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let shelf = Shelf::of(&config.data_dir);
    let zone = config.wording.timezone;
    let mut failed = None;
    while shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_some() {
        let now = shared.clock.now();
        // A clock that was set back would make the start look like one of the future.
        running_since = running_since.min(now);
        let is_due = |newest| Moment { now, running_since, newest, failed, zone }.is_due();
        let copies = shelf.copies(now);
        let newest = copies.as_ref().ok().and_then(|copies| copies.first());
        if !is_due(newest.map(|copy| copy.made_at)) || !has_events(&shared.store).await? {
            continue;
        }
        let made = async { make(&shared.store, &shelf, copies?.first().map(|copy| copy.bytes), now).await };
        let Some(made) = shutdown.unless_asked(made).await else { break };
        match made {
            Ok(contents) => {
                failed = None;
                info!("made a copy of {} records and read it back: {} bytes", contents.records, contents.bytes);
                if let Some(failing) = shared.health.copy_made() {
                    info!("it is the first that could be made since {}", failing.since);
                }
            }
            // A person makes one at this moment.
            Err(BackupError::Store(StoreError::CopyUnderWay)) => {}
            Err(BackupError::Store(
                error @ (StoreError::Disk(_) | StoreError::Damaged(_) | StoreError::Closed { .. }),
            )) => return Err(error.into()),
            Err(error) => {
                failed = Some(now);
                if shared.health.copy_failed(&error.to_string(), now) {
                    warn!("no copy of the data could be made: {error}; it is tried again each hour");
                }
            }
        }
    }
    Ok(())
}

async fn has_events(store: &Store) -> Result<bool, StoreError> {
    store.has_events().await
}

/// Makes the copy of this moment where there is room for it, reads it back, and removes those that it replaces. `last`
/// is how long the newest one is, if there is one.
pub async fn make(store: &Store, shelf: &Shelf, last: Option<u64>, now: Timestamp) -> Result<Contents, BackupError> {
    let bytes = match last {
        // It may have grown.
        Some(last) => last + last / 8,
        None => measure(store, now).await?,
    };
    let dir = shelf.dir().to_owned();
    has_room(&dir, bytes)?;
    let mut copy = store.copy(now).await?;
    let file = shelf.begin(now)?;
    let (pieces, received) = mpsc::channel(PIECES_AHEAD);
    let writing = tokio::task::spawn_blocking(move || write(file, received, &dir));
    loop {
        let piece = copy.next().await?;
        let is_last = piece.is_none();
        // Where it could not be written nobody takes it, and says why at the end.
        if pieces.send(piece).await.is_err() || is_last {
            break;
        }
    }
    // Nothing more has to be kept for it while it is read back.
    drop(copy);
    let panicked = |_| BackupError::Unwritable {
        path: shelf.dir().to_owned(),
        source: std::io::Error::other("writing it has panicked"),
    };
    let contents = writing.await.map_err(panicked)??;
    let removed = shelf.keep_the_newest(now)?;
    if removed > 0 {
        info!("removed {removed} older copies");
    }
    Ok(contents)
}

/// How long a copy of this moment would be.
async fn measure(store: &Store, now: Timestamp) -> Result<u64, BackupError> {
    let mut copy = store.copy(now).await?;
    let mut bytes = 0;
    while let Some(piece) = copy.next().await? {
        bytes += piece.len() as u64;
    }
    Ok(bytes)
}

/// Refuses what would not leave the store its room.
fn has_room(dir: &Path, bytes: u64) -> Result<(), BackupError> {
    let wanted = bytes + RESERVE;
    match free_bytes(dir) {
        Ok(free) if free < wanted => Err(BackupError::NoRoom { dir: dir.to_owned(), wanted }),
        _ => Ok(()),
    }
}

/// Writes piece after piece, and reads the whole back after the last. Where the pieces end before that, nothing is left.
fn write(mut file: BackupFile, mut pieces: Receiver<Option<Vec<u8>>>, dir: &Path) -> Result<Contents, BackupError> {
    let mut looked_at = 0;
    while let Some(piece) = pieces.blocking_recv() {
        let Some(piece) = piece else { return file.finish() };
        let written = file.write(&piece)?;
        if written - looked_at >= ROOM_LOOKED_AT {
            looked_at = written;
            has_room(dir, 0)?;
        }
    }
    // Nobody hears it: whoever has sent the pieces is gone.
    Err(StoreError::ended("posbell is ending").into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::domain::event::{Epoch, Scribe};
    use crate::domain::model::ShopId;
    use crate::edge::store::{Commit, read_backup};

    const EVENTS: u64 = 10_000;

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000, 0).unwrap()
    }

    async fn commit(store: &Store, numbers: std::ops::Range<u64>) {
        let scribe = Scribe::new(ShopId::new("main").unwrap(), "Test shop", store.epoch().clone(), now());
        let events = numbers.map(|number| (now(), scribe.key_rejected(number, 401))).collect();
        store.commit(Commit { events, ..Commit::default() }).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn commits_go_on_while_a_copy_is_made_and_none_of_them_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_or_create(dir.path(), Epoch::from_random([7; 16])).unwrap();
        for from in (0..EVENTS).step_by(200) {
            commit(&store, from..from + 200).await;
        }
        let shelf = Shelf::of(dir.path());
        let is_made = AtomicBool::new(false);
        let committing = async {
            let mut committed = 0;
            while !is_made.load(Ordering::Relaxed) {
                commit(&store, EVENTS + committed..EVENTS + committed + 1).await;
                committed += 1;
            }
            committed
        };
        let making = async {
            let made = make(&store, &shelf, None, now()).await.unwrap();
            is_made.store(true, Ordering::Relaxed);
            made
        };
        let (contents, committed) = tokio::join!(making, committing);
        // Those before it began are in it, and those of the time that it took are not. More than the one that may have
        // waited for its end went on beside it.
        assert!(committed > 2 && contents.events() < EVENTS + committed, "{committed} {contents:?}");
        let copies = shelf.copies(now()).unwrap();
        assert_eq!((copies.len(), read_backup(&copies[0].path).unwrap()), (1, contents));
    }

    #[tokio::test]
    async fn two_are_kept_and_what_a_person_has_put_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_or_create(dir.path(), Epoch::from_random([7; 16])).unwrap();
        commit(&store, 0..1).await;
        let shelf = Shelf::of(dir.path());
        assert_eq!(shelf.copies(now()).unwrap(), []);
        let old = "posbell-20200101T000000Z.backup";
        let strange =
            ["mine.backup", "mine.backup.part-1", "posbell-2020.backup", "posbell-20200101T000000Z.backup.old"];
        let left = [&format!("{old}.part-7"), "posbell-20231114T221320Z.backup.part-1"].map(str::to_owned);
        std::fs::create_dir(shelf.dir()).unwrap();
        for name in strange.iter().copied().chain([old]).chain(left.iter().map(String::as_str)) {
            std::fs::write(shelf.dir().join(name), "x").unwrap();
        }
        // One of a clock that was wrong for years is the first to go.
        std::fs::write(shelf.dir().join("posbell-20990101T000000Z.backup"), "x").unwrap();
        let mut made = Vec::new();
        for hour in 0..3 {
            let moment = now() + chrono::TimeDelta::hours(hour);
            make(&store, &shelf, None, moment).await.unwrap();
            made.insert(0, moment);
            let copies: Vec<Timestamp> = shelf.copies(moment).unwrap().iter().map(|copy| copy.made_at).collect();
            assert_eq!(copies[..made.len().min(2)], made[..made.len().min(2)]);
            assert_eq!(copies.len(), 2);
        }
        let names =
            std::fs::read_dir(shelf.dir()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| !strange.contains(&name.as_str())).collect();
        names.sort();
        assert_eq!(names, ["posbell-20231114T231320Z.backup", "posbell-20231115T001320Z.backup"]);
        assert!(strange.iter().all(|name| shelf.dir().join(name).exists()));
    }
}
