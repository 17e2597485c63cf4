//! What may be wrong with what is owed.

use chrono::TimeDelta;

use super::Expected::{Held, NoNews, Refused};
use super::{BadPass, EMPTIED, GONE, ODD, RENAMED, REWRITTEN, all, as_currency, each, move_time, rows, shift};
use crate::bad::row::Row;

pub(super) const ALL: &[BadPass] = &[
    rows("nothing is owed any more", Refused("the list came back empty"), Vec::clear),
    rows("what is within its period is not listed", Held(GONE), |list| list.retain(|row| row.get("#list") == "out")),
    rows("the period that was asked for is ignored", Refused("both as within their period and as out of it"), |list| {
        let again = list.clone();
        each(list, |_, row| row.set("#list", "within"));
        list.extend(again.into_iter().map(|mut row| {
            row.set("#list", "out");
            row
        }));
    }),
    rows("everything is overdue", Held(ODD), |list| all(list, "#list", "out")),
    rows("what is overdue and what is not are mixed up", Held(ODD), |list| {
        each(list, |_, row| {
            let other = if row.get("#list") == "out" { "within" } else { "out" };
            row.set("#list", other);
        });
    }),
    rows("the status that was asked for is ignored", Held(ODD), |list| {
        let paid = (0..list.len()).map(|place| {
            let mut row: Row = list[place].clone();
            row.set_text("_id", &format!("68c9bbbb00000000{place:08x}"));
            row.set_text("code", &format!("CR67{place:06}"));
            row.set("total_paid", row.get("grand_total").to_owned());
            row.set("balance", "0");
            row
        });
        let paid: Vec<Row> = paid.collect();
        list.extend(paid);
    }),
    rows("nothing is left to pay of anything", Held(EMPTIED), |list| all(list, "balance", "0")),
    rows("each balance is written for people", Held(EMPTIED), |list| {
        as_currency(list, "balance");
        as_currency(list, "grand_total");
    }),
    rows("each balance is that of the row after it", Held(ODD), |list| shift(list, "balance")),
    rows("each credit is due a year later", Held(REWRITTEN), |list| move_time(list, "due_date", TimeDelta::days(365))),
    rows("each credit was due a year earlier", Held(REWRITTEN), |list| {
        move_time(list, "due_date", TimeDelta::days(-365))
    }),
    rows("no credit has a day on which it is due", Held(EMPTIED), |list| all(list, "due_date", "null")),
    rows("nobody owes anything", Held(EMPTIED), |list| all(list, "buyer_detail", "null")),
    rows("everybody is the same customer", Held(REWRITTEN), |list| {
        all(list, "buyer_detail", r#"{"code":"M000001","firstname":"Somsri","phonenumber":"1"}"#);
    }),
    rows("each code is that of the row after it", Held(RENAMED), |list| shift(list, "code")),
    rows("the rows come in another order", NoNews, |list| list.reverse()),
];
