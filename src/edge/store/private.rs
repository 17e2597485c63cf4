//! The data directory is for its owner's eyes alone: it holds names and telephone numbers of customers.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Error;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// What others than the owner may do.
const OTHERS: u32 = 0o077;

/// What posbell makes in a data directory, besides the stores.
const MADE: &[&str] = &["posbell.lock", "posbell.holder", "admin-token", "quota", "copies"];
/// What the name of every store begins with.
const STORES: &str = "store";

/// Whatever this process makes from now on is for its owner alone, files (0600) and directories (0700).
pub fn make_all_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Whether others than the owner may read the data directory or enter it.
pub fn is_open_to_others(dir: &Path) -> bool {
    std::fs::metadata(dir).is_ok_and(|found| found.is_dir() && found.mode() & OTHERS != 0)
}

/// Takes away what others may do with what an older version, or another umask, has made in `dir`. Returns how many
/// files and directories those were, and the first with which it could not be done.
///
/// What posbell has not made is left alone: a data directory may be the one that everything of a person is in.
pub fn close_to_others(dir: &Path) -> (usize, Option<(PathBuf, Error)>) {
    let mut closing = Closing::default();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_own = MADE.iter().any(|made| name == OsStr::new(made));
        if is_own || name.to_str().is_some_and(|name| name.starts_with(STORES)) {
            closing.close(&entry.path());
        }
    }
    (closing.closed, closing.failed)
}

#[derive(Default)]
struct Closing {
    closed: usize,
    failed: Option<(PathBuf, Error)>,
}

impl Closing {
    fn close(&mut self, path: &Path) {
        let Ok(found) = std::fs::symlink_metadata(path) else { return };
        if !found.is_file() && !found.is_dir() {
            return;
        }
        if found.mode() & OTHERS != 0 {
            match closed(path) {
                Ok(()) => self.closed += 1,
                Err(error) => drop(self.failed.get_or_insert_with(|| (path.to_owned(), error))),
            }
        }
        if found.is_dir() {
            for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
                self.close(&entry.path());
            }
        }
    }
}

/// By what was opened, which no link can be put in the place of.
fn closed(path: &Path) -> Result<(), Error> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let mode = file.metadata()?.mode() & 0o7777 & !OTHERS;
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_posbell_made_is_closed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let mode = |name: &str| std::fs::metadata(path(name)).unwrap().mode() & 0o777;
        std::fs::create_dir_all(path("store/blobs")).unwrap();
        std::fs::write(path("elsewhere"), "").unwrap();
        std::os::unix::fs::symlink(path("elsewhere"), path("store/link")).unwrap();
        for name in ["store/db", "admin-token", "posbell.toml"] {
            std::fs::write(path(name), "").unwrap();
        }
        for name in ["store", "store/blobs", "store/db", "admin-token", "posbell.toml", "elsewhere"] {
            let mode = if path(name).is_dir() { 0o755 } else { 0o644 };
            std::fs::set_permissions(path(name), Permissions::from_mode(mode)).unwrap();
        }
        let (closed, failed) = close_to_others(dir.path());
        assert!(closed == 4 && failed.is_none(), "{closed} {failed:?}");
        assert_eq!(
            (mode("store"), mode("store/blobs"), mode("store/db"), mode("admin-token")),
            (0o700, 0o700, 0o600, 0o600)
        );
        assert_eq!((mode("posbell.toml"), mode("elsewhere")), (0o644, 0o644));
        assert_eq!(close_to_others(dir.path()).0, 0, "a second time there is nothing to do");
    }
}
