//! What a store takes on the disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What the files below a directory take, in KiB.
pub fn kibibytes(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => kibibytes(&entry.path()),
        Ok(found) => found.blocks() / 2,
        Err(_) => 0,
    };
    entries.map(size).sum()
}
