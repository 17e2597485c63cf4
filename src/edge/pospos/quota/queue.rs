//! Who waits for a place, and whose turn is it?
//!
//! The more urgent class goes first, and within a class whoever came first. So that no class starves, one that was
//! passed over [`PATIENCE`] times goes before all others. Whose turn it is follows from the queue alone, never from
//! the time or from what is free: so one waiter at most looks at the clock, and a place that a hurried caller waits
//! for is never given to another.
//!
//! Pure bookkeeping; what a waiter is, and how it is woken, is not known here.

use std::collections::BTreeMap;

use super::window::Share;

/// How long a caller can wait, from the least long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The look for new sales, which the owner waits for.
    Sales,
    /// The refresh of one product after a sale.
    Refresh,
    /// A person at a terminal: `fetch`, `check --online`.
    Person,
    /// A sweep of a whole list. Leaves a little headroom to the others.
    Sweep,
}

impl Urgency {
    /// All classes, the most urgent first.
    pub const ALL: [Urgency; 4] = [Urgency::Sales, Urgency::Refresh, Urgency::Person, Urgency::Sweep];
}

/// How often a class is passed over before it goes first: of eight calls in a row the lowest class that waits has one.
/// An eighth for sweeps keeps a busy shop's stock fresh, and a sale waits for one call more at the most.
const PATIENCE: u32 = 7;

/// A waiter's number. Numbers are given in the order of coming and never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub ticket: Ticket,
    /// How much of each allowance this turn may fill.
    pub share: Share,
}

/// Those who wait, each with a `W` to wake it by.
#[derive(Debug)]
pub(super) struct Queue<W> {
    classes: [Class<W>; Urgency::ALL.len()],
    next: u64,
}

#[derive(Debug)]
struct Class<W> {
    /// The lowest number came first.
    waiting: BTreeMap<Ticket, W>,
    /// How many calls of others went since one of this class did, or since it began to wait.
    passed: u32,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self { classes: std::array::from_fn(|_| Class { waiting: BTreeMap::new(), passed: 0 }), next: 0 }
    }
}

impl<W> Queue<W> {
    /// Puts a waiter at the end of its class.
    pub fn join(&mut self, urgency: Urgency, waiter: W) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.classes[urgency as usize].waiting.insert(ticket, waiter);
        ticket
    }

    /// Takes a waiter out who does not wait any more; false where it is not in here.
    pub fn leave(&mut self, ticket: Ticket) -> bool {
        let Some(class) = self.classes.iter_mut().find(|class| class.waiting.contains_key(&ticket)) else {
            return false;
        };
        class.waiting.remove(&ticket);
        if class.waiting.is_empty() {
            class.passed = 0;
        }
        true
    }

    /// Whose turn it is, and how to wake it.
    ///
    /// A sweep that was passed over too often may use the headroom too: else a shop whose sales alone fill the quota
    /// would never sweep.
    pub fn turn(&self) -> Option<(Turn, &W)> {
        let mut waiting = Urgency::ALL.into_iter().zip(&self.classes).filter(|(_, class)| !class.waiting.is_empty());
        let mut rest = waiting.clone();
        let overdue = rest.rfind(|(_, class)| class.passed >= PATIENCE);
        let share = |urgency| match urgency {
            Urgency::Person | Urgency::Sweep => Share::ButHeadroom,
            Urgency::Sales | Urgency::Refresh => Share::Whole,
        };
        let (class, share) = match overdue {
            Some((_, class)) => (class, Share::Whole),
            None => waiting.next().map(|(urgency, class)| (class, share(urgency)))?,
        };
        class.waiting.first_key_value().map(|(&ticket, waiter)| (Turn { ticket, share }, waiter))
    }

    /// The waiter whose turn it is has its place and goes.
    pub fn served(&mut self, ticket: Ticket) {
        for class in &mut self.classes {
            if class.waiting.remove(&ticket).is_some() || class.waiting.is_empty() {
                class.passed = 0;
            } else {
                class.passed += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Urgency::{Person, Refresh, Sales, Sweep};
    use super::*;

    /// Lets `count` go and writes down their names.
    fn serve(queue: &mut Queue<&'static str>, count: usize) -> String {
        let mut names = Vec::new();
        for _ in 0..count {
            let Some((turn, name)) = queue.turn().map(|(turn, &name)| (turn, name)) else { break };
            queue.served(turn.ticket);
            names.push(name);
        }
        names.join(" ")
    }

    fn queue(waiting: &[(Urgency, &'static str)]) -> Queue<&'static str> {
        let mut queue = Queue::default();
        for &(urgency, name) in waiting {
            queue.join(urgency, name);
        }
        queue
    }

    #[test]
    fn the_more_urgent_goes_first_and_in_a_class_who_came_first() {
        let waiting = [(Sweep, "w1"), (Person, "p"), (Sales, "s1"), (Refresh, "r"), (Sales, "s2"), (Sweep, "w2")];
        assert_eq!(serve(&mut queue(&waiting), 9), "s1 s2 r p w1 w2");
    }

    #[test]
    fn a_class_that_was_passed_over_seven_times_goes_next() {
        let mut waiting = vec![(Sweep, "w"), (Sweep, "w"), (Person, "p")];
        waiting.extend([(Sales, "s"); 20]);
        assert_eq!(serve(&mut queue(&waiting), 16), "s s s s s s s w p s s s s s s w");
    }

    #[test]
    fn sweeps_leave_the_headroom_unless_they_were_passed_over_too_often() {
        let share = |queue: &Queue<_>| queue.turn().unwrap().0.share;
        let mut queue = queue(&[(Sweep, "w")]);
        assert_eq!(share(&queue), Share::ButHeadroom);
        for _ in 0..7 {
            queue.join(Sales, "s");
            assert_eq!(share(&queue), Share::Whole);
            assert_eq!(serve(&mut queue, 1), "s");
        }
        assert_eq!((share(&queue), serve(&mut queue, 1).as_str()), (Share::Whole, "w"));
        queue.join(Sweep, "w");
        assert_eq!(share(&queue), Share::ButHeadroom, "its patience starts anew");
    }

    #[test]
    fn who_leaves_is_not_served_and_takes_no_turn_along() {
        let mut queue = queue(&[(Sales, "s2")]);
        let first = queue.join(Sales, "s3");
        let second = queue.join(Sweep, "w");
        assert!(queue.leave(first) && queue.leave(second) && !queue.leave(first));
        assert_eq!(serve(&mut queue, 3), "s2");
        assert!(queue.turn().is_none());
    }

    proptest! {
        #[test]
        fn of_eight_calls_in_a_row_the_lowest_class_that_waits_has_one(
            steps in prop::collection::vec((0usize..4, prop::bool::weighted(0.5)), 1..300),
        ) {
            let mut queue = Queue::default();
            // How many calls went since the class that is the lowest now waits as the lowest, or was served.
            let (mut lowest, mut others) = (None, 0);
            for (class, joins) in steps {
                if joins {
                    queue.join(Urgency::ALL[class], Urgency::ALL[class]);
                }
                let now = queue.classes.iter().rposition(|class| !class.waiting.is_empty());
                if now != lowest {
                    (lowest, others) = (now, 0);
                }
                let Some((turn, &urgency)) = queue.turn() else { continue };
                queue.served(turn.ticket);
                others = if Some(urgency as usize) == lowest { 0 } else { others + 1 };
                prop_assert!(others <= 7, "{lowest:?} was passed over {others} times");
            }
        }
    }
}
