//! The lines of a bill: what was sold, what was taken back, and what was changed.

use super::super::figures::{code, money, name, quantity};
use super::{Layout, joined, party};
use crate::domain::model::{Money, Payment, PaymentKind, Quantity, Sale, SaleLine, SaleStatus, Timestamp};

/// How many lines of a bill are shown: a phone shows about ten lines before one has to scroll.
const SALE_LINES: usize = 5;

impl Layout {
    pub(super) fn sold(&self, sale: &Sale, time: Timestamp) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(joined([receipt(sale).map(|code| (words.receipt)(&code)), Some(self.moment(time))]));
        // First seen as cancelled, and the cancel goes elsewhere: "sold" alone would be half of the truth.
        lines.extend((sale.status == SaleStatus::Cancelled).then(|| words.already_cancelled.to_owned()));
        lines.extend(sale.member.as_ref().and_then(party).map(|name| (words.customer)(&name)));
        lines.extend(self.goods(sale));
        let discount = sale.discount.filter(|discount| *discount != Money::ZERO);
        lines.extend(discount.map(|discount| (words.discount)(&self.baht(discount))));
        lines.extend(self.paid_by(&sale.payments).map(|ways| (words.paid_by)(&ways)));
        lines.extend(name(sale.comment.as_deref()).map(|text| (words.comment)(&text)));
        lines.extend(name(sale.staff.as_deref()).map(|name| (words.staff)(&name)));
        lines
    }

    pub(super) fn cancelled(&self, sale: &Sale, time: Timestamp) -> Vec<String> {
        let words = self.words;
        let sold_at = sale.sold_at.map(|sold_at| (words.sold_at)(&self.moment(sold_at)));
        let cancelled_at = self.moment(sale.cancelled_at.unwrap_or(time));
        let mut lines = Vec::new();
        lines.extend(joined([receipt(sale).map(|code| (words.receipt)(&code)), sold_at]));
        lines.push((words.cancelled_at)(&cancelled_at));
        lines.extend(name(sale.comment.as_deref()).map(|text| (words.reason)(&text)));
        lines.extend(sale.total.map(|total| (words.no_longer_counts)(&self.baht(total))));
        lines.extend(sale.member.as_ref().and_then(party).map(|name| (words.customer)(&name)));
        lines.extend(self.goods(sale));
        lines.extend(name(sale.staff.as_deref()).map(|name| (words.staff)(&name)));
        lines
    }

    pub(super) fn updated(
        &self,
        sale: &Sale,
        previous: Option<&Sale>,
        changed: &[String],
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(joined([receipt(sale).map(|code| (words.receipt)(&code)), Some(self.moment(time))]));
        let totals = previous.and_then(|previous| previous.total).zip(sale.total);
        let totals = totals.filter(|(before, after)| before != after);
        lines.extend(totals.map(|(before, after)| (words.total_changed)(&money(before), &money(after))));
        lines.extend(self.changed(changed));
        lines.extend(sale.member.as_ref().and_then(party).map(|name| (words.customer)(&name)));
        lines.extend(name(sale.staff.as_deref()).map(|name| (words.staff)(&name)));
        lines
    }

    /// The first lines of a bill, and how many more there are.
    pub(super) fn goods(&self, sale: &Sale) -> Vec<String> {
        let good = |line: &SaleLine| self.good((&line.name, &line.product_code), line.quantity, line.total);
        self.first_of(&sale.lines, sale.lines_left_out, good)
    }

    /// The first of these and of so many that are not among them.
    pub(super) fn first_of<T>(&self, lines: &[T], left_out: u64, good: impl Fn(&T) -> String) -> Vec<String> {
        let mut goods: Vec<String> = lines.iter().take(SALE_LINES).map(good).collect();
        let left_out = usize::try_from(left_out).unwrap_or(usize::MAX);
        let more = lines.len().saturating_sub(SALE_LINES).saturating_add(left_out);
        goods.extend((more > 0).then(|| (self.words.more_lines)(more)));
        goods
    }

    pub(super) fn good(
        &self,
        (called, number): (&Option<String>, &Option<String>),
        count: Option<Quantity>,
        total: Option<Money>,
    ) -> String {
        let mut text = format!("• {}", self.named(called.as_deref(), number.as_deref()));
        if let Some(count) = count {
            text.push_str(&format!(" × {}", quantity(count)));
        }
        if let Some(total) = total {
            text.push_str(&format!(" = {}", money(total)));
        }
        text
    }

    /// What was paid in each way; a bill can be paid twice in cash. Only what was applied counts, not what was
    /// handed over.
    pub(super) fn paid_by(&self, payments: &[Payment]) -> Option<String> {
        let kinds = [PaymentKind::Cash, PaymentKind::Transfer, PaymentKind::Credit, PaymentKind::Other];
        joined(kinds.map(|kind| {
            let amounts: Vec<_> = payments.iter().filter(|p| p.kind == kind).map(|p| p.amount).collect();
            let sum = amounts
                .iter()
                .try_fold(Money::ZERO, |sum, amount| sum.decimal().checked_add((*amount)?.decimal()).map(Money::from));
            let word = (self.words.payment)(kind);
            match sum {
                _ if amounts.is_empty() => None,
                Some(sum) => Some(format!("{word} {}", money(sum))),
                None => Some(word.to_owned()),
            }
        }))
    }
}

/// The number on the paper, which people know; else the running number.
pub(super) fn receipt(sale: &Sale) -> Option<String> {
    code(sale.receipt.as_deref()).or_else(|| code(sale.code.as_deref()))
}
