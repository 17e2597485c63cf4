//! By what is a row told from others, and from itself as it was before?
//!
//! Both are hashes of 128 bits, so that a list of any length is remembered in a few bytes a row. They are not made to
//! withstand somebody who looks for two texts with the same hash; whoever can write rows into the shop's account needs
//! no such trick to hide one.

use std::hash::{BuildHasherDefault, Hasher};

use xxhash_rust::xxh3::{xxh3_128, xxh3_128_with_seed};

use crate::domain::model::Fingerprint;

/// Keeps the text of a row without an id apart from an id of the same letters.
const NAMELESS: u64 = 1;

/// What tells a row of one list from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::edge::pospos) struct Key(u64, u64);

impl Key {
    /// The key of the row with this id.
    pub fn of_id(id: &str) -> Self {
        Self::from(xxh3_128(id.as_bytes()))
    }

    /// The key of a row without an id: its text, so that one that stands on two pages is still one.
    pub fn of_text(text: &str) -> Self {
        Self::from(xxh3_128_with_seed(text.as_bytes(), NAMELESS))
    }

    /// A key for a test.
    #[cfg(test)]
    pub fn numbered(number: u64) -> Self {
        Self(0, number)
    }
}

impl From<u128> for Key {
    fn from(hash: u128) -> Self {
        // Halves, because a whole one would be padded to twice its size.
        let [high, low] = [hash >> 64, hash & u128::from(u64::MAX)].map(|half| u64::try_from(half).unwrap_or_default());
        Self(high, low)
    }
}

/// Puts keys into tables: a key is a hash, so a part of it says where.
#[derive(Debug, Default)]
pub(in crate::edge::pospos) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, part: u64) {
        self.0 = self.0.rotate_left(32) ^ part;
    }
}

/// How tables of keys are hashed.
pub(in crate::edge::pospos) type ByKey = BuildHasherDefault<KeyHasher>;

/// The fingerprint of a row as it was written.
pub(in crate::edge::pospos) fn fingerprint(text: &str) -> Fingerprint {
    // The half that stores of an older form, which kept the whole, begin with.
    Fingerprint::new((xxh3_128(text.as_bytes()) >> 64) as u64)
}
