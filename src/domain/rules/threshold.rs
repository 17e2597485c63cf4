//! What "low" means for a product: the first `[[threshold]]` that matches it.

use crate::domain::model::{Product, Quantity, ShopId, StockRow};

/// One `[[threshold]]`. Every condition that is given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Threshold {
    /// Only these shops; empty means all.
    pub shops: Vec<ShopId>,
    /// Only these product codes, each with any number of `*`; empty means all.
    pub products: Vec<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Below which figure a product is low.
    pub low: Option<Low>,
    /// Below which figure it is critical.
    pub critical: Option<Quantity>,
    /// From which figure on it counts as recovered; by default, and at least, `low` and `critical`.
    pub rearm: Option<Quantity>,
    /// How many passes in a row must agree; 1 by default.
    pub passes: u32,
}

/// The figure of `low`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Low {
    /// The same for every product that matches.
    Below(Quantity),
    /// The product's own figure in POSPOS; a threshold does not match a product that has none.
    MinStock,
}

/// A threshold with its figures worked out for one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Below this it is low.
    pub low: Option<Quantity>,
    /// Below this it is critical.
    pub critical: Option<Quantity>,
    /// From this on it is recovered; `None` means anything above zero.
    pub rearm: Option<Quantity>,
    /// How many passes in a row must agree.
    pub passes: u32,
}

impl Limits {
    /// The limits of a product that no threshold names: it can only run out.
    pub const NONE: Limits = Limits { low: None, critical: None, rearm: None, passes: 1 };
}

impl Threshold {
    /// The limits for this row, if the threshold is about it.
    pub fn limits(&self, shop: &ShopId, row: &StockRow) -> Option<Limits> {
        let Product { code, category, .. } = &row.product;
        let about_shop = self.shops.is_empty() || self.shops.contains(shop);
        let about_code = self.products.is_empty()
            || code.as_deref().is_some_and(|code| self.products.iter().any(|pattern| wildcard(pattern, code)));
        let about_category = self.category.is_none() || self.category == *category;
        if !(about_shop && about_code && about_category) {
            return None;
        }
        let low = match self.low {
            Some(Low::Below(figure)) => Some(figure),
            Some(Low::MinStock) => Some(row.min_stock?),
            None => None,
        };
        Some(Limits {
            low,
            critical: self.critical,
            // Never below what makes it short: a product between the two would be short and recovered in turns, once in
            // every pass. Only here is the figure of `min_stock` known.
            rearm: self.rearm.max(low).max(self.critical),
            passes: self.passes.max(1),
        })
    }
}

/// Whether `text` is what `pattern` says, where `*` stands for any run of characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text, matches) in [
            ("PK65*", "PK65000001", true),
            ("PK65*", "PK64000001", false),
            ("PK64000158", "PK64000158", true),
            ("PK64000158", "PK640001589", false),
            ("*58", "PK64000158", true),
            ("PK*01*58", "PK64000158", true),
            ("PK*02*58", "PK64000158", false),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(wildcard(pattern, text), matches, "{pattern} on {text}");
        }
    }
}
