//! How the API writes the shop's things: the field names and oddities of the captures, and the guesses where there
//! is no capture.
//!
//! The numbers are exact decimals that are written short. They pass through the JSON library's own number here, as
//! they do at the vendor, whose server knows nothing else; a reader gets the same digits.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::state::{Credit, Member, PaidBy, Product, Sale, SoldLine};
use crate::domain::model::{Money, Timestamp};

/// A moment as the API writes it: UTC, three digits of a second, `Z`.
fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes a product's row. It is kept until the product changes: a list of many thousands is read every few minutes,
/// and hardly any row of it is another than before.
pub(super) fn write_product(product: &Product, text: &mut String) {
    text.push_str(product.written.get_or_init(|| product_row(product).to_string()));
}

/// Writes a sale's row.
pub(super) fn write_sale(sale: &Sale, text: &mut String) {
    text.push_str(&sale_row(sale).to_string());
}

/// Writes a credit's row.
pub(super) fn write_credit(credit: &Credit, text: &mut String) {
    text.push_str(&credit_row(credit).to_string());
}

/// A product. Seen: `_id`, `code`, `name`, `cost`, `category`, `unit`, `lastupdate`. The rest is a guess.
fn product_row(product: &Product) -> Value {
    json!({
        "_id": product.id,
        "code": product.code,
        "name": product.name,
        "barcode_code": product.barcode,
        "price": product.price,
        "cost": product.cost,
        "category": product.category.map(|name| json!({ "name": name })),
        "unit": product.unit.map(|name| json!({ "name": name })),
        "stock": product.quantity,
        "min_stock": product.min_stock,
        "image": null,
        "delete": false,
        "lastupdate": time(product.lastupdate),
    })
}

/// A sale with every field of the capture. `buyer_detail` is absent, not null, where no member bought.
fn sale_row(sale: &Sale) -> Value {
    let kind = pay_type(sale.paid_by);
    let (status, comment, return_date) = match &sale.cancelled {
        None => ("success", "", None),
        Some((at, reason)) => ("cancel", reason.as_str(), Some(time(*at))),
    };
    let staff = json!({ "firstname": sale.staff.0, "lastname": sale.staff.1 });
    let mut row = json!({
        "_id": sale.id,
        "discount": 0,
        "tax_percent": 0,
        "code": sale.code(),
        "order_list": sale.lines.iter().map(line).collect::<Vec<_>>(),
        "timestamp": time(sale.sold_at),
        "comment": comment,
        "return_date": return_date,
        "register_vat": false,
        "segment_type": kind,
        "segment_detail_type_list": [payment(sale)],
        "sub_total": sale.total,
        "sub_total_exclude_vat": 0,
        "grand_total": sale.total,
        "staff_detail": staff,
        "cash_register": null,
        "status": status,
        "rounding_rule": 0,
        "rounding_rule_value": 1,
        "rounding_amount": 0,
        "reference_tax_invoice_abbreviate": { "code": sale.receipt() },
        "actual_staff_detail": staff,
        "number_of_order_list": sale.lines.len(),
    });
    if let Some(member) = sale.buyer {
        row["buyer_detail"] = json!({
            "code": member.code,
            "firstname": member.firstname,
            "lastname": member.lastname,
            "key_card_id": member.code,
        });
    }
    row
}

fn line(line: &SoldLine) -> Value {
    json!({
        "stock": line.quantity,
        "name": line.name,
        "price": line.price,
        "special_price": line.price,
        "discount_type": 1,
        "cost_discount_price": 0,
        "code": line.code,
        "sku_list": [],
        "topping_in_order": [],
        "total_price_include_discount": line.total,
        "note_in_order": [],
    })
}

/// 1 was seen as cash and 4 with a bank account; 5 for credit is a guess.
fn pay_type(paid_by: PaidBy) -> u8 {
    match paid_by {
        PaidBy::Cash => 1,
        PaidBy::Transfer => 4,
        PaidBy::Credit => 5,
    }
}

/// One payment. `price` is what was handed over, of cash usually a whole banknote; `new_total_paid` was applied.
fn payment(sale: &Sale) -> Value {
    const BANK: &str = "60139d9f0000000000000002";
    let tendered = if sale.paid_by == PaidBy::Cash { next_banknote(sale.total) } else { sale.total };
    let bank = (sale.paid_by == PaidBy::Transfer).then(|| {
        json!({
            "_id": BANK, "name_th": null, "name_en": null, "abbreviation": null, "image": null,
            "account_number": "0000000000", "prompt_pay_number": null,
            "bank_id": {
                "_id": "5bee90af0000000000000003", "name_th": "ธนาคาร", "name_en": "Example Bank",
                "abbreviation": "KTB", "image": "ic_ktb.png",
            },
        })
    });
    let credit = match (sale.paid_by, sale.buyer) {
        (PaidBy::Credit, Some(member)) => json!({ "code": member.code }),
        _ => Value::Null,
    };
    json!({
        "pay_type": pay_type(sale.paid_by),
        "price": tendered,
        "new_total_paid": sale.total,
        "member": null,
        "member_type": 0,
        "online_pay_id": null,
        "food_delivery_id": null,
        "credit_type_id": null,
        "bank_id": bank.as_ref().map(|_| BANK),
        "last_4_digits": null,
        "trace_number": null,
        "timestamp": sale.sold_at.format("%Y-%m-%dT%H:%M:%S.00Z").to_string(),
        "reference_number": "",
        "note": "",
        "credit_detail": credit,
        "bank_detail": bank,
        "online_pay_detail": null,
        "food_delivery_detail": null,
        "selected_exchange_rate": null,
        "edc_detail": null,
        "exchange_payment": 0,
        "terminal_id": null,
        "merchant_id": null,
        "approval_code": null,
        "batch_number": null,
    })
}

/// The sum in whole hundreds, as one hands it over.
fn next_banknote(total: Money) -> Money {
    let hundred = Money::from(100).decimal();
    Money::from(((total.decimal() / hundred).ceil() * hundred).normalize())
}

/// A credit. Every name in it is a GUESS: no answer of this resource was ever seen in public.
///
/// They follow the names of the sale (`grand_total`, `buyer_detail`, `timestamp`) where a sale has the same thing.
fn credit_row(credit: &Credit) -> Value {
    let Member { code, firstname, lastname, phone } = credit.buyer;
    json!({
        "_id": credit.id,
        "code": format!("CR68{:06}", credit.number),
        "transaction_code": credit.sale_code,
        "buyer_detail": { "code": code, "firstname": firstname, "lastname": lastname, "phonenumber": phone },
        "grand_total": credit.total,
        "total_paid": if credit.paid { credit.total } else { Money::ZERO },
        "balance": if credit.paid { Money::ZERO } else { credit.total },
        "timestamp": time(credit.issued_at),
        "due_date": time(credit.due_at),
        "status": if credit.paid { "paid" } else { "pending" },
    })
}

#[cfg(test)]
mod tests {
    use super::super::state::Basket;
    use super::super::{ShopPlan, seed};
    use super::*;

    const TRANSACTIONS: &str = include_str!("../../../tests/it/fixtures/pospos/transactions.json");
    const STOCK: &str = include_str!("../../../tests/it/fixtures/pospos/stock.json");

    /// The keys of a captured row that `ours` lacks, as paths. An empty or null place in ours is a place all the same.
    fn missing(captured: &Value, ours: &Value, path: &str) -> Vec<String> {
        match (captured, ours) {
            (Value::Object(captured), Value::Object(ours)) => captured
                .iter()
                .flat_map(|(key, value)| match ours.get(key) {
                    None => vec![format!("{path}/{key}")],
                    Some(found) => missing(value, found, &format!("{path}/{key}")),
                })
                .collect(),
            (Value::Array(captured), Value::Array(ours)) => match (captured.first(), ours.first()) {
                (Some(captured), Some(ours)) => missing(captured, ours, &format!("{path}/0")),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn captured(text: &str) -> Value {
        serde_json::from_str::<Value>(text).expect("is JSON")["data"][0].take()
    }

    #[test]
    fn every_field_of_the_captured_rows_is_there() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan::default(), now);
        world.write_bill(now, &Basket::from([(0, 2.into())]), PaidBy::Transfer);
        let mut bill = world.sales.values().last().expect("there is one").clone();
        bill.buyer = Some(&seed::MEMBERS[0]);
        assert_eq!(missing(&captured(TRANSACTIONS), &sale_row(&bill), ""), Vec::<String>::new());
        assert_eq!(missing(&captured(STOCK), &product_row(&world.products[0]), ""), Vec::<String>::new());
    }

    #[test]
    fn the_comparison_with_the_captures_finds_what_is_missing() {
        let ours = json!({ "order_list": [{}], "code": null });
        let found = missing(&captured(TRANSACTIONS), &ours, "");
        assert!(found.contains(&"/order_list/0/stock".to_owned()) && found.contains(&"/status".to_owned()));
        assert!(!found.contains(&"/code".to_owned()));
    }

    #[test]
    fn a_cancel_changes_only_status_return_date_and_comment() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan::default(), now);
        let before = world.sales.values().find(|sale| sale.cancelled.is_none()).expect("one stands").clone();
        world.cancel(&before.id, "คีย์ผิด", now).expect("stands");
        let (before, after) = (sale_row(&before), sale_row(world.sale(&before.id).expect("is known")));
        let fields = before.as_object().expect("is an object").keys();
        let changed: Vec<&str> = fields.filter(|key| before[*key] != after[*key]).map(String::as_str).collect();
        assert_eq!(changed, ["comment", "return_date", "status"]);
        assert_eq!(after["return_date"], "2026-11-23T03:00:00.000Z");
    }

    #[test]
    fn whole_numbers_are_integers_and_fractions_keep_their_digits() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan::default(), now);
        let id = world.products[0].id.clone();
        for (quantity, text) in [("4.00", "4"), ("1.01", "1.01"), ("-2.50", "-2.5"), ("0.1", "0.1")] {
            world.set_quantity(&id, quantity.parse().expect("is a quantity"), now).expect("is known");
            let mut row = String::new();
            write_product(&world.products[0], &mut row);
            assert!(row.contains(&format!(r#""stock":{text},"#)), "{quantity} in {row}");
        }
        assert_eq!(next_banknote("160.59".parse().expect("is money")).to_string(), "200");
    }
}
