//! Are stale lists told once, together, again after a day, and ended once?

use super::*;
use crate::domain::test_shop::time;

const LIMIT: Duration = Duration::from_secs(900);

fn at(minutes: i64) -> Timestamp {
    time("2026-11-23T03:00:00Z") + TimeDelta::minutes(minutes)
}

/// `transactions:read` was read within its limit, `stock:20` has not been for 20 minutes (last at minute 0),
/// `vendors:never:20` never was.
fn look(text: &str) -> Look {
    let mut words = text.split(':');
    let resource = words.next().and_then(Resource::by_name).expect("is a resource");
    let mut ever = Some(at(0));
    let mut unread = 0;
    let mut cause = StaleCause::ApiError;
    for word in words {
        match word {
            "read" => {}
            "never" => ever = None,
            "held" => cause = StaleCause::Held,
            minutes => unread = minutes.parse().expect("is a number"),
        }
    }
    let unread_for = Duration::from_secs(unread * 60);
    let is_read = unread == 0;
    Look { resource, passed_at: ever, unread_for, limit: LIMIT, is_read, changes: 2, cause, why: "503".to_owned() }
}

struct Case {
    record: StaleRecord,
    now: i64,
}

impl Case {
    fn new() -> Case {
        Case { record: StaleRecord::default(), now: 0 }
    }

    /// Looks at a minute, and says what is told: `stale transactions,stock`, `again …`, `recovered …`, or nothing.
    #[track_caller]
    fn check(&mut self, minute: i64, looks: &str, want: &str) {
        self.now = minute;
        let looks: Vec<Look> = looks.split(' ').map(look).collect();
        let step = step(&self.record, &looks, at(minute), false);
        assert!(step.is_none() || self.record.is_news(&looks, at(minute)), "minute {minute}: a step without news");
        let names = |resources: &[Resource]| resources.iter().map(|one| one.name()).collect::<Vec<_>>().join(",");
        let mut told = Vec::new();
        if let Some(Step { record, stale, recovered }) = step {
            self.record = record;
            told.extend(recovered.map(|(_, event)| format!("recovered {}", names(&event.resources))));
            told.extend(stale.map(|(_, event)| {
                format!("{} {}", if event.again { "again" } else { "stale" }, names(&event.resources))
            }));
        }
        assert_eq!(told.join(", "), want, "minute {minute}");
    }
}

#[test]
fn lists_that_become_stale_together_are_one_event() {
    let mut case = Case::new();
    case.check(14, "transactions:14 stock:14", "");
    case.check(15, "transactions:15 stock:15", "stale transactions,stock");
    case.check(16, "transactions:16 stock:16", "");
}

#[test]
fn later_lists_of_the_same_outage_make_no_event() {
    let mut case = Case::new();
    case.check(15, "transactions:15 credit:10", "stale transactions");
    case.check(30, "transactions:30 credit:25", "");
    case.check(31, "transactions:read credit:read", "recovered transactions,credit");
}

#[test]
fn a_list_is_news_while_others_are_read() {
    let mut case = Case::new();
    case.check(15, "transactions:read credit:15 stock:read", "stale credit");
    case.check(40, "transactions:read credit:40 stock:20", "stale stock");
    case.check(41, "transactions:read credit:41 stock:read", "recovered stock");
    case.check(42, "transactions:read credit:read stock:read", "recovered credit");
}

#[test]
fn an_outage_that_lasts_is_told_every_day() {
    let mut case = Case::new();
    case.check(15, "transactions:15 stock:15", "stale transactions,stock");
    case.check(15 + 24 * 60 - 1, "transactions:1454 stock:1454", "");
    case.check(15 + 24 * 60, "transactions:1455 stock:1455", "again transactions,stock");
    case.check(16 + 24 * 60, "transactions:1456 stock:1456", "");
    case.check(15 + 48 * 60, "transactions:2895 stock:2895", "again transactions,stock");
}

#[test]
fn a_held_list_repeats_by_its_own_notice_alone() {
    let mut case = Case::new();
    case.check(15, "transactions:read stock:15:held", "stale stock");
    case.check(15 + 48 * 60, "transactions:read stock:2895:held", "");
}

#[test]
fn a_list_that_was_never_read_while_others_are_is_told_once() {
    let mut case = Case::new();
    case.check(15, "transactions:read vendors:never:15", "stale vendors");
    assert_eq!(case.record.problems().count(), 0);
    case.check(15 + 48 * 60, "transactions:read vendors:never:2895", "");
    case.check(60 + 48 * 60, "transactions:read vendors:read", "recovered vendors");
}

#[test]
fn a_shop_that_was_never_read_at_all_is_a_problem() {
    let mut case = Case::new();
    case.check(15, "transactions:never:15 stock:never:15", "stale transactions,stock");
    assert_eq!(case.record.problems().count(), 2);
}

#[test]
fn after_a_restart_nothing_is_told_twice_and_nothing_has_recovered() {
    let mut case = Case::new();
    case.check(15, "transactions:15", "stale transactions");
    // The process has just started: it has read nothing yet.
    let fresh = Look { unread_for: Duration::ZERO, is_read: false, ..look("transactions:1") };
    assert_eq!(step(&case.record, std::slice::from_ref(&fresh), at(20), false), None);
    case.check(40, "transactions:20", "");
    case.check(41, "transactions:read", "recovered transactions");
}

#[test]
fn the_end_waits_for_the_other_lists_of_the_outage() {
    let mut case = Case::new();
    case.check(15, "transactions:15 stock:15", "stale transactions,stock");
    let looks = ["transactions:read", "stock:16"].map(look);
    assert_eq!(step(&case.record, &looks, at(16), true), None);
    case.check(16, "transactions:read stock:16", "recovered transactions");
    case.check(17, "transactions:read stock:read", "recovered stock");
}

#[test]
fn the_end_says_how_long_it_lasted_and_what_was_found() {
    let mut case = Case::new();
    case.check(15, "transactions:15 stock:15", "stale transactions,stock");
    let looks = ["transactions:read", "stock:read"].map(look);
    let ended = step(&case.record, &looks, at(70), false).and_then(|step| step.recovered).expect("has ended");
    let (counter, ShopRecovered { lasted_s, changes, since, .. }) = ended;
    assert_eq!((counter, lasted_s, changes, since), (1, 70 * 60, 4, Some(at(0))));
}

#[test]
fn a_list_that_is_polled_no_more_is_not_waited_for() {
    let mut case = Case::new();
    case.check(15, "transactions:read stock:15", "stale stock");
    let looks = ["transactions:read"].map(look);
    let step = step(&case.record, &looks, at(20), true).expect("forgets it");
    assert_eq!((step.record.told.len(), step.recovered), (0, None));
}
