//! How the pages of a list come in: asked for as the walk says, several at once, each opened and counted.
//!
//! Whoever reads pulls. Nothing is asked for that nobody waits for, and of the pages only those are held that are under
//! way and the one that is handed out.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::task::Poll;

use serde_json::value::RawValue;
use url::Url;

use super::body::Body;
use super::call::{Caller, Received};
use super::error::ReadError;
use super::notes::Progress;
use super::quota::{Monotonic, Urgency};
use super::seen::{News, Seen};
use super::walk::{Answer, Step, Ticket, Walk, Window};
use super::wire::{Envelope, Key, LeftOut, Malformed, fingerprint, id_of};
use crate::domain::model::{EntityId, Fingerprint, Resource};

/// What is asked, and how.
pub(super) struct Question<'a> {
    pub caller: &'a Caller,
    pub resource: Resource,
    /// The address, but for the page.
    pub url: Url,
    pub urgency: Urgency,
    /// Where a row's id stands.
    pub id_pointer: &'a str,
    pub form: AnswerForm,
}

/// In which form the answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnswerForm {
    /// A list in pages of that many rows, so many of them at once.
    Pages(u32, usize),
    /// A list in one piece.
    List,
    /// One thing, alone or in a list.
    One,
}

type Flight<'a> = Pin<Box<dyn Future<Output = (Ticket, Window, Result<Received, ReadError>)> + Send + 'a>>;

/// A list whose pages come in.
pub(super) struct Pull<'a> {
    question: Question<'a>,
    walk: Walk,
    under_way: Vec<Flight<'a>>,
    seen: Seen,
    failed: bool,
    calls: u32,
    nameless: u64,
    /// It was noted why a row was left out.
    has_example: bool,
}

/// A page that has come, its rows still as they were written.
pub(super) struct Page {
    body: Body,
    /// Which page of its length, from 1.
    pub number: u32,
    /// When it was asked for.
    pub sent: Monotonic,
    /// Its rows, in the API's order.
    pub rows: Vec<Found>,
}

/// A row of a page.
pub(super) struct Found {
    place: Range<usize>,
    pub id: Option<EntityId>,
    pub key: Key,
    pub fingerprint: Fingerprint,
    pub news: News,
    /// The page says something else of it besides: which of both is so, nobody knows.
    pub is_contradicted: bool,
}

impl<'a> Pull<'a> {
    /// Nothing is asked before the first page is pulled.
    pub fn new(question: Question<'a>) -> Self {
        let walk = match question.form {
            AnswerForm::Pages(limit, width) => Walk::new(limit, width),
            AnswerForm::List | AnswerForm::One => Walk::single(),
        };
        let (under_way, seen) = (Vec::new(), Seen::default());
        Self { question, walk, under_way, seen, failed: false, calls: 0, nameless: 0, has_example: false }
    }

    /// So many rows the list had before, where that is known.
    pub fn expect(&mut self, rows: Option<u64>) {
        self.walk.expect(rows);
    }

    /// Notes why a row was left out, of several the first.
    pub fn note_left_out(&mut self, why: LeftOut) {
        if !std::mem::replace(&mut self.has_example, true) {
            self.question.caller.notes().note(self.question.resource, |notes| notes.left_out = Some(why));
        }
    }

    /// Notes that a row was not kept whole.
    pub fn note_cut(&self) {
        self.question.caller.notes().note(self.question.resource, |notes| notes.cut += 1);
    }

    /// Notes how far a pass has come.
    fn note_progress(&self, progress: Option<Progress>) {
        let is_pass = matches!(self.question.urgency, Urgency::Sales | Urgency::Sweep);
        if is_pass && self.question.form != AnswerForm::One {
            self.question.caller.notes().note(self.question.resource, |notes| notes.progress = progress);
        }
    }

    /// The next page that comes in; none, where the list is read to its end and nothing suggests that a row is missing.
    pub async fn page(&mut self) -> Result<Option<Page>, ReadError> {
        let page = if self.failed { Err(self.incomplete()) } else { self.next_page().await };
        if page.is_err() {
            // What is not read whole must not end as if it were, whoever asks again.
            self.fail();
        }
        page
    }

    /// What came is of no use: there is nothing more to come.
    pub fn fail(&mut self) {
        self.failed = true;
        self.under_way.clear();
    }

    /// The rows that have come.
    pub fn seen(&mut self) -> &mut Seen {
        &mut self.seen
    }

    /// Whether a row with this id has come, understood or not.
    pub fn has_seen(&self, id: &str) -> bool {
        self.seen.has(Key::of_id(id))
    }

    /// Whether the row with this id could not be understood when it came last.
    pub fn is_unreadable(&self, id: &str) -> bool {
        self.seen.is_unreadable(Key::of_id(id))
    }

    /// How many different rows have come, and how many of them could not be understood.
    pub fn counts(&self) -> (u64, u64) {
        (self.seen.rows(), self.seen.unreadable())
    }

    /// How many rows have come that no id tells apart.
    pub fn nameless(&self) -> u64 {
        self.nameless
    }

    /// What is wrong with that page.
    pub fn malformed(&self, page: u32, problem: Malformed) -> ReadError {
        ReadError::Malformed { resource: self.question.resource, page, problem }
    }

    fn incomplete(&self) -> ReadError {
        let (resource, (read, total)) = (self.question.resource, self.walk.shortfall());
        match self.walk.is_endless() {
            true => ReadError::Endless { resource, rows: read, calls: self.calls, should: self.walk.should_take() },
            false => ReadError::Incomplete { resource, read, total },
        }
    }

    async fn next_page(&mut self) -> Result<Option<Page>, ReadError> {
        loop {
            match self.walk.step() {
                Step::Ask(ticket, window) => {
                    let flight = self.fly(ticket, window);
                    self.calls = self.calls.saturating_add(1);
                    self.under_way.push(flight);
                }
                Step::Wait => {
                    let (ticket, window, received) = first_of(&mut self.under_way).await;
                    return self.open(ticket, window, received?).map(Some);
                }
                Step::Whole => return Ok(None),
                Step::Lost => return Err(self.incomplete()),
            }
        }
    }

    /// How many calls have been asked for.
    pub fn calls(&self) -> u32 {
        self.calls
    }

    fn fly(&self, ticket: Ticket, window: Window) -> Flight<'a> {
        let Question { caller, urgency, form, .. } = self.question;
        let mut url = self.question.url.clone();
        if let AnswerForm::Pages(..) = form {
            let (page, limit) = (window.page.to_string(), window.limit.to_string());
            url.query_pairs_mut().append_pair("limit", &limit).append_pair("page", &page);
        }
        Box::pin(async move { (ticket, window, caller.get(url, urgency).await) })
    }

    fn open(&mut self, ticket: Ticket, window: Window, received: Received) -> Result<Page, ReadError> {
        let Received { body, sent, .. } = received;
        let is_one = self.question.form == AnswerForm::One;
        let opened = if is_one { Envelope::open_one(&body) } else { Envelope::open(&body) };
        let envelope = opened.map_err(|problem| self.malformed(window.page, problem))?;
        let known = self.seen.rows();
        let mut rows: Vec<Found> = envelope.rows.iter().map(|raw| self.note(&body, raw)).collect();
        mark_contradicted(&mut rows);
        let distinct = self.seen.rows();
        self.walk.take(
            ticket,
            Answer {
                keys: rows.iter().map(|row| row.key).collect(),
                new: usize::try_from(distinct - known).unwrap_or(usize::MAX),
                distinct,
                total: envelope.total.filter(|_| !is_one),
                total_page: envelope.total_page,
            },
        );
        self.note_progress(Some(Progress { rows: distinct, calls: self.calls, of_calls: self.walk.should_take() }));
        Ok(Page { number: window.page, sent, rows, body })
    }

    fn note(&mut self, body: &[u8], raw: &RawValue) -> Found {
        let id = id_of(raw, self.question.id_pointer);
        let key = id.as_ref().map_or_else(|| Key::of_text(raw.get()), |id| Key::of_id(id.as_str()));
        self.nameless += u64::from(id.is_none());
        let fingerprint = fingerprint(raw.get());
        // The row is a part of the body, so its place is the distance of the two.
        let start = raw.get().as_ptr().addr() - body.as_ptr().addr();
        let (place, news) = (start..start + raw.get().len(), self.seen.note(key, fingerprint));
        Found { place, id, key, fingerprint, news, is_contradicted: false }
    }
}

impl Drop for Pull<'_> {
    fn drop(&mut self) {
        self.note_progress(None);
    }
}

/// Marks the rows of one page that stand in it more than once and not alike. Between two pages a row may change, but a
/// page is one answer.
fn mark_contradicted(rows: &mut [Found]) {
    if rows.iter().all(|row| row.news != News::Changed) {
        return;
    }
    let mut prints: HashMap<Key, Fingerprint> = HashMap::with_capacity(rows.len());
    let mut contradicted = HashSet::new();
    for row in rows.iter() {
        if *prints.entry(row.key).or_insert(row.fingerprint) != row.fingerprint {
            contradicted.insert(row.key);
        }
    }
    rows.iter_mut().for_each(|row| row.is_contradicted = contradicted.contains(&row.key));
}

impl Page {
    /// The row as it was written.
    pub fn text(&self, row: &Found) -> Option<&str> {
        std::str::from_utf8(self.body.get(row.place.clone())?).ok()
    }

    /// The same, as JSON.
    pub fn raw(&self, row: &Found) -> Option<&RawValue> {
        serde_json::from_str(self.text(row)?).ok()
    }
}

/// Waits for the first of them to be done, and takes it out.
async fn first_of<'a>(under_way: &mut Vec<Flight<'a>>) -> (Ticket, Window, Result<Received, ReadError>) {
    std::future::poll_fn(|context| {
        for place in 0..under_way.len() {
            if let Poll::Ready(landed) = under_way[place].as_mut().poll(context) {
                drop(under_way.swap_remove(place));
                return Poll::Ready(landed);
            }
        }
        Poll::Pending
    })
    .await
}
