//! How the demo shows a message: one line that a person reads at a glance.
//!
//! It is made of the body that came over the wire and of nothing else, so what is shown is what any receiver gets.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::domain::event::{Event, EventData, ShopDetails};
use crate::domain::model::{Credit, EntityId, Money, Product, Sale, Timestamp};

/// The line of one message whose signature was right: Thai time, type, what it is about, and how long after the
/// change it came, where that is known.
pub fn line(body: &str, delay: Option<Duration>) -> String {
    let delay = delay.map(|delay| format!("  +{:.1} s", delay.as_secs_f64())).unwrap_or_default();
    format!("{}  ✓ signature{delay}", text(body))
}

fn text(body: &str) -> String {
    if let Ok(event) = Event::from_json(body) {
        return format!("{}  {:<15} {}", clock(event.time), event.kind.name(), about(&event.data));
    }
    match serde_json::from_str::<Vec<Box<RawValue>>>(body) {
        Ok(events) => digest(&events),
        Err(_) => format!("a message of {} bytes that is no event of this version", body.len()),
    }
}

/// A digest: the time of its last event, how many there are, and each by its own name.
fn digest(events: &[Box<RawValue>]) -> String {
    let events: Vec<Event> = events.iter().filter_map(|event| Event::from_json(event.get()).ok()).collect();
    let last = events.iter().map(|event| event.time).max().map(clock).unwrap_or_default();
    let told: Vec<String> =
        events.iter().map(|event| format!("{} {}", event.kind.name(), about(&event.data))).collect();
    format!("{last}  {:<15} {}", format!("digest of {}", events.len()), told.join("; "))
}

/// The time of day in Thailand, where the shop's people are.
fn clock(at: Timestamp) -> String {
    at.with_timezone(&chrono_tz::Asia::Bangkok).format("%H:%M:%S").to_string()
}

fn about(data: &EventData) -> String {
    match data {
        EventData::Sale { sale, .. } => of_sale(sale),
        EventData::Product { product, .. } => of_product(product),
        EventData::Credit { credit, .. } => of_credit(credit),
        // Names of people are nobody's business on a screen; the demo's shop has made them up, a real one has not.
        EventData::Member { member, .. } => code_or_id(&member.code, &member.id),
        EventData::Vendor { vendor, .. } => code_or_id(&vendor.code, &vendor.id),
        EventData::Purchase { purchase, .. } => {
            format!("{} {}", code_or_id(&purchase.code, &purchase.id), baht(purchase.total))
        }
        EventData::Shop { shop, details } => format!("{}: {}", shop.name, of_shop(details)),
    }
}

fn code_or_id(code: &Option<String>, id: &EntityId) -> String {
    code.clone().unwrap_or_else(|| id.to_string())
}

fn of_sale(sale: &Sale) -> String {
    let number = sale.receipt.as_deref().or(sale.code.as_deref()).unwrap_or(sale.id.as_str());
    let reason = match (&sale.cancelled_at, &sale.comment) {
        (Some(_), Some(comment)) => format!(" ({comment})"),
        _ => String::new(),
    };
    format!("{number} {}{reason}", baht(sale.total))
}

fn of_product(product: &Product) -> String {
    let name = product.name.as_deref().or(product.code.as_deref()).unwrap_or(product.id.as_str());
    let unit = product.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    match product.quantity {
        Some(quantity) => format!("{name}, {quantity}{unit} left"),
        None => format!("{name}, quantity unknown"),
    }
}

fn of_credit(credit: &Credit) -> String {
    let customer = credit.customer.as_ref().and_then(|customer| customer.name.as_deref());
    let number = credit.code.as_deref().unwrap_or(credit.id.as_str());
    let sum = if credit.balance == Some(Money::ZERO) { credit.amount } else { credit.balance.or(credit.amount) };
    format!("{number} {} {}", customer.unwrap_or("(no name)"), baht(sum))
}

fn of_shop(details: &ShopDetails) -> String {
    let count = |number: &Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
    match details {
        ShopDetails::Baseline(counts) => format!(
            "{} products ({} low, {} out), {} sales, {} credits ({} overdue)",
            count(&counts.products),
            count(&counts.low),
            count(&counts.out),
            count(&counts.sales),
            count(&counts.pending_credits),
            count(&counts.overdue_credits)
        ),
        ShopDetails::KeyRejected { status } => format!("the key was refused ({status})"),
        ShopDetails::PassHeld(held) => held.summary.clone(),
        ShopDetails::Stale(stale) => format!("not read: {}", stale.why),
        ShopDetails::Recovered(recovered) => format!("read again after {} s", recovered.lasted_s),
        ShopDetails::ChannelFailing(failing) => format!("{} fails: {}", failing.channel, failing.why),
        ShopDetails::ChannelRecovered(recovered) => format!("{} takes messages again", recovered.channel),
    }
}

/// `฿2,641` or `฿160.59`: satang only where there are some.
fn baht(amount: Option<Money>) -> String {
    let Some(amount) = amount else { return "฿?".to_owned() };
    let decimal = amount.decimal().round_dp(2).normalize();
    let digits = if decimal.scale() == 0 { decimal.to_string() } else { format!("{decimal:.2}") };
    let (whole, satang) = digits.split_once('.').map_or((digits.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let satang = satang.map(|satang| format!(".{satang}")).unwrap_or_default();
    format!("{sign}฿{grouped}{satang}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, data: Value) -> Value {
        json!({
            "specversion": "1.0", "id": "evt_1", "source": "/shops/main", "type": kind, "subject": "x/1",
            "time": "2026-11-23T03:00:03Z", "datacontenttype": "application/json", "data": data
        })
    }

    fn sale(status: &str) -> Value {
        json!({"sale": {
            "id": "s1", "code": "TR69017664", "receipt": "ST69017664", "status": status,
            "sold_at": "2026-11-23T03:00:03Z", "subtotal": 2641, "discount": 0, "total": 2641, "currency": "THB",
            "cancelled_at": if status == "cancelled" { json!("2026-11-23T03:00:09Z") } else { Value::Null },
            "comment": "คีย์ผิด", "staff": null, "member": null, "payments": [], "lines": []
        }})
    }

    fn product() -> Value {
        json!({"product": {
            "id": "p1", "code": "PK66000001", "name": "ข้าวสาร", "barcode": null, "category": null, "unit": "ถุง",
            "price": 220, "cost": null, "quantity": 4, "updated_at": null
        }, "threshold": {"level": "low", "below": 5, "rearm": 8}})
    }

    fn check(body: &Value, expected: &str) {
        assert_eq!(line(&body.to_string(), Some(Duration::from_millis(1290))), expected);
    }

    #[test]
    fn each_kind_of_message_is_one_readable_line() {
        check(
            &event("sale.created", sale("success")),
            "10:00:03  sale.created    ST69017664 ฿2,641  ✓ signature  +1.3 s",
        );
        check(
            &event("sale.cancelled", sale("cancelled")),
            "10:00:03  sale.cancelled  ST69017664 ฿2,641 (คีย์ผิด)  ✓ signature  +1.3 s",
        );
        check(&event("stock.low", product()), "10:00:03  stock.low       ข้าวสาร, 4 ถุง left  ✓ signature  +1.3 s");
        let credit = json!({"credit": {
            "id": "c1", "code": "CR68000007", "sale_code": null, "amount": 500, "paid": 0, "balance": 500.5,
            "customer": {"code": "M000002", "name": "สมชาย ใจดี", "phone": null},
            "issued_at": null, "due_at": null, "days_overdue": null, "status": "pending", "overdue": true
        }});
        check(
            &event("credit.overdue", credit),
            "10:00:03  credit.overdue  CR68000007 สมชาย ใจดี ฿500.50  ✓ signature  +1.3 s",
        );
        let baseline = json!({"shop": {"id": "main", "name": "ร้านตัวอย่าง"}, "details": {
            "sales": 70, "products": 40, "low": 3, "out": 2, "pending_credits": 5, "overdue_credits": null
        }});
        check(
            &event("shop.baseline", baseline),
            "10:00:03  shop.baseline   ร้านตัวอย่าง: 40 products (3 low, 2 out), 70 sales, 5 credits (? overdue)  ✓ signature  +1.3 s",
        );
    }

    #[test]
    fn a_digest_is_one_line_too() {
        let body = json!([event("sale.created", sale("success")), event("stock.low", product())]);
        check(
            &body,
            "10:00:03  digest of 2     sale.created ST69017664 ฿2,641; stock.low ข้าวสาร, 4 ถุง left  ✓ signature  +1.3 s",
        );
    }

    #[test]
    fn what_is_no_event_is_shown_as_that() {
        assert_eq!(line("{}", None), "a message of 2 bytes that is no event of this version  ✓ signature");
    }

    #[test]
    fn baht_are_grouped_and_satang_shown_only_where_there_are_some() {
        for (amount, text) in [
            ("7", "฿7"),
            ("999", "฿999"),
            ("1000", "฿1,000"),
            ("1234567.5", "฿1,234,567.50"),
            ("-12000.00", "-฿12,000"),
        ] {
            assert_eq!(baht(amount.parse().ok()), text);
        }
        assert_eq!(baht(None), "฿?");
    }
}
