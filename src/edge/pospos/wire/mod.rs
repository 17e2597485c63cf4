//! What does an answer of the API say, in the domain's words?
//!
//! Nobody on this project has a key, and the vendor's page names no field types: what was seen in public captures is
//! read as it was seen, and everything else tolerantly. A field that is missing or of another type is *unknown*. A row
//! that cannot be told from others, or whose figures would lose digits, is *unreadable*: kept out and counted, so that
//! it is never taken for a removed one. An answer without a single row of the right kind is refused as a whole,
//! because then most likely the address is wrong and every row would be news.
//!
//! Numbers go from the text of the answer to exact decimals and never through a double.

mod credit;
mod envelope;
mod field;
mod fields;
mod id;
mod key;
mod members;
mod purchases;
mod stock;
mod survey;
mod transactions;
mod vendors;

pub use credit::CreditFields;
pub(super) use credit::CreditForm;
pub(super) use envelope::Envelope;
pub use envelope::Malformed;
pub use fields::{FieldMap, is_pointer};
pub(super) use id::id_of;
pub(super) use key::{ByKey, Key, fingerprint};
pub use members::MemberFields;
pub use purchases::PurchaseFields;
pub use stock::StockFields;
pub use survey::{Presence, Survey, Surveyed};
pub use transactions::SaleFields;
pub use vendors::VendorFields;

use field::Row;

use crate::domain::model::{EntityId, NotExact, Resource};

/// How the rows of one resource look, and what is read from them.
pub(super) trait Form {
    /// What a row becomes.
    type Item;

    /// Where a row's own id stands.
    fn id_pointer(&self) -> &str;

    /// Whether this is a row of this resource at all, and not of another one.
    fn fits(&self, row: &Row<'_>) -> bool;

    /// Reads the row.
    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Self::Item, Unreadable>;
}

impl<F: Form> Form for &F {
    type Item = F::Item;

    fn id_pointer(&self) -> &str {
        (**self).id_pointer()
    }

    fn fits(&self, row: &Row<'_>) -> bool {
        (**self).fits(row)
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Self::Item, Unreadable> {
        (**self).read(id, row)
    }
}

impl FieldMap {
    /// Where the id of a row of `resource` stands.
    pub(super) fn id_pointer(&self, resource: Resource) -> &str {
        match resource {
            Resource::Transactions => self.transactions.id_pointer(),
            Resource::Stock => self.stock.id_pointer(),
            Resource::Credit => &self.credit.id,
            Resource::Members => self.members.id_pointer(),
            Resource::Vendors => self.vendors.id_pointer(),
            Resource::BuyDocuments => self.buy_documents.id_pointer(),
        }
    }
}

/// The largest row that is read: thirty times a sale as captured, and well below what the store keeps in one piece.
const LARGEST_ROW: usize = 64 * 1024;

/// A row that was there and could not be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl From<NotExact> for Unreadable {
    fn from(_: NotExact) -> Self {
        Unreadable
    }
}

/// Whether a row is of the kind that is asked for.
pub(super) fn fits<T>(text: &str, form: &dyn Form<Item = T>) -> bool {
    Row::new(text).is_some_and(|row| form.fits(&row))
}

/// Reads a row; nothing, where it cannot be understood.
pub(super) fn decode<T>(text: &str, id: EntityId, form: &dyn Form<Item = T>) -> Option<T> {
    if text.len() > LARGEST_ROW {
        return None;
    }
    let row = Row::new(text).filter(|row| form.fits(row))?;
    form.read(id, &row).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn raw(json: &str) -> &RawValue {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_row_is_read_or_not_understood() {
        let check = |json: &str, id: Option<&str>, readable: bool| {
            let form = SaleFields::default();
            let found = id_of(raw(json), form.id_pointer());
            assert_eq!(found.as_ref().map(EntityId::as_str), id, "{json}");
            let read = found.and_then(|id| decode(json, id, &form));
            assert_eq!(read.is_some(), readable, "{json}");
        };
        check(r#"{"_id":"a","order_list":[]}"#, Some("a"), true);
        check(r#"{"_id":"b"}"#, Some("b"), false);
        check("7", None, false);
        check(r#"{"_id":null,"order_list":[]}"#, None, false);
        check(r#"{"_id":"-","order_list":[]}"#, None, false);
        check(r#"{"_id":"a","order_list":[],"grand_total":1E400}"#, Some("a"), false);
        let large = format!(r#"{{"_id":"a","order_list":[],"comment":"{}"}}"#, "x".repeat(LARGEST_ROW));
        check(&large, Some("a"), false);
    }

    #[test]
    fn a_row_of_another_list_does_not_fit() {
        for row in [r#"{"_id":"a","phonenumber":"1"}"#, r#"{"_id":"a","order_list":{}}"#, "7", "null", "[]"] {
            assert!(!fits(row, &SaleFields::default()), "{row}");
        }
    }
}
