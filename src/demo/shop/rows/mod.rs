//! How the API writes the shop's things: the field names and oddities of the captures, and the guesses where there
//! is no capture.
//!
//! The numbers are exact decimals that are written short. They pass through the JSON library's own number here, as
//! they do at the vendor, whose server knows nothing else; a reader gets the same digits.

mod people;

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Value, json};

pub(super) use self::people::{write_member, write_purchase, write_vendor};
use super::things::{Card, Credit, PaidBy, Product, Sale, SoldLine};
use crate::domain::model::{EntityId, Money, Quantity, Timestamp};

/// A moment as the API writes it: UTC, three digits of a second, `Z`.
fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A category or a unit.
#[derive(Serialize)]
struct Named {
    name: &'static str,
}

/// A product. Seen: `_id`, `code`, `name`, `cost`, `category`, `unit`, `lastupdate`. The rest is a guess.
#[derive(Serialize)]
struct ProductRow<'a> {
    _id: &'a EntityId,
    code: &'a str,
    name: &'a str,
    barcode_code: &'a str,
    price: Money,
    cost: Option<Money>,
    category: Option<Named>,
    unit: Option<Named>,
    stock: Quantity,
    min_stock: Quantity,
    image: Option<()>,
    delete: bool,
    lastupdate: String,
}

/// Writes a product's row, straight into the text: there may be a hundred thousand, so no tree is built of each.
pub(super) fn write_product(product: &Product, text: &mut String) {
    let named = |name: Option<&'static str>| name.map(|name| Named { name });
    let row = ProductRow {
        _id: &product.id,
        code: &product.code,
        name: &product.name,
        barcode_code: &product.barcode,
        price: product.price,
        cost: product.cost,
        category: named(product.category),
        unit: named(product.unit),
        stock: product.quantity,
        min_stock: product.min_stock,
        image: None,
        delete: product.deleted,
        lastupdate: time(product.lastupdate),
    };
    text.push_str(&serde_json::to_string(&row).expect("texts and exact numbers can be written"));
}

/// Writes a sale's row.
pub(super) fn write_sale(sale: &Sale, text: &mut String) {
    text.push_str(sale.written.get_or_init(|| sale_row(sale).to_string()));
}

/// Writes a credit's row.
pub(super) fn write_credit(credit: &Credit, text: &mut String) {
    text.push_str(&credit_row(credit).to_string());
}

/// A sale with every field of the capture. `buyer_detail` is absent, not null, where no member bought.
fn sale_row(sale: &Sale) -> Value {
    let kind = pay_type(sale.paid_by);
    let (status, comment, return_date) = match &sale.cancelled {
        None => ("success", sale.comment.as_str(), None),
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
    if let Some(member) = &sale.buyer {
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
    let credit = match (sale.paid_by, &sale.buyer) {
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
    let Card { code, firstname, lastname, phone } = &credit.buyer;
    let balance = Money::from((credit.total.decimal() - credit.paid.decimal()).normalize());
    json!({
        "_id": credit.id,
        "code": format!("CR68{:06}", credit.number),
        "transaction_code": credit.sale_code,
        "buyer_detail": { "code": code, "firstname": firstname, "lastname": lastname, "phonenumber": phone },
        "grand_total": credit.total,
        "total_paid": credit.paid,
        "balance": balance,
        "timestamp": time(credit.issued_at),
        "due_date": time(credit.due_at),
        "status": if credit.is_paid() { "paid" } else { "pending" },
    })
}

#[cfg(test)]
mod tests;
