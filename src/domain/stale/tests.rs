//! Are stale lists told once, together, again after a day, and ended once?

use super::*;
use crate::domain::test_shop::time;

/// After how many minutes without a pass a list is overdue.
const LIMIT: u64 = 15;

fn at(minutes: i64) -> Timestamp {
    time("2026-11-23T03:00:00Z") + TimeDelta::minutes(minutes)
}

/// `transactions:read` was just read, `stock:20` not for 20 minutes in which its passes failed, `credit:20/5` not for 20
/// minutes and its passes have failed for 5, `members:9/-` not for 9 minutes and its next pass is not due yet,
/// `vendors:never/20` was never read and has failed for 20 minutes. `:held` and `:refused` are causes, and what is
/// `:rare` may go unread for longer.
fn look(text: &str) -> Look {
    let minutes = |text: &str| Duration::from_secs(60 * text.parse::<u64>().expect("is a number"));
    let mut words = text.split(':');
    let resource = words.next().and_then(Resource::by_name).expect("is a resource");
    let (unread, failing) = words.next().map(|word| word.split_once('/').unwrap_or((word, word))).expect("has a time");
    let more = words.next();
    let cause = match more {
        Some("held") => StaleCause::Held,
        Some("refused") => StaleCause::KeyRefused,
        _ => StaleCause::ApiError,
    };
    let (is_read, is_never) = (unread == "read", unread == "never");
    let is_failing = !is_read && failing != "-";
    let failing_for = if is_failing { minutes(failing) } else { Duration::ZERO };
    let unread_for = match unread {
        "read" => Some(Duration::ZERO),
        "never" => None,
        ago => Some(minutes(ago)),
    };
    Look {
        resource,
        passed_at: (!is_never).then(|| at(0)),
        unread_for,
        failing_for,
        is_failing,
        is_overdue: more != Some("rare") && unread_for.unwrap_or(failing_for) >= Duration::from_secs(60 * LIMIT),
        is_read: is_read || !is_failing,
        changes: 2,
        cause,
        why: "503".to_owned(),
    }
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
fn an_outage_of_the_shop_is_one_event_however_rarely_its_lists_are_read() {
    let mut case = Case::new();
    case.check(14, "transactions:14 stock:14 credit:20/5:rare members:40/-:rare vendors:200/-:rare", "");
    case.check(
        15,
        "transactions:15 stock:15 credit:21/6 members:41/- vendors:201/-",
        "stale transactions,stock,credit",
    );
    case.check(40, "transactions:40 stock:40 credit:46/31 members:66/6:rare vendors:226/-:rare", "");
    case.check(180, "transactions:180 stock:180 credit:186/171 members:206/146 vendors:366/6:rare", "");
    case.check(
        181,
        "transactions:read stock:read credit:read members:read vendors:read",
        "recovered transactions,stock,credit,members,vendors",
    );
}

#[test]
fn a_refused_key_is_one_event_though_the_other_lists_never_fail() {
    let mut case = Case::new();
    let refused = |minutes: u64| {
        let lists = ["transactions", "stock", "credit"];
        lists.map(|list| format!("{list}:{minutes}:refused")).join(" ") + &format!(" members:{}:refused", minutes - 10)
    };
    case.check(15, &refused(15), "stale transactions,stock,credit,members");
    case.check(30, &refused(30), "");
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
fn an_outage_after_another_list_has_failed_is_one_event_too() {
    let mut case = Case::new();
    case.check(15, "transactions:read credit:15 stock:read", "stale credit");
    case.check(60, "transactions:15 credit:60 stock:15 members:50/-:rare", "stale transactions,stock");
    case.check(90, "transactions:45 credit:90 stock:45 members:80/30", "");
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
    case.check(15, "transactions:read vendors:never/15", "stale vendors");
    assert_eq!(case.record.problems().count(), 0);
    case.check(15 + 48 * 60, "transactions:read vendors:never/2895", "");
    case.check(60 + 48 * 60, "transactions:read vendors:read", "recovered vendors");
}

#[test]
fn a_list_that_was_never_read_is_found_so_after_an_outage_at_the_first_start() {
    let mut case = Case::new();
    case.check(15, "transactions:never/15 vendors:never/15", "stale transactions,vendors");
    assert_eq!(case.record.problems().count(), 2);
    case.check(20, "transactions:read vendors:never/20", "recovered transactions");
    assert_eq!(case.record.problems().count(), 0);
    case.check(20 + 48 * 60, "transactions:read vendors:never/2900", "");
}

#[test]
fn a_list_that_was_empty_so_far_is_a_problem_when_it_fails() {
    let mut case = Case::new();
    // It was answered without a row: no pass was accepted.
    let empty = Look { passed_at: None, ..look("members:15") };
    let looks = [look("transactions:read"), empty];
    case.record = step(&case.record, &looks, at(15), false).expect("is told").record;
    assert_eq!(case.record.problems().count(), 1);
}

#[test]
fn after_a_restart_nothing_is_told_twice_and_nothing_has_recovered() {
    let mut case = Case::new();
    case.check(15, "transactions:15 stock:15", "stale transactions,stock");
    // The process has just started: it has read nothing yet.
    let fresh = |text: &str| Look { unread_for: None, is_overdue: false, is_read: false, ..look(text) };
    let looks = [fresh("transactions:0"), fresh("stock:0")];
    assert_eq!(step(&case.record, &looks, at(20), false), None);
    case.check(41, "transactions:read stock:read", "recovered transactions,stock");
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
