//! The shop as it stands when it opens: made-up goods with Thai names, this morning's bills and some old debts.
//!
//! Nothing in here is an event: it is what a first reading takes as its baseline.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveTime, TimeDelta};

use super::faults::Faults;
use super::generator::Generator;
use super::journal::Journal;
use super::level::Watch;
use super::quota::Door;
use super::state::Basket;
use super::state::{Credit, IdOf, Member, PaidBy, Product, World, buddhist_year, id};
use super::{ShopPlan, Threshold};
use crate::domain::model::{Money, Quantity, Timestamp};

/// Name, category, unit, price, cost, sold by weight.
type Article = (&'static str, &'static str, &'static str, i64, i64, bool);

/// What a grocer in Thailand sells. A larger catalogue repeats it with a size behind the name.
const CATALOGUE: &[Article] = &[
    ("ข้าวสารหอมมะลิ 5 กก.", "ข้าวสาร", "ถุง", 220, 180, false),
    ("ไข่ไก่เบอร์ 2", "ของสด", "แผง", 125, 108, false),
    ("น้ำดื่ม 600 มล.", "เครื่องดื่ม", "ขวด", 7, 4, false),
    ("นมสด 1 ลิตร", "เครื่องดื่ม", "กล่อง", 49, 41, false),
    ("น้ำมันพืช 1 ลิตร", "เครื่องปรุง", "ขวด", 55, 47, false),
    ("น้ำปลา 700 มล.", "เครื่องปรุง", "ขวด", 32, 25, false),
    ("หมูสามชั้น", "ของสด", "กก.", 159, 130, true),
    ("อกไก่", "ของสด", "กก.", 85, 68, true),
    ("กะหล่ำปลี", "ของสด", "กก.", 30, 18, true),
    ("พริกขี้หนู", "ของสด", "กก.", 120, 80, true),
    ("บะหมี่กึ่งสำเร็จรูป", "ของแห้ง", "ซอง", 7, 5, false),
    ("ปลากระป๋อง", "ของแห้ง", "กระป๋อง", 22, 17, false),
    ("น้ำตาลทราย 1 กก.", "เครื่องปรุง", "ถุง", 27, 22, false),
    ("เกลือป่น", "เครื่องปรุง", "ถุง", 8, 5, false),
    ("ซีอิ๊วขาว", "เครื่องปรุง", "ขวด", 45, 36, false),
    ("กาแฟพร้อมชง", "เครื่องดื่ม", "แพ็ค", 115, 94, false),
    ("ชาเขียว 500 มล.", "เครื่องดื่ม", "ขวด", 20, 15, false),
    ("น้ำอัดลม 1.25 ลิตร", "เครื่องดื่ม", "ขวด", 32, 26, false),
    ("ขนมปังแผ่น", "ขนม", "ห่อ", 42, 33, false),
    ("มันฝรั่งทอด", "ขนม", "ซอง", 20, 15, false),
    ("ผงซักฟอก", "ของใช้", "ถุง", 75, 60, false),
    ("น้ำยาล้างจาน", "ของใช้", "ขวด", 35, 27, false),
    ("กระดาษชำระ 6 ม้วน", "ของใช้", "แพ็ค", 69, 54, false),
    ("สบู่ก้อน", "ของใช้", "ก้อน", 15, 11, false),
    ("ยาสีฟัน", "ของใช้", "หลอด", 49, 38, false),
    ("อาหารไก่ 105", "อาหารสัตว์", "กระสอบ", 630, 560, false),
    ("อาหารหมู 120", "อาหารสัตว์", "กระสอบ", 590, 520, false),
    ("ถ่านไฟฉาย AA", "ของใช้", "แพ็ค", 55, 40, false),
    ("แก๊สหุงต้ม 15 กก.", "ของใช้", "ถัง", 423, 390, false),
    ("น้ำแข็งหลอด", "เครื่องดื่ม", "ถุง", 25, 15, false),
];

/// Those who buy with a card or on credit. The odd ones are how the API was seen to write "none".
pub(super) static MEMBERS: [Member; 6] = [
    Member { code: "M000001", firstname: "สมหญิง", lastname: "-", phone: "0800000000" },
    Member { code: "M000002", firstname: "สมชาย", lastname: "ใจดี", phone: "080-000-0001" },
    Member { code: "M000003", firstname: "ป้าแดง", lastname: "", phone: "-" },
    Member { code: "M000004", firstname: "มานี", lastname: "มีนา", phone: "0800000003" },
    Member { code: "M000005", firstname: "ร้านลุงพล", lastname: "", phone: "" },
    Member { code: "M000006", firstname: "ปิติ", lastname: "พอใจ", phone: "0800000005" },
];

/// Opens the shop as planned.
pub(super) fn world(plan: ShopPlan, now: Timestamp) -> World {
    let mut chance = Generator::new(plan.seed);
    let products: Vec<Product> = (0..plan.products).map(|number| product(number, &plan, now, &mut chance)).collect();
    let shelf: HashMap<_, _> =
        products.iter().enumerate().map(|(index, product)| (product.id.clone(), index)).collect();
    let mut world = World {
        door: Door::new(plan.api_key.clone(), plan.quota.clone()),
        products,
        shelf,
        sales: BTreeMap::new(),
        last_sale: 17_600,
        credits: Vec::new(),
        journal: Journal::default(),
        faults: Faults::default(),
        chance,
        plan,
    };
    ring_up_this_morning(&mut world, now);
    for number in 0..world.plan.credits {
        let credit = old_debt(number, &mut world, now);
        world.credits.push(credit);
    }
    world
}

/// The product at that place of the shelves.
fn product(index: usize, plan: &ShopPlan, now: Timestamp, chance: &mut Generator) -> Product {
    let number = u32::try_from(index + 1).expect("a shop has fewer than four billion products");
    let (name, category, unit, price, cost, weighed) = CATALOGUE[index % CATALOGUE.len()];
    let size = index / CATALOGUE.len();
    let quantity = opening_quantity(index, &plan.threshold, chance);
    Product {
        id: id(IdOf::Product, plan.seed, number),
        code: format!("PK66{number:06}"),
        name: if size == 0 { name.to_owned() } else { format!("{name} แบบ {}", size + 1) },
        barcode: match index % 9 {
            4 => String::new(),
            8 => "-".to_owned(),
            _ => format!("885{:010}", 1_000_000 + index),
        },
        category: (index % 13 != 12).then_some(category),
        unit: (index % 17 != 16).then_some(unit),
        price: Money::from(price),
        cost: (index % 11 != 10).then_some(Money::from(cost)),
        quantity,
        min_stock: if index.is_multiple_of(3) {
            plan.threshold.low.unwrap_or(Quantity::from(5))
        } else {
            Quantity::ZERO
        },
        weighed,
        lastupdate: now - TimeDelta::minutes(i64::from(number % 10_000)),
        watch: Watch::starting_at(quantity, &plan.threshold),
        written: OnceCell::new(),
    }
}

/// Most shelves are full, the first ones nearly low so that a demo has something to tell, a few low or empty.
fn opening_quantity(index: usize, threshold: &Threshold, chance: &mut Generator) -> Quantity {
    let low = threshold.low.map_or(0, |low| i64::try_from(low.decimal().ceil()).unwrap_or(0));
    let some = i64::try_from(chance.below(8)).expect("is small");
    match index {
        0..=5 => Quantity::from(low + 3 + some),
        _ if index % 19 == 18 => Quantity::ZERO,
        _ if index % 10 == 9 => Quantity::from((low - 1).max(1)),
        _ => Quantity::from(low * 2 + 20 + 5 * some),
    }
}

/// Bills spread evenly from Thai midnight to now; every twelfth was cancelled. They took nothing from the shelves:
/// what is left was counted after them.
fn ring_up_this_morning(world: &mut World, now: Timestamp) {
    let bangkok = now.with_timezone(&chrono_tz::Asia::Bangkok);
    let midnight = now - bangkok.time().signed_duration_since(NaiveTime::MIN);
    let bills = i32::try_from(world.plan.sales_today).unwrap_or(i32::MAX);
    let pause = (now - midnight) / bills.saturating_add(1);
    for bill in 0..bills {
        if world.products.is_empty() {
            return;
        }
        let sold_at = midnight + pause * (bill + 1);
        let product = world.chance.below(world.products.len());
        let quantity = Quantity::from(1 + i64::try_from(world.chance.below(4)).expect("is small"));
        let paid_by = if world.chance.once_in(3) { PaidBy::Transfer } else { PaidBy::Cash };
        let key = world.write_bill(sold_at, &Basket::from([(product, quantity)]), paid_by);
        let sale = world.sales.get_mut(&key).expect("was written just now");
        if bill % 12 == 11 {
            sale.cancelled = Some(((sold_at + pause / 2).min(now), "คีย์ผิด".to_owned()));
        }
    }
}

/// Debts of the last weeks: one in four out of its period, one in five paid.
fn old_debt(index: usize, world: &mut World, now: Timestamp) -> Credit {
    let number = u32::try_from(index + 1).expect("a shop has fewer than four billion debts");
    let out_of_period = index % 4 == 3;
    let issued_at =
        now - TimeDelta::days(if out_of_period { 45 } else { 3 }) - TimeDelta::minutes(i64::from(number % 600));
    let thousands = i64::try_from(world.chance.below(20)).expect("is small");
    Credit {
        id: id(IdOf::Credit, world.plan.seed, number),
        number,
        sale_code: format!("TR{}{:06}", buddhist_year(issued_at), 10_000 + number),
        buyer: &MEMBERS[index % MEMBERS.len()],
        total: Money::from(500 + 250 * thousands),
        issued_at,
        due_at: issued_at + TimeDelta::days(30),
        out_of_period,
        paid: index % 5 == 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_opens_the_same_shop() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let open = |seed| format!("{:?}", world(ShopPlan { seed, ..ShopPlan::default() }, now).sales);
        assert_eq!(open(1), open(1));
        assert_ne!(open(1), open(2));
    }

    #[test]
    fn this_mornings_bills_are_of_this_thai_day() {
        // Half past midnight in Bangkok: the day is young, and yesterday's bills would be another test's surprise.
        let now: Timestamp = "2026-11-22T17:30:00Z".parse().expect("is a time");
        let midnight: Timestamp = "2026-11-22T17:00:00Z".parse().expect("is a time");
        let world = world(ShopPlan { sales_today: 70, ..ShopPlan::default() }, now);
        assert_eq!(world.sales.len(), 70);
        assert!(world.sales.values().all(|sale| sale.sold_at > midnight && sale.sold_at < now));
    }

    #[test]
    fn a_large_shop_has_distinct_codes_and_names() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let world = world(ShopPlan { products: 20_000, ..ShopPlan::default() }, now);
        let names: std::collections::BTreeSet<_> = world.products.iter().map(|product| &product.name).collect();
        assert_eq!((names.len(), world.shelf.len()), (20_000, 20_000));
    }
}
