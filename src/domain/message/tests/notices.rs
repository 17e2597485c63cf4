//! What a person reads of a shop that is not read, word for word.

use super::channels::{FAULTS, failing};
use super::sentences::{check, text};
use super::*;
use crate::domain::event::{ShopDetails, ShopRecovered, ShopStale, StaleCause};

const CAUSES: [StaleCause; 10] = [
    StaleCause::ApiUnreachable,
    StaleCause::ApiError,
    StaleCause::TooManyCalls,
    StaleCause::BadAnswer,
    StaleCause::AnotherShop,
    StaleCause::ClockApart,
    StaleCause::KeyRefused,
    StaleCause::Held,
    StaleCause::Quota,
    StaleCause::TooSlow,
];

fn stale(cause: StaleCause, why: &str) -> ShopStale {
    ShopStale {
        resources: vec![Resource::Transactions, Resource::Stock],
        since: Some(time("2025-09-01T04:20:00Z")),
        cause,
        why: why.to_owned(),
        again: false,
    }
}

#[test]
fn the_baseline_says_what_was_found_and_what_follows() {
    let counts = BaselineCounts {
        sales: Some(210),
        products: Some(12_350),
        low: Some(12),
        out: Some(0),
        pending_credits: Some(5),
        overdue_credits: Some(2),
        members: Some(206),
        vendors: None,
        purchases: Some(31),
    };
    check(
        scribe().shop_baseline(counts),
        "
🔔 เริ่มเฝ้าร้านให้แล้ว
สินค้า 12,350 รายการ
ใกล้หมด 12 · หมด 0
ขายเชื่อค้างชำระ 5 รายการ · เลยกำหนด 2
สมาชิก 206 ราย · ใบซื้อ 31 ใบ
ต่อจากนี้จะแจ้งเมื่อมีการเปลี่ยนแปลง",
        "
🔔 Now watching the shop
Products: 12,350
Low: 12 · out: 0
Credits owed: 5 · overdue: 2
Members: 206 · purchases: 31
From now on you are told what changes",
    );
    let empty = BaselineCounts {
        products: Some(0),
        low: Some(0),
        out: Some(0),
        pending_credits: Some(0),
        overdue_credits: Some(0),
        members: Some(0),
        vendors: Some(0),
        purchases: Some(0),
        sales: Some(0),
    };
    check(
        scribe().shop_baseline(empty),
        "
🔔 เริ่มเฝ้าร้านให้แล้ว
ยังไม่มีสินค้า
ขายเชื่อค้างชำระ 0 รายการ · เลยกำหนด 0
ยังไม่มีสมาชิก · ยังไม่มีผู้ขาย · ยังไม่มีใบซื้อ
ต่อจากนี้จะแจ้งเมื่อมีการเปลี่ยนแปลง",
        "
🔔 Now watching the shop
Products: none yet
Credits owed: 0 · overdue: 0
Members: none yet · vendors: none yet · purchases: none yet
From now on you are told what changes",
    );
}

#[test]
fn a_stale_shop_says_since_when_why_what_it_means_and_who_acts() {
    let why = "no connection to go.pospos.co: timed out";
    check(scribe().shop_stale(1, stale(StaleCause::ApiUnreachable, why)), "
🚨 อ่านข้อมูลร้านไม่ได้: บิลขาย, สินค้า
อ่านได้ครั้งล่าสุดเมื่อ 1 ก.ย. 11:20
สาเหตุ: ติดต่อ POSPOS ไม่ได้ อินเทอร์เน็ตหรือระบบของ POSPOS อาจขัดข้อง
ระหว่างนี้จะไม่มีการแจ้งเตือนเรื่องบิลขาย, สินค้า มือถือเงียบไม่ได้แปลว่าไม่มีอะไรเกิดขึ้น
ลองเปิด POSPOS ดู ถ้าใช้ได้ปกติ ให้ผู้ดูแลระบบตรวจอินเทอร์เน็ตของเครื่องที่ติดตั้ง posbell
เมื่ออ่านได้อีกครั้ง posbell จะแจ้งสิ่งที่เปลี่ยนไประหว่างนั้นให้เอง
(สำหรับผู้ดูแลระบบ: no connection to go.pospos.co: timed out)", "
🚨 The shop cannot be read: sales, products
Last read 1 Sep 11:20
Cause: POSPOS cannot be reached; the internet connection or POSPOS itself may be down
Until then there are no alerts about sales, products: a quiet phone does not mean a quiet shop
Open POSPOS to see whether it works. If it does, ask your technician to check the internet connection of the machine that posbell runs on
When it is read again, posbell tells what changed meanwhile
(for the technician: no connection to go.pospos.co: timed out)");
    check(
        scribe().shop_stale(2, ShopStale { again: true, ..stale(StaleCause::KeyRefused, "status 401") }),
        "
🚨 ยังอ่านข้อมูลร้านไม่ได้: บิลขาย, สินค้า
อ่านไม่ได้มาแล้ว 2 วัน 3 ชม. (อ่านได้ครั้งล่าสุดเมื่อ 1 ก.ย. 11:20)
สาเหตุ: POSPOS ไม่รับคีย์ของร้าน
ระหว่างนี้จะไม่มีการแจ้งเตือนเรื่องบิลขาย, สินค้า มือถือเงียบไม่ได้แปลว่าไม่มีอะไรเกิดขึ้น
1. ให้ผู้ดูแลระบบติดต่อฝ่ายบริการของ POSPOS เพื่อตรวจคีย์หรือขอคีย์ใหม่
2. ได้คีย์ใหม่แล้ว ให้ผู้ดูแลระบบใส่คีย์และเริ่มใหม่: systemctl restart posbell
3. ถ้าคีย์เดิมใช้ได้อีกครั้ง ให้ผู้ดูแลระบบสั่ง: posbell resume main
เมื่ออ่านได้อีกครั้ง posbell จะแจ้งสิ่งที่เปลี่ยนไประหว่างนั้นให้เอง
(สำหรับผู้ดูแลระบบ: status 401)",
        "
🚨 The shop still cannot be read: sales, products
Not read for 2 days 3 h (last read 1 Sep 11:20)
Cause: POSPOS refuses the shop's key
Until then there are no alerts about sales, products: a quiet phone does not mean a quiet shop
1. Ask your technician to have POSPOS support check the key or give a new one
2. With a new key: the technician puts it in and restarts: systemctl restart posbell
3. If the old key works again, the technician types: posbell resume main
When it is read again, posbell tells what changed meanwhile
(for the technician: status 401)",
    );
    let vendors = ShopStale { resources: vec![Resource::Vendors], since: None, ..stale(StaleCause::BadAnswer, "") };
    check(
        scribe().shop_stale(1, vendors),
        "
🚨 อ่านข้อมูลร้านไม่ได้: ผู้ขาย
ยังไม่เคยอ่านได้เลยตั้งแต่เริ่มใช้งาน
สาเหตุ: POSPOS ตอบกลับมา แต่ไม่ใช่ข้อมูลที่ขอหรือมาไม่ครบ จึงไม่นำมาใช้
ระหว่างนี้จะไม่มีการแจ้งเตือนเรื่องผู้ขาย มือถือเงียบไม่ได้แปลว่าไม่มีอะไรเกิดขึ้น
posbell ลองใหม่ให้เองเรื่อย ๆ ถ้ายังไม่หายในหนึ่งวัน ให้ผู้ดูแลระบบดูด้วยคำสั่ง: posbell status",
        "
🚨 The shop cannot be read: vendors
Never read so far
Cause: POSPOS answers, but not with what was asked for, or not with all of it; that is not used
Until then there are no alerts about vendors: a quiet phone does not mean a quiet shop
posbell keeps trying. If it lasts a day, ask your technician to type: posbell status",
    );
}

#[test]
fn a_title_names_three_lists_and_counts_the_rest() {
    let title = |resources: Vec<Resource>, again| {
        let stale = ShopStale { resources, again, ..stale(StaleCause::Held, "") };
        text(&[scribe().shop_stale(1, stale)], Language::Thai).lines().next().unwrap().to_owned()
    };
    assert_eq!(title(Vec::new(), false), "🚨 อ่านข้อมูลร้านไม่ได้");
    assert_eq!(title(vec![Resource::Stock], true), "🚨 ยังอ่านข้อมูลร้านไม่ได้: สินค้า");
    assert_eq!(title(Resource::ALL.to_vec(), false), "🚨 อ่านข้อมูลร้านไม่ได้: บิลขาย, สินค้า, รายการขายเชื่อ +3");
}

#[test]
fn a_shop_that_is_read_again_says_how_long_it_lasted_and_what_changed() {
    let since = Some(time("2025-09-03T05:22:00Z"));
    let recovered = ShopRecovered { resources: vec![Resource::Stock], since, lasted_s: 7_830, changes: 12 };
    check(
        scribe().shop_recovered(1, recovered.clone()),
        "
✅ อ่านข้อมูลร้านได้แล้ว: สินค้า
ขัดข้องอยู่ 2 ชม. 10 นาที (ตั้งแต่ 3 ก.ย. 12:22)
พบการเปลี่ยนแปลงระหว่างนั้น 12 รายการ
จากนี้แจ้งเตือนตามปกติ",
        "
✅ The shop is read again: products
It lasted 2 h 10 min (since 3 Sep 12:22)
Changes found meanwhile: 12
Alerts come as usual again",
    );
    let body = |recovered| text(&[scribe().shop_recovered(1, recovered)], Language::Thai);
    let quiet = body(ShopRecovered { changes: 0, lasted_s: 59, ..recovered.clone() });
    assert!(quiet.contains("\nขัดข้องอยู่ ไม่ถึง 1 นาที (ตั้งแต่ 3 ก.ย. 12:22)\nจากนี้แจ้งเตือน"), "{quiet}");
    let first = body(ShopRecovered { changes: 0, since: None, ..recovered });
    assert!(first.ends_with("\nอ่านได้เป็นครั้งแรก\nจากนี้แจ้งเตือนตามปกติ"), "{first}");
}

#[test]
fn durations_have_their_two_largest_units() {
    let thai = super::super::thai::WORDS.notices;
    let english = super::super::english::WORDS.notices;
    for (seconds, in_thai, in_english) in [
        (0, "ไม่ถึง 1 นาที", "less than a minute"),
        (119, "1 นาที", "1 min"),
        (3_600, "1 ชม.", "1 h"),
        (7_830, "2 ชม. 10 นาที", "2 h 10 min"),
        (86_400 + 300, "1 วัน", "1 day"),
        (3 * 86_400 + 4 * 3_600 + 59, "3 วัน 4 ชม.", "3 days 4 h"),
    ] {
        assert_eq!(figures::lasted(seconds, &thai), in_thai);
        assert_eq!(figures::lasted(seconds, &english), in_english);
    }
}

#[test]
fn a_held_pass_says_first_that_alerts_are_off() {
    let held = |resource, counts| scribe().pass_held(1, resource, time("2025-09-03T07:30:00Z"), counts);
    let counts = HeldCounts { known: 1200, vanished: 400, to_zero: 3, ..HeldCounts::default() };
    check(
        held(Resource::Stock, counts),
        "
✋ หยุดแจ้งเตือนเรื่องสินค้าไว้ก่อน: ข้อมูลจาก POSPOS ผิดปกติ
สินค้าที่ใกล้หมด หมด หรือถูกแก้ไข ยังไม่แจ้ง จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ
จากสินค้า 1,200 รายการ: หายไป 400 · ยอดเป็นศูนย์ 3
ไม่รับข้อมูลนี้ตั้งแต่ 3 ก.ย. 14:30
ให้ผู้ดูแลระบบตรวจดูก่อน: posbell held show main stock
ถ้าข้อมูลถูกต้อง ให้สั่ง: posbell held release main stock
ถ้าข้อมูลผิด ให้สั่ง: posbell held drop main stock",
        "
✋ Alerts about products are off: POSPOS data look wrong
Products that run low, run out or change are not told until somebody decides or the data are right again
Of 1,200 known products: 400 vanished · 3 fell to zero
Not accepted since 3 Sep 14:30
Ask your technician to look first: posbell held show main stock
If it is right, type: posbell held release main stock
If it is wrong, type: posbell held drop main stock",
    );
    let few = HeldCounts { known: 61, vanished: 20, ..HeldCounts::default() };
    check(
        held(Resource::Transactions, few),
        "
✋ หยุดแจ้งเตือนเรื่องบิลขายไว้ก่อน: ข้อมูลจาก POSPOS ผิดปกติ
บิลใหม่ยังแจ้งอยู่ แต่การยกเลิกและการแก้ไขบิลยังไม่แจ้ง จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ
จากบิลขาย 61 รายการ: หายไป 20
ไม่รับข้อมูลนี้ตั้งแต่ 3 ก.ย. 14:30
ให้ผู้ดูแลระบบตรวจดูก่อน: posbell held show main transactions
ถ้าข้อมูลถูกต้อง ให้สั่ง: posbell held release main transactions
ถ้าข้อมูลผิด ให้สั่ง: posbell held drop main transactions",
        "
✋ Alerts about sales are off: POSPOS data look wrong
New sales are still told; cancels and changes are not until somebody decides or the data are right again
Of 61 known sales: 20 vanished
Not accepted since 3 Sep 14:30
Ask your technician to look first: posbell held show main transactions
If it is right, type: posbell held release main transactions
If it is wrong, type: posbell held drop main transactions",
    );
    // Less than half of the known rows are there: not even new ones are told.
    let many = HeldCounts { vanished: 31, ..few };
    for (resource, counts, thai) in [
        (Resource::Transactions, many, "บิลใหม่ การยกเลิก และการแก้ไขบิล ยังไม่แจ้ง จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ"),
        (Resource::Credit, few, "รายการขายเชื่อใหม่ยังแจ้งอยู่ แต่การชำระและการเลยกำหนดยังไม่แจ้ง จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ"),
        (Resource::Credit, many, "รายการขายเชื่อใหม่ การชำระ และการเลยกำหนด ยังไม่แจ้ง จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ"),
        (Resource::Members, few, "สมาชิกที่เพิ่ม แก้ไข หรือถูกลบ ยังไม่แจ้ง จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ"),
    ] {
        let said = text(&[held(resource, counts)], Language::Thai);
        assert_eq!(said.lines().nth(1), Some(thai));
    }
}

#[test]
fn a_refused_key_says_that_all_alerts_are_off_and_who_acts() {
    check(
        scribe().key_rejected(1, 401),
        "
⛔ หยุดแจ้งเตือนทั้งร้าน: POSPOS ไม่รับคีย์ของร้าน
POSPOS ปฏิเสธคีย์ (รหัส 401) จึงหยุดอ่านข้อมูลร้านนี้ จะไม่มีการแจ้งเตือนใด ๆ จนกว่าจะแก้ไข
1. ให้ผู้ดูแลระบบติดต่อฝ่ายบริการของ POSPOS เพื่อตรวจคีย์หรือขอคีย์ใหม่
2. ได้คีย์ใหม่แล้ว ให้ผู้ดูแลระบบใส่คีย์และเริ่มใหม่: systemctl restart posbell
3. ถ้าคีย์เดิมใช้ได้อีกครั้ง ให้ผู้ดูแลระบบสั่ง: posbell resume main",
        "
⛔ All alerts of the shop are off: POSPOS refuses its key
POSPOS refused the shop's key (401). The shop is not read, and nothing is told, until this is settled
1. Ask your technician to have POSPOS support check the key or give a new one
2. With a new key: the technician puts it in and restarts: systemctl restart posbell
3. If the old key works again, the technician types: posbell resume main",
    );
}

#[test]
fn no_sentence_of_a_notice_is_cut_whatever_the_names() {
    let long = "n".repeat(64);
    let shop = ShopId::new(long.clone()).unwrap();
    let scribe = Scribe::new(shop, "x", Epoch::from_random([1; 16]), time("2025-09-03T07:32:00Z"));
    let counts = HeldCounts { known: 1200, vanished: 400, ..HeldCounts::default() };
    let resources = Resource::ALL.to_vec();
    let mut events: Vec<Event> =
        Resource::ALL.iter().map(|of| scribe.pass_held(1, *of, time("2025-09-03T07:30:00Z"), counts)).collect();
    events.push(scribe.key_rejected(1, 401));
    for again in [false, true] {
        events.extend(CAUSES.map(|cause| {
            scribe.shop_stale(1, ShopStale { resources: resources.clone(), again, ..stale(cause, "what it said") })
        }));
    }
    events.extend(FAULTS.map(|fault| failing(&long, fault, "what it said", u64::MAX)));
    for event in events {
        for language in [Language::Thai, Language::English] {
            let said = text(std::slice::from_ref(&event), language);
            assert!(!said.contains('…') && !said.contains("\n+"), "{said}");
            let commands: Vec<&str> = said.lines().filter(|line| line.contains(": posbell ")).collect();
            let ended = |line: &&str| line.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            assert!(commands.iter().all(ended), "{said}");
            let is_unknown_cause = matches!(
                &event.data,
                EventData::Shop { details: ShopDetails::Stale(_) | ShopDetails::ChannelFailing(_), .. }
            ) && !said.contains("what it said");
            assert!(!is_unknown_cause, "{said}");
        }
    }
}

#[test]
fn a_start_that_failed_says_where_the_mistake_is_and_what_to_do() {
    let notice = Notice::Mistaken { place: "rules/10-stock.toml:12", more: 2 };
    let text = |language| render_notice(notice, &Wording { language, timezone: chrono_tz::Asia::Bangkok });
    let english = text(Language::English);
    assert_eq!(english.title, "⛔ posbell does not start: a mistake in its settings");
    assert_eq!(
        english.body,
        "In rules/10-stock.toml:12 (and 2 more). POSPOS is not read and nothing is told until it is mended. Nothing is \
         lost. `posbell check` on the machine that posbell runs on shows the mistake; then start posbell again."
    );
    let thai = text(Language::Thai);
    assert_eq!(thai.title, "⛔ posbell เริ่มทำงานไม่ได้: การตั้งค่ามีข้อผิดพลาด");
    assert!(
        thai.body.starts_with("จุดที่ผิด: rules/10-stock.toml:12 (และอีก 2 จุด) จึงยังไม่อ่านข้อมูลจาก POSPOS"),
        "{}",
        thai.body
    );
    assert!(thai.body.contains("`posbell check`"), "{}", thai.body);
}
