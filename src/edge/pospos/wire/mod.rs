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
mod left_out;
mod members;
mod parts;
mod purchases;
mod stock;
mod survey;
mod transactions;
mod vendors;

pub use credit::CreditFields;
pub(super) use credit::CreditForm;
pub(super) use envelope::Envelope;
pub use envelope::Malformed;
pub use field::Presence;
pub use fields::{FieldMap, is_pointer};
pub(super) use id::id_of;
pub(super) use key::{ByKey, Key, fingerprint};
pub use left_out::{Fault, LeftOut};
pub use members::MemberFields;
pub use purchases::PurchaseFields;
pub use stock::StockFields;
pub use survey::{Survey, Surveyed};
pub use transactions::SaleFields;
pub use vendors::VendorFields;

use field::Row;

use crate::domain::model::{EntityId, Resource};

/// How the rows of one resource look, and what is read from them.
pub(super) trait Form {
    /// What a row becomes.
    type Item;

    /// Where a row's own id stands.
    fn id_pointer(&self) -> &str;

    /// Whether this is a row of this resource at all, and not of another one.
    fn fits(&self, row: &Row<'_>) -> bool;

    /// Reads the row.
    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Self::Item, LeftOut>;

    /// Whether a part of the row was left out.
    fn is_cut(&self, _item: &Self::Item) -> bool {
        false
    }

    /// Reads what can be kept of a row that is larger than [`LARGEST_ROW`].
    fn read_large(&self, _id: EntityId, _row: &Row<'_>) -> Result<Self::Item, LeftOut> {
        Err(LeftOut::whole(Fault::TooLarge))
    }
}

impl<F: Form> Form for &F {
    type Item = F::Item;

    fn id_pointer(&self) -> &str {
        (**self).id_pointer()
    }

    fn fits(&self, row: &Row<'_>) -> bool {
        (**self).fits(row)
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Self::Item, LeftOut> {
        (**self).read(id, row)
    }

    fn is_cut(&self, item: &Self::Item) -> bool {
        (**self).is_cut(item)
    }

    fn read_large(&self, id: EntityId, row: &Row<'_>) -> Result<Self::Item, LeftOut> {
        (**self).read_large(id, row)
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

/// The largest row that is read whole: a bill of some four thousand lines, and what is made of it stays far below the
/// largest record of the store.
const LARGEST_ROW: usize = 1024 * 1024;

/// Whether a row is of the kind that is asked for.
pub(super) fn fits<T>(text: &str, form: &dyn Form<Item = T>) -> bool {
    Row::new(text).is_some_and(|row| form.fits(&row))
}

/// Reads a row; where it cannot be understood, says why.
pub(super) fn decode<T>(text: &str, id: EntityId, form: &dyn Form<Item = T>) -> Result<T, LeftOut> {
    let row = Row::new(text).filter(|row| form.fits(row)).ok_or(LeftOut::whole(Fault::OtherKind))?;
    match is_large(text) {
        true => form.read_large(id, &row),
        false => form.read(id, &row),
    }
}

/// Whether a row is too large to be read whole.
pub(super) fn is_large(text: &str) -> bool {
    text.len() > LARGEST_ROW
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
            let read = found.map(|id| decode(json, id, &form));
            assert_eq!(read.is_some_and(|read| read.is_ok()), readable, "{json}");
        };
        check(r#"{"_id":"a","order_list":[]}"#, Some("a"), true);
        check(r#"{"_id":"b"}"#, Some("b"), false);
        check("7", None, false);
        check(r#"{"_id":null,"order_list":[]}"#, None, false);
        check(r#"{"_id":"-","order_list":[]}"#, None, false);
        check(r#"{"_id":"a","order_list":[],"grand_total":1E400}"#, Some("a"), false);
        check(r#"{"_id":"a","order_list":null}"#, Some("a"), true);
        check(r#"{"_id":17,"order_list":[]}"#, Some("17"), true);
    }

    #[test]
    fn a_row_above_one_mebibyte_is_left_out_unless_it_is_a_sale() {
        let padded = |bytes: usize| {
            let row = r#"{"_id":"a","code":"PK1","order_list":[],"more":""}"#;
            row.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - row.len())))
        };
        let id = || EntityId::new("a").unwrap();
        let product = |bytes| decode(&padded(bytes).replace("order_list", "rest"), id(), &StockFields::default());
        assert!(product(LARGEST_ROW).is_ok());
        let left_out = product(LARGEST_ROW + 10).unwrap_err();
        assert_eq!(left_out.to_string(), "a row is larger than 1 MiB");
        for bytes in [LARGEST_ROW, LARGEST_ROW + 10] {
            let sale = decode(&padded(bytes), id(), &SaleFields::default()).unwrap();
            assert_eq!((sale.lines.len(), sale.lines_left_out), (0, 0), "{bytes}");
        }
    }

    #[test]
    fn a_row_of_another_list_does_not_fit() {
        for row in [r#"{"_id":"a","phonenumber":"1"}"#, r#"{"_id":"a","order_list":{}}"#, "7", "null", "[]"] {
            assert!(!fits(row, &SaleFields::default()), "{row}");
        }
    }
}
