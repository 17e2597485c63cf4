//! How much room is left for the store? sled that runs out of space while it writes fails cleanly and must be opened
//! again; one that is *opened* without space cannot be opened at all until its half-written snapshot is removed. So it
//! is not opened without a reserve, and given up a little before the end.

use std::io::ErrorKind;
use std::path::Path;

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

/// Whether this is for want of space.
pub fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_that_of_the_disk_on_which_the_directory_would_be() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        assert!(free_bytes(dir.path()).expect("is there") > 0);
        assert!(free_bytes(&dir.path().join("not/yet")).expect("is on the same disk") > 0);
        assert!(free_bytes(Path::new("not-yet")).expect("is here") > 0);
    }
}
