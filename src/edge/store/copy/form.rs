//! The file of a backup: what it looks like, and how damage in it is found.
//!
//! # Version 1
//!
//! ```text
//! posbell backup\n\0      16 bytes that say what this is
//! 1                       u32: the version of this form
//! chunk …                 first one header, then records, last one end; nothing follows it
//! ```
//!
//! A chunk is its kind (one byte), the length of what it holds (u32), that many bytes, and the xxh3 of all these (u64).
//! Numbers are big-endian.
//!
//! | kind | holds |
//! |---|---|
//! | `H` | JSON: `form` of the records, `epoch` that they were written in, `created_at`, `posbell` that wrote it |
//! | `R` | records, each the length of its key (u32), of its value (u32), the key and the value |
//! | `E` | JSON: `tables` (how many records of each), `records` of all, `content` (xxh3 of all records, in hex), `bytes` (xxh3 of the file up to this chunk, in hex) |
//! | `F` | JSON: `why` the copy could not be finished, and whether it is worth to begin `again`. Only on the way from the service; a file with it is no backup |
//!
//! The records are those of the store, each key once, in the order of the keys. What they mean is the store's affair
//! (`record::FORM`); this form is the same for every store that keeps keys and values.
//!
//! # What it refuses
//!
//! Whatever was cut off, changed, repeated or added anywhere. It is a check against damage and not against forgery: who
//! can write the file can write its sums.

#[cfg(test)]
mod tests;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::contents::{Contents, End, Tally, lengths};
use crate::domain::event::Epoch;
use crate::domain::model::Timestamp;

const MAGIC: &[u8; 16] = b"posbell backup\n\0";
/// The version that this one writes, and the newest it reads.
const VERSION: u32 = 1;
/// The most that one chunk holds: more than any record, and less than a damaged length could ask for.
pub(super) const CHUNK_MOST: usize = 64 * 1024 * 1024;

const HEADER: u8 = b'H';
const RECORDS: u8 = b'R';
const END: u8 = b'E';
const FAILED: u8 = b'F';

/// Why a file is not taken for a backup.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// It could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is something else.
    #[error("it is no backup of posbell")]
    NotOne,
    /// It was written by a newer version.
    #[error("it has version {found}, this posbell reads version {known}: upgrade posbell")]
    Newer {
        /// What it says.
        found: u32,
        /// What this version knows.
        known: u32,
    },
    /// It is not as it was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// Whoever wrote it could not go on.
    #[error("{why}")]
    Failed {
        /// What he said.
        why: String,
        /// Whether the same may go well the next time.
        again: bool,
    },
}

/// A key and its value.
pub(in crate::edge::store) type Record = (Vec<u8>, Vec<u8>);

/// What stands at the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::edge::store) struct Header {
    /// Of the records.
    pub(in crate::edge::store) form: u32,
    pub(in crate::edge::store) epoch: Epoch,
    pub(in crate::edge::store) created_at: Timestamp,
    /// The version that wrote it.
    pub(in crate::edge::store) posbell: String,
}

#[derive(Serialize, Deserialize)]
struct Failed {
    why: String,
    again: bool,
}

/// Makes the bytes of a backup, piece by piece.
pub(in crate::edge::store) struct Writer {
    bytes: Xxh3,
    tally: Tally,
}

impl Writer {
    /// The writer, and the first piece.
    pub(in crate::edge::store) fn new(header: &Header) -> (Writer, Vec<u8>) {
        let mut piece = MAGIC.to_vec();
        piece.extend_from_slice(&VERSION.to_be_bytes());
        piece.extend_from_slice(&chunk(HEADER, &json(header)));
        let mut writer = Writer { bytes: Xxh3::new(), tally: Tally::default() };
        writer.bytes.update(&piece);
        (writer, piece)
    }

    /// The records that come next in the order of the keys. `None` where one of them is longer than a chunk.
    pub(in crate::edge::store) fn records(&mut self, records: &[Record]) -> Option<Vec<u8>> {
        let mut held = Vec::new();
        for (key, value) in records {
            held.extend_from_slice(&lengths(key, value));
            held.extend_from_slice(key);
            held.extend_from_slice(value);
            self.tally.add(key, value);
        }
        if held.len() > CHUNK_MOST {
            return None;
        }
        let piece = chunk(RECORDS, &held);
        self.bytes.update(&piece);
        Some(piece)
    }

    /// How many records were written.
    pub(super) fn count(&self) -> u64 {
        self.tally.count()
    }

    /// The last piece.
    pub(in crate::edge::store) fn end(&self) -> Vec<u8> {
        chunk(END, &json(&self.tally.end(&self.bytes)))
    }
}

/// The last piece of a copy that cannot be finished.
pub(super) fn failed(why: String, again: bool) -> Vec<u8> {
    chunk(FAILED, &json(&Failed { why, again }))
}

fn chunk(kind: u8, held: &[u8]) -> Vec<u8> {
    let mut chunk = vec![kind];
    // What is longer than a chunk may be is refused before it comes here.
    chunk.extend_from_slice(&u32::try_from(held.len()).unwrap_or(u32::MAX).to_be_bytes());
    chunk.extend_from_slice(held);
    let sum = xxh3_64(&chunk);
    chunk.extend_from_slice(&sum.to_be_bytes());
    chunk
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("names and numbers can be written")
}

/// Whether a file begins as a backup does.
pub(super) fn is_one(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC)
}

/// Reads a backup chunk by chunk, and believes nothing before it has seen its sum.
pub(in crate::edge::store) struct Reader<R> {
    input: R,
    bytes: Xxh3,
    length: u64,
    tally: Tally,
    header: Header,
    last_key: Option<Vec<u8>>,
    end: Option<End>,
}

impl<R: Read> Reader<R> {
    pub(in crate::edge::store) fn new(mut input: R) -> Result<Self, FormError> {
        let mut beginning = [0; 20];
        match input.read_exact(&mut beginning) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(FormError::NotOne),
            read => read?,
        }
        let (magic, version) = beginning.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(FormError::NotOne);
        }
        let found = version.as_array().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        match found {
            VERSION => {}
            0 => return Err(FormError::Damaged("it has no version")),
            _ => return Err(FormError::Newer { found, known: VERSION }),
        }
        let mut bytes = Xxh3::new();
        bytes.update(&beginning);
        let header = Header {
            form: 0,
            epoch: Epoch::from_random([0; 16]),
            created_at: Timestamp::MIN_UTC,
            posbell: String::new(),
        };
        let length = beginning.len() as u64;
        let mut reader = Reader { input, bytes, length, tally: Tally::default(), header, last_key: None, end: None };
        let (kind, held) = reader.chunk()?;
        if kind != HEADER {
            return Err(FormError::Damaged("it has no header"));
        }
        reader.header = serde_json::from_slice(&held).map_err(|_| FormError::Damaged("its header makes no sense"))?;
        Ok(reader)
    }

    pub(in crate::edge::store) fn header(&self) -> &Header {
        &self.header
    }

    /// The next records; `None` at the end, which is one only after everything was there.
    pub(in crate::edge::store) fn next(&mut self) -> Result<Option<Vec<Record>>, FormError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let before = self.bytes.clone();
        match self.chunk()? {
            (RECORDS, held) => self.records(&held).map(Some),
            (END, held) => {
                let end: End =
                    serde_json::from_slice(&held).map_err(|_| FormError::Damaged("its end makes no sense"))?;
                if end != self.tally.end(&before) {
                    return Err(FormError::Damaged("a part of it is missing or another one"));
                }
                if self.input.read(&mut [0])? != 0 {
                    return Err(FormError::Damaged("something follows its end"));
                }
                self.end = Some(end);
                Ok(None)
            }
            (FAILED, held) => {
                let said = serde_json::from_slice(&held).ok();
                let Failed { why, again } = said.ok_or(FormError::Damaged("a part of it makes no sense"))?;
                Err(FormError::Failed { why, again })
            }
            _ => Err(FormError::Damaged("a part of it makes no sense")),
        }
    }

    /// What it holds, once everything was read.
    pub(in crate::edge::store) fn contents(self) -> Result<Contents, FormError> {
        let end = self.end.ok_or(FormError::Damaged("it was not read to its end"))?;
        let Header { form, created_at, posbell, .. } = self.header;
        let (tables, records, content) = (end.tables, end.records, end.content);
        Ok(Contents { created_at, written_by: posbell, form, records, bytes: self.length, tables, content })
    }

    fn records(&mut self, held: &[u8]) -> Result<Vec<Record>, FormError> {
        const SENSELESS: FormError = FormError::Damaged("a record makes no sense");
        let mut records = Vec::new();
        let mut rest = held;
        while !rest.is_empty() {
            let (lengths, behind) = rest.split_first_chunk::<8>().ok_or(SENSELESS)?;
            let lengths = u64::from_be_bytes(*lengths);
            let (key, value) = ((lengths >> 32) as usize, (lengths & 0xffff_ffff) as usize);
            let (key, behind) = behind.split_at_checked(key).ok_or(SENSELESS)?;
            let (value, behind) = behind.split_at_checked(value).ok_or(SENSELESS)?;
            if self.last_key.as_deref().is_some_and(|last| last >= key) {
                return Err(FormError::Damaged("its records are out of order"));
            }
            self.last_key = Some(key.to_vec());
            self.tally.add(key, value);
            records.push((key.to_vec(), value.to_vec()));
            rest = behind;
        }
        Ok(records)
    }

    /// The next chunk, whose sum is right.
    fn chunk(&mut self) -> Result<(u8, Vec<u8>), FormError> {
        const CUT_OFF: FormError = FormError::Damaged("it is cut off");
        let mut chunk = Vec::new();
        let mut take = |chunk: &mut Vec<u8>, count: usize| -> Result<(), FormError> {
            let taken = self.input.by_ref().take(count as u64).read_to_end(chunk)?;
            if taken == count { Ok(()) } else { Err(CUT_OFF) }
        };
        take(&mut chunk, 5)?;
        let length = chunk[1..].as_array().map_or(0, |bytes| u32::from_be_bytes(*bytes)) as usize;
        if length > CHUNK_MOST {
            return Err(FormError::Damaged("a length in it is wrong"));
        }
        take(&mut chunk, length)?;
        let sum = xxh3_64(&chunk);
        take(&mut chunk, 8)?;
        self.bytes.update(&chunk);
        self.length += chunk.len() as u64;
        let written = chunk.split_off(5 + length);
        if written != sum.to_be_bytes() {
            return Err(FormError::Damaged("a sum in it is wrong"));
        }
        let kind = chunk[0];
        chunk.drain(..5);
        Ok((kind, chunk))
    }
}
