//! How a product is read. No public capture has a quantity, a price or a barcode, so where they stand is configurable.

use super::field::Row;
use super::{Form, Unreadable};
use crate::domain::model::{EntityId, Product, StockRow};

/// Where the fields of a product stand: `[shop.fields.stock]`, each a JSON Pointer into a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockFields {
    /// `PK64000158`.
    pub code: String,
    /// The name on the shelf.
    pub name: String,
    /// What the scanner reads (a guess).
    pub barcode: String,
    /// The name of the category.
    pub category: String,
    /// The name of the unit.
    pub unit: String,
    /// The price (a guess).
    pub price: String,
    /// What it was bought for.
    pub cost: String,
    /// What is left (a guess).
    pub quantity: String,
    /// The product's own figure for "low" (a guess).
    pub min_stock: String,
    /// True where the shop deleted the product (a guess).
    pub deleted: String,
    /// When the row last moved.
    pub updated_at: String,
}

impl StockFields {
    /// Puts the field of that name elsewhere; false where there is no such field.
    pub fn set(&mut self, name: &str, pointer: String) -> bool {
        let field = match name {
            "code" => &mut self.code,
            "name" => &mut self.name,
            "barcode" => &mut self.barcode,
            "category" => &mut self.category,
            "unit" => &mut self.unit,
            "price" => &mut self.price,
            "cost" => &mut self.cost,
            "quantity" => &mut self.quantity,
            "min_stock" => &mut self.min_stock,
            "deleted" => &mut self.deleted,
            "updated_at" => &mut self.updated_at,
            _ => return false,
        };
        *field = pointer;
        true
    }
}

impl Default for StockFields {
    fn default() -> Self {
        Self {
            code: "/code".to_owned(),
            name: "/name".to_owned(),
            barcode: "/barcode_code".to_owned(),
            category: "/category/name".to_owned(),
            unit: "/unit/name".to_owned(),
            price: "/price".to_owned(),
            cost: "/cost".to_owned(),
            quantity: "/stock".to_owned(),
            min_stock: "/min_stock".to_owned(),
            deleted: "/delete".to_owned(),
            updated_at: "/lastupdate".to_owned(),
        }
    }
}

impl Form for StockFields {
    type Item = StockRow;

    /// One public client read members and got 206 "products": a member has a telephone number, a sale has lines.
    fn fits(&self, row: &Row<'_>) -> bool {
        let named = row.text(&self.code).is_some() || row.text(&self.name).is_some();
        named && !row.has("order_list") && !row.has("phonenumber")
    }

    fn read(&self, id: EntityId, row: &Row<'_>) -> Result<StockRow, Unreadable> {
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
        read(&Row::new(raw).unwrap())
    }

    fn read(fields: &StockFields, json: &str) -> Result<StockRow, Unreadable> {
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
        assert_eq!(read(&StockFields::default(), r#"{"stock":1E400}"#), Err(Unreadable));
    }

    #[test]
    fn the_fields_may_stand_elsewhere() {
        let fields = StockFields { quantity: "/branches/0/left".to_owned(), ..StockFields::default() };
        let row = read(&fields, r#"{"stock":1,"branches":[{"left":2.50}],"delete":true,"min_stock":24}"#).unwrap();
        assert_eq!(row.product.quantity.map(|q| q.to_string()).as_deref(), Some("2.50"));
        assert_eq!((row.min_stock, row.deleted), (Some(24.into()), true));
    }
}
