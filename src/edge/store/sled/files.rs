//! sled's own files: how they are opened, made durable, and known to be closed.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use super::CACHE_BYTES;
use super::witness::MADE;

/// How often it is looked whether a store is closed, and how long is waited between: some ten seconds in all.
const LOOKS: usize = 5_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// How every store is opened. Without sled's own flusher: what is durable, and when, is for the committer to say.
pub(in crate::edge::store) fn database(path: &Path) -> ::sled::Config {
    ::sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None)
}

/// sled leaves an empty one when it is opened on a full disk, and from then on refuses to open at all.
pub(super) fn remove_unfinished_snapshots(path: &Path) -> std::io::Result<()> {
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

/// Whether there is a store that was once made, whatever can be read of it.
pub(in crate::edge::store) fn was_made(path: &Path) -> std::io::Result<bool> {
    path.join(MADE).try_exists()
}

/// Brings every file of a store to the disk, with their names.
pub(in crate::edge::store) fn make_durable(path: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => make_durable(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(path)?.sync_all()
}

/// Returns when nothing has the store open any more. sled's own threads may, for a moment after it was dropped, and
/// neither can it be opened again until they have ended, nor should it be moved. [`ErrorKind::TimedOut`] where they do not.
pub(in crate::edge::store) fn wait_until_closed(path: &Path) -> std::io::Result<()> {
    let log = File::open(path.join("db"))?;
    for _look in 0..LOOKS {
        match log.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(BETWEEN_LOOKS),
            Err(TryLockError::Error(source)) => return Err(source),
        }
    }
    Err(ErrorKind::TimedOut.into())
}

/// How many bytes the files of a store take on the disk.
pub(in crate::edge::store) fn size(path: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        // One that was just removed takes none.
        let Ok(found) = entry.metadata() else { continue };
        bytes += if found.is_dir() { size(&entry.path())? } else { found.blocks() * 512 };
    }
    Ok(bytes)
}
