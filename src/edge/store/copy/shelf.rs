//! The copies that posbell keeps by itself: where they are, what they are called, and which of them may go.
//!
//! A copy is one when it has its name: it gets that after it was read back, and the older ones go only then. What has
//! another name was put there by a person and is left alone.

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use chrono::NaiveDateTime;

use super::file::{BackupError, BackupFile};
use crate::domain::copies::newest_first;
use crate::domain::model::Timestamp;

/// Below the data directory.
const DIRECTORY: &str = "copies";

/// What a copy is called.
const NAME: &str = "posbell-%Y%m%dT%H%M%SZ.backup";

/// How many are kept.
const KEPT: usize = 2;

/// The directory of the copies.
#[derive(Debug, Clone)]
pub struct Shelf {
    dir: PathBuf,
}

/// A copy that is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// The file.
    pub path: PathBuf,
    /// The moment that it is a copy of.
    pub made_at: Timestamp,
    /// How long it is.
    pub bytes: u64,
}

impl Shelf {
    /// The copies of this data directory.
    pub fn of(data_dir: &Path) -> Shelf {
        Shelf { dir: data_dir.join(DIRECTORY) }
    }

    /// Where they are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The copies, the newest first; none where there is no directory.
    pub fn copies(&self, now: Timestamp) -> Result<Vec<Shelved>, BackupError> {
        let mut copies = Vec::new();
        for (name, path) in self.names()? {
            let Some(made_at) = made_at(&name) else { continue };
            match std::fs::symlink_metadata(&path) {
                Ok(found) if found.is_file() => copies.push(Shelved { path, made_at, bytes: found.len() }),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(BackupError::Directory { path, doing: "looked at", source }),
            }
        }
        newest_first(&mut copies, now, |copy| copy.made_at);
        Ok(copies)
    }

    /// Begins the copy of this moment. What killed ones have left goes first.
    pub fn begin(&self, now: Timestamp) -> Result<BackupFile, BackupError> {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir);
        made.map_err(|source| BackupError::Directory { path: self.dir.clone(), doing: "made", source })?;
        for (name, path) in self.names()? {
            let part = name.rsplit_once(".part-").and_then(|(whole, _)| made_at(whole));
            if part.is_some() {
                remove(&path)?;
            }
        }
        BackupFile::begin(&self.dir.join(now.format(NAME).to_string()))
    }

    /// Removes what newer copies have replaced. Returns how many those were.
    pub fn keep_the_newest(&self, now: Timestamp) -> Result<usize, BackupError> {
        let copies = self.copies(now)?;
        let old = copies.get(KEPT..).unwrap_or_default();
        old.iter().try_for_each(|copy| remove(&copy.path))?;
        Ok(old.len())
    }

    /// What is in the directory, by name.
    fn names(&self) -> Result<Vec<(String, PathBuf)>, BackupError> {
        let unreadable = |source| BackupError::Directory { path: self.dir.clone(), doing: "read", source };
        let entries = match std::fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            names.extend(entry.file_name().into_string().ok().map(|name| (name, entry.path())));
        }
        Ok(names)
    }
}

/// The moment in the name of a copy; `None` where it is no such name.
fn made_at(name: &str) -> Option<Timestamp> {
    let moment = NaiveDateTime::parse_from_str(name, NAME).ok()?.and_utc();
    // Other spellings of it are somebody else's.
    (moment.format(NAME).to_string() == name).then_some(moment)
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|source| BackupError::Directory { path: path.to_owned(), doing: "removed", source }),
    }
}
