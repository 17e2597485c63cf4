//! Which new rows of a held pass are told all the same?
//!
//! A pass over the sales or the credits is held when known rows do what a shop's day does not do. What the shop sells
//! meanwhile has nothing to do with that, and silence about it would last for as long as nobody looks. So a row is told
//! through a held pass where it can hardly be anything but new: the pass was read whole and at least half of the known
//! rows are in it, the row is dated after the last accepted pass, and neither its id nor its code or receipt is that of
//! a known row. Known sales that come again under other ids are older and have known numbers; most of another shop's
//! are older, and more than half of one's own are away then. All other rows wait for what becomes of the pass.
//!
//! A row that is told so is stored with its events and known from then on, also to the rows after it in the same pass.

use std::collections::BTreeSet;

use super::Change;
use super::credit::CreditRow;
use super::sale::SaleRow;
use super::share::Share;
use crate::domain::model::{EntityId, Timestamp};

/// By what rows of one kind are told apart besides their ids.
pub trait Numbered {
    /// When it came to be, as the API says.
    fn at(&self) -> Option<Timestamp>;

    /// Its running number.
    fn code(&self) -> Option<&str>;

    /// The number on its paper.
    fn receipt(&self) -> Option<&str>;
}

impl Numbered for SaleRow {
    fn at(&self) -> Option<Timestamp> {
        self.sale.sold_at
    }

    fn code(&self) -> Option<&str> {
        self.sale.code.as_deref()
    }

    fn receipt(&self) -> Option<&str> {
        self.sale.receipt.as_deref()
    }
}

impl Numbered for CreditRow {
    fn at(&self) -> Option<Timestamp> {
        self.credit.issued_at
    }

    fn code(&self) -> Option<&str> {
        self.credit.code.as_deref()
    }

    /// Its paper is the bill's, which several credits may have.
    fn receipt(&self) -> Option<&str> {
        None
    }
}

/// The ids and numbers of all rows that are known.
#[derive(Debug, Default)]
pub struct Numbers {
    ids: BTreeSet<EntityId>,
    codes: BTreeSet<String>,
    receipts: BTreeSet<String>,
}

impl Numbers {
    /// Takes in what tells one known row apart.
    pub fn add(&mut self, id: EntityId, code: Option<&str>, receipt: Option<&str>) {
        self.ids.insert(id);
        self.codes.extend(code.map(str::to_owned));
        self.receipts.extend(receipt.map(str::to_owned));
    }

    fn have(&self, id: &EntityId, row: &impl Numbered) -> bool {
        self.ids.contains(id)
            || row.code().is_some_and(|code| self.codes.contains(code))
            || row.receipt().is_some_and(|receipt| self.receipts.contains(receipt))
    }
}

/// Of what follows from a whole reading that is held, what may be new by its date: then [`strangers`] tells, which must
/// know the numbers of all known rows.
pub fn young<R: Numbered>(changes: Vec<Change<R>>, share: Share, last_accepted: Timestamp) -> Vec<Change<R>> {
    if !share.is_half() {
        return Vec::new();
    }
    let is_young = |change: &Change<R>| {
        let at = change.row.as_ref().and_then(Numbered::at);
        at.is_some_and(|at| at > last_accepted)
    };
    changes.into_iter().filter(is_young).collect()
}

/// Those of them that have neither the id nor a number of a known row: what is told although the pass is held.
pub fn strangers<R: Numbered>(young: Vec<Change<R>>, mut known: Numbers) -> Vec<Change<R>> {
    let is_stranger = |change: &Change<R>| {
        let Some(row) = &change.row else { return false };
        let is_known = known.have(&change.id, row);
        if !is_known {
            known.add(change.id.clone(), row.code(), row.receipt());
        }
        !is_known
    };
    young.into_iter().filter(is_stranger).collect()
}

#[cfg(test)]
mod tests;
