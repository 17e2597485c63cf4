//! How a sale is read: the one resource that was captured from the real API.
//!
//! Traps of its names: a line's `stock` is the quantity *sold*, `cost_discount_price` is a discount on one piece, and a
//! payment's `price` is the cash handed over, not what was applied to the bill.

use serde_json::value::RawValue;

use super::field::{Row, text};
use super::{Form, Unreadable};
use crate::domain::model::{EntityId, Party, Payment, PaymentKind, Sale, SaleLine, SaleStatus};

/// The rows of `/transactions`.
#[derive(Debug, Clone, Copy)]
pub(in crate::edge::pospos) struct SaleForm;

/// What stands for a status that the row does not have: a word that cannot be taken for one of the API's own.
const NO_STATUS: &str = "unknown";

impl Form for SaleForm {
    type Item = Sale;

    fn fits(&self, row: &Row<'_>) -> bool {
        row.list("/order_list").is_some()
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Sale, Unreadable> {
        let member = Party { code: row.text("/buyer_detail/code"), name: row.name("/buyer_detail") };
        Ok(Sale {
            id,
            code: row.text("/code"),
            receipt: row.text("/reference_tax_invoice_abbreviate/code"),
            status: SaleStatus::from(row.text("/status").unwrap_or_else(|| NO_STATUS.to_owned())),
            sold_at: row.time("/timestamp"),
            cancelled_at: row.time("/return_date"),
            subtotal: row.number("/sub_total")?,
            discount: row.number("/discount")?,
            total: row.number("/grand_total")?,
            currency: "THB".to_owned(),
            comment: row.text("/comment"),
            staff: row.name("/staff_detail").or_else(|| row.name("/actual_staff_detail")),
            member: (member.code.is_some() || member.name.is_some()).then_some(member),
            payments: each(row, "/segment_detail_type_list", payment)?,
            lines: each(row, "/order_list", line)?,
        })
    }
}

/// The objects of a list. One that is no object makes the sale unreadable: it may be a line that was sold.
fn each<T>(row: &Row<'_>, list: &str, read: fn(&Row<'_>) -> Result<T, Unreadable>) -> Result<Vec<T>, Unreadable> {
    let read = |raw: &RawValue| read(&Row::new(raw).ok_or(Unreadable)?);
    row.list(list).unwrap_or_default().into_iter().map(read).collect()
}

fn payment(row: &Row<'_>) -> Result<Payment, Unreadable> {
    let code = row.text("/pay_type").and_then(|code| code.parse().ok());
    let on_credit = row.is_given("/credit_detail") || row.is_given("/credit_type_id");
    let kind = match code {
        _ if on_credit => PaymentKind::Credit,
        Some(1) => PaymentKind::Cash,
        Some(3 | 4) if row.is_given("/bank_detail") => PaymentKind::Transfer,
        _ => PaymentKind::Other,
    };
    Ok(Payment { kind, code, amount: row.number("/new_total_paid")?, tendered: row.number("/price")? })
}

fn line(row: &Row<'_>) -> Result<SaleLine, Unreadable> {
    Ok(SaleLine {
        product_code: row.text("/code"),
        name: row.text("/name"),
        quantity: row.number("/stock")?,
        unit_price: row.number("/price")?,
        unit_discount: row.number("/cost_discount_price")?,
        total: row.number("/total_price_include_discount")?,
        notes: row.list("/note_in_order").unwrap_or_default().into_iter().filter_map(text).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Sale, Unreadable> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        SaleForm.read(EntityId::new("a").unwrap(), &Row::new(raw).unwrap())
    }

    #[test]
    fn a_payment_is_named_by_what_it_carries() {
        let check = |members: &str, want: PaymentKind| {
            let json = format!(r#"{{"segment_detail_type_list":[{{{members}}}]}}"#);
            assert_eq!(read(&json).unwrap().payments[0].kind, want, "{members}");
        };
        check(r#""pay_type":1"#, PaymentKind::Cash);
        check(r#""pay_type":"1","bank_detail":null,"credit_detail":null"#, PaymentKind::Cash);
        check(r#""pay_type":1,"credit_detail":"","credit_type_id":"-""#, PaymentKind::Cash);
        check(r#""pay_type":3,"bank_detail":{}"#, PaymentKind::Transfer);
        check(r#""pay_type":4,"bank_detail":{"_id":"b"}"#, PaymentKind::Transfer);
        check(r#""pay_type":4,"bank_detail":null"#, PaymentKind::Other);
        check(r#""pay_type":5,"credit_detail":{}"#, PaymentKind::Credit);
        check(r#""pay_type":5,"credit_type_id":"c""#, PaymentKind::Credit);
        check(r#""pay_type":7"#, PaymentKind::Other);
        check("", PaymentKind::Other);
    }

    #[test]
    fn a_bare_sale_is_mostly_unknown() {
        let sale = read(r#"{"order_list":[]}"#).unwrap();
        assert_eq!(sale.status, SaleStatus::Other("unknown".to_owned()));
        assert_eq!((sale.code, sale.total, sale.member, sale.staff), (None, None, None, None));
        assert_eq!(read(r#"{"buyer_detail":{"code":"-","firstname":""}}"#).unwrap().member, None);
        assert_eq!(read(r#"{"status":"cancel"}"#).unwrap().status, SaleStatus::Cancelled);
    }

    #[test]
    fn one_figure_that_would_lose_digits_makes_the_sale_unreadable() {
        let long = "1".repeat(30);
        for json in [
            format!(r#"{{"grand_total":{long}}}"#),
            format!(r#"{{"order_list":[{{"stock":{long}}}]}}"#),
            format!(r#"{{"segment_detail_type_list":[{{"new_total_paid":"{long}"}}]}}"#),
            r#"{"order_list":[1]}"#.to_owned(),
        ] {
            assert_eq!(read(&json), Err(Unreadable), "{json}");
        }
        assert!(read(&format!(r#"{{"rounding_rule":{long}}}"#)).is_ok(), "nobody looks at it");
    }
}
