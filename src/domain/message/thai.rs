//! The built-in messages in Thai, in the words that a shop owner uses (`บิล`, `ขายเชื่อ`, `ใกล้หมด`).

mod notices;

use self::notices::NOTICES;
use super::words::Words;
use crate::domain::disk::DiskFault;
use crate::domain::event::EventKind;
use crate::domain::model::{PaymentKind, Resource};

/// The words.
pub(super) const WORDS: Words = Words {
    months: ["ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."],
    headword,
    priced: |head, amount| format!("{head} {amount}"),
    counted: |head, count| format!("{head} {count} รายการ"),
    newest_states: |count| format!("สต็อกล่าสุดหลังระบบขาดการติดต่อ {count} รายการ"),
    as_of: |moment| format!("ข้อมูล ณ {moment}"),
    stands_for: |count| format!("({count} ครั้ง)"),
    unnamed: "ไม่มีชื่อ",
    baht: |baht| format!("{baht} บาท"),

    receipt: |code| format!("ใบเสร็จ {code}"),
    sold_at: |moment| format!("ขายเมื่อ {moment}"),
    cancelled_at: |moment| format!("ยกเลิกเมื่อ {moment}"),
    sold_and_cancelled: "ขายแล้วยกเลิก",
    already_cancelled: "บิลนี้ถูกยกเลิกแล้ว",
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

    name_left: |name, quantity| format!("{name} เหลือ {quantity}"),
    name_in_stock: |name, quantity| format!("{name} มี {quantity}"),
    in_stock: |quantity| format!("ตอนนี้มี {quantity}"),
    alert_below: |figure| format!("เตือนเมื่อต่ำกว่า {figure}"),
    below_zero: |quantity| format!("ยอดติดลบ {quantity}: อาจยังไม่ได้รับสินค้าเข้าระบบ"),
    product_code: |code| format!("รหัส {code}"),
    price: |amount| format!("ราคา {amount}"),
    price_changed: |before, after| format!("ราคา {before} → {after} บาท"),
    cost_changed: |before, after| format!("ต้นทุน {before} → {after} บาท"),
    name_changed: |before, after| format!("ชื่อ {before} → {after}"),
    no_more_told: "ไม่มีใน POSPOS แล้ว จะไม่แจ้งเรื่องนี้อีก",

    customer: |name| format!("ลูกค้า {name}"),
    owed: |amount| format!("ค้างชำระ {amount}"),
    owed_of: |balance, amount| format!("ค้างชำระ {balance} จากทั้งหมด {amount}"),
    credit_code: |code| format!("เลขที่ {code}"),
    sale_code: |code| format!("บิล {code}"),
    due: |day| format!("ครบกำหนด {day}"),
    days_overdue: |days| format!("เลยมาแล้ว {days} วัน"),

    found_nowhere: "ไม่พบใน POSPOS ทั้งรายการค้างชำระและรายการที่ชำระแล้ว โปรดตรวจสอบ",

    member_kind: |kind| format!("ประเภท {kind}"),
    points_changed: |before, after| format!("แต้ม {before} → {after}"),
    vendor: |name| format!("ผู้ขาย {name}"),
    purchase_code: |code| format!("เลขที่ {code}"),

    products: |count| format!("สินค้า {count} รายการ"),
    low: |count| format!("ใกล้หมด {count}"),
    out: |count| format!("หมด {count}"),
    pending_credits: |count| format!("ขายเชื่อค้างชำระ {count} รายการ"),
    overdue_credits: |count| format!("เลยกำหนด {count}"),
    members: |count| format!("สมาชิก {count} ราย"),
    vendors: |count| format!("ผู้ขาย {count} ราย"),
    purchases: |count| format!("ใบซื้อ {count} ใบ"),
    from_now_on: "ต่อจากนี้จะแจ้งเมื่อมีการเปลี่ยนแปลง",

    disk_fault,
    disk_back: ["✅ posbell ทำงานต่อแล้ว: ดิสก์ใช้งานได้อีกครั้ง", "กำลังอ่านข้อมูลที่เกิดขึ้นระหว่างนั้น และจะแจ้งให้ทราบ"],
    mistaken: "⛔ posbell เริ่มทำงานไม่ได้: การตั้งค่ามีข้อผิดพลาด",
    mistaken_where,
    resource,
    none_yet: |of| format!("ยังไม่มี{}", resource(of)),
    notices: NOTICES,
};

fn disk_fault(fault: DiskFault) -> [&'static str; 2] {
    let title = match fault {
        DiskFault::Full => "⛔ posbell หยุดชั่วคราว: พื้นที่ดิสก์เต็ม",
        DiskFault::ReadOnly => "⛔ posbell หยุดชั่วคราว: ดิสก์เขียนไม่ได้",
        DiskFault::Failing => "⛔ posbell หยุดชั่วคราว: ดิสก์มีข้อผิดพลาด",
        DiskFault::Hanging => "⛔ posbell หยุดชั่วคราว: ดิสก์ไม่ตอบสนอง",
        DiskFault::Gone => "⛔ posbell หยุดชั่วคราว: ข้อมูลหายไปจากดิสก์",
        DiskFault::Unusable => "⛔ posbell ไม่ทำงาน: ใช้ข้อมูลที่เก็บไว้ไม่ได้",
    };
    let body = match fault {
        DiskFault::Full => {
            "บันทึกข้อมูลไม่ได้ จึงยังไม่อ่านข้อมูลจาก POSPOS และจะไม่มีการแจ้งเตือนจนกว่าจะมีพื้นที่ว่าง \
             ข้อมูลเดิมไม่หาย กรุณาลบไฟล์ที่ไม่ใช้ในเครื่องที่ติดตั้ง posbell แล้วระบบจะทำงานต่อเอง"
        }
        DiskFault::ReadOnly | DiskFault::Failing | DiskFault::Hanging => {
            "บันทึกข้อมูลไม่ได้ จึงยังไม่อ่านข้อมูลจาก POSPOS และจะไม่มีการแจ้งเตือนจนกว่าดิสก์จะใช้งานได้ \
             ให้ผู้ดูแลระบบตรวจดิสก์ของเครื่องที่ติดตั้ง posbell เมื่อแก้แล้วระบบจะทำงานต่อเอง"
        }
        DiskFault::Unusable => {
            "ข้อมูลเสียหายหรือเป็นของผู้ใช้อื่นในเครื่อง จึงไม่อ่านข้อมูลจาก POSPOS และไม่มีการแจ้งเตือน \
             ให้ผู้ดูแลระบบดูบันทึกด้วยคำสั่ง: journalctl -u posbell"
        }
        DiskFault::Gone => {
            "ไฟล์ถูกลบหรือดิสก์ถูกถอดออก จึงไม่อ่านข้อมูลจาก POSPOS และไม่มีการแจ้งเตือน \
             ให้ผู้ดูแลระบบต่อดิสก์กลับ หรือหยุด posbell แล้วใช้คำสั่ง: posbell restore --last"
        }
    };
    [title, body]
}

fn mistaken_where(place: &str, more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(" (และอีก {more} จุด)") };
    format!(
        "จุดที่ผิด: {place}{more} จึงยังไม่อ่านข้อมูลจาก POSPOS และจะไม่มีการแจ้งเตือนจนกว่าจะแก้ไข ข้อมูลเดิมไม่หาย \
         กรุณาใช้คำสั่ง `posbell check` ในเครื่องที่ติดตั้ง posbell เพื่อดูจุดที่ผิด แก้ไข แล้วเริ่ม posbell ใหม่"
    )
}

fn resource(resource: Resource) -> &'static str {
    match resource {
        Resource::Transactions => "บิลขาย",
        Resource::Stock => "สินค้า",
        Resource::Credit => "รายการขายเชื่อ",
        Resource::Members => "สมาชิก",
        Resource::Vendors => "ผู้ขาย",
        Resource::BuyDocuments => "ใบซื้อ",
    }
}

fn headword(kind: EventKind) -> &'static str {
    match kind {
        EventKind::SaleCreated => "ขายได้",
        EventKind::SaleCancelled => "ยกเลิกบิล",
        EventKind::SaleUpdated => "แก้ไขบิล",
        EventKind::StockLow => "ใกล้หมด",
        EventKind::StockCritical => "เหลือน้อยมาก",
        EventKind::StockOut => "สินค้าหมด",
        EventKind::StockRecovered => "ของเข้าแล้ว",
        EventKind::StockChanged => "สต็อกเปลี่ยน",
        EventKind::ProductCreated => "สินค้าใหม่",
        EventKind::ProductUpdated => "แก้ไขสินค้า",
        EventKind::ProductRemoved => "ลบสินค้า",
        EventKind::CreditCreated => "ขายเชื่อ",
        EventKind::CreditUpdated => "แก้ไขรายการขายเชื่อ",
        EventKind::CreditOverdue => "เลยกำหนดชำระ",
        EventKind::CreditAging => "ค้างชำระนานแล้ว",
        EventKind::CreditPaid => "ชำระหนี้แล้ว",
        EventKind::MemberCreated => "สมาชิกใหม่",
        EventKind::MemberUpdated => "แก้ไขสมาชิก",
        EventKind::MemberRemoved => "ลบสมาชิก",
        EventKind::VendorCreated => "ผู้ขายใหม่",
        EventKind::VendorUpdated => "แก้ไขผู้ขาย",
        EventKind::VendorRemoved => "ลบผู้ขาย",
        EventKind::PurchaseCreated => "ซื้อเข้า",
        EventKind::PurchaseUpdated => "แก้ไขใบซื้อ",
        EventKind::PurchaseRemoved => "ลบใบซื้อ",
        EventKind::ShopBaseline => "เริ่มเฝ้าร้านให้แล้ว",
        EventKind::ShopKeyRejected => "คีย์ POSPOS ใช้ไม่ได้",
        EventKind::PassHeld => "ข้อมูลจาก POSPOS ผิดปกติ",
        EventKind::ShopStale => "อ่านข้อมูลร้านไม่ได้",
        EventKind::ShopRecovered => "อ่านข้อมูลร้านได้แล้ว",
        EventKind::ChannelFailing => "ส่งข้อความไม่ได้",
        EventKind::ChannelRecovered => "ส่งข้อความได้แล้ว",
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
        "member" | "customer" => "ลูกค้า",
        "payments" => "การชำระ",
        "lines" => "รายการสินค้า",
        "receipt" => "เลขที่บิล",
        "cancelled_at" => "เวลายกเลิก",
        "sale_code" => "บิล",
        "issued_at" => "วันที่",
        "due_at" => "วันครบกำหนด",
        "amount" => "ยอดทั้งหมด",
        "paid" => "ยอดที่ชำระแล้ว",
        "balance" => "ยอดค้าง",
        "code" => "รหัส",
        "name" => "ชื่อ",
        "barcode" => "บาร์โค้ด",
        "category" => "หมวดหมู่",
        "unit" => "หน่วย",
        "price" => "ราคา",
        "cost" => "ต้นทุน",
        "quantity" => "จำนวน",
        "nickname" => "ชื่อเล่น",
        "phone" => "เบอร์โทร",
        "email" => "อีเมล",
        "type" => "ประเภท",
        "tags" => "แท็ก",
        "points" => "แต้ม",
        "credit_days" => "จำนวนวันเครดิต",
        "vendor" => "ผู้ขาย",
        "tax_id" => "เลขผู้เสียภาษี",
        _ => return None,
    })
}
