//! What stands in the lists of a shop of so many products, and one true change of each.

use chrono::{SecondsFormat, TimeDelta};
use posbell::domain::event::EventKind;
use posbell::domain::model::{Resource, Timestamp};

use super::row::{Row, quoted};

/// How many rows a list has in a shop of so many products.
pub fn length(resource: Resource, products: usize) -> usize {
    let [sales, credits, members, vendors, purchases] = match products {
        // Any ten bills or credits may change, so a handful of them would tell nothing of the guard.
        8 => [24, 24, 8, 8, 8],
        60 => [30, 30, 60, 10, 20],
        450 => [70, 40, 150, 30, 60],
        _ => [300, 150, 1_000, 60, 100],
    };
    match resource {
        Resource::Stock => products,
        Resource::Transactions => sales,
        Resource::Credit => credits,
        Resource::Members => members,
        Resource::Vendors => vendors,
        Resource::BuyDocuments => purchases,
    }
}

/// The rows of a list, in the API's order. Like in a real shop some shelves are empty and some debts overdue.
pub fn rows(resource: Resource, count: usize, now: Timestamp) -> Vec<Row> {
    let row = match resource {
        Resource::Stock => product,
        Resource::Transactions => sale,
        Resource::Credit => credit,
        Resource::Members => member,
        Resource::Vendors => vendor,
        Resource::BuyDocuments => purchase,
    };
    (0..count).map(|number| row(number, now)).collect()
}

/// One true change: what it does to the rows, and what is told of it.
pub fn change(resource: Resource, rows: &mut Vec<Row>, nth: usize, now: Timestamp) -> (EventKind, String) {
    let new = 1_000_000 + nth;
    match resource {
        Resource::Stock => {
            // One that has enough: a quantity moves, and no level.
            let row = rows.iter_mut().max_by_key(|row| row.number("stock")).expect("has products");
            row.set("stock", (row.number("stock") - 1).to_string());
            row.set("lastupdate", time(now));
            (EventKind::StockChanged, format!("product/{}", row.text("_id")))
        }
        Resource::Transactions if nth % 2 == 1 => {
            let row = &mut rows[3];
            row.set_text("comment", &format!("paid later {new}"));
            (EventKind::SaleUpdated, format!("sale/{}", row.text("_id")))
        }
        Resource::Transactions => {
            let mut row = sale(new, now);
            row.set("timestamp", time(now));
            rows.insert(0, row.clone());
            (EventKind::SaleCreated, format!("sale/{}", row.text("_id")))
        }
        Resource::Credit if nth % 2 == 1 => {
            let row = &mut rows[3];
            row.set("total_paid", (row.number("total_paid") + 1).to_string());
            row.set("balance", (row.number("balance") - 1).to_string());
            (EventKind::CreditUpdated, format!("credit/{}", row.text("_id")))
        }
        Resource::Credit => {
            let mut row = credit(new, now);
            row.set("due_date", time(now + TimeDelta::days(30)));
            row.set("#list", "within");
            rows.insert(0, row.clone());
            (EventKind::CreditCreated, format!("credit/{}", row.text("_id")))
        }
        Resource::Members => {
            let row = &mut rows[3];
            row.set_text("phonenumber", &format!("081{new}"));
            (EventKind::MemberUpdated, format!("member/{}", row.text("_id")))
        }
        Resource::Vendors => {
            let row = &mut rows[3];
            row.set_text("company_name", &format!("New Mill {new}"));
            (EventKind::VendorUpdated, format!("vendor/{}", row.text("_id")))
        }
        Resource::BuyDocuments => {
            let row = &mut rows[3];
            row.set_text("status", &format!("received {new}"));
            (EventKind::PurchaseUpdated, format!("purchase/{}", row.text("_id")))
        }
    }
}

/// A moment as the API writes it.
pub fn time(at: Timestamp) -> String {
    quoted(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A made-up ObjectId of the kind that `kind` names in eight digits.
pub fn id(kind: &str, number: usize) -> String {
    quoted(&format!("{kind}00000000{number:08x}"))
}

/// What is left: different on each shelf, and on some nothing.
fn left(number: usize) -> usize {
    if number % 11 == 5 { 0 } else { 9 + (number * 37 + 13) % 83 }
}

fn product(number: usize, now: Timestamp) -> Row {
    Row::new(vec![
        ("_id", id("600c45c6", number)),
        ("code", quoted(&format!("PK64{number:06}"))),
        ("name", quoted(&format!("ข้าวสาร {number}"))),
        ("barcode_code", quoted(&format!("885{number:010}"))),
        ("price", (20 + number % 300).to_string()),
        ("cost", (12 + number % 250).to_string()),
        ("category", format!("{{\"name\":\"ชั้น {}\"}}", number % 7)),
        ("unit", "{\"name\":\"ถุง\"}".to_owned()),
        ("stock", left(number).to_string()),
        ("min_stock", "3".to_owned()),
        ("delete", "false".to_owned()),
        ("lastupdate", time(now - TimeDelta::minutes(30 + number as i64 % 5_000))),
    ])
}

fn sale(number: usize, now: Timestamp) -> Row {
    let total = 40 + (number * 31) % 900;
    let code = 900_000 - (number % 500_000);
    let code = if number >= 1_000_000 { 900_001 + number % 1_000_000 } else { code };
    let line = format!(
        r#"{{"code":"PK64{:06}","name":"ข้าวสาร","stock":2,"price":{total},"cost_discount_price":0,"total_price_include_discount":{total},"note_in_order":[]}}"#,
        number % 8
    );
    let payment = format!(r#"{{"pay_type":1,"price":{},"new_total_paid":{total},"bank_detail":null}}"#, total + 60);
    Row::new(vec![
        ("_id", id("68b7fd1d", number)),
        ("code", quoted(&format!("TR68{code:06}"))),
        ("order_list", format!("[{line}]")),
        ("timestamp", time(now - TimeDelta::seconds(60 * (number as i64 % 1_000_000 + 1)))),
        ("comment", "\"\"".to_owned()),
        ("return_date", "null".to_owned()),
        ("segment_detail_type_list", format!("[{payment}]")),
        ("discount", "0".to_owned()),
        ("sub_total", total.to_string()),
        ("grand_total", total.to_string()),
        ("staff_detail", r#"{"firstname":"Front","lastname":"Desk"}"#.to_owned()),
        ("buyer_detail", r#"{"code":"M000204","firstname":"Somchai","lastname":""}"#.to_owned()),
        ("status", quoted("success")),
        ("reference_tax_invoice_abbreviate", format!("{{\"code\":\"ST68{code:06}\"}}")),
    ])
}

/// Three of eight are overdue.
fn credit(number: usize, now: Timestamp) -> Row {
    let is_over = number % 8 < 3;
    let (list, days) = if is_over { ("out", -(number as i64 % 20) - 2) } else { ("within", number as i64 % 25 + 2) };
    let total = 500 + (number * 17) % 400;
    let buyer = format!(r#"{{"code":"M{number:06}","firstname":"Somying {number}","phonenumber":"08{number:08}"}}"#);
    Row::new(vec![
        ("_id", id("68c9a000", number)),
        ("code", quoted(&format!("CR68{number:06}"))),
        ("transaction_code", quoted(&format!("TR67{number:06}"))),
        ("buyer_detail", buyer),
        ("grand_total", total.to_string()),
        ("total_paid", "100".to_owned()),
        ("balance", (total - 100).to_string()),
        ("timestamp", time(now - TimeDelta::days(40))),
        ("due_date", time(now + TimeDelta::days(days))),
        ("#list", list.to_owned()),
    ])
}

fn member(number: usize, now: Timestamp) -> Row {
    let stamp = time(now - TimeDelta::hours(10 + number as i64 % 900));
    Row::new(vec![
        ("_id", id("600d4bc6", number)),
        ("code", quoted(&format!("M{number:06}"))),
        ("phonenumber", quoted(&format!("08{number:08}"))),
        ("firstname", quoted(&format!("Somchai {number}"))),
        ("lastname", quoted("Jaidee")),
        ("nickname", quoted(&format!("Chai {number}"))),
        ("email", quoted(&format!("member{number}@example.com"))),
        ("tags", r#"[{"_id":"600d4b4c0000000000000006","name":"zone A"}]"#.to_owned()),
        ("type", r#"{"name_th":"ทั่วไป","name_en":"general"}"#.to_owned()),
        ("point_value", (5 + number % 700).to_string()),
        ("member_credit", "30".to_owned()),
        ("price_level", quoted("0")),
        ("created_at", stamp.clone()),
        ("updated_at", stamp),
    ])
}

fn vendor(number: usize, _now: Timestamp) -> Row {
    Row::new(vec![
        ("_id", id("600e5a01", number)),
        ("code", quoted(&format!("V{number:04}"))),
        ("company_name", quoted(&format!("Mill {number}"))),
        ("phonenumber", quoted(&format!("02{number:07}"))),
        ("email", quoted(&format!("mill{number}@example.com"))),
        ("taxid", quoted(&format!("01055{number:08}"))),
    ])
}

fn purchase(number: usize, now: Timestamp) -> Row {
    let total = 1_000 + (number * 71) % 9_000;
    let line = format!(r#"{{"code":"PK64{:06}","name":"ข้าวสาร","stock":50,"price":20}}"#, number % 8);
    Row::new(vec![
        ("_id", id("68d2b100", number)),
        ("code", quoted(&format!("PO68{number:06}"))),
        ("vendor_detail", format!(r#"{{"code":"V{:04}","company_name":"Mill"}}"#, number % 8)),
        ("status", quoted(if number.is_multiple_of(3) { "pending" } else { "received" })),
        ("grand_total", total.to_string()),
        ("timestamp", time(now - TimeDelta::hours(9 + 5 * number as i64))),
        ("order_list", format!("[{line}]")),
    ])
}
