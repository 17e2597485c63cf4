//! How a product is read. No public capture has a quantity, a price or a barcode, so where they stand is configurable.

use super::field::Row;
use super::fields::places;
use super::{Form, LeftOut};
use crate::domain::model::{EntityId, Product, StockRow};

places! {
    /// Where the fields of a product stand: `[shop.fields.stock]`, each a JSON Pointer into a row.
    StockFields {
        /// What tells it apart.
        id = "/_id",
        /// `PK64000158`.
        code = "/code",
        /// The name on the shelf.
        name = "/name",
        /// What the scanner reads (a guess).
        barcode = "/barcode_code",
        /// The name of the category.
        category = "/category/name",
        /// The name of the unit.
        unit = "/unit/name",
        /// The price (a guess).
        price = "/price",
        /// What it was bought for.
        cost = "/cost",
        /// What is left (a guess).
        quantity = "/stock",
        /// The product's own figure for "low" (a guess).
        min_stock = "/min_stock",
        /// True where the shop deleted the product (a guess).
        deleted = "/delete",
        /// When the row last moved.
        updated_at = "/lastupdate",
    }
}

impl Form for StockFields {
    type Item = StockRow;

    fn id_pointer(&self) -> &str {
        &self.id
    }

    /// One public client read members and got 206 "products": a member has a telephone number, a sale has lines.
    fn fits(&self, row: &Row<'_>) -> bool {
        let named = row.text(&self.code).is_some() || row.text(&self.name).is_some();
        named && !row.has("order_list") && !row.has("phonenumber")
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<StockRow, LeftOut> {
        let product = Product {
            id,
            code: row.text(&self.code),
            name: row.text(&self.name),
            barcode: row.text(&self.barcode),
            category: row.text(&self.category),
            unit: row.text(&self.unit),
            price: row.number(&self.price)?,
            cost: row.number(&self.cost)?,
            quantity: row.number(&self.quantity)?,
            updated_at: row.time(&self.updated_at),
        };
        Ok(StockRow { product, min_stock: row.number(&self.min_stock)?, deleted: row.flag(&self.deleted) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn with<T>(json: &str, read: impl FnOnce(&Row<'_>) -> T) -> T {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        read(&Row::new(raw.get()).unwrap())
    }

    fn read(fields: &StockFields, json: &str) -> Result<StockRow, LeftOut> {
        with(json, |row| fields.read(EntityId::new("a").unwrap(), row))
    }

    #[test]
    fn a_product_is_told_from_a_member_and_a_sale() {
        let check = |json: &str, want| assert_eq!(with(json, |row| StockFields::default().fits(row)), want, "{json}");
        check(r#"{"code":"PK1"}"#, true);
        check(r#"{"name":"Feed"}"#, true);
        check(r#"{"code":"M1","phonenumber":"-"}"#, false);
        check(r#"{"code":"TR1","order_list":[]}"#, false);
        check(r#"{"code":"","name":"-"}"#, false);
        check("{}", false);
    }

    #[test]
    fn a_quantity_may_be_negative_broken_or_unknown() {
        let check = |value: &str, want: Option<&str>| {
            let row = read(&StockFields::default(), &format!(r#"{{"stock":{value}}}"#)).unwrap();
            assert_eq!(row.product.quantity.map(|q| q.to_string()).as_deref(), want, "{value}");
        };
        check("-3", Some("-3"));
        check("1.01", Some("1.01"));
        check("\"7\"", Some("7"));
        check("0", Some("0"));
        check("null", None);
        check("{}", None);
        let left_out = read(&StockFields::default(), r#"{"stock":1E400}"#).unwrap_err();
        assert_eq!(left_out.to_string(), "`stock` has more digits than are kept");
    }

    #[test]
    fn the_fields_may_stand_elsewhere() {
        let fields = StockFields { quantity: "/branches/0/left".to_owned(), ..StockFields::default() };
        let row = read(&fields, r#"{"stock":1,"branches":[{"left":2.50}],"delete":true,"min_stock":24}"#).unwrap();
        assert_eq!(row.product.quantity.map(|q| q.to_string()).as_deref(), Some("2.50"));
        assert_eq!((row.min_stock, row.deleted), (Some(24.into()), true));
    }
}
