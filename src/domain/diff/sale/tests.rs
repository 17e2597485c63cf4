//! Is every sale told once, whenever it arrives and whatever becomes of it?

mod broken;
mod partial;
mod properties;

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::domain::event::{EventData, EventKind};
use crate::domain::model::Money;
use crate::domain::test_shop::{after, events, list, one_change_each, sale, scribe, scribe_at, time, told};

/// From the morning of the 20th to the end of the 24th.
fn window() -> Window {
    from("2026-11-19T17:00:00Z")
}

fn from(moment: &str) -> Window {
    Window { from: time(moment), until: time("2026-11-24T17:00:00Z") }
}

fn read(known: &Known<SaleRow>, sales: &[Sale], window: Window) -> Result<Vec<Change<SaleRow>>, Unbelievable> {
    compare(known, Whole::vouch(sales.to_vec(), 0), Besides::default(), window, &scribe())
}

/// What is known after these readings, the first of which is the baseline.
fn known(readings: &[&[Sale]]) -> Known<SaleRow> {
    readings.iter().fold(Known::Nothing, |known, sales| {
        let changes = read(&known, sales, window()).unwrap();
        after(&known, &changes, Some(window().from))
    })
}

fn count(known: &Known<SaleRow>) -> usize {
    match known {
        Known::Nothing => 0,
        Known::Rows { rows, .. } => rows.len(),
    }
}

/// Reads one after the other, the first as the baseline, and says what each reading tells.
#[track_caller]
fn check(readings: &[&[Sale]], want: &[&str]) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for sales in readings {
        let changes = read(&known, sales, window()).unwrap();
        said.push(told(&changes));
        known = after(&known, &changes, Some(window().from));
    }
    assert_eq!(said, want);
}

fn cancelled(sale: Sale) -> Sale {
    Sale { status: SaleStatus::Cancelled, cancelled_at: Some(time("2026-11-23T02:10:00Z")), ..sale }
}

fn sold(name: &str, sold_at: &str) -> Sale {
    Sale { sold_at: Some(time(sold_at)), ..sale(name) }
}

#[test]
fn a_first_reading_makes_no_event() {
    check(&[&[sale("a"), cancelled(sale("b"))]], &[""]);
    check(&[&[]], &[""]);
}

#[test]
fn after_an_empty_first_reading_the_next_sale_is_an_event() {
    check(&[&[], &[sale("a")], &[sale("a")]], &["", "sale.created sale/a", ""]);
}

#[test]
fn a_late_sale_is_reported_once() {
    let late = sold("late", "2026-11-20T09:00:00Z");
    check(&[&[sale("a")], &[late.clone(), sale("a")], &[sale("a"), late]], &["", "sale.created sale/late", ""]);
}

#[test]
fn sales_are_told_in_the_order_in_which_they_happened() {
    let newest_first =
        [sold("c", "2026-11-23T02:02:00Z"), sold("a", "2026-11-23T02:01:00Z"), sold("b", "2026-11-23T02:00:00Z")];
    check(&[&[], &newest_first], &["", "sale.created sale/b, sale.created sale/a, sale.created sale/c"]);
}

#[test]
fn a_sale_is_told_at_the_time_of_the_till_and_without_one_when_it_was_seen() {
    let timeless = Sale { sold_at: None, ..sale("a") };
    for (sale, at) in [(sale("a"), "2026-11-23T02:00:00Z"), (timeless, "2026-11-23T03:00:00Z")] {
        let changes = read(&known(&[&[]]), &[sale], window()).unwrap();
        assert_eq!(events(&changes)[0].time, time(at));
    }
}

#[test]
fn a_cancelled_sale_is_reported_once() {
    for minutes in [10, 81] {
        let at = time("2026-11-23T02:00:00Z") + TimeDelta::minutes(minutes);
        let taken_back =
            Sale {
                cancelled_at: Some(at), comment: Some("ลูกค้าเปลี่ยนใจ".to_owned()), ..cancelled(sale("a"))
            };
        let before = known(&[&[], &[sale("a")]]);
        let changes = read(&before, std::slice::from_ref(&taken_back), window()).unwrap();
        let cancel = events(&changes)[0];
        assert_eq!((told(&changes).as_str(), cancel.time), ("sale.cancelled sale/a", at));
        let EventData::Sale { sale: now, previous, .. } = &cancel.data else { panic!("{cancel:?}") };
        assert_eq!((&**now, previous.as_deref()), (&taken_back, Some(&sale("a"))));
        let known = after(&before, &changes, Some(window().from));
        assert_eq!(read(&known, &[taken_back], window()).unwrap(), []);
    }
}

#[test]
fn a_sale_that_is_first_seen_cancelled_is_created_and_then_cancelled() {
    let both = "sale.created sale/a, sale.cancelled sale/a";
    check(&[&[], &[cancelled(sale("a"))], &[cancelled(sale("a"))]], &["", both, ""]);
}

#[test]
fn a_cancel_is_told_only_once_though_it_is_taken_back_and_made_again() {
    let updated = "sale.updated sale/a";
    let (stands, cancelled) = ([sale("a")], [cancelled(sale("a"))]);
    check(
        &[&stands, &cancelled, &stands, &cancelled, &stands],
        &["", "sale.cancelled sale/a", updated, updated, updated],
    );
    check(&[&cancelled, &stands, &cancelled], &["", updated, updated]);
}

#[test]
fn an_update_names_the_fields_that_differ() {
    let other = Sale { total: Some(Money::from(4990)), comment: Some("แก้ราคา".to_owned()), ..sale("a") };
    let changes = read(&known(&[&[sale("a")]]), &[other], window()).unwrap();
    let EventData::Sale { changed, .. } = &events(&changes)[0].data else { panic!("{changes:?}") };
    assert_eq!((told(&changes).as_str(), changed.join(" ").as_str()), ("sale.updated sale/a", "total comment"));
}

#[test]
fn a_total_that_is_only_written_differently_is_no_event() {
    let (short, long) = ("161.1".parse().ok(), "161.10".parse().ok());
    check(&[&[Sale { total: short, ..sale("a") }], &[Sale { total: long, ..sale("a") }]], &["", ""]);
}

#[test]
fn two_updates_of_one_sale_have_two_ids() {
    let other = Sale { comment: Some("x".to_owned()), ..sale("a") };
    let once = known(&[&[sale("a")]]);
    let there = read(&once, std::slice::from_ref(&other), window()).unwrap();
    let back = read(&after(&once, &there, None), &[sale("a")], window()).unwrap();
    let again = read(&after(&after(&once, &there, None), &back, None), &[other], window()).unwrap();
    let ids: std::collections::BTreeSet<_> =
        [&there, &back, &again].into_iter().flat_map(|changes| events(changes)).map(|event| &event.id).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_sale_from_before_the_horizon_is_taken_quietly() {
    // The window was made longer in the configuration: what lies in its new days is old.
    let longer = from("2026-11-09T17:00:00Z");
    let before = known(&[&[sale("a")]]);
    let sales = [sale("a"), sold("old", "2026-11-12T02:00:00Z"), sold("edge", "2026-11-19T17:00:00Z")];
    let changes = read(&before, &sales, longer).unwrap();
    assert_eq!(told(&changes), "sale.created sale/edge");
    let known = after(&before, &changes, Some(longer.from));
    assert_eq!(count(&known), 3);
    let cancelled = [sales[0].clone(), cancelled(sales[1].clone()), sales[2].clone()];
    assert_eq!(told(&read(&known, &cancelled, longer).unwrap()), "sale.cancelled sale/old");
}

#[test]
fn sales_that_left_the_window_are_forgotten() {
    let timeless = Sale { sold_at: None, ..sale("timeless") };
    let known = known(&[&[sold("old", "2026-11-20T02:00:00Z"), sale("a"), timeless]]);
    let moved = from("2026-11-20T17:00:00Z");
    let changes = read(&known, &[sale("a")], moved).unwrap();
    assert_eq!((changes.len(), told(&changes).as_str()), (1, ""));
    assert_eq!((changes[0].id.as_str(), &changes[0].row), ("old", &None));
    assert_eq!(count(&after(&known, &changes, Some(moved.from))), 2);
}

#[test]
fn a_sale_that_is_still_read_is_not_forgotten() {
    // The till's clock stood days behind and was set right; and an API whose days begin earlier than ours.
    let known = known(&[&[sold("a", "2026-11-20T02:00:00Z"), sold("b", "2026-11-20T03:00:00Z")]]);
    let moved = from("2026-11-20T17:00:00Z");
    let sales = [sale("a"), sold("b", "2026-11-20T03:00:00Z")];
    let changes = read(&known, &sales, moved).unwrap();
    assert_eq!(told(&changes), "sale.updated sale/a");
    let known = after(&known, &changes, Some(moved.from));
    assert_eq!(read(&known, &sales, moved).unwrap(), []);
}

#[test]
fn a_forgotten_sale_that_is_asked_for_again_gets_no_old_id() {
    let (plain, other) = (sale("a"), Sale { comment: Some("x".to_owned()), ..sale("a") });
    let mut seen = BTreeSet::new();
    let mut now = scribe().now();
    let mut known = Known::Nothing;
    for (sales, window) in [
        (vec![plain.clone()], window()),
        (vec![other.clone()], window()),
        (Vec::new(), from("2026-11-23T17:00:00Z")),
        (vec![plain], window()),
        (vec![other], window()),
    ] {
        let changes = compare(&known, Whole::vouch(sales, 0), Besides::default(), window, &scribe_at(now)).unwrap();
        known = after(&known, &changes, Some(window.from));
        now += TimeDelta::seconds(15);
        for event in events(&changes) {
            assert!(seen.insert(event.id.clone()), "{}", event.kind);
        }
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn an_empty_list_where_rows_must_be_is_not_believed() {
    assert_eq!(read(&known(&[&[sale("a"), sale("b")]]), &[], window()), Err(Unbelievable::Empty { known: 2 }));
}

#[test]
fn no_sales_this_morning_is_a_good_answer() {
    let changes = read(&known(&[&[sale("a")]]), &[], from("2026-11-23T17:00:00Z")).unwrap();
    assert_eq!((changes.len(), told(&changes).as_str()), (1, ""));
    check(&[&[], &[], &[]], &["", "", ""]);
}

#[test]
fn rows_that_could_not_be_read_are_rows_all_the_same() {
    let read = Whole::vouch(Vec::new(), 1);
    assert_eq!(compare(&known(&[&[sale("a")]]), read, Besides::default(), window(), &scribe()), Ok(Vec::new()));
}
