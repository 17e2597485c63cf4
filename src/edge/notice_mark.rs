//! That people know of a trouble with the disk, noted where that disk is not: a service that is started again while it
//! lasts must not send the message again.
//!
//! The note is a small file in the unit's runtime directory (`$RUNTIME_DIRECTORY`, kept over a restart), that of a person
//! (`$XDG_RUNTIME_DIR`), or else among the temporary files under a name of the user and of the data directory. It is of use for as long as the machine runs.
//! A file of another user is not read.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::domain::disk::DiskFault;
use crate::domain::model::{ChannelName, Timestamp};

/// More than a note is.
const LONGEST: u64 = 4 * 1024;

/// Who was told, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// What was wrong with the disk.
    pub fault: DiskFault,
    /// The channel that took the message.
    pub channel: ChannelName,
    /// When the trouble began.
    pub since: Timestamp,
    /// When the message was taken.
    pub told_at: Timestamp,
}

/// Where the note of a data directory is.
#[derive(Debug)]
pub struct NoticeMark {
    path: PathBuf,
}

impl NoticeMark {
    /// The place for the note of this data directory.
    pub fn of(data_dir: &Path) -> NoticeMark {
        let named = |name| std::env::var_os(name).filter(|dir| !dir.is_empty());
        let runtime = named("RUNTIME_DIRECTORY").or_else(|| named("XDG_RUNTIME_DIR"));
        let dir = runtime.map_or_else(std::env::temp_dir, PathBuf::from);
        let whole = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        let hash = digest(&SHA256, whole.as_os_str().as_encoded_bytes());
        let hash: String = hash.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        NoticeMark { path: dir.join(format!("posbell-{}-{hash}.told", user())) }
    }

    /// The note, if there is one that this user has written.
    pub fn read(&self) -> Option<Mark> {
        let file = OpenOptions::new().read(true).custom_flags(no_link()).open(&self.path).ok()?;
        let found = file.metadata().ok()?;
        if !found.is_file() || found.uid() != user() {
            return None;
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Notes it. Where that fails, a restart sends the message again.
    pub fn write(&self, mark: &Mark) {
        let written = self.fresh().and_then(|mut file| file.write_all(&serde_json::to_vec(mark)?));
        if let Err(error) = written {
            tracing::debug!("that people were told could not be noted: {error}");
        }
    }

    fn fresh(&self) -> std::io::Result<File> {
        self.remove();
        OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(no_link()).open(&self.path)
    }

    /// Forgets it.
    pub fn remove(&self) {
        drop(std::fs::remove_file(&self.path));
    }
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn no_link() -> i32 {
    i32::try_from((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_until_it_is_removed_and_a_link_is_none() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let note = NoticeMark { path: dir.path().join("note") };
        assert_eq!(note.read(), None);
        let at: Timestamp = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mark = Mark {
            fault: DiskFault::Full,
            channel: ChannelName::new("owner").expect("is a name"),
            since: at,
            told_at: at,
        };
        note.write(&mark);
        assert_eq!(note.read(), Some(mark.clone()));
        let link = NoticeMark { path: dir.path().join("link") };
        std::os::unix::fs::symlink(&note.path, &link.path).expect("is made");
        assert_eq!(link.read(), None);
        link.write(&mark);
        assert_eq!(link.read(), Some(mark), "it takes the place of the link");
        note.remove();
        assert_eq!(note.read(), None);
        assert_ne!(NoticeMark::of(Path::new("/a")).path, NoticeMark::of(Path::new("/b")).path);
    }
}
