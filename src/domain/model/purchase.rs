//! A purchase document as the contract shows it: goods that the shop bought.

use serde::{Deserialize, Serialize};

use super::{EntityId, Money, Party, Quantity, Timestamp};

/// One purchase document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// The API's `_id`.
    pub id: EntityId,
    /// The document's number.
    pub code: Option<String>,
    /// Whom it was bought from.
    pub vendor: Option<Party>,
    /// The API's own word.
    pub status: Option<String>,
    /// What it costs.
    pub total: Option<Money>,
    /// When it was made.
    pub issued_at: Option<Timestamp>,
    /// What was bought.
    pub lines: Vec<PurchaseLine>,
}

/// One line of a purchase document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseLine {
    /// The product's code.
    pub product_code: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// How many were bought.
    pub quantity: Option<Quantity>,
    /// Price of one.
    pub unit_price: Option<Money>,
    /// The line's total.
    pub total: Option<Money>,
}
