//! What a row does that a shop's day does to few rows at once, and how many rows do what.

use serde::{Deserialize, Serialize};

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
    /// Another field that had something has nothing now, or zero: a price, a telephone number, what a sale came to.
    Emptied,
    /// Another field that hardly ever changes is another one: a barcode, the time of a sale, the day on which a credit
    /// is due.
    Rewritten,
    /// It was cancelled.
    Cancelled,
    /// It would stand there once more, under another id.
    Doubled,
    /// It has what no day makes of it: ten, a hundred or a thousand times its quantity or price, the quantity of the
    /// row beside it, or something told under an older stamp than the one that is known; a credit that is overdue
    /// before its day.
    Implausible,
}

impl Suspicion {
    /// All of them, in the order in which they are told.
    pub const ALL: [Suspicion; 9] = [
        Suspicion::Vanished,
        Suspicion::QuantityLost,
        Suspicion::ToZero,
        Suspicion::Renamed,
        Suspicion::Emptied,
        Suspicion::Rewritten,
        Suspicion::Cancelled,
        Suspicion::Doubled,
        Suspicion::Implausible,
    ];

    /// Whether it may come true by itself after a while. What is missing is never taken for gone without a person: an
    /// API that leaves something out for an hour looks just like it.
    pub fn may_be_accepted(self) -> bool {
        !matches!(self, Suspicion::Vanished | Suspicion::QuantityLost)
    }

    /// Whether each pass shows it again after it was believed, because the snapshot keeps what one answer leaves out.
    pub(super) fn is_shown_again(self) -> bool {
        matches!(self, Suspicion::Vanished | Suspicion::QuantityLost | Suspicion::Renamed | Suspicion::Emptied)
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
    /// See [`Suspicion::Emptied`].
    pub emptied: u64,
    /// See [`Suspicion::Rewritten`].
    pub rewritten: u64,
    /// See [`Suspicion::Cancelled`].
    pub cancelled: u64,
    /// See [`Suspicion::Doubled`].
    pub doubled: u64,
    /// See [`Suspicion::Implausible`].
    pub implausible: u64,
}

impl Counts {
    /// How many rows do this.
    pub fn of(&self, suspicion: Suspicion) -> u64 {
        match suspicion {
            Suspicion::Vanished => self.vanished,
            Suspicion::QuantityLost => self.quantity_lost,
            Suspicion::ToZero => self.to_zero,
            Suspicion::Renamed => self.renamed,
            Suspicion::Emptied => self.emptied,
            Suspicion::Rewritten => self.rewritten,
            Suspicion::Cancelled => self.cancelled,
            Suspicion::Doubled => self.doubled,
            Suspicion::Implausible => self.implausible,
        }
    }

    pub(super) fn of_mut(&mut self, suspicion: Suspicion) -> &mut u64 {
        match suspicion {
            Suspicion::Vanished => &mut self.vanished,
            Suspicion::QuantityLost => &mut self.quantity_lost,
            Suspicion::ToZero => &mut self.to_zero,
            Suspicion::Renamed => &mut self.renamed,
            Suspicion::Emptied => &mut self.emptied,
            Suspicion::Rewritten => &mut self.rewritten,
            Suspicion::Cancelled => &mut self.cancelled,
            Suspicion::Doubled => &mut self.doubled,
            Suspicion::Implausible => &mut self.implausible,
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

    /// Only what each pass shows again after it was believed.
    pub(super) fn shown_again(self) -> Counts {
        let mut again = Counts { suspicious: self.suspicious, ..Counts::default() };
        for suspicion in Suspicion::ALL.into_iter().filter(|suspicion| suspicion.is_shown_again()) {
            *again.of_mut(suspicion) = self.of(suspicion);
        }
        again
    }
}
