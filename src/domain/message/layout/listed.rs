//! The lines of products, members, vendors, purchase documents and held passes.
//!
//! A message is read over a shoulder and forwarded to groups. So of a person it has the name, masked, and the code;
//! never a telephone number, an e-mail address or a nickname, in which shops write both.

use super::super::figures::{code, count, money, name, quantity};
use super::{Layout, joined, party};
use crate::domain::event::{EventKind, HeldPass};
use crate::domain::model::{Member, Product, Purchase, PurchaseLine, Timestamp, Vendor};

impl Layout {
    pub(super) fn product(
        &self,
        kind: EventKind,
        product: &Product,
        previous: Option<&Product>,
        changed: &[String],
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        match kind {
            EventKind::ProductCreated => {
                let left = product.quantity.map(|left| (words.in_stock)(&self.in_units(left, product)));
                let price = product.price.map(|price| (words.price)(&self.baht(price)));
                lines.extend(joined([price, left]));
            }
            EventKind::ProductUpdated => {
                let prices = previous.and_then(|previous| previous.price).zip(product.price);
                let prices = prices.filter(|(before, after)| before != after);
                lines.extend(prices.map(|(before, after)| (words.price_changed)(&money(before), &money(after))));
                lines.extend(self.changed(changed));
            }
            _ => lines.push(words.no_more_told.to_owned()),
        }
        lines.extend(code(product.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }

    pub(super) fn member(
        &self,
        kind: EventKind,
        member: &Member,
        previous: Option<&Member>,
        changed: &[String],
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        match kind {
            EventKind::MemberCreated => {
                lines.extend(name(member.kind.as_deref()).map(|kind| (words.member_kind)(&kind)));
            }
            EventKind::MemberUpdated => {
                let points = previous.and_then(|previous| previous.points).zip(member.points);
                let points = points.filter(|(before, after)| before != after);
                lines.extend(points.map(|(before, after)| (words.points_changed)(&quantity(before), &quantity(after))));
                lines.extend(self.changed(changed));
            }
            _ => lines.push(words.no_more_told.to_owned()),
        }
        lines.extend(code(member.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }

    pub(super) fn vendor(&self, kind: EventKind, vendor: &Vendor, changed: &[String], time: Timestamp) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        match kind {
            EventKind::VendorRemoved => lines.push(words.no_more_told.to_owned()),
            _ => lines.extend(self.changed(changed)),
        }
        lines.extend(code(vendor.code.as_deref()).map(|code| (words.product_code)(&code)));
        lines.push(self.moment(time));
        lines
    }

    pub(super) fn purchase(
        &self,
        kind: EventKind,
        purchase: &Purchase,
        previous: Option<&Purchase>,
        changed: &[String],
        time: Timestamp,
    ) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        let number = code(purchase.code.as_deref()).map(|code| (words.purchase_code)(&code));
        lines.extend(joined([number, Some(self.moment(time))]));
        lines.extend(purchase.vendor.as_ref().and_then(party).map(|name| (words.vendor)(&name)));
        match kind {
            EventKind::PurchaseCreated => {
                let good = |line: &PurchaseLine| self.good((&line.name, &line.product_code), line.quantity, line.total);
                lines.extend(self.first_of(&purchase.lines, good));
            }
            EventKind::PurchaseUpdated => {
                let totals = previous.and_then(|previous| previous.total).zip(purchase.total);
                let totals = totals.filter(|(before, after)| before != after);
                lines.extend(totals.map(|(before, after)| (words.total_changed)(&money(before), &money(after))));
                lines.extend(self.changed(changed));
            }
            _ => lines.push(words.no_more_told.to_owned()),
        }
        lines
    }

    pub(super) fn held(&self, held: &HeldPass) -> Vec<String> {
        let words = self.words;
        let counts = held.counts;
        let told = |rows: u64, word: fn(&str) -> String| (rows > 0).then(|| word(&count(rows)));
        let mut lines = vec![(words.held_of)((words.resource)(held.resource), &count(counts.known))];
        lines.extend(told(counts.vanished, words.vanished));
        lines.extend(told(counts.quantity_lost, words.quantity_lost));
        lines.extend(told(counts.to_zero, words.to_zero));
        lines.extend(told(counts.renamed, words.renamed));
        lines.extend(told(counts.emptied, words.emptied));
        lines.extend(told(counts.rewritten, words.rewritten));
        lines.extend(told(counts.cancelled, words.cancelled));
        lines.extend(told(counts.doubled, words.doubled));
        lines.extend(told(counts.implausible, words.implausible));
        lines.push((words.not_accepted_since)(&self.moment(held.since)));
        lines.push((words.held_show)(held.shop.as_str(), held.resource.name()));
        lines.push((words.held_release)(held.shop.as_str(), held.resource.name()));
        lines
    }

    pub(super) fn member_name(&self, member: &Member) -> String {
        self.person(&member.name, &member.code)
    }

    pub(super) fn vendor_name(&self, vendor: &Vendor) -> String {
        self.person(&vendor.name, &vendor.code)
    }

    /// The name, masked, else the code, else the word for having neither.
    fn person(&self, called: &Option<String>, number: &Option<String>) -> String {
        let number = || code(number.as_deref());
        name(called.as_deref()).or_else(number).unwrap_or_else(|| self.words.unnamed.to_owned())
    }
}
