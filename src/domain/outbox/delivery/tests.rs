//! What becomes of a delivery, attempt by attempt, and how long it is tried.

use super::*;
use crate::domain::event::EventKind;
use crate::domain::model::{EntityId, Subject};

fn delivery() -> Delivery {
    let shop = ShopId::new("main").expect("is an id");
    let subject = Subject::sale(&EntityId::new("1").expect("is an id"));
    let event = EventId::once(&shop, &subject, EventKind::SaleCreated);
    let address = Address { channel: ChannelName::new("erp").expect("is a name"), recipient: None };
    Delivery::new(address, shop, "all".to_owned(), vec![event], at(0))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + seconds, 0).expect("is in range")
}

fn failed() -> Outcome {
    Outcome::retry(Reason::Timeout)
}

#[test]
fn a_delivered_message_is_finished() {
    let settled = delivery().settle(&Outcome::Delivered, at(1), Duration::from_secs(2), 0.5, &RetryPolicy::default());
    assert_eq!(settled.state, State::Delivered { at: at(3) });
    assert_eq!(settled.attempts.len(), 1);
}

#[test]
fn a_failed_message_is_tried_until_its_time_is_over_and_then_stands_as_a_dead_letter() {
    let policy = RetryPolicy::default();
    let mut delivery = delivery();
    let mut tries = 0;
    while let Some(due) = delivery.state.due_at() {
        delivery = delivery.settle(&failed(), due, Duration::from_secs(1), 1.0, &policy);
        tries += 1;
        assert!(tries < 1000, "never given up");
    }
    assert!(matches!(delivery.state, State::Dead { at: dead } if dead >= at(72 * 3600) && dead < at(73 * 3600)));
    assert!(delivery.attempts.len() <= ATTEMPTS_KEPT);
}

#[test]
fn of_many_attempts_the_first_and_the_newest_are_kept_with_their_numbers_and_all_are_counted() {
    let mut delivery = delivery();
    for second in 1..=70 {
        delivery = delivery.settle(&failed(), at(second), Duration::ZERO, 1.0, &RetryPolicy::default());
    }
    let numbers: Vec<u32> = delivery.numbered_attempts().map(|(number, _)| number).collect();
    let want: Vec<u32> = [1].into_iter().chain(22..=70).collect();
    assert_eq!((delivery.tried, numbers), (70, want));
    let collapsed = delivery.collapse(self::delivery().id, at(99));
    let numbers: Vec<u32> = collapsed.numbered_attempts().map(|(number, _)| number).collect();
    assert_eq!((collapsed.tried, numbers), (70, [1].into_iter().chain(62..=70).collect()));
}

#[test]
fn attempts_from_before_there_were_numbers_are_counted_from_the_newest() {
    let mut old = delivery().settle(&failed(), at(1), Duration::ZERO, 1.0, &RetryPolicy::default());
    old = old.settle(&failed(), at(2), Duration::ZERO, 1.0, &RetryPolicy::default());
    old.attempts.iter_mut().for_each(|attempt| attempt.number = 0);
    old.tried = 70;
    let numbers = |delivery: &Delivery| delivery.numbered_attempts().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!(numbers(&old), [69, 70]);
    let settled = old.settle(&failed(), at(3), Duration::ZERO, 1.0, &RetryPolicy::default());
    assert_eq!(numbers(&settled), [69, 70, 71]);
}

#[test]
fn each_state_has_its_word_in_the_list_of_words() {
    let at = at(0);
    let all = [
        State::Pending { due_at: at },
        State::Retrying { due_at: at },
        State::Delivered { at },
        State::Dead { at },
        State::Dropped { at },
    ];
    assert_eq!(all.map(|state| state.name()), State::NAMES);
}

#[test]
fn what_waited_out_a_long_stop_is_tried_before_it_is_given_up() {
    let late = at(90 * 3600);
    let settled = delivery().settle(&Outcome::Delivered, late, Duration::ZERO, 0.0, &RetryPolicy::default());
    assert_eq!(settled.state, State::Delivered { at: late });
}

#[test]
fn a_delivery_stored_before_there_was_a_catch_up_or_an_act_is_read_and_written_as_it_was() {
    let stored = serde_json::to_string(&delivery()).expect("is JSON");
    assert!(
        ["counts", "collapsed", "again", "refused", "counted", "said", "pauses"]
            .iter()
            .all(|later| !stored.contains(later)),
        "{stored}"
    );
    assert_eq!(serde_json::from_str::<Delivery>(&stored).expect("is a delivery"), delivery());
}

#[test]
fn what_was_under_way_while_the_clock_was_set_ahead_is_tried_once_more_before_it_is_given_up() {
    let (policy, days) = (RetryPolicy::default(), Duration::from_secs(10 * 86_400));
    let set = delivery().settle(&failed(), at(1), days, 1.0, &policy);
    let due = set.state.due_at().expect("is tried again");
    let tried = set.settle(&failed(), due.max(at(10 * 86_400 + 2)), Duration::ZERO, 1.0, &policy);
    assert!(matches!(tried.state, State::Dead { .. }));
}

#[test]
fn by_a_clock_that_may_be_wrong_nothing_is_given_up() {
    let policy = RetryPolicy::default().without_end();
    let years = at(3 * 365 * 86_400);
    let tried = delivery().settle(&failed(), years, Duration::from_secs(1), 1.0, &policy);
    assert_eq!(tried.state, State::Retrying { due_at: years + Duration::from_secs(6) });
}

#[test]
fn what_is_said_to_be_of_the_future_counts_from_now_on_and_is_given_up_in_its_time() {
    let policy = RetryPolicy::default();
    let ahead = Delivery { created_at: at(400 * 86_400), ..delivery() };
    let mut known = ahead.counted_at(at(5));
    assert_eq!(known.since(), at(5));
    known = known.counted_at(at(9));
    assert_eq!(known.since(), at(5), "only once");
    let settled = known.settle(&failed(), at(5 + 72 * 3600), Duration::ZERO, 1.0, &policy);
    assert!(matches!(settled.state, State::Dead { .. }));
    assert_eq!(delivery().counted_at(at(9)), delivery(), "what is of the past stays as it was");
}

#[test]
fn a_receiver_that_is_gone_gets_no_second_try() {
    let gone = Outcome::rejected(Reason::Gone);
    let settled = delivery().settle(&gone, at(0), Duration::ZERO, 0.0, &RetryPolicy::default());
    assert_eq!(settled.state, State::Dead { at: at(0) });
}

#[test]
fn the_pause_of_a_channel_is_the_wish_and_not_the_delay_of_the_delivery() {
    let policy = RetryPolicy { retry_first: Duration::from_secs(600), ..RetryPolicy::default() };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let wish = Outcome::retry_after(Reason::Status(503), Duration::from_secs(20));
    let met = delivery().settle(&wish, at(0), Duration::from_secs(2), 1.0, &policy);
    assert_eq!(met.state, State::Retrying { due_at: at(602) });
    for (now, left) in [(2, seconds(20)), (12, seconds(10)), (22, None), (90_000, None), (-90_000, seconds(20))] {
        assert_eq!(met.pause_left(at(now)), left, "at {now}");
    }
    let by_a_person = Delivery { state: State::Retrying { due_at: at(5) }, ..met.clone() };
    assert_eq!(by_a_person.pause_left(at(5)), None);
    // As it was written down before the end of the pause was.
    let mut old = met;
    old.attempts.iter_mut().for_each(|attempt| attempt.paused_until = None);
    assert_eq!(old.pause_left(at(12)), seconds(590));
    let failed = delivery().settle(&failed(), at(0), Duration::ZERO, 1.0, &policy);
    assert_eq!(failed.pause_left(at(0)), None);
}
