//! What the shop's rows are made of, as the shop itself would think of them; how the API writes them is in
//! [`super::rows`].

use std::cell::OnceCell;

use super::level::Watch;
use super::listed::Row;
use crate::domain::model::{EntityId, Money, Quantity, Timestamp};

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
    /// The row is still listed but says that the product is deleted.
    pub(super) deleted: bool,
    /// What was told of its level.
    pub(super) watch: Watch,
}

/// One member of the shop, all of them made up.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// `_id`.
    pub(super) id: EntityId,
    /// The name and number that bills carry.
    pub(super) card: Card,
    /// Points on the card.
    pub(super) points: u32,
    /// Looks like the days for which credit is given.
    pub(super) credit_days: u32,
    /// The name of a tag, where it has one.
    pub(super) tag: Option<&'static str>,
    /// When it was entered.
    pub(super) created_at: Timestamp,
    /// The vendor moves it for many members at once without another change.
    pub(super) updated_at: Timestamp,
}

/// What a member shows at the till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Card {
    /// `M000001`, which is the number on the card too.
    pub(super) code: String,
    /// First name.
    pub(super) firstname: String,
    /// Last name, or one of the ways in which the API writes none.
    pub(super) lastname: String,
    /// Telephone number, or one of the ways in which the API writes none. Several members may share one.
    pub(super) phone: String,
}

/// One of those whom the shop buys from.
#[derive(Debug, Clone)]
pub(super) struct Vendor {
    /// `_id`.
    pub(super) id: EntityId,
    /// `V000001`.
    pub(super) code: String,
    /// The company's name.
    pub(super) name: String,
    /// Telephone number.
    pub(super) phone: String,
    /// The company's tax number.
    pub(super) tax_id: String,
    /// When it was entered.
    pub(super) created_at: Timestamp,
}

/// One purchase document.
#[derive(Debug, Clone)]
pub(super) struct Purchase {
    /// `_id`.
    pub(super) id: EntityId,
    /// `PO68000001`.
    pub(super) code: String,
    /// The code and name of whom it was bought from, at that time.
    pub(super) vendor: (String, String),
    /// A made-up word: which ones the API has is unknown.
    pub(super) status: String,
    /// What it costs.
    pub(super) total: Money,
    /// What was bought.
    pub(super) lines: Vec<SoldLine>,
    /// When it was written.
    pub(super) issued_at: Timestamp,
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
    pub(super) buyer: Option<Card>,
    /// Who sold.
    pub(super) staff: (&'static str, &'static str),
    /// What the cashier noted; a cancel writes its reason over it.
    pub(super) comment: String,
    /// When and why it was cancelled.
    pub(super) cancelled: Option<(Timestamp, String)>,
    /// Its row, once it was written: a busy shop's window of days is read again and again.
    pub(super) written: OnceCell<String>,
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
    pub(super) buyer: Card,
    /// What was owed at first.
    pub(super) total: Money,
    /// When the goods were taken.
    pub(super) issued_at: Timestamp,
    /// When it should be paid.
    pub(super) due_at: Timestamp,
    /// Out of its period. A state of its own and not a comparison with the clock: a debt that fell due by itself
    /// would be a change that nobody journaled.
    pub(super) out_of_period: bool,
    /// What was paid of it: all of it when it is paid.
    pub(super) paid: Money,
    /// The age out of its period that was told last, in days.
    pub(super) aged: Option<i64>,
}

impl Credit {
    /// Nothing is owed any more.
    pub(super) fn is_paid(&self) -> bool {
        self.paid.decimal() >= self.total.decimal()
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

impl Row for Product {
    fn id(&self) -> &EntityId {
        &self.id
    }
}

impl Row for Member {
    fn id(&self) -> &EntityId {
        &self.id
    }
}

impl Row for Vendor {
    fn id(&self) -> &EntityId {
        &self.id
    }
}

impl Row for Purchase {
    fn id(&self) -> &EntityId {
        &self.id
    }
}

impl Row for Sale {
    fn id(&self) -> &EntityId {
        &self.id
    }

    fn is_changed(&mut self) {
        self.written.take();
    }
}

impl Row for Credit {
    fn id(&self) -> &EntityId {
        &self.id
    }
}

/// The last two digits of the Thai year in which `at` falls in Bangkok.
pub(super) fn buddhist_year(at: Timestamp) -> String {
    use chrono::Datelike;
    let year = at.with_timezone(&chrono_tz::Asia::Bangkok).year() + 543;
    format!("{:02}", year.rem_euclid(100))
}
