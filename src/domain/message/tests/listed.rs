//! What a person reads of products, members, vendors, purchase documents and a credit's terms.

use super::sentences::{check, text};
use super::*;

fn fields(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_product_that_comes_changes_and_goes() {
    let priced = |price: i64| Product { price: Some(price.into()), ..product("40") };
    let now = Product { cost: Some("950.5".parse().unwrap()), ..priced(1250) };
    let before = Product { cost: Some(Money::from(900)), name: some("ข้าวเก่า"), ..priced(1200) };
    check(
        scribe().product_created(&priced(1200)),
        "
🆕 สินค้าใหม่: ข้าวสาร
ราคา 1,200 บาท · ตอนนี้มี 40 กระสอบ
รหัส PK64000158
3 ก.ย. 14:32",
        "
🆕 New product: ข้าวสาร
Price 1,200 baht · In stock: 40 กระสอบ
Code PK64000158
3 Sep 14:32",
    );
    check(
        scribe().product_updated(1, &now, &before, fields(&["name", "category", "price", "cost"])),
        "
🏷️ แก้ไขสินค้า: ข้าวสาร
ราคา 1,200 → 1,250 บาท
ต้นทุน 900 → 950.50 บาท
ชื่อ ข้าวเก่า → ข้าวสาร
แก้ไข: หมวดหมู่
รหัส PK64000158
3 ก.ย. 14:32",
        "
🏷️ Product changed: ข้าวสาร
Price 1,200 → 1,250 baht
Cost 900 → 950.50 baht
Name ข้าวเก่า → ข้าวสาร
Changed: category
Code PK64000158
3 Sep 14:32",
    );
    check(
        scribe().product_removed(2, &priced(1250)),
        "
🗑️ ลบสินค้า: ข้าวสาร
ไม่มีใน POSPOS แล้ว จะไม่แจ้งเรื่องนี้อีก
รหัส PK64000158
3 ก.ย. 14:32",
        "
🗑️ Product removed: ข้าวสาร
It is no longer in POSPOS; nothing more is told of it
Code PK64000158
3 Sep 14:32",
    );
}

#[test]
fn a_member_by_name_and_code_and_never_by_telephone() {
    check(
        scribe().listed_created(&member()),
        "
👤 สมาชิกใหม่: สมชาย •••78
ประเภท ขายส่ง
รหัส M000204
3 ก.ย. 14:30",
        "
👤 New member: สมชาย •••78
Type ขายส่ง
Code M000204
3 Sep 14:30",
    );
    let more = Member { points: Some(Quantity::from(1500)), phone: None, ..member() };
    check(
        scribe().listed_updated(1, &more, &member(), fields(&["phone", "points"])),
        "
👤 แก้ไขสมาชิก: สมชาย •••78
แต้ม 12 → 1,500
แก้ไข: เบอร์โทร, แต้ม
รหัส M000204
3 ก.ย. 14:32",
        "
👤 Member changed: สมชาย •••78
Points 12 → 1,500
Changed: phone, points
Code M000204
3 Sep 14:32",
    );
}

#[test]
fn a_vendor_by_name_and_code_and_never_by_telephone() {
    check(
        scribe().listed_removed(1, &vendor()),
        "
🚚 ลบผู้ขาย: ฟาร์ม •••67
ไม่มีใน POSPOS แล้ว จะไม่แจ้งเรื่องนี้อีก
รหัส V0001
3 ก.ย. 14:32",
        "
🚚 Vendor removed: ฟาร์ม •••67
It is no longer in POSPOS; nothing more is told of it
Code V0001
3 Sep 14:32",
    );
    let nameless = Vendor { name: None, code: None, ..vendor() };
    let said = text(&[scribe().listed_created(&nameless)], Language::English);
    assert_eq!(said, "🚚 New vendor: no name\n3 Sep 14:32");
}

#[test]
fn a_purchase_says_from_whom_and_what() {
    check(
        scribe().listed_created(&purchase()),
        "
📥 ซื้อเข้า 1,200 บาท
เลขที่ PO0001 · 3 ก.ย. 14:00
ผู้ขาย ฟาร์ม
• ข้าวสาร × 40 = 1,200",
        "
📥 Purchase: 1,200 baht
No. PO0001 · 3 Sep 14:00
Vendor ฟาร์ม
• ข้าวสาร × 40 = 1,200",
    );
    let dearer = Purchase { total: Some(Money::from(1300)), ..purchase() };
    check(
        scribe().listed_updated(1, &dearer, &purchase(), fields(&["total"])),
        "
📥 แก้ไขใบซื้อ 1,300 บาท
เลขที่ PO0001 · 3 ก.ย. 14:32
ผู้ขาย ฟาร์ม
ยอดรวม 1,200 → 1,300 บาท
แก้ไข: ยอดรวม",
        "
📥 Purchase changed: 1,300 baht
No. PO0001 · 3 Sep 14:32
Vendor ฟาร์ม
Total 1,200 → 1,300 baht
Changed: total",
    );
}

#[test]
fn a_credit_that_ages_and_one_that_is_lost() {
    check(
        scribe().credit_aging(1, &Credit { days_overdue: Some(30), ..credit() }),
        "
⌛ ค้างชำระนานแล้ว 1,000 บาท
ลูกค้า สมชาย
ค้างชำระ 1,000 จากทั้งหมด 1,500 บาท
ครบกำหนด 1 ก.ย. · เลยมาแล้ว 30 วัน
เลขที่ CR001 · บิล TR68017651
3 ก.ย. 14:32",
        "
⌛ Credit long overdue: 1,000 baht
Customer สมชาย
Owed: 1,000 of 1,500 baht
Due 1 Sep · 30 days overdue
No. CR001 · sale TR68017651
3 Sep 14:32",
    );
    let lost = Credit { status: None, ..credit() };
    check(
        scribe().credit_updated(1, &lost, &credit(), fields(&["status"])),
        "
✏️ แก้ไขรายการขายเชื่อ 1,000 บาท
ลูกค้า สมชาย
ค้างชำระ 1,000 จากทั้งหมด 1,500 บาท
ครบกำหนด 1 ก.ย.
แก้ไข: สถานะ
ไม่พบใน POSPOS ทั้งรายการค้างชำระและรายการที่ชำระแล้ว โปรดตรวจสอบ
เลขที่ CR001 · บิล TR68017651
3 ก.ย. 14:32",
        "
✏️ Credit changed: 1,000 baht
Customer สมชาย
Owed: 1,000 of 1,500 baht
Due 1 Sep
Changed: status
POSPOS lists it neither as owed nor as paid: please look
No. CR001 · sale TR68017651
3 Sep 14:32",
    );
}
