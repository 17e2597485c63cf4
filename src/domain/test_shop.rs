//! A small shop for tests: sales, products and credits as a captured one has them, and what readings of them tell.

use proptest::prelude::*;

use super::diff::{Change, Known};
use super::event::{Epoch, Event, Scribe};
use super::model::{
    Credit, CreditStatus, Customer, EntityId, Member, Money, Party, Payment, PaymentKind, Product, Purchase,
    PurchaseLine, Quantity, Sale, SaleLine, SaleStatus, ShopId, StockRow, Timestamp, Vendor,
};

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn id(text: &str) -> EntityId {
    EntityId::new(text).unwrap()
}

pub(super) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(super) fn shop() -> ShopId {
    ShopId::new("main").unwrap()
}

/// Writes down what was read at 10 in the morning of 23 November 2026, Bangkok time.
pub(super) fn scribe() -> Scribe {
    scribe_at(time("2026-11-23T03:00:00Z"))
}

pub(super) fn scribe_at(now: Timestamp) -> Scribe {
    Scribe::new(shop(), "ร้านตัวอย่าง", Epoch::from_random([1; 16]), now)
}

/// A sale of that morning.
pub(super) fn sale(name: &str) -> Sale {
    Sale {
        id: id(name),
        code: some("TR68017651"),
        receipt: some("ST68017651"),
        status: SaleStatus::Success,
        sold_at: Some(time("2026-11-23T02:00:00Z")),
        cancelled_at: None,
        subtotal: Some(Money::from(5020)),
        discount: Some(Money::from(20)),
        total: Some(Money::from(5000)),
        currency: "THB".to_owned(),
        comment: None,
        staff: some("Front Desk"),
        member: Some(Party { code: some("M000204"), name: some("สมชาย ใจดี") }),
        payments: vec![Payment {
            kind: PaymentKind::Cash,
            code: Some(1),
            amount: Some(Money::from(5000)),
            tendered: None,
        }],
        lines: vec![SaleLine {
            product_code: some("PK64000158"),
            name: some("ข้าวสาร"),
            quantity: Some("1.5".parse().unwrap()),
            unit_price: Some(Money::from(3000)),
            unit_discount: None,
            total: Some(Money::from(4500)),
            notes: Vec::new(),
        }],
        lines_left_out: 0,
    }
}

pub(super) fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

/// A row of the stock list with that much left; `-` is unknown.
pub(super) fn row(name: &str, left: &str) -> StockRow {
    let product = Product {
        id: id(name),
        code: some("PK64000158"),
        name: some("ข้าวสาร"),
        barcode: None,
        category: some("ของแห้ง"),
        unit: some("ถุง"),
        price: Some(Money::from(3000)),
        cost: Some("737.10".parse().unwrap()),
        quantity: (left != "-").then(|| quantity(left)),
        updated_at: Some(time("2026-11-23T02:00:00Z")),
    };
    StockRow { product, min_stock: None, deleted: false }
}

/// A credit that is still owed and within its period.
pub(super) fn credit(name: &str) -> Credit {
    Credit {
        id: id(name),
        code: some("CR0001"),
        sale_code: some("TR68017651"),
        customer: Some(Customer {
            code: some("M000204"), name: some("สมชาย ใจดี"), phone: some("0812345678")
        }),
        amount: Some(Money::from(1000)),
        paid: None,
        balance: Some(Money::from(1000)),
        issued_at: Some(time("2026-11-01T02:00:00Z")),
        due_at: Some(time("2026-11-22T17:00:00Z")),
        days_overdue: None,
        status: Some(CreditStatus::Pending),
        overdue: false,
    }
}

/// The same credit in the list of those out of their period.
pub(super) fn overdue(credit: Credit) -> Credit {
    Credit { overdue: true, days_overdue: Some(1), ..credit }
}

/// The same credit among the paid ones.
pub(super) fn paid(credit: Credit) -> Credit {
    Credit {
        overdue: false,
        days_overdue: None,
        status: Some(CreditStatus::Paid),
        balance: Some(Money::ZERO),
        ..credit
    }
}

pub(super) fn member(name: &str) -> Member {
    Member {
        id: id(name),
        code: some("M000204"),
        name: some("สมชาย ใจดี"),
        nickname: some("ชาย 0812345678"),
        phone: some("0812345678"),
        email: None,
        kind: some("ทั่วไป"),
        tags: vec!["ขายส่ง".to_owned(), "ตลาด".to_owned()],
        points: Some(quantity("12")),
        credit_days: Some(30),
        created_at: Some(time("2026-11-23T01:00:00Z")),
        updated_at: Some(time("2026-11-23T02:00:00Z")),
    }
}

pub(super) fn vendor(name: &str) -> Vendor {
    Vendor {
        id: id(name),
        code: some("V0001"),
        name: some("ฟาร์มตัวอย่าง"),
        phone: some("021234567"),
        email: some("farm@example.com"),
        tax_id: some("0105500000000"),
    }
}

pub(super) fn purchase(name: &str) -> Purchase {
    Purchase {
        id: id(name),
        code: some("PO0001"),
        vendor: Some(Party { code: some("V0001"), name: some("ฟาร์มตัวอย่าง") }),
        status: some("received"),
        total: Some(Money::from(1200)),
        issued_at: Some(time("2026-11-23T01:30:00Z")),
        lines: vec![PurchaseLine {
            product_code: some("PK64000158"),
            name: some("ข้าวสาร"),
            quantity: Some(quantity("40")),
            unit_price: Some(Money::from(30)),
            total: Some(Money::from(1200)),
        }],
    }
}

/// What is known once these changes are committed.
pub(super) fn after<R: Clone>(known: &Known<R>, changes: &[Change<R>], horizon: Option<Timestamp>) -> Known<R> {
    let mut rows = match known {
        Known::Nothing => std::collections::BTreeMap::new(),
        Known::Rows { rows, .. } => rows.clone(),
    };
    for change in changes {
        match &change.row {
            Some(row) => rows.insert(change.id.clone(), row.clone()),
            None => rows.remove(&change.id),
        };
    }
    Known::Rows { rows, horizon }
}

/// The events of these changes, in their order.
pub(super) fn events<R>(changes: &[Change<R>]) -> Vec<&Event> {
    changes.iter().flat_map(|change| &change.events).collect()
}

/// `sale.created sale/a, …` in the order in which it is told.
pub(super) fn told<R>(changes: &[Change<R>]) -> String {
    let told: Vec<String> = events(changes).iter().map(|event| format!("{} {}", event.kind, event.subject)).collect();
    told.join(", ")
}

/// Whether each entity has at most one change: two of one pass could be committed in two pieces, and a crash between
/// them would leave the first alone.
pub(super) fn one_change_each<R>(changes: &[Change<R>]) -> bool {
    let ids: std::collections::BTreeSet<_> = changes.iter().map(|change| &change.id).collect();
    ids.len() == changes.len()
}

/// The changes in the order of their ids, each whole: what a pass does, whatever the order of the rows.
pub(super) fn sorted<R: Clone>(changes: &[Change<R>]) -> Vec<Change<R>> {
    let mut sorted = changes.to_vec();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    sorted
}

/// A few names that readings share, so that rows come, stay and go.
pub(super) fn names() -> impl Strategy<Value = Vec<String>> {
    proptest::sample::subsequence(["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(), 0..=5)
}

/// One item for each of a few names, in any order.
pub(super) fn list<T, S>(one: impl Fn(String) -> S + 'static) -> impl Strategy<Value = Vec<T>>
where
    T: Clone + std::fmt::Debug + 'static,
    S: Strategy<Value = T> + 'static,
{
    names().prop_flat_map(move |names| names.into_iter().map(&one).collect::<Vec<S>>()).prop_shuffle()
}
