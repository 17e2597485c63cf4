//! A product as the contract shows it.

use serde::{Deserialize, Serialize};

use super::{EntityId, Money, Quantity, Timestamp};

/// One product of the stock list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// The API's `_id`; codes may be duplicated across products.
    pub id: EntityId,
    /// `PK64000158`.
    pub code: Option<String>,
    /// The name on the shelf.
    pub name: Option<String>,
    /// What the scanner reads.
    pub barcode: Option<String>,
    /// The name of its category.
    pub category: Option<String>,
    /// The name of its unit: bag, bottle, kilogram.
    pub unit: Option<String>,
    /// What it sells for.
    pub price: Option<Money>,
    /// What it was bought for.
    pub cost: Option<Money>,
    /// What is left. `None` is unknown, which is not zero.
    pub quantity: Option<Quantity>,
    /// The API's `lastupdate`: moves with every sale, so it is shown but never compared.
    pub updated_at: Option<Timestamp>,
}

/// A row of the stock list: the product, and what the API says of it that no event shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockRow {
    /// The product.
    pub product: Product,
    /// The product's own figure for "low", where the shop keeps one.
    pub min_stock: Option<Quantity>,
    /// The row is still returned but the shop has deleted the product.
    pub deleted: bool,
}
