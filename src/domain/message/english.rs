//! The built-in messages in English.

use super::words::Words;
use crate::domain::event::EventKind;
use crate::domain::model::PaymentKind;

/// The words.
pub(super) const WORDS: Words = Words {
    months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    headword,
    priced: |head, baht| format!("{head}: {baht} baht"),
    counted: |head, count| format!("{head} ({count})"),
    changes: |count| format!("{count} changes"),
    newest_states: |count| format!("Newest stock after an outage ({count})"),
    as_of: |moment| format!("As of {moment}"),
    stands_for: |count| format!("({count} changes)"),
    unnamed: "no name",
    baht: |baht| format!("{baht} baht"),

    receipt: |code| format!("Receipt {code}"),
    sold_at: |moment| format!("sold {moment}"),
    cancelled_at: |moment| format!("Cancelled {moment}"),
    reason: |text| format!("Reason: {text}"),
    no_longer_counts: |amount| format!("{amount} no longer count as takings"),
    comment: |text| format!("Comment: {text}"),
    more_lines: |count| format!("+ {count} more"),
    discount: |amount| format!("Discount {amount}"),
    paid_by: |ways| format!("Paid: {ways}"),
    payment,
    staff: |name| format!("Staff {name}"),
    changed: |fields| format!("Changed: {fields}"),
    field,
    total_changed: |before, after| format!("Total {before} → {after} baht"),

    left: |quantity| format!("Left: {quantity}"),
    in_stock: |quantity| format!("In stock: {quantity}"),
    alert_below: |figure| format!("alert below {figure}"),
    below_zero: "Less than nothing: a delivery may not be booked in yet",
    product_code: |code| format!("Code {code}"),

    customer: |name| format!("Customer {name}"),
    owed: |amount| format!("Owed: {amount}"),
    owed_of: |balance, amount| format!("Owed: {balance} of {amount}"),
    credit_code: |code| format!("No. {code}"),
    sale_code: |code| format!("sale {code}"),
    due: |day| format!("Due {day}"),
    days_overdue: |days| if days == 1 { "1 day overdue".to_owned() } else { format!("{days} days overdue") },

    products: |count| format!("Products: {count}"),
    low: |count| format!("Low: {count}"),
    out: |count| format!("out: {count}"),
    pending_credits: |count| format!("Credits owed: {count}"),
    overdue_credits: |count| format!("overdue: {count}"),
    from_now_on: "From now on you are told what changes",

    key_refused: |status| {
        format!("POSPOS refused the shop's key ({status}). This shop is not read, and nothing is told, until you act:")
    },
    ask_for_key: "1. Ask POSPOS support to check the key or for a new one",
    then_resume: |shop| format!("2. Put in the new key, then type: posbell resume {shop}"),
};

fn headword(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SaleCreated => "Sale",
        EventKind::SaleCancelled => "Sale cancelled",
        EventKind::SaleUpdated => "Sale changed",
        EventKind::StockLow => "Low stock",
        EventKind::StockCritical => "Very low stock",
        EventKind::StockOut => "Out of stock",
        EventKind::StockRecovered => "Enough in stock",
        EventKind::StockChanged => "Stock changed",
        EventKind::CreditCreated => "Sale on credit",
        EventKind::CreditOverdue => "Credit overdue",
        EventKind::CreditPaid => "Credit paid",
        EventKind::ShopBaseline => "Now watching the shop",
        EventKind::ShopKeyRejected => "The POSPOS key was refused",
    }
}

fn payment(kind: PaymentKind) -> &'static str {
    match kind {
        PaymentKind::Cash => "cash",
        PaymentKind::Transfer => "transfer",
        PaymentKind::Credit => "credit",
        PaymentKind::Other => "other",
    }
}

fn field(name: &str) -> Option<&'static str> {
    Some(match name {
        "sold_at" => "time of sale",
        "member" => "customer",
        "lines" => "goods",
        "status" => "status",
        "subtotal" => "subtotal",
        "discount" => "discount",
        "total" => "total",
        "comment" => "comment",
        "staff" => "staff",
        "payments" => "payments",
        "receipt" | "code" => "number",
        _ => return None,
    })
}
