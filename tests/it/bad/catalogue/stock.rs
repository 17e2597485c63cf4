//! What may be wrong with the products.

use chrono::TimeDelta;

use super::Expected::{Held, NoNews};
use super::{
    BadPass, EMPTIED, GONE, ODD, OUT, RENAMED, REWRITTEN, UNCOUNTED, all, as_currency, each, half, list, move_time,
    rows, shift, times,
};

pub(super) const ALL: &[BadPass] = &[
    rows("nothing is left of any product", Held(OUT), |list| all(list, "stock", "0")),
    list("nothing is left of every second product", Held(OUT), |list| half(list, |row| row.set("stock", "0"))),
    rows("no product has a quantity", Held(UNCOUNTED), |list| all(list, "stock", "null")),
    rows("each quantity is an empty text", Held(UNCOUNTED), |list| all(list, "stock", "\"\"")),
    rows("each quantity is a dash", Held(UNCOUNTED), |list| all(list, "stock", "\"-\"")),
    rows("each quantity is an object", Held(UNCOUNTED), |list| all(list, "stock", "{\"value\":5}")),
    rows("each quantity has its unit behind it", Held(UNCOUNTED), |list| {
        each(list, |_, row| row.set_text("stock", &format!("{} ถุง", row.get("stock"))));
    }),
    rows("the field of the quantity has another name", Held(UNCOUNTED), |list| {
        each(list, |_, row| {
            row.set("remaining", row.get("stock").to_owned());
            row.remove("stock");
        });
    }),
    rows("each quantity is negative", Held(OUT), |list| times(list, "stock", -1)),
    rows("each quantity is a thousand times too large", Held(ODD), |list| times(list, "stock", 1_000)),
    rows("each quantity is a tenth", Held(ODD), |list| {
        each(list, |_, row| row.set("stock", format!("{}e-1", row.get("stock"))));
    }),
    rows("each quantity is that of the row after it", Held(ODD), |list| shift(list, "stock")),
    rows("the quantities of last month are back", Held(ODD), |list| {
        each(list, |place, row| row.set("stock", (row.number("stock") + 1 + place as i64 % 40).to_string()));
        move_time(list, "lastupdate", TimeDelta::days(-30));
    }),
    rows("each price is 0", Held(EMPTIED), |list| all(list, "price", "0")),
    rows("each price is written for people", Held(EMPTIED), |list| as_currency(list, "price")),
    rows("each price is in satang", Held(ODD), |list| times(list, "price", 100)),
    rows("each cost is gone", Held(EMPTIED), |list| all(list, "cost", "null")),
    rows("each name is empty", Held(RENAMED), |list| all(list, "name", "\"\"")),
    rows("each name is the same", Held(RENAMED), |list| all(list, "name", "\"สินค้า\"")),
    rows("each name is that of the row after it", Held(RENAMED), |list| shift(list, "name")),
    rows("each name is in broken letters", Held(RENAMED), |list| {
        each(list, |place, row| row.set_text("name", &format!("à¸‚à¹‰à¸²à¸§ {place}")));
    }),
    rows("each code is the same", Held(RENAMED), |list| all(list, "code", "\"PK64000158\"")),
    rows("each code is empty", Held(RENAMED), |list| all(list, "code", "null")),
    rows("each barcode is the same", Held(REWRITTEN), |list| all(list, "barcode_code", "\"8850000000000\"")),
    rows("no product has a category", Held(EMPTIED), |list| all(list, "category", "null")),
    rows("each product is marked as deleted", Held(GONE), |list| all(list, "delete", "true")),
    list("every second product is marked as deleted", Held(GONE), |list| half(list, |row| row.set("delete", "true"))),
    rows("each stamp is seven hours late", NoNews, |list| move_time(list, "lastupdate", TimeDelta::hours(7))),
    rows("each stamp is a year old", NoNews, |list| move_time(list, "lastupdate", TimeDelta::days(-365))),
    rows("no product has a stamp", NoNews, |list| all(list, "lastupdate", "null")),
    rows("each number is text", NoNews, |list| {
        each(list, |_, row| {
            for name in ["stock", "price", "cost"] {
                row.set_text(name, &format!("{}.00", row.get(name)));
            }
        });
    }),
    rows("the rows come in another order", NoNews, |list| list.reverse()),
];
