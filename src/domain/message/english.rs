//! The built-in messages in English.

mod notices;

use self::notices::NOTICES;
use super::words::Words;
use crate::domain::disk::DiskFault;
use crate::domain::event::EventKind;
use crate::domain::model::{PaymentKind, Resource};

/// The words.
pub(super) const WORDS: Words = Words {
    months: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    headword,
    priced: |head, amount| format!("{head}: {amount}"),
    counted: |head, count| format!("{head} ({count})"),
    newest_states: |count| format!("Newest stock after an outage ({count})"),
    as_of: |moment| format!("As of {moment}"),
    stands_for: |count| format!("({count} changes)"),
    unnamed: "no name",
    baht: |baht| format!("{baht} baht"),

    receipt: |code| format!("Receipt {code}"),
    sold_at: |moment| format!("sold {moment}"),
    cancelled_at: |moment| format!("Cancelled {moment}"),
    sold_and_cancelled: "Sold and cancelled",
    already_cancelled: "This sale has been cancelled",
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

    name_left: |name, quantity| format!("{name}, {quantity} left"),
    name_in_stock: |name, quantity| format!("{name}, {quantity} in stock"),
    in_stock: |quantity| format!("In stock: {quantity}"),
    alert_below: |figure| format!("Alert below {figure}"),
    below_zero: |quantity| format!("Stock is {quantity}: a delivery may not be booked in yet"),
    product_code: |code| format!("Code {code}"),
    price: |amount| format!("Price {amount}"),
    price_changed: |before, after| format!("Price {before} → {after} baht"),
    cost_changed: |before, after| format!("Cost {before} → {after} baht"),
    name_changed: |before, after| format!("Name {before} → {after}"),
    no_more_told: "It is no longer in POSPOS; nothing more is told of it",

    customer: |name| format!("Customer {name}"),
    owed: |amount| format!("Owed: {amount}"),
    owed_of: |balance, amount| format!("Owed: {balance} of {amount}"),
    credit_code: |code| format!("No. {code}"),
    sale_code: |code| format!("sale {code}"),
    due: |day| format!("Due {day}"),
    days_overdue: |days| if days == 1 { "1 day overdue".to_owned() } else { format!("{days} days overdue") },

    found_nowhere: "POSPOS lists it neither as owed nor as paid: please look",

    member_kind: |kind| format!("Type {kind}"),
    points_changed: |before, after| format!("Points {before} → {after}"),
    vendor: |name| format!("Vendor {name}"),
    purchase_code: |code| format!("No. {code}"),

    products: |count| format!("Products: {count}"),
    low: |count| format!("Low: {count}"),
    out: |count| format!("out: {count}"),
    pending_credits: |count| format!("Credits owed: {count}"),
    overdue_credits: |count| format!("overdue: {count}"),
    members: |count| format!("Members: {count}"),
    vendors: |count| format!("vendors: {count}"),
    purchases: |count| format!("purchases: {count}"),
    from_now_on: "From now on you are told what changes",

    disk_fault,
    disk_back: ["✅ posbell goes on: the disk works again", "It now reads what happened meanwhile and sends it."],
    mistaken: "⛔ posbell does not start: a mistake in its settings",
    mistaken_where,
    resource,
    none_yet,
    notices: NOTICES,
};

fn disk_fault(fault: DiskFault) -> [&'static str; 2] {
    let title = match fault {
        DiskFault::Full => "⛔ posbell stands still: the disk is full",
        DiskFault::ReadOnly => "⛔ posbell stands still: the disk is read-only",
        DiskFault::Failing => "⛔ posbell stands still: the disk has errors",
        DiskFault::Hanging => "⛔ posbell stands still: the disk does not answer",
        DiskFault::Gone => "⛔ posbell stands still: its data is gone from the disk",
        DiskFault::Unusable => "⛔ posbell does not run: its data cannot be used",
    };
    let body = match fault {
        DiskFault::Full => {
            "Nothing can be stored, so POSPOS is not read and nothing is sent until there is space. \
             Nothing is lost. Free some space on the machine that posbell runs on; it goes on by itself."
        }
        DiskFault::ReadOnly | DiskFault::Failing | DiskFault::Hanging => {
            "Nothing can be stored, so POSPOS is not read and nothing is sent until the disk works. \
             Ask your technician to look at the disk of the machine that posbell runs on; it goes on by itself."
        }
        DiskFault::Unusable => {
            "Its data is damaged or belongs to another user, so POSPOS is not read and nothing is sent. \
             Ask your technician to look at the log: journalctl -u posbell"
        }
        DiskFault::Gone => {
            "The files were deleted, or their disk was taken away, so POSPOS is not read and nothing is sent. \
             Ask your technician to bring the disk back, or to stop posbell and use: posbell restore --last"
        }
    };
    [title, body]
}

fn resource(resource: Resource) -> &'static str {
    match resource {
        Resource::Transactions => "sales",
        Resource::Stock => "products",
        Resource::Credit => "credits",
        Resource::Members => "members",
        Resource::Vendors => "vendors",
        Resource::BuyDocuments => "purchase documents",
    }
}

fn mistaken_where(place: &str, more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!(
        "In {place}{more}. POSPOS is not read and nothing is told until it is mended. Nothing is lost. \
         `posbell check` on the machine that posbell runs on shows the mistake; then start posbell again."
    )
}

fn none_yet(of: Resource) -> String {
    let list = match of {
        Resource::Stock => "Products",
        Resource::Members => "Members",
        Resource::BuyDocuments => "purchases",
        Resource::Transactions | Resource::Credit | Resource::Vendors => resource(of),
    };
    format!("{list}: none yet")
}

fn headword(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SaleCreated => "Sale",
        EventKind::SaleCancelled => "Sale cancelled",
        EventKind::SaleUpdated => "Sale changed",
        EventKind::StockLow => "Running low",
        EventKind::StockCritical => "Nearly out",
        EventKind::StockOut => "Out of stock",
        EventKind::StockRecovered => "Restocked",
        EventKind::StockChanged => "Stock changed",
        EventKind::ProductCreated => "New product",
        EventKind::ProductUpdated => "Product changed",
        EventKind::ProductRemoved => "Product removed",
        EventKind::CreditCreated => "Sale on credit",
        EventKind::CreditUpdated => "Credit changed",
        EventKind::CreditOverdue => "Credit overdue",
        EventKind::CreditAging => "Credit long overdue",
        EventKind::CreditPaid => "Credit paid",
        EventKind::MemberCreated => "New member",
        EventKind::MemberUpdated => "Member changed",
        EventKind::MemberRemoved => "Member removed",
        EventKind::VendorCreated => "New vendor",
        EventKind::VendorUpdated => "Vendor changed",
        EventKind::VendorRemoved => "Vendor removed",
        EventKind::PurchaseCreated => "Purchase",
        EventKind::PurchaseUpdated => "Purchase changed",
        EventKind::PurchaseRemoved => "Purchase removed",
        EventKind::ShopBaseline => "Now watching the shop",
        EventKind::ShopKeyRejected => "The POSPOS key was refused",
        EventKind::PassHeld => "POSPOS data look wrong",
        EventKind::ShopStale => "The shop cannot be read",
        EventKind::ShopRecovered => "The shop is read again",
        EventKind::ChannelFailing => "Messages do not arrive",
        EventKind::ChannelRecovered => "Messages arrive again",
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
        "member" | "customer" => "customer",
        "lines" => "goods",
        "payments" => "payments",
        "receipt" => "number",
        "sale_code" => "sale",
        "issued_at" => "date",
        "due_at" => "due date",
        "tax_id" => "tax number",
        "credit_days" => "credit days",
        "cancelled_at" => "time of cancel",
        "code" => "code",
        "name" => "name",
        "barcode" => "barcode",
        "category" => "category",
        "unit" => "unit",
        "price" => "price",
        "cost" => "cost",
        "quantity" => "quantity",
        "status" => "status",
        "subtotal" => "subtotal",
        "discount" => "discount",
        "total" => "total",
        "comment" => "comment",
        "staff" => "staff",
        "amount" => "amount",
        "paid" => "paid",
        "balance" => "balance",
        "nickname" => "nickname",
        "phone" => "phone",
        "email" => "e-mail",
        "type" => "type",
        "tags" => "tags",
        "points" => "points",
        "vendor" => "vendor",
        _ => return None,
    })
}
