//! Everything behind the simulated API, the ids of it, and sums that are exact.

use std::collections::BTreeMap;

use super::ShopPlan;
use super::faults::Faults;
use super::generator::Generator;
use super::journal::Journal;
use super::listed::Listed;
use super::quota::Door;
use super::things::{Credit, Member, Product, Purchase, Sale, Vendor};
use crate::domain::model::{EntityId, Money, Quantity};

/// Products that the shop has, and how much of each.
pub(super) type Basket = BTreeMap<EntityId, Quantity>;

/// Everything behind the simulated API, under one lock.
#[derive(Debug)]
pub(super) struct World {
    /// What was ordered.
    pub(super) plan: ShopPlan,
    /// Products, listed oldest first.
    pub(super) products: Listed<Product>,
    /// Products that are nowhere to be seen for a while.
    pub(super) hidden: Vec<Product>,
    /// Bills by the time of the till and then by number, listed newest first.
    pub(super) sales: Listed<Sale>,
    /// Debts, listed newest first.
    pub(super) credits: Listed<Credit>,
    /// Members, listed oldest first.
    pub(super) members: Listed<Member>,
    /// Vendors, listed oldest first.
    pub(super) vendors: Listed<Vendor>,
    /// Purchase documents, listed newest first.
    pub(super) purchases: Listed<Purchase>,
    /// The last running number of each kind.
    pub(super) numbers: Numbers,
    /// What should have been told.
    pub(super) journal: Journal,
    /// The quota and the key.
    pub(super) door: Door,
    /// What is to go wrong.
    pub(super) faults: Faults,
    /// Chance in who buys and how it is paid.
    pub(super) chance: Generator,
    /// What moves the lists between two pages, where something does.
    pub(super) restless: Option<Generator>,
}

/// The last running number of each kind. A number is never given twice: whoever is gone stays gone.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeMap<IdOf, u32>);

impl Numbers {
    /// Numbers that go on behind these.
    pub(super) fn behind(last: impl IntoIterator<Item = (IdOf, u32)>) -> Self {
        Self(last.into_iter().collect())
    }

    /// The next number of that kind.
    pub(super) fn next(&mut self, of: IdOf) -> u32 {
        let last = self.0.entry(of).or_default();
        *last += 1;
        *last
    }
}

/// What an id is of: its first eight digits, so that a reader of a failed test sees it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum IdOf {
    /// A product.
    Product,
    /// A sale.
    Sale,
    /// A credit.
    Credit,
    /// A member.
    Member,
    /// A vendor.
    Vendor,
    /// A purchase document.
    Purchase,
}

/// A made-up ObjectId: 24 hex digits, the same for the same seed and number.
pub(super) fn id(of: IdOf, seed: u64, number: u32) -> EntityId {
    let kind = match of {
        IdOf::Product => "600c45c6",
        IdOf::Sale => "68b7fd1d",
        IdOf::Credit => "68c9a000",
        IdOf::Member => "600d4bc6",
        IdOf::Vendor => "600e5a01",
        IdOf::Purchase => "68d2b100",
    };
    let shop = Generator::new(seed).draw() >> 32;
    EntityId::new(format!("{kind}{shop:08x}{number:08x}")).expect("24 hex digits are an id")
}

/// `price × quantity`, exact to the satang and without trailing zeros, as the API writes numbers.
pub(super) fn times(price: Money, quantity: Quantity) -> Money {
    Money::from((price.decimal() * quantity.decimal()).round_dp(2).normalize())
}

/// `left + right`.
pub(super) fn plus(left: Quantity, right: Quantity) -> Quantity {
    Quantity::from((left.decimal() + right.decimal()).normalize())
}

/// `left - right`; may be negative, as in a shop that sells before it counts in.
pub(super) fn less(left: Quantity, right: Quantity) -> Quantity {
    Quantity::from((left.decimal() - right.decimal()).normalize())
}

#[cfg(test)]
mod tests {
    use super::super::things::buddhist_year;
    use super::*;
    use crate::domain::model::Timestamp;

    #[test]
    fn a_bill_after_midnight_in_bangkok_carries_the_new_thai_year() {
        let before: Timestamp = "2025-12-31T16:59:59Z".parse().expect("is a time");
        let after: Timestamp = "2025-12-31T17:00:00Z".parse().expect("is a time");
        assert_eq!((buddhist_year(before).as_str(), buddhist_year(after).as_str()), ("68", "69"));
    }

    #[test]
    fn numbers_are_exact_and_written_short() {
        let quantity: Quantity = "1.01".parse().expect("is a quantity");
        assert_eq!(times(Money::from(159), quantity).to_string(), "160.59");
        assert_eq!(less("1.50".parse().expect("is a quantity"), "0.50".parse().expect("is one")).to_string(), "1");
        assert_eq!(less(Quantity::from(1), Quantity::from(3)).to_string(), "-2");
    }

    #[test]
    fn ids_differ_by_kind_number_and_seed() {
        let ids = [id(IdOf::Sale, 1, 1), id(IdOf::Sale, 1, 2), id(IdOf::Sale, 2, 1), id(IdOf::Credit, 1, 1)];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert!(ids.iter().all(|id| id.as_str().len() == 24));
    }
}
