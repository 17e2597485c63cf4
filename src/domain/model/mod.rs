//! What a shop is made of: sales, products, credits, members, vendors, purchases, and the numbers and names in them.
//!
//! The `serde` form of these types is the public form of the contract, on purpose: it is what stands in an event's
//! `data`, and what the store keeps, so that `previous` is exactly what a receiver was told before. What the API
//! calls these things is known in `edge::pospos::wire` alone.

mod credit;
mod fingerprint;
mod id;
mod member;
mod number;
mod product;
mod purchase;
mod sale;
mod vendor;
mod whole;

pub use credit::{Credit, CreditStatus, Customer};
pub use fingerprint::{BadFingerprint, Fingerprint};
pub use id::{BadId, ChannelName, EntityId, KeyHash, ShopId, Subject};
pub use member::Member;
pub use number::{Money, NotExact, Quantity};
pub use product::{Product, StockRow};
pub use purchase::{Purchase, PurchaseLine};
pub use sale::{Party, Payment, PaymentKind, Sale, SaleLine, SaleStatus};
pub use vendor::Vendor;
pub use whole::Whole;

/// A moment in UTC. Thai calendar days are made of it only where a day is meant.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// What is read from the API, one at a time. Its `serde` form is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Sales, over a trailing window of days.
    Transactions,
    /// Products with what is left of them.
    Stock,
    /// Sales on credit that are not paid yet.
    Credit,
    /// Customers whom the shop knows.
    Members,
    /// Whom the shop buys from.
    Vendors,
    /// What the shop bought.
    BuyDocuments,
}

impl Resource {
    /// Every resource that is read, in the order in which a newcomer would explain them.
    pub const ALL: [Resource; 6] = [
        Resource::Transactions,
        Resource::Stock,
        Resource::Credit,
        Resource::Members,
        Resource::Vendors,
        Resource::BuyDocuments,
    ];

    /// The name in configuration, status and logs.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Transactions => "transactions",
            Resource::Stock => "stock",
            Resource::Credit => "credit",
            Resource::Members => "members",
            Resource::Vendors => "vendors",
            Resource::BuyDocuments => "buy_documents",
        }
    }

    /// The resource of that name.
    pub fn by_name(name: &str) -> Option<Resource> {
        Resource::ALL.into_iter().find(|resource| resource.name() == name)
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
