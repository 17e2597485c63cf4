//! Is nothing concluded of a credit whose row is there and cannot be understood?

use super::*;

/// The two lists, with `a` in one of them as a row that cannot be understood.
fn garbled(credits: &[Credit]) -> PendingCredits {
    let in_period = Whole::vouch(credits.to_vec(), 0).but_for([a().id].into());
    PendingCredits::join(in_period, Whole::vouch(Vec::new(), 0))
}

/// The two lists, with a row in one of them that has no id.
fn nameless(credits: &[Credit]) -> PendingCredits {
    PendingCredits::join(Whole::vouch(credits.to_vec(), 0), Whole::vouch(Vec::new(), 1))
}

fn step(known: &Known<CreditRow>, pending: PendingCredits, paid: PaidCredits) -> (String, Known<CreditRow>) {
    let changes = compare(known, pending, paid, &terms(&scribe())).unwrap();
    (told(&changes), after(known, &changes, None))
}

#[test]
fn an_unreadable_credit_is_not_lost() {
    let b = [credit("b")];
    let all = known(&within(&[a(), credit("b")]));
    for list in [garbled, nameless] {
        let mut known = all.clone();
        let mut said = Vec::new();
        for _ in 0..3 {
            assert_eq!(wanted(&list(&b), &known), BTreeSet::new());
            let (told, next) = step(&known, list(&b), PaidCredits::default());
            said.push(told);
            known = next;
        }
        assert_eq!(said, ["", "", ""]);
        assert_eq!(known, all, "nobody was missed");
        // What is really gone is looked for and told as ever.
        let told = [pass(&known, &within(&b)).0, pass(&pass(&known, &within(&b)).1, &within(&b)).0];
        assert_eq!(told, ["", "credit.updated credit/a"]);
    }
}

#[test]
fn another_credit_is_missed_beside_an_unreadable_one() {
    let known = known(&within(&[a(), credit("b"), credit("c")]));
    let rest = || garbled(&[credit("b")]);
    let (first, known) = step(&known, rest(), PaidCredits::default());
    assert_eq!(wanted(&rest(), &known), [credit("c").id].into());
    let found = [(credit("c").id, paid(credit("c")))].into();
    let (second, _) = step(&known, rest(), PaidCredits { found, ..PaidCredits::default() });
    assert_eq!([first.as_str(), second.as_str()], ["", "credit.paid credit/c"]);
}

#[test]
fn a_credit_that_may_be_an_unreadable_paid_one_keeps_its_status_until_it_can_be_read() {
    let rest = within(&[credit("b")]);
    let missed = pass(&known(&within(&[a(), credit("b")])), &rest).1;
    let unreadable = PaidCredits { unreadable: [a().id].into(), ..PaidCredits::default() };
    let nameless = PaidCredits { nameless: 1, ..PaidCredits::default() };
    for unclear in [unreadable, nameless] {
        let mut known = missed.clone();
        let mut looks = Vec::new();
        for missed in 1..=LOOKED_FOR_RARELY {
            let wanted = wanted(&pending(&rest), &known);
            looks.extend(wanted.iter().map(|_| missed));
            let paid = if wanted.is_empty() { PaidCredits::default() } else { unclear.clone() };
            let (told, next) = step(&known, pending(&rest), paid);
            assert_eq!(told, "", "{unclear:?}");
            known = next;
        }
        // As rarely as one that is lost: the list may be long.
        assert_eq!(looks, [1, 2, 3, LOOKED_FOR_RARELY]);
        assert_eq!(known.row(&a().id).and_then(|row| row.credit.status), Some(CreditStatus::Pending));
        let found = PaidCredits { found: [(a().id, settled())].into(), ..PaidCredits::default() };
        assert_eq!(step(&known, pending(&rest), found).0, "credit.paid credit/a");
    }
}

#[test]
fn an_unreadable_row_says_whose_list_it_is() {
    let three = known(&within(&["a", "c", "d"].map(credit)));
    let read = |pending| compare(&three, pending, PaidCredits::default(), &terms(&scribe())).map(|_| ());
    assert_eq!(read(nameless(&[credit("x")])), Err(Unbelievable::OtherShop { known: 3 }));
    assert_eq!(read(garbled(&[credit("x")])), Ok(()));
}

#[test]
fn one_that_could_not_be_read_when_the_fields_changed_is_taken_without_a_word_later() {
    let other = |name: &str| Credit { code: None, ..credit(name) };
    let before = known(&within(&[a(), credit("b")]));
    for list in [garbled, nameless] {
        let changes = take_quietly(&before, list(&[other("b")]), &terms(&scribe()));
        let known = after(&before, &changes, None);
        assert_eq!(told(&read(&known, &within(&[other("a"), other("b")])).unwrap()), "");
    }
}
