//! What posbell says of itself in Thai.

use super::resource;
use crate::domain::event::{ChannelFault, StaleCause};
use crate::domain::message::words::NoticeWords;
use crate::domain::model::Resource;

/// The words.
pub(super) const NOTICES: NoticeWords = NoticeWords {
    units: [|days| format!("{days} วัน"), |hours| format!("{hours} ชม."), |minutes| format!("{minutes} นาที")],
    under_a_minute: "ไม่ถึง 1 นาที",
    because: |cause| format!("สาเหตุ: {cause}"),
    this_shop: "ร้านนี้",

    still_stale: "ยังอ่านข้อมูลร้านไม่ได้",
    last_read: |moment| format!("อ่านได้ครั้งล่าสุดเมื่อ {moment}"),
    unread_for: |lasted, moment| format!("อ่านไม่ได้มาแล้ว {lasted} (อ่านได้ครั้งล่าสุดเมื่อ {moment})"),
    never_read: "ยังไม่เคยอ่านได้เลยตั้งแต่เริ่มใช้งาน",
    no_alerts_about: |lists| format!("ระหว่างนี้จะไม่มีการแจ้งเตือนเรื่อง{lists} มือถือเงียบไม่ได้แปลว่าไม่มีอะไรเกิดขึ้น"),
    stale_cause,
    stale_remedy,
    catches_up: "เมื่ออ่านได้อีกครั้ง posbell จะแจ้งสิ่งที่เปลี่ยนไประหว่างนั้นให้เอง",
    lasted: |lasted, moment| format!("ขัดข้องอยู่ {lasted} (ตั้งแต่ {moment})"),
    read_at_last: "อ่านได้เป็นครั้งแรก",
    changes_found: |count| format!("พบการเปลี่ยนแปลงระหว่างนั้น {count} รายการ"),
    for_technician: |why| format!("(สำหรับผู้ดูแลระบบ: {why})"),
    alerts_again: "จากนี้แจ้งเตือนตามปกติ",

    channel_failing: |channel| format!("ส่งข้อความทาง {channel} ไม่ได้"),
    channel_recovered: |channel| format!("ส่งข้อความทาง {channel} ได้แล้ว"),
    since: |moment| format!("ตั้งแต่ {moment}"),
    waiting: |count| format!("ค้างส่ง {count} ข้อความ"),
    channel_fault,
    last_attempt: |why| format!("ผลการส่งครั้งล่าสุด: “{why}”"),
    channel_means,
    channel_remedy,
    sends_waiting: |count| format!("กำลังส่งข้อความที่ค้างอยู่ {count} ข้อความ"),
    none_waits: "ไม่มีข้อความค้างส่ง",

    key_refused_head: "หยุดแจ้งเตือนทั้งร้าน: POSPOS ไม่รับคีย์ของร้าน",
    key_refused: |status| format!("POSPOS ปฏิเสธคีย์ (รหัส {status}) จึงหยุดอ่านข้อมูลร้านนี้ จะไม่มีการแจ้งเตือนใด ๆ จนกว่าจะแก้ไข"),
    new_key,

    held_head: |of| format!("หยุดแจ้งเตือนเรื่อง{}ไว้ก่อน: ข้อมูลจาก POSPOS ผิดปกติ", resource(of)),
    held_means,
    held_of: |of, known, what| format!("จาก{} {known} รายการ: {what}", resource(of)),
    vanished: |count| format!("หายไป {count}"),
    quantity_lost: |count| format!("ไม่มียอดคงเหลือ {count}"),
    to_zero: |count| format!("ยอดเป็นศูนย์ {count}"),
    renamed: |count| format!("ชื่อหรือรหัสเปลี่ยน {count}"),
    emptied: |count| format!("ข้อมูลอื่นหายไป เช่น ราคา {count}"),
    rewritten: |count| format!("ข้อมูลที่ปกติไม่เปลี่ยนกลับเปลี่ยนไป {count}"),
    cancelled: |count| format!("ถูกยกเลิก {count}"),
    doubled: |count| format!("ซ้ำภายใต้รหัสระบบใหม่ {count}"),
    implausible: |count| format!("ตัวเลขผิดปกติ {count}"),
    not_accepted_since: |moment| format!("ไม่รับข้อมูลนี้ตั้งแต่ {moment}"),
    held_remedy: |shop, of| {
        let resource = of.name();
        vec![
            format!("ให้ผู้ดูแลระบบตรวจดูก่อน: posbell held show {shop} {resource}"),
            format!("ถ้าข้อมูลถูกต้อง ให้สั่ง: posbell held release {shop} {resource}"),
            format!("ถ้าข้อมูลผิด ให้สั่ง: posbell held drop {shop} {resource}"),
        ]
    },
};

fn stale_cause(cause: StaleCause) -> &'static str {
    match cause {
        StaleCause::ApiUnreachable => "ติดต่อ POSPOS ไม่ได้ อินเทอร์เน็ตหรือระบบของ POSPOS อาจขัดข้อง",
        StaleCause::ApiError => "POSPOS ตอบว่าระบบของ POSPOS เองขัดข้อง",
        StaleCause::TooManyCalls => "POSPOS แจ้งว่าเรียกข้อมูลถี่เกินไป อาจมีโปรแกรมอื่นใช้คีย์เดียวกันอยู่",
        StaleCause::BadAnswer => "POSPOS ตอบกลับมา แต่ไม่ใช่ข้อมูลที่ขอหรือมาไม่ครบ จึงไม่นำมาใช้",
        StaleCause::AnotherShop => "คีย์ที่ใส่ไว้ดูเหมือนเป็นของร้านอื่น จึงไม่นำข้อมูลมาใช้",
        StaleCause::ClockApart => "นาฬิกาของเครื่องที่ติดตั้ง posbell กับของ POSPOS ไม่ตรงกัน",
        StaleCause::KeyRefused => "POSPOS ไม่รับคีย์ของร้าน",
        StaleCause::Held => "ข้อมูลที่อ่านได้ผิดปกติ จึงพักไว้รอให้คนตรวจ",
        StaleCause::Quota => {
            "หยุดอ่านเองเพื่อไม่ให้เกินโควตาของ POSPOS เพราะจดจำนวนครั้งที่อ่านไม่ได้ หรือมี posbell อีกตัวใช้โควตาเดียวกัน"
        }
        StaleCause::TooSlow => "อ่านไม่เสร็จทันรอบ เพราะข้อมูลมาก POSPOS ตอบช้า หรือโควตาน้อยเกินไป",
    }
}

fn stale_remedy(cause: StaleCause, shop: &str) -> Vec<String> {
    let lines: &[&str] = match cause {
        StaleCause::ApiUnreachable => &["ลองเปิด POSPOS ดู ถ้าใช้ได้ปกติ ให้ผู้ดูแลระบบตรวจอินเทอร์เน็ตของเครื่องที่ติดตั้ง posbell"],
        StaleCause::ApiError => &["posbell ลองใหม่ให้เองเรื่อย ๆ ถ้ายังไม่หายในหนึ่งวัน ให้ผู้ดูแลระบบแจ้งฝ่ายบริการของ POSPOS"],
        StaleCause::TooManyCalls => &[
            "ให้ผู้ดูแลระบบรีบปิดโปรแกรมอื่นที่ใช้คีย์นี้ หรือลด quota ของร้านนี้ใน posbell.toml",
            "ถ้าเรียกเกินโควตา POSPOS อาจยกเลิกคีย์ของร้าน",
        ],
        StaleCause::BadAnswer => &["posbell ลองใหม่ให้เองเรื่อย ๆ ถ้ายังไม่หายในหนึ่งวัน ให้ผู้ดูแลระบบดูด้วยคำสั่ง: posbell status"],
        StaleCause::AnotherShop => &["ให้ผู้ดูแลระบบตรวจคีย์ POSPOS ของร้านนี้ใน posbell.toml แล้วใส่คีย์ที่ถูกต้อง"],
        StaleCause::ClockApart => &["ให้ผู้ดูแลระบบตั้งเวลาของเครื่องให้ตรง ถ้าตรงอยู่แล้วให้แจ้งฝ่ายบริการของ POSPOS"],
        StaleCause::KeyRefused => return new_key(shop),
        StaleCause::Held => &["ให้ผู้ดูแลระบบตรวจดูด้วยคำสั่ง: posbell held"],
        StaleCause::Quota => &["ให้ผู้ดูแลระบบตรวจพื้นที่ดิสก์ และดูว่ามี posbell ทำงานซ้อนกันอยู่หรือไม่"],
        StaleCause::TooSlow => {
            &["ให้ผู้ดูแลระบบดูด้วยคำสั่ง: posbell status", "แล้วตั้งรอบการอ่านของร้านนี้ ([shop.poll] ใน posbell.toml) ให้ห่างขึ้น"]
        }
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn new_key(shop: &str) -> Vec<String> {
    vec![
        "1. ให้ผู้ดูแลระบบติดต่อฝ่ายบริการของ POSPOS เพื่อตรวจคีย์หรือขอคีย์ใหม่".to_owned(),
        "2. ได้คีย์ใหม่แล้ว ให้ผู้ดูแลระบบใส่คีย์และเริ่มใหม่: systemctl restart posbell".to_owned(),
        format!("3. ถ้าคีย์เดิมใช้ได้อีกครั้ง ให้ผู้ดูแลระบบสั่ง: posbell resume {shop}"),
    ]
}

fn channel_fault(fault: ChannelFault) -> &'static str {
    match fault {
        ChannelFault::Refused => "ปลายทางไม่ยอมรับผู้ส่งหรือไม่มีผู้รับนี้ เช่น บอตถูกบล็อกหรือถูกนำออกจากกลุ่ม รหัสผ่านเปลี่ยน หรือที่อยู่ผิด",
        ChannelFault::RejectsMessages => "ติดต่อปลายทางได้ แต่ปลายทางไม่รับข้อความ 3 ข้อความติดกัน",
        ChannelFault::Unreachable => "ส่งไม่สำเร็จมานานกว่า 15 นาที ปลายทางหรืออินเทอร์เน็ตอาจขัดข้อง",
        ChannelFault::Overflow => "ปลายทางไม่รับข้อความ จนข้อความค้างส่งเต็มจำนวนที่เก็บรอไว้ได้",
    }
}

fn channel_means(fault: ChannelFault, channel: &str) -> String {
    match fault {
        ChannelFault::Overflow => {
            format!("ข้อความใหม่ถึง {channel} จะถูกเก็บไว้และยังไม่ส่ง ข้อมูลไม่หาย")
        }
        _ => format!("ผู้รับทาง {channel} ยังไม่ได้รับการแจ้งเตือน แต่ข้อความไม่หาย posbell เก็บไว้และลองส่งใหม่ให้เอง"),
    }
}

fn channel_remedy(fault: ChannelFault, channel: &str) -> Vec<String> {
    let look = "ให้ผู้ดูแลระบบดูสาเหตุด้วยคำสั่ง: posbell status";
    match fault {
        ChannelFault::Refused => vec![
            "ให้ผู้ดูแลระบบแก้การตั้งค่าหรือสิทธิ์ของช่องทางนี้".to_owned(),
            format!("แก้แล้วให้สั่ง: posbell retry --channel {channel}"),
        ],
        ChannelFault::RejectsMessages => vec![look.to_owned(), "แล้วแก้ที่ปลายทาง".to_owned()],
        ChannelFault::Unreachable => vec!["ให้ผู้ดูแลระบบตรวจปลายทางและอินเทอร์เน็ต ดูสาเหตุด้วยคำสั่ง: posbell status".to_owned()],
        ChannelFault::Overflow => {
            vec![look.to_owned(), format!("เมื่อส่งได้แล้ว ให้สั่ง: posbell retry --dead --channel {channel}")]
        }
    }
}

fn held_means(of: Resource, new_are_told: bool) -> String {
    let off = match (of, new_are_told) {
        (Resource::Stock, _) => "สินค้าที่ใกล้หมด หมด หรือถูกแก้ไข ยังไม่แจ้ง",
        (Resource::Transactions, true) => "บิลใหม่ยังแจ้งอยู่ แต่การยกเลิกและการแก้ไขบิลยังไม่แจ้ง",
        (Resource::Transactions, false) => "บิลใหม่ การยกเลิก และการแก้ไขบิล ยังไม่แจ้ง",
        (Resource::Credit, true) => "รายการขายเชื่อใหม่ยังแจ้งอยู่ แต่การชำระและการเลยกำหนดยังไม่แจ้ง",
        (Resource::Credit, false) => "รายการขายเชื่อใหม่ การชำระ และการเลยกำหนด ยังไม่แจ้ง",
        (Resource::Members, _) => "สมาชิกที่เพิ่ม แก้ไข หรือถูกลบ ยังไม่แจ้ง",
        (Resource::Vendors, _) => "ผู้ขายที่เพิ่ม แก้ไข หรือถูกลบ ยังไม่แจ้ง",
        (Resource::BuyDocuments, _) => "ใบซื้อที่เพิ่ม แก้ไข หรือถูกลบ ยังไม่แจ้ง",
    };
    format!("{off} จนกว่าจะมีคนสั่งหรือข้อมูลกลับมาปกติ")
}
