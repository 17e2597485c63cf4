//! How a held pass looks.

use serde::{Deserialize, Serialize};

use crate::domain::diff::guard::{Held, Standing};
use crate::domain::model::Timestamp;

/// A pass that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPass {
    /// The shop's id.
    pub shop: String,
    /// What was read.
    pub resource: String,
    /// What it showed, and since when.
    #[serde(flatten)]
    pub held: Held,
}

/// That a resource is held, for the status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldStatus {
    /// Nothing of the resource was accepted since then.
    pub since: Timestamp,
    /// What is to become of it.
    pub standing: Standing,
}

impl From<Held> for HeldStatus {
    fn from(held: Held) -> Self {
        Self { since: held.since, standing: held.standing }
    }
}
