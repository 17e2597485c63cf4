//! The built-in messages in Thai, in the words that a shop owner uses (`บิล`, `ขายเชื่อ`, `ใกล้หมด`).

use super::words::Words;
use crate::domain::event::EventKind;
use crate::domain::model::PaymentKind;

/// The words.
pub(super) const WORDS: Words = Words {
    months: ["ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."],
    headword,
    priced: |head, baht| format!("{head} {baht} บาท"),
    counted: |head, count| format!("{head} {count} รายการ"),
    changes: |count| format!("มีความเคลื่อนไหว {count} รายการ"),
    newest_states: |count| format!("สต็อกล่าสุดหลังระบบขาดการติดต่อ {count} รายการ"),
    as_of: |moment| format!("ข้อมูล ณ {moment}"),
    stands_for: |count| format!("({count} ครั้ง)"),
    unnamed: "ไม่มีชื่อ",
    baht: |baht| format!("{baht} บาท"),

    receipt: |code| format!("ใบเสร็จ {code}"),
    sold_at: |moment| format!("ขายเมื่อ {moment}"),
    cancelled_at: |moment| format!("ยกเลิกเมื่อ {moment}"),
    reason: |text| format!("เหตุผล: {text}"),
    no_longer_counts: |amount| format!("ยอด {amount} ไม่นับเป็นยอดขายแล้ว"),
    comment: |text| format!("หมายเหตุ: {text}"),
    more_lines: |count| format!("+ อีก {count} รายการ"),
    discount: |amount| format!("ส่วนลด {amount}"),
    paid_by: |ways| format!("ชำระ: {ways}"),
    payment,
    staff: |name| format!("พนักงาน {name}"),
    changed: |fields| format!("แก้ไข: {fields}"),
    field,
    total_changed: |before, after| format!("ยอดรวม {before} → {after} บาท"),

    left: |quantity| format!("เหลือ {quantity}"),
    in_stock: |quantity| format!("ตอนนี้มี {quantity}"),
    alert_below: |figure| format!("เตือนเมื่อต่ำกว่า {figure}"),
    below_zero: "ยอดติดลบ: อาจยังไม่ได้รับสินค้าเข้าระบบ",
    product_code: |code| format!("รหัส {code}"),

    customer: |name| format!("ลูกค้า {name}"),
    owed: |amount| format!("ค้างชำระ {amount}"),
    owed_of: |balance, amount| format!("ค้างชำระ {balance} จากทั้งหมด {amount}"),
    credit_code: |code| format!("เลขที่ {code}"),
    sale_code: |code| format!("บิล {code}"),
    due: |day| format!("ครบกำหนด {day}"),
    days_overdue: |days| format!("เลยมาแล้ว {days} วัน"),

    products: |count| format!("สินค้า {count} รายการ"),
    low: |count| format!("ใกล้หมด {count}"),
    out: |count| format!("หมด {count}"),
    pending_credits: |count| format!("ขายเชื่อค้างชำระ {count} รายการ"),
    overdue_credits: |count| format!("เลยกำหนด {count}"),
    from_now_on: "ต่อจากนี้จะแจ้งเมื่อมีการเปลี่ยนแปลง",

    key_refused: |status| format!("POSPOS ไม่รับคีย์ของร้าน (รหัส {status}) จึงหยุดอ่านข้อมูลร้านนี้ไว้ก่อน ระหว่างนี้จะไม่มีการแจ้งเตือน"),
    ask_for_key: "1. ติดต่อฝ่ายบริการของ POSPOS เพื่อตรวจสอบคีย์หรือขอคีย์ใหม่",
    then_resume: |shop| format!("2. ใส่คีย์ใหม่ แล้วสั่ง posbell resume {shop}"),
};

fn headword(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SaleCreated => "ขายได้",
        EventKind::SaleCancelled => "ยกเลิกบิล",
        EventKind::SaleUpdated => "แก้ไขบิล",
        EventKind::StockLow => "ใกล้หมด",
        EventKind::StockCritical => "เหลือน้อยมาก",
        EventKind::StockOut => "หมดสต็อก",
        EventKind::StockRecovered => "มีของพอแล้ว",
        EventKind::StockChanged => "สต็อกเปลี่ยน",
        EventKind::CreditCreated => "ขายเชื่อ",
        EventKind::CreditOverdue => "เลยกำหนดชำระ",
        EventKind::CreditPaid => "ชำระหนี้แล้ว",
        EventKind::ShopBaseline => "เริ่มเฝ้าร้านให้แล้ว",
        EventKind::ShopKeyRejected => "คีย์ POSPOS ใช้ไม่ได้",
    }
}

fn payment(kind: PaymentKind) -> &'static str {
    match kind {
        PaymentKind::Cash => "เงินสด",
        PaymentKind::Transfer => "โอน",
        PaymentKind::Credit => "เชื่อ",
        PaymentKind::Other => "อื่น ๆ",
    }
}

fn field(name: &str) -> Option<&'static str> {
    Some(match name {
        "status" => "สถานะ",
        "sold_at" => "เวลาขาย",
        "subtotal" => "ยอดก่อนลด",
        "discount" => "ส่วนลด",
        "total" => "ยอดรวม",
        "comment" => "หมายเหตุ",
        "staff" => "พนักงาน",
        "member" => "ลูกค้า",
        "payments" => "การชำระ",
        "lines" => "รายการสินค้า",
        "receipt" | "code" => "เลขที่บิล",
        _ => return None,
    })
}
