//! Do the windows that were read hang together, and which one is wanted next?
//!
//! The proof of why that is enough stands in the parent module. Here is the bookkeeping: the last window of the chain,
//! and the few beyond it that were asked for ahead of their turn. Of everything before, nothing is kept.

use std::collections::{HashSet, VecDeque};

use super::window::Window;
use super::{Answer, ByKey, Key, Ticket};

/// How often a break is mended before the list is given up. Each time the step back doubles, so that sooner or later
/// the first row is reached, from where a chain may always begin anew.
const MENDS: u32 = 40;

/// What has become of a chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It does not reach the end yet.
    Open,
    /// It reaches from the first row to the end.
    End,
    /// It breaks again and again.
    Lost,
    /// The server gives pages of one length, whatever is asked for: these are its first two.
    OneLength(Vec<Key>, Vec<Key>),
}

/// A window that was or will be asked for, beyond the chain's last one.
#[derive(Debug)]
struct Link {
    window: Window,
    ticket: Option<Ticket>,
    read: Option<Read>,
    /// It was found not to hang on the chain before, or was asked for because of that. The next time it goes.
    blamed: bool,
}

/// What a window has shown.
#[derive(Debug)]
struct Read {
    end: u64,
    keys: Vec<Key>,
    at_end: bool,
}

/// Windows that overlap.
#[derive(Debug)]
pub(super) struct Chain {
    limit: u32,
    /// The last window that hangs on the chain.
    tail: Option<Read>,
    ahead: VecDeque<Link>,
    /// Breaks since the chain last grew.
    broken: u32,
    /// The server was seen to give the window that was asked for.
    honoured: bool,
}

impl Chain {
    fn new(limit: u32) -> Self {
        Self { limit, tail: None, ahead: VecDeque::new(), broken: 0, honoured: false }
    }

    /// Takes the first page, which was read before it was clear that there is more than one.
    pub fn begin(limit: u32, keys: Vec<Key>) -> Self {
        let tail = Read { end: keys.len() as u64, keys, at_end: false };
        Self { tail: Some(tail), ..Self::new(limit) }
    }

    /// The same once more, of a server that is known to honour what it is asked.
    pub fn again(limit: u32) -> Self {
        Self { honoured: true, ..Self::new(limit) }
    }

    /// The window to ask for now, where there is one. At most `width` are under way or waiting for their turn; where it
    /// is not known how many rows there are (`total`), one.
    pub fn next(&mut self, ticket: Ticket, total: Option<u64>, width: usize) -> Option<Window> {
        if let Some(link) = self.ahead.iter_mut().find(|link| link.ticket.is_none()) {
            link.ticket = Some(ticket);
            return Some(link.window);
        }
        let reach = match self.ahead.back() {
            None => self.tail.as_ref().map_or(0, |tail| tail.end),
            Some(back) => back.window.end(),
        };
        let more = self.honoured && self.ahead.len() < width && total.is_some_and(|total| reach < total);
        if !self.ahead.is_empty() && !more {
            return None;
        }
        let window = Window::furthest(reach.saturating_sub(1), self.limit);
        self.ahead.push_back(Link { window, ticket: Some(ticket), read: None, blamed: false });
        Some(window)
    }

    /// Whether that ticket's window is still of use, and which one it is.
    pub fn window(&self, ticket: Ticket) -> Option<Window> {
        self.ahead.iter().find(|link| link.ticket == Some(ticket)).map(|link| link.window)
    }

    /// Takes the answer to a window, and joins what hangs together.
    pub fn take(&mut self, ticket: Ticket, answer: Answer, is_stuck: bool) -> Settled {
        let Some(link) = self.ahead.iter_mut().find(|link| link.ticket == Some(ticket)) else { return Settled::Open };
        let window = link.window;
        if !self.honoured && answer.keys.len() as u64 > u64::from(window.limit) && window.page == 2 {
            let first = self.tail.take().map(|tail| tail.keys).unwrap_or_default();
            return Settled::OneLength(first, answer.keys);
        }
        let end = window.start() + answer.keys.len() as u64;
        let is_short = (answer.keys.len() as u64) < u64::from(window.limit);
        // A count that contradicts the rows is not believed: a full page has more behind it whatever the count, and a
        // short one without news is the end.
        let at_end = match (answer.total, answer.total_page) {
            (Some(total), _) => end == total || is_short && (end > total || answer.new == 0),
            (None, Some(pages)) => u64::from(window.page) >= pages || is_short && answer.new == 0,
            (None, None) => is_short,
        };
        link.read = Some(Read { end, keys: answer.keys, at_end });
        self.settle(is_stuck)
    }

    fn settle(&mut self, is_stuck: bool) -> Settled {
        loop {
            if self.tail.as_ref().is_some_and(|tail| tail.at_end) {
                return Settled::End;
            }
            let Some(read) = self.ahead.front().and_then(|link| link.read.as_ref()) else { return Settled::Open };
            let from_first_row = self.ahead[0].window.start() == 0;
            let shared = self.tail.as_ref().is_none_or(|tail| share(&tail.keys, &read.keys));
            if !from_first_row && !shared {
                if let Some(settled) = self.mend() {
                    return settled;
                }
                continue;
            }
            if from_first_row && self.has_one_full_page() {
                return Settled::End;
            }
            self.honoured |= !from_first_row && !is_stuck;
            self.broken = 0;
            self.tail = self.ahead.pop_front().and_then(|link| link.read);
        }
    }

    /// The next window does not hang on the chain: rows went away and pulled the rest up, so one is read in between.
    fn mend(&mut self) -> Option<Settled> {
        if let Some(pages) = self.one_length() {
            return Some(pages);
        }
        self.broken += 1;
        if self.broken > MENDS {
            return Some(Settled::Lost);
        }
        match self.ahead.front_mut() {
            Some(link) if !link.blamed => link.blamed = true,
            _ => drop(self.ahead.pop_front()),
        }
        let (end, limit) = (self.tail.as_ref().map_or(0, |tail| tail.end), u64::from(self.limit));
        let back = |rows: u64| Window::furthest(end.saturating_sub(1).saturating_sub(rows), self.limit);
        let mut window = back((limit / 2).saturating_mul(1 << (self.broken - 1)));
        if self.broken == 1 && window.end() <= end {
            // Near the top no window begins half a page earlier and still reaches beyond.
            window = back(limit / 4);
        }
        self.ahead.push_front(Link { window, ticket: None, read: None, blamed: true });
        None
    }

    /// Whether the second page came again, the same for another limit: the server has one length of its own.
    fn one_length(&mut self) -> Option<Settled> {
        let [mending, second] = [self.ahead.front()?, self.ahead.get(1)?];
        let keys = &mending.read.as_ref()?.keys;
        let is_same = mending.window.page == 2 && second.window.page == 2 && second.read.as_ref()?.keys == *keys;
        if self.honoured || !is_same || keys.is_empty() {
            return None;
        }
        let (first, second) = (self.tail.take()?.keys, keys.clone());
        Some(Settled::OneLength(first, second))
    }

    /// Whether the first page came again as it was, and nothing at all for a second page that begins within it: the
    /// server has one length of its own, and one full page of rows.
    fn has_one_full_page(&self) -> bool {
        let [Some(again), Some(second)] = [self.ahead.front(), self.ahead.get(1)] else { return false };
        let (Some(again), Some(second), Some(tail)) = (&again.read, &second.read, &self.tail) else { return false };
        !self.honoured && second.keys.is_empty() && again.keys == tail.keys
    }
}

/// Whether a row stands in both.
fn share(one: &[Key], other: &[Key]) -> bool {
    let one: HashSet<Key, ByKey> = one.iter().copied().collect();
    other.iter().any(|key| one.contains(key))
}
