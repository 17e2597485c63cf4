//! Is each row suspected for what it does, and for nothing else?

use super::*;
use crate::domain::model::{Credit, Member, Product, Purchase, Sale, SaleStatus, Vendor};
use crate::domain::test_shop::{credit, member, purchase, sale, some, vendor};

#[test]
fn a_row_is_suspected_for_what_a_mass_of_rows_would_not_do() {
    let product = |left: &str| row("a", left).product;
    let edited = |edit: fn(&mut Product)| {
        let mut edited = product("5");
        edit(&mut edited);
        edited
    };
    for (prev, next, want) in [
        (product("5"), product("4"), &[][..]),
        (product("5"), product("500"), &[]),
        (product("5"), product("0"), &[ToZero]),
        (product("0.5"), product("-3"), &[ToZero]),
        (product("0"), product("-3"), &[]),
        (product("-3"), product("0"), &[]),
        (product("5"), product("-"), &[QuantityLost]),
        (product("-"), product("-"), &[]),
        (product("-"), product("0"), &[]),
        (product("5"), edited(|p| p.price = Some(1.into())), &[]),
        (product("5"), edited(|p| p.price = None), &[Emptied]),
        (product("5"), edited(|p| p.price = Some(0.into())), &[Emptied]),
        (product("5"), edited(|p| p.category = None), &[Emptied]),
        (product("5"), edited(|p| p.category = some("x")), &[]),
        (product("5"), edited(|p| p.barcode = some("8850")), &[]),
        (edited(|p| p.barcode = some("8850")), edited(|p| p.barcode = some("8851")), &[Rewritten]),
        (product("5"), edited(|p| p.name = some("x")), &[Renamed]),
        (product("5"), edited(|p| p.code = None), &[Renamed]),
        (edited(|p| p.name = None), edited(|p| (p.name, p.quantity) = (some("x"), None)), &[QuantityLost]),
    ] {
        assert_eq!(prev.suspicions(&next), want, "{prev:?} {next:?}");
    }
}

#[test]
fn a_row_that_does_two_things_counts_once() {
    let mut census = Tally::of_known(100);
    let (prev, mut next) = (row("a", "5").product, row("a", "0").product);
    next.name = some("x");
    census.product(&prev, &next, true, false);
    let census = census.census();
    let counts = Counts { suspicious: 1, to_zero: 1, renamed: 1, ..Counts::default() };
    assert_eq!((census.counts, census.changed), (counts, 1));
}

#[test]
fn a_few_products_are_named_and_nobody_else() {
    let mut census = Tally::of_known(100);
    for _ in 0..8 {
        census.missing_product(&row("a", "5").product);
        census.product(&row("a", "5").product, &row("a", "0").product, false, false);
        census.missing();
        let other = Member { name: some("สมหญิง"), ..member("m") };
        census.listed(&member("m"), &other, true);
    }
    let census = census.census();
    let named = |does| census.examples.iter().filter(|example| example.does == does).count();
    assert_eq!((named(Vanished), named(ToZero), census.examples.len()), (5, 5, 10));
    let counts = Counts { suspicious: 32, vanished: 16, to_zero: 8, renamed: 8, ..Counts::default() };
    assert_eq!((census.counts, census.changed), (counts, 32));
    let mut census = Tally::of_known(1);
    let (prev, mut next) = (row("a", "5").product, row("a", "5").product);
    (next.code, next.name) = (None, Some(format!("x\u{1b}[31m{}", "ก".repeat(10_000))));
    census.product(&prev, &next, true, false);
    let census = census.census();
    let [example] = &census.examples[..] else { panic!("{census:?}") };
    assert_eq!((example.code.as_deref(), example.name.as_deref()), (Some("PK64000158"), Some("ข้าวสาร")));
    let becomes = example.becomes.as_deref().unwrap();
    assert!(becomes.starts_with("x [31mก") && becomes.chars().count() == 49, "{becomes}");
}

#[test]
fn a_bill_that_stands_is_cancelled_or_gets_a_comment_and_anything_else_is_odd() {
    let edited = |edit: fn(&mut Sale)| {
        let mut edited = sale("a");
        edit(&mut edited);
        sale("a").suspicions(&edited)
    };
    assert_eq!(edited(|_| {}), []);
    assert_eq!(edited(|s| s.comment = some("paid later")), []);
    assert_eq!(edited(|s| s.status = SaleStatus::Cancelled), [Cancelled]);
    assert_eq!(edited(|s| s.status = SaleStatus::Other("unknown".to_owned())), [Rewritten]);
    assert_eq!(edited(|s| s.code = some("TR1")), [Renamed]);
    assert_eq!(edited(|s| s.receipt = None), [Renamed]);
    assert_eq!(edited(|s| s.total = Some(1.into())), [Rewritten]);
    assert_eq!(edited(|s| s.total = Some(0.into())), [Rewritten, Emptied]);
    assert_eq!(edited(|s| s.total = None), [Emptied]);
    assert_eq!(edited(|s| s.sold_at = None), [Emptied]);
    assert_eq!(edited(|s| s.sold_at = s.sold_at.map(|at| at + TimeDelta::hours(7))), [Rewritten]);
    assert_eq!(edited(|s| s.lines.clear()), [Emptied]);
    let commented = Sale { comment: some("x"), ..sale("a") };
    assert_eq!(commented.suspicions(&sale("a")), [], "a comment may be taken back");
}

#[test]
fn people_and_documents_are_suspected_for_what_hardly_ever_changes() {
    let of_member = |edit: fn(&mut Member)| {
        let mut edited = member("a");
        edit(&mut edited);
        member("a").suspicions(&edited)
    };
    assert_eq!(of_member(|m| m.points = Some("13".parse().unwrap())), []);
    assert_eq!(of_member(|m| m.points = Some("0".parse().unwrap())), [Emptied]);
    assert_eq!(of_member(|m| m.tags.push("x".to_owned())), []);
    assert_eq!(of_member(|m| m.tags.clear()), [Emptied]);
    assert_eq!(of_member(|m| m.phone = some("1")), [Rewritten]);
    assert_eq!(of_member(|m| m.name = None), [Renamed]);
    assert_eq!(of_member(|m| m.email = some("a@example.com")), [], "it had none");
    let other = Vendor { tax_id: some("1"), phone: None, ..vendor("a") };
    assert_eq!(vendor("a").suspicions(&other), [Emptied, Rewritten]);
    let status = |word| Purchase { status: some(word), ..purchase("a") };
    assert_eq!(purchase("a").suspicions(&status("pending")), []);
    assert_eq!(purchase("a").suspicions(&status("cancel")), [Cancelled]);
    assert_eq!(status("cancel").suspicions(&status("cancelled")), []);
    assert_eq!(purchase("a").suspicions(&Purchase { total: Some(0.into()), ..purchase("a") }), [Rewritten, Emptied]);
}

#[test]
fn what_is_left_to_pay_of_a_credit_must_add_up() {
    let of = |paid: i64, balance: i64| Credit { paid: Some(paid.into()), balance: Some(balance.into()), ..credit("a") };
    assert_eq!(of(0, 1_000).suspicions(&of(300, 700)), [], "a part of it was paid");
    assert_eq!(of(0, 1_000).suspicions(&of(0, 700)), [Implausible]);
    assert_eq!(of(0, 700).suspicions(&of(0, 600)), [], "it never did");
    assert_eq!(of(0, 1_000).suspicions(&of(1_000, 0)), [Emptied], "it would be in the other list");
    let moved = Credit { due_at: Some(time("2027-01-01T00:00:00Z")), ..credit("a") };
    assert_eq!(credit("a").suspicions(&moved), [Rewritten]);
}

#[test]
fn an_older_stamp_is_odd_where_something_is_told_and_no_news_alone() {
    let stamped = |hours: i64, left: &str| {
        let mut product = row("a", left).product;
        product.updated_at = product.updated_at.map(|at| at + TimeDelta::hours(hours));
        product
    };
    let odd = |next: &Product| {
        let mut tally = Tally::of_known(100);
        tally.product(&stamped(0, "5"), next, false, false);
        tally.census().counts.implausible
    };
    assert_eq!([odd(&stamped(-720, "7")), odd(&stamped(-720, "5"))], [1, 0]);
    assert_eq!([odd(&stamped(720, "7")), odd(&stamped(-1, "7"))], [0, 0], "two tills do not agree to the second");
    let mut tally = Tally::of_known(100);
    let older = Member { updated_at: Some(time("2026-01-01T00:00:00Z")), ..member("a") };
    tally.listed(&member("a"), &older, false);
    tally.listed(&member("a"), &older, true);
    assert_eq!(tally.census().counts.implausible, 1);
}
