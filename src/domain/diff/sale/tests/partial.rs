//! Does a partial reading, another shop's key or another way of reading conclude what it must not?

use super::*;

fn some_of(known: &Known<SaleRow>, sales: &[Sale]) -> Option<String> {
    compare_some(known, sales.to_vec(), Besides::default(), &scribe()).map(|changes| told(&changes))
}

fn edited(name: &str) -> Sale {
    Sale { comment: Some("x".to_owned()), ..sale(name) }
}

#[test]
fn nothing_follows_from_what_is_not_among_the_newest() {
    let before = known(&[&[sold("old", "2026-11-20T02:00:00Z"), sale("a"), sale("b")]]);
    assert_eq!(compare_some(&before, Vec::new(), Besides::default(), &scribe()), Some(Vec::new()));
    assert_eq!(compare_some(&before, vec![sale("a")], Besides::default(), &scribe()), Some(Vec::new()));
    let sales = [sale("new"), cancelled(sale("a")), edited("b"), sale("new")];
    let want = "sale.cancelled sale/a, sale.updated sale/b, sale.created sale/new";
    assert_eq!(some_of(&before, &sales).as_deref(), Some(want));
}

#[test]
fn before_the_baseline_and_without_one_known_sale_the_window_is_read_whole() {
    assert_eq!(some_of(&Known::Nothing, &[sale("a")]), None);
    let three = known(&[&[sale("a"), sale("b"), sale("c")]]);
    assert_eq!(some_of(&three, &[sale("d")]), None);
    assert_eq!(some_of(&three, &[sale("d"), sale("c")]).as_deref(), Some("sale.created sale/d"));
    assert_eq!(some_of(&known(&[&[sale("a")]]), &[sale("d")]).as_deref(), Some("sale.created sale/d"));
}

#[test]
fn a_window_without_one_known_sale_is_of_another_shop() {
    let three = [sale("a"), sale("b"), sale("c")];
    let known_three = known(&[&three]);
    assert_eq!(read(&known_three, &[sale("x")], window()), Err(Unbelievable::OtherShop { known: 3 }));
    assert!(read(&known_three, &[sale("x"), sale("c")], window()).is_ok());
    assert!(read(&known(&[&three[..2]]), &[sale("x")], window()).is_ok());
    // Those that have left the window are not expected in it.
    assert!(read(&known_three, &[sold("x", "2026-11-24T02:00:00Z")], from("2026-11-23T17:00:00Z")).is_ok());
}

#[test]
fn sales_that_are_read_by_other_fields_are_taken_without_a_word_and_get_no_old_id() {
    let other = |sale: Sale| Sale { receipt: None, ..sale };
    let before = known(&[&[sale("a"), sale("b"), sale("away")], &[edited("a"), cancelled(sale("b")), sale("away")]]);
    let quiet = |sales: &[Sale]| take_quietly(&before, Whole::vouch(sales.to_vec(), 0), window(), &scribe());
    let changes = quiet(&[other(edited("a")), other(sale("b")), other(sale("new"))]).unwrap();
    assert_eq!(told(&changes), "sale.created sale/new");
    let now = after(&before, &changes, None);
    assert!(now.row(&sale("b").id).is_some_and(|row| row.cancel_told));
    let back = [other(sale("a")), other(cancelled(sale("b"))), other(sale("new")), other(sale("away"))];
    assert_eq!(told(&read(&now, &back, window()).unwrap()), "sale.updated sale/a, sale.updated sale/b");
    let counters = [&before, &now].map(|known| known.row(&sale("a").id).map(|row| row.counter));
    assert_eq!(counters[0], counters[1]);
    assert_eq!(quiet(&[]), Err(Unbelievable::Empty { known: 3 }));
}

#[test]
fn sales_whose_ids_are_read_from_another_place_are_all_old() {
    let before = known(&[&[sale("a"), sale("b")]]);
    let sales = Whole::vouch(vec![sale("x"), sale("y")], 0);
    assert_eq!(told(&take_quietly(&before, sales, window(), &scribe()).unwrap()), "");
}

#[test]
fn what_came_just_as_it_was_proves_the_shop_and_what_was_not_asked_for_does_not() {
    let none = Known::Rows { rows: BTreeMap::new(), horizon: None };
    let some = |same, unasked| {
        let changes = compare_some(&none, vec![sale("new")], Besides { same, unasked }, &scribe());
        changes.map(|changes| told(&changes))
    };
    assert_eq!(some(0, 3), None, "three are known, and this one is none of them");
    assert_eq!(some(1, 2).as_deref(), Some("sale.created sale/new"));
    let whole = |same| compare(&none, Whole::vouch(Vec::new(), 0), Besides { same, unasked: 0 }, window(), &scribe());
    assert_eq!(whole(3), Ok(Vec::new()), "they came, so nothing is empty");
}
