//! What may be wrong with the sales.

use chrono::TimeDelta;

use super::Expected::{Held, NoNews};
use super::{
    BadPass, CANCELLED, DOUBLED, EMPTIED, RENAMED, REWRITTEN, all, as_currency, each, half, move_time, renumber, rows,
    shift, times,
};

pub(super) const ALL: &[BadPass] = &[
    rows("every sale is cancelled", Held(CANCELLED), |list| {
        each(list, |_, row| {
            row.set("return_date", row.get("timestamp").to_owned());
            row.set_text("status", "cancel");
        });
    }),
    rows("every second sale is cancelled", Held(CANCELLED), |list| half(list, |row| row.set_text("status", "cancel"))),
    rows("each total is 0", Held(EMPTIED), |list| all(list, "grand_total", "0")),
    rows("no sale has a total", Held(EMPTIED), |list| all(list, "grand_total", "null")),
    rows("each total is written for people", Held(EMPTIED), |list| as_currency(list, "grand_total")),
    rows("each total is in satang", Held(REWRITTEN), |list| times(list, "grand_total", 100)),
    rows("each total is that of the row after it", Held(REWRITTEN), |list| shift(list, "grand_total")),
    rows("no sale has a status", Held(REWRITTEN), |list| each(list, |_, row| row.remove("status"))),
    rows("each sale was made seven hours later", Held(REWRITTEN), |list| {
        move_time(list, "timestamp", TimeDelta::hours(7))
    }),
    rows("each sale was made a day earlier", Held(REWRITTEN), |list| move_time(list, "timestamp", TimeDelta::days(-1))),
    rows("each sale was made a year earlier", Held(REWRITTEN), |list| {
        move_time(list, "timestamp", TimeDelta::days(-365))
    }),
    rows("each sale was made next year", Held(REWRITTEN), |list| move_time(list, "timestamp", TimeDelta::days(365))),
    rows("no sale has a time", Held(EMPTIED), |list| all(list, "timestamp", "null")),
    rows("no sale has a line", Held(EMPTIED), |list| all(list, "order_list", "[]")),
    rows("no sale was paid", Held(EMPTIED), |list| all(list, "segment_detail_type_list", "[]")),
    rows("nobody has sold anything", Held(EMPTIED), |list| all(list, "staff_detail", "null")),
    rows("each code is that of the row after it", Held(RENAMED), |list| shift(list, "code")),
    rows("each code is the same", Held(RENAMED), |list| all(list, "code", "\"TR68000001\"")),
    rows("every second sale stands there once more under another id", Held(DOUBLED), |list| {
        let again: Vec<_> = list.iter().step_by(2).cloned().collect();
        list.extend(again.into_iter().map(|mut row| {
            renumber(&mut row);
            row
        }));
    }),
    rows("the rows come in another order", NoNews, |list| list.reverse()),
];
