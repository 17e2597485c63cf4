//! Is a row told through a held pass only where it can hardly be anything but new?

use proptest::prelude::*;

use super::*;
use crate::domain::diff::Known;
use crate::domain::diff::credit::{self, PaidCredits, PendingCredits, Terms};
use crate::domain::diff::guard::GuardLimits;
use crate::domain::diff::sale::{self, Besides, Window};
use crate::domain::model::{Credit, Resource, Sale, Whole};
use crate::domain::test_shop::{after, credit, sale, scribe, some, time, told};

const LAST_ACCEPTED: &str = "2026-11-23T02:30:00Z";

/// The bill of that number and name, made before the last accepted pass.
fn bill(name: &str, number: usize) -> Sale {
    let (code, receipt) = (Some(format!("TR{number:06}")), Some(format!("ST{number:06}")));
    Sale { code, receipt, ..sale(name) }
}

/// The same, made after it.
fn new_bill(name: &str, number: usize) -> Sale {
    Sale { sold_at: Some(time("2026-11-23T02:30:01Z")), ..bill(name, number) }
}

fn bills(numbers: std::ops::Range<usize>) -> Vec<Sale> {
    numbers.map(|number| bill(&format!("known{number}"), number)).collect()
}

fn window() -> Window {
    Window { from: time("2026-11-19T17:00:00Z"), until: time("2026-11-24T17:00:00Z") }
}

fn known(sales: Vec<Sale>) -> Known<SaleRow> {
    let first = sale::compare(&Known::Nothing, Whole::vouch(sales, 0), Besides::default(), window(), &scribe());
    after(&Known::Nothing, &first.unwrap(), Some(window().from))
}

fn numbers<R: Numbered>(known: &Known<R>) -> Numbers {
    let Known::Rows { rows, .. } = known else { return Numbers::default() };
    let mut numbers = Numbers::default();
    rows.iter().for_each(|(id, row)| numbers.add(id.clone(), row.code(), row.receipt()));
    numbers
}

/// What goes through a pass over these sales, if it is held.
fn through(known: &Known<SaleRow>, read: Whole<Sale>) -> Vec<Change<SaleRow>> {
    let share = sale::share(known, &read, Besides::default(), window());
    let changes = sale::compare(known, read, Besides::default(), window(), &scribe()).unwrap_or_default();
    strangers(young(changes, share, time(LAST_ACCEPTED)), numbers(known))
}

fn said(known: &Known<SaleRow>, sales: impl IntoIterator<Item = Sale>) -> String {
    told(&through(known, Whole::vouch(sales.into_iter().collect(), 0)))
}

#[test]
fn of_a_pass_that_misses_a_third_a_new_sale_is_told_once_and_known_then() {
    let mut shop = known(bills(0..61));
    let read = || [new_bill("new", 61), new_bill("newer", 62)].into_iter().chain(bills(20..61));
    let first = through(&shop, Whole::vouch(read().collect(), 0));
    assert_eq!(told(&first), "sale.created sale/new, sale.created sale/newer");
    shop = after(&shop, &first, Some(window().from));
    assert_eq!(said(&shop, read()), "");
    assert_eq!(said(&shop, bills(0..61).into_iter().chain(read())), "", "nor with all that are back");
}

#[test]
fn a_row_that_may_be_an_old_one_waits() {
    let shop = known(bills(0..61));
    let check = |new: Sale, want: &str| {
        let name = new.id.to_string();
        assert_eq!(said(&shop, bills(20..61).into_iter().chain([new])), want, "{name}");
    };
    check(new_bill("new", 61), "sale.created sale/new");
    check(Sale { code: None, receipt: None, ..new_bill("numberless", 61) }, "sale.created sale/numberless");
    check(bill("older", 61), "");
    check(Sale { sold_at: Some(time(LAST_ACCEPTED)), ..new_bill("as-old", 61) }, "");
    check(Sale { sold_at: None, ..new_bill("undated", 61) }, "");
    check(Sale { code: some("TR000003"), ..new_bill("code-of-one-that-is-away", 61) }, "");
    check(Sale { code: some("TR000033"), ..new_bill("code-of-one-that-is-there", 61) }, "");
    check(Sale { receipt: some("ST000003"), ..new_bill("receipt-of-a-known-one", 61) }, "");
    check(new_bill("known30", 61), "");
}

#[test]
fn known_sales_under_other_ids_and_another_shops_sales_wait() {
    let shop = known(bills(0..61));
    let renamed = (0..30).map(|number| new_bill(&format!("again{number}"), number));
    assert_eq!(said(&shop, bills(30..61).into_iter().chain(renamed)), "");
    let others = |many: usize| (0..many).map(|number| new_bill(&format!("other{number}"), 900 + number));
    assert_eq!(said(&shop, bills(40..61).into_iter().chain(others(40))), "", "more than half are away");
    assert_eq!(said(&shop, others(61)), "");
}

#[test]
fn half_of_the_known_rows_are_enough_and_one_fewer_is_not() {
    for (known_rows, there, want) in [(60, 30, true), (60, 29, false), (61, 31, true), (61, 30, false)] {
        let shop = known(bills(0..known_rows));
        let read = bills(0..there).into_iter().chain([new_bill("new", 500)]);
        assert_eq!(!said(&shop, read).is_empty(), want, "{there} of {known_rows}");
    }
}

#[test]
fn what_came_just_as_it_was_or_cannot_be_understood_is_there_and_a_row_without_an_id_is_nobody() {
    let shop = known(bills(0..10));
    let share = |read: Whole<Sale>, same| sale::share(&shop, &read, Besides { same, unasked: 0 }, window());
    let none = || Whole::vouch(Vec::new(), 0);
    assert_eq!(share(none(), 0), Share { known: 10, there: 0 });
    assert_eq!(share(none(), 7), Share { known: 17, there: 7 }, "these need not be loaded");
    let unreadable = none().but_for(bills(0..3).into_iter().map(|sale| sale.id).collect());
    assert_eq!(share(unreadable, 0), Share { known: 10, there: 3 });
    assert_eq!(share(Whole::vouch(bills(0..2), 8), 0), Share { known: 10, there: 2 });
}

#[test]
fn of_two_new_rows_with_one_number_the_first_is_told_and_the_other_waits() {
    let shop = known(bills(0..61));
    let twice = [new_bill("a", 61), Sale { receipt: None, ..new_bill("b", 61) }];
    assert_eq!(said(&shop, bills(20..61).into_iter().chain(twice)), "sale.created sale/a");
}

/// What goes through a pass over these credits, if it is held.
fn owed(known: &Known<CreditRow>, read: Vec<Credit>) -> String {
    let scribe = scribe();
    let terms = Terms { buckets: credit::BUCKETS, forget_before: time("2026-08-01T00:00:00Z"), scribe: &scribe };
    let pending = PendingCredits::join(Whole::vouch(read, 0), Whole::vouch(Vec::new(), 0));
    let paid = PaidCredits::default();
    let share = credit::share(known, &pending, &paid);
    let changes = credit::compare(known, pending, paid, &terms).unwrap_or_default();
    told(&strangers(young(changes, share, time(LAST_ACCEPTED)), numbers(known)))
}

#[test]
fn credits_go_through_on_the_same_conditions() {
    let old = |number: usize| Credit { code: Some(format!("CR{number}")), ..credit(&format!("known{number}")) };
    let scribe = scribe();
    let terms = Terms { buckets: credit::BUCKETS, forget_before: time("2026-08-01T00:00:00Z"), scribe: &scribe };
    let first = PendingCredits::join(Whole::vouch((0..40).map(old).collect(), 0), Whole::vouch(Vec::new(), 0));
    let first = credit::compare(&Known::Nothing, first, PaidCredits::default(), &terms).unwrap();
    let shop = after(&Known::Nothing, &first, None);
    let issued_at = Some(time("2026-11-23T02:45:00Z"));
    let new = |name: &str| Credit { code: some("CR900"), issued_at, ..credit(name) };
    let check = |from: usize, new: Credit, want: &str| {
        let name = new.id.to_string();
        assert_eq!(owed(&shop, (from..40).map(old).chain([new]).collect()), want, "{name} {from}");
    };
    check(20, new("new"), "credit.created credit/new");
    check(21, new("more-than-half-away"), "");
    check(20, Credit { issued_at: old(0).issued_at, ..new("older") }, "");
    check(20, Credit { issued_at: None, ..new("undated") }, "");
    check(20, Credit { code: some("CR3"), ..new("known-code") }, "");
    check(20, Credit { issued_at, ..old(39) }, "");
    assert_eq!(GuardLimits::default().of(Resource::Credit).limit(40), 10, "that is held");
}

proptest! {
    #[test]
    fn nothing_goes_through_that_is_known_older_or_of_another_list(
        away in 0usize..60,
        news in prop::collection::vec((0usize..90, 0usize..90, 0usize..90, any::<bool>()), 0..20),
    ) {
        let shop = known(bills(0..60));
        let news: Vec<Sale> = news.iter().map(|(name, code, receipt, young)| {
            let (code, receipt) = (Some(format!("TR{code:06}")), Some(format!("ST{receipt:06}")));
            let sold_at = if *young { "2026-11-23T02:40:00Z" } else { "2026-11-23T02:20:00Z" };
            Sale { code, receipt, sold_at: Some(time(sold_at)), ..sale(&format!("known{name}")) }
        }).collect();
        let through = through(&shop, Whole::vouch(bills(away..60).into_iter().chain(news).collect(), 0));
        let numbers = numbers(&shop);
        for change in &through {
            let row = change.row.as_ref().unwrap();
            prop_assert!(row.at() > Some(time(LAST_ACCEPTED)) && !numbers.have(&change.id, row));
            prop_assert_eq!(told(std::slice::from_ref(change)), format!("sale.created sale/{}", change.id));
        }
        let mut codes: Vec<_> = through.iter().map(|change| change.row.as_ref().unwrap().code()).collect();
        codes.sort_unstable();
        prop_assert!(codes.windows(2).all(|two| two[0] != two[1]));
    }
}
