//! Sales: a whole window, and a part of it.

use std::collections::BTreeMap;

use chrono::DateTime;

use super::PASSES;
use crate::domain::diff::sale::{self, Besides, SaleRow, Window};
use crate::domain::diff::{Change, Known};
use crate::domain::model::{Sale, Timestamp};
use crate::edge::pospos::{Read, sales};
use crate::input::Input;
use crate::told::Told;

pub fn play(input: &Input<'_>) {
    let [before, after] = [0, 1].map(|place| sales(input, input.answer(place)));
    let (mut known, mut told) = (Known::Nothing, Told::new());
    // Of a first answer without a row that can be understood nothing is believed.
    let first = sales(&input.earlier(), input.answer(0)).filter(|read| !read.rows.is_empty() || read.count() == 0);
    if let Some(before) = &first {
        let changes = sale::compare(&known, before.whole(), Besides::default(), window(), &told.next_scribe())
            .expect("is a baseline");
        assert!(!told.check(&changes), "the baseline told something");
        known = later(known, changes);
        let again = pass(&known, before, &mut told);
        assert!(again.iter().all(|change| change.row.is_none()), "the same answer made changes: {again:?}");
    }
    if let (Some(after), true) = (&after, input.quietly)
        && let Ok(changes) = sale::take_quietly(&known, after.whole(), window(), &told.next_scribe())
    {
        told.check(&changes);
        known = later(known, changes);
        let again = pass(&known, after, &mut told);
        assert!(again.is_empty(), "what was taken without a word was told afterwards: {again:?}");
    }
    for state in [after, before].into_iter().flatten() {
        for turn in 1..=PASSES {
            let changes = pass(&known, &state, &mut told);
            assert!(turn == 1 || changes.is_empty(), "the same answer made changes: {changes:?}");
            for change in changes.iter().filter(|change| !change.events.is_empty()) {
                assert!(state.rows.contains_key(&change.id), "told of what was not read: {change:?}");
            }
            known = later(known, changes);
        }
        let part = sale::compare_some(&known, state.whole().into_rows(), Besides::default(), &told.next_scribe());
        assert!(part.is_none_or(|changes| changes.is_empty()), "a part told what the whole did not");
    }
}

fn pass(known: &Known<SaleRow>, read: &Read<Sale>, told: &mut Told) -> Vec<Change<SaleRow>> {
    let scribe = told.next_scribe();
    let compare = || sale::compare(known, read.whole(), Besides::default(), window(), &scribe);
    let compared = compare();
    assert_eq!(compare(), compared, "one pass had two outcomes");
    let changes = compared.unwrap_or_default();
    told.check(&changes);
    changes
}

/// From 3 September 2025, when the captured sales were made, to 26 November 2026, as the last passes are made.
fn window() -> Window {
    let day = |seconds| DateTime::from_timestamp(seconds, 0).expect("is a time");
    Window { from: day(1_756_857_600), until: day(1_795_712_400) }
}

fn later(known: Known<SaleRow>, changes: Vec<Change<SaleRow>>) -> Known<SaleRow> {
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
    let horizon: Option<Timestamp> = Some(window().from);
    Known::Rows { rows, horizon }
}
