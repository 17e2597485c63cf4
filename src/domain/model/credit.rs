//! A credit as the contract shows it: a sale that is still to be paid.

use serde::{Deserialize, Serialize};

use super::{EntityId, Money, Timestamp};

/// One sale on credit.
///
/// No public capture of this resource exists. What is trusted is what was *asked for*: a row that comes back for
/// `period=OUT_OF_PERIOD&status=pending` is overdue, whatever its own fields say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The API's `_id`.
    pub id: EntityId,
    /// The credit's own number.
    pub code: Option<String>,
    /// The number of the sale it came from.
    pub sale_code: Option<String>,
    /// Who owes.
    pub customer: Option<Customer>,
    /// What was owed at first.
    pub amount: Option<Money>,
    /// What was paid of it.
    pub paid: Option<Money>,
    /// What is still owed.
    pub balance: Option<Money>,
    /// When the goods were taken.
    pub issued_at: Option<Timestamp>,
    /// When it should be paid.
    pub due_at: Option<Timestamp>,
    /// Whole days since `due_at` in the shop's calendar, where that is known and past.
    pub days_overdue: Option<i64>,
    /// `None` where a row was found in no list that was asked for.
    pub status: Option<CreditStatus>,
    /// Whether the API listed it as out of its period.
    pub overdue: bool,
}

/// Whether a credit is still owed, by the list it was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatus {
    /// Still owed.
    Pending,
    /// Paid in full.
    Paid,
}

/// Who owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// The member code.
    pub code: Option<String>,
    /// First and last name.
    pub name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}
