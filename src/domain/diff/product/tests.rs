//! Is every shortage told once, and nothing that is none?

mod coming_and_going;
mod machine;
mod properties;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::diff::Known;
use crate::domain::event::{EventData, Level};
use crate::domain::rules::{Low, RuleSet, Threshold};
use crate::domain::test_shop::{after, events, list, one_change_each, quantity, row, scribe, shop, some, sorted, told};

/// Low below five, critical below two, recovered from eight on.
fn rules() -> RuleSet {
    low("5", "2", "8")
}

fn low(low: &str, critical: &str, rearm: &str) -> RuleSet {
    let threshold = Threshold {
        low: Some(Low::Below(quantity(low))),
        critical: Some(quantity(critical)),
        rearm: Some(quantity(rearm)),
        passes: 1,
        ..Threshold::default()
    };
    RuleSet { thresholds: vec![threshold], rules: Vec::new() }
}

type Changes = Vec<Change<ProductRow>>;

/// One whole pass: every row, and then what is not in the list.
fn pass(known: &Known<ProductRow>, rows: &[StockRow], taken: Taken, rules: &RuleSet) -> Changes {
    let limits = |row: &StockRow| rules.limits(&shop(), row);
    let ids: BTreeSet<_> = rows.iter().map(|row| &row.product.id).collect();
    let one = |row: &StockRow| compare_one(known.row(&row.product.id), row.clone(), taken, limits, &scribe());
    let mut changes: Changes = rows.iter().filter_map(one).collect();
    let missing = known.rows().filter(|row| !ids.contains(&row.product.id));
    changes.extend(missing.filter_map(|row| match taken {
        Taken::Compared => miss_one(row, &scribe()),
        Taken::Quietly => miss_quietly(row),
    }));
    changes
}

/// One pass; the first is the baseline.
fn read(known: &Known<ProductRow>, rows: &[StockRow], rules: &RuleSet) -> Changes {
    let taken = if *known == Known::Nothing { Taken::Quietly } else { Taken::Compared };
    pass(known, rows, taken, rules)
}

fn refresh(known: &Known<ProductRow>, row: StockRow, rules: &RuleSet) -> Changes {
    let limits = |row: &StockRow| rules.limits(&shop(), row);
    known.row(&row.product.id).and_then(|prev| refresh_one(prev, row, limits, &scribe())).into_iter().collect()
}

/// What is known after a baseline of these rows.
fn known(rows: &[StockRow]) -> Known<ProductRow> {
    after(&Known::Nothing, &read(&Known::Nothing, rows, &rules()), None)
}

/// Reads one after the other, the first as the baseline, and says what each reading tells.
#[track_caller]
fn check(readings: &[&[StockRow]], want: &[&str]) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for rows in readings {
        let changes = read(&known, rows, &rules());
        said.push(told(&changes));
        known = after(&known, &changes, None);
    }
    assert_eq!(said, want);
}

/// The same for one product, whose levels alone are written down: `low, recovered`.
#[track_caller]
fn check_levels(left: &str, want: &str) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for left in left.split(' ') {
        let changes = read(&known, &[row("a", left)], &rules());
        let kinds = events(&changes).into_iter().map(|event| event.kind.name());
        let levels = kinds.filter(|kind| *kind != "stock.changed").map(|kind| kind.trim_start_matches("stock."));
        said.extend(levels.map(str::to_owned));
        known = after(&known, &changes, None);
    }
    assert_eq!(said.join(", "), want, "{left}");
}

fn edited(name: &str, left: &str, edit: impl FnOnce(&mut StockRow)) -> StockRow {
    let mut row = row(name, left);
    edit(&mut row);
    row
}

#[test]
fn a_first_reading_makes_no_event() {
    check(&[&[row("a", "0"), row("b", "3"), row("c", "-"), row("d", "100")]], &[""]);
}

#[test]
fn a_shortage_is_told_after_the_change_that_made_it() {
    check(
        &[&[row("a", "9")], &[row("a", "4")], &[row("a", "4")], &[row("a", "3")]],
        &["", "stock.changed product/a, stock.low product/a", "", "stock.changed product/a"],
    );
}

#[test]
fn each_shortage_is_told_once_and_rearms_on_recovery() {
    check_levels("6 5 4 6 5 9 4", "low, recovered, low");
    check_levels("9 1 4 0 -3 8", "critical, out, recovered");
    check_levels("9 0 - 0 9 0", "out, recovered, out");
}

#[test]
fn a_shortage_of_the_baseline_is_not_told_but_its_recovery_is() {
    check_levels("3 3 4 8 3", "recovered, low");
    check_levels("3 0 9", "out, recovered");
    check_levels("0 1 7 8", "recovered");
}

#[test]
fn a_missing_quantity_is_unknown_not_zero() {
    check(&[&[row("a", "9")], &[row("a", "-")], &[row("a", "9")]], &["", "", ""]);
    check(
        &[&[row("a", "9")], &[row("a", "-")], &[row("a", "4")]],
        &["", "", "stock.changed product/a, stock.low product/a"],
    );
    let before = known(&[row("a", "9")]);
    let changes = read(&before, &[edited("a", "-", |row| row.product.name = some("ใหม่"))], &rules());
    assert_eq!(changes[0].row.as_ref().map(|row| row.product.quantity), Some(Some(quantity("9"))));
}

#[test]
fn the_first_quantity_of_a_product_is_no_change_and_no_shortage() {
    check(&[&[row("a", "-")], &[row("a", "0")], &[row("a", "0")]], &["", "", ""]);
    check_levels("- 3 4 9 4", "recovered, low");
}

#[test]
fn a_product_first_seen_after_the_baseline_takes_its_level_without_an_alert() {
    let old = row("old", "100");
    check(
        &[
            std::slice::from_ref(&old),
            &[old.clone(), row("new", "0")],
            &[old.clone(), row("new", "9")],
            &[old.clone(), row("new", "4")],
        ],
        &[
            "",
            "product.created product/new",
            "stock.changed product/new, stock.recovered product/new",
            "stock.changed product/new, stock.low product/new",
        ],
    );
}

#[test]
fn lastupdate_alone_is_no_event() {
    let later = edited("a", "9", |row| row.product.updated_at = None);
    check(&[&[row("a", "9")], &[later]], &["", ""]);
}

#[test]
fn a_quantity_that_is_only_written_differently_is_no_event() {
    check(&[&[row("a", "9")], &[row("a", "9.00")]], &["", ""]);
}

#[test]
fn a_threshold_that_moved_is_told_once() {
    let mut known = known(&[row("a", "9")]);
    for (rules, want) in [
        (low("20", "2", "20"), "stock.low product/a"),
        (low("20", "2", "20"), ""),
        (low("20", "10", "20"), "stock.critical product/a"),
        (low("5", "2", "8"), "stock.recovered product/a"),
        (low("5", "2", "8"), ""),
    ] {
        let changes = read(&known, &[row("a", "9")], &rules);
        assert_eq!(told(&changes), want);
        known = after(&known, &changes, None);
    }
}

#[test]
fn a_products_own_minimum_that_moved_is_told_once() {
    let threshold = Threshold { low: Some(Low::MinStock), passes: 1, ..Threshold::default() };
    let rules = RuleSet { thresholds: vec![threshold], rules: Vec::new() };
    let minimum = |least: &str| [edited("a", "9", |row| row.min_stock = least.parse().ok())];
    let mut known = known(&minimum("5"));
    for (least, want) in
        [("10", "stock.low product/a"), ("9", ""), ("7", "stock.recovered product/a"), ("-", ""), ("-", "")]
    {
        let changes = read(&known, &minimum(least), &rules);
        assert_eq!(told(&changes), want, "{least}");
        known = after(&known, &changes, None);
    }
}

#[test]
fn two_shortages_of_one_product_have_two_ids() {
    let mut known = known(&[row("a", "9")]);
    let mut ids = Vec::new();
    for left in ["4", "9", "4"] {
        let changes = read(&known, &[row("a", left)], &rules());
        ids.extend(events(&changes).into_iter().filter(|event| event.kind.name() == "stock.low").cloned());
        known = after(&known, &changes, None);
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0].id, ids[1].id);
}

#[test]
fn an_event_shows_the_product_as_it_was_and_the_threshold() {
    let changes = read(&known(&[row("a", "9")]), &[row("a", "1.50")], &rules());
    let EventData::Product { product, previous, changed, .. } = &events(&changes)[0].data else { panic!() };
    assert_eq!((product.quantity, &**changed), (Some(quantity("1.5")), &["quantity".to_owned()][..]));
    assert_eq!(previous.as_ref().and_then(|previous| previous.quantity), Some(quantity("9")));
    let EventData::Product { threshold: Some(threshold), .. } = &events(&changes)[1].data else { panic!() };
    assert_eq!((threshold.below, threshold.rearm), (Some(quantity("2")), Some(quantity("8"))));
}
