//! Which words a language must give: every phrase of the built-in messages, and no order of lines.
//!
//! What a message says, and when it leaves a line out, is the same in every language and stands in `layout`. So a
//! language is one table, and a phrase that was forgotten does not compile.

mod notices;

pub(super) use self::notices::NoticeWords;
use crate::domain::disk::DiskFault;
use crate::domain::event::EventKind;
use crate::domain::model::{PaymentKind, Resource};

/// A phrase around one text.
pub(super) type Around = fn(&str) -> String;

/// The words of one language. Texts that are handed in are already cleaned and formatted.
pub(super) struct Words {
    /// Short names of the months, January first.
    pub months: [&'static str; 12],
    /// What happened, as the beginning of a title.
    pub headword: fn(EventKind) -> &'static str,
    /// A headword and an amount with its currency.
    pub priced: fn(&str, &str) -> String,
    /// A headword that so many events share.
    pub counted: fn(&str, usize) -> String,
    /// After an outage: the newest states of so many products.
    pub newest_states: fn(usize) -> String,
    /// When the newest of them was seen.
    pub as_of: Around,
    /// A state that stands for so many changes, behind its line.
    pub stands_for: Around,
    /// A thing without a name or code.
    pub unnamed: &'static str,
    /// An amount in baht.
    pub baht: Around,

    /// The number of a receipt or bill.
    pub receipt: Around,
    /// When a cancelled bill was sold.
    pub sold_at: Around,
    /// When it was cancelled.
    pub cancelled_at: Around,
    /// The headword of a bill that was sold and cancelled before either was told.
    pub sold_and_cancelled: &'static str,
    /// A bill that is told as sold has been cancelled since.
    pub already_cancelled: &'static str,
    /// Why it was cancelled.
    pub reason: Around,
    /// The amount (with its currency) that is no longer part of the takings.
    pub no_longer_counts: Around,
    /// What a cashier wrote on a bill.
    pub comment: Around,
    /// So many lines of a bill are not shown.
    pub more_lines: fn(usize) -> String,
    /// The bill discount.
    pub discount: Around,
    /// The ways in which it was paid.
    pub paid_by: Around,
    /// One way of paying.
    pub payment: fn(PaymentKind) -> &'static str,
    /// Who sold it.
    pub staff: Around,
    /// The fields of a thing that differ.
    pub changed: Around,
    /// The name of such a field, where it has one in this language.
    pub field: fn(&str) -> Option<&'static str>,
    /// The total before and after.
    pub total_changed: fn(&str, &str) -> String,

    /// A product that has run low, and what is left of it.
    pub name_left: fn(&str, &str) -> String,
    /// A product that has enough again, and what there is of it.
    pub name_in_stock: fn(&str, &str) -> String,
    /// What there is of a product.
    pub in_stock: Around,
    /// The figure below which posbell speaks up.
    pub alert_below: Around,
    /// So much less than nothing is left, and why that can be.
    pub below_zero: Around,
    /// The code of a product, a member or a vendor.
    pub product_code: Around,
    /// What it sells for.
    pub price: Around,
    /// What it sold for before, and sells for now.
    pub price_changed: fn(&str, &str) -> String,
    /// What it cost the shop before, and costs now.
    pub cost_changed: fn(&str, &str) -> String,
    /// What it was called before, and is called now.
    pub name_changed: fn(&str, &str) -> String,
    /// What is told of it ends here.
    pub no_more_told: &'static str,

    /// Who bought or owes.
    pub customer: Around,
    /// What is still owed.
    pub owed: Around,
    /// What is still owed of what was owed at first.
    pub owed_of: fn(&str, &str) -> String,
    /// The number of a credit.
    pub credit_code: Around,
    /// The number of the sale that a credit came from.
    pub sale_code: Around,
    /// When it should be paid.
    pub due: Around,
    /// So many days after that.
    pub days_overdue: fn(i64) -> String,
    /// It is neither among the credits that are owed nor among the paid ones.
    pub found_nowhere: &'static str,

    /// The kind of a member.
    pub member_kind: Around,
    /// The points on a card before and now.
    pub points_changed: fn(&str, &str) -> String,
    /// Whom the shop bought from.
    pub vendor: Around,
    /// The number of a purchase document.
    pub purchase_code: Around,

    /// So many products.
    pub products: Around,
    /// So many products at low or critical.
    pub low: Around,
    /// So many products with nothing left.
    pub out: Around,
    /// So many credits that are still owed.
    pub pending_credits: Around,
    /// So many credits out of their period.
    pub overdue_credits: Around,
    /// So many members.
    pub members: Around,
    /// So many vendors.
    pub vendors: Around,
    /// So many purchase documents.
    pub purchases: Around,
    /// What happens after a baseline.
    pub from_now_on: &'static str,

    /// posbell cannot store any more: what happened, what that means, and what to do.
    pub disk_fault: fn(DiskFault) -> [&'static str; 2],
    /// And can again.
    pub disk_back: [&'static str; 2],
    /// A mistake in the files keeps posbell from starting.
    pub mistaken: &'static str,
    /// Where the first is, how many there are besides, what that means, and what to do.
    pub mistaken_where: fn(&str, usize) -> String,

    /// What a resource is called.
    pub resource: fn(Resource) -> &'static str,
    /// Nothing is in that list so far.
    pub none_yet: fn(Resource) -> String,

    /// What posbell says of itself.
    pub notices: NoticeWords,
}
