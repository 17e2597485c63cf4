//! Which lines a message has: what is said first, and what is left out because the API did not give it.
//!
//! The same for every language; the words come from a [`Words`] table. Telephone numbers are never a line, and the
//! code of a member only where there is no name.

mod listed;
mod own;
mod products;
mod sales;

use chrono_tz::Tz;

use self::products::names;
use self::sales::receipt;
use super::figures::{code, day, moment, money, name};
use super::words::Words;
use crate::domain::event::{Event, EventData, EventKind};
use crate::domain::model::{Credit, Customer, Money, Party, Timestamp};

/// An event as a message tells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// The event.
    pub event: &'a Event,
    /// It is the cancel of a sale that the same message would tell as sold.
    pub sold_too: bool,
}

impl<'a> Told<'a> {
    /// An event that is told as it is.
    pub(super) fn alone(event: &'a Event) -> Told<'a> {
        Told { event, sold_too: false }
    }
}

/// Lays out the messages of one language in one calendar.
pub(super) struct Layout {
    /// The words.
    pub words: &'static Words,
    /// Days and times of day are of this zone.
    pub timezone: Tz,
}

impl Layout {
    /// The title of one event, without the shop.
    pub(super) fn headline(&self, told: Told<'_>) -> String {
        let kind = told.event.kind;
        let headword = if told.sold_too { self.words.sold_and_cancelled } else { (self.words.headword)(kind) };
        let head = format!("{} {headword}", emoji(kind));
        if let EventData::Shop { details, .. } = &told.event.data {
            return format!("{} {}", emoji(kind), self.own_head(kind, details));
        }
        match (self.amount(told.event), self.thing(told.event)) {
            (Some(amount), _) => (self.words.priced)(&head, &amount),
            (None, Some(thing)) => format!("{head}: {thing}"),
            (None, None) => head,
        }
    }

    /// One event as one line among others of several kinds: its title, and what tells it from its neighbours.
    pub(super) fn line(&self, told: Told<'_>) -> String {
        match told.event.kind {
            // The sign and the figure say what the headword would.
            kind if is_level(kind) => format!("{} {}", emoji(kind), self.bare_line(told)),
            _ => self.titled_line(told),
        }
    }

    /// The same with its headword, under a title that does not name its kind.
    pub(super) fn titled_line(&self, told: Told<'_>) -> String {
        joined([Some(self.headline(told)), self.renamed(told.event), self.more(told.event)]).unwrap_or_default()
    }

    /// One event as one line among others of its kind, which the title names.
    pub(super) fn bare_line(&self, told: Told<'_>) -> String {
        let event = told.event;
        let mark = told.sold_too.then(|| self.words.sold_and_cancelled.to_owned());
        let thing = self.amount(event).or_else(|| self.renamed(event)).or_else(|| self.thing(event));
        joined([thing, self.more(event), mark]).unwrap_or_else(|| self.moment(event.time))
    }

    /// The amount in the title of what has one.
    fn amount(&self, event: &Event) -> Option<String> {
        let amount = match &event.data {
            EventData::Sale { sale, .. } => sale.total,
            EventData::Credit { credit, .. } => match event.kind {
                EventKind::CreditOverdue | EventKind::CreditAging | EventKind::CreditUpdated => {
                    credit.balance.or(credit.amount)
                }
                _ => credit.amount,
            },
            EventData::Purchase { purchase, .. } => purchase.total,
            _ => None,
        };
        amount.map(|amount| self.baht(amount))
    }

    /// What the title of an event names, with the figure that matters most.
    fn thing(&self, event: &Event) -> Option<String> {
        match &event.data {
            EventData::Product { product, .. } => Some(self.product_with_figure(event.kind, product)),
            EventData::Member { member, .. } => Some(self.member_name(member)),
            EventData::Vendor { vendor, .. } => Some(self.vendor_name(vendor)),
            EventData::Shop { details, .. } => self.own_subject(details),
            EventData::Sale { .. } | EventData::Credit { .. } | EventData::Purchase { .. } => None,
        }
    }

    /// Both names of a product that is called something else now.
    fn renamed(&self, event: &Event) -> Option<String> {
        match (&event.data, event.kind) {
            (EventData::Product { product, previous, .. }, EventKind::ProductUpdated) => {
                let (before, after) = names(product, previous.as_deref())?;
                Some(format!("{before} → {after}"))
            }
            _ => None,
        }
    }

    /// The one thing more that a line says of an event besides its title.
    fn more(&self, event: &Event) -> Option<String> {
        match &event.data {
            EventData::Sale { sale, previous, changed } => {
                let totals = previous.as_ref().and_then(|previous| previous.total).zip(sale.total);
                joined([receipt(sale), self.difference(totals, changed)])
            }
            EventData::Product { product, previous, changed, .. } => {
                self.more_of_product(event.kind, product, previous.as_deref(), changed)
            }
            EventData::Credit { credit, changed, .. } => {
                let fields = (event.kind == EventKind::CreditUpdated).then(|| self.fields(changed)).flatten();
                joined([credit.customer.as_ref().and_then(customer), fields])
            }
            EventData::Member { member, changed, .. } => joined([code(member.code.as_deref()), self.fields(changed)]),
            EventData::Vendor { vendor, changed, .. } => joined([code(vendor.code.as_deref()), self.fields(changed)]),
            EventData::Purchase { purchase, previous, changed } => {
                let vendor = purchase.vendor.as_ref().and_then(party).or_else(|| code(purchase.code.as_deref()));
                let totals = previous.as_ref().and_then(|previous| previous.total).zip(purchase.total);
                joined([vendor, self.difference(totals, changed)])
            }
            EventData::Shop { .. } => None,
        }
    }

    /// The totals where they differ, and the other fields that do.
    fn difference(&self, totals: Option<(Money, Money)>, changed: &[String]) -> Option<String> {
        let differ = totals.filter(|(before, after)| before != after && changed.iter().any(|field| field == "total"));
        let differ = differ.map(|(before, after)| (self.words.total_changed)(&money(before), &money(after)));
        let shown: &[&str] = if differ.is_some() { &["total"] } else { &[] };
        joined([differ, self.fields_but(changed, shown)])
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
            (EventData::Shop { details, .. }, _) => self.own_body(event, details),
        }
    }

    /// The line that names the fields that differ.
    fn changed(&self, changed: &[String]) -> Option<String> {
        self.fields(changed).map(|fields| (self.words.changed)(&fields))
    }

    /// The names of those fields.
    fn fields(&self, changed: &[String]) -> Option<String> {
        self.fields_but(changed, &[])
    }

    /// The names of those fields but the ones that are shown with their values.
    fn fields_but(&self, changed: &[String], shown: &[&str]) -> Option<String> {
        let others = changed.iter().filter(|field| !shown.contains(&field.as_str()));
        let fields = others.filter_map(|field| match (self.words.field)(field) {
            Some(word) => Some(word.to_owned()),
            None => code(Some(field)),
        });
        let fields = fields.collect::<Vec<_>>().join(", ");
        (!fields.is_empty()).then_some(fields)
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

    /// The name, else the code, else the word for having neither. Never masked: `15-15-15 50` is a fertilizer, and a
    /// product's name tells nobody's telephone number.
    fn named(&self, called: Option<&str>, number: Option<&str>) -> String {
        code(called).or_else(|| code(number)).unwrap_or_else(|| self.words.unnamed.to_owned())
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

/// Whether it says how much of a product is left.
fn is_level(kind: EventKind) -> bool {
    matches!(kind, EventKind::StockLow | EventKind::StockCritical | EventKind::StockOut | EventKind::StockRecovered)
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
