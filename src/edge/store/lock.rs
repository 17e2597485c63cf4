//! Who has the data directory: one process at a time, and the others can see which.
//!
//! sled takes a lock too, but cannot say who holds it. This one is taken first, and a file beside it says it.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{StoreError, owner};

/// Who holds a data directory, as the file beside its lock says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holder {
    /// The process; `null` where the file could not be read.
    pub pid: Option<u32>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}

/// The lock on a data directory; free when it is dropped, or when the process dies however it dies.
#[derive(Debug)]
pub struct DirLock {
    /// The lock ends with it.
    file: File,
    path: PathBuf,
}

impl DirLock {
    /// Takes the lock, or says who has it.
    pub fn take(dir: &Path) -> Result<DirLock, StoreError> {
        let path = dir.join("posbell.lock");
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source: owner::explained(dir, source) };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = match file {
            // It can be locked all the same.
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => File::open(&path).map_err(|_| error),
            opened => opened,
        };
        let file = file.map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {
                let lock = DirLock { file, path };
                // A full disk must not keep it from being taken: without the file the others only see less.
                drop(lock.describe(&Holder { pid: Some(std::process::id()) }));
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Locked { dir: dir.to_owned(), holder: read_holder(&path) })
            }
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Whether the lock file is still where it was opened: otherwise another process could take another one.
    pub fn is_in_place(&self) -> bool {
        let same = |found: Metadata, open: Metadata| (found.dev(), found.ino()) == (open.dev(), open.ino());
        let found = std::fs::metadata(&self.path).and_then(|found| Ok(same(found, self.file.metadata()?)));
        found.unwrap_or(false)
    }

    /// Where the lock file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of its own, put in place whole: whoever reads meanwhile finds the old text or the new one. Into the lock
    /// file itself it could only be written piece by piece, since a file that is replaced is locked no more.
    fn describe(&self, holder: &Holder) -> std::io::Result<()> {
        let fresh = self.path.with_extension("holder.new");
        std::fs::write(&fresh, serde_json::to_vec(holder)?)?;
        std::fs::rename(fresh, holder_path(&self.path))
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // Left behind, as by a kill, it names someone who is gone until the next holder writes its own.
        drop(std::fs::remove_file(holder_path(&self.path)));
    }
}

fn holder_path(lock: &Path) -> PathBuf {
    lock.with_extension("holder")
}

/// A holder that has not said who it is names nobody; that is no reason to fail twice. Nor does one that was killed:
/// somebody else has the lock then, and is about to say so.
fn read_holder(lock: &Path) -> Holder {
    let holder: Option<Holder> =
        std::fs::read(holder_path(lock)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let lives = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
    holder.filter(|holder| holder.pid.is_some_and(lives)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_process_is_told_who_has_the_directory() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let first = DirLock::take(dir.path()).expect("is free");
        let Err(StoreError::Locked { holder, .. }) = DirLock::take(dir.path()) else { panic!("taken twice") };
        assert_eq!(holder, Holder { pid: Some(std::process::id()) });
        drop(first);
        DirLock::take(dir.path()).expect("is free again");
    }

    #[test]
    fn a_holder_that_was_killed_is_not_taken_for_the_one_who_has_the_lock_now() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let lock = DirLock::take(dir.path()).expect("is free");
        let killed = Holder { pid: Some(u32::MAX) };
        lock.describe(&killed).expect("is writable");
        let Err(StoreError::Locked { holder, .. }) = DirLock::take(dir.path()) else { panic!("taken twice") };
        assert_eq!(holder, Holder::default());
    }
}
