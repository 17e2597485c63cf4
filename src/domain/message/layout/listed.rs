//! The lines of members, vendors and purchase documents.
//!
//! A message is read over a shoulder and forwarded to groups. So of a person it has the name, masked, and the code;
//! never a telephone number, an e-mail address or a nickname, in which shops write both.

use super::super::figures::{code, money, name, quantity};
use super::{Layout, joined, party};
use crate::domain::event::EventKind;
use crate::domain::model::{Member, Purchase, PurchaseLine, Timestamp, Vendor};

impl Layout {
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
                lines.extend(self.first_of(&purchase.lines, 0, good));
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
