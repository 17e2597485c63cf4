//! Which events are meant.

use crate::domain::model::Timestamp;

/// What the source of an event is, before its shop.
pub(super) const SOURCE: &str = "/shops/";

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only these kinds: a type, or a family such as `stock.*`.
    pub kind: Option<String>,
    /// Only this shop's.
    pub shop: Option<String>,
    /// Only those about this subject, as it stands in the event: `product/` and an id of the API, or the like.
    pub subject: Option<String>,
    /// Only those seen since.
    pub since: Option<Timestamp>,
    /// Only those after this number, the oldest of them first.
    pub after: Option<u64>,
    /// Only those before this number.
    pub before: Option<u64>,
    /// At most so many; without `after`, the newest.
    pub limit: usize,
}
