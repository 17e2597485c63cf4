//! What may be wrong with the answers of any list, whatever is in it.

use std::sync::Arc;

use super::Expected::{Held, LeftOut, NoNews, Refused};
use super::{BadPass, Expected, GONE, RENAMED, half, list, renumber};
use crate::bad::row::Row;
use crate::bad::server::{Answer, Asked, Spoil};

/// Answers that are none.
pub(super) fn texts() -> impl Iterator<Item = BadPass> {
    TEXTS.iter().map(|&(name, why, status, change)| BadPass {
        name,
        spoil: Spoil::Text(status, change),
        expected: Refused(why),
        by_pages: false,
    })
}

/// Answers that are whole, and wrong all the same.
pub(super) fn lists() -> impl Iterator<Item = BadPass> {
    PAGES.iter().chain(LISTS).copied()
}

/// What is wrong, what is said of it, its status and its text.
type Text = (&'static str, &'static str, u16, fn(String) -> String);

/// Answers that are none.
const TEXTS: &[Text] = &[
    ("a web page comes with status 200", "the answer is a web page", 200, |_| {
        "<html><body>ปิดปรับปรุงระบบ</body></html>".to_owned()
    }),
    ("nothing comes with status 200", "the answer is empty", 200, |_| String::new()),
    ("the answer is cut off in the middle of a row", "the answer is cut off", 200, |text| cut(&text, text.len() / 2)),
    ("the answer is cut off after a whole row", "the answer is cut off", 200, |text| {
        let end = text.find("},{").or_else(|| text.rfind('}')).expect("has a row");
        cut(&text, end + 1)
    }),
    ("the answer ends twice", "the answer is not JSON", 200, |text| format!("{text}]}}")),
    ("success is 0", "the API says it failed", 200, |text| text.replacen(r#""success":1"#, r#""success":0"#, 1)),
    ("success is not there", "the API says it failed", 200, |text| text.replacen(r#""success":1,"#, "", 1)),
    ("success is false", "the API says it failed", 200, |text| {
        text.replacen(r#""success":1"#, r#""success":false"#, 1)
    }),
    ("the rows are null", "has no list of rows", 200, |_| {
        r#"{"success":1,"data":null,"total":9,"total_page":1}"#.to_owned()
    }),
    ("the rows stand in an object", "has no list of rows", 200, |_| {
        r#"{"success":1,"data":{"0":{"_id":"a"}}}"#.to_owned()
    }),
    ("the rows stand one list deeper", "has rows of another kind", 200, |text| {
        text.replacen(r#""data":["#, r#""data":[["#, 1).replacen(r#"],"total""#, r#"]],"total""#, 1)
    }),
    ("each row is null", "has rows of another kind", 200, |_| {
        r#"{"success":1,"data":[null,null,null],"total":3,"total_page":1}"#.to_owned()
    }),
    ("each row is a text", "has rows of another kind", 200, |_| {
        r#"{"success":1,"data":["a","b"],"total":2,"total_page":1}"#.to_owned()
    }),
    ("the list is empty and says success", "the list came back empty", 200, |_| {
        r#"{"success":1,"data":[],"total":0,"total_page":0}"#.to_owned()
    }),
    ("the list is empty and says nothing of a total", "the list came back empty", 200, |_| {
        r#"{"success":1,"data":[]}"#.to_owned()
    }),
    ("the right rows come with status 500", "the server's trouble", 500, |text| text),
    ("rows of a list that nobody knows come", "has rows of another kind", 200, |_| {
        r#"{"success":1,"data":[{"_id":"600d4bc60000000000000005","phonenumber":"1","order_list":{},"lastupdate":"x"}],"total":1,"total_page":1}"#
            .to_owned()
    }),
];

fn cut(text: &str, mut at: usize) -> String {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text[..at].to_owned()
}

const fn pages(name: &'static str, expected: Expected, change: fn(&Asked, &[Arc<str>], &mut Answer)) -> BadPass {
    BadPass { name, spoil: Spoil::Page(change), expected, by_pages: true }
}

/// What is wrong with the pages of a list.
const PAGES: &[BadPass] = &[
    pages(
        "the first page comes for every page",
        Refused("rows came; the next pass tries again"),
        |asked, all, answer| {
            answer.rows = all.iter().take(asked.limit).cloned().collect();
        },
    ),
    pages("the first page comes for every page and the total says that it is all", Held(GONE), |asked, all, answer| {
        answer.rows = all.iter().take(asked.limit).cloned().collect();
        answer.total = answer.rows.len().to_string();
        answer.total_page = "1".to_owned();
    }),
    pages("every page has all rows", NoNews, |_, all, answer| answer.rows = all.to_vec()),
    pages("a page has as many rows as the server likes", NoNews, |asked, all, answer| {
        let rows = if asked.limit == usize::MAX { all.len().max(1) } else { all.len().div_ceil(5).max(1) };
        answer.rows = all.iter().skip((asked.page - 1) * rows).take(rows).cloned().collect();
        answer.total_page = all.len().div_ceil(rows).to_string();
    }),
    pages("the second page is empty", Refused("the next pass tries again"), |asked, _, answer| {
        if asked.page > 1 {
            answer.rows.clear();
        }
    }),
    pages("only the first page comes, and nothing says that there is more", Held(GONE), |asked, _, answer| {
        if asked.page > 1 {
            answer.rows.clear();
        }
        answer.total = "null".to_owned();
        answer.total_page = "null".to_owned();
    }),
    pages("the total ends in the middle of a page in the middle", NoNews, |asked, all, answer| {
        let half = all.len() / 2;
        let total = if half.is_multiple_of(asked.limit) { half + 1 } else { half };
        answer.total = total.to_string();
        answer.total_page = total.div_ceil(asked.limit).to_string();
    }),
    pages("the total is text", NoNews, |_, _, answer| answer.total = format!("\"{}\"", answer.total)),
    pages("the total is negative", NoNews, |_, _, answer| answer.total = "-1".to_owned()),
    pages("some rows come twice with other figures, and the total counts each once", LeftOut, |_, _, answer| {
        let again = answer.rows.first().map(|row| otherwise(row));
        answer.rows.extend(again);
    })
    .at_once(),
    pages(
        "each row comes twice with other figures, and the total counts each once",
        Refused("rows could be understood"),
        |_, _, answer| {
            let again: Vec<_> = answer.rows.iter().map(|row| otherwise(row)).collect();
            answer.rows.extend(again);
        },
    )
    .at_once(),
    pages(
        "the total is larger than what there is",
        Refused("rows came; the next pass tries again"),
        |_, all, answer| {
            answer.total = (all.len() + 1).to_string();
        },
    )
    .at_once(),
    pages(
        "half of the rows do not come, and the total says so",
        Refused("rows came; the next pass tries again"),
        |_, _, answer| {
            let mut place = 0;
            answer.rows.retain(|_| {
                place += 1;
                place % 2 == 0
            });
        },
    )
    .at_once(),
];

/// The same row, as it is written, with other figures.
fn otherwise(row: &str) -> Arc<str> {
    let figures = ["stock", "grand_total", "point_value"].map(|name| format!("\"{name}\":"));
    let row = figures.iter().fold(row.to_owned(), |row, name| row.replacen(name, &format!("{name}7"), 1));
    Arc::from(row.replacen("\"company_name\":\"", "\"company_name\":\"Another ", 1))
}

/// What is wrong with a list as a whole.
const LISTS: &[BadPass] = &[
    list("half of the list is missing and the total agrees", Held(GONE), |list| {
        let mut place = 0;
        list.retain(|_| {
            place += 1;
            place % 2 == 0
        });
    }),
    list("each id is new", Refused("the key seems to be of another shop"), |list| list.iter_mut().for_each(renumber)),
    list("every second id is new", Held(GONE), |list| half(list, renumber)),
    list("each id is that of the row after it", Held(RENAMED), |list| super::shift(list, "_id")),
    list("all rows have one id", Refused("rows came; the next pass tries again"), |list| {
        let id = list[0].get("_id").to_owned();
        super::all(list, "_id", &id);
    }),
    list("no row has an id", Refused("rows could be understood"), |list| {
        list.iter_mut().for_each(|row| row.remove("_id"))
    }),
    list("every second row has no id", LeftOut, |list| half(list, |row| row.remove("_id"))),
    list("one row has no id", LeftOut, |list| list[1].remove("_id")),
    list("each id is an object", Refused("rows could be understood"), |list| {
        list.iter_mut().for_each(|row| row.set("_id", format!("{{\"$oid\":{}}}", row.get("_id"))));
    }),
    list("no row can be read", Refused("rows could be understood"), |list| list.iter_mut().for_each(garble)),
    list("every second row cannot be read", LeftOut, |list| half(list, garble)),
    list(
        "each row comes twice, the second time with other figures",
        Refused("rows came; the next pass tries again"),
        |list| {
            *list = list.iter().flat_map(|row| [row.clone(), another(row.clone())]).collect();
        },
    ),
];

/// Figures of forty digits, which no exact decimal holds; a vendor has no figure and gets a tax number of a megabyte.
fn garble(row: &mut Row) {
    for name in ["stock", "grand_total", "point_value"] {
        if row.get(name) != "null" {
            return row.set(name, "1234567890".repeat(4));
        }
    }
    row.set_text("taxid", &"1234567890".repeat(110_000));
}

/// The same row with another figure or name.
fn another(mut row: Row) -> Row {
    for name in ["stock", "grand_total", "point_value"] {
        if row.get(name) != "null" {
            row.set(name, (row.number(name) + 3).to_string());
            return row;
        }
    }
    row.set_text("company_name", "Another Mill");
    row
}
