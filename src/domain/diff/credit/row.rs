//! What is kept of a credit from one pass to the next, and what that says about it.

use serde::{Deserialize, Serialize};

use super::Terms;
use crate::domain::event::{Event, Scribe};
use crate::domain::model::{Credit, CreditStatus, Timestamp};

/// What is kept of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditRow {
    /// The credit as it was last read.
    pub credit: Credit,
    /// Part of the next counted event's id. It begins at the millisecond in which the credit was taken in and not at
    /// zero: one that was forgotten and comes back must not use its old ids once more.
    pub counter: u64,
    /// `credit.overdue` was told, or was so at the baseline. It can be told only once.
    pub overdue_told: bool,
    /// The highest bucket of days overdue that was told, or had passed before it was first seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aged: Option<i64>,
    /// It was read by other fields than today's and not seen since: the next reading is taken without a word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_otherwise: bool,
    /// The fields that the latest pass left out and that still stand as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// In how many passes in a row it was found nowhere: neither pending nor, where that was looked for, paid.
    pub missed: u32,
    /// Since when it is known to be paid, or to be found nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_since: Option<Timestamp>,
    /// It may have been known before and forgotten: what is told only once has a counted id for this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// In which passes a credit that is found nowhere is looked for among the paid ones at first: not in the first one
/// without it, since a row can slip between two pages, and then until it had time to be listed there.
const LOOKED_FOR_AT_FIRST: std::ops::RangeInclusive<u32> = 1..=3;
/// Then after so many passes, six hours at the standard interval, after twice as many, and so on. The paid list may be
/// long, and each of its pages is a call; a credit whose sale was cancelled may never stand in it.
pub(super) const LOOKED_FOR_RARELY: u32 = 36;

impl CreditRow {
    pub(super) fn is_worth_a_look(&self) -> bool {
        let rarely =
            self.missed.is_multiple_of(LOOKED_FOR_RARELY) && (self.missed / LOOKED_FOR_RARELY).is_power_of_two();
        LOOKED_FOR_AT_FIRST.contains(&self.missed) || rarely
    }

    /// Whether it should be in one of the two pending lists.
    pub(super) fn is_owed(&self) -> bool {
        self.credit.status == Some(CreditStatus::Pending)
    }

    pub(super) fn is_paid(&self) -> bool {
        self.credit.status == Some(CreditStatus::Paid)
    }

    pub(super) fn is_to_be_forgotten(&self, terms: &Terms) -> bool {
        !self.is_owed() && self.over_since.is_some_and(|since| since < terms.forget_before)
    }

    /// A credit of the baseline.
    pub(super) fn first(credit: Credit, terms: &Terms) -> CreditRow {
        CreditRow {
            counter: u64::try_from(terms.scribe.now().timestamp_millis()).unwrap_or_default(),
            overdue_told: credit.overdue,
            aged: bucket(&credit, terms.buckets),
            read_otherwise: false,
            left_out: Vec::new(),
            missed: 0,
            over_since: None,
            again: false,
            credit,
        }
    }

    /// A credit that is not known. Whatever was forgotten is older than that.
    pub(super) fn unknown(credit: Credit, terms: &Terms) -> CreditRow {
        let again = credit.issued_at.or(credit.due_at).is_some_and(|at| at < terms.forget_before);
        CreditRow { again, ..CreditRow::first(credit, terms) }
    }

    pub(super) fn next_count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn created(&mut self, scribe: &Scribe) -> Event {
        match self.again {
            true => scribe.credit_created_again(self.next_count(), &self.credit),
            false => scribe.credit_created(&self.credit),
        }
    }

    pub(super) fn fell_due(&mut self, prev: Option<&Credit>, scribe: &Scribe) -> Event {
        self.overdue_told = true;
        match self.again {
            true => scribe.credit_overdue_again(self.next_count(), &self.credit, prev),
            false => scribe.credit_overdue(&self.credit, prev),
        }
    }
}

/// The highest bucket that an overdue credit has reached.
pub(super) fn bucket(credit: &Credit, buckets: &[i64]) -> Option<i64> {
    let days = credit.days_overdue.filter(|_| credit.overdue)?;
    buckets.iter().copied().filter(|bucket| *bucket <= days).max()
}
