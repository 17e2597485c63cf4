//! What an event carries: the things themselves, as the contract's table of `data` lists them.

use serde::{Deserialize, Serialize};

use super::service::{ChannelFailing, ChannelRecovered, ShopRecovered, ShopStale};
use crate::domain::model::{Credit, Member, Product, Purchase, Quantity, Resource, Sale, ShopId, Timestamp, Vendor};

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
    /// `stock.*` and `product.*`.
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
    /// `member.*`.
    Member {
        /// The member as it is now; of a removed one, as it was last known.
        member: Box<Member>,
        /// The member as it was last known.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<Box<Member>>,
        /// The names of the fields that differ.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
    },
    /// `vendor.*`.
    Vendor {
        /// The vendor as it is now; of a removed one, as it was last known.
        vendor: Box<Vendor>,
        /// The vendor as it was last known.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<Box<Vendor>>,
        /// The names of the fields that differ.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
    },
    /// `purchase.*`.
    Purchase {
        /// The document as it is now; of a removed one, as it was last known.
        purchase: Box<Purchase>,
        /// The document as it was last known.
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<Box<Purchase>>,
        /// The names of the fields that differ.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<String>,
    },
    /// `shop.*`, `pass.held` and `channel.*`.
    Shop {
        /// The shop.
        shop: ShopView,
        /// What there is to say about it.
        details: ShopDetails,
    },
}

/// How much of a product is left, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Enough.
    #[default]
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
    /// `pass.held`.
    PassHeld(HeldPass),
    /// `shop.stale`.
    Stale(ShopStale),
    /// `shop.recovered`.
    Recovered(ShopRecovered),
    /// `channel.failing`.
    ChannelFailing(ChannelFailing),
    /// `channel.recovered`.
    ChannelRecovered(ChannelRecovered),
}

/// A whole reading that was not accepted: counts and a sentence, never a row, since rows of some resources are people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPass {
    /// The shop's id in the configuration.
    pub shop: ShopId,
    /// What was read.
    pub resource: Resource,
    /// Since when nothing of it was accepted.
    pub since: Timestamp,
    /// What looked wrong.
    #[serde(flatten)]
    pub counts: HeldCounts,
    /// The same as a sentence in English.
    pub summary: String,
}

/// How many rows did what a shop's day does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeldCounts {
    /// How many rows were known.
    pub known: u64,
    /// How many of them are not in the list any more.
    pub vanished: u64,
    /// How many had a quantity and have none now.
    pub quantity_lost: u64,
    /// How many had something left and have nothing now.
    pub to_zero: u64,
    /// How many have another name or code.
    pub renamed: u64,
    /// How many have nothing, or zero, in another field that had something.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub emptied: u64,
    /// How many are another in a field that hardly ever changes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rewritten: u64,
    /// How many were cancelled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cancelled: u64,
    /// How many would stand there once more under another id.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub doubled: u64,
    /// How many have what no shop's day makes of them: ten times their quantity, that of the row beside them, an older
    /// one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub implausible: u64,
}

/// Left out where it is zero: so what was told before there were these counts is written as it was.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl HeldCounts {
    /// `of 120 known rows 40 vanished, 3 fell to zero`.
    pub(super) fn sentence(&self) -> String {
        let told = [
            (self.vanished, "vanished"),
            (self.quantity_lost, "lost their quantity"),
            (self.to_zero, "fell to zero"),
            (self.renamed, "changed their name or code"),
            (self.emptied, "lost something else"),
            (self.rewritten, "changed in what hardly ever changes"),
            (self.cancelled, "were cancelled"),
            (self.doubled, "came once more under another id"),
            (self.implausible, "have figures that no day makes"),
        ];
        let told = told.iter().filter(|(count, _)| *count > 0).map(|(count, does)| format!("{count} {does}"));
        format!("of {} known rows {}", self.known, told.collect::<Vec<_>>().join(", "))
    }
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
    /// Members.
    pub members: Option<u64>,
    /// Vendors.
    pub vendors: Option<u64>,
    /// Purchase documents.
    pub purchases: Option<u64>,
}
