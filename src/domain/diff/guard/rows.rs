//! What a known row that is still in the list does, kind by kind.
//!
//! `next` is as it was read, before anything that one answer leaves out is put in from what was known.

use chrono::TimeDelta;

use super::suspicion::Suspicion;
use crate::domain::diff::Fields;
use crate::domain::model::{Credit, Member, Money, Product, Purchase, Quantity, Sale, SaleStatus, Timestamp, Vendor};

/// A row that the guard looks at.
pub trait Guarded {
    /// What it does to become `next`.
    fn suspicions(&self, next: &Self) -> Vec<Suspicion>;

    /// Whether the API's own stamp says that `next` is much older than this. A stamp alone is no news, and never
    /// suspected.
    fn is_older(&self, _next: &Self) -> bool {
        false
    }
}

/// The fields of a kind of row, by what it means when they change. Of the others any change is a day's work.
struct Kept {
    /// By which people know it.
    names: &'static [&'static str],
    /// What hardly ever changes once it is there.
    rewritten: &'static [&'static str],
    /// What may be emptied.
    emptied: &'static [&'static str],
}

impl Kept {
    fn suspicions<T: Fields + Clone>(&self, prev: &T, next: &T) -> Vec<Suspicion> {
        let changed = next.differences(prev);
        let mut found = Vec::new();
        if changed.is_empty() {
            return found;
        }
        let (lost, gained) = (next.clone().keep_left_out(prev, &[]), prev.clone().keep_left_out(next, &[]));
        let is = |names: &[&str], name: &String| names.contains(&name.as_str());
        if changed.iter().any(|name| is(self.names, name) && !gained.contains(name)) {
            found.push(Suspicion::Renamed);
        }
        if lost.iter().any(|name| !is(self.names, name) && !is(self.emptied, name)) {
            found.push(Suspicion::Emptied);
        }
        let others = changed.iter().filter(|name| !lost.contains(name) && !gained.contains(name));
        if others.into_iter().any(|name| is(self.rewritten, name)) {
            found.push(Suspicion::Rewritten);
        }
        found
    }
}

/// Adds it where it is so and not found yet.
fn add(found: &mut Vec<Suspicion>, suspicion: Suspicion, is_so: bool) {
    if is_so && !found.contains(&suspicion) {
        found.push(suspicion);
    }
}

/// Whether a figure that was more than nothing is nothing now.
fn to_nothing(prev: Option<Money>, next: Option<Money>) -> bool {
    prev.zip(next).is_some_and(|(prev, next)| prev > Money::ZERO && next <= Money::ZERO)
}

/// How far two stamps of a row may be out of order: the clocks of two tills are, a little, and a server that lags is.
const OUT_OF_ORDER: TimeDelta = TimeDelta::hours(1);

fn is_earlier(prev: Option<Timestamp>, next: Option<Timestamp>) -> bool {
    prev.zip(next).is_some_and(|(prev, next)| prev - next > OUT_OF_ORDER)
}

impl Guarded for Product {
    /// Quantities that rise or move and prices that change are a day's work.
    fn suspicions(&self, next: &Self) -> Vec<Suspicion> {
        const KEPT: Kept = Kept { names: &["code", "name"], rewritten: &["barcode"], emptied: &[] };
        let mut found = Vec::new();
        match (self.quantity, next.quantity) {
            (Some(_), None) => found.push(Suspicion::QuantityLost),
            (Some(before), Some(now)) if before > Quantity::ZERO && now <= Quantity::ZERO => {
                found.push(Suspicion::ToZero);
            }
            _ => {}
        }
        found.extend(KEPT.suspicions(self, next));
        let nothing = to_nothing(self.price, next.price) || to_nothing(self.cost, next.cost);
        add(&mut found, Suspicion::Emptied, nothing);
        found
    }

    fn is_older(&self, next: &Self) -> bool {
        is_earlier(self.updated_at, next.updated_at)
    }
}

impl Guarded for Member {
    /// Points and tags are given to everybody at once, and taken one by one.
    fn suspicions(&self, next: &Self) -> Vec<Suspicion> {
        const KEPT: Kept = Kept { names: &["code", "name"], rewritten: &["phone", "email"], emptied: &[] };
        let mut found = KEPT.suspicions(self, next);
        let points = self.points.zip(next.points);
        let nothing = points.is_some_and(|(prev, next)| prev > Quantity::ZERO && next <= Quantity::ZERO);
        add(&mut found, Suspicion::Emptied, nothing);
        found
    }

    fn is_older(&self, next: &Self) -> bool {
        is_earlier(self.updated_at, next.updated_at)
    }
}

impl Guarded for Vendor {
    fn suspicions(&self, next: &Self) -> Vec<Suspicion> {
        const KEPT: Kept = Kept { names: &["code", "name"], rewritten: &["phone", "email", "tax_id"], emptied: &[] };
        KEPT.suspicions(self, next)
    }
}

impl Guarded for Purchase {
    /// Its status goes on from day to day, of several at once when a lorry comes; only a cancel is rare.
    fn suspicions(&self, next: &Self) -> Vec<Suspicion> {
        const KEPT: Kept =
            Kept { names: &["code"], rewritten: &["vendor", "total", "issued_at", "lines"], emptied: &[] };
        let mut found = KEPT.suspicions(self, next);
        add(&mut found, Suspicion::Emptied, to_nothing(self.total, next.total));
        let is_cancelled = |purchase: &Purchase| {
            let status = purchase.status.clone().map(SaleStatus::from);
            status == Some(SaleStatus::Cancelled)
        };
        add(&mut found, Suspicion::Cancelled, is_cancelled(next) && !is_cancelled(self));
        found
    }
}

impl Guarded for Sale {
    /// A bill that stands is cancelled or gets another comment, and hardly ever anything else. Who sold it and to whom
    /// may be read from other lists, where one name is changed for all bills at once.
    fn suspicions(&self, next: &Self) -> Vec<Suspicion> {
        const KEPT: Kept = Kept {
            names: &["code", "receipt"],
            rewritten: &["sold_at", "subtotal", "discount", "total", "payments", "lines"],
            emptied: &["comment", "cancelled_at"],
        };
        let mut found = KEPT.suspicions(self, next);
        add(&mut found, Suspicion::Emptied, to_nothing(self.total, next.total));
        if self.status != next.status {
            let is_cancelled = next.status == SaleStatus::Cancelled;
            add(&mut found, if is_cancelled { Suspicion::Cancelled } else { Suspicion::Rewritten }, true);
        }
        found
    }
}

impl Guarded for Credit {
    /// Of a credit that is still owed. What is paid of it and what is left to pay change together; whether it is
    /// overdue is looked at with the clock.
    fn suspicions(&self, next: &Self) -> Vec<Suspicion> {
        const KEPT: Kept = Kept {
            names: &["code", "sale_code"],
            rewritten: &["customer", "amount", "issued_at", "due_at"],
            emptied: &["paid"],
        };
        let mut found = KEPT.suspicions(self, next);
        add(&mut found, Suspicion::Emptied, to_nothing(self.balance, next.balance));
        add(&mut found, Suspicion::Implausible, self.adds_up() && !next.adds_up());
        found
    }
}

impl Credit {
    /// Whether what is left to pay is what was owed less what was paid, as far as all three are known.
    fn adds_up(&self) -> bool {
        let Credit { amount: Some(amount), paid: Some(paid), balance: Some(balance), .. } = self else { return true };
        amount.minus(*paid) == Some(*balance)
    }
}
