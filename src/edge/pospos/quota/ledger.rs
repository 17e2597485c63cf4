//! What stands in the ledger file, and what does a process believe that finds it?
//!
//! Pure functions from text to places and back, so that crashes can be played through a million times without a
//! disk; `file` does the writing.
//!
//! # The form, version 1
//!
//! Lines of plain text, so that a person can read it in the night in which it matters. Every stamp is nanoseconds of
//! `CLOCK_BOOTTIME` in the boot named at the top.
//!
//! ```text
//! posbell-quota 1            what this is
//! boot 6f1c0c1e-…            the boot whose clock is meant
//! written 81000000000        when this head was written
//! since 20000000000          every call that ended after this is in here
//! = 79000000000 3            so many calls ended then
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
//! * *Same boot*: the stamps as they stand. A place without an end was under way when the process died, or was not
//!   taken yet, which nobody can tell; it ended at the latest now.
//! * *Another boot*, or a clock that went back: how long ago that was cannot be known. It was a reboot, or the
//!   directory was carried to another machine, and then uptime says nothing. What is sure is that the last stamp in
//!   the file is not in the future. So the last stamp is taken for now, and everything else keeps its distance to it.
//! * *A torn last line* is a reservation that was being written; no call left in it, but it costs one place to be
//!   sure.
//! * *Damage further up*: what can be read counts, and besides the past up to now is taken for unknown.
//! * *No file, or no head*: the past up to now is unknown, see [`QuotaLimit::assumed`](super::QuotaLimit::assumed).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::slow::Slow;
use super::{Monotonic, PlaceId, Places, STRAGGLER};

/// How the ledger was found, for the log and the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerState {
    /// Whole, and of this boot.
    Continued,
    /// Whole, and of another boot or another machine.
    OtherBoot,
    /// There was none: a first start, or somebody deleted it.
    New,
    /// It was damaged; what was readable counts, the rest of the past is taken for used.
    Damaged,
}

/// What this is, and its version.
const HEAD: &str = "posbell-quota 1";

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

/// The whole file for `places`.
pub(super) fn render(places: &Places, boot_id: &str, now: Monotonic) -> String {
    let mut text = format!("{HEAD}\nboot {boot_id}\nwritten {}\nsince {}\n", now.nanos(), places.since.nanos());
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
    text
}

/// What follows for a process that starts now from the file's bytes, or from there being none.
pub(super) fn recover(bytes: Option<&[u8]>, boot_id: &str, now: Monotonic) -> (Places, LedgerState) {
    let Some(bytes) = bytes else { return (Places::unknown_before(now), LedgerState::New) };
    let text = String::from_utf8_lossy(bytes);
    let Some(written) = Written::read(&text) else { return (Places::unknown_before(now), LedgerState::Damaged) };
    let same_boot = !boot_id.is_empty() && written.boot == boot_id && written.last <= now;
    let places = written.believed(now, same_boot);
    let state = match (written.damaged, same_boot) {
        (true, _) => LedgerState::Damaged,
        (false, true) => LedgerState::Continued,
        (false, false) => LedgerState::OtherBoot,
    };
    (places, state)
}

/// The file as it stands, in its own boot's time.
struct Written<'a> {
    boot: &'a str,
    since: Monotonic,
    /// The latest moment at which something was surely written.
    last: Monotonic,
    paused: Option<Monotonic>,
    slow: Option<Slow>,
    /// Reserved places without an end: runs of them, the first number and the one after the last. As runs, so that a
    /// damaged count costs no memory.
    open: BTreeMap<u64, u64>,
    ended: Vec<(Monotonic, u32)>,
    /// The last line was not finished.
    torn: bool,
    /// A line before the last could not be read.
    damaged: bool,
}

impl<'a> Written<'a> {
    /// Reads the text; `None` without a whole head.
    fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n').ok_or(line));
        let mut head = |name: &str| lines.next()?.ok()?.strip_prefix(name);
        head(HEAD).filter(|rest| rest.is_empty())?;
        let boot = head("boot ")?;
        let last = stamp(head("written ")?)?;
        let since = stamp(head("since ")?)?;
        let mut written = Self {
            boot,
            since,
            last,
            paused: None,
            slow: None,
            open: BTreeMap::new(),
            ended: Vec::new(),
            torn: false,
            damaged: false,
        };
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
        let since = if self.damaged { now } else { self.since.shifted(shift) };
        let mut places = Places::unknown_before(since);
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
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(seconds: i64) -> Monotonic {
        Monotonic::from_nanos(seconds * SECOND)
    }

    /// Seconds and counts of the ended calls that are believed at 100 s in boot `b`.
    fn check(text: &str, want: &[(i64, u32)], state: LedgerState) -> Places {
        let (places, found) = recover(Some(text.as_bytes()), "b", at(100));
        let ended: Vec<_> = places.ended.iter().map(|(end, &count)| (end.nanos() / SECOND, count)).collect();
        assert_eq!((ended.as_slice(), found), (want, state), "{text}");
        assert!(places.open.is_empty(), "nothing is under way in a process that just started");
        places
    }

    fn file(boot: &str, lines: &str) -> String {
        let lines = lines.replace("s ", "000000000 ").replace("s\n", "000000000\n");
        format!("posbell-quota 1\nboot {boot}\nwritten 50000000000\nsince 10000000000\n{lines}")
    }

    #[test]
    fn the_same_boot_is_believed_as_it_stands() {
        let places = check(&file("b", "= 40s 3\n+ 0 60s\n- 0 61s\n"), &[(40, 3), (61, 1)], LedgerState::Continued);
        assert_eq!(places.since, at(10));
    }

    #[test]
    fn what_was_under_way_ended_now_and_may_still_arrive() {
        check(&file("b", "+ 0 60s\n+ 1 61s\n- 0 62s\n"), &[(62, 1), (115, 1)], LedgerState::Continued);
        check(&file("b", "+ 0 60s\n? 0 61s\n"), &[(76, 1)], LedgerState::Continued);
    }

    #[test]
    fn of_another_boot_the_last_stamp_is_taken_for_now() {
        let places = check(&file("a", "= 40s 3\n+ 0 60s\n- 0 61s\n"), &[(79, 3), (100, 1)], LedgerState::OtherBoot);
        assert_eq!(places.since, at(49));
        check(&file("a", "+ 0 60s\n"), &[(115, 1)], LedgerState::OtherBoot);
        check(&file("b", "+ 0 600s\n- 0 601s\n"), &[(100, 1)], LedgerState::OtherBoot);
        let unnamed = file("", "+ 0 60s\n- 0 61s\n");
        assert_eq!(recover(Some(unnamed.as_bytes()), "", at(100)).1, LedgerState::OtherBoot);
    }

    #[test]
    fn a_torn_last_line_counts_as_a_call() {
        check(&file("b", "+ 0 60s\n- 0 61s\n+ 1 "), &[(61, 1), (115, 1)], LedgerState::Continued);
        check(&file("b", "+ 0 60s\n- 0 61s\n\0\0\0\0"), &[(61, 1), (115, 1)], LedgerState::Continued);
        // Even a line that reads well: its last digits may be missing.
        check(&file("b", "+ 0 60s\n- 0 6"), &[(115, 2)], LedgerState::Continued);
    }

    #[test]
    fn a_group_is_open_but_for_the_places_that_were_ended_or_given_back() {
        check(&file("b", "+ 4 60s 12\n"), &[(115, 12)], LedgerState::Continued);
        check(
            &file("b", "+ 4 60s 12\n- 4 61s\n- 15 62s\n? 9 61s\n"),
            &[(61, 1), (62, 1), (76, 1), (115, 9)],
            LedgerState::Continued,
        );
        check(&file("b", "+ 0 60s\n+ 1 60s 3\n- 1 61s\n~ 2 2\n"), &[(61, 1), (115, 1)], LedgerState::Continued);
        check(&file("a", "+ 4 60s 12\n"), &[(115, 12)], LedgerState::OtherBoot);
        check(&file("b", "+ 0 60s\n+ 1 60s 1"), &[(115, 2)], LedgerState::Continued);
        check(&file("b", "+ 0 60s 18446744073709551615\n"), &[(115, u32::MAX)], LedgerState::Continued);
        for wrong in
            ["+ 4 60s 0\n", "+ 2 60s 9\n", "+ 9 60s 18446744073709551615\n", "~ 3 4\n", "- 6 61s\n", "+ 9 60s 1 1\n"]
        {
            let places =
                check(&file("b", &format!("+ 3 60s 3\n{wrong}- 4 61s\n")), &[(61, 1), (115, 2)], LedgerState::Damaged);
            assert_eq!(places.since, at(100), "{wrong}");
        }
    }

    #[test]
    fn spare_places_and_calls_under_way_are_written_and_count_as_sent() {
        let mut places = Places::unknown_before(at(10));
        let ids = places.number(12);
        places.add_spare(ids, at(60));
        let taken = [places.take(at(61)), places.take(at(62))];
        let text = render(&places, "b", at(70));
        assert!(text.ends_with("+ 0 61000000000\n+ 1 62000000000\n+ 2 60000000000 10\n"), "{text}");
        check(&(text.clone() + "- 0 70000000000\n"), &[(70, 1), (115, 11)], LedgerState::Continued);
        places.end(taken[0].unwrap(), at(70));
        let back = given_back(&places.give_back());
        check(&(text + "- 0 70000000000\n" + &back), &[(70, 1), (115, 1)], LedgerState::Continued);
        assert!(render(&places, "b", at(70)).ends_with("+ 1 62000000000\n"));
    }

    #[test]
    fn a_caution_outlives_the_process() {
        let slow = |text: &str| {
            let places =
                check(text, &[], if text.contains("boot b") { LedgerState::Continued } else { LedgerState::OtherBoot });
            (places.slow.map(|slow| (slow.divisor, slow.until)), render(&places, "b", at(100)))
        };
        let (found, written) = slow(&file("b", "/ 2 150s\n/ 4 200s\n"));
        assert_eq!(found, Some((4, at(200))), "the last word counts");
        assert!(written.ends_with("/ 4 200000000000\n"), "{written}");
        assert_eq!(slow(&file("a", "/ 2 200s\n")).0, Some((2, at(250))));
        assert!(!slow(&file("b", "/ 2 90s\n")).1.contains('/'), "it is over");
        check(&file("b", "/ 3 150s\n! 5s\n"), &[], LedgerState::Damaged);
    }

    #[test]
    fn damage_makes_the_past_unknown() {
        let places = check(&file("b", "= 40s 3\ngarbage\n= 41s 1\n"), &[(40, 3), (41, 1)], LedgerState::Damaged);
        assert_eq!(places.since, at(100));
        for text in ["", "hello", "posbell-quota 2\nboot b\n", "posbell-quota 1\nboot b\nwritten 5\nsince x\n"] {
            assert_eq!(check(text, &[], LedgerState::Damaged).since, at(100));
        }
        assert_eq!(recover(Some(&[0xff; 40]), "b", at(100)).1, LedgerState::Damaged);
    }

    #[test]
    fn no_file_is_an_unknown_past() {
        assert_eq!(recover(None, "b", at(100)), (Places::unknown_before(at(100)), LedgerState::New));
    }

    #[test]
    fn a_silence_outlives_the_process() {
        assert_eq!(check(&file("b", "! 200s\n"), &[], LedgerState::Continued).paused, at(200));
        assert_eq!(check(&file("a", "! 200s\n"), &[], LedgerState::OtherBoot).paused, at(250));
    }

    #[test]
    fn what_was_concluded_once_is_not_concluded_again() {
        let (first, _) = recover(Some(file("a", "+ 0 60s\n").as_bytes()), "b", at(100));
        let (second, state) = recover(Some(render(&first, "b", at(100)).as_bytes()), "b", at(110));
        assert_eq!((second, state), (first, LedgerState::Continued));
    }
}
