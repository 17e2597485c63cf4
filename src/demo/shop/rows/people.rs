//! How the API writes members, which were seen, and vendors and purchase documents, which were not.

use serde_json::{Value, json};

use super::super::things::{Member, Purchase, SoldLine, Vendor};
use super::time;

/// Writes a member's row.
pub(in crate::demo::shop) fn write_member(member: &Member, text: &mut String) {
    text.push_str(&member_row(member).to_string());
}

/// Writes a vendor's row.
pub(in crate::demo::shop) fn write_vendor(vendor: &Vendor, text: &mut String) {
    text.push_str(&vendor_row(vendor).to_string());
}

/// Writes a purchase document's row.
pub(in crate::demo::shop) fn write_purchase(purchase: &Purchase, text: &mut String) {
    text.push_str(&purchase_row(purchase).to_string());
}

/// A member with every field of the capture. `status` was false on all rows seen, so it does not mean "active".
pub(super) fn member_row(member: &Member) -> Value {
    let tags: Vec<Value> =
        member.tag.iter().map(|name| json!({ "_id": "600d4b4c0000000000000006", "name": name })).collect();
    json!({
        "_id": member.id,
        "phonenumber": member.card.phone,
        "tags": tags,
        "province_other": "",
        "storename": "",
        "id_card": null,
        "taxid": "",
        "branch": "00000",
        "status": false,
        "member_credit_status": member.credit_days > 0,
        "member_credit": member.credit_days,
        "company_email": "",
        "company_phonenumber": "00000000",
        "company_province_other": "",
        "company_zipcode": "",
        "price_level": "0",
        "stamp_value": 0,
        "point_value": member.points,
        "address_status": false,
        "create_date": time(member.created_at),
        "favorite": false,
        "type": { "_id": "5afbbbf40000000000000007", "name_th": "ทั่วไป", "name_en": "general" },
        "firstname": member.card.firstname,
        "lastname": member.card.lastname,
        "sex": "female",
        "email": null,
        "line_id": null,
        "key_card_id": member.card.code,
        "code": member.card.code,
        "point_history": [],
        "created_at": time(member.created_at),
        "updated_at": time(member.updated_at),
    })
}

/// A vendor. Every name in it is a GUESS, after those of a member.
fn vendor_row(vendor: &Vendor) -> Value {
    json!({
        "_id": vendor.id,
        "code": vendor.code,
        "company_name": vendor.name,
        "phonenumber": vendor.phone,
        "email": null,
        "taxid": vendor.tax_id,
        "branch": "00000",
        "created_at": time(vendor.created_at),
    })
}

/// A purchase document. Every name in it is a GUESS, after those of a sale.
fn purchase_row(purchase: &Purchase) -> Value {
    json!({
        "_id": purchase.id,
        "code": purchase.code,
        "vendor_detail": { "code": purchase.vendor.0, "company_name": purchase.vendor.1 },
        "status": purchase.status,
        "grand_total": purchase.total,
        "timestamp": time(purchase.issued_at),
        "order_list": purchase.lines.iter().map(line).collect::<Vec<_>>(),
    })
}

fn line(line: &SoldLine) -> Value {
    json!({
        "code": line.code,
        "name": line.name,
        "stock": line.quantity,
        "price": line.price,
        "total_price_include_discount": line.total,
    })
}
