//! A vendor as the contract shows it: whom the shop buys from.

use serde::{Deserialize, Serialize};

use super::EntityId;

/// One vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    /// The API's `_id`.
    pub id: EntityId,
    /// The shop's number for it.
    pub code: Option<String>,
    /// The company's name.
    pub name: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// The company's tax number.
    pub tax_id: Option<String>,
}
