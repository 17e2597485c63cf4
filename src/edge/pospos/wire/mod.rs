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
mod members;
mod purchases;
mod stock;
mod transactions;
mod vendors;

pub use credit::CreditFields;
pub(super) use credit::CreditForm;
pub use envelope::Malformed;
pub use fields::{FieldMap, is_pointer};
pub use members::MemberFields;
pub use purchases::PurchaseFields;
pub use stock::StockFields;
pub use transactions::SaleFields;
pub use vendors::VendorFields;

use envelope::Envelope;
use field::Row;

use crate::domain::model::{EntityId, NotExact};

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

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    /// The rows in the API's order, each with what tells it apart; `None` where it was unreadable.
    pub rows: Vec<(String, Option<T>)>,
    /// There are rows and not one is of the kind that was asked for. On a first page that is another list; later, a
    /// nameless product can be alone on the last page.
    pub is_other: bool,
    /// How many rows the whole list has, where the answer says so.
    pub total: Option<u64>,
    /// How many pages the whole list has, where the answer says so.
    pub total_page: Option<u64>,
}

impl<T> Page<T> {
    /// Reads the body of an answer as rows of `form`.
    pub fn read(body: &[u8], form: &impl Form<Item = T>) -> Result<Self, Malformed> {
        let envelope = Envelope::open(body)?;
        let mut rows = Vec::with_capacity(envelope.rows.len());
        let mut fitting = 0;
        for raw in &envelope.rows {
            // Without an id, the text itself: a row that stands on two pages is still one.
            let mut key = raw.get().to_owned();
            let mut item = None;
            if let Some(row) = Row::new(raw) {
                let id = row.text(form.id_pointer()).and_then(|id| EntityId::new(id).ok());
                if form.fits(&row) {
                    fitting += 1;
                    let id = id.clone().filter(|_| raw.get().len() <= LARGEST_ROW);
                    item = id.and_then(|id| form.read(id, &row).ok());
                }
                if let Some(id) = id {
                    id.as_str().clone_into(&mut key);
                }
            }
            rows.push((key, item));
        }
        let is_other = fitting == 0 && !rows.is_empty();
        Ok(Self { rows, is_other, total: envelope.total, total_page: envelope.total_page })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::Sale;

    fn read(rows: &str) -> Result<Page<Sale>, Malformed> {
        Page::read(format!(r#"{{"success":1,"data":[{rows}]}}"#).as_bytes(), &SaleFields::default())
    }

    fn check(rows: &str, want: &[(&str, bool)]) {
        let page = read(rows).unwrap();
        let got: Vec<_> = page.rows.iter().map(|(key, row)| (key.as_str(), row.is_some())).collect();
        assert_eq!(got, want, "{rows}");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_kept_out_and_not_the_page() {
        check("", &[]);
        check(r#"{"_id":"a","order_list":[]}"#, &[("a", true)]);
        check(r#"{"_id":"a","order_list":[]},{"_id":"b"}"#, &[("a", true), ("b", false)]);
        check(r#"{"_id":"a","order_list":[]},7"#, &[("a", true), ("7", false)]);
        check(r#"{"_id":null,"order_list":[]}"#, &[(r#"{"_id":null,"order_list":[]}"#, false)]);
        check(r#"{"_id":"a","order_list":[],"grand_total":1E400}"#, &[("a", false)]);
    }

    #[test]
    fn a_page_without_one_row_of_its_kind_is_of_another_list() {
        for rows in [r#"{"_id":"a","phonenumber":"1"}"#, r#"{"_id":"a","order_list":{}}"#, "7", "null", "[]"] {
            assert!(read(rows).unwrap().is_other, "{rows}");
        }
    }
}
