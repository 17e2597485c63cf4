//! Which lines a message has: what is said first, and what is left out because the API did not give it.
//!
//! The same for every language; the words come from a [`Words`] table. Telephone numbers are never a line, and the
//! code of a member only where there is no name.

mod listed;
mod own;
mod products;
mod sales;

use chrono_tz::Tz;

use self::sales::receipt;
use super::figures::{code, day, moment, money, name, quantity};
use super::words::Words;
use crate::domain::event::{Event, EventData, EventKind, ShopDetails};
use crate::domain::model::{Credit, Customer, Money, Party, Product, Quantity, Timestamp};

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
            EventData::Credit { credit, .. } => match event.kind {
                EventKind::CreditOverdue | EventKind::CreditAging | EventKind::CreditUpdated => {
                    priced(credit.balance.or(credit.amount))
                }
                _ => priced(credit.amount),
            },
            EventData::Member { member, .. } => format!("{head}: {}", self.member_name(member)),
            EventData::Vendor { vendor, .. } => format!("{head}: {}", self.vendor_name(vendor)),
            EventData::Purchase { purchase, .. } => priced(purchase.total),
            EventData::Shop { .. } => head,
        }
    }

    /// One event as one line among others: its title, and the one thing more that tells it from its neighbours.
    pub(super) fn line(&self, event: &Event) -> String {
        let more = match &event.data {
            EventData::Sale { sale, .. } => receipt(sale),
            EventData::Product { product, .. } => product.quantity.map(|left| self.in_units(left, product)),
            EventData::Credit { credit, .. } => credit.customer.as_ref().and_then(customer),
            EventData::Member { member, .. } => code(member.code.as_deref()),
            EventData::Vendor { vendor, .. } => code(vendor.code.as_deref()),
            EventData::Purchase { purchase, .. } => {
                purchase.vendor.as_ref().and_then(party).or_else(|| code(purchase.code.as_deref()))
            }
            EventData::Shop { details: ShopDetails::PassHeld(held), .. } => {
                Some((self.words.resource)(held.resource).to_owned())
            }
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
            (
                EventData::Product { product, previous, changed, .. },
                EventKind::ProductCreated | EventKind::ProductUpdated | EventKind::ProductRemoved,
            ) => self.product(event.kind, product, previous.as_deref(), changed, time),
            (EventData::Product { product, previous, threshold, .. }, kind) => {
                self.stock(kind, product, previous.as_deref(), threshold.as_ref(), time)
            }
            (EventData::Credit { credit, changed, .. }, kind) => self.credit(kind, credit, changed, time),
            (EventData::Member { member, previous, changed }, kind) => {
                self.member(kind, member, previous.as_deref(), changed, time)
            }
            (EventData::Vendor { vendor, changed, .. }, kind) => self.vendor(kind, vendor, changed, time),
            (EventData::Purchase { purchase, previous, changed }, kind) => {
                self.purchase(kind, purchase, previous.as_deref(), changed, time)
            }
            (EventData::Shop { details: ShopDetails::Baseline(counts), .. }, _) => self.baseline(counts),
            (EventData::Shop { details: ShopDetails::KeyRejected { status }, .. }, _) => {
                self.key_rejected(&event.shop, *status)
            }
            (EventData::Shop { details: ShopDetails::PassHeld(held), .. }, _) => self.held(held),
            (EventData::Shop { details: ShopDetails::Stale(stale), .. }, _) => vec![stale.why.clone()],
            (EventData::Shop { details: ShopDetails::ChannelFailing(failing), .. }, _) => vec![failing.why.clone()],
            (EventData::Shop { .. }, _) => Vec::new(),
        }
    }

    /// The names of the fields that differ, in one line.
    fn changed(&self, changed: &[String]) -> Option<String> {
        let fields = changed.iter().filter_map(|field| match (self.words.field)(field) {
            Some(word) => Some(word.to_owned()),
            None => code(Some(field)),
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        (!fields.is_empty()).then(|| (self.words.changed)(&fields))
    }

    fn credit(&self, kind: EventKind, credit: &Credit, changed: &[String], time: Timestamp) -> Vec<String> {
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
            let days = credit.days_overdue.filter(|days| tells_days(kind) && *days > 0);
            lines.extend(joined([due, days.map(words.days_overdue)]));
        }
        if kind == EventKind::CreditUpdated {
            lines.extend(self.changed(changed));
            lines.extend(credit.status.is_none().then(|| words.found_nowhere.to_owned()));
        }
        let number = code(credit.code.as_deref()).map(|code| (words.credit_code)(&code));
        let sale = code(credit.sale_code.as_deref()).map(|code| (words.sale_code)(&code));
        lines.extend(joined([number, sale]));
        lines.push(self.moment(time));
        lines
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
        EventKind::ProductCreated => "🆕",
        EventKind::ProductUpdated => "🏷️",
        EventKind::ProductRemoved => "🗑️",
        EventKind::CreditCreated => "💳",
        EventKind::CreditUpdated => "✏️",
        EventKind::CreditOverdue => "⏰",
        EventKind::CreditAging => "⌛",
        EventKind::CreditPaid => "✅",
        EventKind::MemberCreated | EventKind::MemberUpdated | EventKind::MemberRemoved => "👤",
        EventKind::VendorCreated | EventKind::VendorUpdated | EventKind::VendorRemoved => "🚚",
        EventKind::PurchaseCreated | EventKind::PurchaseUpdated | EventKind::PurchaseRemoved => "📥",
        EventKind::ShopBaseline => "🔔",
        EventKind::ShopKeyRejected => "⛔",
        EventKind::PassHeld => "✋",
        EventKind::ShopStale | EventKind::ChannelFailing => "🚨",
        EventKind::ShopRecovered | EventKind::ChannelRecovered => "✅",
    }
}

/// Whether a message says how many days a credit is overdue.
fn tells_days(kind: EventKind) -> bool {
    matches!(kind, EventKind::CreditOverdue | EventKind::CreditAging)
}

fn party(party: &Party) -> Option<String> {
    name(party.name.as_deref()).or_else(|| code(party.code.as_deref()))
}

fn customer(customer: &Customer) -> Option<String> {
    name(customer.name.as_deref()).or_else(|| code(customer.code.as_deref()))
}

/// What there is of `parts` in one line; `None` when there is nothing.
pub(super) fn joined<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
