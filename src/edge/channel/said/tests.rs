//! What is shown of answers that quote what they were sent.

use super::*;
use crate::domain::event::{DeliveryId, Severity};
use crate::domain::message::Text;
use crate::domain::model::ChannelName;

fn outgoing() -> Outgoing {
    Outgoing {
        delivery: DeliveryId::of(&ChannelName::new("erp").expect("is a name"), None, &[]),
        id: "evt_1".to_owned(),
        body: r#"{"type":"credit.overdue","data":{"credit":{"customer":{"name":"สมชาย ใจดี","nickname":"โต","phone":"081-234-5678","code":"C-77"},"status":"pending"}}}"#.to_owned(),
        text: Text { title: "ค้างชำระ: สมชาย".to_owned(), body: "500 บาท ตั้งแต่วันที่ 1".to_owned() },
        recipient: None,
        severity: Severity::Info,
        at: "2026-01-15T09:30:00Z".parse().expect("is a time"),
    }
}

fn clean(words: &str) -> Option<String> {
    Secrets::new(["hunter2", "ok", ""]).clean(words, &outgoing())
}

#[test]
fn the_words_are_one_line_without_secrets_and_data() {
    for (words, shown) in [
        ("Bad Request: chat not found", "Bad Request: chat not found"),
        ("550 5.1.1 <a@b.example>: no such user", "550 5.1.1 <a@b.example>: no such user"),
        (" two\r\n\tlines\u{7}\u{202e} ", "two lines"),
        ("/hooks/hunter2 is ok", "/hooks/… is ok"),
        ("HUNTER2 and hunter2", "… and …"),
        ("no customer สมชาย ใจดี (โต)", "no customer … (…)"),
        ("ไม่พบสมชายในระบบ", "ไม่พบ…ในระบบ"),
        (r#"{"error":"no \u0e2a\u0e21\u0e0a\u0e32\u0e22"}"#, r#"{"error":"no …"}"#),
        ("no %E0%B8%AA%E0%B8%A1%E0%B8%8A%E0%B8%B2%E0%B8%A2", "no …"),
        ("unknown code C-77, depending on c-770", "unknown code …, depending on c-770"),
        ("call 0899999999 or +66 81 999-9999", "call … or +…"),
        ("limit is 100000 rows, error 42", "limit is 100000 rows, error 42"),
        ("got: 500 บาท ตั้งแต่วันที่ 1 instead", "got: … instead"),
    ] {
        assert_eq!(clean(words).as_deref(), Some(shown), "{words:?}");
    }
    for nothing in ["", " \n", "สมชาย", "{}", "hunter2 hunter2"] {
        assert_eq!(clean(nothing), None, "{nothing:?}");
    }
}

#[test]
fn an_echo_of_the_whole_message_shows_nothing_of_it() {
    let outgoing = outgoing();
    for echo in [outgoing.body.clone(), format!("{}\n{}", outgoing.text.title, outgoing.text.body)] {
        let shown = clean(&format!("cannot parse: {echo}")).expect("says something");
        for private in ["สมชาย", "ใจดี", "โต", "081", "5678", "C-77", "500"] {
            assert!(!shown.contains(private), "{private} in {shown}");
        }
    }
}

#[test]
fn the_words_are_cut_and_a_secret_at_the_end_is_not_shown_in_part() {
    let long = clean(&"x".repeat(10_000)).expect("says something");
    assert_eq!((long.chars().count(), long.ends_with('…')), (LONGEST, true));
    for before in COMPARED - 10..COMPARED + 3 {
        let echo = format!("{}no{}", "สมชาย ".repeat(before / 6), "hunter2".repeat(20));
        let shown = clean(&echo).unwrap_or_default();
        assert!(!shown.contains("hunt") && !shown.contains("สม"), "{shown}");
    }
}

#[test]
fn of_an_answer_to_too_much_nothing_is_quoted() {
    let names: Vec<String> = (0..MOST_DATA + 1).map(|number| format!("{{\"data\":\"name {number}\"}}")).collect();
    let digest = Outgoing { body: format!("[{}]", names.join(",")), ..outgoing() };
    assert_eq!(Secrets::default().clean("an error", &digest), None);
}

#[test]
fn of_a_page_the_title_is_shown() {
    for (page, title) in [
        ("<html><head><TITLE lang=\"en\">\n502 Bad Gateway </title>", Some("502 Bad Gateway")),
        ("<title></title>", None),
        ("<title>never closed", None),
        ("<p>no title</p>", None),
        ("", None),
    ] {
        assert_eq!(title_of(page), title, "{page}");
    }
}
