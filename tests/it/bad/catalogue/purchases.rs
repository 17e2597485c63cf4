//! What may be wrong with the purchase documents.

use chrono::TimeDelta;

use super::Expected::{Held, NoNews};
use super::{BadPass, CANCELLED, EMPTIED, RENAMED, REWRITTEN, all, as_currency, move_time, rows, shift, times};

pub(super) const ALL: &[BadPass] = &[
    rows("each total is 0", Held(EMPTIED), |list| all(list, "grand_total", "0")),
    rows("no document has a total", Held(EMPTIED), |list| all(list, "grand_total", "null")),
    rows("each total is written for people", Held(EMPTIED), |list| as_currency(list, "grand_total")),
    rows("each total is in satang", Held(REWRITTEN), |list| times(list, "grand_total", 100)),
    rows("each document is cancelled", Held(CANCELLED), |list| all(list, "status", "\"cancel\"")),
    rows("no document has a status", Held(EMPTIED), |list| all(list, "status", "null")),
    rows("each document was written a year earlier", Held(REWRITTEN), |list| {
        move_time(list, "timestamp", TimeDelta::days(-365));
    }),
    rows("each document was written seven hours later", Held(REWRITTEN), |list| {
        move_time(list, "timestamp", TimeDelta::hours(7));
    }),
    rows("each code is that of the row after it", Held(RENAMED), |list| shift(list, "code")),
    rows("no document has a code", Held(RENAMED), |list| all(list, "code", "\"\"")),
    rows("nothing was bought of anybody", Held(EMPTIED), |list| all(list, "vendor_detail", "null")),
    rows("nothing was bought", Held(EMPTIED), |list| all(list, "order_list", "[]")),
    rows("the rows come in another order", NoNews, |list| list.reverse()),
];
