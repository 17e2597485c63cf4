//! Opening a store: the lock first, then the engine, then what says whose data it is.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::commit::Numbers;
use super::committer::Committer;
use super::engine::Engine;
use super::rebuild::Fresh;
use super::record::{self, FORM};
use super::restore::swap;
use super::sled::{Found, Sled, files};
use super::space::{Moving, RESERVE, free_bytes};
use super::{DirLock, InUse, Inner, Store, StoreError, compact, keys, owner, upgrade};
use crate::domain::disk::DiskFault;
use crate::domain::event::Epoch;

/// How long opening the files may take before it counts as one that never ends.
const OPENING: Duration = Duration::from_secs(300);

/// How often it is looked whether it reads on, and after how long without a byte its disk hangs.
const LOOK: Duration = Duration::from_secs(5);
const NOTHING_MOVES: Duration = Duration::from_secs(60);

impl Store {
    /// Opens the store in `dir`, or makes one with this epoch.
    ///
    /// Blocks; call it before anything is served.
    pub fn open_or_create(dir: &Path, epoch_if_new: Epoch) -> Result<Store, StoreError> {
        make_data_dir(dir)?;
        Self::open_locked(dir, &Arc::new(DirLock::take(dir)?), epoch_if_new)
    }

    /// The same for a caller that has the lock on `dir` already, and keeps it for longer than the store is open.
    pub fn open_locked(dir: &Path, lock: &Arc<DirLock>, epoch_if_new: Epoch) -> Result<Store, StoreError> {
        Self::open(dir, Arc::clone(lock), Some(epoch_if_new)).map_err(|error| explained(dir, error))
    }

    /// Opens the store in `dir` if there is one.
    pub fn open_existing(dir: &Path) -> Result<Store, StoreError> {
        match std::fs::metadata(dir.join("store")) {
            Ok(_) => Self::open(dir, Arc::new(DirLock::take(dir)?), None).map_err(|error| explained(dir, error)),
            // A restore that was killed between two steps has one ready, and opening it puts it in place.
            Err(error) if error.kind() == ErrorKind::NotFound && swap::is_ready(dir) => {
                Self::open(dir, Arc::new(DirLock::take(dir)?), None).map_err(|error| explained(dir, error))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::Absent(dir.to_owned())),
            // Not to be seen is not absent: it may be there, and another user's.
            Err(source) => Err(explained(dir, StoreError::Directory { dir: dir.to_owned(), source })),
        }
    }

    fn open(dir: &Path, lock: Arc<DirLock>, epoch_if_new: Option<Epoch>) -> Result<Store, StoreError> {
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
        // What a killed restore has left goes first: it may be what fills the disk.
        swap::settle(dir).map_err(unusable)?;
        if free_bytes(dir).map_err(unusable)? < RESERVE {
            compact::tidy_up(dir);
        }
        if free_bytes(dir).map_err(unusable)? < RESERVE {
            return Err(StoreError::Disk(DiskFault::Full));
        }
        let opened = catch_unwind(AssertUnwindSafe(|| Inner::open(dir, epoch_if_new, lock)));
        let panicked = |_| Err(StoreError::Damaged("it panicked while it was opened".to_owned()));
        let inner = opened.unwrap_or_else(panicked)?;
        Ok(Store { inner: Arc::new(inner) })
    }
}

/// The same error, with what to do where something of the directory is another user's.
fn explained(dir: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Denied(source) | StoreError::Directory { source, .. } => {
            StoreError::Directory { dir: dir.to_owned(), source: owner::explained(dir, source) }
        }
        other => other,
    }
}

/// Opens sled on a thread of its own: what a damaged log makes it do may never end.
fn in_time(path: &Path) -> Result<Found, StoreError> {
    let (done, opened) = mpsc::sync_channel(1);
    let path = path.to_owned();
    let opening = move || {
        let opened = catch_unwind(AssertUnwindSafe(|| Sled::open(&path)));
        let panicked = |_| Err(StoreError::Damaged("it panicked while it was opened".to_owned()));
        // Nobody waits for it any more when it comes too late.
        drop(done.send(opened.unwrap_or_else(panicked)));
    };
    let started = std::thread::Builder::new().name("opening".to_owned()).spawn(opening);
    started.map_err(|_| StoreError::ended("no thread could be started to open it"))?;
    let (mut moving, mut still) = (Moving::now(), Duration::ZERO);
    for _ in 0..OPENING.as_secs() / LOOK.as_secs() {
        match opened.recv_timeout(LOOK) {
            Ok(opened) => return opened,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(StoreError::ended("the opening has ended")),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        still = if moving.has_moved() { Duration::ZERO } else { still + LOOK };
        if still >= NOTHING_MOVES {
            return Err(StoreError::Disk(DiskFault::Hanging));
        }
    }
    Err(StoreError::Damaged(format!("it could not be opened within {} s", OPENING.as_secs())))
}

/// Makes the data directory where it is missing, for its owner's eyes alone: it will hold names and telephone numbers of
/// customers.
pub fn make_data_dir(dir: &Path) -> Result<(), StoreError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| StoreError::Directory { dir: dir.to_owned(), source })
}

impl Inner {
    fn open(dir: &Path, epoch_if_new: Option<Epoch>, lock: Arc<DirLock>) -> Result<Inner, StoreError> {
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
        let path = dir.join("store");
        if let Some(epoch) = &epoch_if_new
            && !path.try_exists().map_err(unusable)?
        {
            begin(dir, &path, epoch)?;
        }
        let was_made = files::was_made(&path).map_err(unusable)?;
        let engine = open_engine(dir, &path)?;
        let epoch = match stored_epoch(&engine, was_made)? {
            Some(epoch) => epoch,
            None => {
                drop(engine);
                let epoch = epoch_if_new.ok_or_else(|| StoreError::Absent(dir.to_owned()))?;
                // A directory that somebody has made and nobody has written into.
                files::wait_until_closed(&path).map_err(unusable)?;
                std::fs::remove_dir_all(&path).map_err(unusable)?;
                begin(dir, &path, &epoch)?;
                return Inner::start(open_engine(dir, &path)?, epoch, lock);
            }
        };
        if !was_made {
            engine.sync()?;
            files::make_durable(&path).and_then(|()| sync_names(dir)).map_err(unusable)?;
        }
        Inner::start(engine, epoch, lock)
    }

    fn start(engine: Sled, epoch: Epoch, lock: Arc<DirLock>) -> Result<Inner, StoreError> {
        let numbers = Numbers::stored(&engine)?;
        let engine = Arc::new(InUse::new(engine));
        let committer = Committer::start(Arc::clone(&engine), numbers);
        let committer = committer.map_err(|source| StoreError::Directory { dir: lock.path().to_owned(), source })?;
        Ok(Inner { committer, engine, epoch, lock })
    }
}

/// Opens what is in `path`, after it was brought to the form of this version where it has an older one.
fn open_engine(dir: &Path, path: &Path) -> Result<Sled, StoreError> {
    let named = |error| match error {
        StoreError::Locked { holder, .. } => StoreError::Locked { dir: dir.to_owned(), holder },
        other => other,
    };
    match in_time(path).map_err(named)? {
        Found::Store(engine) => return Ok(engine),
        Found::Older(older) => upgrade::rebuild(dir, older)?,
    }
    match in_time(path).map_err(named)? {
        Found::Store(engine) => Ok(engine),
        Found::Older(..) => Err(StoreError::Damaged("it could not be brought to its new form".to_owned())),
    }
}

/// Reads whose data this is; `None` in a store that nothing was ever written into.
fn stored_epoch(engine: &Sled, was_made: bool) -> Result<Option<Epoch>, StoreError> {
    if let Some(form) = engine.get(keys::FORM)? {
        let found: u32 = record::read(&form)?;
        if found > FORM {
            return Err(StoreError::Newer { found, known: FORM });
        }
        let epoch = engine.get(keys::EPOCH)?.ok_or_else(|| StoreError::Damaged("it has lost its epoch".to_owned()))?;
        return Ok(Some(record::read(&epoch)?));
    }
    match was_made || !engine.is_empty() {
        true => Err(StoreError::Damaged("it has lost its data".to_owned())),
        false => Ok(None),
    }
}

/// Makes a store under another name and gives it its own when all of it is on the disk: a power cut in its first moments
/// leaves none or a whole one, and never a part that cannot be opened and that nobody dares to remove.
fn begin(dir: &Path, path: &Path, epoch: &Epoch) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
    let new = path.with_extension("new");
    match std::fs::remove_dir_all(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    let mut fresh = Fresh::begin(&new)?;
    fresh.sign(epoch, Numbers::default())?;
    fresh.finish()?;
    std::fs::rename(&new, path).and_then(|()| sync_names(dir)).map_err(unusable)
}

/// Brings to the disk that the data directory is there, and those that it is in: whoever made them may not have done it.
fn sync_names(dir: &Path) -> std::io::Result<()> {
    for (above, dir) in dir.canonicalize()?.ancestors().enumerate() {
        match File::open(dir).and_then(|dir| dir.sync_all()) {
            // What may not be read was not made for posbell just now; and not every file system can do it.
            Err(error) if above > 0 && beyond(error.kind()) => break,
            synced => synced?,
        }
    }
    Ok(())
}

fn beyond(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::PermissionDenied | ErrorKind::InvalidInput | ErrorKind::Unsupported)
}
