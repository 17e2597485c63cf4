//! Does a `when` say what a person meant by it, and nothing about a person when it fails?

use super::*;
use crate::domain::event::{Event, Level, ThresholdView};
use crate::domain::model::{Party, Sale};
use crate::domain::test_shop::{credit, member, purchase, quantity, row, sale, scribe, some, vendor};

fn created(sale: &Sale) -> Event {
    scribe().sale_created(sale)
}

fn low() -> Event {
    let threshold = ThresholdView { level: Level::Low, below: Some(quantity("24")), rearm: Some(quantity("30")) };
    scribe().stock_level(1, &row("a", "1.5").product, Some(&row("a", "25").product), threshold)
}

fn ask(when: &str, event: &Event) -> Result<bool, ConditionError> {
    Condition::compile(when).unwrap_or_else(|error| panic!("{when}: {error}")).holds(&EventView::of(event))
}

#[track_caller]
fn check(event: &Event, when: &str, want: bool) {
    assert_eq!(ask(when, event), Ok(want), "{when}");
}

/// It is no match, and what it says is only this.
#[track_caller]
fn check_failure(event: &Event, when: &str, want: &str) {
    assert_eq!(ask(when, event).map_err(|error| error.to_string()), Err(want.to_owned()), "{when}");
}

#[track_caller]
fn check_refusal(when: &str, want: &str) {
    let said = Condition::compile(when).map(|_| "compiles".to_owned()).unwrap_or_else(|error| error.to_string());
    assert!(said.contains(want), "{when}: {said}");
}

#[test]
fn money_and_quantities_compare_with_whole_and_with_exact_figures() {
    for (total, when, want) in [
        ("5000", "sale.total >= 5000", true),
        ("5000", "sale.total == 5000", true),
        ("5000.00", "sale.total == 5000", true),
        ("4999.99", "sale.total >= 5000", false),
        ("4999.99", "sale.total < 5000", true),
        ("161.10", "sale.total == 161.1", true),
        ("161.10", "sale.total > 161", true),
        ("-3", "sale.total < 0", true),
        ("5000", "5000 <= sale.total && sale.total <= 5000.0", true),
        ("5000", "sale.total in [1000, 5000]", true),
    ] {
        check(&created(&Sale { total: total.parse().ok(), ..sale("a") }), when, want);
    }
}

#[test]
fn a_rule_sees_the_event_and_the_members_of_its_data_by_name() {
    let event = created(&sale("a"));
    for when in [
        "event.type == 'sale.created'",
        "event.source == '/shops/main'",
        "event.data.sale.code == sale.code",
        "sale.status == 'success' && sale.currency == 'THB'",
        "sale.member.name.startsWith('สมชาย')",
        "sale.payments[0].kind == 'cash'",
        "sale.cancelled_at == null",
        "has(sale.total) && !has(sale.tip)",
        "size(sale.lines) == 1",
    ] {
        check(&event, when, true);
    }
    for when in [
        "product.quantity < 2 && previous.quantity == 25",
        "threshold.level == 'low' && threshold.below == 24",
        "product.code.matches('^PK6[45]')",
    ] {
        check(&low(), when, true);
    }
    check(&scribe().credit_paid(1, &credit("a"), &credit("a"), Vec::new()), "credit.customer.code == 'M000204'", true);
    check(&scribe().listed_created(&member("a")), "member.code == 'M000204' && member.points > 11.5", true);
    check(&scribe().listed_created(&vendor("a")), "vendor.name.contains('ฟาร์ม') && vendor.phone == null", false);
    check(&scribe().listed_removed(3, &purchase("a")), "purchase.total == 1200 && size(purchase.lines) == 1", true);
    check(&scribe().stock_changed(1, &row("a", "1").product, &row("a", "2").product), "'quantity' in changed", true);
}

#[test]
fn the_lines_of_a_bill_can_be_searched() {
    let event = created(&sale("a"));
    for (when, want) in [
        ("sale.lines.exists(line, line.quantity > 1)", true),
        ("sale.lines.all(line, line.total < 4500)", false),
        ("sale.lines.exists_one(l, l.product_code == 'PK64000158')", true),
        ("size(sale.lines.filter(line, line.total > sale.total)) == 0", true),
        ("sale.lines.map(line, line.name) == ['ข้าวสาร']", true),
        ("sale.lines.exists(a, sale.payments.exists(b, a.total < b.amount))", true),
        ("sale.lines.exists(l, l.total > 1) && sale.payments.exists(l, l.amount > 1)", true),
    ] {
        check(&event, when, want);
    }
}

#[test]
fn a_field_that_is_not_there_does_not_match() {
    let event = created(&sale("a"));
    for (when, kind) in [
        ("sale.tip > 5", "NoSuchKey"),
        ("sale.tip == null", "NoSuchKey"),
        ("product.quantity < 5", "UndeclaredReference"),
        ("previous.total > 5", "UndeclaredReference"),
        ("sale.lines[7].total > 5", "IndexOutOfBounds"),
        ("sale.lines[-1].total > 5", "IndexOutOfBounds"),
        ("sale.code.nothing()", "UndeclaredReference"),
    ] {
        check_failure(&event, when, &format!("it failed: {kind}"));
    }
    check(&event, "has(sale.tip) && sale.tip > 5", false);
}

#[test]
fn a_null_is_not_a_figure_and_not_a_member() {
    let event = created(&Sale { total: None, member: None, ..sale("a") });
    assert!(ask("sale.total >= 0", &event).is_err());
    assert!(ask("sale.member.name == 'x'", &event).is_err());
    check(&event, "sale.member == null", true);
    check(&event, "sale.member != null && sale.member.name == 'x'", false);
    check(&event, "sale.total != null && sale.total >= 0", false);
}

#[test]
fn what_yields_no_yes_or_no_does_not_match() {
    let event = created(&sale("a"));
    for when in ["sale.total", "sale.code", "sale", "null", "1 + 1", "sale.lines.map(l, l.total)"] {
        let said = ask(when, &event).unwrap_err().to_string();
        assert!(said.starts_with("it yields ") && said.ends_with(", not true or false"), "{when}: {said}");
    }
}

#[test]
fn a_failure_never_quotes_what_the_event_says() {
    let secret = "สมหญิง 081-234-5678";
    let member = Some(Party { code: some(secret), name: some(secret) });
    let event = created(&Sale { comment: some(secret), staff: some(secret), member, ..sale("a") });
    for when in [
        "sale.comment > 5",
        "sale.comment + 5 == 1",
        "sale.comment / 2 == 1",
        "-sale.comment == 1",
        "!sale.comment",
        "sale.comment[0] == 1",
        "sale.lines[sale.comment] == 1",
        "sale[sale.comment] == 1",
        "sale.member[sale.comment]",
        "sale.member.name.nickname == 'x'",
        "int(sale.comment) == 1",
        "double(sale.comment) == 1.0",
        "timestamp(sale.comment) == timestamp(sale.sold_at)",
        "duration(sale.comment) == duration('1s')",
        "'x'.matches(sale.comment + '(')",
        "sale.comment.matches('(')",
        "sale.comment.nothing()",
        "nothing(sale.comment)",
        "sale.comment in sale.comment",
        "{sale.comment: 1, sale.comment: 2} == {}",
        "sale.comment ? true : false",
        "sale.comment && true",
        "sale.comment",
        "sale.member",
        "size(sale.comment, 1) == 1",
        "sale.comment.startsWith(1)",
        "sale.comment.exists(c, c == 1)",
    ] {
        let said = format!("{:?}", ask(when, &event));
        assert!(said.contains("Err") && !said.contains("081") && !said.contains("สม"), "{when}: {said}");
    }
}

#[test]
fn no_arithmetic_ends_the_service() {
    let event = created(&sale("a"));
    for when in [
        "1 / 0 == 1",
        "1 % 0 == 1",
        "9223372036854775807 + 1 > 0",
        "-9223372036854775808 - 1 > 0",
        "9223372036854775807 * 2 > 0",
        "-9223372036854775808 / -1 > 0",
        "-9223372036854775808 % -1 > 0",
        "-(-9223372036854775808) > 0",
        "0u - 1u > 0u",
        "int(sale.total * 1e300) > 0",
        "int(0.0 / 0.0) > 0",
        "uint(-1.0) > 0u",
        "uint(-sale.total) > 0u",
        "duration('9999999999999h') > duration('1s')",
        "duration('2562047h') + duration('2562047h') > duration('1s')",
        "timestamp('9999-12-31T23:59:59Z') + duration('1h') > timestamp(sale.sold_at)",
        "timestamp('0001-01-01T00:00:00Z') - duration('1h') > timestamp(sale.sold_at)",
        "timestamp('0001-01-01T00:00:00Z') - timestamp('9999-12-31T23:59:59Z') > duration('1s')",
        "sale.lines[9223372036854775807] == 1",
        "sale.lines[1.5] == 1",
        "timestamp(sale.sold_at).getHours('Nowhere/Land') == 1",
        "sale.code.matches('a{1000}{1000}{1000}')",
    ] {
        // Some of these have a value; none may panic.
        let _ = ask(when, &event);
    }
}

#[test]
fn what_cannot_be_used_is_refused_before_anything_runs() {
    check_refusal("", "not a valid expression");
    check_refusal("sale.total >=", "not a valid expression");
    check_refusal("sale.total >= 5,000", "not a valid expression");
    check_refusal("sale.total = 5000", "not a valid expression");
    check_refusal("sale.total >= 5000 and true", "not a valid expression");
    check_refusal("'a", "not a valid expression");
    check_refusal("total >= 5000", "nothing is called `total` here");
    check_refusal("sael.total >= 5000", "nothing is called `sael` here");
    check_refusal("sale.total > limit && b", "nothing is called `b` here");
    check_refusal("sale.lines.exists(line, lien.total > 5)", "nothing is called `lien` here");
    check_refusal("sale.lines.exists(line, true) && line.total > 5", "nothing is called `line` here");
    check_refusal("line.lines.exists(line, line.total > 5)", "nothing is called `line` here");
}

#[test]
fn a_text_that_is_too_long_or_a_tree_that_is_too_large_is_refused() {
    let padded = |bytes: usize| format!("true{}", " ".repeat(bytes - 4));
    assert!(Condition::compile(&padded(MOST_BYTES)).is_ok());
    assert_eq!(Condition::compile(&padded(MOST_BYTES + 1)).map(|_| ()), Err(ConditionError::TooLong));
    let list = |items: usize| format!("size([{}]) > 0", vec!["1"; items].join(","));
    assert!(Condition::compile(&list(190)).is_ok());
    check_refusal(&list(200), "too large");
    let sum = |terms: usize| format!("{} > 0", vec!["1"; terms].join("+"));
    check(&created(&sale("a")), &sum(30), true);
    check_refusal(&sum(40), "too large");
    let any = |terms: usize| vec!["sale.code == 'x'"; terms].join(" || ");
    check(&created(&sale("a")), &any(35), false);
    check_refusal(&any(50), "too large");
}

#[test]
fn too_many_loops_in_each_other_are_refused() {
    let nested = |depth: usize| (0..depth).fold("true".to_owned(), |inner, n| format!("sale.lines.all(l{n}, {inner})"));
    for depth in 1..=MOST_NESTED {
        check(&created(&sale("a")), &nested(depth), true);
    }
    check_refusal(&nested(MOST_NESTED + 1), "too large");
    check_refusal(&nested(MOST_NESTED + 10), "too large");
    // One after the other is not in each other.
    check(&created(&sale("a")), &vec![nested(1); 5].join(" && "), true);
}

#[test]
fn deep_nesting_of_any_kind_neither_overflows_the_stack_nor_hangs() {
    for (open, middle, close) in [
        ("(", "true", ")"),
        ("[", "1", "]"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("!(", "true", ")"),
        ("{1:", "1", "}"),
        ("{", "", "}"),
        ("size(", "sale", ")"),
        ("sale[", "1", "]"),
        ("true?true:", "true", ""),
        ("true?", "true", ":true"),
        ("1+(", "1", ")"),
        ("1<(1+(1*(", "1", ")))"),
        ("a.b(1+[", "1", "])"),
        ("[1].all(x,", "true", ")"),
        ("", "sale", ".a"),
        ("", "sale", "[0]"),
        ("", "sale", ".a()"),
        ("1+", "1", ""),
        ("true&&", "true", ""),
        ("true||", "true", ""),
        ("(", "", ""),
        ("[", "", ""),
        ("{", "", ""),
        ("'", "", ""),
    ] {
        let longest = 1_900 / (open.len() + close.len());
        // What compiles is also run, on the small stack that a test has; the service's are as small.
        for times in [10, 20, 25, 30, 31, 32, 40, 48, longest] {
            let text = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
            if let Ok(condition) = Condition::compile(&text) {
                let _ = condition.holds(&EventView::of(&created(&sale("a"))));
            }
        }
    }
}
