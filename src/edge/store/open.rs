//! Opening a store: the lock first, then sled, then what says whose data it is.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Arc;

use super::blobs::Blobs;
use super::commit::Numbers;
use super::committer::{Committer, found, upgrade};
use super::record::{self, FORM};
use super::restore::swap;
use super::space::{RESERVE, free_bytes};
use super::{DirLock, Holder, Inner, Store, StoreError, keys};
use crate::domain::event::Epoch;

/// sled's default cache is 1 GiB. It counts bytes as they stand on the disk; in memory they are some three times as many.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// The file that says that data was written. sled takes a log that it cannot read for a new and empty one, and a store
/// that began anew in silence would have lost every delivery that waits.
pub(super) const MADE: &str = "posbell.made";

impl Store {
    /// Opens the store in `dir`, or makes one with this epoch.
    ///
    /// Blocks; call it before anything is served.
    pub fn open_or_create(dir: &Path, epoch_if_new: Epoch) -> Result<Store, StoreError> {
        make_data_dir(dir)?;
        Self::open(dir, Some(epoch_if_new))
    }

    /// Opens the store in `dir` if there is one.
    pub fn open_existing(dir: &Path) -> Result<Store, StoreError> {
        match std::fs::metadata(dir.join("store")) {
            Ok(_) => Self::open(dir, None),
            // A restore that was killed between two steps has one ready, and opening it puts it in place.
            Err(error) if error.kind() == ErrorKind::NotFound && swap::is_ready(dir) => Self::open(dir, None),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::Absent(dir.to_owned())),
            // Not to be seen is not absent: it may be there, and another user's.
            Err(source) => Err(StoreError::Directory { dir: dir.to_owned(), source }),
        }
    }

    fn open(dir: &Path, epoch_if_new: Option<Epoch>) -> Result<Store, StoreError> {
        let lock = DirLock::take(dir)?;
        let free = free_bytes(dir).map_err(|source| StoreError::Directory { dir: dir.to_owned(), source })?;
        if free < RESERVE {
            return Err(StoreError::Full);
        }
        let opened = catch_unwind(|| Inner::open(dir, epoch_if_new, lock));
        let inner = opened.map_err(|_| StoreError::Damaged("sled panicked while opening it".to_owned()))??;
        Ok(Store { inner: Arc::new(inner) })
    }
}

/// How every store is opened: without sled's own flusher, which would push out the log before the blobs that it points to.
pub(super) fn database(path: &Path) -> sled::Config {
    sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None)
}

/// Makes the data directory where it is missing, for its owner's eyes alone: it will hold names and telephone numbers of
/// customers.
pub fn make_data_dir(dir: &Path) -> Result<(), StoreError> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| StoreError::Directory { dir: dir.to_owned(), source })
}

impl Inner {
    fn open(dir: &Path, epoch_if_new: Option<Epoch>, lock: DirLock) -> Result<Inner, StoreError> {
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
        swap::settle(dir).map_err(unusable)?;
        let path = dir.join("store");
        if let Some(epoch) = &epoch_if_new
            && !path.try_exists().map_err(unusable)?
        {
            begin(dir, &path, epoch)?;
        }
        remove_unfinished_snapshots(&path).map_err(unusable)?;
        let (db, file, mut blobs) = open_log(dir, &path)?;
        let tree: sled::Tree = (*db).clone();
        let made = path.join(MADE);
        let was_made = made.try_exists().map_err(unusable)?;
        let epoch = match stored_epoch(&tree, was_made)? {
            Some((epoch, FORM)) => epoch,
            Some((epoch, _older)) => {
                upgrade(&tree, &file, &mut blobs)?;
                epoch
            }
            None => {
                let epoch = epoch_if_new.ok_or_else(|| StoreError::Absent(dir.to_owned()))?;
                found(&tree, &file, &mut blobs, &epoch)?;
                epoch
            }
        };
        if !was_made {
            mark(&path).and_then(|()| sync_names(dir)).map_err(unusable)?;
        }
        let committer = Committer::start(tree.clone(), file, blobs, Numbers::stored(&tree)?).map_err(unusable)?;
        Ok(Inner { committer, tree, epoch, _db: db, lock })
    }
}

/// Reads whose data this is and of which form; `None` in a store that nothing was ever written into.
fn stored_epoch(tree: &sled::Tree, was_made: bool) -> Result<Option<(Epoch, u32)>, StoreError> {
    if let Some(form) = tree.get(keys::FORM)? {
        let found: u32 = record::read(&form)?;
        if found > FORM {
            return Err(StoreError::Newer { found, known: FORM });
        }
        let epoch = tree.get(keys::EPOCH)?.ok_or_else(|| StoreError::Damaged("it has lost its epoch".to_owned()))?;
        return Ok(Some((record::read(&epoch)?, found)));
    }
    if was_made || !tree.is_empty() {
        return Err(StoreError::Damaged(
            "it has lost its data; restore a backup, or move the directory `store` aside to begin anew".to_owned(),
        ));
    }
    Ok(None)
}

/// Opens sled's log in `path` and brings to the disk what lies in it.
fn open_log(dir: &Path, path: &Path) -> Result<(sled::Db, File, Blobs), StoreError> {
    let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
    let db = database(path).open().map_err(|error| match error {
        sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock") => {
            StoreError::Locked { dir: dir.to_owned(), holder: Holder::default() }
        }
        other => StoreError::from(other),
    })?;
    let file = File::open(path.join("db")).map_err(unusable)?;
    // What a killed process left with the kernel is about to be believed and sent: it must not be lost after that. sled
    // writes `conf` once, does not sync it, and cannot be opened with a part of it.
    let mut blobs = Blobs::new(path.join("blobs"));
    let conf = File::open(path.join("conf")).and_then(|conf| conf.sync_all());
    conf.and_then(|()| blobs.sync()).and_then(|()| file.sync_data()).map_err(unusable)?;
    Ok((db, file, blobs))
}

/// Makes a store under another name and gives it its own when all of it is on the disk: a power cut in its first moments
/// leaves none or a whole one, and never a part that cannot be opened and that nobody dares to remove.
fn begin(dir: &Path, path: &Path, epoch: &Epoch) -> Result<(), StoreError> {
    let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
    let fresh = path.with_extension("new");
    match std::fs::remove_dir_all(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    let (db, file, mut blobs) = open_log(dir, &fresh)?;
    found(&db, &file, &mut blobs, epoch)?;
    drop(db);
    // A thread of sled's may still have its lock for a moment; the next opening would be refused.
    file.lock().map_err(unusable)?;
    drop(file);
    mark(&fresh).and_then(|()| std::fs::rename(&fresh, path)).and_then(|()| sync_names(dir)).map_err(unusable)
}

/// Says beside the data that there is some. Written after the first commit; with the directory, which a sync of a file
/// does not cover.
fn mark(path: &Path) -> std::io::Result<()> {
    File::create(path.join(MADE))?.sync_all()?;
    File::open(path.join("blobs"))?.sync_all()?;
    File::open(path)?.sync_all()
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

/// sled leaves an empty one when it is opened on a full disk, and from then on refuses to open at all.
fn remove_unfinished_snapshots(path: &Path) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
