//! How much a message matters: what each kind of event weighs unless a rule says otherwise.

use serde::{Deserialize, Serialize};

use super::EventKind;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Someone should look today.
    Warning,
    /// Someone must act now.
    Critical,
}

impl Severity {
    /// Each by the word that files use for it.
    pub const WORDS: &[(&str, Severity)] =
        &[("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];

    /// The severity of a kind that no rule gives another one; from the contract.
    pub fn of(kind: EventKind) -> Severity {
        match kind {
            EventKind::StockOut
            | EventKind::StockCritical
            | EventKind::ShopStale
            | EventKind::ShopKeyRejected
            | EventKind::PassHeld
            | EventKind::ChannelFailing => Severity::Critical,
            EventKind::StockLow | EventKind::SaleCancelled | EventKind::CreditOverdue | EventKind::CreditAging => {
                Severity::Warning
            }
            _ => Severity::Info,
        }
    }
}
