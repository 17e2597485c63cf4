//! What a reading would change, counted row by row while its pages come in.

use super::census::{Census, EXAMPLES, Example};
use super::pattern::Patterns;
use super::rows::Guarded;
use super::suspicion::Suspicion;
use crate::domain::model::Product;

/// A census in the making.
#[derive(Debug, Default)]
pub struct Tally {
    census: Census,
    patterns: Box<Patterns>,
}

impl Tally {
    /// A census of a reading of which so many rows are known.
    pub fn of_known(known: usize) -> Self {
        Self { census: Census { known: known as u64, ..Census::default() }, patterns: Box::default() }
    }

    /// A known product that is in the list, in the list's order. `updated` when anything of it is told that is more
    /// than its quantity, and `measured` when another figure of its own for "low" puts it on another level.
    pub fn product(&mut self, prev: &Product, next: &Product, updated: bool, measured: bool) {
        let mut found = prev.suspicions(next);
        if measured && !found.contains(&Suspicion::Rewritten) {
            found.push(Suspicion::Rewritten);
        }
        if prev.is_older(next) && (updated || prev.quantity != next.quantity) {
            found.push(Suspicion::Implausible);
        }
        for suspicion in &found {
            self.exemplify(*suspicion, prev, Some(next));
        }
        self.patterns.product(prev, next, found.is_empty());
        self.row(&found, updated);
    }

    /// A known product that is not in the list, although the last accepted pass had it. One that was missed before is
    /// removed now and no surprise: it is [`Tally::change`].
    pub fn missing_product(&mut self, prev: &Product) {
        self.exemplify(Suspicion::Vanished, prev, None);
        self.missing();
    }

    /// A known row of another kind that is in the list; `updated` when anything of it is told.
    pub fn listed<T: Guarded>(&mut self, prev: &T, next: &T, updated: bool) {
        let mut found = prev.suspicions(next);
        if prev.is_older(next) && updated {
            found.push(Suspicion::Implausible);
        }
        self.row(&found, updated);
    }

    /// A known row of another kind that is not in the list, although the last accepted pass had it.
    pub fn missing(&mut self) {
        self.row(&[Suspicion::Vanished], false);
    }

    /// A row that is new, or removed after it was missed before: nothing to suspect, but something to tell.
    pub fn change(&mut self) {
        self.row(&[], true);
    }

    /// A row that does this; `told` when there is more to tell of it.
    pub fn row(&mut self, found: &[Suspicion], told: bool) {
        for suspicion in found {
            *self.census.counts.of_mut(*suspicion) += 1;
        }
        self.census.counts.suspicious += u64::from(!found.is_empty());
        self.census.changed += u64::from(told || !found.is_empty());
        self.census.told += u64::from(told);
    }

    /// The census, once every row is counted.
    pub fn census(self) -> Census {
        let Tally { mut census, patterns } = self;
        let (rows, examples) = patterns.found();
        census.counts.implausible += rows;
        census.counts.suspicious += rows;
        // A price is told already, a quantity that moves is not.
        census.changed = census.changed.max(census.counts.suspicious);
        let named = census.examples.iter().filter(|example| example.does == Suspicion::Implausible).count();
        census.examples.extend(examples.into_iter().take(EXAMPLES.saturating_sub(named)));
        census
    }

    fn exemplify(&mut self, does: Suspicion, prev: &Product, next: Option<&Product>) {
        if self.census.examples.iter().filter(|example| example.does == does).count() < EXAMPLES {
            self.census.examples.push(Example::of(does, prev, next));
        }
    }
}
