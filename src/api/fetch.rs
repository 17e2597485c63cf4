//! How one reading of the API by hand is asked for, and how it is answered: line by line, as the rows come in.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `{"resource":"stock","term":"PK64"}`: which call of the API is meant, in the words of the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchQuery {
    /// `transactions`, `stock`, `credit`, `members`, `vendors` or `buy_documents`.
    pub resource: String,
    /// A product's or a member's `_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A member's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A member's telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What the API looks for in products, vendors and purchase documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// Of credits: `ALL`, `OUT_OF_PERIOD` or `IN_OF_PERIOD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Of credits: `paid` or `pending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// A parameter of `/transactions` of which nobody knows what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_buyer: Option<bool>,
    /// The stock list in one answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// Not the rows, but what one page of them shows of the API; the answer is one row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
}

/// One line of an answer that comes line by line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchLine {
    /// A row, as the API wrote it, or an event, on one line.
    Row(Box<RawValue>),
    /// Nothing has come for a while, and this is why.
    Waiting(String),
    /// So many have come: it was read to its end.
    Done(u64),
    /// It was not, and this is why.
    Error(String),
}
