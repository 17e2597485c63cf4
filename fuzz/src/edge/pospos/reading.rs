//! One answer as one reading: each row once, as it came last, and beside them the rows that were not understood.
//!
//! On the way everything is done twice, and must come out alike.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Debug;

use chrono::NaiveDate;
use serde_json::value::RawValue;

use super::wire::{CreditForm, Envelope, Form, Key, Survey, decode, fits, id_of};
use crate::domain::model::{Credit, CreditStatus, EntityId, Member, Purchase, Sale, StockRow, Vendor, Whole};
use crate::input::Input;

/// The rows of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<T> {
    /// What could be understood.
    pub rows: BTreeMap<EntityId, T>,
    /// The ids of what could not.
    pub unreadable: BTreeSet<EntityId>,
    /// How many rows without an id there were besides.
    pub nameless: usize,
}

impl<T: Clone> Read<T> {
    /// How many rows the list had.
    pub fn count(&self) -> usize {
        self.rows.len() + self.unreadable.len() + self.nameless
    }

    /// Whether the list had this row, understood or not.
    pub fn has(&self, id: &EntityId) -> bool {
        self.rows.contains_key(id) || self.unreadable.contains(id)
    }

    /// As a list that was read to its end.
    pub fn whole(&self) -> Whole<T> {
        Whole::vouch(self.rows.values().cloned().collect(), self.nameless).but_for(self.unreadable.clone())
    }
}

pub fn sales(input: &Input<'_>, answer: &[u8]) -> Option<Read<Sale>> {
    read(input, answer, &input.fields.transactions)
}

pub fn products(input: &Input<'_>, answer: &[u8]) -> Option<Read<StockRow>> {
    read(input, answer, &input.fields.stock)
}

pub fn members(input: &Input<'_>, answer: &[u8]) -> Option<Read<Member>> {
    read(input, answer, &input.fields.members)
}

pub fn vendors(input: &Input<'_>, answer: &[u8]) -> Option<Read<Vendor>> {
    read(input, answer, &input.fields.vendors)
}

pub fn purchases(input: &Input<'_>, answer: &[u8]) -> Option<Read<Purchase>> {
    read(input, answer, &input.fields.buy_documents)
}

pub fn credits(input: &Input<'_>, answer: &[u8], status: CreditStatus, overdue: bool) -> Option<Read<Credit>> {
    let today = NaiveDate::from_ymd_opt(2026, 11, 25)?;
    read(input, answer, &CreditForm { fields: &input.fields.credit, status, overdue, today })
}

fn read<T: Clone + Debug + PartialEq>(input: &Input<'_>, answer: &[u8], form: &dyn Form<Item = T>) -> Option<Read<T>> {
    let read = once(input, answer, form);
    assert_eq!(once(input, answer, form), read, "the same answer was read in two ways");
    read
}

fn once<T: Clone + Debug + PartialEq>(input: &Input<'_>, answer: &[u8], form: &dyn Form<Item = T>) -> Option<Read<T>> {
    let open = if input.about_one { Envelope::open_one } else { Envelope::open };
    let envelope = match open(answer) {
        Ok(envelope) => envelope,
        Err(problem) => {
            assert!(problem.to_string().chars().count() < 300, "the API's own words are shown, but not all of them");
            return None;
        }
    };
    if !envelope.rows.is_empty() && !envelope.rows.iter().any(|raw| fits(raw.get(), form)) {
        return None;
    }
    let mut survey = Survey::new(&input.fields, input.resource);
    let mut read = Read { rows: BTreeMap::new(), unreadable: BTreeSet::new(), nameless: 0 };
    let mut nameless = HashSet::new();
    for raw in envelope.rows {
        let Some(id) = id_in(raw, form.id_pointer()) else {
            survey.note(raw, false);
            nameless.insert(Key::of_text(raw.get()));
            continue;
        };
        let item = decode(raw.get(), id.clone(), form).ok();
        assert!(item.is_none() || fits(raw.get(), form), "a row of another list was read: {raw}");
        survey.note(raw, item.is_some());
        match item {
            Some(item) => {
                read.unreadable.remove(&id);
                read.rows.insert(id, item);
            }
            None => {
                read.rows.remove(&id);
                read.unreadable.insert(id);
            }
        }
    }
    assert!(survey.readable <= survey.rows && survey.unread.len() <= 100);
    read.nameless = nameless.len();
    Some(read)
}

/// The id of a row. There is a short way to the usual place and a long way to every place; both must end alike.
fn id_in(raw: &RawValue, pointers: &str) -> Option<EntityId> {
    let id = id_of(raw, pointers);
    assert_eq!(id_of(raw, &format!("{pointers} | {pointers}")), id, "{raw}");
    id
}
