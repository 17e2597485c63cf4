//! A member as the contract shows it: a customer whom the shop knows.

use serde::{Deserialize, Serialize};

use super::{EntityId, Quantity, Timestamp};

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The API's `_id`.
    pub id: EntityId,
    /// The number on the card, `M000204`.
    pub code: Option<String>,
    /// First and last name.
    pub name: Option<String>,
    /// Free text of the shop's; often has a telephone number in it.
    pub nickname: Option<String>,
    /// As the shop typed it: not unique, not always a number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The name of the kind of member.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The names of its tags.
    pub tags: Vec<String>,
    /// Points on the card.
    pub points: Option<Quantity>,
    /// Looks like the days within which a credit is to be paid.
    pub credit_days: Option<i64>,
    /// When it was entered.
    pub created_at: Option<Timestamp>,
    /// The API's own stamp: moved on many rows at once with no other change, so it is shown but never compared.
    pub updated_at: Option<Timestamp>,
}
