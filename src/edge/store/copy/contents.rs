//! What a backup holds: the sums by which a file and a store are known to hold the same, and the counts that a person
//! is shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::domain::model::Timestamp;

/// What the records are, whoever holds them: a file or a store.
#[derive(Clone, Default)]
pub(in crate::edge::store) struct Tally {
    tables: BTreeMap<String, u64>,
    records: u64,
    content: Xxh3,
}

impl Tally {
    pub(in crate::edge::store) fn add(&mut self, key: &[u8], value: &[u8]) {
        let table = key.split(|byte| *byte == b'/').next().unwrap_or_default();
        *self.tables.entry(String::from_utf8_lossy(table).into_owned()).or_default() += 1;
        self.records += 1;
        self.content.update(&lengths(key, value));
        self.content.update(key);
        self.content.update(value);
    }

    pub(super) fn count(&self) -> u64 {
        self.records
    }

    /// The end of a file of these records whose bytes so far are these.
    pub(super) fn end(&self, bytes: &Xxh3) -> End {
        let hex = |hash: &Xxh3| format!("{:032x}", hash.digest128());
        let (content, bytes) = (hex(&self.content), hex(bytes));
        End { tables: self.tables.clone(), records: self.records, content, bytes }
    }
}

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// The moment that it is a copy of.
    pub created_at: Timestamp,
    /// The version of posbell that wrote it.
    pub written_by: String,
    /// The form of the records.
    pub form: u32,
    /// How many records it has.
    pub records: u64,
    /// How long the file is, in bytes.
    pub bytes: u64,
    /// How many records each table has, by the letter of its keys.
    pub(in crate::edge::store) tables: BTreeMap<String, u64>,
    /// Of all records.
    pub(in crate::edge::store) content: String,
}

impl Contents {
    /// Events.
    pub fn events(&self) -> u64 {
        self.table("e")
    }

    /// Deliveries, finished ones too.
    pub fn deliveries(&self) -> u64 {
        self.table("d")
    }

    /// Deliveries that wait to be sent.
    pub fn waiting(&self) -> u64 {
        self.table("q")
    }

    /// Dead letters.
    pub fn dead(&self) -> u64 {
        self.table("x")
    }

    /// Rows of the shops' lists.
    pub fn rows(&self) -> u64 {
        self.table("r")
    }

    /// Shops.
    pub fn shops(&self) -> u64 {
        self.table("s")
    }

    fn table(&self, name: &str) -> u64 {
        self.tables.get(name).copied().unwrap_or_default()
    }
}

/// What stands at the end of the file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) tables: BTreeMap<String, u64>,
    pub(super) records: u64,
    pub(super) content: String,
    pub(super) bytes: String,
}

/// How long a key and its value are, as it stands before them.
pub(super) fn lengths(key: &[u8], value: &[u8]) -> [u8; 8] {
    let short = |bytes: &[u8]| u64::from(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    (short(key) << 32 | short(value)).to_be_bytes()
}
