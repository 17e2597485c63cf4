//! How the ledger comes safely onto the disk: locked, appended, sealed, marked, synced, replaced.
//!
//! Every call here blocks. A line that was not written whole would spoil the next one, so after a failed write the
//! file counts as broken and is replaced by a fresh one before anything else is appended.
//!
//! Beside the ledger stands its mark, with the seal of the last line that must be there and the moment at which that was
//! written. It is written in place, after the line and before a call leaves because of it: so a mark is never ahead of
//! its ledger, and a ledger that is behind its mark has lost something. A call need not wait until the mark is synced: a
//! kill leaves what was written, and after a power cut an older mark stands in a ledger that was synced before it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::OFlags;

use super::ledger::{self, Mark};
use super::seal::Seal;
use super::{BootClock, QuotaError};
use crate::domain::model::KeyHash;

/// After so many bytes of lines the file is replaced by a short one: some four thousand calls, or two minutes of the
/// fastest quota.
const GROWN: usize = 384 * 1024;

/// The most that is read of a ledger: far more than it ever has.
const LONGEST: u64 = 64 * 1024 * 1024;

/// What a mark begins with.
const MARK: &str = "posbell-quota-mark 1\n";

/// How many bytes a mark has.
const MARK_BYTES: usize = MARK.len() + "0123456789abcdef 00000000000000000000\n".len();

/// How much later than a mark says it may have been written: between a look at the clock and the write, a busy machine
/// may do something else.
const UNNOTICED: Duration = Duration::from_millis(300);

/// An open ledger. While it lives, no other process opens the same one.
pub(super) struct LedgerFile {
    dir: PathBuf,
    path: PathBuf,
    /// `None` where the file must be replaced before it can be appended to.
    file: Option<File>,
    /// Bytes appended since it was replaced.
    appended: usize,
    /// Of the last line in it.
    seal: Seal,
    mark_path: PathBuf,
    mark: File,
    /// What the mark says; `None` where that is nothing that could be read.
    says: Option<Seal>,
    /// It was written and not synced yet.
    mark_waits: bool,
    /// There was no mark, and no ledger that has one.
    is_first: bool,
    clock: Arc<dyn BootClock>,
    /// Held, not read: the lock ends with it. A file of its own, because the ledger itself is replaced.
    _lock: File,
}

impl LedgerFile {
    /// Opens the ledger of `key` in `dir`, which is made where it is missing, and reads what stands in it and in its mark.
    ///
    /// It cannot be appended to before [`LedgerFile::replace`].
    pub(super) fn open(
        dir: &Path,
        key: &KeyHash,
        clock: Arc<dyn BootClock>,
    ) -> Result<(Self, Option<Vec<u8>>, Mark), QuotaError> {
        fs::create_dir_all(dir).map_err(storage(dir, "made"))?;
        let lock_path = dir.join(format!("{key}.lock"));
        let lock = open(&lock_path, File::options().create(true).append(true))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => QuotaError::InUse { path: lock_path.clone() },
            TryLockError::Error(source) => storage(&lock_path, "locked")(source),
        })?;
        let path = dir.join(format!("{key}.ledger"));
        let bytes = match open(&path, File::options().read(true)) {
            Ok(file) => Some(read(file).map_err(storage(&path, "read"))?),
            Err(QuotaError::Storage { source, .. }) if source.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mark_path = dir.join(format!("{key}.mark"));
        let mark = open(&mark_path, File::options().create(true).truncate(false).read(true).write(true))?;
        let found = mark.try_clone().and_then(read).map_err(storage(&mark_path, "read"))?;
        let opened = Self {
            dir: dir.to_owned(),
            path,
            file: None,
            appended: 0,
            seal: Seal::default(),
            mark_path,
            mark,
            says: says(&found).map(|(seal, _)| seal),
            mark_waits: false,
            is_first: found.is_empty() && !bytes.as_deref().is_some_and(ledger::has_mark),
            clock,
            _lock: lock,
        };
        let boot = opened.clock.boot_id();
        let is_of_this_boot = bytes.as_deref().is_none_or(|bytes| ledger::is_of_boot(bytes, &boot));
        let mark = match opened.says {
            _ if found.is_empty() => Mark::Missing,
            Some(seal) if !opened.is_older_than_its_file(&found, is_of_this_boot)? => Mark::Says(seal),
            _ => Mark::Unreadable,
        };
        Ok((opened, bytes, mark))
    }

    /// Whether the mark was put there later than it was written, as an older one is that is copied back.
    ///
    /// The time at which its text was written is held against that of a file which is made now, so that no clock is asked
    /// but that of the disk. Another owner or mode is no other text. What another boot has written is judged by its last
    /// stamp anyway.
    fn is_older_than_its_file(&self, found: &[u8], is_of_this_boot: bool) -> Result<bool, QuotaError> {
        let fresh = &self.fresh();
        let Some((_, at)) = says(found).filter(|_| is_of_this_boot && self.clock.is_the_systems()) else {
            return Ok(false);
        };
        let written = |file: &File| {
            file.metadata().map(|file| i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec()))
        };
        // Before the file is made, which may take its time.
        let says = i128::try_from(self.clock.now().as_nanos()).unwrap_or(i128::MAX) - i128::from(at);
        let now = written(&create(fresh).map_err(storage(fresh, "made"))?).map_err(storage(fresh, "made"))?;
        let lies = now - written(&self.mark).map_err(storage(&self.mark_path, "read"))?;
        Ok(says - lies > i128::try_from(UNNOTICED.as_nanos()).unwrap_or(i128::MAX))
    }

    /// Whether it must be replaced before the next line: it has grown, or a write failed.
    pub(super) fn wants_replacing(&self) -> bool {
        self.file.is_none() || self.appended > GROWN
    }

    /// Puts a text in the place of the whole file: afterwards a crash finds the old one or the new one, never half. The
    /// text is made of what the mark says before, and not sealed yet.
    pub(super) fn replace(&mut self, text: impl FnOnce(Seal) -> String) -> Result<(), QuotaError> {
        self.file = None;
        let before = match self.says {
            Some(seal) => seal,
            None => self.begin_mark()?,
        };
        let (text, seal) = Seal::default().close(&text(before));
        let fresh = self.fresh();
        let write = || -> io::Result<File> {
            let mut file = create(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)?;
            // The new name is durable only with its directory.
            File::open(&self.dir)?.sync_all()?;
            Ok(file)
        };
        let file = write().map_err(storage(&self.path, "replaced"))?;
        self.set_mark(seal, true)?;
        (self.file, self.appended, self.seal) = (Some(file), 0, seal);
        self.is_first = false;
        Ok(())
    }

    /// Where a new ledger is written before it takes its place.
    fn fresh(&self) -> PathBuf {
        self.path.with_extension("ledger.new")
    }

    /// Has a mark that says nothing say something that no line has yet: the head that comes next follows that.
    fn begin_mark(&mut self) -> Result<Seal, QuotaError> {
        let never_before = format!("mark {} {}\n", self.clock.boot_id(), self.clock.now().as_nanos());
        let seal = if self.is_first { Seal::default() } else { Seal::default().close(&never_before).1 };
        self.set_mark(seal, true)?;
        self.mark.set_len(MARK_BYTES as u64).map_err(storage(&self.mark_path, "written"))?;
        Ok(seal)
    }

    fn set_mark(&mut self, seal: Seal, durably: bool) -> Result<(), QuotaError> {
        let text = format!("{MARK}{} {:020}\n", seal.written(), self.clock.now().as_nanos());
        self.says = None;
        let written = self.mark.write_all_at(text.as_bytes(), 0);
        let written = written.and_then(|()| if durably { self.mark.sync_data() } else { Ok(()) });
        written.map_err(storage(&self.mark_path, "written"))?;
        self.says = Some(seal);
        self.mark_waits = !durably;
        Ok(())
    }

    /// The mark, where it is still to be synced: its lines are, so until then an older one is right too.
    pub(super) fn unsynced_mark(&mut self) -> Option<File> {
        std::mem::take(&mut self.mark_waits).then(|| self.mark.try_clone().ok())?
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
        let Some(mut file) = self.file.take() else {
            return Err(storage(&self.path, "appended to")(ErrorKind::BrokenPipe.into()));
        };
        let (text, seal) = self.seal.close(lines);
        let written = file.write_all(text.as_bytes()).and_then(|()| if durably { file.sync_data() } else { Ok(()) });
        written.map_err(storage(&self.path, "appended to"))?;
        // After the lines: killed in between, there is more than the mark says, and nothing has left because of it.
        if ledger::must_stay(lines) {
            self.set_mark(seal, false)?;
        }
        self.appended += text.len();
        (self.file, self.seal) = (Some(file), seal);
        Ok(())
    }
}

#[cfg(test)]
impl LedgerFile {
    /// Goes on with another file, or with none as after a failed write. Hands out what was open.
    pub(super) fn swap(&mut self, file: Option<File>) -> Option<File> {
        std::mem::replace(&mut self.file, file)
    }
}

/// What a mark says, and when by the boot's clock it was written.
fn says(found: &[u8]) -> Option<(Seal, i64)> {
    let text = std::str::from_utf8(found).ok().filter(|text| text.len() == MARK_BYTES)?;
    let (seal, at) = text.strip_prefix(MARK)?.strip_suffix('\n')?.split_once(' ')?;
    Some((Seal::read(seal)?, at.parse().ok()?))
}

/// Opens what must be an ordinary file, and waits for nobody: a pipe in its place has no other end.
fn open(path: &Path, options: &mut OpenOptions) -> Result<File, QuotaError> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = options.custom_flags(nonblocking).open(path).map_err(storage(path, "opened"))?;
    match file.metadata().map_err(storage(path, "opened"))?.is_file() {
        true => Ok(file),
        false => {
            Err(storage(path, "opened")(io::Error::other("something else than a file stands there; take it away")))
        }
    }
}

/// A new file, whatever stood there.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::options().write(true).create_new(true).open(path)
}

fn read(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Names the file and what was tried.
fn storage(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> QuotaError {
    let path = path.to_owned();
    move |source| QuotaError::Storage { path, doing, source }
}
