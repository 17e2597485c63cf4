//! The things that the tests of messages tell about.

mod bounds;
mod channels;
mod listed;
mod notices;
mod sentences;
mod several;

use super::*;
use crate::domain::event::{BaselineCounts, Epoch, EventData, EventKind, HeldCounts, Level, Scribe, ThresholdView};
use crate::domain::model::{
    Credit, CreditStatus, Customer, EntityId, Member, Money, Party, Payment, PaymentKind, Product, Purchase,
    PurchaseLine, Quantity, Resource, Sale, SaleLine, SaleStatus, ShopId, Timestamp, Vendor,
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn scribe() -> Scribe {
    let now = time("2025-09-03T07:32:00Z");
    Scribe::new(ShopId::new("main").unwrap(), "ร้านตัวอย่าง", Epoch::from_random([1; 16]), now)
}

fn line(name: &str, quantity: &str, total: &str) -> SaleLine {
    SaleLine {
        product_code: some("PK64000161"),
        name: some(name),
        quantity: Some(quantity.parse().unwrap()),
        unit_price: None,
        unit_discount: None,
        total: Some(total.parse().unwrap()),
        notes: Vec::new(),
    }
}

fn paid(kind: PaymentKind, amount: &str) -> Payment {
    Payment { kind, code: None, amount: Some(amount.parse().unwrap()), tendered: Some(Money::from(99_999)) }
}

fn sale() -> Sale {
    Sale {
        id: EntityId::new("68b7fd1d0000000000000001").unwrap(),
        code: some("TR68017651"),
        receipt: some("ST68017651"),
        status: SaleStatus::Success,
        sold_at: Some(time("2025-09-03T07:32:27.27Z")),
        cancelled_at: None,
        subtotal: Some(Money::from(2661)),
        discount: Some(Money::from(20)),
        total: Some(Money::from(2641)),
        currency: "THB".to_owned(),
        comment: None,
        staff: some("Front Desk"),
        member: Some(Party { code: some("M000204"), name: some("สมชาย 081-234-5678") }),
        payments: vec![
            paid(PaymentKind::Transfer, "2141"),
            paid(PaymentKind::Cash, "300"),
            paid(PaymentKind::Cash, "200.50"),
        ],
        lines: vec![line("Feed 120", "4", "2480"), line("หมูสามชั้น", "1.01", "161.5")],
        lines_left_out: 0,
    }
}

fn bare_sale() -> Sale {
    Sale {
        code: None,
        receipt: None,
        sold_at: None,
        subtotal: None,
        discount: None,
        total: None,
        staff: None,
        member: None,
        payments: Vec::new(),
        lines: Vec::new(),
        lines_left_out: 0,
        ..sale()
    }
}

fn product(quantity: &str) -> Product {
    Product {
        id: EntityId::new("600c45c60000000000000004").unwrap(),
        code: some("PK64000158"),
        name: some("ข้าวสาร"),
        barcode: None,
        category: None,
        unit: some("กระสอบ"),
        price: None,
        cost: None,
        quantity: Some(quantity.parse().unwrap()),
        updated_at: None,
    }
}

fn level(level: Level, quantity: &str, below: Option<i64>) -> Event {
    let threshold = ThresholdView { level, below: below.map(Quantity::from), rearm: None };
    scribe().stock_level(1, &product(quantity), None, threshold)
}

fn credit() -> Credit {
    Credit {
        id: EntityId::new("600c45c60000000000000009").unwrap(),
        code: some("CR001"),
        sale_code: some("TR68017651"),
        customer: Some(Customer { code: some("M000204"), name: some("สมชาย"), phone: some("0812345678") }),
        amount: Some(Money::from(1500)),
        paid: Some(Money::from(500)),
        balance: Some(Money::from(1000)),
        issued_at: Some(time("2025-08-01T03:00:00Z")),
        due_at: Some(time("2025-08-31T17:00:00Z")),
        days_overdue: Some(3),
        status: Some(CreditStatus::Pending),
        overdue: true,
    }
}

fn member() -> Member {
    Member {
        id: EntityId::new("600d4bc60000000000000005").unwrap(),
        code: some("M000204"),
        name: some("สมชาย 081-234-5678"),
        nickname: some("ชาย 0812345678"),
        phone: some("0812345678"),
        email: some("somchai@example.com"),
        kind: some("ขายส่ง"),
        tags: Vec::new(),
        points: Some(Quantity::from(12)),
        credit_days: None,
        created_at: Some(time("2025-09-03T07:30:00Z")),
        updated_at: None,
    }
}

fn vendor() -> Vendor {
    Vendor {
        id: EntityId::new("600d4bc60000000000000006").unwrap(),
        code: some("V0001"),
        name: some("ฟาร์ม 02-123-4567"),
        phone: some("021234567"),
        email: some("farm@example.com"),
        tax_id: some("0105500000000"),
    }
}

fn purchase() -> Purchase {
    Purchase {
        id: EntityId::new("600d4bc60000000000000007").unwrap(),
        code: some("PO0001"),
        vendor: Some(Party { code: some("V0001"), name: some("ฟาร์ม") }),
        status: some("received"),
        total: Some(Money::from(1200)),
        issued_at: Some(time("2025-09-03T07:00:00Z")),
        lines: vec![PurchaseLine {
            product_code: some("PK64000158"),
            name: some("ข้าวสาร"),
            quantity: Some(Quantity::from(40)),
            unit_price: Some(Money::from(30)),
            total: Some(Money::from(1200)),
        }],
    }
}
