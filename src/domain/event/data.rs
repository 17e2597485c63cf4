//! What an event carries: the things themselves, as the contract's table of `data` lists them.

use serde::{Deserialize, Serialize};

use crate::domain::model::{Credit, Product, Quantity, Sale, ShopId};

/// The `data` of an event, one case for each family of kinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventData {
    /// `sale.*`.
    Sale {
        /// The sale as it is now.
        sale: Box<Sale>,
        /// The sale as it was last known.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<Box<Sale>>,
        /// The names of the fields that differ.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
    },
    /// `stock.*`.
    Product {
        /// The product as it is now.
        product: Box<Product>,
        /// The product as it was last known.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<Box<Product>>,
        /// The names of the fields that differ.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
        /// The threshold that was crossed.
        #[serde(skip_serializing_if = "Option::is_none")]
        threshold: Option<ThresholdView>,
    },
    /// `credit.*`.
    Credit {
        /// The credit as it is now.
        credit: Box<Credit>,
        /// The credit as it was last known.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<Box<Credit>>,
        /// The names of the fields that differ.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
    },
    /// `shop.*`.
    Shop {
        /// The shop.
        shop: ShopView,
        /// What there is to say about it.
        details: ShopDetails,
    },
}

/// How much of a product is left, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Enough.
    Ok,
    /// Below `low`.
    Low,
    /// Below `critical`.
    Critical,
    /// Zero or less.
    Out,
}

/// The threshold that a `stock.*` event was made by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdView {
    /// The level that was reached.
    pub level: Level,
    /// The figure that the quantity fell below; `null` where the product has no threshold and simply ran out.
    pub below: Option<Quantity>,
    /// The figure at which the product counts as recovered; `null` means anything above zero.
    pub rearm: Option<Quantity>,
}

/// A shop as events show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopView {
    /// The id in the configuration.
    pub id: ShopId,
    /// The name in the configuration.
    pub name: String,
}

/// What a `shop.*` event says besides its shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ShopDetails {
    /// `shop.baseline`.
    Baseline(BaselineCounts),
    /// `shop.key_rejected`.
    KeyRejected {
        /// The HTTP status that refused the key.
        status: u16,
    },
}

/// What stood in the shop when posbell first read it. A resource that is not polled, or could not be read in the
/// first ten minutes, is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BaselineCounts {
    /// Sales in the trailing window.
    pub sales: Option<u64>,
    /// Products in the stock list.
    pub products: Option<u64>,
    /// Products at `low` or `critical`.
    pub low: Option<u64>,
    /// Products with nothing left.
    pub out: Option<u64>,
    /// Credits that are still owed.
    pub pending_credits: Option<u64>,
    /// Credits that are out of their period.
    pub overdue_credits: Option<u64>,
}
