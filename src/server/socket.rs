//! The Unix socket in the data directory, by which commands reach the service that holds it.
//!
//! Its mode is 0600 from the moment it exists: only the owner of the data, who can read all of it anyway, and root can
//! connect, so no token is asked for. It is addressed through a descriptor of its directory, because the address of a
//! socket has room for 108 bytes and the path of a data directory may be longer.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tokio::net::{UnixListener, UnixSocket};

/// Its name in the data directory.
pub const SOCKET: &str = "posbell.sock";

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 128;

/// The address of the socket of one data directory.
#[derive(Debug)]
pub struct SocketAddress {
    // Held, not read: the path goes through it.
    _dir: File,
    path: PathBuf,
}

impl SocketAddress {
    /// The address in this directory, whether or not there is a socket.
    pub fn in_dir(dir: &Path) -> std::io::Result<SocketAddress> {
        let flags = i32::try_from((OFlags::PATH | OFlags::DIRECTORY).bits()).unwrap_or_default();
        let dir = OpenOptions::new().read(true).custom_flags(flags).open(dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd()));
        Ok(SocketAddress { _dir: dir, path })
    }

    /// Where to connect; valid for as long as this value lives.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A socket that is listened on. Its file is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    address: SocketAddress,
    file: SocketFile,
}

/// Which file a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketFile {
    device: u64,
    inode: u64,
}

impl Socket {
    /// Listens in this directory, in the place of a socket that a killed process has left.
    ///
    /// The caller holds the lock on the directory, so no other process listens there.
    pub fn bind(dir: &Path) -> std::io::Result<Socket> {
        let address = SocketAddress::in_dir(dir)?;
        match std::fs::remove_file(address.path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = UnixSocket::new_stream()?;
        // The file gets the mode of the socket that is bound to it.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
        socket.bind(address.path())?;
        let listener = socket.listen(BACKLOG)?;
        let file = SocketFile::at(address.path())?;
        Ok(Socket { listener, address, file })
    }

    /// What accepts.
    pub(super) fn listener(&self) -> &UnixListener {
        &self.listener
    }

    /// Its file.
    pub fn file(&self) -> SocketFile {
        self.file
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if SocketFile::at(self.address.path()).is_ok_and(|file| file == self.file) {
            drop(std::fs::remove_file(self.address.path()));
        }
    }
}

impl SocketFile {
    fn at(path: &Path) -> std::io::Result<SocketFile> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(SocketFile { device: found.dev(), inode: found.ino() })
    }

    /// Whether commands find it in `dir`.
    pub fn is_in(self, dir: &Path) -> bool {
        SocketFile::at(&dir.join(SOCKET)).is_ok_and(|file| file == self)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_replaces_a_stale_one_and_goes_with_its_listener() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        // Far longer than the address of a socket may be.
        let deep = dir.path().join("d".repeat(200)).join("e".repeat(200));
        std::fs::create_dir_all(&deep).expect("is made");
        std::fs::write(deep.join(SOCKET), "left by a killed process").expect("writes");
        let socket = Socket::bind(&deep).expect("binds");
        let mode = std::fs::metadata(deep.join(SOCKET)).expect("is there").mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
        let address = SocketAddress::in_dir(&deep).expect("is a directory");
        UnixStream::connect(address.path()).expect("listens");
        assert!(socket.file().is_in(&deep));
        std::fs::rename(deep.join(SOCKET), deep.join("moved")).expect("is moved");
        assert!(!socket.file().is_in(&deep));
        let another = Socket::bind(&deep).expect("binds again");
        drop(socket);
        assert!(another.file().is_in(&deep), "the end of one does not remove the other");
        drop(another);
        assert!(!deep.join(SOCKET).exists());
    }
}
