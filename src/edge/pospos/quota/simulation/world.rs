//! A machine, its disk and the processes on it, one after the other, against one server.

use std::collections::BTreeMap;
use std::time::Duration;

use super::dice::Dice;
use super::mishaps::Mishaps;
use super::server::{Sent, Server};
use crate::edge::pospos::quota::desk::{Desk, Look};
use crate::edge::pospos::quota::ledger::Mark;
use crate::edge::pospos::quota::queue::Ticket;
use crate::edge::pospos::quota::seal::Seal;
use crate::edge::pospos::quota::{Monotonic, PlaceId, Places, QuotaLimit, Urgency, ledger};

/// How long after its end an unanswered call may arrive: a little less than STRAGGLER, because the clocks differ.
const LATEST: u64 = 14_900;

/// A call under way.
struct Call {
    id: PlaceId,
    end: u64,
    answered: bool,
    sent: Sent,
}

pub struct World {
    dice: Dice,
    mishaps: Mishaps,
    /// True time, which is the server's; milliseconds.
    now: u64,
    /// True time at which the boot's clock showed zero.
    boot: i64,
    boot_id: String,
    /// By how many millionths our clock is faster.
    drift: i64,
    configurations: Vec<Vec<QuotaLimit>>,
    configuration: usize,
    desk: Desk<u64>,
    waiting: BTreeMap<u64, (Ticket, Urgency)>,
    came: u64,
    disk: String,
    /// So much of the disk survives everything.
    synced: usize,
    /// Of the last line on the disk.
    seal: Seal,
    /// What the mark says, and what of it survives everything.
    mark: Seal,
    synced_mark: Seal,
    /// The disk and the mark as they were now and then, to be put back.
    kept: Vec<(String, Seal)>,
    /// A write has failed; nothing is appended before the file was replaced.
    broken: bool,
    under_way: Vec<Call>,
    let_go: usize,
    server: Server,
    next_wish: u64,
    next_mishap: u64,
}

impl World {
    pub fn new(mut dice: Dice, configurations: Vec<Vec<QuotaLimit>>, mishaps: Mishaps) -> Self {
        let drift = i64::try_from(dice.edge(1800)).unwrap() - 900;
        let boot_id = if dice.one_in(6) { String::new() } else { "boot-0".to_owned() };
        let start = Monotonic::from_nanos(0);
        let desk = Desk::new(Places::unknown_before(start), configurations[0].clone(), start);
        let mut world = Self {
            dice,
            mishaps,
            now: 0,
            boot: 0,
            boot_id,
            drift,
            configurations,
            configuration: 0,
            desk,
            waiting: BTreeMap::new(),
            came: 0,
            disk: String::new(),
            synced: 0,
            seal: Seal::default(),
            mark: Seal::default(),
            synced_mark: Seal::default(),
            kept: Vec::new(),
            broken: false,
            under_way: Vec::new(),
            let_go: 0,
            server: Server::default(),
            next_wish: u64::MAX,
            next_mishap: u64::MAX,
        };
        world.replace();
        world.plan();
        world
    }

    /// Goes on for that long.
    pub fn play(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        while self.now < until {
            self.keep_waiting();
            let free = self.let_go();
            let ended = self.under_way.iter().map(|call| call.end).min().unwrap_or(u64::MAX);
            // At least a millisecond on, so that nothing stands still.
            let next = free.min(ended).min(self.next_wish).min(self.next_mishap).min(until);
            self.now = next.max(self.now);
            self.end_calls();
            if self.now >= self.next_wish {
                self.wish();
            }
            if self.now >= self.next_mishap {
                self.mishap();
            }
        }
    }

    /// How many calls were let go.
    pub fn calls(&self) -> usize {
        self.let_go
    }

    /// The server, with everything that is still on its way.
    pub fn server(&mut self) -> &mut Server {
        for call in self.under_way.drain(..) {
            self.server.arrives(call.sent);
        }
        &mut self.server
    }

    /// The server says that it sees too many calls, and wants so much silence.
    pub fn too_many(&mut self, silence: u64) {
        let now = self.moment();
        self.desk.too_many(now, Duration::from_millis(silence));
        self.append_unwritten();
    }

    fn moment(&mut self) -> Monotonic {
        let since_boot = i64::try_from(self.now).unwrap() - self.boot;
        self.desk.moment(Monotonic::from_nanos(since_boot * (1_000_000 + self.drift)))
    }

    fn plan(&mut self) {
        let mut after = |average: u64| match average {
            0 => u64::MAX,
            average => self.now + 1 + self.dice.up_to(2 * average),
        };
        if self.next_wish <= self.now || self.next_wish == u64::MAX {
            self.next_wish = after(self.mishaps.wish_every);
        }
        if self.next_mishap <= self.now || self.next_mishap == u64::MAX {
            self.next_mishap = after(self.mishaps.every);
        }
    }

    fn join(&mut self, urgency: Urgency) {
        let ticket = self.desk.join(urgency, self.came);
        self.waiting.insert(self.came, (ticket, urgency));
        self.came += 1;
    }

    fn keep_waiting(&mut self) {
        for urgency in self.mishaps.always.clone() {
            if !self.waiting.values().any(|&(_, waiting)| waiting == urgency) {
                self.join(urgency);
            }
        }
    }

    /// A few callers come, and now and then one gives up.
    fn wish(&mut self) {
        for _ in 0..=self.dice.up_to(2) {
            if self.waiting.len() < 40 {
                let urgency = Urgency::ALL[self.dice.below(4)];
                self.join(urgency);
            }
        }
        if self.dice.one_in(8) && !self.waiting.is_empty() {
            let which = self.dice.below(self.waiting.len());
            let (&who, &(ticket, _)) = self.waiting.iter().nth(which).unwrap();
            assert!(self.desk.leave(ticket));
            self.waiting.remove(&who);
        }
        self.plan();
    }

    /// Lets everybody go who may; says when the next may, in true time.
    fn let_go(&mut self) -> u64 {
        while let Some(&who) = self.desk.next() {
            let (ticket, urgency) = self.waiting[&who];
            let now = self.moment();
            match self.desk.look(ticket, now) {
                Look::Go(id) => {
                    self.waiting.remove(&who);
                    self.call(id, urgency, now);
                    self.keep_waiting();
                }
                Look::Write => {
                    let written = self.write();
                    self.desk.writing_ended();
                    if !written {
                        self.desk.leave(ticket);
                        self.waiting.remove(&who);
                    }
                }
                Look::Sleep(duration) => return self.now + u64::try_from(duration.as_millis()).unwrap() + 1,
                Look::Stand => panic!("whose turn it is, and who looks first after each step, need not stand"),
            }
        }
        u64::MAX
    }

    fn call(&mut self, id: PlaceId, urgency: Urgency, now: Monotonic) {
        let latency = self.dice.edge(self.mishaps.latency);
        let answered = self.mishaps.every == 0 || !self.dice.one_in(10);
        let end = self.now + latency;
        let arrival = self.now + self.dice.edge(if answered { latency } else { latency + LATEST });
        let divisor = self.desk.slowed(now).map_or(1, |slowed| slowed.divisor);
        let in_force = self.configurations[self.configuration].iter().map(|limit| limit.divided(divisor)).collect();
        let limits = self.server.limits(in_force);
        let sent = Sent { arrival, number: self.let_go, limits, urgency };
        self.let_go += 1;
        self.under_way.push(Call { id, end, answered, sent });
    }

    fn end_calls(&mut self) {
        let (ended, rest): (Vec<_>, Vec<_>) = self.under_way.drain(..).partition(|call| call.end <= self.now);
        self.under_way = rest;
        for call in ended {
            let now = self.moment();
            self.desk.end(call.id, now, call.answered);
            self.append_unwritten();
            if call.answered && self.mishaps.too_many_in > 0 && self.dice.one_in(self.mishaps.too_many_in) {
                let silence = self.dice.edge(60_000);
                self.too_many(silence);
            }
            self.server.arrives(call.sent);
        }
    }

    fn append_unwritten(&mut self) {
        let lines = self.desk.take_unwritten();
        if !self.broken {
            self.append(&lines);
            if ledger::must_stay(&lines) {
                self.mark = self.seal;
            }
        }
    }

    fn append(&mut self, lines: &str) {
        let (text, seal) = self.seal.close(lines);
        self.disk += &text;
        self.seal = seal;
    }

    fn replace(&mut self) {
        let now = self.moment();
        let head = self.desk.render(&self.boot_id, now, self.mark);
        (self.disk, self.seal) = Seal::default().close(&head);
        self.synced = self.disk.len();
        self.broken = false;
        (self.mark, self.synced_mark) = (self.seal, self.seal);
    }

    /// Writes a group as the governor does; false where the disk failed.
    fn write(&mut self) -> bool {
        let fails = self.mishaps.every > 0 && self.dice.one_in(100);
        if self.broken || self.mishaps.every > 0 && self.dice.one_in(50) {
            if fails {
                self.broken = true;
                return false;
            }
            self.replace();
        }
        let now = self.moment();
        let Some((ids, lines)) = self.desk.group(now) else { return true };
        if fails {
            // What a full disk took of it stays there.
            let (text, _) = self.seal.close(&lines);
            self.disk += &text[..self.dice.below(text.len() + 1)];
            self.broken = true;
            return false;
        }
        self.append(&lines);
        self.synced = self.disk.len();
        (self.mark, self.synced_mark) = (self.seal, self.seal);
        self.desk.written(ids, now);
        true
    }

    fn mishap(&mut self) {
        match self.dice.up_to(9) {
            0..=1 => self.replace(),
            2..=3 => {
                self.configuration = self.dice.below(self.configurations.len());
                self.desk.set_limits(self.configurations[self.configuration].clone());
            }
            4 => self.stop_in_order(),
            5..=7 => self.crash(false),
            _ => self.crash(true),
        }
        self.plan();
    }

    /// Everything under way is cut off, as by a crash, but the process has time to say so.
    fn stop_in_order(&mut self) {
        let now = self.moment();
        for call in &self.under_way {
            self.desk.end(call.id, now, false);
        }
        self.desk.give_back();
        self.append_unwritten();
        self.synced = if self.broken { self.synced } else { self.disk.len() };
        self.crash(false);
    }

    /// The process dies, perhaps in the middle of writing, and perhaps the machine with it; what was not synced is cut
    /// somewhere. Another process starts.
    fn crash(&mut self, reboots: bool) {
        for mut call in self.under_way.drain(..) {
            call.sent.arrival = call.sent.arrival.min(self.now + LATEST);
            self.server.arrives(call.sent);
        }
        let now = self.moment();
        if self.dice.one_in(3) && !self.broken && self.desk.left(now).iter().all(|&(_, left)| left > 0) {
            // It was writing a group: the calls did not leave.
            let lines = self.desk.group(now).map(|(_, lines)| lines).unwrap_or_default();
            self.append(&lines);
        }
        let unsynced = self.disk.len() - self.synced;
        let kept = usize::try_from(self.dice.edge(unsynced as u64)).unwrap();
        self.disk.truncate(self.synced + kept);
        if reboots && self.dice.one_in(2) {
            self.mark = self.synced_mark;
        }
        if self.dice.one_in(self.mishaps.meddled_in) {
            self.meddle();
        }
        let pause = if self.dice.one_in(2) { self.dice.up_to(200) } else { self.dice.up_to(20_000) };
        self.now += pause;
        if reboots {
            self.reboot();
        }
        self.start();
    }

    /// Somebody takes something out of the ledger, or puts back an older one, or an older mark.
    fn meddle(&mut self) {
        let lines: Vec<&str> = self.disk.split_inclusive('\n').collect();
        let (one, other) = (self.dice.below(lines.len()), self.dice.below(lines.len()));
        let (from, until) = (one.min(other), one.max(other));
        match self.dice.up_to(5) {
            0 => self.disk = lines[..one].concat(),
            1 => self.disk = [&lines[..from], &lines[until..]].concat().concat(),
            2 => self.disk.truncate(self.dice.below(self.disk.len() + 1)),
            3 => self.mark = Seal::default(),
            4 => self.kept.push((self.disk.clone(), self.mark)),
            _ => {
                if let Some((disk, mark)) = self.kept.pop().filter(|(disk, _)| *disk != self.disk) {
                    // Both at once would be a time that was.
                    if self.dice.one_in(2) { self.disk = disk } else { self.mark = mark }
                }
            }
        }
    }

    /// The machine was down: its clock starts anew, at any uptime, under another name or none.
    fn reboot(&mut self) {
        let uptime = if self.dice.one_in(3) { 100_000_000 } else { self.dice.edge(5000) };
        let boot = i64::try_from(self.now).unwrap() - i64::try_from(uptime).unwrap();
        // A clock that went back under the same name, as in a machine restored from a snapshot, only ever makes the past look nearer.
        let went_back = boot > self.boot && self.dice.one_in(4);
        self.boot = boot;
        if !went_back && !self.boot_id.is_empty() {
            self.boot_id = format!("boot-{}", self.now);
        }
    }

    fn start(&mut self) {
        self.waiting.clear();
        self.configuration =
            if self.dice.one_in(3) { self.dice.below(self.configurations.len()) } else { self.configuration };
        let limits = self.configurations[self.configuration].clone();
        let since_boot = i64::try_from(self.now).unwrap() - self.boot;
        let now = Monotonic::from_nanos(since_boot * (1_000_000 + self.drift));
        let mark = if self.mark == Seal::default() { Mark::Missing } else { Mark::Says(self.mark) };
        let (places, _) = ledger::recover(Some(self.disk.as_bytes()), mark, &self.boot_id, now);
        self.desk = Desk::new(places, limits.clone(), now);
        let before = self.mark;
        self.replace();
        if self.dice.one_in(20) {
            // Killed before the mark followed.
            let (places, _) = ledger::recover(Some(self.disk.as_bytes()), Mark::Says(before), &self.boot_id, now);
            self.desk = Desk::new(places, limits, now);
            self.mark = before;
            self.replace();
        }
    }
}
