//! The lines of what posbell says of itself: what it found at first, and what keeps it from its work.

use super::super::figures::count;
use super::{Layout, joined};
use crate::domain::event::{BaselineCounts, HeldPass};
use crate::domain::model::ShopId;

impl Layout {
    pub(super) fn baseline(&self, counts: &BaselineCounts) -> Vec<String> {
        let words = self.words;
        let mut lines = Vec::new();
        lines.extend(counts.products.map(|products| (words.products)(&count(products))));
        let low = counts.low.map(|low| (words.low)(&count(low)));
        lines.extend(joined([low, counts.out.map(|out| (words.out)(&count(out)))]));
        let pending = counts.pending_credits.map(|pending| (words.pending_credits)(&count(pending)));
        let overdue = counts.overdue_credits.map(|overdue| (words.overdue_credits)(&count(overdue)));
        lines.extend(joined([pending, overdue]));
        let members = counts.members.map(|members| (words.members)(&count(members)));
        let vendors = counts.vendors.map(|vendors| (words.vendors)(&count(vendors)));
        let purchases = counts.purchases.map(|purchases| (words.purchases)(&count(purchases)));
        lines.extend(joined([members, vendors, purchases]));
        lines.push(words.from_now_on.to_owned());
        lines
    }

    pub(super) fn key_rejected(&self, shop: &ShopId, status: u16) -> Vec<String> {
        let words = self.words;
        vec![(words.key_refused)(status), words.ask_for_key.to_owned(), (words.then_resume)(shop.as_str())]
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
}
