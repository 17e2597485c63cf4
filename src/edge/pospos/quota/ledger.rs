//! What stands in the ledger file, and what does a process believe that finds it?
//!
//! Pure functions from text to places and back, so that crashes can be played through a million times without a
//! disk; `file` does the writing.
//!
//! # The form, version 2
//!
//! Lines of plain text, so that a person can read it in the night in which it matters. Every stamp is nanoseconds of
//! `CLOCK_BOOTTIME` in the boot named at the top. Behind each line stands its seal (` #` and eight digits, see `seal`).
//!
//! ```text
//! posbell-quota 2            what this is
//! after 0123456789abcdef     what the mark said when this head was written
//! boot 6f1c0c1e-…            the boot whose clock is meant
//! written 81000000000        when this head was written
//! since 20000000000          every call that ended after this is in here
//! lost 30000000000           what was called until then is not known, and may be anything; only there after damage
//! = 79000000000 3            so many calls ended then
//! --                         the end of the head
//! + 4 81500000000            place 4 was reserved then: synced before a call leaves in it
//! + 5 81600000000 12         places 5 to 16 were reserved then
//! - 4 81900000000            the call in place 4 ended then
//! ? 5 83000000000            place 5's call ended then without an answer: counts as later, see STRAGGLER
//! ~ 6 11                     places 6 to 16 were given back: no call was made in them
//! ! 90000000000              the server asked for silence until then
//! / 2 690000000000           and half of every allowance is used until then
//! ```
//!
//! The file is read once, at start, and at once replaced by a fresh head in the present boot's time. So all stamps in
//! one file are of one boot, and what was concluded at a start is written down: a crash loop does not conclude it
//! again with a later stamp, or it would never call again.
//!
//! # What is believed
//!
//! The *mark* is the seal of the last line that must be there: of a reservation, a silence, a head. It is written after
//! that line and before a call leaves because of it.
//!
//! * *The mark is found*, and every seal up to there is right: the file is whole up to there. What follows may be cut off
//!   or torn, as a kill leaves it: lines of calls that ended, which then count as later, and reservations in which no call
//!   has left. From the first line that is not as it was written on, nothing is read.
//! * *The mark is that of the line `after`*, and the head is whole: the process died between the new file and the mark.
//! * *Anything else is damage*: lines are gone, the file, the mark, or both are of different times. Then up to now (and
//!   [`STRAGGLER`] longer) every allowance counts as used up: one window of silence.
//! * *Same boot*: the stamps as they stand. A place without an end was under way when the process died, or was not
//!   taken yet, which nobody can tell; it ended at the latest now.
//! * *Another boot*, or a clock that went back: how long ago that was cannot be known. It was a reboot, or the
//!   directory was carried to another machine, and then uptime says nothing. What is sure is that the last stamp in
//!   the file is not in the future. So the last stamp is taken for now, and everything else keeps its distance to it.
//! * *Neither file*: the past up to now is unknown, see [`QuotaLimit::assumed`](super::QuotaLimit::assumed).
//!
//! A file of version 1 has no seals. It is read once where there is no mark yet, as it was by the posbell that wrote it;
//! and that posbell takes a file of version 2 for a damaged one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::seal::Seal;
use super::slow::Slow;
use super::{Monotonic, PlaceId, Places, STRAGGLER};

/// How the ledger was found, for the log and the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerState {
    /// Whole up to its mark, and of this boot.
    Continued,
    /// Whole up to its mark, and of another boot or another machine.
    OtherBoot,
    /// There was none: a first start, or somebody deleted it.
    New,
    /// Something is missing or changed; every allowance is taken for used up.
    Damaged,
}

/// What this is, and its version.
const HEAD: &str = "posbell-quota 2";

/// The same of the version before, without seals.
const HEAD_UNSEALED: &str = "posbell-quota 1";

/// The last line of a head.
const HEAD_ENDS: &str = "--";

/// What is known of the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// There is none.
    Missing,
    /// It is not as it was written.
    Unreadable,
    /// It says that the line with this seal must be there.
    Says(Seal),
}

impl Mark {
    /// Whether no ledger with a mark was ever there.
    fn is_none(self) -> bool {
        matches!(self, Mark::Missing) || self == Mark::Says(Seal::default())
    }
}

/// Whether the ledger was written in this boot, as its head says.
pub(super) fn is_of_boot(bytes: &[u8], boot_id: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    // Behind the word stands the seal of the line.
    let mut boots = text.lines().take(HEAD_LINES).filter_map(|line| line.strip_prefix("boot ")?.split(' ').next());
    boots.any(|boot| boot == boot_id)
}

/// How many lines a head has.
const HEAD_LINES: usize = 5;

/// Whether these bytes are a ledger that has a mark.
pub(super) fn has_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(HEAD.as_bytes())
}

/// Whether calls might go too early if one of these lines were lost: not of those of calls that ended.
pub(super) fn must_stay(lines: &str) -> bool {
    lines.lines().any(|line| line.starts_with(['+', '!', '/']))
}

/// The line of a reservation of one place or more.
pub(super) fn reserved(ids: &Range<u64>, at: Monotonic) -> String {
    match ids.end - ids.start {
        1 => format!("+ {} {}\n", ids.start, at.nanos()),
        count => format!("+ {} {} {count}\n", ids.start, at.nanos()),
    }
}

/// The line of places that no call will be made in.
pub(super) fn given_back(ids: &Range<u64>) -> String {
    format!("~ {} {}\n", ids.start, ids.end - ids.start)
}

/// The line of a call that was answered.
pub(super) fn ended(id: PlaceId, at: Monotonic) -> String {
    format!("- {} {}\n", id.0, at.nanos())
}

/// The line of a call that ended without an answer.
pub(super) fn lost(id: PlaceId, at: Monotonic) -> String {
    format!("? {} {}\n", id.0, at.nanos())
}

/// The line of a caution after the server saw too many calls.
pub(super) fn slowed(slow: Slow) -> String {
    format!("/ {} {}\n", slow.divisor, slow.until.nanos())
}

/// The line of a silence that the server asked for.
pub(super) fn paused(until: Monotonic) -> String {
    format!("! {}\n", until.nanos())
}

/// The whole file for `places`, not sealed yet, where the mark says `after`.
pub(super) fn render(places: &Places, boot_id: &str, now: Monotonic, after: Seal) -> String {
    let (after, written, since) = (after.written(), now.nanos(), places.since.nanos());
    let mut text = format!("{HEAD}\nafter {after}\nboot {boot_id}\nwritten {written}\nsince {since}\n");
    if let Some(lost) = places.lost {
        writeln!(text, "lost {}", lost.nanos()).expect("a String takes every write");
    }
    for (end, count) in &places.ended {
        writeln!(text, "= {} {count}", end.nanos()).expect("a String takes every write");
    }
    for (&id, &at) in &places.open {
        text.push_str(&reserved(&(id.0..id.0 + 1), at));
    }
    if !places.spare.ids.is_empty() {
        text.push_str(&reserved(&places.spare.ids, places.spare.at));
    }
    if places.paused > now {
        text.push_str(&paused(places.paused));
    }
    if let Some(slow) = places.slow_at(now) {
        text.push_str(&slowed(slow));
    }
    writeln!(text, "{HEAD_ENDS}").expect("a String takes every write");
    text
}

/// What follows for a process that starts now from the file's bytes, or from there being none, and from the mark.
pub(super) fn recover(bytes: Option<&[u8]>, mark: Mark, boot_id: &str, now: Monotonic) -> (Places, LedgerState) {
    let lost = || (Places::lost_before(now.plus(STRAGGLER)), LedgerState::Damaged);
    let Some(bytes) = bytes else {
        return if mark.is_none() { (Places::unknown_before(now), LedgerState::New) } else { lost() };
    };
    let text = String::from_utf8_lossy(bytes);
    let Some(written) = Written::read(&text, mark) else { return lost() };
    let same_boot = !boot_id.is_empty() && written.boot == boot_id && written.last <= now;
    let mut places = written.believed(now, same_boot);
    if written.damaged {
        places.lost = Some(now.plus(STRAGGLER));
    }
    let state = match (written.damaged, same_boot) {
        (true, _) => LedgerState::Damaged,
        (false, true) => LedgerState::Continued,
        (false, false) => LedgerState::OtherBoot,
    };
    (places, state)
}

/// The file as it stands, in its own boot's time.
#[derive(Default)]
struct Written<'a> {
    boot: &'a str,
    since: Monotonic,
    lost: Option<Monotonic>,
    /// The latest moment at which something was surely written.
    last: Monotonic,
    paused: Option<Monotonic>,
    slow: Option<Slow>,
    /// Reserved places without an end: runs of them, the first number and the one after the last. As runs, so that a
    /// damaged count costs no memory.
    open: BTreeMap<u64, u64>,
    ended: Vec<(Monotonic, u32)>,
    /// Of version 1, the last line was not finished: a reservation, perhaps.
    torn: bool,
    /// It is not as it was written.
    damaged: bool,
}

impl<'a> Written<'a> {
    /// Reads the text; `None` without a whole head.
    fn read(text: &'a str, mark: Mark) -> Option<Self> {
        if text.split_once('\n').is_some_and(|(first, _)| first == HEAD_UNSEALED) {
            return Self::read_unsealed(text)
                .map(|written| Self { damaged: written.damaged || !mark.is_none(), ..written });
        }
        let (mut seal, mut bodies, mut is_marked, mut is_whole) = (Seal::default(), Vec::new(), false, true);
        for line in text.split_inclusive('\n') {
            let (body, sealed) = seal.open(line);
            match sealed {
                Some(next) if is_whole => {
                    seal = next;
                    is_marked |= mark == Mark::Says(next);
                }
                // What was lost is lost; what can still be read of a damaged file may ask for silence.
                _ if !is_marked => is_whole = false,
                _ => break,
            }
            bodies.push(body);
        }
        let mut lines = bodies.into_iter();
        let mut head = |name: &str| lines.next()?.strip_prefix(name);
        head(HEAD).filter(|rest| rest.is_empty())?;
        let after = Seal::read(head("after ")?);
        let boot = head("boot ")?;
        let last = stamp(head("written ")?)?;
        let since = stamp(head("since ")?)?;
        let mut written = Self { boot, since, last, ..Self::default() };
        let mut head_ends = false;
        for line in lines {
            head_ends |= line == HEAD_ENDS;
            let is_read = line == HEAD_ENDS || written.line(line).is_some();
            written.damaged |= !is_read;
        }
        let follows = head_ends && is_whole && after.is_some_and(|after| mark == Mark::Says(after));
        written.damaged |= !is_marked && !follows;
        Some(written)
    }

    /// Reads a text of version 1; `None` without a whole head.
    fn read_unsealed(text: &'a str) -> Option<Self> {
        let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n').ok_or(line));
        let mut head = |name: &str| lines.next()?.ok()?.strip_prefix(name);
        head(HEAD_UNSEALED).filter(|rest| rest.is_empty())?;
        let boot = head("boot ")?;
        let last = stamp(head("written ")?)?;
        let since = stamp(head("since ")?)?;
        let mut written = Self { boot, since, last, ..Self::default() };
        let mut lines = lines.peekable();
        while let Some(line) = lines.next() {
            let read = line.ok().and_then(|line| written.line(line));
            match (read, lines.peek()) {
                (Some(()), _) => {}
                (None, None) => written.torn = true,
                (None, Some(_)) => written.damaged = true,
            }
        }
        Some(written)
    }

    /// Takes one line; `None` where it cannot be read.
    fn line(&mut self, line: &str) -> Option<()> {
        let words: Vec<_> = line.splitn(5, ' ').collect();
        match *words.as_slice() {
            ["lost", until] => self.lost = self.lost.max(Some(stamp(until)?)),
            ["=", end, count] => self.ended.push((stamp(end)?, count.parse().ok()?)),
            ["!", until] => self.paused = self.paused.max(Some(stamp(until)?)),
            ["/", divisor, until] => self.slow = Some(Slow::read(divisor.parse().ok()?, stamp(until)?)?),
            ["+", id, at] => self.reserve(id.parse().ok()?, 1, stamp(at)?)?,
            ["+", id, at, count] => self.reserve(id.parse().ok()?, count.parse().ok()?, stamp(at)?)?,
            ["~", id, count] => self.close(id.parse().ok()?, count.parse().ok()?)?,
            [kind @ ("-" | "?"), id, at] => {
                let at = stamp(at)?;
                self.close(id.parse().ok()?, 1)?;
                self.ended.push((if kind == "?" { at.plus(STRAGGLER) } else { at }, 1));
                self.last = self.last.max(at);
            }
            _ => return None,
        }
        Some(())
    }

    /// Opens places that were not open.
    fn reserve(&mut self, first: u64, count: u64, at: Monotonic) -> Option<()> {
        let after = first.checked_add(count).filter(|&after| after > first)?;
        let before = self.open.range(..after).next_back();
        if before.is_some_and(|(_, &end)| end > first) {
            return None;
        }
        self.open.insert(first, after);
        self.last = self.last.max(at);
        Some(())
    }

    /// Closes open places of one run.
    fn close(&mut self, first: u64, count: u64) -> Option<()> {
        let after = first.checked_add(count)?;
        let (&start, &end) = self.open.range(..=first).next_back()?;
        if after > end {
            return None;
        }
        self.open.remove(&start);
        self.open.extend([(start, first), (after, end)].into_iter().filter(|(from, to)| from < to));
        Some(())
    }

    /// The places that a process starting `now` must believe in.
    fn believed(&self, now: Monotonic, same_boot: bool) -> Places {
        let shift = if same_boot { 0 } else { now.nanos().saturating_sub(self.last.nanos()) };
        let mut places = Places::unknown_before(self.since.shifted(shift));
        places.lost = self.lost.map(|lost| lost.shifted(shift));
        if let Some(until) = self.paused {
            places.pause(until.shifted(shift));
        }
        places.slow = self.slow.map(|slow| Slow { until: slow.until.shifted(shift), ..slow });
        for &(end, count) in &self.ended {
            places.add_ended(end.shifted(shift), count);
        }
        let open = self.open.iter().map(|(first, after)| after - first);
        let died = open.fold(u64::from(self.torn), u64::saturating_add);
        if died > 0 {
            places.add_ended(now.plus(STRAGGLER), u32::try_from(died).unwrap_or(u32::MAX));
        }
        places
    }
}

fn stamp(text: &str) -> Option<Monotonic> {
    text.parse().ok().map(Monotonic::from_nanos)
}

#[cfg(test)]
mod tests;
