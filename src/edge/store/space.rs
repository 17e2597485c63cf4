//! How much room is left for the store? sled that runs out of space while it writes fails cleanly and must be opened
//! again; one that is *opened* without space cannot be opened at all until its half-written snapshot is removed. So it
//! is not opened without a reserve, and given up a little before the end.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::io::Errno;

use crate::domain::disk::DiskFault;

/// As many bytes must be free before a store is opened.
pub const RESERVE: u64 = 32 * 1_000_000;

/// With fewer bytes free the disk counts as full: what is left is for ending cleanly.
pub const FULL: u64 = 8 * 1_000_000;

/// How many bytes posbell may still write on the disk with this directory, or with the nearest one above it that exists.
pub fn free_bytes(dir: &Path) -> std::io::Result<u64> {
    let mut there = dir;
    loop {
        match rustix::fs::statvfs(there) {
            Ok(found) => return Ok(found.f_bavail.saturating_mul(found.f_frsize)),
            Err(error) => match (std::io::Error::from(error), there.parent()) {
                (error, Some(above)) if error.kind() == ErrorKind::NotFound => {
                    there = if above.as_os_str().is_empty() { Path::new(".") } else { above };
                }
                (error, _) => return Err(error),
            },
        }
    }
}

/// What an error says of the disk; `None` where it is about something else, such as permissions.
pub fn fault_of(error: &std::io::Error) -> Option<DiskFault> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => return Some(DiskFault::Full),
        ErrorKind::ReadOnlyFilesystem => return Some(DiskFault::ReadOnly),
        ErrorKind::StaleNetworkFileHandle => return Some(DiskFault::Gone),
        _ => {}
    }
    FAILING.contains(&code_of(error)?).then_some(DiskFault::Failing)
}

/// What a disk answers that does not do its work: also one behind a cable, a network or a program.
const FAILING: [Errno; 9] = [
    Errno::IO,
    Errno::NXIO,
    Errno::NODEV,
    Errno::REMOTEIO,
    Errno::UCLEAN,
    Errno::NOMEDIUM,
    Errno::TIMEDOUT,
    Errno::NOTCONN,
    Errno::SHUTDOWN,
];

/// The system's number of an error. sled repeats an error with its text alone.
fn code_of(error: &std::io::Error) -> Option<Errno> {
    let in_text = || error.to_string().split_once("Os { code: ")?.1.split_once(',')?.0.parse().ok();
    error.raw_os_error().or_else(in_text).map(Errno::from_raw_os_error)
}

/// How many bytes this process has read and written so far, this question too; `None` where the system does not say.
fn bytes_moved() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    let count = |name: &str| counts.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
    Some(count("rchar:")? + count("wchar:")?)
}

/// Whether this process reads or writes on.
#[derive(Debug)]
pub struct Moving(Option<u64>);

/// What asking costs, and a line of the log, is no progress.
const NEXT_TO_NOTHING: u64 = 16 * 1024;

impl Moving {
    /// From now on.
    pub fn now() -> Moving {
        Moving(bytes_moved())
    }

    /// Whether something was read or written since it was asked last; true where the system does not say.
    pub fn has_moved(&mut self) -> bool {
        let before = std::mem::replace(&mut self.0, bytes_moved());
        match (before, self.0) {
            (Some(before), Some(now)) => now.saturating_sub(before) > NEXT_TO_NOTHING,
            _ => true,
        }
    }
}

/// Whether the disk of this directory takes a file and gives it back. Blocks.
pub fn probe(dir: &Path) -> std::io::Result<()> {
    let path = dir.join("posbell.probe");
    let written = write_and_read(&path);
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

fn write_and_read(path: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(PROBE)?;
    file.sync_all()?;
    match std::fs::read(path)? == PROBE {
        true => Ok(()),
        false => Err(Errno::IO.into()),
    }
}

const PROBE: &[u8] = b"posbell looks whether this disk works\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fails_is_told_apart_from_what_is_wrong_with_its_files() {
        let check = |error: std::io::Error, expected| {
            assert_eq!(fault_of(&error), expected, "{error}");
            // As sled repeats it.
            let repeated = std::io::Error::new(error.kind(), format!("{error:?}"));
            assert_eq!(fault_of(&repeated), expected, "{repeated}");
        };
        check(Errno::NOSPC.into(), Some(DiskFault::Full));
        check(Errno::DQUOT.into(), Some(DiskFault::Full));
        check(Errno::ROFS.into(), Some(DiskFault::ReadOnly));
        check(Errno::IO.into(), Some(DiskFault::Failing));
        check(Errno::NODEV.into(), Some(DiskFault::Failing));
        check(Errno::STALE.into(), Some(DiskFault::Gone));
        check(Errno::ACCESS.into(), None);
        check(Errno::NOENT.into(), None);
        check(ErrorKind::UnexpectedEof.into(), None);
    }

    #[test]
    fn asking_whether_something_moves_is_no_movement() {
        let mut moving = Moving::now();
        // Other tests of this process read and write at the same time, so only the numbers are looked at.
        let before = bytes_moved().expect("Linux says it");
        std::fs::read("/proc/self/exe").expect("is there");
        assert!(bytes_moved().expect("Linux says it") - before > NEXT_TO_NOTHING);
        assert!(moving.has_moved());
    }

    #[test]
    fn a_disk_that_works_takes_the_probe_and_keeps_nothing_of_it() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        probe(dir.path()).expect("works");
        assert_eq!(std::fs::read_dir(dir.path()).expect("is there").count(), 0);
        assert!(probe(&dir.path().join("absent")).is_err());
    }

    #[test]
    fn the_room_is_that_of_the_disk_on_which_the_directory_would_be() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        assert!(free_bytes(dir.path()).expect("is there") > 0);
        assert!(free_bytes(&dir.path().join("not/yet")).expect("is on the same disk") > 0);
        assert!(free_bytes(Path::new("not-yet")).expect("is here") > 0);
    }
}
