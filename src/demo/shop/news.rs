//! What is news of a change in the shop: the one table from what happened to the event that a perfect reader makes.
//!
//! Levels of stock are not in it: they follow from quantities, see [`super::level`].

use crate::domain::event::EventKind;
use crate::domain::model::{EntityId, Subject};

/// Something that happened to one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// A bill was rung up.
    SaleMade,
    /// A bill is another than it was, but not cancelled.
    SaleEdited,
    /// A bill was cancelled.
    SaleCancelled,
    /// Goods were taken and not paid.
    CreditGiven,
    /// Part of a debt was paid.
    CreditEdited,
    /// The period of a debt ended.
    CreditFellDue,
    /// A debt was paid in full.
    CreditPaid,
    /// A product came into the catalogue, or back into it.
    ProductAdded,
    /// A product has another name or price.
    ProductEdited,
    /// A product's row is gone, or says that it was deleted.
    ProductRemoved,
    /// A member was entered.
    MemberAdded,
    /// A member's data are others.
    MemberEdited,
    /// A member's row is gone.
    MemberRemoved,
    /// A vendor was entered.
    VendorAdded,
    /// A vendor's data are others.
    VendorEdited,
    /// A vendor's row is gone.
    VendorRemoved,
    /// A purchase document was written.
    PurchaseAdded,
    /// A purchase document is another than it was.
    PurchaseEdited,
    /// A purchase document is gone.
    PurchaseRemoved,
}

impl News {
    /// The event that must be told of it, and of what; `None` where posbell makes no event of that kind.
    pub(super) fn event(self, id: &EntityId) -> Option<(EventKind, Subject)> {
        match self {
            News::SaleMade => Some((EventKind::SaleCreated, Subject::sale(id))),
            News::SaleEdited => Some((EventKind::SaleUpdated, Subject::sale(id))),
            News::SaleCancelled => Some((EventKind::SaleCancelled, Subject::sale(id))),
            News::CreditGiven => Some((EventKind::CreditCreated, Subject::credit(id))),
            News::CreditFellDue => Some((EventKind::CreditOverdue, Subject::credit(id))),
            News::CreditPaid => Some((EventKind::CreditPaid, Subject::credit(id))),
            News::CreditEdited
            | News::ProductAdded
            | News::ProductEdited
            | News::ProductRemoved
            | News::MemberAdded
            | News::MemberEdited
            | News::MemberRemoved
            | News::VendorAdded
            | News::VendorEdited
            | News::VendorRemoved
            | News::PurchaseAdded
            | News::PurchaseEdited
            | News::PurchaseRemoved => None,
        }
    }
}
