//! A disk that fails or hangs as a test says, by `faulty_disk.c`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::preload;

/// The disk below one directory, as the program sees it.
pub struct FaultyDisk {
    library: PathBuf,
    control: PathBuf,
    _dir: tempfile::TempDir,
}

impl FaultyDisk {
    /// One that works.
    pub fn build() -> FaultyDisk {
        let dir = tempfile::tempdir().unwrap();
        let library = preload::build("tests/it/support/faulty_disk.c", dir.path());
        FaultyDisk { library, control: dir.path().join("control"), _dir: dir }
    }

    /// Puts what this program has below `dir` on the disk.
    pub fn put(&self, command: &mut Command, dir: &Path) {
        command.env("LD_PRELOAD", &self.library);
        command.env("POSBELL_FAULT_BELOW", dir).env("POSBELL_FAULT_CONTROL", &self.control);
    }

    /// Whatever writes fails with this errno from now on.
    pub fn refuse_writes(&self, errno: i32) {
        self.say(&errno.to_string());
    }

    /// Whatever reads or writes fails with this errno from now on.
    pub fn refuse_all(&self, errno: i32) {
        self.say(&(-errno).to_string());
    }

    /// No sync returns from now on.
    pub fn hang(&self) {
        self.say("hang");
    }

    /// It works from now on.
    pub fn mend(&self) {
        std::fs::remove_file(&self.control).unwrap();
    }

    fn say(&self, word: &str) {
        let fresh = self.control.with_extension("new");
        std::fs::write(&fresh, word).unwrap();
        std::fs::rename(fresh, &self.control).unwrap();
    }
}
