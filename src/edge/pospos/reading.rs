//! A list that is being read: its rows page by page, each decoded only where it is wanted.
//!
//! Most rows of a sweep are as they were. Whoever knows their fingerprints says so, and they are counted and not decoded.
//! What the list's end means, and that no row was missed, is proved in `walk`.

use std::collections::{BTreeSet, HashMap};

use serde_json::value::RawValue;

use super::error::ReadError;
use super::pull::{Found, Page, Pull, Question};
use super::quota::Monotonic;
use super::seen::News;
use super::wire::{Fault, Form, LeftOut, Malformed, decode, fits, is_large};
use crate::domain::model::{EntityId, Fingerprint, Whole};

/// How many rows are decoded in one go: a large list in one answer must not keep everything else of the service waiting.
const BATCH: usize = 500;

/// Says of a row that it is known just so, and need not be decoded.
pub(super) type Skip<'a> = Box<dyn Fn(&EntityId, Fingerprint) -> bool + Send + Sync + 'a>;

/// How rows of one kind are read.
pub(super) type Reader<'a, T> = Box<dyn Form<Item = T> + Send + Sync + 'a>;

/// A list that is being read.
pub struct Reading<'a, T> {
    pull: Pull<'a>,
    form: Reader<'a, T>,
    skip: Skip<'a>,
    is_first: bool,
    /// The page whose rows are being handed out, and the place of the next.
    open: Option<(Page, usize)>,
    /// The ids of rows that could not be understood when they came, where somebody wants to know them.
    garbled: Option<BTreeSet<EntityId>>,
}

/// A row as it was just read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh<T> {
    /// What tells it apart.
    pub id: EntityId,
    /// Of the row as it was written.
    pub fingerprint: Fingerprint,
    /// When the page with it was asked for, by the boot's clock: it is no older than that.
    pub sent: Monotonic,
    /// What it says.
    pub item: T,
}

impl<'a, T> Reading<'a, T> {
    pub(super) fn new(question: Question<'a>, form: Reader<'a, T>, skip: Skip<'a>) -> Self {
        Self { pull: Pull::new(question), form, skip, is_first: true, open: None, garbled: None }
    }

    /// So many rows the list had before, where that is known: one that is far longer than it should be is given up.
    pub fn expecting(mut self, rows: Option<u64>) -> Self {
        self.pull.expect(rows);
        self
    }

    /// The wanted rows of the next page, perhaps none; `None` once the list is read to its end and nothing suggests that
    /// a row is missing.
    ///
    /// A row may come again, where it was written otherwise the second time: the later one counts. After an error there
    /// is nothing more to come.
    pub async fn next(&mut self) -> Result<Option<Vec<Fresh<T>>>, ReadError> {
        if self.open.is_none() {
            let Some(page) = self.pull.page().await? else { return Ok(None) };
            if let Err(error) = self.check_shape(&page) {
                self.pull.fail();
                return Err(error);
            }
            self.open = Some((page, 0));
        }
        let Some((page, from)) = self.open.take() else { return Ok(None) };
        let until = page.rows.len().min(from + BATCH);
        let wanted = page.rows[from..until].iter().filter_map(|row| self.wanted(&page, row)).collect();
        if until < page.rows.len() {
            self.open = Some((page, until));
        }
        Ok(Some(wanted))
    }

    /// Whether a row with this id has come, understood or not.
    pub fn has_seen(&self, id: &str) -> bool {
        self.pull.has_seen(id)
    }

    /// Whether a row with this id has come, and was understood when it came last.
    pub fn has_read(&self, id: &str) -> bool {
        self.pull.has_seen(id) && !self.pull.is_unreadable(id)
    }

    /// Whether the row with this id could not be understood when it came last.
    pub fn is_unreadable(&self, id: &str) -> bool {
        self.pull.is_unreadable(id)
    }

    /// How many calls that took so far.
    pub fn calls(&self) -> u32 {
        self.pull.calls()
    }

    /// How many different rows have come.
    pub fn rows(&self) -> u64 {
        self.pull.counts().0
    }

    /// How many different rows have come that could not be understood.
    pub fn unreadable(&self) -> u64 {
        self.pull.counts().1
    }

    /// How many rows have come that no id tells apart. Each may be any row that seems to be missing.
    pub fn nameless(&self) -> u64 {
        self.pull.nameless()
    }

    /// On the first page, rows of which not one is of the right kind are another list. Later, a nameless product can be
    /// alone on the last page.
    fn check_shape(&mut self, page: &Page) -> Result<(), ReadError> {
        if !std::mem::take(&mut self.is_first) || page.rows.is_empty() {
            return Ok(());
        }
        let is_right = |row| page.text(row).is_some_and(|text| fits(text, self.form.as_ref()));
        match page.rows.iter().any(is_right) {
            true => Ok(()),
            false => Err(self.pull.malformed(page.number, Malformed::WrongShape)),
        }
    }

    fn wanted(&mut self, page: &Page, row: &Found) -> Option<Fresh<T>> {
        if row.is_contradicted {
            self.leave_out(row, LeftOut::whole(Fault::Contradicted));
            return None;
        }
        if row.news == News::Same {
            return None;
        }
        let (fingerprint, sent) = (row.fingerprint, page.sent);
        if row.id.as_ref().is_some_and(|id| (self.skip)(id, fingerprint)) {
            return None;
        }
        let text = page.text(row).unwrap_or_default();
        let id = row.id.clone().ok_or_else(|| LeftOut::at(self.form.id_pointer(), Fault::NoId));
        let read = id.and_then(|id| Ok((decode(text, id.clone(), self.form.as_ref())?, id)));
        match read {
            Ok((item, id)) => {
                self.pull.seen().mark(row.key, true);
                if is_large(text) || self.form.is_cut(&item) {
                    self.pull.note_cut();
                }
                Some(Fresh { id, fingerprint, sent, item })
            }
            Err(why) => {
                self.leave_out(row, why);
                None
            }
        }
    }

    /// Counts a row that could not be understood.
    fn leave_out(&mut self, row: &Found, why: LeftOut) {
        self.pull.seen().mark(row.key, false);
        self.pull.note_left_out(why);
        if let Some(garbled) = &mut self.garbled {
            garbled.extend(row.id.clone());
        }
    }

    /// Reads on to the end and vouches for all rows.
    pub(super) async fn whole(mut self) -> Result<Whole<T>, ReadError> {
        Ok(self.wanted_of_whole().await?.map(|row| row.item))
    }

    /// Reads on to the end and vouches for the wanted rows: what is not among them is known just so, or not there.
    pub async fn wanted_of_whole(&mut self) -> Result<Whole<Fresh<T>>, ReadError> {
        self.garbled = Some(BTreeSet::new());
        let rows = self.rest().await?;
        let mut unreadable = self.garbled.take().unwrap_or_default();
        // One that came garbled first and readable later.
        unreadable.retain(|id| self.pull.is_unreadable(id.as_str()));
        let all = usize::try_from(self.unreadable()).unwrap_or(usize::MAX);
        let nameless = all.saturating_sub(unreadable.len());
        Ok(Whole::vouch(rows, nameless).but_for(unreadable))
    }

    /// Reads on to the end: each row once, as it came last, in the order in which they came first.
    pub(super) async fn rest(&mut self) -> Result<Vec<Fresh<T>>, ReadError> {
        let mut places: HashMap<EntityId, usize> = HashMap::new();
        let mut rows: Vec<Fresh<T>> = Vec::new();
        while let Some(page) = self.next().await? {
            for row in page {
                let place = *places.entry(row.id.clone()).or_insert(rows.len());
                match rows.get_mut(place) {
                    Some(known) => *known = row,
                    None => rows.push(row),
                }
            }
        }
        // One that came readable first and garbled later.
        rows.retain(|row| !self.pull.is_unreadable(row.id.as_str()));
        Ok(rows)
    }
}

/// A list that is being read as it was written.
pub struct RawReading<'a> {
    pull: Pull<'a>,
}

impl<'a> RawReading<'a> {
    pub(super) fn new(question: Question<'a>) -> Self {
        Self { pull: Pull::new(question) }
    }

    /// The rows of the next page as the API wrote them, each row once, as it came first; `None` once the list is read to
    /// its end and nothing suggests that a row is missing.
    pub async fn next(&mut self) -> Result<Option<Vec<Box<RawValue>>>, ReadError> {
        let Some(page) = self.pull.page().await? else { return Ok(None) };
        let rows = page.rows.iter().filter(|row| row.news == News::New);
        Ok(Some(rows.filter_map(|row| page.raw(row).map(ToOwned::to_owned)).collect()))
    }

    /// How many different rows have come.
    pub fn rows(&self) -> u64 {
        self.pull.counts().0
    }
}
