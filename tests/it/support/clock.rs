//! Another time on the wall for the built program, to be moved while it runs.

use std::path::PathBuf;
use std::process::Command;

use posbell::domain::model::Timestamp;
use posbell::service::clock::Clock;

use super::preload;

/// A clock that is as far ahead of the system's as the test says.
pub struct WallClock {
    library: PathBuf,
    dir: tempfile::TempDir,
    system: Clock,
}

impl WallClock {
    /// Shows the system's time until it is moved.
    pub fn build() -> WallClock {
        let dir = tempfile::tempdir().unwrap();
        let library = preload::build("tests/it/support/clock.c", dir.path());
        let clock = WallClock { library, dir, system: Clock::default() };
        clock.ahead_by(0);
        clock
    }

    /// Has this program look at it.
    pub fn hang(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library).env("POSBELL_TEST_CLOCK", self.file());
    }

    /// Shows so many seconds more than the system's clock.
    pub fn ahead_by(&self, seconds: i64) {
        // In one step: nobody reads a half of it.
        let fresh = self.dir.path().join("fresh");
        std::fs::write(&fresh, seconds.to_string()).unwrap();
        std::fs::rename(fresh, self.file()).unwrap();
    }

    /// Shows this moment from now on.
    pub fn set(&self, moment: Timestamp) {
        self.ahead_by((moment - self.system.now()).num_seconds());
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("ahead")
    }
}
