//! Is every shortage told once, and nothing that is none?

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::event::EventData;
use crate::domain::rules::{Low, Threshold};
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

type Compared = Result<Vec<Change<ProductRow>>, Unbelievable>;

fn read(known: &Known<ProductRow>, rows: &[StockRow], rules: &RuleSet) -> Compared {
    compare(known, Whole::vouch(rows.to_vec(), 0), &shop(), rules, &scribe())
}

/// What is known after a baseline of these rows.
fn known(rows: &[StockRow]) -> Known<ProductRow> {
    after(&Known::Nothing, &read(&Known::Nothing, rows, &rules()).unwrap(), None)
}

/// Reads one after the other, the first as the baseline, and says what each reading tells.
#[track_caller]
fn check(readings: &[&[StockRow]], want: &[&str]) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for rows in readings {
        let changes = read(&known, rows, &rules()).unwrap();
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
        let changes = read(&known, &[row("a", left)], &rules()).unwrap();
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
fn an_empty_list_where_rows_must_be_is_not_believed() {
    assert_eq!(read(&Known::Nothing, &[], &rules()), Err(Unbelievable::EmptyAtFirst));
    assert_eq!(read(&known(&[row("a", "9"), row("b", "9")]), &[], &rules()), Err(Unbelievable::Empty { known: 2 }));
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
    let changes = read(&before, &[edited("a", "-", |row| row.product.name = some("ใหม่"))], &rules()).unwrap();
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
            "",
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
        let changes = read(&known, &[row("a", "9")], &rules).unwrap();
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
        [("10", "stock.low product/a"), ("10", ""), ("9", "stock.recovered product/a"), ("-", ""), ("-", "")]
    {
        let changes = read(&known, &minimum(least), &rules).unwrap();
        assert_eq!(told(&changes), want, "{least}");
        known = after(&known, &changes, None);
    }
}

#[test]
fn a_deleted_row_concludes_nothing() {
    let deleted = |left| edited("a", left, |row| row.deleted = true);
    check(&[&[row("a", "9")], &[deleted("0")], &[row("a", "9")]], &["", "", ""]);
    check(&[&[deleted("0")], &[deleted("5")]], &["", ""]);
    assert_eq!(read(&known(&[row("a", "9")]), &[deleted("0")], &rules()), Ok(Vec::new()));
}

#[test]
fn a_product_that_is_not_in_the_list_concludes_nothing() {
    let (a, b) = (row("a", "9"), row("b", "9"));
    check(&[&[a.clone(), b.clone()], std::slice::from_ref(&b), &[a, b.clone()]], &["", "", ""]);
}

#[test]
fn two_shortages_of_one_product_have_two_ids() {
    let mut known = known(&[row("a", "9")]);
    let mut ids = Vec::new();
    for left in ["4", "9", "4"] {
        let changes = read(&known, &[row("a", left)], &rules()).unwrap();
        ids.extend(events(&changes).into_iter().filter(|event| event.kind.name() == "stock.low").cloned());
        known = after(&known, &changes, None);
    }
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0].id, ids[1].id);
}

#[test]
fn an_event_shows_the_product_as_it_was_and_the_threshold() {
    let changes = read(&known(&[row("a", "9")]), &[row("a", "1.50")], &rules()).unwrap();
    let EventData::Product { product, previous, changed, .. } = &events(&changes)[0].data else { panic!() };
    assert_eq!((product.quantity, &**changed), (Some(quantity("1.5")), &["quantity".to_owned()][..]));
    assert_eq!(previous.as_ref().and_then(|previous| previous.quantity), Some(quantity("9")));
    let EventData::Product { threshold: Some(threshold), .. } = &events(&changes)[1].data else { panic!() };
    assert_eq!((threshold.below, threshold.rearm), (Some(quantity("2")), Some(quantity("8"))));
}

#[test]
fn products_that_are_read_by_other_fields_are_taken_without_a_word_and_get_no_old_id() {
    let before = known(&[row("a", "9")]);
    let low = read(&before, &[row("a", "4")], &rules()).unwrap();
    let before = after(&before, &low, None);
    let quiet = |rows: &[StockRow]| take_quietly(&before, Whole::vouch(rows.to_vec(), 0), &shop(), &rules());
    let deleted = edited("c", "9", |row| row.deleted = true);
    let changes = quiet(&[row("a", "100"), row("b", "0"), deleted]).unwrap();
    assert_eq!((changes.len(), told(&changes).as_str()), (2, ""));
    let next = read(&after(&before, &changes, None), &[row("a", "4"), row("b", "0")], &rules()).unwrap();
    assert_eq!(told(&next), "stock.changed product/a, stock.low product/a");
    let ids: BTreeSet<_> = [events(&low), events(&next)].concat().into_iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(quiet(&[]), Err(Unbelievable::EmptyAtFirst));
}

#[test]
fn short_and_missing_products_are_counted_by_the_rules_of_today() {
    let Known::Rows { rows, .. } = known(&["9", "4", "1", "0", "-2", "-"].map(|left| row(left, left))) else {
        panic!("was read")
    };
    let count = |rules: &RuleSet| {
        let counts = count_levels(rows.values(), &shop(), rules);
        (counts.low, counts.out)
    };
    assert_eq!(count(&rules()), (2, 2));
    assert_eq!(count(&low("10", "2", "10")), (3, 2));
    assert_eq!(count(&RuleSet::default()), (0, 2));
}

fn any_row(name: String) -> impl Strategy<Value = StockRow> + use<> {
    let left = prop::sample::select(vec!["-", "-2", "0", "0.5", "1", "2", "4", "5", "6", "8", "9"]);
    (left, prop::bool::weighted(0.1), 0i64..3).prop_map(move |(left, deleted, price)| {
        edited(&name, left, |row| {
            row.deleted = deleted;
            row.product.price = Some(price.into());
        })
    })
}

fn shuffled(rows: Vec<StockRow>) -> impl Strategy<Value = (Vec<StockRow>, Vec<StockRow>)> {
    (Just(rows.clone()), Just(rows).prop_shuffle())
}

proptest! {
    #[test]
    fn the_same_reading_twice_tells_nothing(readings in prop::collection::vec(list(any_row), 1..6)) {
        let mut known = Known::Nothing;
        for rows in readings {
            let Ok(changes) = read(&known, &rows, &rules()) else { continue };
            prop_assert!(one_change_each(&changes));
            known = after(&known, &changes, None);
            prop_assert_eq!(read(&known, &rows, &rules()).unwrap(), []);
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(a in list(any_row), (b, c) in list(any_row).prop_flat_map(shuffled)) {
        prop_assume!(!a.is_empty());
        let known = known(&a);
        let [b, c] = [b, c].map(|rows| read(&known, &rows, &rules()).map(|changes| sorted(&changes)));
        prop_assert_eq!(b, c);
    }

    #[test]
    fn no_id_is_told_twice_whatever_is_read(readings in prop::collection::vec(list(any_row), 1..12)) {
        let (mut known, mut seen) = (Known::Nothing, BTreeSet::new());
        for rows in readings {
            let Ok(changes) = read(&known, &rows, &rules()) else { continue };
            known = after(&known, &changes, None);
            for event in events(&changes) {
                prop_assert!(seen.insert(event.id.clone()), "{} twice", event.kind);
            }
        }
    }
}

#[test]
fn a_field_that_one_answer_leaves_out_tells_nothing() {
    let own = |left| edited("a", left, |row| row.min_stock = Some(quantity("5")));
    let drink = |left| edited("a", left, |row| row.product.category = some("drinks"));
    let bare = |left| edited("a", left, |row| row.product.category = None);
    let rules_with = |low, category| {
        let threshold = Threshold { low: Some(low), category, passes: 1, ..Threshold::default() };
        RuleSet { thresholds: vec![threshold], rules: Vec::new() }
    };
    let by_min_stock = rules_with(Low::MinStock, None);
    let by_category = rules_with(Low::Below(quantity("5")), some("drinks"));
    for (rules, readings) in [
        (by_min_stock, [own("10"), own("3"), row("a", "3"), own("3")]),
        (by_category, [drink("10"), drink("3"), bare("3"), drink("3")]),
    ] {
        let mut known = Known::Nothing;
        let mut said = Vec::new();
        for reading in readings {
            let changes = read(&known, &[reading], &rules).unwrap();
            said.push(events(&changes).len());
            known = after(&known, &changes, None);
        }
        // The quantity changed and the product is low, once; then nothing.
        assert_eq!(said, [0, 2, 0, 0]);
    }
}

#[test]
fn a_product_that_was_away_while_its_fields_moved_comes_back_without_a_word() {
    let before = known(&[row("a", "10"), row("b", "1")]);
    let taken = take_quietly(&before, Whole::vouch(vec![row("b", "70")], 1), &shop(), &rules()).unwrap();
    assert_eq!(told(&taken), "");
    let now = after(&before, &taken, None);
    assert_eq!(told(&read(&now, &[row("a", "0"), row("b", "70")], &rules()).unwrap()), "");
}
