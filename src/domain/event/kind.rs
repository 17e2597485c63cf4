//! The kinds of events, and the patterns by which rules name them.

use std::fmt;

use crate::domain::model::Resource;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The `type` of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
        }

        impl EventKind {
            /// Every kind that posbell makes.
            pub const ALL: &[EventKind] = &[$(EventKind::$variant,)*];

            /// The `type` as it stands in an event.
            pub fn name(self) -> &'static str {
                match self {
                    $(EventKind::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// A sale not seen before, also when it arrives late.
    SaleCreated = "sale.created",
    /// A sale's status became cancelled.
    SaleCancelled = "sale.cancelled",
    /// Another field of a known sale changed.
    SaleUpdated = "sale.updated",
    /// The quantity fell below the threshold's `low`.
    StockLow = "stock.low",
    /// The quantity fell below the threshold's `critical`.
    StockCritical = "stock.critical",
    /// Nothing is left.
    StockOut = "stock.out",
    /// The quantity reached `rearm` again.
    StockRecovered = "stock.recovered",
    /// The quantity is another than before.
    StockChanged = "stock.changed",
    /// A product not seen before.
    ProductCreated = "product.created",
    /// A product's name, code, barcode, category, unit, price or cost changed, or it came back after it was removed.
    ProductUpdated = "product.updated",
    /// Two whole passes in a row did not have it.
    ProductRemoved = "product.removed",
    /// A credit not seen before.
    CreditCreated = "credit.created",
    /// Another field of a known credit changed: a part was paid, the due date moved, or it is found nowhere.
    CreditUpdated = "credit.updated",
    /// A credit first appeared out of its period and pending.
    CreditOverdue = "credit.overdue",
    /// A credit has been overdue for 7, 30, 60 days.
    CreditAging = "credit.aging",
    /// A credit was found among the paid ones.
    CreditPaid = "credit.paid",
    /// A member not seen before.
    MemberCreated = "member.created",
    /// A field of a known member changed, or it came back after it was removed.
    MemberUpdated = "member.updated",
    /// Two whole passes in a row did not have it.
    MemberRemoved = "member.removed",
    /// A vendor not seen before.
    VendorCreated = "vendor.created",
    /// A field of a known vendor changed, or it came back after it was removed.
    VendorUpdated = "vendor.updated",
    /// Two whole passes in a row did not have it.
    VendorRemoved = "vendor.removed",
    /// A purchase document not seen before.
    PurchaseCreated = "purchase.created",
    /// A field of a known purchase document changed, or it came back after it was removed.
    PurchaseUpdated = "purchase.updated",
    /// Two whole passes in a row did not have it.
    PurchaseRemoved = "purchase.removed",
    /// The shop's resources were read for the first time.
    ShopBaseline = "shop.baseline",
    /// The API refused the shop's key; nothing is read until a person acts.
    ShopKeyRejected = "shop.key_rejected",
    /// A whole pass looked wrong and was not accepted.
    PassHeld = "pass.held",
    /// Lists of the shop have not been read for too long.
    ShopStale = "shop.stale",
    /// They are read again.
    ShopRecovered = "shop.recovered",
    /// A channel does not take messages.
    ChannelFailing = "channel.failing",
    /// It takes them again.
    ChannelRecovered = "channel.recovered",
}

/// Kinds that the contract names and this version does not make yet: a rule that waits for one would wait in silence.
const LATER: &[&str] = &["sale.suspicious"];

impl EventKind {
    /// Which resource's rows it is about; `None` for the service's own events.
    pub fn resource(self) -> Option<Resource> {
        let family = self.name().split('.').next().unwrap_or_default();
        Some(match family {
            "sale" => Resource::Transactions,
            "stock" | "product" => Resource::Stock,
            "credit" => Resource::Credit,
            "member" => Resource::Members,
            "vendor" => Resource::Vendors,
            "purchase" => Resource::BuyDocuments,
            _ => return None,
        })
    }

    /// Whether posbell speaks of itself: such an event reaches a person also where no rule routes it.
    pub fn is_notice(self) -> bool {
        matches!(
            self,
            EventKind::ShopKeyRejected
                | EventKind::PassHeld
                | EventKind::ShopStale
                | EventKind::ShopRecovered
                | EventKind::ChannelFailing
                | EventKind::ChannelRecovered
        )
    }

    /// The kind with that `type`.
    pub fn by_name(name: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a rule's `on` may say: a kind, `stock.*`, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this kind.
    Exactly(EventKind),
    /// Every kind whose name begins so; `stock.` for `stock.*`, empty for `*`.
    Prefix(String),
}

/// Why a pattern can match nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The contract has such events, this version does not make them.
    #[error("`{0}` events are not made by this version of posbell")]
    NotYet(String),
    /// No such events exist.
    #[error("there are no `{0}` events")]
    Unknown(String),
}

impl Pattern {
    /// Reads one entry of `on`.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        if let Some(kind) = EventKind::by_name(text) {
            return Ok(Pattern::Exactly(kind));
        }
        if let Some(prefix) = text.strip_suffix('*') {
            let whole_words = prefix.is_empty() || prefix.ends_with('.');
            if whole_words && EventKind::ALL.iter().any(|kind| kind.name().starts_with(prefix)) {
                return Ok(Pattern::Prefix(prefix.to_owned()));
            }
            if whole_words && LATER.iter().any(|name| name.starts_with(prefix)) {
                return Err(PatternError::NotYet(text.to_owned()));
            }
        }
        if LATER.contains(&text) {
            return Err(PatternError::NotYet(text.to_owned()));
        }
        Err(PatternError::Unknown(text.to_owned()))
    }

    /// Whether events of that kind are meant.
    pub fn matches(&self, kind: EventKind) -> bool {
        match self {
            Pattern::Exactly(exactly) => *exactly == kind,
            Pattern::Prefix(prefix) => kind.name().starts_with(prefix.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_a_kind_a_family_or_everything() {
        assert_eq!(Pattern::parse("stock.low"), Ok(Pattern::Exactly(EventKind::StockLow)));
        let stock = Pattern::parse("stock.*").expect("is a pattern");
        assert!(stock.matches(EventKind::StockOut) && !stock.matches(EventKind::SaleCreated));
        assert!(Pattern::parse("*").expect("is a pattern").matches(EventKind::ShopBaseline));
        for family in ["product", "member", "vendor", "purchase"] {
            let pattern = Pattern::parse(&format!("{family}.*")).expect("is a pattern");
            assert_eq!(EventKind::ALL.iter().filter(|kind| pattern.matches(**kind)).count(), 3, "{family}");
        }
    }

    #[test]
    fn a_pattern_that_could_never_match_is_a_mistake() {
        assert_eq!(Pattern::parse("sale.creatd"), Err(PatternError::Unknown("sale.creatd".to_owned())));
        assert_eq!(Pattern::parse("sto*"), Err(PatternError::Unknown("sto*".to_owned())));
        assert_eq!(Pattern::parse("sale.suspicious"), Err(PatternError::NotYet("sale.suspicious".to_owned())));
    }
}
