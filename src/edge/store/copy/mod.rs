//! A copy of the store as it was in one moment, read while others write.
//!
//! The engine has no snapshot: who reads a million keys one after the other sees some before a commit and some after it. So
//! the committer's thread helps ([`keep`]): between two commits it notes that a copy begins, and from then on it keeps
//! the old value of each key that it is about to change and the copy has not reached. The copy reads in the order of
//! the keys and takes what was kept before what stands there now. It holds up no commit, and holds in memory one piece
//! of the file and what was kept, which has a limit: where more is changed than that while somebody takes the pieces
//! too slowly, the copy is given up, and nothing else is.
//!
//! What a copy has is durable: it begins after the flush and the sync of all that was committed before.

pub(super) mod contents;
mod file;
pub(super) mod form;
pub(super) mod keep;
mod shelf;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use contents::Contents;
pub use file::{BackupError, BackupFile, read_backup};
pub(super) use file::{each_record, open_backup};
pub use form::FormError;
use form::{Header, Record, Writer};
use keep::UnderWay;
pub use shelf::{Shelf, Shelved};

use super::engine::{Engine, Span};
use super::record::FORM;
use super::{Store, StoreError};
use crate::domain::model::Timestamp;

/// The most keys and about the most bytes of one piece. Nothing waits for a piece to be read.
const PIECE_KEYS: usize = 500;
const PIECE_BYTES: usize = 128 * 1024;

/// A copy that is being made. Dropped, it is given up.
pub struct StoreCopy {
    store: Store,
    under_way: Arc<UnderWay>,
    header: Header,
    writer: Option<Writer>,
    /// Up to which key all is read; none at the beginning.
    passed: Option<Vec<u8>>,
    is_at_end: bool,
    is_done: bool,
}

impl Store {
    /// Begins a copy of everything as it is now. One at a time.
    pub async fn copy(&self, now: Timestamp) -> Result<StoreCopy, StoreError> {
        let under_way = self.inner.committer.begin_copy().await?;
        let posbell = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { form: FORM, epoch: self.epoch().clone(), created_at: now, posbell };
        Ok(StoreCopy {
            store: self.clone(),
            under_way: Arc::new(under_way),
            header,
            writer: None,
            passed: None,
            is_at_end: false,
            is_done: false,
        })
    }
}

impl StoreCopy {
    /// The next piece of the file, some hundred kilobytes; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(writer) = &mut self.writer else {
            let (writer, piece) = Writer::new(&self.header);
            self.writer = Some(writer);
            return Ok(Some(piece));
        };
        loop {
            if self.is_done {
                return Ok(None);
            }
            if self.is_at_end {
                self.is_done = true;
                return Ok(Some(writer.end()));
            }
            let (under_way, passed) = (Arc::clone(&self.under_way), self.passed.take());
            let page = self.store.reading(move |engine| page(engine, passed, &under_way)).await?;
            self.is_at_end = page.upto.is_none();
            self.passed = page.upto;
            if !page.records.is_empty() {
                let piece = writer.records(&page.records);
                return piece
                    .map(Some)
                    .ok_or_else(|| StoreError::Unreadable("a record is too long to copy".to_owned()));
            }
        }
    }

    /// How many records it has read.
    pub fn records(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::count)
    }
}

/// The last piece instead of those that cannot be made any more, so that whoever gets it learns why.
pub fn broken_off(error: &StoreError) -> Vec<u8> {
    form::failed(error.to_string(), matches!(error, StoreError::CopyTooSlow))
}

struct Page {
    records: Vec<Record>,
    /// Up to which key these are all; `None` where they are all that there are.
    upto: Option<Vec<u8>>,
}

/// The records behind `passed`, as they were when the copy began.
fn page(engine: &dyn Engine, passed: Option<Vec<u8>>, under_way: &UnderWay) -> Result<Page, StoreError> {
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut upto = None;
    for entry in engine.scan(passed.map_or_else(Span::all, Span::behind)) {
        let (key, value) = entry?;
        bytes += key.len() + value.len();
        found.push((key.to_vec(), value.to_vec()));
        if found.len() >= PIECE_KEYS || bytes >= PIECE_BYTES {
            upto = Some(key.to_vec());
            break;
        }
    }
    // Read first, then compared with what was kept: never the other way round, see `keep`.
    Ok(Page { records: under_way.as_it_was(found, upto.as_deref())?, upto })
}
