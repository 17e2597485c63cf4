//! The lines of what posbell says of itself: what it found at first, and what keeps it from its work.
//!
//! A notice says what happened and since when, what that means, and what to do and who. To the owner a broken bell and
//! a quiet shop look the same, so what is *not* told is said in words.

use super::super::figures::{count, lasted, quoted};
use super::{Layout, joined};
use crate::domain::event::{
    BaselineCounts, ChannelFailing, ChannelRecovered, Event, EventKind, HeldPass, ShopDetails, ShopRecovered,
    ShopStale, StaleCause,
};
use crate::domain::model::{Resource, Timestamp};

/// How many lists a title names; `+N` says how many more there are.
const LISTS_NAMED: usize = 3;

impl Layout {
    /// What the title of a notice says, without its sign.
    pub(super) fn own_head(&self, kind: EventKind, details: &ShopDetails) -> String {
        let (words, headword) = (&self.words.notices, (self.words.headword)(kind));
        match details {
            ShopDetails::Baseline(_) => headword.to_owned(),
            ShopDetails::KeyRejected { .. } => words.key_refused_head.to_owned(),
            ShopDetails::PassHeld(held) => (words.held_head)(held.resource),
            ShopDetails::Stale(stale) => {
                let headword = if stale.again { words.still_stale } else { headword };
                self.about_lists(headword, &stale.resources)
            }
            ShopDetails::Recovered(recovered) => self.about_lists(headword, &recovered.resources),
            ShopDetails::ChannelFailing(failing) => (words.channel_failing)(failing.channel.as_str()),
            ShopDetails::ChannelRecovered(recovered) => (words.channel_recovered)(recovered.channel.as_str()),
        }
    }

    /// What a notice is about, under a title that says the rest.
    pub(super) fn own_subject(&self, details: &ShopDetails) -> Option<String> {
        match details {
            ShopDetails::Baseline(_) | ShopDetails::KeyRejected { .. } => None,
            ShopDetails::PassHeld(held) => Some((self.words.resource)(held.resource).to_owned()),
            ShopDetails::Stale(stale) => self.lists(&stale.resources),
            ShopDetails::Recovered(recovered) => self.lists(&recovered.resources),
            ShopDetails::ChannelFailing(failing) => Some(failing.channel.to_string()),
            ShopDetails::ChannelRecovered(recovered) => Some(recovered.channel.to_string()),
        }
    }

    /// The lines below the title of a notice.
    pub(super) fn own_body(&self, event: &Event, details: &ShopDetails) -> Vec<String> {
        let words = &self.words.notices;
        match details {
            ShopDetails::Baseline(counts) => self.baseline(counts),
            ShopDetails::KeyRejected { status } => {
                let mut lines = vec![(words.key_refused)(*status)];
                lines.extend((words.new_key)(event.shop.as_str()));
                lines
            }
            ShopDetails::PassHeld(held) => self.held(held),
            ShopDetails::Stale(stale) => self.stale(event, stale),
            ShopDetails::Recovered(recovered) => self.recovered(recovered),
            ShopDetails::ChannelFailing(failing) => self.channel_failing(failing),
            ShopDetails::ChannelRecovered(recovered) => self.channel_recovered(recovered),
        }
    }

    fn baseline(&self, counts: &BaselineCounts) -> Vec<String> {
        let words = self.words;
        let counted = |rows: Option<u64>, resource: Resource, word: fn(&str) -> String| {
            rows.map(|rows| if rows == 0 { (words.none_yet)(resource) } else { word(&count(rows)) })
        };
        let mut lines = Vec::new();
        lines.extend(counted(counts.products, Resource::Stock, words.products));
        if counts.products != Some(0) {
            let low = counts.low.map(|low| (words.low)(&count(low)));
            lines.extend(joined([low, counts.out.map(|out| (words.out)(&count(out)))]));
        }
        let pending = counts.pending_credits.map(|pending| (words.pending_credits)(&count(pending)));
        let overdue = counts.overdue_credits.map(|overdue| (words.overdue_credits)(&count(overdue)));
        lines.extend(joined([pending, overdue]));
        lines.extend(joined([
            counted(counts.members, Resource::Members, words.members),
            counted(counts.vendors, Resource::Vendors, words.vendors),
            counted(counts.purchases, Resource::BuyDocuments, words.purchases),
        ]));
        lines.push(words.from_now_on.to_owned());
        lines
    }

    fn stale(&self, event: &Event, stale: &ShopStale) -> Vec<String> {
        let words = &self.words.notices;
        let mut lines = vec![match stale.since {
            None => words.never_read.to_owned(),
            Some(since) if stale.again => {
                let seconds = (event.time - since).num_seconds().try_into().unwrap_or_default();
                (words.unread_for)(&lasted(seconds, words), &self.moment(since))
            }
            Some(since) => (words.last_read)(&self.moment(since)),
        }];
        lines.push((words.because)((words.stale_cause)(stale.cause)));
        let lists = self.lists(&stale.resources);
        lines.push((words.no_alerts_about)(lists.as_deref().unwrap_or(words.this_shop)));
        lines.extend((words.stale_remedy)(stale.cause, event.shop.as_str()));
        // What is held waits for a person, and what is read for the first time changes nothing.
        let catches_up = stale.since.is_some() && stale.cause != StaleCause::Held;
        lines.extend(catches_up.then(|| words.catches_up.to_owned()));
        lines.extend(quoted(&stale.why).map(|why| (words.for_technician)(&why)));
        lines
    }

    fn recovered(&self, recovered: &ShopRecovered) -> Vec<String> {
        let words = &self.words.notices;
        // None so far is no promise that nothing changed: a row that is gone is told after the next pass.
        let changes = (recovered.changes > 0).then(|| (words.changes_found)(&count(recovered.changes)));
        let lasted = match recovered.since {
            Some(since) => self.it_lasted(recovered.lasted_s, since),
            None => words.read_at_last.to_owned(),
        };
        [Some(lasted), changes, Some(words.alerts_again.to_owned())].into_iter().flatten().collect()
    }

    fn channel_failing(&self, failing: &ChannelFailing) -> Vec<String> {
        let words = &self.words.notices;
        let channel = failing.channel.as_str();
        let waiting = (failing.waiting > 0).then(|| (words.waiting)(&count(failing.waiting)));
        let mut lines = Vec::new();
        lines.extend(joined([Some((words.since)(&self.moment(failing.since))), waiting]));
        lines.push((words.because)((words.channel_fault)(failing.cause)));
        lines.extend(quoted(&failing.why).map(|why| (words.last_attempt)(&why)));
        lines.push((words.channel_means)(failing.cause, channel));
        lines.extend((words.channel_remedy)(failing.cause, channel));
        lines
    }

    fn channel_recovered(&self, recovered: &ChannelRecovered) -> Vec<String> {
        let words = &self.words.notices;
        let waiting = match recovered.waiting {
            0 => words.none_waits.to_owned(),
            waiting => (words.sends_waiting)(&count(waiting)),
        };
        vec![self.it_lasted(recovered.lasted_s, recovered.since), waiting]
    }

    fn held(&self, held: &HeldPass) -> Vec<String> {
        let words = &self.words.notices;
        let counts = held.counts;
        let told = |rows: u64, word: fn(&str) -> String| (rows > 0).then(|| word(&count(rows)));
        let what = joined([
            told(counts.vanished, words.vanished),
            told(counts.quantity_lost, words.quantity_lost),
            told(counts.to_zero, words.to_zero),
            told(counts.renamed, words.renamed),
            told(counts.emptied, words.emptied),
            told(counts.rewritten, words.rewritten),
            told(counts.cancelled, words.cancelled),
            told(counts.doubled, words.doubled),
            told(counts.implausible, words.implausible),
        ]);
        // Where at least half of the known rows are there, new sales and credits are told all the same.
        let new_are_told = counts.vanished <= counts.known / 2;
        let mut lines = vec![(words.held_means)(held.resource, new_are_told)];
        lines.extend(what.map(|what| (words.held_of)(held.resource, &count(counts.known), &what)));
        lines.push((words.not_accepted_since)(&self.moment(held.since)));
        lines.extend((words.held_remedy)(held.shop.as_str(), held.resource));
        lines
    }

    fn it_lasted(&self, seconds: u64, since: Timestamp) -> String {
        let words = &self.words.notices;
        (words.lasted)(&lasted(seconds, words), &self.moment(since))
    }

    /// A headword and the lists it is about, as many as a title has room for.
    fn about_lists(&self, headword: &str, resources: &[Resource]) -> String {
        let named = self.lists(&resources[..resources.len().min(LISTS_NAMED)]);
        let more = resources.len().saturating_sub(LISTS_NAMED);
        match named {
            Some(named) if more > 0 => format!("{headword}: {named} +{more}"),
            Some(named) => format!("{headword}: {named}"),
            None => headword.to_owned(),
        }
    }

    fn lists(&self, resources: &[Resource]) -> Option<String> {
        let names: Vec<&str> = resources.iter().map(|resource| (self.words.resource)(*resource)).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}
