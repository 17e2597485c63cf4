//! What a reading would change, counted row by row while its pages come in.
//!
//! A shop of 100,000 rows is judged by four counts and a few examples: neither the reading nor its differences are
//! kept for it. The examples are of products only, because the record of a held pass is shown to whoever may ask, and
//! a member's name is nobody's business there.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Product, Quantity};

/// How many rows of each kind are named: what a person needs to recognise a mistake, and no more.
const EXAMPLES: usize = 5;

/// The most characters of a code or name in an example: one line of a terminal with both.
const EXAMPLE_CHARS: usize = 48;

/// What one row does that a shop's day does to few rows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspicion {
    /// It is not in the list any more.
    Vanished,
    /// It had a quantity and has none now; none is not zero.
    QuantityLost,
    /// Something was left of it and nothing is now.
    ToZero,
    /// Its name or code is another one, or gone.
    Renamed,
}

impl Suspicion {
    /// All of them, in the order in which they are told.
    pub const ALL: [Suspicion; 4] =
        [Suspicion::Vanished, Suspicion::QuantityLost, Suspicion::ToZero, Suspicion::Renamed];

    /// Whether it may come true by itself after a while. What is missing is never taken for gone without a person: an
    /// API that leaves something out for an hour looks just like it.
    pub fn may_be_accepted(self) -> bool {
        matches!(self, Suspicion::ToZero | Suspicion::Renamed)
    }

    /// What a known product that is still in the list does. `next` is as it was read, before anything that one answer
    /// leaves out is filled in from what was known.
    pub fn of_product(prev: &Product, next: &Product) -> Vec<Suspicion> {
        let mut found = Vec::new();
        match (prev.quantity, next.quantity) {
            (Some(_), None) => found.push(Suspicion::QuantityLost),
            (Some(before), Some(now)) if before > Quantity::ZERO && now <= Quantity::ZERO => {
                found.push(Suspicion::ToZero);
            }
            _ => {}
        }
        found.extend(Self::of_names((&prev.code, &prev.name), (&next.code, &next.name)));
        found
    }

    /// What a row does that has a code and a name and no quantity: a member, a vendor, a purchase document.
    pub fn of_names(
        prev: (&Option<String>, &Option<String>),
        next: (&Option<String>, &Option<String>),
    ) -> Option<Self> {
        (prev != next).then_some(Suspicion::Renamed)
    }
}

/// How many rows do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows with at least one suspicion: one that does two things counts once.
    pub suspicious: u64,
    /// See [`Suspicion::Vanished`].
    pub vanished: u64,
    /// See [`Suspicion::QuantityLost`].
    pub quantity_lost: u64,
    /// See [`Suspicion::ToZero`].
    pub to_zero: u64,
    /// See [`Suspicion::Renamed`].
    pub renamed: u64,
}

impl Counts {
    /// How many rows do this.
    pub fn of(&self, suspicion: Suspicion) -> u64 {
        match suspicion {
            Suspicion::Vanished => self.vanished,
            Suspicion::QuantityLost => self.quantity_lost,
            Suspicion::ToZero => self.to_zero,
            Suspicion::Renamed => self.renamed,
        }
    }

    fn of_mut(&mut self, suspicion: Suspicion) -> &mut u64 {
        match suspicion {
            Suspicion::Vanished => &mut self.vanished,
            Suspicion::QuantityLost => &mut self.quantity_lost,
            Suspicion::ToZero => &mut self.to_zero,
            Suspicion::Renamed => &mut self.renamed,
        }
    }

    /// What is left of each count when that much of it is known to be so. Which rows these are is not known, so the
    /// rest may be of other rows, each with one suspicion.
    pub(super) fn beyond(&self, settled: &Counts) -> Counts {
        let mut rest = Counts::default();
        for suspicion in Suspicion::ALL {
            *rest.of_mut(suspicion) = self.of(suspicion).saturating_sub(settled.of(suspicion));
            rest.suspicious = rest.suspicious.saturating_add(rest.of(suspicion));
        }
        Counts { suspicious: rest.suspicious.min(self.suspicious), ..rest }
    }

    /// The smaller of each count.
    pub(super) fn least(&self, other: &Counts) -> Counts {
        let mut least = Counts { suspicious: self.suspicious.min(other.suspicious), ..Counts::default() };
        for suspicion in Suspicion::ALL {
            *least.of_mut(suspicion) = self.of(suspicion).min(other.of(suspicion));
        }
        least
    }
}

/// A product that does it, as it was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// What it does.
    pub does: Suspicion,
    /// Its code.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it would be called from now on, where that is another code or name: both, as far as there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
}

/// What a whole reading would change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Census {
    /// How many rows were known before.
    pub known: u64,
    /// How many do what is suspicious.
    #[serde(flatten)]
    pub counts: Counts,
    /// How many rows have something to tell that is more than a quantity which moves: suspicious ones, and those that
    /// are created, updated or removed.
    pub changed: u64,
    /// A few products of each kind.
    pub examples: Vec<Example>,
}

impl Census {
    /// A census of a reading of which so many rows are known.
    pub fn of_known(known: usize) -> Self {
        Self { known: known as u64, ..Self::default() }
    }

    /// A known product that is in the list; `updated` when anything of it is told that is more than its quantity.
    pub fn product(&mut self, prev: &Product, next: &Product, updated: bool) {
        let found = Suspicion::of_product(prev, next);
        for suspicion in &found {
            self.exemplify(*suspicion, prev, Some(next));
        }
        self.row(&found, updated);
    }

    /// A known product that is not in the list, although the last accepted pass had it. One that was missed before is
    /// removed now and no surprise: it is [`Census::change`].
    pub fn missing_product(&mut self, prev: &Product) {
        self.exemplify(Suspicion::Vanished, prev, None);
        self.missing();
    }

    /// A known row of another kind that is in the list; `updated` when anything of it is told.
    pub fn named(
        &mut self,
        prev: (&Option<String>, &Option<String>),
        next: (&Option<String>, &Option<String>),
        updated: bool,
    ) {
        self.row(Suspicion::of_names(prev, next).as_slice(), updated);
    }

    /// A known row of another kind that is not in the list, although the last accepted pass had it.
    pub fn missing(&mut self) {
        self.row(&[Suspicion::Vanished], false);
    }

    /// A row that is new, or removed after it was missed before: nothing to suspect, but something to tell.
    pub fn change(&mut self) {
        self.row(&[], true);
    }

    fn row(&mut self, found: &[Suspicion], updated: bool) {
        for suspicion in found {
            *self.counts.of_mut(*suspicion) += 1;
        }
        self.counts.suspicious += u64::from(!found.is_empty());
        self.changed += u64::from(updated || !found.is_empty());
    }

    fn exemplify(&mut self, does: Suspicion, prev: &Product, next: Option<&Product>) {
        if self.examples.iter().filter(|example| example.does == does).count() >= EXAMPLES {
            return;
        }
        let becomes = next.filter(|_| does == Suspicion::Renamed).map(|next| {
            let both = [&next.code, &next.name].into_iter().flatten();
            both.map(|text| shortened(text)).collect::<Vec<_>>().join(" ")
        });
        let short = |text: &Option<String>| text.as_deref().map(shortened);
        self.examples.push(Example { does, code: short(&prev.code), name: short(&prev.name), becomes });
    }
}

/// As much of a text as an example needs, on one line: it comes from outside and goes to terminals.
fn shortened(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.take(EXAMPLE_CHARS).collect();
    if text.chars().nth(EXAMPLE_CHARS).is_some() {
        short.push('…');
    }
    short
}
