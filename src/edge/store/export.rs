//! The whole log of events, page by page from its beginning: for whoever wants all of it and not the newest.

use std::ops::Range;

use super::engine::Span;
use super::log::matches;
use super::{EventFilter, Store, StoreError, keys, record};

/// How many events one page looks at, and after how many bytes of them it ends: a moment's work, and little to hold.
const LOOKED_AT_ONCE: usize = 2_000;
const PAGE_BYTES: usize = 512 * 1024;

/// A part of the log.
#[derive(Debug, Clone, Default)]
pub struct ExportPage {
    /// The JSON of the events that pass the filter, oldest first.
    pub events: Vec<String>,
    /// How many events were looked at.
    pub looked: usize,
    /// The number at which the next page begins; `None` at the end.
    pub next: Option<u64>,
}

impl Store {
    /// The number that the next event gets. What is before it is durable.
    pub fn end_of_events(&self) -> u64 {
        self.inner.committer.durable().event
    }

    /// The events of these numbers that pass the filter, as far as one page goes. `limit` and `after` of the filter
    /// are not looked at.
    pub async fn export_page(&self, numbers: Range<u64>, filter: EventFilter) -> Result<ExportPage, StoreError> {
        let end = keys::numbered(keys::EVENTS, numbers.end.min(self.end_of_events()));
        self.reading(move |engine| {
            let begin = keys::numbered(keys::EVENTS, numbers.start);
            let mut page = ExportPage::default();
            if begin >= end {
                return Ok(page);
            }
            let mut bytes = 0;
            for entry in engine.scan(Span::from(begin..end)) {
                let (key, value) = entry?;
                if page.looked == LOOKED_AT_ONCE || bytes >= PAGE_BYTES {
                    page.next = keys::number_of(&key);
                    break;
                }
                page.looked += 1;
                bytes += value.len();
                let (at, json) = record::read_event(&value)?;
                if filter.since.is_none_or(|since| at >= since) && matches(&json, &filter)? {
                    page.events.push(json);
                }
            }
            Ok(page)
        })
        .await
    }
}
