//! Was this row read before, just as it is?

use std::fmt;

use serde::{Deserialize, Serialize};

/// A hash of the text that a row was written in: the same text, the same fingerprint.
///
/// A change is missed when the new text of a row happens to have the hash of its old one: of 2^64 changes one is.
///
/// Another fingerprint means only that the text is another, be it by the order of its members. What changed, the
/// fields say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(u64);

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 16 hexadecimal digits")]
pub struct BadFingerprint;

impl Fingerprint {
    /// Takes a hash of 64 bits.
    pub fn new(hash: u64) -> Self {
        Self(hash)
    }

    /// The hash, its highest byte first.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// The fingerprint of these bytes.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = BadFingerprint;

    fn try_from(text: String) -> Result<Self, BadFingerprint> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = u64::from_str_radix(&text, 16).ok().filter(|_| is_hex);
        hash.map(Self).ok_or(BadFingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_survives_being_written() {
        for hash in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let print = Fingerprint::new(hash);
            assert_eq!(Fingerprint::from_bytes(print.to_bytes()), print);
            let json = serde_json::to_string(&print).unwrap();
            assert_eq!((json.len(), serde_json::from_str::<Fingerprint>(&json).unwrap()), (18, print));
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["\"\"", "\"12\"", "\"+123456789012345\"", "7", "\"z234567890123456\""] {
            assert!(serde_json::from_str::<Fingerprint>(text).is_err(), "{text}");
        }
    }
}
