//! What the messages say, word for word, as a person reads them.

use super::*;

pub(super) fn text(events: &[Event], language: Language) -> String {
    let wording = Wording { language, timezone: chrono_tz::Asia::Bangkok };
    let Text { title, body } = render(events, None, &wording);
    format!("{title}\n{body}")
}

#[track_caller]
pub(super) fn check(event: Event, thai: &str, english: &str) {
    let events = [event];
    assert_eq!(text(&events, Language::Thai), thai.trim_start());
    assert_eq!(text(&events, Language::English), english.trim_start());
}

#[test]
fn a_sale() {
    check(
        scribe().sale_created(&sale()),
        "
🧾 ขายได้ 2,641 บาท
ใบเสร็จ ST68017651 · 3 ก.ย. 14:32
ลูกค้า สมชาย •••78
• Feed 120 × 4 = 2,480
• หมูสามชั้น × 1.01 = 161.50
ส่วนลด 20 บาท
ชำระ: เงินสด 500.50 · โอน 2,141
พนักงาน Front Desk",
        "
🧾 Sale: 2,641 baht
Receipt ST68017651 · 3 Sep 14:32
Customer สมชาย •••78
• Feed 120 × 4 = 2,480
• หมูสามชั้น × 1.01 = 161.50
Discount 20 baht
Paid: cash 500.50 · transfer 2,141
Staff Front Desk",
    );
}

#[test]
fn a_long_bill_shows_five_lines() {
    let lines = (1..=7).map(|n| line(&format!("ของ {n}"), "1", "10")).collect();
    let event = scribe().sale_created(&Sale { lines, code: some("TR1"), ..bare_sale() });
    check(
        event,
        "
🧾 ขายได้
ใบเสร็จ TR1 · 3 ก.ย. 14:32
• ของ 1 × 1 = 10
• ของ 2 × 1 = 10
• ของ 3 × 1 = 10
• ของ 4 × 1 = 10
• ของ 5 × 1 = 10
+ อีก 2 รายการ",
        "
🧾 Sale
Receipt TR1 · 3 Sep 14:32
• ของ 1 × 1 = 10
• ของ 2 × 1 = 10
• ของ 3 × 1 = 10
• ของ 4 × 1 = 10
• ของ 5 × 1 = 10
+ 2 more",
    );
}

#[test]
fn a_sale_of_which_nothing_is_known() {
    check(
        scribe().sale_created(&bare_sale()),
        "
🧾 ขายได้
3 ก.ย. 14:32",
        "
🧾 Sale
3 Sep 14:32",
    );
}

#[test]
fn a_cancelled_sale_says_why_and_what_no_longer_counts() {
    let cancelled = Sale {
        status: SaleStatus::Cancelled,
        cancelled_at: Some(time("2025-09-03T08:03:43.834Z")),
        comment: some("คีย์ผิด"),
        lines: vec![line("Feed 120", "4", "2480")],
        ..sale()
    };
    check(
        scribe().sale_cancelled(&cancelled, Some(&sale())),
        "
❌ ยกเลิกบิล 2,641 บาท
ใบเสร็จ ST68017651 · ขายเมื่อ 3 ก.ย. 14:32
ยกเลิกเมื่อ 3 ก.ย. 15:03
เหตุผล: คีย์ผิด
ยอด 2,641 บาท ไม่นับเป็นยอดขายแล้ว
ลูกค้า สมชาย •••78
• Feed 120 × 4 = 2,480
พนักงาน Front Desk",
        "
❌ Sale cancelled: 2,641 baht
Receipt ST68017651 · sold 3 Sep 14:32
Cancelled 3 Sep 15:03
Reason: คีย์ผิด
2,641 baht no longer count as takings
Customer สมชาย •••78
• Feed 120 × 4 = 2,480
Staff Front Desk",
    );
}

#[test]
fn a_changed_sale() {
    let next = Sale { total: Some(Money::from(2600)), member: None, ..sale() };
    let changed = ["total", "member", "x_new"].map(str::to_owned).to_vec();
    check(
        scribe().sale_updated(1, &next, &sale(), changed),
        "
✏️ แก้ไขบิล 2,600 บาท
ใบเสร็จ ST68017651 · 3 ก.ย. 14:32
ยอดรวม 2,641 → 2,600 บาท
แก้ไข: ยอดรวม, ลูกค้า, x_new
พนักงาน Front Desk",
        "
✏️ Sale changed: 2,600 baht
Receipt ST68017651 · 3 Sep 14:32
Total 2,641 → 2,600 baht
Changed: total, customer, x_new
Staff Front Desk",
    );
}

#[test]
fn stock_running_low() {
    check(
        level(Level::Low, "4", Some(5)),
        "
🟡 ใกล้หมด: ข้าวสาร เหลือ 4 กระสอบ
เตือนเมื่อต่ำกว่า 5
รหัส PK64000158
3 ก.ย. 14:32",
        "
🟡 Running low: ข้าวสาร, 4 กระสอบ left
Alert below 5
Code PK64000158
3 Sep 14:32",
    );
}

#[test]
fn each_level_has_its_own_title() {
    let first = |event: Event| text(&[event], Language::Thai).lines().next().unwrap().to_owned();
    assert_eq!(first(level(Level::Critical, "2", Some(3))), "🟠 เหลือน้อยมาก: ข้าวสาร เหลือ 2 กระสอบ");
    assert_eq!(first(level(Level::Out, "0", None)), "🔴 สินค้าหมด: ข้าวสาร");
    assert_eq!(first(level(Level::Ok, "9", Some(5))), "🟢 ของเข้าแล้ว: ข้าวสาร มี 9 กระสอบ");
}

#[test]
fn stock_sold_before_it_was_counted_in() {
    check(
        level(Level::Out, "-2.5", None),
        "
🔴 สินค้าหมด: ข้าวสาร
ยอดติดลบ -2.5 กระสอบ: อาจยังไม่ได้รับสินค้าเข้าระบบ
รหัส PK64000158
3 ก.ย. 14:32",
        "
🔴 Out of stock: ข้าวสาร
Stock is -2.5 กระสอบ: a delivery may not be booked in yet
Code PK64000158
3 Sep 14:32",
    );
}

#[test]
fn stock_back_and_stock_moved() {
    check(
        level(Level::Ok, "1200", Some(5)),
        "
🟢 ของเข้าแล้ว: ข้าวสาร มี 1,200 กระสอบ
รหัส PK64000158
3 ก.ย. 14:32",
        "
🟢 Restocked: ข้าวสาร, 1,200 กระสอบ in stock
Code PK64000158
3 Sep 14:32",
    );
    let nameless = Product { name: None, unit: None, ..product("1.50") };
    check(
        scribe().stock_changed(1, &nameless, &product("4")),
        "
📦 สต็อกเปลี่ยน: PK64000158
4 → 1.5
รหัส PK64000158
3 ก.ย. 14:32",
        "
📦 Stock changed: PK64000158
4 → 1.5
Code PK64000158
3 Sep 14:32",
    );
}

#[test]
fn an_overdue_credit_says_who_how_much_and_since_when() {
    check(
        scribe().credit_overdue(&credit(), None),
        "
⏰ เลยกำหนดชำระ 1,000 บาท
ลูกค้า สมชาย
ค้างชำระ 1,000 จากทั้งหมด 1,500 บาท
ครบกำหนด 1 ก.ย. · เลยมาแล้ว 3 วัน
เลขที่ CR001 · บิล TR68017651
3 ก.ย. 14:32",
        "
⏰ Credit overdue: 1,000 baht
Customer สมชาย
Owed: 1,000 of 1,500 baht
Due 1 Sep · 3 days overdue
No. CR001 · sale TR68017651
3 Sep 14:32",
    );
}

#[test]
fn a_new_credit_and_a_paid_one() {
    let fresh = Credit { paid: None, balance: None, code: None, overdue: false, days_overdue: None, ..credit() };
    check(
        scribe().credit_created(&fresh),
        "
💳 ขายเชื่อ 1,500 บาท
ลูกค้า สมชาย
ค้างชำระ 1,500 บาท
ครบกำหนด 1 ก.ย.
บิล TR68017651
1 ส.ค. 10:00",
        "
💳 Sale on credit: 1,500 baht
Customer สมชาย
Owed: 1,500 baht
Due 1 Sep
sale TR68017651
1 Aug 10:00",
    );
    check(
        scribe().credit_paid(1, &Credit { status: Some(CreditStatus::Paid), ..credit() }, &credit(), Vec::new()),
        "
✅ ชำระหนี้แล้ว 1,500 บาท
ลูกค้า สมชาย
เลขที่ CR001 · บิล TR68017651
3 ก.ย. 14:32",
        "
✅ Credit paid: 1,500 baht
Customer สมชาย
No. CR001 · sale TR68017651
3 Sep 14:32",
    );
}

#[test]
fn no_events_are_no_message_but_still_a_title() {
    let wording = Wording { language: Language::Thai, timezone: chrono_tz::Asia::Bangkok };
    assert_eq!(render(&[], None, &wording), Text { title: "posbell".to_owned(), body: String::new() });
}
