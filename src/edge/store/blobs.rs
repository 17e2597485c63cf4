//! The values that sled keeps in files of their own, because they are too large for its log.
//!
//! From about 140 KB on, which a sale of some hundred lines reaches as an event with what it was before. sled writes
//! such a file and never syncs it, so the log would survive a power cut and what it points to would not. Then sled leaves
//! out what it cannot find and believes the rest of the log, which needs it: the store cannot be read any more. So such a
//! file comes to the disk before the batch that points to it is whole even in the kernel.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The directory of these files, and which of them are known to be on the disk. Each is written once.
pub(super) struct Blobs {
    dir: PathBuf,
    synced: BTreeSet<OsString>,
}

impl Blobs {
    /// Knows of none yet: what is there is synced with the next commit.
    pub(super) fn new(dir: PathBuf) -> Blobs {
        Blobs { dir, synced: BTreeSet::new() }
    }

    /// Brings all that is there to the disk. Costs one look into the directory when there is nothing new.
    pub(super) fn sync(&mut self) -> std::io::Result<()> {
        let entries = match std::fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let there = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<BTreeSet<_>>>()?;
        for name in there.difference(&self.synced) {
            match File::open(self.dir.join(name)) {
                Ok(file) => file.sync_all()?,
                // Replaced by a later value since it was listed.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !there.is_subset(&self.synced) {
            File::open(&self.dir)?.sync_all()?;
        }
        self.synced = there;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sled_puts_beside_its_log_is_synced_and_what_it_removes_forgotten() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let store = dir.path().join("store");
        let db = sled::open(&store).expect("opens");
        let mut blobs = Blobs::new(store.join("blobs"));
        blobs.sync().expect("syncs");
        assert!(blobs.synced.is_empty());
        db.insert("large", vec![7; 1_000_000]).expect("writes");
        blobs.sync().expect("syncs");
        assert_eq!(blobs.synced.len(), 1, "sled keeps its large values elsewhere: {:?}", blobs.synced);
        let name = blobs.synced.first().cloned().expect("is one");
        std::fs::remove_file(store.join("blobs").join(name)).expect("is there");
        blobs.sync().expect("syncs");
        assert!(blobs.synced.is_empty());
    }
}
