//! What a person reads of a channel that takes no messages, word for word.

use super::sentences::{check, text};
use super::*;
use crate::domain::event::{ChannelFailing, ChannelFault, ChannelRecovered};
use crate::domain::model::ChannelName;

pub(super) const FAULTS: [ChannelFault; 4] =
    [ChannelFault::Refused, ChannelFault::RejectsMessages, ChannelFault::Unreachable, ChannelFault::Overflow];

pub(super) fn failing(channel: &str, cause: ChannelFault, why: &str, waiting: u64) -> Event {
    let channel = ChannelName::new(channel).unwrap();
    let since = time("2025-09-03T07:15:00Z");
    scribe().channel_failing(1, ChannelFailing { channel, since, cause, why: why.to_owned(), waiting })
}

#[test]
fn a_failing_channel_says_why_what_waits_and_who_acts() {
    check(failing("owner", ChannelFault::Refused, "Forbidden: bot was blocked by the user", 12), "
🚨 ส่งข้อความทาง owner ไม่ได้
ตั้งแต่ 3 ก.ย. 14:15 · ค้างส่ง 12 ข้อความ
สาเหตุ: ปลายทางไม่ยอมรับผู้ส่งหรือไม่มีผู้รับนี้ เช่น บอตถูกบล็อกหรือถูกนำออกจากกลุ่ม รหัสผ่านเปลี่ยน หรือที่อยู่ผิด
ผลการส่งครั้งล่าสุด: “Forbidden: bot was blocked by the user”
ผู้รับทาง owner ยังไม่ได้รับการแจ้งเตือน แต่ข้อความไม่หาย posbell เก็บไว้และลองส่งใหม่ให้เอง
ให้ผู้ดูแลระบบแก้การตั้งค่าหรือสิทธิ์ของช่องทางนี้
แก้แล้วให้สั่ง: posbell retry --channel owner", "
🚨 Messages to owner do not arrive
Since 3 Sep 14:15 · messages waiting: 12
Cause: The other side refuses the sender or has no such receiver: the bot was blocked or removed, the password changed, or the address is wrong
The last attempt said: “Forbidden: bot was blocked by the user”
The readers of owner get no alerts for now. Nothing is lost: posbell keeps them and tries again
Ask your technician to correct the settings or the rights of this channel
Then type: posbell retry --channel owner");
    check(
        failing("owner", ChannelFault::RejectsMessages, "400 Bad Request: field title is missing", 3),
        "
🚨 ส่งข้อความทาง owner ไม่ได้
ตั้งแต่ 3 ก.ย. 14:15 · ค้างส่ง 3 ข้อความ
สาเหตุ: ติดต่อปลายทางได้ แต่ปลายทางไม่รับข้อความ 3 ข้อความติดกัน
ผลการส่งครั้งล่าสุด: “400 Bad Request: field title is missing”
ผู้รับทาง owner ยังไม่ได้รับการแจ้งเตือน แต่ข้อความไม่หาย posbell เก็บไว้และลองส่งใหม่ให้เอง
ให้ผู้ดูแลระบบดูสาเหตุด้วยคำสั่ง: posbell status
แล้วแก้ที่ปลายทาง",
        "
🚨 Messages to owner do not arrive
Since 3 Sep 14:15 · messages waiting: 3
Cause: The other side answers, but refused three messages in a row
The last attempt said: “400 Bad Request: field title is missing”
The readers of owner get no alerts for now. Nothing is lost: posbell keeps them and tries again
Ask your technician to see what is wrong: posbell status
and to correct it on the other side",
    );
}

#[test]
fn an_unreachable_and_an_overflowing_channel_say_what_is_kept() {
    check(
        failing("accountant", ChannelFault::Unreachable, "the connection was refused", 0),
        "
🚨 ส่งข้อความทาง accountant ไม่ได้
ตั้งแต่ 3 ก.ย. 14:15
สาเหตุ: ส่งไม่สำเร็จมานานกว่า 15 นาที ปลายทางหรืออินเทอร์เน็ตอาจขัดข้อง
ผลการส่งครั้งล่าสุด: “the connection was refused”
ผู้รับทาง accountant ยังไม่ได้รับการแจ้งเตือน แต่ข้อความไม่หาย posbell เก็บไว้และลองส่งใหม่ให้เอง
ให้ผู้ดูแลระบบตรวจปลายทางและอินเทอร์เน็ต ดูสาเหตุด้วยคำสั่ง: posbell status",
        "
🚨 Messages to accountant do not arrive
Since 3 Sep 14:15
Cause: Nothing could be sent for over 15 minutes; the other side or the internet connection may be down
The last attempt said: “the connection was refused”
The readers of accountant get no alerts for now. Nothing is lost: posbell keeps them and tries again
Ask your technician to check the other side and the internet connection; the cause: posbell status",
    );
    check(
        failing("owner", ChannelFault::Overflow, "timed out", 100_000),
        "
🚨 ส่งข้อความทาง owner ไม่ได้
ตั้งแต่ 3 ก.ย. 14:15 · ค้างส่ง 100,000 ข้อความ
สาเหตุ: ปลายทางไม่รับข้อความ จนข้อความค้างส่งเต็มจำนวนที่เก็บรอไว้ได้
ผลการส่งครั้งล่าสุด: “timed out”
ข้อความใหม่ถึง owner จะถูกเก็บไว้และยังไม่ส่ง ข้อมูลไม่หาย
ให้ผู้ดูแลระบบดูสาเหตุด้วยคำสั่ง: posbell status
เมื่อส่งได้แล้ว ให้สั่ง: posbell retry --dead --channel owner",
        "
🚨 Messages to owner do not arrive
Since 3 Sep 14:15 · messages waiting: 100,000
Cause: It takes no messages, and as many wait as may be kept waiting
The last attempt said: “timed out”
New messages to owner are kept and not tried. Nothing is lost
Ask your technician to see what is wrong: posbell status
When it takes messages again, type: posbell retry --dead --channel owner",
    );
}

#[test]
fn a_channel_that_works_again_says_what_is_sent_now() {
    let channel = ChannelName::new("owner").unwrap();
    let since = time("2025-09-03T05:22:00Z");
    let recovered = ChannelRecovered { channel, since, lasted_s: 7_800, waiting: 12 };
    check(
        scribe().channel_recovered(1, recovered.clone()),
        "
✅ ส่งข้อความทาง owner ได้แล้ว
ขัดข้องอยู่ 2 ชม. 10 นาที (ตั้งแต่ 3 ก.ย. 12:22)
กำลังส่งข้อความที่ค้างอยู่ 12 ข้อความ",
        "
✅ Messages to owner arrive again
It lasted 2 h 10 min (since 3 Sep 12:22)
Messages that waited are being sent: 12",
    );
    let nothing = text(&[scribe().channel_recovered(1, ChannelRecovered { waiting: 0, ..recovered })], Language::Thai);
    assert!(nothing.ends_with("\nไม่มีข้อความค้างส่ง"), "{nothing}");
}

#[test]
fn a_channel_is_no_shop_s_own() {
    let wording = Wording { language: Language::Thai, timezone: chrono_tz::Asia::Bangkok };
    let channel = failing("owner", ChannelFault::Refused, "", 1);
    let shop = scribe().key_rejected(1, 401);
    assert_eq!(render(&[channel], Some("ร้านสาขา 2"), &wording).title, "🚨 ส่งข้อความทาง owner ไม่ได้");
    assert_eq!(
        render(&[shop], Some("ร้านสาขา 2"), &wording).title,
        "⛔ หยุดแจ้งเตือนทั้งร้าน: POSPOS ไม่รับคีย์ของร้าน · ร้านสาขา 2"
    );
}
