//! A sale as the contract shows it.

use serde::{Deserialize, Serialize};

use super::{EntityId, Money, Quantity, Timestamp};

/// One bill. Fields that the API did not give are `None` and serialize as `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// The API's `_id`.
    pub id: EntityId,
    /// The running number, `TR68017664`.
    pub code: Option<String>,
    /// The number on the paper that people know, `ST68017664`.
    pub receipt: Option<String>,
    /// Whether it still counts.
    pub status: SaleStatus,
    /// When the till made it; may be hours before the API shows it.
    pub sold_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Before the bill discount.
    pub subtotal: Option<Money>,
    /// The bill discount.
    pub discount: Option<Money>,
    /// After the bill discount; a cancel does not negate it.
    pub total: Option<Money>,
    /// Always `THB`: POSPOS knows no other.
    pub currency: String,
    /// Free text; of a cancelled sale, the reason.
    pub comment: Option<String>,
    /// Who sold it.
    pub staff: Option<String>,
    /// The member who bought it.
    pub member: Option<Party>,
    /// How it was paid.
    pub payments: Vec<Payment>,
    /// What was sold.
    pub lines: Vec<SaleLine>,
    /// How many more lines a bill has that is too large to be kept whole; only there where it is not 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lines_left_out: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// `success`, `cancelled`, or the API's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum SaleStatus {
    /// The sale stands.
    Success,
    /// The sale was taken back (the API writes `cancel`).
    Cancelled,
    /// A word that no capture of the API has shown.
    Other(String),
}

impl From<String> for SaleStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "success" => SaleStatus::Success,
            "cancelled" | "cancel" => SaleStatus::Cancelled,
            _ => SaleStatus::Other(word),
        }
    }
}

impl From<SaleStatus> for String {
    fn from(status: SaleStatus) -> Self {
        match status {
            SaleStatus::Success => "success".to_owned(),
            SaleStatus::Cancelled => "cancelled".to_owned(),
            SaleStatus::Other(word) => word,
        }
    }
}

/// A member or supplier, as another object names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// `M000204`.
    pub code: Option<String>,
    /// First and last name.
    pub name: Option<String>,
}

/// One way in which a sale was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What kind, in posbell's words.
    pub kind: PaymentKind,
    /// The API's own number of that kind (`pay_type`).
    pub code: Option<i64>,
    /// What was applied to the bill: the only figure to add up.
    pub amount: Option<Money>,
    /// What was handed over; of cash, usually more than `amount`.
    pub tendered: Option<Money>,
}

/// The kind of a payment. The API's full list is unknown: 1 was seen as cash, 3 and 4 with a bank account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// Notes and coins.
    Cash,
    /// A bank transfer or a QR payment.
    Transfer,
    /// On credit.
    Credit,
    /// Anything else.
    Other,
}

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    /// The product's code; the API gives no product `_id` here, and a code can repeat within one sale.
    pub product_code: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// How many were sold (the API calls it `stock`).
    pub quantity: Option<Quantity>,
    /// Price of one.
    pub unit_price: Option<Money>,
    /// Discount on one (the API calls it `cost_discount_price`).
    pub unit_discount: Option<Money>,
    /// The line after its discount.
    pub total: Option<Money>,
    /// Notes of the cashier.
    pub notes: Vec<String>,
}
