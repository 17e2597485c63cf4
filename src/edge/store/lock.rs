//! Who has the data directory: one process at a time, and the others can see which.
//!
//! sled takes a lock too, but cannot say who holds it. This one is taken first, and its file says it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;

/// How long the text in a lock file is: more than a number and an address need.
const TEXT_BYTES: usize = 256;

/// Who holds a data directory, as its lock file says.
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
    file: File,
    path: PathBuf,
}

impl DirLock {
    /// Takes the lock, or says who has it.
    pub fn take(dir: &Path) -> Result<DirLock, StoreError> {
        let path = dir.join("posbell.lock");
        let unusable = |source| StoreError::Directory { dir: dir.to_owned(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let lock = DirLock { file: file.map_err(unusable)?, path };
        match lock.file.try_lock() {
            Ok(()) => {
                lock.describe(&Holder { pid: Some(std::process::id()), admin: None }).map_err(unusable)?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Locked { dir: dir.to_owned(), holder: read_holder(&lock.file) })
            }
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Writes into the lock file where the service can be asked.
    pub fn serves_at(&self, admin: &str) -> std::io::Result<()> {
        self.describe(&Holder { pid: Some(std::process::id()), admin: Some(admin.to_owned()) })
    }

    /// Where the lock file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn describe(&self, holder: &Holder) -> std::io::Result<()> {
        // One write of always the same length: whoever reads meanwhile finds the old text or the new one, and no ruin of
        // both. JSON may end in blanks.
        let text = format!("{:TEXT_BYTES$}", serde_json::to_string(holder)?);
        self.file.write_all_at(text.as_bytes(), 0)?;
        self.file.set_len(text.len() as u64)
    }
}

/// A lock file that is being written or damaged names nobody; that is no reason to fail twice.
fn read_holder(mut file: &File) -> Holder {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
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
