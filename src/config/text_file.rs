//! Is this file text that a person wrote, and does it end?
//!
//! A configuration names files. One that is a device never ends, and a pipe keeps whoever opens it waiting for a
//! writer. So only files are read, and no more of one than a person writes. A byte order mark, which some editors put
//! before the text, is no part of it: in a password it would be a character that nobody typed.

use std::io::Read;
use std::path::Path;

/// The most bytes that are read: a table of a hundred thousand products has some megabytes.
const MOST: u64 = 16 * 1024 * 1024;

/// Why a file is not read. Each completes a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The system says so.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// A directory, a device, a pipe or a socket.
    #[error("is {0}, not a file")]
    NoFile(&'static str),
    /// More than a person writes.
    #[error("is larger than 16 MiB")]
    TooLarge,
    /// What some editors call Unicode.
    #[error("is saved as UTF-16; save it as UTF-8")]
    Utf16,
    /// An older encoding, or no text at all.
    #[error("is not in UTF-8: save it as UTF-8")]
    NotUtf8,
}

/// The text of the file, without its byte order mark.
pub(super) fn read(path: &Path) -> Result<String, Unreadable> {
    // Before it is opened: a pipe without a writer would not let go.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(Unreadable::NoFile(if metadata.is_dir() { "a directory" } else { "a device or a pipe" }));
    }
    let mut bytes = Vec::new();
    // One more than may be there. What the system calls its length may be 0 for a file that is made while it is read.
    std::fs::File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(Unreadable::TooLarge);
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(Unreadable::Utf16);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| Unreadable::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_that_ends_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let utf16: Vec<u8> = "key".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, want) in [
            (&b"key\n"[..], Ok("key\n")),
            (b"", Ok("")),
            (b"\xef\xbb\xbfkey\n", Ok("key\n")),
            (&[b"\xff\xfe", &utf16[..]].concat(), Err("is saved as UTF-16; save it as UTF-8")),
            (b"\xfe\xff\x00k", Err("is saved as UTF-16; save it as UTF-8")),
            (&utf16, Err("is saved as UTF-16; save it as UTF-8")),
            (b"\xa1\xa2\xa3", Err("is not in UTF-8: save it as UTF-8")),
            (&vec![b'a'; MOST as usize + 1], Err("is larger than 16 MiB")),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let read = read(&path).map_err(|error| error.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), want);
        }
        for (path, want) in [
            (Path::new("/dev/zero"), "is a device or a pipe, not a file"),
            (dir.path(), "is a directory, not a file"),
            (&dir.path().join("none"), "cannot be read: No such file or directory (os error 2)"),
        ] {
            assert_eq!(read(path).map_err(|error| error.to_string()), Err(want.to_owned()), "{}", path.display());
        }
    }
}
