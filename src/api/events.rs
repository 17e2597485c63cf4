//! How events are listed and exported.

use serde::{Deserialize, Serialize};

/// `?type=sale.created&shop=main&since=2026-11-23T00:00:00Z&after=12&limit=100`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// A type, or a family such as `stock.*`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A shop's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shop: Option<String>,
    /// What they are about, as it stands in the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Seen since this moment, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// After this number, the oldest of them first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Before the event with this id, the newest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// At most so many; without `after`, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}
