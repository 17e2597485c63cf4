//! A word beside the data: that there is some, and how many batches of it are on the disk.
//!
//! sled takes a log that it cannot read for a new and empty one, and one whose end it cannot read for a shorter one. Both
//! agree with themselves. So it is said outside how much there must be: after each sync, and without one of its own. A
//! power cut may leave an older word, which asks for less; a newer one than what is on the disk there never is.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use xxhash_rust::xxh3::xxh3_64;

/// The file's name.
pub(super) const MADE: &str = "posbell.made";

/// Where the word is said.
pub(super) struct Witness {
    path: PathBuf,
    /// Made with the first word: one without any says that data was there.
    file: OnceLock<File>,
    said: Option<u64>,
}

impl Witness {
    /// Reads the word in the directory of a store, if there is one.
    pub(super) fn open(dir: &Path) -> std::io::Result<Witness> {
        let path = dir.join(MADE);
        let (file, said) = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => {
                let mut text = [0; LENGTH];
                let read = file.read_at(&mut text, 0)?;
                (OnceLock::from(file), std::str::from_utf8(&text[..read]).ok().and_then(number_in))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => (OnceLock::new(), None),
            Err(error) => return Err(error),
        };
        Ok(Witness { path, file, said })
    }

    /// How many batches there must be at the least; `None` where nobody has said it in words that can be read.
    pub(super) fn said(&self) -> Option<u64> {
        self.said
    }

    /// Says that so many are on the disk.
    pub(super) fn say(&self, batches: u64) -> std::io::Result<()> {
        let file = match self.file.get() {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path)?;
                self.file.get_or_init(|| file)
            }
        };
        file.write_all_at(words(batches).as_bytes(), 0)
    }
}

const LENGTH: usize = 38;

fn words(batches: u64) -> String {
    let number = format!("{batches:020}");
    format!("{number} {:016x}\n", xxh3_64(number.as_bytes()))
}

fn number_in(text: &str) -> Option<u64> {
    let number: u64 = text.get(..20)?.parse().ok()?;
    (words(number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_last_is_read_and_what_was_never_said_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let said = || Witness::open(dir.path()).unwrap().said();
        assert_eq!(said(), None);
        for batches in [1, u64::MAX, 7] {
            Witness::open(dir.path()).unwrap().say(batches).unwrap();
            assert_eq!(said(), Some(batches));
        }
        let whole = std::fs::read(dir.path().join(MADE)).unwrap();
        assert_eq!(whole.len(), LENGTH);
        for changed in 0..LENGTH {
            let mut bytes = whole.clone();
            bytes[changed] ^= 1;
            std::fs::write(dir.path().join(MADE), &bytes).unwrap();
            assert_eq!(said(), None, "{bytes:?}");
        }
    }
}
