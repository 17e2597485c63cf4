//! Are members, vendors and purchase documents told when they come, change and go?

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::diff::Known;
use crate::domain::model::EntityId;
use crate::domain::test_shop::{
    after, events, id, list, member, one_change_each, purchase, scribe, some, sorted, time, told, vendor,
};

type Changes<T> = Vec<Change<ListedRow<T>>>;

fn pass<T: Listed>(known: &Known<ListedRow<T>>, read: &[T], taken: Taken) -> Changes<T> {
    let ids: BTreeSet<&EntityId> = read.iter().map(|one| one.id()).collect();
    let compared = read.iter().filter_map(|one| compare_one(known.row(one.id()), one.clone(), taken, &scribe()));
    let missing = known.rows().filter(|row| !ids.contains(row.entity.id()));
    let missed = missing.filter_map(|row| match taken {
        Taken::Compared => miss_one(row, &scribe()),
        Taken::Quietly => miss_quietly(row),
    });
    compared.chain(missed).collect()
}

/// Reads one after the other, the first as the baseline, and says what each reading tells.
#[track_caller]
fn check<T: Listed>(readings: &[&[T]], want: &[&str]) {
    let mut known = Known::Nothing;
    let mut said = Vec::new();
    for (i, read) in readings.iter().enumerate() {
        let changes = pass(&known, read, if i == 0 { Taken::Quietly } else { Taken::Compared });
        said.push(told(&changes));
        known = after(&known, &changes, None);
    }
    assert_eq!(said, want);
}

fn known<T: Listed>(read: &[T]) -> Known<ListedRow<T>> {
    after(&Known::Nothing, &pass(&Known::Nothing, read, Taken::Quietly), None)
}

/// The fields that a change from one to the other names.
fn changed<T: Listed>(before: T, now: T) -> String {
    let changes = pass(&known(&[before]), &[now], Taken::Compared);
    let json = events(&changes).first().map(|event| event.to_json()).unwrap_or_default();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    let names = json["data"]["changed"].as_array().cloned().unwrap_or_default();
    names.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_kind_is_told_when_it_comes_changes_goes_and_comes_back() {
    let (a, b) = (member("a"), member("b"));
    let renamed = Member { name: some("สมหญิง"), ..a.clone() };
    let (both, rest) = ([renamed.clone(), b.clone()], [b.clone()]);
    check(
        &[&rest, &[a, b], &both, &rest, &rest, &rest, &both, &both],
        &[
            "",
            "member.created member/a",
            "member.updated member/a",
            "",
            "member.removed member/a",
            "",
            "member.updated member/a",
            "",
        ],
    );
    let (a, b) = (vendor("a"), [vendor("b")]);
    let moved = Vendor { phone: some("029999999"), ..a.clone() };
    check(
        &[&b, &[a, b[0].clone()], &[moved, b[0].clone()], &b, &b],
        &["", "vendor.created vendor/a", "vendor.updated vendor/a", "", "vendor.removed vendor/a"],
    );
    let (a, b) = (purchase("a"), [purchase("b")]);
    let paid = Purchase { status: some("paid"), ..a.clone() };
    check(
        &[&b, &[a, b[0].clone()], &[paid, b[0].clone()], &b, &b],
        &["", "purchase.created purchase/a", "purchase.updated purchase/a", "", "purchase.removed purchase/a"],
    );
}

#[test]
fn a_new_one_is_told_at_its_own_time_where_it_has_one() {
    let when = |changes: &Changes<Member>| events(changes)[0].time;
    let nothing = || known::<Member>(&[]);
    assert_eq!(when(&pass(&nothing(), &[member("a")], Taken::Compared)), time("2026-11-23T01:00:00Z"));
    let timeless = Member { created_at: None, ..member("a") };
    assert_eq!(when(&pass(&nothing(), &[timeless], Taken::Compared)), scribe().now());
}

#[test]
fn stamps_and_the_order_of_tags_are_no_change() {
    let touched = Member { updated_at: None, created_at: None, ..member("a") };
    let turned = Member { tags: member("a").tags.into_iter().rev().collect(), ..member("a") };
    check(&[&[member("a")], &[touched], &[turned]], &["", "", ""]);
}

#[test]
fn every_field_of_the_contract_is_compared() {
    let other = || some("other");
    let now = Member {
        code: other(),
        name: other(),
        nickname: other(),
        phone: other(),
        email: other(),
        kind: other(),
        tags: Vec::from(["other".to_owned()]),
        points: Some(1.into()),
        credit_days: Some(1),
        ..member("a")
    };
    assert_eq!(changed(member("a"), now), "code name nickname phone email type tags points credit_days");
    let now = Vendor { id: id("a"), code: other(), name: other(), phone: other(), email: other(), tax_id: other() };
    assert_eq!(changed(vendor("a"), now), "code name phone email tax_id");
    let now = Purchase {
        id: id("a"),
        code: other(),
        vendor: Some(crate::domain::model::Party { code: other(), name: None }),
        status: other(),
        total: Some(1.into()),
        issued_at: Some(time("2026-11-23T01:31:00Z")),
        lines: vec![purchase("a").lines[0].clone(); 2],
    };
    assert_eq!(changed(purchase("a"), now), "code vendor status total issued_at lines");
}

#[test]
fn a_field_is_emptied_by_the_second_pass_in_a_row_that_leaves_it_out() {
    let bare = || Member { points: None, tags: Vec::new(), ..member("a") };
    let updated = "member.updated member/a";
    check(
        &[&[member("a")], &[bare()], &[member("a")], &[bare()], &[bare()], &[bare()]],
        &["", "", "", "", updated, ""],
    );
    assert_eq!(changed(member("a"), bare()), "");
}

#[test]
fn what_is_read_by_other_fields_is_taken_without_a_word_also_when_it_was_away() {
    let other = |name| Member { name: some("อื่น"), ..member(name) };
    let before = known(&[member("a"), member("b")]);
    let quiet = pass(&before, &[other("a"), member("new")], Taken::Quietly);
    assert_eq!(told(&quiet), "");
    let now = after(&before, &quiet, None);
    let back = pass(&now, &[other("a"), other("b"), member("new")], Taken::Compared);
    assert_eq!(told(&back), "");
    let now = after(&now, &back, None);
    assert_eq!(
        told(&pass(&now, &[other("a"), member("b"), member("new")], Taken::Compared)),
        "member.updated member/b"
    );
}

#[test]
fn a_removed_one_that_is_taken_quietly_is_there_again_and_its_counter_goes_on() {
    let (both, rest) = ([vendor("a"), vendor("b")], [vendor("b")]);
    let mut known = known(&both);
    let mut seen = BTreeSet::new();
    for (read, taken) in [
        (&rest[..], Taken::Compared),
        (&rest, Taken::Compared),
        (&both, Taken::Quietly),
        (&rest, Taken::Compared),
        (&rest, Taken::Compared),
        (&both, Taken::Compared),
    ] {
        let changes = pass(&known, read, taken);
        known = after(&known, &changes, None);
        assert!(events(&changes).into_iter().all(|event| seen.insert(event.id.clone())), "{}", told(&changes));
    }
    assert_eq!((seen.len(), known.row(&id("a")).map(|row| row.counter)), (3, Some(3)));
}

fn any_member(name: String) -> impl Strategy<Value = Member> + use<> {
    (0i64..3, any::<bool>(), any::<bool>()).prop_map(move |(points, has_phone, has_tags)| {
        let plain = member(&name);
        let tags = if has_tags { plain.tags.clone() } else { Vec::new() };
        Member {
            points: (points > 0).then(|| points.into()),
            phone: plain.phone.clone().filter(|_| has_phone),
            tags,
            ..plain
        }
    })
}

fn shuffled(rows: Vec<Member>) -> impl Strategy<Value = (Vec<Member>, Vec<Member>)> {
    (Just(rows.clone()), Just(rows).prop_shuffle())
}

proptest! {
    #[test]
    fn what_was_read_twice_is_what_is_known_and_a_third_time_tells_nothing(a in list(any_member), b in list(any_member)) {
        let mut known = known(&a);
        for _ in 0..2 {
            let changes = pass(&known, &b, Taken::Compared);
            prop_assert!(one_change_each(&changes));
            known = after(&known, &changes, None);
        }
        prop_assert_eq!(pass(&known, &b, Taken::Compared), []);
        let there: BTreeSet<_> = known.rows().filter(|row| !row.removed).map(|row| &row.entity.id).collect();
        prop_assert_eq!(there, b.iter().map(|one| &one.id).collect());
        for one in &b {
            prop_assert_eq!(&known.row(&one.id).expect("was read").entity, one);
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(a in list(any_member), (b, c) in list(any_member).prop_flat_map(shuffled)) {
        let known = known(&a);
        let [b, c] = [b, c].map(|rows| sorted(&pass(&known, &rows, Taken::Compared)));
        prop_assert_eq!(b, c);
    }

    #[test]
    fn no_id_is_told_twice_whatever_is_read(readings in prop::collection::vec((list(any_member), 0u8..4), 1..14)) {
        let (mut known, mut seen) = (Known::Nothing, BTreeSet::new());
        for (rows, how) in readings {
            let changes = pass(&known, &rows, if how == 0 { Taken::Quietly } else { Taken::Compared });
            known = after(&known, &changes, None);
            for event in events(&changes) {
                prop_assert!(seen.insert(event.id.clone()), "{} twice", event.kind);
            }
        }
    }
}
