//! Lists that are compared row by row: products, members, vendors, purchase documents.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::PASSES;
use crate::domain::diff::{Change, Seen, Taken};
use crate::domain::event::Scribe;
use crate::domain::model::EntityId;
use crate::edge::pospos::Read;
use crate::input::Input;
use crate::told::Told;

/// How the rows of one list are compared.
pub trait Rows {
    type Item: Clone;
    type Row: Clone + PartialEq + Debug + Serialize + DeserializeOwned;

    fn compare(
        &self,
        prev: Option<&Self::Row>,
        item: Self::Item,
        taken: Taken,
        scribe: &Scribe,
    ) -> Option<Change<Self::Row>>;

    fn miss(&self, prev: &Self::Row, taken: Taken, scribe: &Scribe) -> Option<Change<Self::Row>>;

    /// Whether the same row read again must leave it as it is.
    fn rests(&self, row: &Self::Row) -> bool;

    fn is_removed(&self, row: &Self::Row) -> bool;

    /// Whether it was read by other fields and not seen since.
    fn is_read_otherwise(&self, row: &Self::Row) -> bool;
}

type Known<L> = BTreeMap<EntityId, <L as Rows>::Row>;

/// The baseline of one state, the same again, then the other, and back.
pub fn play<L: Rows>(list: &L, input: &Input<'_>, read: impl Fn(&Input<'_>, &[u8]) -> Option<Read<L::Item>>) {
    let [before, after] = [0, 1].map(|place| read(input, input.answer(place)));
    let (mut known, mut told) = (BTreeMap::new(), Told::new());
    if let Some(before) = &read(&input.earlier(), input.answer(0)) {
        let changes = pass(list, &known, before, Taken::Quietly, &told.next_scribe());
        assert!(!told.check(&changes), "the baseline told something");
        apply(&mut known, changes);
        let again = pass(list, &known, before, Taken::Compared, &told.next_scribe());
        assert!(again.is_empty(), "the same answer made changes: {again:?}");
    }
    if let (Some(after), true) = (&after, input.quietly) {
        let changes = pass(list, &known, after, Taken::Quietly, &told.next_scribe());
        assert!(!told.check(&changes), "what was read from other places told something");
        apply(&mut known, changes);
        let again = pass(list, &known, after, Taken::Compared, &told.next_scribe());
        let of_it = again.iter().find(|change| after.has(&change.id) && !change.events.is_empty());
        assert_eq!(of_it, None, "what was taken without a word was told afterwards");
    }
    for state in [after, before].into_iter().flatten() {
        read_until_quiet(list, &mut known, &state, &mut told);
    }
}

fn read_until_quiet<L: Rows>(list: &L, known: &mut Known<L>, state: &Read<L::Item>, told: &mut Told) {
    for turn in 1..=PASSES {
        let scribe = told.next_scribe();
        let changes = pass(list, known, state, Taken::Compared, &scribe);
        assert_eq!(pass(list, known, state, Taken::Compared, &scribe), changes, "one pass had two outcomes");
        if turn > 1 {
            let is_settled = |change: &&Change<L::Row>| known.get(&change.id).is_some_and(|row| list.rests(row));
            let unasked = changes.iter().find(|change| state.has(&change.id) && is_settled(change));
            assert_eq!(unasked, None, "a row that rests was changed by what it is");
        }
        assert!(turn < PASSES || changes.is_empty(), "there is no end of news: {changes:?}");
        told.check(&changes);
        for change in changes.iter().filter(|change| !change.events.is_empty()) {
            assert!(!state.unreadable.contains(&change.id), "told of what nobody could read: {change:?}");
            let prev = known.get(&change.id).filter(|row| !list.is_removed(row) && state.has(&change.id));
            // One that is listed as deleted is as good as missing.
            let is_removal = change.events.iter().all(|event| event.kind.name().ends_with(".removed"));
            let otherwise = !is_removal && prev.is_some_and(|row| list.is_read_otherwise(row));
            assert!(!otherwise, "told by a change of the fields: {change:?}");
        }
        apply(known, changes);
    }
}

fn pass<L: Rows>(
    list: &L,
    known: &Known<L>,
    read: &Read<L::Item>,
    taken: Taken,
    scribe: &Scribe,
) -> Vec<Change<L::Row>> {
    let living = || known.iter().filter(|(_, row)| !list.is_removed(row));
    let seen = Seen {
        known: living().count(),
        known_seen: living().filter(|(id, _)| read.has(id)).count(),
        read: read.count(),
    };
    if seen.read == 0 || seen.check_shop().is_err() {
        return Vec::new();
    }
    let there = read.rows.iter().filter_map(|(id, item)| list.compare(known.get(id), item.clone(), taken, scribe));
    // What the new fields cannot read is known as the old ones read it.
    let unread = |id: &EntityId| taken == Taken::Quietly && read.unreadable.contains(id);
    let missing = known.iter().filter(|(id, _)| !read.has(id) || unread(id));
    there.chain(missing.filter_map(|(_, row)| list.miss(row, taken, scribe))).collect()
}

fn apply<R>(known: &mut BTreeMap<EntityId, R>, changes: Vec<Change<R>>) {
    for change in changes {
        match change.row {
            Some(row) => drop(known.insert(change.id, row)),
            None => drop(known.remove(&change.id)),
        }
    }
}
