//! Are products told when they come, change and go, and not when an answer merely leaves something out?

use super::*;
use crate::domain::test_shop::id;

fn a() -> StockRow {
    row("a", "9")
}

fn b() -> StockRow {
    row("b", "9")
}

fn deleted(row: StockRow) -> StockRow {
    StockRow { deleted: true, ..row }
}

fn state(known: &Known<ProductRow>) -> (u32, bool) {
    known.row(&id("a")).map(|row| (row.missed, row.removed)).expect("is known")
}

#[test]
fn an_update_names_the_fields_that_differ_and_is_told_before_the_quantity() {
    let other = edited("a", "4", |row| {
        row.product.name = some("ข้าวหอม");
        row.product.cost = Some("740".parse().unwrap());
    });
    let changes = read(&known(&[a()]), &[other], &rules());
    assert_eq!(told(&changes), "product.updated product/a, stock.changed product/a, stock.low product/a");
    let EventData::Product { product, previous, changed, .. } = &events(&changes)[0].data else { panic!() };
    assert_eq!(changed.join(" "), "name cost");
    assert_eq!((product.name.clone(), previous.as_deref()), (some("ข้าวหอม"), Some(&a().product)));
}

#[test]
fn a_product_is_removed_by_the_second_pass_in_a_row_without_it() {
    let rest = [b()];
    check(&[&[a(), b()], &rest, &rest, &rest], &["", "", "product.removed product/a", ""]);
    check(&[&[a(), b()], &rest, &[a(), b()], &rest, &[a(), b()]], &["", "", "", "", ""]);
}

#[test]
fn a_row_with_the_deleted_flag_is_one_that_is_not_there() {
    let gone = [deleted(row("a", "0")), b()];
    check(&[&[a(), b()], &gone, &gone, &gone], &["", "", "product.removed product/a", ""]);
    check(&[&[a(), b()], &gone, &[b()], &gone], &["", "", "product.removed product/a", ""]);
    check(&[&[a(), b()], &gone, &[a(), b()]], &["", "", ""]);
    check(&[&[deleted(a()), b()], &[deleted(a()), b()], &[a(), b()]], &["", "", "product.created product/a"]);
}

#[test]
fn a_removed_product_that_comes_back_is_told_as_what_changed_and_its_level_without_an_alert() {
    let (both, rest) = ([a(), b()], [b()]);
    let back = "product.updated product/a";
    check(&[&both, &rest, &rest, &both, &both], &["", "", "product.removed product/a", back, ""]);
    let mut known = [&both[..], &rest, &rest].iter().fold(Known::Nothing, |known, rows| {
        let changes = read(&known, rows, &rules());
        after(&known, &changes, None)
    });
    assert_eq!(state(&known), (0, true));
    let changes = read(&known, &[row("a", "0"), b()], &rules());
    let EventData::Product { changed, previous, .. } = &events(&changes)[0].data else { panic!() };
    assert_eq!((told(&changes).as_str(), changed.join(" ").as_str()), (back, "quantity"));
    assert_eq!(previous.as_deref(), Some(&a().product));
    known = after(&known, &changes, None);
    assert_eq!(state(&known), (0, false));
    assert_eq!(told(&read(&known, &both, &rules())), "stock.changed product/a, stock.recovered product/a");
}

#[test]
fn no_id_is_used_again_after_a_removal_and_a_return() {
    let (both, rest, mut seen, mut known) = ([a(), b()], [b()], BTreeSet::new(), Known::Nothing);
    for rows in [&both[..], &rest, &rest, &both, &rest, &rest, &both, &[row("a", "1"), b()]] {
        let changes = read(&known, rows, &rules());
        known = after(&known, &changes, None);
        assert!(events(&changes).into_iter().all(|event| seen.insert(event.id.clone())), "{}", told(&changes));
    }
    assert_eq!(seen.len(), 6);
}

#[test]
fn a_removed_product_counts_for_nothing() {
    let short = known(&[row("a", "0"), b()]);
    let once = after(&short, &read(&short, &[b()], &rules()), None);
    let counts = |known: &Known<ProductRow>| known.rows().filter(|row| row.level.worst == Level::Out).count();
    assert_eq!(counts(&once), 1);
    assert_eq!(counts(&after(&once, &read(&once, &[b()], &rules()), None)), 0);
}

#[test]
fn a_field_is_emptied_by_the_second_pass_in_a_row_that_leaves_it_out() {
    let bare = || edited("a", "9", |row| (row.product.unit, row.product.price) = (None, None));
    let updated = "product.updated product/a";
    check(&[&[a()], &[bare()], &[a()], &[bare()], &[bare()], &[bare()]], &["", "", "", "", updated, ""]);
    check(&[&[a()], &[bare()], &[bare()], &[a()]], &["", "", updated, updated]);
    let once = known(&[a()]);
    let once = after(&once, &read(&once, &[bare()], &rules()), None);
    let changes = read(&once, &[bare()], &rules());
    let EventData::Product { changed, .. } = &events(&changes)[0].data else { panic!() };
    assert_eq!(changed.join(" "), "unit price");
}

#[test]
fn a_field_that_one_answer_leaves_out_moves_no_threshold() {
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
            let changes = read(&known, &[reading], &rules);
            said.push(events(&changes).len());
            known = after(&known, &changes, None);
        }
        // The quantity changed and the product is low, once; then nothing.
        assert_eq!(said, [0, 2, 0, 0]);
    }
}

#[test]
fn what_is_read_by_other_fields_is_taken_without_a_word_and_gets_no_old_id() {
    let before = known(&[a()]);
    let low = read(&before, &[row("a", "4")], &rules());
    let before = after(&before, &low, None);
    let gone = edited("c", "9", |row| row.deleted = true);
    let changes = pass(&before, &[row("a", "100"), row("b", "0"), gone], Taken::Quietly, &rules());
    assert_eq!((changes.len(), told(&changes).as_str()), (2, ""));
    let next = read(&after(&before, &changes, None), &[row("a", "4"), row("b", "0")], &rules());
    assert_eq!(told(&next), "stock.changed product/a, stock.low product/a");
    let ids: BTreeSet<_> = [events(&low), events(&next)].concat().into_iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_product_that_was_away_while_its_fields_moved_comes_back_without_a_word() {
    let before = known(&[row("a", "10"), row("b", "1")]);
    let now = after(&before, &pass(&before, &[row("b", "70")], Taken::Quietly, &rules()), None);
    let other = edited("a", "0", |row| row.product.name = some("อื่น"));
    let changes = read(&now, &[other.clone(), row("b", "70")], &rules());
    assert_eq!(told(&changes), "");
    // Once taken, it is compared again.
    let now = after(&now, &changes, None);
    assert_eq!(told(&read(&now, &[row("a", "0"), row("b", "70")], &rules())), "product.updated product/a");
    assert!(refresh(&after(&before, &pass(&before, &[], Taken::Quietly, &rules()), None), other, &rules()).is_empty());
}

#[test]
fn a_reading_between_passes_tells_the_quantity_alone_and_steps_the_level_where_one_pass_is_enough() {
    let renamed = edited("a", "4", |row| row.product.name = None);
    let before = known(&[a()]);
    let changes = refresh(&before, renamed.clone(), &rules());
    assert_eq!(told(&changes), "stock.changed product/a, stock.low product/a");
    assert_eq!(changes[0].row.as_ref().unwrap().product.name, a().product.name);
    let mut twice = rules();
    twice.thresholds[0].passes = 2;
    let changes = refresh(&before, renamed, &twice);
    assert_eq!(told(&changes), "stock.changed product/a");
    let known = after(&before, &changes, None);
    let first = read(&known, &[row("a", "4")], &twice);
    assert_eq!(told(&first), "");
    assert_eq!(told(&read(&after(&known, &first, None), &[row("a", "4")], &twice)), "stock.low product/a");
}

#[test]
fn a_reading_between_passes_removes_nothing_brings_nothing_back_and_knows_no_missing_quantity() {
    let before = known(&[a(), b()]);
    for row in [deleted(row("a", "0")), row("a", "-"), a(), row("c", "5")] {
        assert!(refresh(&before, row.clone(), &rules()).is_empty(), "{row:?}");
    }
    let once = after(&before, &read(&before, &[b()], &rules()), None);
    let found = after(&once, &refresh(&once, a(), &rules()), None);
    assert_eq!((state(&once), state(&found)), ((1, false), (0, false)));
    let removed = after(&once, &read(&once, &[b()], &rules()), None);
    assert!(refresh(&removed, row("a", "3"), &rules()).is_empty());
}

#[test]
fn a_row_of_an_older_store_is_read_without_events() {
    let Known::Rows { rows, .. } = known(&[a()]) else { panic!("was read") };
    let stored = serde_json::to_string(&rows[&id("a")]).unwrap();
    assert!(!stored.contains("missed") && !stored.contains("left_out"), "{stored}");
    let read_back: ProductRow = serde_json::from_str(&stored).unwrap();
    let limits = |row: &StockRow| rules().limits(&shop(), row);
    assert_eq!(compare_one(Some(&read_back), a(), Taken::Compared, limits, &scribe()), None);
}

#[test]
fn only_a_row_that_rests_may_be_passed_over_while_it_stands_still() {
    let mut twice = rules();
    twice.thresholds[0].passes = 2;
    let rests = |known: &Known<ProductRow>| known.row(&id("a")).expect("is known").rests();
    let before = known(&[a(), b()]);
    assert!(rests(&before));
    let bare = edited("a", "9", |row| row.product.unit = None);
    for (rows, rules) in [(vec![b()], &rules()), (vec![bare, b()], &rules()), (vec![row("a", "1"), b()], &twice)] {
        assert!(!rests(&after(&before, &read(&before, &rows, rules), None)), "{rows:?}");
    }
}
