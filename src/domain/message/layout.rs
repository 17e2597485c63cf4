//! Which lines a message has: what is said first, and what is left out because the API did not give it.
//!
//! The same for every language; the words come from a [`Words`] table. Telephone numbers are never a line, and the
//! code of a member only where there is no name.

use chrono_tz::Tz;

use super::figures::{code, count, day, moment, money, name, quantity};
use super::words::Words;
use crate::domain::event::{BaselineCounts, Event, EventData, EventKind, ShopDetails, ThresholdView};
use crate::domain::model::{
    Credit, Customer, Money, Party, Payment, PaymentKind, Product, Quantity, Sale, SaleLine, ShopId, Timestamp,
};

/// How many lines of a bill are shown: a phone shows about ten lines before one has to scroll.
const SALE_LINES: usize = 5;

/// Lays out the messages of one language in one calendar.
pub(super) struct Layout {
    /// The words.
    pub words: &'static Words,
    /// Days and times of day are of this zone.
    pub timezone: Tz,
}

impl Layout {
    /// The title of one event, without the shop.
    pub(super) fn headline(&self, event: &Event) -> String {
        let words = self.words;
        let head = format!("{} {}", emoji(event.kind), (words.headword)(event.kind));
        let priced = |amount: Option<Money>| match amount {
            Some(amount) => (words.priced)(&head, &money(amount)),
            None => head.clone(),
        };
        match &event.data {
            EventData::Sale { sale, .. } => priced(sale.total),
            EventData::Product { product, .. } => format!("{head}: {}", self.product_name(product)),
            EventData::Credit { credit, .. } if event.kind == EventKind::CreditOverdue => {
                priced(credit.balance.or(credit.amount))
            }
            EventData::Credit { credit, .. } => priced(credit.amount),
            EventData::Shop { .. } => head,
        }
    }

    /// One event as one line among others: its title, and the one thing more that tells it from its neighbours.
    pub(super) fn line(&self, event: &Event) -> String {
        let more = match &event.data {
            EventData::Sale { sale, .. } => receipt(sale),
            EventData::Product { product, .. } => product.quantity.map(|left| self.in_units(left, product)),
            EventData::Credit { credit, .. } => credit.customer.as_ref().and_then(customer),
            EventData::Shop { .. } => None,
        };
        joined([Some(self.headline(event)), more]).unwrap_or_default()
    }

    /// The lines below the title of one event.
    pub(super) fn body(&self, event: &Event) -> Vec<String> {
        let time = event.time;
        match (&event.data, event.kind) {
            (EventData::Sale { sale, .. }, EventKind::SaleCancelled) => self.cancelled(sale, time),
            (EventData::Sale { sale, previous, changed }, EventKind::SaleUpdated) => {
                self.updated(sale, previous.as_deref(), changed, time)
            }
            (EventData::Sale { sale, .. }, _) => self.sold(sale, time),
            (EventData::Product { product, previous, threshold, .. }, kind) => {
                self.stock(kind, product, previous.as_deref(), threshold.as_ref(), time)
            }
            (EventData::Credit { credit, .. }, kind) => self.credit(kind, credit, time),
            (EventData::Shop { details: ShopDetails::Baseline(counts), .. }, _) => self.baseline(counts),
            (EventData::Shop { details: ShopDetails::KeyRejected { status }, .. }, _) => {
                self.key_rejected(&event.shop, *status)
            }
        }
    }

    fn sold(&self, sale: &Sale, time: Timestamp) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(joined([receipt(sale).map(|code| (words.receipt)(&code)), Some(self.moment(time))]));
        lines.extend(sale.member.as_ref().and_then(member).map(|name| (words.customer)(&name)));
        lines.extend(self.goods(&sale.lines));
        let discount = sale.discount.filter(|discount| *discount != Money::ZERO);
        lines.extend(discount.map(|discount| (words.discount)(&self.baht(discount))));
        lines.extend(self.paid_by(&sale.payments).map(|ways| (words.paid_by)(&ways)));
        lines.extend(name(sale.comment.as_deref()).map(|text| (words.comment)(&text)));
        lines.extend(name(sale.staff.as_deref()).map(|name| (words.staff)(&name)));
        lines
    }

    fn cancelled(&self, sale: &Sale, time: Timestamp) -> Vec<String> {
        let words = self.words;
        let sold_at = sale.sold_at.map(|sold_at| (words.sold_at)(&self.moment(sold_at)));
        let cancelled_at = self.moment(sale.cancelled_at.unwrap_or(time));
        let mut lines = Vec::new();
        lines.extend(joined([receipt(sale).map(|code| (words.receipt)(&code)), sold_at]));
        lines.push((words.cancelled_at)(&cancelled_at));
        lines.extend(name(sale.comment.as_deref()).map(|text| (words.reason)(&text)));
        lines.extend(sale.total.map(|total| (words.no_longer_counts)(&self.baht(total))));
        lines.extend(sale.member.as_ref().and_then(member).map(|name| (words.customer)(&name)));
        lines.extend(self.goods(&sale.lines));
        lines.extend(name(sale.staff.as_deref()).map(|name| (words.staff)(&name)));
        lines
    }

    fn updated(&self, sale: &Sale, previous: Option<&Sale>, changed: &[String], time: Timestamp) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(joined([receipt(sale).map(|code| (words.receipt)(&code)), Some(self.moment(time))]));
        let totals = previous.and_then(|previous| previous.total).zip(sale.total);
        let totals = totals.filter(|(before, after)| before != after);
        lines.extend(totals.map(|(before, after)| (words.total_changed)(&money(before), &money(after))));
        let fields = changed.iter().filter_map(|field| match (words.field)(field) {
            Some(word) => Some(word.to_owned()),
            None => code(Some(field)),
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        lines.extend((!fields.is_empty()).then(|| (words.changed)(&fields)));
        lines.extend(sale.member.as_ref().and_then(member).map(|name| (words.customer)(&name)));
        lines.extend(name(sale.staff.as_deref()).map(|name| (words.staff)(&name)));
        lines
    }

    /// The first lines of a bill, and how many more there are.
    fn goods(&self, lines: &[SaleLine]) -> Vec<String> {
        let mut goods: Vec<String> = lines.iter().take(SALE_LINES).map(|line| self.good(line)).collect();
        let more = lines.len().saturating_sub(SALE_LINES);
        goods.extend((more > 0).then(|| (self.words.more_lines)(more)));
        goods
    }

    fn good(&self, line: &SaleLine) -> String {
        let mut text = format!("• {}", self.named(line.name.as_deref(), line.product_code.as_deref()));
        if let Some(sold) = line.quantity {
            text.push_str(&format!(" × {}", quantity(sold)));
        }
        if let Some(total) = line.total {
            text.push_str(&format!(" = {}", money(total)));
        }
        text
    }

    /// What was paid in each way; a bill can be paid twice in cash. Only what was applied counts, not what was
    /// handed over.
    fn paid_by(&self, payments: &[Payment]) -> Option<String> {
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

    fn stock(
        &self,
        kind: EventKind,
        product: &Product,
        previous: Option<&Product>,
        threshold: Option<&ThresholdView>,
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let now = product.quantity.map(|left| self.in_units(left, product));
        let before = previous.and_then(|previous| previous.quantity).map(quantity);
        let mut lines = Vec::new();
        match kind {
            EventKind::StockChanged => lines.extend(now.map(|now| match before {
                Some(before) => format!("{before} → {now}"),
                None => (words.in_stock)(&now),
            })),
            EventKind::StockRecovered => lines.extend(now.map(|now| (words.in_stock)(&now))),
            _ => {
                let below = threshold.and_then(|threshold| threshold.below).map(quantity);
                lines.extend(joined([
                    now.map(|now| (words.left)(&now)),
                    below.map(|below| (words.alert_below)(&below)),
                ]));
            }
        }
        let negative = product.quantity.is_some_and(|left| left < Quantity::ZERO);
        lines.extend(negative.then(|| words.below_zero.to_owned()));
        lines.extend(code(product.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }

    fn credit(&self, kind: EventKind, credit: &Credit, time: Timestamp) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(credit.customer.as_ref().and_then(customer).map(|name| (words.customer)(&name)));
        if kind != EventKind::CreditPaid {
            lines.extend(match (credit.balance, credit.amount) {
                (Some(balance), Some(amount)) if balance != amount => {
                    Some((words.owed_of)(&money(balance), &self.baht(amount)))
                }
                (balance, amount) => balance.or(amount).map(|owed| (words.owed)(&self.baht(owed))),
            });
            let due = credit.due_at.map(|due| (words.due)(&day(due, self.timezone, &words.months)));
            let days = credit.days_overdue.filter(|days| kind == EventKind::CreditOverdue && *days > 0);
            lines.extend(joined([due, days.map(words.days_overdue)]));
        }
        let number = code(credit.code.as_deref()).map(|code| (words.credit_code)(&code));
        let sale = code(credit.sale_code.as_deref()).map(|code| (words.sale_code)(&code));
        lines.extend(joined([number, sale]));
        lines.push(self.moment(time));
        lines
    }

    fn baseline(&self, counts: &BaselineCounts) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(counts.products.map(|products| (words.products)(&count(products))));
        let low = counts.low.map(|low| (words.low)(&count(low)));
        lines.extend(joined([low, counts.out.map(|out| (words.out)(&count(out)))]));
        let pending = counts.pending_credits.map(|pending| (words.pending_credits)(&count(pending)));
        let overdue = counts.overdue_credits.map(|overdue| (words.overdue_credits)(&count(overdue)));
        lines.extend(joined([pending, overdue]));
        lines.push(words.from_now_on.to_owned());
        lines
    }

    fn key_rejected(&self, shop: &ShopId, status: u16) -> Vec<String> {
        let words = self.words;
        vec![(words.key_refused)(status), words.ask_for_key.to_owned(), (words.then_resume)(shop.as_str())]
    }

    fn product_name(&self, product: &Product) -> String {
        self.named(product.name.as_deref(), product.code.as_deref())
    }

    /// The name, else the code, else the word for having neither. Never masked: `15-15-15 50` is a fertilizer, and a
    /// product's name tells nobody's telephone number.
    fn named(&self, called: Option<&str>, number: Option<&str>) -> String {
        code(called).or_else(|| code(number)).unwrap_or_else(|| self.words.unnamed.to_owned())
    }

    fn in_units(&self, left: Quantity, product: &Product) -> String {
        match code(product.unit.as_deref()) {
            Some(unit) => format!("{} {unit}", quantity(left)),
            None => quantity(left),
        }
    }

    fn baht(&self, amount: Money) -> String {
        (self.words.baht)(&money(amount))
    }

    /// The moment in this language and zone.
    pub(super) fn moment(&self, time: Timestamp) -> String {
        moment(time, self.timezone, &self.words.months)
    }
}

/// The sign at the beginning of a title, so that a glance at the phone is enough.
pub(super) fn emoji(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SaleCreated => "🧾",
        EventKind::SaleCancelled => "❌",
        EventKind::SaleUpdated => "✏️",
        EventKind::StockLow => "🟡",
        EventKind::StockCritical => "🟠",
        EventKind::StockOut => "🔴",
        EventKind::StockRecovered => "🟢",
        EventKind::StockChanged => "📦",
        EventKind::CreditCreated => "💳",
        EventKind::CreditOverdue => "⏰",
        EventKind::CreditPaid => "✅",
        EventKind::ShopBaseline => "🔔",
        EventKind::ShopKeyRejected => "⛔",
    }
}

/// The number on the paper, which people know; else the running number.
fn receipt(sale: &Sale) -> Option<String> {
    code(sale.receipt.as_deref()).or_else(|| code(sale.code.as_deref()))
}

fn member(member: &Party) -> Option<String> {
    name(member.name.as_deref()).or_else(|| code(member.code.as_deref()))
}

fn customer(customer: &Customer) -> Option<String> {
    name(customer.name.as_deref()).or_else(|| code(customer.code.as_deref()))
}

/// What there is of `parts` in one line; `None` when there is nothing.
pub(super) fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
