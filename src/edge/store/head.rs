//! What stands before a stored row of a long list.

use crate::domain::event::Level;
use crate::domain::model::Fingerprint;

/// What a pass must know of a stored row before it reads the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Of the text that it was read from; `None` for a row that an older version has stored.
    pub fingerprint: Option<Fingerprint>,
    /// It must be compared even if its text is the same: something waits for another pass to agree.
    pub unsettled: bool,
    /// It is kept for its counters alone.
    pub gone: bool,
    /// The level that was told of it; `Ok` where rows have none.
    pub level: Level,
    /// [`Head::tag`] of its code; 0 where it has none.
    pub tag: u32,
}

impl Head {
    /// A short hash of a code, by which rows are found without being read. Two codes may share one.
    pub fn tag(code: &str) -> u32 {
        xxhash_rust::xxh3::xxh3_64(code.as_bytes()) as u32
    }
}
