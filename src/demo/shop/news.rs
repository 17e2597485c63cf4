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
    /// A debt that was not paid is in no list any more.
    CreditLost,
    /// The period of a debt ended.
    CreditFellDue,
    /// A debt has been out of its period for a week, a month, two months.
    CreditAged,
    /// A debt was paid in full.
    CreditPaid,
    /// A product came into the catalogue.
    ProductAdded,
    /// A product has another name or price, or is back in the catalogue.
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
    /// The event that must be told of it, and of what.
    pub(super) fn event(self, id: &EntityId) -> (EventKind, Subject) {
        match self {
            News::SaleMade => (EventKind::SaleCreated, Subject::sale(id)),
            News::SaleEdited => (EventKind::SaleUpdated, Subject::sale(id)),
            News::SaleCancelled => (EventKind::SaleCancelled, Subject::sale(id)),
            News::CreditGiven => (EventKind::CreditCreated, Subject::credit(id)),
            News::CreditEdited | News::CreditLost => (EventKind::CreditUpdated, Subject::credit(id)),
            News::CreditFellDue => (EventKind::CreditOverdue, Subject::credit(id)),
            News::CreditAged => (EventKind::CreditAging, Subject::credit(id)),
            News::CreditPaid => (EventKind::CreditPaid, Subject::credit(id)),
            News::ProductAdded => (EventKind::ProductCreated, Subject::product(id)),
            News::ProductEdited => (EventKind::ProductUpdated, Subject::product(id)),
            News::ProductRemoved => (EventKind::ProductRemoved, Subject::product(id)),
            News::MemberAdded => (EventKind::MemberCreated, Subject::member(id)),
            News::MemberEdited => (EventKind::MemberUpdated, Subject::member(id)),
            News::MemberRemoved => (EventKind::MemberRemoved, Subject::member(id)),
            News::VendorAdded => (EventKind::VendorCreated, Subject::vendor(id)),
            News::VendorEdited => (EventKind::VendorUpdated, Subject::vendor(id)),
            News::VendorRemoved => (EventKind::VendorRemoved, Subject::vendor(id)),
            News::PurchaseAdded => (EventKind::PurchaseCreated, Subject::purchase(id)),
            News::PurchaseEdited => (EventKind::PurchaseUpdated, Subject::purchase(id)),
            News::PurchaseRemoved => (EventKind::PurchaseRemoved, Subject::purchase(id)),
        }
    }
}
