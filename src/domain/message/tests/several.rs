//! What a person reads of several events in one message.

use super::sentences::text;
use super::*;
use crate::domain::model::Subject;

fn named(name: &str, kind: Level, quantity: &str) -> Event {
    let mut event = level(kind, quantity, Some(5));
    event.subject = Subject::product(&EntityId::new(name.len().to_string()).unwrap());
    if let EventData::Product { product, .. } = &mut event.data {
        product.name = some(name);
        product.unit = some("ซอง");
    }
    event
}

#[track_caller]
fn check_all(events: &[Event], thai: &str, english: &str) {
    assert_eq!(text(events, Language::Thai), thai.trim_start());
    assert_eq!(text(events, Language::English), english.trim_start());
}

#[test]
fn events_of_one_kind_are_a_line_each_with_its_figure() {
    check_all(
        &[named("มาม่าหมูสับ", Level::Low, "3"), named("น้ำดื่ม", Level::Low, "1.5")],
        "
🟡 ใกล้หมด 2 รายการ
มาม่าหมูสับ เหลือ 3 ซอง
น้ำดื่ม เหลือ 1.5 ซอง",
        "
🟡 Running low (2)
มาม่าหมูสับ, 3 ซอง left
น้ำดื่ม, 1.5 ซอง left",
    );
    check_all(
        &[scribe().credit_overdue(&credit(), None), scribe().credit_overdue(&credit(), None)],
        "
⏰ เลยกำหนดชำระ 2 รายการ
1,000 บาท · สมชาย
1,000 บาท · สมชาย",
        "
⏰ Credit overdue (2)
1,000 baht · สมชาย
1,000 baht · สมชาย",
    );
}

#[test]
fn events_of_several_kinds_are_counted_and_listed_worst_first() {
    check_all(
        &[
            named("มาม่าหมูสับ", Level::Low, "3"),
            named("น้ำดื่ม", Level::Out, "0"),
            named("น้ำตาล", Level::Low, "4"),
            named("ไข่", Level::Out, "-2"),
            named("นม", Level::Critical, "1"),
        ],
        "
🔴 สินค้าหมด 2 · 🟠 เหลือน้อยมาก 1 · 🟡 ใกล้หมด 2
🔴 น้ำดื่ม
🔴 ไข่ · -2 ซอง
🟠 นม เหลือ 1 ซอง
🟡 มาม่าหมูสับ เหลือ 3 ซอง
🟡 น้ำตาล เหลือ 4 ซอง",
        "
🔴 Out of stock 2 · 🟠 Nearly out 1 · 🟡 Running low 2
🔴 น้ำดื่ม
🔴 ไข่ · -2 ซอง
🟠 นม, 1 ซอง left
🟡 มาม่าหมูสับ, 3 ซอง left
🟡 น้ำตาล, 4 ซอง left",
    );
    check_all(
        &[
            scribe().sale_created(&sale()),
            named("นม", Level::Ok, "40"),
            named("มาม่าหมูสับ", Level::Low, "3"),
            scribe().credit_overdue(&credit(), None),
        ],
        "
🟡 ใกล้หมด 1 · ⏰ เลยกำหนดชำระ 1 · 🧾 ขายได้ 1 · +1
🟡 มาม่าหมูสับ เหลือ 3 ซอง
⏰ เลยกำหนดชำระ 1,000 บาท · สมชาย
🧾 ขายได้ 2,641 บาท · ST68017651
🟢 นม มี 40 ซอง",
        "
🟡 Running low 1 · ⏰ Credit overdue 1 · 🧾 Sale 1 · +1
🟡 มาม่าหมูสับ, 3 ซอง left
⏰ Credit overdue: 1,000 baht · สมชาย
🧾 Sale: 2,641 baht · ST68017651
🟢 นม, 40 ซอง in stock",
    );
}

#[test]
fn twenty_events_are_shown_and_the_rest_is_counted() {
    let many: Vec<Event> = (0..23).map(|_| level(Level::Low, "4", None)).collect();
    let english = text(&many, Language::English);
    assert_eq!(english.lines().count(), 1 + EVENTS_SHOWN + 1);
    assert!(english.starts_with("🟡 Running low (23)\nข้าวสาร, 4 กระสอบ left\n"), "{english}");
    assert!(english.ends_with("\n+3"), "{english}");
}

#[test]
fn a_list_of_changed_products_shows_what_changed() {
    let product = |price: i64, cost: i64, name: &str| Product {
        price: Some(price.into()),
        cost: Some(cost.into()),
        name: some(name),
        ..product("40")
    };
    let before = product(10, 8, "มาม่า");
    let updated = |now: &Product, changed: &[&str]| {
        let changed = changed.iter().map(|field| (*field).to_owned()).collect();
        scribe().product_updated(1, now, &before, changed)
    };
    check_all(
        &[
            updated(&product(12, 8, "มาม่า"), &["price"]),
            updated(&product(10, 9, "มาม่า"), &["cost"]),
            updated(&product(10, 8, "มาม่าต้มยำ"), &["name"]),
            updated(&product(12, 9, "มาม่า"), &["category", "price", "cost"]),
            updated(&product(10, 8, "มาม่า"), &["barcode", "unit"]),
            updated(&product(10, 8, "มาม่า"), &[]),
        ],
        "
🏷️ แก้ไขสินค้า 6 รายการ
มาม่า · 10 → 12 บาท
มาม่า · ต้นทุน 8 → 9 บาท
มาม่า → มาม่าต้มยำ
มาม่า · 10 → 12 บาท · ต้นทุน 8 → 9 บาท · หมวดหมู่
มาม่า · บาร์โค้ด, หน่วย
มาม่า · 40 กระสอบ",
        "
🏷️ Product changed (6)
มาม่า · 10 → 12 baht
มาม่า · Cost 8 → 9 baht
มาม่า → มาม่าต้มยำ
มาม่า · 10 → 12 baht · Cost 8 → 9 baht · category
มาม่า · barcode, unit
มาม่า · 40 กระสอบ",
    );
}

#[test]
fn other_changes_in_a_list_name_their_fields_and_figures() {
    let sale_now = Sale { total: Some(Money::from(2600)), ..sale() };
    let changed = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
    let mut moved = level(Level::Ok, "3", None);
    moved.kind = EventKind::StockChanged;
    if let EventData::Product { previous, .. } = &mut moved.data {
        *previous = Some(Box::new(product("7")));
    }
    assert_eq!(
        text(
            &[
                scribe().sale_updated(1, &sale_now, &sale(), changed(&["total", "staff"])),
                scribe().listed_updated(1, &member(), &member(), changed(&["phone"])),
                moved,
            ],
            Language::Thai
        ),
        "✏️ แก้ไขบิล 1 · 📦 สต็อกเปลี่ยน 1 · 👤 แก้ไขสมาชิก 1
✏️ แก้ไขบิล 2,600 บาท · ST68017651 · ยอดรวม 2,641 → 2,600 บาท · พนักงาน
📦 สต็อกเปลี่ยน: ข้าวสาร · 7 → 3 กระสอบ
👤 แก้ไขสมาชิก: สมชาย •••78 · M000204 · เบอร์โทร"
    );
}

fn cancelled() -> Sale {
    let cancelled_at = Some(time("2025-09-03T08:03:43.834Z"));
    Sale {
        status: SaleStatus::Cancelled, cancelled_at, comment: some("คีย์ผิด"), lines: Vec::new(), ..sale()
    }
}

#[test]
fn a_sale_first_seen_as_cancelled_is_one_message() {
    check_all(
        &[scribe().sale_created(&cancelled()), scribe().sale_cancelled(&cancelled(), None)],
        "
❌ ขายแล้วยกเลิก 2,641 บาท
ใบเสร็จ ST68017651 · ขายเมื่อ 3 ก.ย. 14:32
ยกเลิกเมื่อ 3 ก.ย. 15:03
เหตุผล: คีย์ผิด
ยอด 2,641 บาท ไม่นับเป็นยอดขายแล้ว
ลูกค้า สมชาย •••78
พนักงาน Front Desk",
        "
❌ Sold and cancelled: 2,641 baht
Receipt ST68017651 · sold 3 Sep 14:32
Cancelled 3 Sep 15:03
Reason: คีย์ผิด
2,641 baht no longer count as takings
Customer สมชาย •••78
Staff Front Desk",
    );
    // Where one rule has only the sales, "sold" alone would be half of the truth.
    let sold = text(&[scribe().sale_created(&cancelled())], Language::Thai);
    assert!(sold.contains("\nบิลนี้ถูกยกเลิกแล้ว\n"), "{sold}");
}

#[test]
fn a_sale_first_seen_as_cancelled_is_one_line_among_others() {
    let other = Sale { id: EntityId::new("other").unwrap(), ..sale() };
    check_all(
        &[
            scribe().sale_created(&cancelled()),
            scribe().sale_cancelled(&cancelled(), None),
            scribe().sale_cancelled(&other, None),
        ],
        "
❌ ยกเลิกบิล 2 รายการ
2,641 บาท · ST68017651 · ขายแล้วยกเลิก
2,641 บาท · ST68017651",
        "
❌ Sale cancelled (2)
2,641 baht · ST68017651 · Sold and cancelled
2,641 baht · ST68017651",
    );
    check_all(
        &[
            scribe().sale_created(&cancelled()),
            scribe().sale_cancelled(&cancelled(), None),
            scribe().sale_created(&other),
        ],
        "
❌ ยกเลิกบิล 1 · 🧾 ขายได้ 1
❌ ขายแล้วยกเลิก 2,641 บาท · ST68017651
🧾 ขายได้ 2,641 บาท · ST68017651",
        "
❌ Sale cancelled 1 · 🧾 Sale 1
❌ Sold and cancelled: 2,641 baht · ST68017651
🧾 Sale: 2,641 baht · ST68017651",
    );
}

#[test]
fn the_shop_stands_in_a_title_only_where_there_are_several() {
    let wording = Wording { language: Language::Thai, timezone: chrono_tz::Asia::Bangkok };
    let title = |events: &[Event], shop| render(events, shop, &wording).title;
    let low = named("มาม่าหมูสับ", Level::Low, "3");
    let one = std::slice::from_ref(&low);
    assert_eq!(title(one, None), "🟡 ใกล้หมด: มาม่าหมูสับ เหลือ 3 ซอง");
    assert_eq!(title(one, Some("ร้านสาขา 2")), "🟡 ใกล้หมด: มาม่าหมูสับ เหลือ 3 ซอง · ร้านสาขา 2");
    assert_eq!(title(&[low.clone(), low.clone()], Some("ร้านสาขา 2")), "🟡 ใกล้หมด 2 รายการ · ร้านสาขา 2");
}

#[test]
fn a_long_name_is_cut_between_letters_and_keeps_its_figure() {
    let wording = Wording { language: Language::Thai, timezone: chrono_tz::Asia::Bangkok };
    for letter in ["ก่", "น้ำ", "ปู่", "e\u{301}", "🇹🇭", "👨\u{200d}👩\u{200d}👧"] {
        let low = named(&letter.repeat(130), Level::Low, "3");
        let Text { title, .. } = render(&[low], Some("ร้านสาขา 2"), &wording);
        let whole = letter.repeat(79 / letter.chars().count());
        assert_eq!(title, format!("🟡 ใกล้หมด: {whole}… เหลือ 3 ซอง · ร้านสาขา 2"));
    }
}

#[test]
fn the_newest_states_after_an_outage() {
    let mut changed = level(Level::Ok, "3", None);
    changed.kind = EventKind::StockChanged;
    let mut other = level(Level::Low, "1200", Some(2000));
    other.subject = crate::domain::model::Subject::product(&EntityId::new("b").unwrap());
    let mut in_since = level(Level::Out, "0", None);
    in_since.subject = crate::domain::model::Subject::product(&EntityId::new("c").unwrap());
    let came_in = Event { subject: in_since.subject.clone(), ..changed.clone() };
    let events = [level(Level::Critical, "1", None), other, in_since, changed, came_in];
    let text = |language| {
        let wording = Wording { language, timezone: chrono_tz::Asia::Bangkok };
        let Text { title, body } = render_newest(&events, &[4, 1, 2, 6, 1], None, &wording);
        format!("{title}\n{body}")
    };
    let thai = "
📦 สต็อกล่าสุดหลังระบบขาดการติดต่อ 3 รายการ
ข้อมูล ณ 3 ก.ย. 14:32
🟠 เหลือน้อยมาก: ข้าวสาร เหลือ 3 กระสอบ (6 ครั้ง)
🟡 ใกล้หมด: ข้าวสาร เหลือ 1,200 กระสอบ
📦 สต็อกเปลี่ยน: ข้าวสาร · 3 กระสอบ (2 ครั้ง)";
    let english = "
📦 Newest stock after an outage (3)
As of 3 Sep 14:32
🟠 Nearly out: ข้าวสาร, 3 กระสอบ left (6 changes)
🟡 Running low: ข้าวสาร, 1,200 กระสอบ left
📦 Stock changed: ข้าวสาร · 3 กระสอบ (2 changes)";
    assert_eq!(text(Language::Thai), thai.trim_start());
    assert_eq!(text(Language::English), english.trim_start());
}

#[test]
fn one_state_that_stands_for_several_says_so_in_its_title() {
    let wording = Wording { language: Language::English, timezone: chrono_tz::Asia::Bangkok };
    let Text { title, body } = render_newest(&[level(Level::Critical, "1", Some(3))], &[4], None, &wording);
    assert_eq!(title, "🟠 Nearly out: ข้าวสาร, 1 กระสอบ left (4 changes)");
    assert_eq!(body, "Alert below 3\nCode PK64000158\n3 Sep 14:32");
}
