//! What a person says about a delivery: try it again, end it, or send it once more.
//!
//! **The old record is revived.** A delivery's id is a function of its channel and events, so what is sent again is the
//! same delivery with its history, and not a second one beside it: the receiver sees the same `webhook-id` and bytes, a
//! mailbox the same Message-ID, and nothing that waits can be doubled.
//!
//! **A word beats the attempt under way.** An attempt takes seconds, and a person may speak meanwhile. What the attempt
//! found is added to the history and changes nothing else, unless the receiver took the message: then it is delivered,
//! whatever was said.

use super::{Again, Delivery, State};
use crate::domain::model::Timestamp;

/// What is to be done with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Try it again at once, with its whole time before it. For what failed.
    Retry,
    /// Try it again at once, as if its pause were over: for what waits because an attempt failed.
    TryNow,
    /// Never send it.
    Drop,
    /// Send it again, whatever became of it.
    Replay,
}

/// Why an act changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmoved {
    /// It is about to be sent anyway.
    Waits,
    /// It is a dead letter, which a person must mean.
    Dead,
    /// The receiver has it.
    Delivered,
    /// Another delivery says it.
    Collapsed,
    /// A person has ended it.
    Dropped,
}

impl Delivery {
    /// The same delivery after a person's word, or why that changes nothing.
    pub fn act(&self, act: Act, at: Timestamp) -> Result<Delivery, Unmoved> {
        match (&self.state, act) {
            (State::Delivered { .. }, _) if self.collapsed_into.is_some() => Err(Unmoved::Collapsed),
            (State::Pending { .. }, Act::Retry | Act::TryNow | Act::Replay) | (State::Retrying { .. }, Act::Replay) => {
                Err(Unmoved::Waits)
            }
            (State::Retrying { due_at }, Act::TryNow) if *due_at <= at => Err(Unmoved::Waits),
            (State::Retrying { .. }, Act::TryNow) => {
                Ok(Delivery { state: State::Retrying { due_at: at }, ..self.clone() })
            }
            (State::Dead { .. }, Act::TryNow) => Err(Unmoved::Dead),
            (State::Delivered { .. }, Act::Retry | Act::TryNow | Act::Drop) => Err(Unmoved::Delivered),
            (State::Dropped { .. }, Act::Retry | Act::TryNow | Act::Drop) => Err(Unmoved::Dropped),
            (State::Pending { .. } | State::Retrying { .. } | State::Dead { .. }, Act::Drop) => {
                Ok(Delivery { state: State::Dropped { at }, ..self.clone() })
            }
            (State::Retrying { .. } | State::Dead { .. }, Act::Retry)
            | (State::Delivered { .. } | State::Dead { .. } | State::Dropped { .. }, Act::Replay) => Ok(self.again(at)),
        }
    }

    fn again(&self, at: Timestamp) -> Delivery {
        let state = match self.tried {
            0 => State::Pending { due_at: at },
            _ => State::Retrying { due_at: at },
        };
        let again = Some(Again { since: at, tried: self.tried });
        Delivery { state, again, refused: None, counted_from: None, ..self.clone() }
    }

    /// What stands after an attempt that found the delivery as `before` and left it as `after`, where `self` is what is
    /// stored now.
    pub fn after_attempt(self, before: &Delivery, after: Delivery) -> Delivery {
        let is_as_before = self.state == before.state && self.again == before.again;
        if is_as_before || matches!(after.state, State::Delivered { .. }) {
            return after;
        }
        // The attempt belongs to the time before the word.
        let again = self.again.map(|again| Again { tried: after.tried, ..again });
        Delivery { again, tried: after.tried, attempts: after.attempts, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::model::ChannelName;
    use crate::domain::outbox::{Address, Outcome, Reason, RetryPolicy};
    use crate::domain::test_shop::{sale, scribe, shop};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn delivery(state: &str, tried: u32) -> Delivery {
        let address = Address { channel: ChannelName::new("erp").unwrap(), recipient: None };
        let events = vec![scribe().sale_created(&sale("a")).id];
        let state = match state {
            "pending" => State::Pending { due_at: at(1) },
            "retrying" => State::Retrying { due_at: at(1) },
            "delivered" => State::Delivered { at: at(1) },
            "dead" => State::Dead { at: at(1) },
            _ => State::Dropped { at: at(1) },
        };
        Delivery { state, tried, ..Delivery::new(address, shop(), "all".to_owned(), events, at(0)) }
    }

    fn failed() -> Outcome {
        Outcome::retry(Reason::Status(503))
    }

    fn short() -> RetryPolicy {
        RetryPolicy { retry_for: Duration::from_secs(100), ..RetryPolicy::default() }
    }

    #[test]
    fn every_state_knows_every_act() {
        use Act::{Drop, Replay, Retry, TryNow};
        #[track_caller]
        fn check(state: &str, tried: u32, act: Act, want: Result<&str, Unmoved>) {
            let before = delivery(state, tried);
            let after = before.act(act, at(500));
            assert_eq!(after.as_ref().map(|after| after.state.name()).map_err(|why| *why), want, "{state} {act:?}");
            let Ok(after) = after else { return };
            assert_eq!((&after.id, &after.attempts, after.tried), (&before.id, &before.attempts, before.tried));
            match act {
                Drop => assert_eq!(after.state, State::Dropped { at: at(500) }),
                Retry | TryNow | Replay => {
                    assert_eq!(after.state.due_at(), Some(at(500)));
                    assert_eq!(after.again, Some(Again { since: at(500), tried }));
                }
            }
        }
        for (state, tried, retry, drop, replay) in [
            ("pending", 0, Err(Unmoved::Waits), Ok("dropped"), Err(Unmoved::Waits)),
            ("retrying", 3, Ok("retrying"), Ok("dropped"), Err(Unmoved::Waits)),
            ("dead", 3, Ok("retrying"), Ok("dropped"), Ok("retrying")),
            // Given up without an attempt: nobody was left who could send it.
            ("dead", 0, Ok("pending"), Ok("dropped"), Ok("pending")),
            ("delivered", 1, Err(Unmoved::Delivered), Err(Unmoved::Delivered), Ok("retrying")),
            ("dropped", 0, Err(Unmoved::Dropped), Err(Unmoved::Dropped), Ok("pending")),
        ] {
            check(state, tried, Retry, retry);
            check(state, tried, Drop, drop);
            check(state, tried, Replay, replay);
        }
    }

    #[test]
    fn what_was_refused_because_too_many_wait_is_sent_like_any_other_dead_letter() {
        let refused = delivery("pending", 0).refuse(5);
        assert_eq!((&refused.state, refused.tried), (&State::Dead { at: at(0) }, 0));
        assert_eq!(refused.refused, Some(Reason::TooManyWait(5)));
        let again = refused.act(Act::Retry, at(9)).unwrap();
        assert_eq!((&again.id, &again.state, &again.refused), (&refused.id, &State::Pending { due_at: at(9) }, &None));
        let stored = serde_json::to_string(&refused).unwrap();
        assert_eq!(serde_json::from_str::<Delivery>(&stored).unwrap(), refused);
    }

    #[test]
    fn what_failed_is_tried_now_without_a_new_beginning_and_nothing_else_is() {
        let now = delivery("retrying", 3).act(Act::TryNow, at(0));
        let want = Delivery { state: State::Retrying { due_at: at(0) }, ..delivery("retrying", 3) };
        assert_eq!(now, Ok(want), "its time and its pauses go on");
        for (state, tried, at_second, why) in [
            ("retrying", 3, 1, Unmoved::Waits),
            ("pending", 0, 500, Unmoved::Waits),
            ("dead", 3, 500, Unmoved::Dead),
            ("delivered", 1, 500, Unmoved::Delivered),
            ("dropped", 1, 500, Unmoved::Dropped),
        ] {
            assert_eq!(delivery(state, tried).act(Act::TryNow, at(at_second)), Err(why), "{state}");
        }
    }

    #[test]
    fn what_was_collapsed_is_said_by_another_and_stays_so() {
        let collapsed = delivery("retrying", 1).collapse(delivery("pending", 0).id, at(2));
        for act in [Act::Retry, Act::TryNow, Act::Drop, Act::Replay] {
            assert_eq!(collapsed.act(act, at(3)), Err(Unmoved::Collapsed));
        }
    }

    #[test]
    fn a_retried_dead_letter_has_its_whole_time_and_its_first_pause_before_it() {
        let mut delivery = delivery("pending", 0);
        while let Some(due) = delivery.state.due_at() {
            delivery = delivery.settle(&failed(), due, Duration::ZERO, 1.0, &short());
        }
        let tried = delivery.tried;
        assert!(matches!(delivery.state, State::Dead { .. }) && tried > 3);
        let mut delivery = delivery.act(Act::Retry, at(5_000)).unwrap();
        delivery = delivery.settle(&failed(), at(5_000), Duration::ZERO, 1.0, &short());
        assert_eq!(delivery.state, State::Retrying { due_at: at(5_005) }, "as after the first attempt");
        while let Some(due) = delivery.state.due_at() {
            delivery = delivery.settle(&failed(), due, Duration::ZERO, 1.0, &short());
        }
        assert_eq!(delivery.state, State::Dead { at: at(5_100) });
        assert_eq!(delivery.tried, 2 * tried, "the history is one");
        let numbers: Vec<u32> = delivery.numbered_attempts().map(|(number, _)| number).collect();
        assert_eq!(numbers, (1..=2 * tried).collect::<Vec<_>>());
    }

    #[test]
    fn a_word_during_an_attempt_stands_unless_the_message_was_taken() {
        let before = delivery("retrying", 1);
        let end = |outcome: &Outcome| before.clone().settle(outcome, at(2), Duration::ZERO, 1.0, &short());
        let dropped = before.act(Act::Drop, at(3)).unwrap();
        let retried = before.act(Act::Retry, at(3)).unwrap();

        let stands = dropped.clone().after_attempt(&before, end(&failed()));
        assert_eq!((&stands.state, stands.tried, stands.attempts.len()), (&State::Dropped { at: at(3) }, 2, 1));
        let stands = retried.clone().after_attempt(&before, end(&failed()));
        assert_eq!(stands.state, State::Retrying { due_at: at(3) }, "at once, and not after the attempt's pause");
        assert_eq!(stands.again, Some(Again { since: at(3), tried: 2 }));
        for stored in [dropped, retried] {
            let stands = stored.after_attempt(&before, end(&Outcome::Delivered));
            assert_eq!((&stands.state, stands.tried), (&State::Delivered { at: at(2) }, 2));
        }
        assert_eq!(before.clone().after_attempt(&before, end(&failed())), end(&failed()), "nobody has spoken");
    }

    /// What can happen to a delivery: a word, the beginning of an attempt, its end.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Word(Act),
        Begin,
        End { taken: bool },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            2 => prop_oneof![Just(Act::Retry), Just(Act::TryNow), Just(Act::Drop), Just(Act::Replay)].prop_map(Step::Word),
            3 => Just(Step::Begin),
            3 => prop::bool::weighted(0.2).prop_map(|taken| Step::End { taken }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_said_during_whatever_attempt_nothing_is_forgotten_or_sent_against_the_word(
            steps in prop::collection::vec(step(), 0..200),
        ) {
            let mut stored = delivery("pending", 0);
            let mut under_way: Option<Delivery> = None;
            let mut ended = 0;
            for (step, second) in steps.into_iter().zip(0..) {
                let before = stored.clone();
                match step {
                    Step::Word(act) => {
                        if let Ok(after) = stored.act(act, at(second)) {
                            stored = after;
                        }
                        prop_assert_eq!((stored.tried, &stored.attempts), (before.tried, &before.attempts));
                        if act == Act::Drop {
                            prop_assert!(stored.state.due_at().is_none());
                        }
                    }
                    // As the loop does: only what is due, and one attempt at a time.
                    Step::Begin if under_way.is_none() && stored.state.due_at().is_some() => {
                        under_way = Some(stored.clone());
                    }
                    Step::End { taken } => if let Some(found) = under_way.take() {
                        let outcome = if taken { Outcome::Delivered } else { failed() };
                        let after = found.clone().settle(&outcome, at(second), Duration::ZERO, 1.0, &short());
                        stored = stored.after_attempt(&found, after);
                        ended += 1;
                        if taken {
                            prop_assert_eq!(stored.state.name(), "delivered");
                        } else if matches!(before.state, State::Dropped { .. }) {
                            prop_assert_eq!(&stored.state, &before.state);
                        }
                    }
                    Step::Begin => {}
                }
                prop_assert_eq!((stored.tried, &stored.id), (ended, &before.id));
                prop_assert!(stored.attempts.len() <= 50);
                let numbers: Vec<u32> = stored.numbered_attempts().map(|(number, _)| number).collect();
                prop_assert!(numbers.is_sorted() && numbers.last().is_none_or(|last| *last == ended));
                prop_assert!(numbers.first().is_none_or(|first| *first == 1));
            }
        }
    }
}
