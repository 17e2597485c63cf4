//! How a sale is read: the one resource that was captured from the real API.
//!
//! Traps of its names: a line's `stock` is the quantity *sold*, `cost_discount_price` is a discount on one piece, and a
//! payment's `price` is the cash handed over, not what was applied to the bill.

use super::field::{Row, text};
use super::fields::places;
use super::left_out::MOST_ELEMENTS;
use super::parts::First;
use super::{Form, LARGEST_ROW, LeftOut};
use crate::domain::model::{EntityId, Party, Payment, PaymentKind, Sale, SaleLine, SaleStatus};

places! {
    /// Where the fields of a sale stand: `[shop.fields.transactions]`, each a JSON Pointer into a row; those of a line
    /// and of a payment are pointers into that line or payment. All were seen.
    SaleFields {
        /// What tells it apart.
        id = "/_id",
        /// `TR68017664`.
        code = "/code",
        /// The number on the paper that people know.
        receipt = "/reference_tax_invoice_abbreviate/code",
        /// `success` or `cancel`.
        status = "/status",
        /// When it was sold.
        sold_at = "/timestamp",
        /// When it was cancelled.
        cancelled_at = "/return_date",
        /// Before the bill discount.
        subtotal = "/sub_total",
        /// The bill discount.
        discount = "/discount",
        /// After the bill discount.
        total = "/grand_total",
        /// Free text.
        comment = "/comment",
        /// The object with `firstname` and `lastname` of who sold it.
        staff = "/staff_detail | /actual_staff_detail",
        /// The member code of who bought it.
        member_code = "/buyer_detail/code",
        /// The object with `firstname` and `lastname` of who bought it.
        member_name = "/buyer_detail",
        /// The list of payments.
        payments = "/segment_detail_type_list",
        /// The kind of a payment.
        payment_code = "/pay_type",
        /// What was applied to the bill.
        payment_amount = "/new_total_paid",
        /// What was handed over.
        payment_tendered = "/price",
        /// The bank account that it went to.
        payment_bank = "/bank_detail",
        /// What a payment on credit carries.
        payment_credit = "/credit_detail | /credit_type_id",
        /// The list of lines.
        lines = "/order_list",
        /// The product's code.
        line_product_code = "/code",
        /// The product's name.
        line_name = "/name",
        /// How many were sold.
        line_quantity = "/stock",
        /// Price of one.
        line_unit_price = "/price",
        /// Discount on one.
        line_unit_discount = "/cost_discount_price",
        /// The line after its discount.
        line_total = "/total_price_include_discount",
        /// The list of the cashier's notes.
        line_notes = "/note_in_order",
    }
}

/// What stands for a status that the row does not have: a word that cannot be taken for one of the API's own.
const NO_STATUS: &str = "unknown";

/// How many lines are kept of a bill that is too large, and at most how many bytes of them.
const KEPT_LINES: usize = 1_000;
const KEPT_BYTES: usize = LARGEST_ROW / 2;

/// How many bytes are kept of a text of such a bill.
const KEPT_TEXT: usize = 4 * 1024;

impl Form for SaleFields {
    type Item = Sale;

    fn id_pointer(&self) -> &str {
        &self.id
    }

    fn fits(&self, row: &Row<'_>) -> bool {
        row.has_list(&self.lines)
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Sale, LeftOut> {
        let lines = row.first_of(&self.lines, MOST_ELEMENTS, usize::MAX);
        match lines.left_out {
            0 => self.sale(id, row, &lines),
            _ => self.read_large(id, row),
        }
    }

    fn is_cut(&self, sale: &Sale) -> bool {
        sale.lines_left_out > 0
    }

    /// What is sold must be told, however long the bill is: with its first lines, and how many were left out.
    fn read_large(&self, id: EntityId, row: &Row<'_>) -> Result<Sale, LeftOut> {
        let mut sale = self.sale(id, row, &row.first_of(&self.lines, KEPT_LINES, KEPT_BYTES))?;
        let Sale { code, receipt, status, comment, staff, member, .. } = &mut sale;
        let of_member = member.as_mut().map(|member| [&mut member.code, &mut member.name]);
        let texts = [code, receipt, comment, staff].into_iter().chain(of_member.into_iter().flatten());
        let word = match status {
            SaleStatus::Other(word) => Some(word),
            SaleStatus::Success | SaleStatus::Cancelled => None,
        };
        texts.flatten().chain(word).for_each(|text| text.truncate(text.floor_char_boundary(KEPT_TEXT)));
        Ok(sale)
    }
}

impl SaleFields {
    fn sale(&self, id: EntityId, row: &Row<'_>, lines: &First<'_>) -> Result<Sale, LeftOut> {
        let member = Party { code: row.text(&self.member_code), name: row.name(&self.member_name) };
        Ok(Sale {
            id,
            code: row.text(&self.code),
            receipt: row.text(&self.receipt),
            status: SaleStatus::from(row.text(&self.status).unwrap_or_else(|| NO_STATUS.to_owned())),
            sold_at: row.time(&self.sold_at),
            cancelled_at: row.time(&self.cancelled_at),
            subtotal: row.number(&self.subtotal)?,
            discount: row.number(&self.discount)?,
            total: row.number(&self.total)?,
            currency: "THB".to_owned(),
            comment: row.text(&self.comment),
            staff: row.name(&self.staff),
            member: (member.code.is_some() || member.name.is_some()).then_some(member),
            payments: row.each(&self.payments, |payment| self.payment(payment))?,
            lines: row.read_each(&self.lines, &lines.elements, |line| self.line(line))?,
            lines_left_out: lines.left_out,
        })
    }

    fn payment(&self, row: &Row<'_>) -> Result<Payment, LeftOut> {
        let code = row.text(&self.payment_code).and_then(|code| code.parse().ok());
        let kind = match code {
            _ if row.is_given(&self.payment_credit) => PaymentKind::Credit,
            Some(1) => PaymentKind::Cash,
            Some(3 | 4) if row.is_given(&self.payment_bank) => PaymentKind::Transfer,
            _ => PaymentKind::Other,
        };
        let (amount, tendered) = (row.number(&self.payment_amount)?, row.number(&self.payment_tendered)?);
        Ok(Payment { kind, code, amount, tendered })
    }

    fn line(&self, row: &Row<'_>) -> Result<SaleLine, LeftOut> {
        let notes = row.list(&self.line_notes).unwrap_or_default();
        Ok(SaleLine {
            product_code: row.text(&self.line_product_code),
            name: row.text(&self.line_name),
            quantity: row.number(&self.line_quantity)?,
            unit_price: row.number(&self.line_unit_price)?,
            unit_discount: row.number(&self.line_unit_discount)?,
            total: row.number(&self.line_total)?,
            notes: notes.into_iter().filter_map(text).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn read(json: &str) -> Result<Sale, LeftOut> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        SaleFields::default().read(EntityId::new("a").unwrap(), &Row::new(raw.get()).unwrap())
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
    fn of_a_bill_that_is_too_large_the_first_thousand_lines_are_kept() {
        let bill = |lines: usize, name: usize| {
            let line = format!(r#"{{"code":"PK1","name":"{}","stock":1}}"#, "ก".repeat(name));
            format!(
                r#"{{"comment":"{}","order_list":[{}{line}]}}"#,
                "x".repeat(9_000),
                format!("{line},").repeat(lines - 1)
            )
        };
        let check = |lines, name, kept, left_out, comment| {
            let sale = crate::edge::pospos::wire::decode(
                &bill(lines, name),
                EntityId::new("a").unwrap(),
                &SaleFields::default(),
            );
            let sale = sale.unwrap();
            let comment_kept = sale.comment.map(|text| text.len());
            assert_eq!(
                (sale.lines.len(), sale.lines_left_out, comment_kept),
                (kept, left_out, Some(comment)),
                "{lines}"
            );
        };
        check(600, 60, 600, 0, 9_000);
        check(4_000, 60, 4_000, 0, 9_000);
        check(6_000, 60, 1_000, 5_000, KEPT_TEXT);
        // Tiny ones, which are told with more names than they have values.
        check(10_000, 1, 10_000, 0, 9_000);
        check(10_001, 1, 1_000, 9_001, KEPT_TEXT);
        // Long ones: as many as there is room for.
        check(500, 3_000, 58, 442, KEPT_TEXT);
    }

    #[test]
    fn one_figure_that_would_lose_digits_makes_the_sale_unreadable() {
        let long = "1".repeat(30);
        for (json, want) in [
            (format!(r#"{{"grand_total":{long}}}"#), "`grand_total` has more digits than are kept"),
            (format!(r#"{{"order_list":[{{"stock":{long}}}]}}"#), "`order_list/stock` has more digits than are kept"),
            (
                format!(r#"{{"segment_detail_type_list":[{{"new_total_paid":"{long}"}}]}}"#),
                "`segment_detail_type_list/new_total_paid` has more digits than are kept",
            ),
            (r#"{"order_list":[1]}"#.to_owned(), "`order_list` has an element that is no object"),
        ] {
            assert_eq!(read(&json).unwrap_err().to_string(), want, "{json}");
        }
        assert!(read(&format!(r#"{{"rounding_rule":{long}}}"#)).is_ok(), "nobody looks at it");
    }
}
