//! How the ledger comes safely onto the disk: locked, appended, synced, replaced.
//!
//! Every call here blocks. A line that was not written whole would spoil the next one, so after a failed write the
//! file counts as broken and is replaced by a fresh one before anything else is appended.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::QuotaError;
use crate::domain::model::KeyHash;

/// After so many bytes of lines the file is replaced by a short one: some four thousand calls, or two minutes of the
/// fastest quota.
const GROWN: usize = 256 * 1024;

/// An open ledger. While it lives, no other process opens the same one.
#[derive(Debug)]
pub(super) struct LedgerFile {
    dir: PathBuf,
    path: PathBuf,
    /// `None` where the file must be replaced before it can be appended to.
    file: Option<File>,
    /// Bytes appended since it was replaced.
    appended: usize,
    /// Held, not read: the lock ends with it. A file of its own, because the ledger itself is replaced.
    _lock: File,
}

impl LedgerFile {
    /// Opens the ledger of `key` in `dir`, which is made where it is missing, and reads what stands in it.
    ///
    /// It cannot be appended to before [`LedgerFile::replace`].
    pub(super) fn open(dir: &Path, key: &KeyHash) -> Result<(Self, Option<Vec<u8>>), QuotaError> {
        fs::create_dir_all(dir).map_err(storage(dir, "made"))?;
        let lock_path = dir.join(format!("{key}.lock"));
        let lock = File::options().create(true).append(true).open(&lock_path).map_err(storage(&lock_path, "opened"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => QuotaError::InUse { path: lock_path.clone() },
            TryLockError::Error(source) => storage(&lock_path, "locked")(source),
        })?;
        let path = dir.join(format!("{key}.ledger"));
        let bytes = match fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(source) => return Err(storage(&path, "read")(source)),
        };
        Ok((Self { dir: dir.to_owned(), path, file: None, appended: 0, _lock: lock }, bytes))
    }

    /// Whether it must be replaced before the next line: it has grown, or a write failed.
    pub(super) fn wants_replacing(&self) -> bool {
        self.file.is_none() || self.appended > GROWN
    }

    /// Puts `text` in the place of the whole file: afterwards a crash finds the old one or the new one, never half.
    pub(super) fn replace(&mut self, text: &str) -> Result<(), QuotaError> {
        let fresh = self.path.with_extension("ledger.new");
        let write = || -> io::Result<File> {
            let mut file = File::create(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)?;
            // The new name is durable only with its directory.
            File::open(&self.dir)?.sync_all()?;
            Ok(file)
        };
        self.file = None;
        self.file = Some(write().map_err(storage(&self.path, "replaced"))?);
        self.appended = 0;
        Ok(())
    }

    /// Appends `lines` so that they survive a power cut.
    pub(super) fn append_durably(&mut self, lines: &str) -> Result<(), QuotaError> {
        self.write(lines, true)
    }

    /// Appends `lines` so that they survive a crash of the process; the next durable line makes them durable too.
    pub(super) fn append(&mut self, lines: &str) -> Result<(), QuotaError> {
        self.write(lines, false)
    }

    fn write(&mut self, lines: &str, durably: bool) -> Result<(), QuotaError> {
        let Some(file) = &mut self.file else {
            return Err(storage(&self.path, "appended to")(ErrorKind::BrokenPipe.into()));
        };
        let written = file.write_all(lines.as_bytes()).and_then(|()| if durably { file.sync_data() } else { Ok(()) });
        self.appended += lines.len();
        written.map_err(|source| {
            self.file = None;
            storage(&self.path, "appended to")(source)
        })
    }
}

#[cfg(test)]
impl LedgerFile {
    /// Goes on with another file, or with none as after a failed write. Hands out what was open.
    pub(super) fn swap(&mut self, file: Option<File>) -> Option<File> {
        std::mem::replace(&mut self.file, file)
    }
}

/// Names the file and what was tried.
fn storage(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> QuotaError {
    let path = path.to_owned();
    move |source| QuotaError::Storage { path, doing, source }
}
