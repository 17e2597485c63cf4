//! What stands in the simulated shop: shelves, bills and debts, and how they are found.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use super::ShopPlan;
use super::faults::Faults;
use super::generator::Generator;
use super::journal::Journal;
use super::level::Watch;
use super::quota::Door;
use crate::domain::model::{EntityId, Money, Quantity, Timestamp};

/// Where a product stands on the shelves, and how much of it: each product once.
pub(super) type Basket = BTreeMap<usize, Quantity>;

/// One product on its shelf.
#[derive(Debug, Clone)]
pub(super) struct Product {
    /// `_id`.
    pub(super) id: EntityId,
    /// `PK66000001`.
    pub(super) code: String,
    /// The Thai name.
    pub(super) name: String,
    /// What the scanner reads; the API writes `""` or `-` where there is none.
    pub(super) barcode: String,
    /// Its category; some products have none.
    pub(super) category: Option<&'static str>,
    /// Its unit; some products have none.
    pub(super) unit: Option<&'static str>,
    /// What it sells for.
    pub(super) price: Money,
    /// What it was bought for; not always known.
    pub(super) cost: Option<Money>,
    /// What is left.
    pub(super) quantity: Quantity,
    /// The shop's own figure for "low".
    pub(super) min_stock: Quantity,
    /// Sold by weight, so in quarters.
    pub(super) weighed: bool,
    /// Moves with every sale.
    pub(super) lastupdate: Timestamp,
    /// What was told of its level.
    pub(super) watch: Watch,
    /// Its row as JSON, until it changes.
    pub(super) written: OnceCell<String>,
}

/// One member of the shop, all of them made up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// `M000001`, which is the number on the card too.
    pub(super) code: &'static str,
    /// First name.
    pub(super) firstname: &'static str,
    /// Last name, or one of the ways in which the API writes none.
    pub(super) lastname: &'static str,
    /// Telephone number, or one of the ways in which the API writes none.
    pub(super) phone: &'static str,
}

/// How a bill was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PaidBy {
    /// Notes and coins.
    Cash,
    /// To a bank account.
    Transfer,
    /// Not yet.
    Credit,
}

/// One line of a bill.
#[derive(Debug, Clone)]
pub(super) struct SoldLine {
    /// The product's code: all that a bill knows of it.
    pub(super) code: String,
    /// The product's name at that time.
    pub(super) name: String,
    /// How many.
    pub(super) quantity: Quantity,
    /// Price of one.
    pub(super) price: Money,
    /// The line's total.
    pub(super) total: Money,
}

/// One bill.
#[derive(Debug, Clone)]
pub(super) struct Sale {
    /// `_id`.
    pub(super) id: EntityId,
    /// The running number behind `code` and the receipt number.
    pub(super) number: u32,
    /// When the till made it.
    pub(super) sold_at: Timestamp,
    /// What was sold.
    pub(super) lines: Vec<SoldLine>,
    /// The sum.
    pub(super) total: Money,
    /// How it was paid.
    pub(super) paid_by: PaidBy,
    /// Who bought, where a member did.
    pub(super) buyer: Option<&'static Member>,
    /// Who sold.
    pub(super) staff: (&'static str, &'static str),
    /// When and why it was cancelled.
    pub(super) cancelled: Option<(Timestamp, String)>,
}

/// One debt.
#[derive(Debug, Clone)]
pub(super) struct Credit {
    /// `_id`.
    pub(super) id: EntityId,
    /// The running number behind `code`.
    pub(super) number: u32,
    /// The `code` of its sale.
    pub(super) sale_code: String,
    /// Who owes.
    pub(super) buyer: &'static Member,
    /// What was owed at first.
    pub(super) total: Money,
    /// When the goods were taken.
    pub(super) issued_at: Timestamp,
    /// When it should be paid.
    pub(super) due_at: Timestamp,
    /// Out of its period. A state of its own and not a comparison with the clock: a debt that fell due by itself
    /// would be a change that nobody journaled.
    pub(super) out_of_period: bool,
    /// Paid in full.
    pub(super) paid: bool,
}

/// Everything behind the simulated API, under one lock.
#[derive(Debug)]
pub(super) struct World {
    /// What was ordered.
    pub(super) plan: ShopPlan,
    /// Products, oldest first.
    pub(super) products: Vec<Product>,
    /// Where a product stands in `products`.
    pub(super) shelf: HashMap<EntityId, usize>,
    /// Bills by the time of the till; the number tells apart those of one millisecond.
    pub(super) sales: BTreeMap<(Timestamp, u32), Sale>,
    /// The running number of the last bill.
    pub(super) last_sale: u32,
    /// Debts, oldest first.
    pub(super) credits: Vec<Credit>,
    /// What should have been told.
    pub(super) journal: Journal,
    /// The quota and the key.
    pub(super) door: Door,
    /// What is to go wrong.
    pub(super) faults: Faults,
    /// Chance in who buys and how it is paid.
    pub(super) chance: Generator,
}

/// What an id is of: its first eight digits, so that a reader of a failed test sees it at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum IdOf {
    /// A product.
    Product,
    /// A sale.
    Sale,
    /// A credit.
    Credit,
}

/// A made-up ObjectId: 24 hex digits, the same for the same seed and number.
pub(super) fn id(of: IdOf, seed: u64, number: u32) -> EntityId {
    let kind = match of {
        IdOf::Product => "600c45c6",
        IdOf::Sale => "68b7fd1d",
        IdOf::Credit => "68c9a000",
    };
    let shop = Generator::new(seed).draw() >> 32;
    EntityId::new(format!("{kind}{shop:08x}{number:08x}")).expect("24 hex digits are an id")
}

impl World {
    /// The product of that id.
    pub(super) fn product(&self, id: &EntityId) -> Option<&Product> {
        self.shelf.get(id).map(|index| &self.products[*index])
    }

    /// The bill of that id.
    pub(super) fn sale(&self, id: &EntityId) -> Option<&Sale> {
        self.sales.values().find(|sale| sale.id == *id)
    }

    /// The debt of that id.
    pub(super) fn credit(&self, id: &EntityId) -> Option<&Credit> {
        self.credits.iter().find(|credit| credit.id == *id)
    }
}

impl Sale {
    /// `TR68017664`: two digits of the Buddhist year, six of the running number.
    pub(super) fn code(&self) -> String {
        format!("TR{}{:06}", buddhist_year(self.sold_at), self.number)
    }

    /// `ST68017664`: the number on the paper.
    pub(super) fn receipt(&self) -> String {
        format!("ST{}{:06}", buddhist_year(self.sold_at), self.number)
    }
}

/// The last two digits of the Thai year in which `at` falls in Bangkok.
pub(super) fn buddhist_year(at: Timestamp) -> String {
    use chrono::Datelike;
    let year = at.with_timezone(&chrono_tz::Asia::Bangkok).year() + 543;
    format!("{:02}", year.rem_euclid(100))
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
    use super::*;

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
