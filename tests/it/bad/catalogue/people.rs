//! What may be wrong with members and vendors.

use chrono::TimeDelta;

use super::Expected::{Held, NoNews};
use super::{BadPass, EMPTIED, ODD, RENAMED, REWRITTEN, all, each, move_time, rows, shift};

pub(super) const MEMBERS: &[BadPass] = &[
    rows("all members have one name", Held(RENAMED), |list| all(list, "firstname", "\"สมาชิก\"")),
    rows("no member has a name", Held(RENAMED), |list| {
        all(list, "firstname", "\"\"");
        all(list, "lastname", "\"-\"");
    }),
    rows("each name is that of the row after it", Held(RENAMED), |list| shift(list, "firstname")),
    rows("each code is that of the row after it", Held(RENAMED), |list| shift(list, "code")),
    rows("no member has a code", Held(RENAMED), |list| all(list, "code", "null")),
    rows("all members have one telephone number", Held(REWRITTEN), |list| all(list, "phonenumber", "\"0800000000\"")),
    rows("no member has a telephone number", Held(EMPTIED), |list| all(list, "phonenumber", "\"-\"")),
    rows("each telephone number is that of the row after it", Held(REWRITTEN), |list| shift(list, "phonenumber")),
    rows("no member has an address for mail", Held(EMPTIED), |list| all(list, "email", "null")),
    rows("no member has points", Held(EMPTIED), |list| all(list, "point_value", "0")),
    rows("the points of last month are back", Held(ODD), |list| {
        each(list, |place, row| row.set("point_value", (1 + place).to_string()));
        move_time(list, "updated_at", TimeDelta::days(-30));
    }),
    rows("no member has a tag", Held(EMPTIED), |list| all(list, "tags", "[]")),
    rows("each stamp is new", NoNews, |list| move_time(list, "updated_at", TimeDelta::hours(7))),
    rows("the rows come in another order", NoNews, |list| list.reverse()),
];

pub(super) const VENDORS: &[BadPass] = &[
    rows("all vendors have one name", Held(RENAMED), |list| all(list, "company_name", "\"โรงสี\"")),
    rows("no vendor has a name", Held(RENAMED), |list| all(list, "company_name", "\"\"")),
    rows("each name is that of the row after it", Held(RENAMED), |list| shift(list, "company_name")),
    rows("each code is the same", Held(RENAMED), |list| all(list, "code", "\"V0001\"")),
    rows("no vendor has a telephone number", Held(EMPTIED), |list| all(list, "phonenumber", "null")),
    rows("all vendors have one telephone number", Held(REWRITTEN), |list| all(list, "phonenumber", "\"021234567\"")),
    rows("each tax number is that of the row after it", Held(REWRITTEN), |list| shift(list, "taxid")),
    rows("all vendors have one address for mail", Held(REWRITTEN), |list| all(list, "email", "\"a@example.com\"")),
    rows("the rows come in another order", NoNews, |list| list.reverse()),
];
