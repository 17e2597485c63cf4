//! Who has the data directory: one process at a time, and the others can see which.
//!
//! sled takes a lock too, but cannot say who holds it. This one is taken first, and a file beside it says it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{StoreError, owner};

/// Who holds a data directory, as the file beside its lock says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holder {
    /// The process; `null` where the file could not be read.
    pub pid: Option<u32>,
    /// Where its admin address listens, once it does: `127.0.0.1:8787`.
    pub admin: Option<String>,
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
    // Held, not read: the lock ends with it.
    _file: File,
    path: PathBuf,
}

impl DirLock {
    /// Takes the lock, or says who has it.
    pub fn take(dir: &Path) -> Result<DirLock, StoreError> {
        let path = dir.join("posbell.lock");
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source: owner::explained(dir, source) };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {
                let lock = DirLock { _file: file, path };
                lock.describe(&Holder { pid: Some(std::process::id()), admin: None }).map_err(unusable)?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Locked { dir: dir.to_owned(), holder: read_holder(&path) })
            }
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Writes beside the lock where the service can be asked.
    pub fn serves_at(&self, admin: &str) -> std::io::Result<()> {
        self.describe(&Holder { pid: Some(std::process::id()), admin: Some(admin.to_owned()) })
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
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn the_second_process_is_told_who_has_the_directory() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let first = DirLock::take(dir.path()).expect("is free");
        first.serves_at("127.0.0.1:8787").expect("is writable");
        let Err(StoreError::Locked { holder, .. }) = DirLock::take(dir.path()) else { panic!("taken twice") };
        assert_eq!(holder, Holder { pid: Some(std::process::id()), admin: Some("127.0.0.1:8787".to_owned()) });
        drop(first);
        DirLock::take(dir.path()).expect("is free again");
    }

    #[test]
    fn a_holder_that_was_killed_is_not_taken_for_the_one_who_has_the_lock_now() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let lock = DirLock::take(dir.path()).expect("is free");
        let killed = Holder { pid: Some(u32::MAX), admin: Some("127.0.0.1:1".to_owned()) };
        lock.describe(&killed).expect("is writable");
        let Err(StoreError::Locked { holder, .. }) = DirLock::take(dir.path()) else { panic!("taken twice") };
        assert_eq!(holder, Holder::default());
    }

    #[test]
    fn whoever_looks_while_the_holder_writes_is_told_all_the_same() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let lock = DirLock::take(dir.path()).expect("is free");
        let addresses = ["127.0.0.1:1", "[2001:db8:1111:2222:3333:4444:5555:6666]:65535"];
        lock.serves_at(addresses[0]).expect("is writable");
        let looked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for address in addresses.iter().cycle().take_while(|_| !looked.load(Ordering::Relaxed)) {
                    lock.serves_at(address).expect("is writable");
                }
            });
            let seen: Vec<_> = (0..5_000).map(|_| DirLock::take(dir.path()).expect_err("is taken")).collect();
            looked.store(true, Ordering::Relaxed);
            for error in seen {
                let StoreError::Locked { holder, .. } = error else { panic!("{error}") };
                let admin = holder.admin.unwrap_or_default();
                assert!(addresses.contains(&admin.as_str()) && holder.pid.is_some(), "{admin}");
            }
        });
    }
}
