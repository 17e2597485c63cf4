//! Credits: the two pending lists, and those that were found among the paid.
//!
//! Five answers: within the period and out of it before, the same two after, and the paid ones.

use std::collections::BTreeMap;

use super::PASSES;
use crate::domain::diff::credit::{self, BUCKETS, CreditRow, PaidCredits, PendingCredits, Terms};
use crate::domain::diff::guard::GuardLimits;
use crate::domain::diff::{Change, Known};
use crate::domain::event::Scribe;
use crate::domain::model::{Credit, CreditStatus, EntityId, Timestamp};
use crate::edge::pospos::{Read, credits};
use crate::input::Input;
use crate::told::Told;

/// What a pass asks for.
struct State {
    within: Read<Credit>,
    out: Read<Credit>,
    paid: Read<Credit>,
}

impl State {
    /// The pending lists from that answer on, and the paid ones.
    fn read(input: &Input<'_>, first: usize) -> Option<State> {
        let list = |place, status, overdue| credits(input, input.answer(place), status, overdue);
        let within = list(first, CreditStatus::Pending, false)?;
        let out = list(first + 1, CreditStatus::Pending, true)?;
        Some(State { within, out, paid: list(4, CreditStatus::Paid, false)? })
    }

    fn pending(&self) -> PendingCredits {
        PendingCredits::join(self.within.whole(), self.out.whole())
    }

    fn found(&self, known: &Known<CreditRow>) -> PaidCredits {
        let wanted = self.pending().wanted(known, &GuardLimits::default());
        let rows = self.paid.rows.iter().filter(|(id, _)| wanted.contains(*id));
        PaidCredits {
            found: rows.map(|(id, row)| (id.clone(), row.clone())).collect(),
            unreadable: self.paid.unreadable.intersection(&wanted).cloned().collect(),
            nameless: self.paid.nameless as u64,
        }
    }

    /// Whether it stands in a list and could be read in none.
    fn is_unreadable(&self, id: &EntityId) -> bool {
        let lists = [&self.within, &self.out, &self.paid];
        lists.iter().any(|list| list.has(id)) && !lists.iter().any(|list| list.rows.contains_key(id))
    }
}

pub fn play(input: &Input<'_>) {
    let (before, after) = (State::read(input, 0), State::read(input, 2));
    let (mut known, mut told) = (Known::Nothing, Told::new());
    if let Some(before) = &State::read(&input.earlier(), 0) {
        let changes = pass(&known, before, &mut told);
        assert!(changes.iter().all(|change| change.events.is_empty()), "the baseline told something");
        known = later(known, changes);
        let again = pass(&known, before, &mut told);
        assert!(again.is_empty(), "the same answer made changes: {again:?}");
    }
    if let (Some(after), true) = (&after, input.quietly) {
        let scribe = told.next_scribe();
        let changes = credit::take_quietly(&known, after.pending(), &terms(&scribe));
        assert!(!told.check(&changes), "what was read from other places told something");
        known = later(known, changes);
        let changes = pass(&known, after, &mut told);
        let of_it = changes.iter().find(|change| {
            let is_pending = after.within.has(&change.id) || after.out.has(&change.id);
            is_pending && !change.events.is_empty()
        });
        assert_eq!(of_it, None, "what was taken without a word was told afterwards");
        known = later(known, changes);
    }
    for state in [after, before].into_iter().flatten() {
        for turn in 1..=PASSES {
            let changes = pass(&known, &state, &mut told);
            for change in changes.iter().filter(|change| !change.events.is_empty()) {
                assert!(turn < PASSES, "there is no end of news: {change:?}");
                assert!(!state.is_unreadable(&change.id), "told of what nobody could read: {change:?}");
            }
            known = later(known, changes);
        }
    }
}

/// Nothing is ever old enough to be forgotten.
fn terms(scribe: &Scribe) -> Terms<'_> {
    Terms { buckets: BUCKETS, forget_before: Timestamp::MIN_UTC, scribe }
}

fn pass(known: &Known<CreditRow>, state: &State, told: &mut Told) -> Vec<Change<CreditRow>> {
    let scribe = told.next_scribe();
    let compare = || credit::compare(known, state.pending(), state.found(known), &terms(&scribe));
    let compared = compare();
    assert_eq!(compare(), compared, "one pass had two outcomes");
    let missed = |_| credit::misses(known, &state.pending(), &state.found(known));
    let changes = compared.unwrap_or_else(missed);
    told.check(&changes);
    changes
}

fn later(known: Known<CreditRow>, changes: Vec<Change<CreditRow>>) -> Known<CreditRow> {
    let mut rows = match known {
        Known::Nothing => BTreeMap::new(),
        Known::Rows { rows, .. } => rows,
    };
    for change in changes {
        match change.row {
            Some(row) => drop(rows.insert(change.id, row)),
            None => drop(rows.remove(&change.id)),
        }
    }
    Known::Rows { rows, horizon: None }
}
