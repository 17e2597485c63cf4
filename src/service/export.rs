//! The whole log of events as lines, for whoever takes it elsewhere.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::listing::since;
use crate::api::{EventQuery, FetchLine, Refusal};
use crate::domain::model::Timestamp;
use crate::edge::store::{EventFilter, Store, StoreError};

/// How many lines are ready before they are taken.
const LINES_AHEAD: usize = 64;

/// How long a line waits for someone who is there and takes nothing: a person may read a screen for a while.
const IGNORED: Duration = Duration::from_secs(600);

/// After how many events without one that was asked for it is said that it goes on: some seconds' work at most.
const SILENCE: usize = 200_000;

/// Begins to read the log, and returns the events that `query` asks for as they come, oldest first. It ends with what was
/// the last event when it began.
pub fn start(store: &Store, query: EventQuery, now: Timestamp) -> Result<Receiver<FetchLine>, Refusal> {
    if query.after.is_some() || query.limit.is_some() {
        return Err(Refusal::Wrong("`after` and `limit` say nothing about an export: it is all of them".to_owned()));
    }
    let since = query.since.as_deref().map(|text| since(text, now)).transpose()?;
    let filter = EventFilter { since, ..asked(query) };
    let (lines, received) = mpsc::channel(LINES_AHEAD);
    let store = store.clone();
    #[expect(clippy::disallowed_methods, reason = "it ends with its receiver, or soon after its patience")]
    tokio::spawn(async move {
        let last = match tell(&store, &filter, &lines).await {
            Ok(Some(events)) => FetchLine::Done(events),
            // A line was not taken, so the rest must not end as if it were whole.
            Ok(None) => return,
            Err(error) => FetchLine::Error(error.to_string()),
        };
        send(&lines, last).await;
    });
    Ok(received)
}

fn asked(EventQuery { kind, shop, subject, .. }: EventQuery) -> EventFilter {
    EventFilter { kind, shop, subject, ..EventFilter::default() }
}

/// Sends the events, and returns how many there were; none, where not all of them were taken.
async fn tell(store: &Store, filter: &EventFilter, lines: &Sender<FetchLine>) -> Result<Option<u64>, StoreError> {
    let end = store.end_of_events();
    let (mut from, mut told, mut silent) = (Some(0), 0, 0);
    while let Some(first) = from.filter(|first| *first < end) {
        let page = store.export_page(first..end, filter.clone()).await?;
        silent = if page.events.is_empty() { silent + page.looked } else { 0 };
        for json in page.events {
            let event = RawValue::from_string(json).map_err(|_| StoreError::Unreadable("an event".to_owned()))?;
            if !send(lines, FetchLine::Row(event)).await {
                return Ok(None);
            }
            told += 1;
        }
        if silent >= SILENCE {
            // Where the lines are not taken, there is no need for one more.
            drop(lines.try_send(FetchLine::Waiting(format!("looked through {silent} events that were not asked for"))));
            silent = 0;
        }
        from = page.next;
    }
    Ok(Some(told))
}

/// Whether somebody takes it.
async fn send(lines: &Sender<FetchLine>, line: FetchLine) -> bool {
    lines.send_timeout(line, IGNORED).await.is_ok()
}
