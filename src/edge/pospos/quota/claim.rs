//! Who on this machine may make calls with a key?
//!
//! The lock of the ledger keeps two processes apart that share a data directory. Two directories with the same key
//! would each spend the whole quota, and the server counts by key. So a process also takes a name that the whole
//! machine sees and that is made of the key's hash: an abstract Unix socket. It needs no file, and the kernel frees it
//! with the process, however that ends.
//!
//! What it cannot see: another machine, and a container with a network of its own.

use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use super::QuotaError;
use crate::domain::model::KeyHash;

/// A key that nobody else on this machine makes calls with while this lives.
#[derive(Debug)]
pub(super) struct Claim {
    /// Held, never read.
    _socket: UnixDatagram,
}

impl Claim {
    /// Takes the key, or says that somebody has it.
    pub fn take(key: &KeyHash) -> Result<Self, QuotaError> {
        let bind = || -> io::Result<UnixDatagram> {
            let name = SocketAddr::from_abstract_name(format!("posbell-quota-{key}"))?;
            UnixDatagram::bind_addr(&name)
        };
        match bind() {
            Ok(socket) => Ok(Self { _socket: socket }),
            Err(error) if error.kind() == ErrorKind::AddrInUse => Err(QuotaError::KeyInUse),
            Err(source) => Err(QuotaError::Unclaimed { source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_claimed_once_and_another_key_is_free() {
        let key = |name: &str| KeyHash::of(&format!("claim {name} {}", std::process::id()));
        let first = Claim::take(&key("one")).unwrap();
        let refused = Claim::take(&key("one")).unwrap_err();
        assert!(matches!(refused, QuotaError::KeyInUse));
        assert!(refused.to_string().contains("stop it"), "{refused}");
        Claim::take(&key("two")).unwrap();
        drop(first);
        Claim::take(&key("one")).unwrap();
    }
}
