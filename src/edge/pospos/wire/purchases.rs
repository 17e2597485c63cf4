//! How a purchase document is read. Nobody has published one: every place is a guess, with the likely names tried.

use super::field::Row;
use super::fields::places;
use super::{Form, LeftOut};
use crate::domain::model::{EntityId, Party, Purchase, PurchaseLine};

places! {
    /// Where the fields of a purchase document stand: `[shop.fields.buy_documents]`, each a JSON Pointer into a row;
    /// those of a line are pointers into that line. All are guesses, after the names of a sale.
    PurchaseFields {
        /// What tells it apart.
        id = "/_id",
        /// The document's number.
        code = "/code",
        /// The number of whom it was bought from.
        vendor_code = "/vendor_detail/code | /vendor/code | /vendor_code",
        /// The name of whom it was bought from.
        vendor_name = "/vendor_detail/company_name | /vendor_detail/name | /vendor/company_name | /vendor/name | /vendor_name",
        /// The API's own word.
        status = "/status",
        /// What it costs.
        total = "/grand_total | /total",
        /// When it was made.
        issued_at = "/timestamp | /document_date | /date | /create_date | /created_at",
        /// The list of lines.
        lines = "/order_list | /product_list | /list",
        /// The product's code.
        line_product_code = "/code | /product_code",
        /// The product's name.
        line_name = "/name",
        /// How many were bought.
        line_quantity = "/stock | /quantity | /amount",
        /// Price of one.
        line_unit_price = "/price | /cost",
        /// The line's total.
        line_total = "/total_price_include_discount | /total_price | /total",
    }
}

impl Form for PurchaseFields {
    type Item = Purchase;

    fn id_pointer(&self) -> &str {
        &self.id
    }

    /// A sale says how it was paid, a product moves its `lastupdate`, a member has a price level.
    fn fits(&self, row: &Row<'_>) -> bool {
        let given = [&self.code, &self.total, &self.vendor_code, &self.lines];
        let other = ["segment_detail_type_list", "lastupdate", "price_level"];
        given.iter().any(|place| row.is_given(place)) && !other.iter().any(|name| row.has(name))
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<Purchase, LeftOut> {
        let vendor = Party { code: row.text(&self.vendor_code), name: row.text(&self.vendor_name) };
        Ok(Purchase {
            id,
            code: row.text(&self.code),
            vendor: (vendor.code.is_some() || vendor.name.is_some()).then_some(vendor),
            status: row.text(&self.status),
            total: row.number(&self.total)?,
            issued_at: row.time(&self.issued_at),
            lines: row.each(&self.lines, |line| self.line(line))?,
        })
    }
}

impl PurchaseFields {
    fn line(&self, row: &Row<'_>) -> Result<PurchaseLine, LeftOut> {
        Ok(PurchaseLine {
            product_code: row.text(&self.line_product_code),
            name: row.text(&self.line_name),
            quantity: row.number(&self.line_quantity)?,
            unit_price: row.number(&self.line_unit_price)?,
            total: row.number(&self.line_total)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn with<T>(json: &str, read: impl FnOnce(&PurchaseFields, &Row<'_>) -> T) -> T {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        read(&PurchaseFields::default(), &Row::new(raw.get()).unwrap())
    }

    #[test]
    fn a_purchase_is_told_from_the_other_lists() {
        let check = |json: &str, want| assert_eq!(with(json, |fields, row| fields.fits(row)), want, "{json}");
        check(r#"{"code":"PO1"}"#, true);
        check(r#"{"grand_total":5,"order_list":[]}"#, true);
        check(r#"{"code":"TR1","order_list":[],"segment_detail_type_list":[]}"#, false);
        check(r#"{"code":"PK1","lastupdate":null}"#, false);
        check(r#"{"code":"M1","price_level":"0"}"#, false);
        check("{}", false);
    }

    #[test]
    fn a_purchase_is_read_with_its_lines() {
        let json = r#"{"code":"PO1","vendor":{"code":"V1","name":"Mill"},"status":"received","total":"737.10",
            "created_at":"2026-01-24T10:28:22.000Z",
            "product_list":[{"product_code":"PK1","name":"Feed","quantity":2.5,"cost":300,"total":750}]}"#;
        let purchase = with(json, |fields, row| fields.read(EntityId::new("a").unwrap(), row)).unwrap();
        assert_eq!(purchase.vendor.and_then(|vendor| vendor.name).as_deref(), Some("Mill"));
        assert_eq!(purchase.total, Some("737.10".parse().unwrap()));
        let line = &purchase.lines[0];
        assert_eq!((line.product_code.as_deref(), line.quantity), (Some("PK1"), Some("2.5".parse().unwrap())));
        assert_eq!((line.unit_price, line.total), (Some(300.into()), Some(750.into())));
        assert!(with(r#"{"code":"PO1","list":[7]}"#, |f, row| f.read(EntityId::new("a").unwrap(), row)).is_err());
    }
}
