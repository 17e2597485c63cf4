//! What tells one writing of a row from another: a hash of its raw text.

/// 128 bits of a row's raw text. Equal means unchanged; nothing else is read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint with this hash.
    pub fn from_hash(hash: u128) -> Self {
        Self(hash)
    }

    /// As it is stored.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// As it was stored.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}
