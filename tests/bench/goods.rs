//! Made-up goods as a wholesaler would have entered them over the years: no two alike, in Thai and English.

use posbell::domain::diff::level::{LevelState, Waiting};
use posbell::domain::diff::product::ProductRow;
use posbell::domain::event::Level;
use posbell::domain::model::{EntityId, Money, Product, Quantity, Timestamp};

const KINDS: [(&str, &str, &str); 24] = [
    ("ข้าวหอมมะลิ", "ข้าวสาร", "ถุง"),
    ("น้ำดื่ม", "เครื่องดื่ม", "ขวด"),
    ("นมจืด UHT", "เครื่องดื่ม", "กล่อง"),
    ("น้ำมันปาล์ม", "เครื่องปรุง", "ขวด"),
    ("น้ำปลาแท้", "เครื่องปรุง", "ขวด"),
    ("บะหมี่กึ่งสำเร็จรูป", "ของแห้ง", "ซอง"),
    ("ปลากระป๋องซอสมะเขือเทศ", "ของแห้ง", "กระป๋อง"),
    ("กาแฟ 3in1", "เครื่องดื่ม", "แพ็ค"),
    ("Shampoo", "ของใช้ส่วนตัว", "ขวด"),
    ("ยาสีฟัน", "ของใช้ส่วนตัว", "หลอด"),
    ("ผงซักฟอก", "ของใช้ในบ้าน", "ถุง"),
    ("Potato chips", "ขนมขบเคี้ยว", "ซอง"),
    ("ขนมปังแผ่น", "เบเกอรี่", "ห่อ"),
    ("อาหารแมว", "อาหารสัตว์", "ถุง"),
    ("สายไฟ VAF", "ไฟฟ้า", "ม้วน"),
    ("หลอด LED", "ไฟฟ้า", "หลอด"),
    ("ท่อ PVC", "ประปา", "เส้น"),
    ("สีน้ำอะคริลิก", "สีและอุปกรณ์", "ถัง"),
    ("ตะปูเกลียว", "ฮาร์ดแวร์", "กล่อง"),
    ("สมุดปกอ่อน", "เครื่องเขียน", "เล่ม"),
    ("ปากกาลูกลื่น", "เครื่องเขียน", "ด้าม"),
    ("เสื้อยืดคอกลม", "เสื้อผ้า", "ตัว"),
    ("รองเท้าแตะ", "รองเท้า", "คู่"),
    ("ปุ๋ยสูตร 15-15-15", "เกษตร", "กระสอบ"),
];
const BRANDS: [&str; 16] = [
    "ตราฉัตร",
    "มาม่า",
    "Sunsilk",
    "คาราบาว",
    "ตราห่าน",
    "Philips",
    "ทิพรส",
    "SCG",
    "โฟร์โมสต์",
    "Colgate",
    "ปลากริม",
    "ตราช้าง",
    "Lay's",
    "TOA",
    "ไวไว",
    "เพื่อนเกษตร",
];
const SORTS: [&str; 12] = [
    "สูตรดั้งเดิม",
    "กลิ่นลาเวนเดอร์",
    "สีขาว",
    "รสต้มยำกุ้ง",
    "พิเศษ",
    "สีน้ำเงิน",
    "แพ็คคู่",
    "อย่างดี",
    "ใหม่",
    "เบอร์ 2",
    "รสออริจินัล",
    "ขนาดประหยัด",
];
const SIZES: [&str; 8] = ["5 กก.", "600 มล.", "1 ลิตร", "180 ก.", "x12", "ขนาดใหญ่", "1/2 นิ้ว", "A4"];

/// A figure from the numbers before it; the same each time.
pub fn scattered(number: u64) -> u64 {
    // splitmix64
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The `number`-th product: entered over five years in lots of some dozen, with an id as the API's database makes them
/// (a second, five bytes of the process, a counter). After so many changes of its quantity, the last of them at `at`.
pub fn product(number: u64, changes: u64, at: Timestamp) -> Product {
    let (lot, chance) = (number / 40, scattered(number));
    let second = 0x5f00_0000 + lot * 60_000 + scattered(lot) % 40_000;
    let process = scattered(lot / 50) >> 24;
    let pick = |count: usize, shift: u32| (chance >> shift) as usize % count;
    let (kind, category, unit) = KINDS[pick(KINDS.len(), 0)];
    let (brand, sort, size) =
        (BRANDS[pick(BRANDS.len(), 8)], SORTS[pick(SORTS.len(), 16)], SIZES[pick(SIZES.len(), 24)]);
    let baht = 5 + (chance >> 32) as i64 % 900;
    Product {
        id: EntityId::new(format!("{second:08x}{process:010x}{:06x}", number & 0xff_ffff)).expect("is an id"),
        code: Some(format!("PK{:08}", 64_000_000 + number)),
        name: Some(format!("{kind} {brand} {sort} {size}")),
        // Not everything has one.
        barcode: (chance >> 44 & 7 != 0).then(|| format!("885{:010}", chance % 10_000_000_000)),
        category: Some(category.to_owned()),
        unit: Some(unit.to_owned()),
        price: Some(Money::from(baht)),
        cost: format!("{}.{:02}", baht * 3 / 4, (chance >> 40) % 100).parse().ok(),
        quantity: Some(Quantity::from(scattered(chance ^ changes) as i64 & 0x7f)),
        updated_at: Some(at),
    }
}

/// What is stored of it.
pub fn row(product: Product, changes: u64) -> ProductRow {
    ProductRow {
        product,
        min_stock: Some(Quantity::from(5)),
        level: LevelState { worst: Level::Ok, waiting: Waiting::Nothing },
        counter: changes,
        missed: 0,
        removed: false,
        left_out: Vec::new(),
        read_otherwise: false,
    }
}
