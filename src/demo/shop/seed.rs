//! The shop as it stands when it opens: made-up goods with Thai names, this morning's bills and some old debts.
//!
//! Nothing in here is an event: it is what a first reading takes as its baseline.

use chrono::{NaiveTime, TimeDelta};

use super::faults::Faults;
use super::generator::Generator;
use super::journal::Journal;
use super::level::Watch;
use super::listed::Listed;
use super::moving_list::ListOrder::{NewestFirst, OldestFirst};
use super::people::{member, purchase, vendor};
use super::quota::Door;
use super::state::{Basket, IdOf, Numbers, World, id};
use super::things::buddhist_year;
use super::things::{Credit, PaidBy, Product};
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

/// The running numbers before the shop opened: it was not born today.
const BEFORE: [(IdOf, u32); 1] = [(IdOf::Sale, 17_600)];

/// Opens the shop as planned.
pub(super) fn world(plan: ShopPlan, now: Timestamp) -> World {
    let mut chance = Generator::new(plan.seed);
    let mut numbers = Numbers::behind(BEFORE);
    let products = (0..plan.products).map(|_| product(numbers.next(IdOf::Product), &plan, now, &mut chance)).collect();
    let members = (0..plan.members).map(|_| member(numbers.next(IdOf::Member), plan.seed, now)).collect();
    let vendors = (0..plan.vendors).map(|_| vendor(numbers.next(IdOf::Vendor), plan.seed, now)).collect();
    let mut world = World {
        door: Door::new(plan.api_key.clone(), plan.quota.clone()),
        products: Listed::new(OldestFirst, products),
        hidden: Vec::new(),
        sales: Listed::new(NewestFirst, Vec::new()),
        credits: Listed::new(NewestFirst, Vec::new()),
        members: Listed::new(OldestFirst, members),
        vendors: Listed::new(OldestFirst, vendors),
        purchases: Listed::new(NewestFirst, Vec::new()),
        numbers,
        journal: Journal::default(),
        faults: Faults::default(),
        chance,
        restless: plan.restless.map(Generator::new),
        plan,
    };
    ring_up_this_morning(&mut world, now);
    for _ in 0..world.plan.credits {
        let mut credit = old_debt(&mut world, now);
        credit.grow_old(now);
        world.credits.push(credit);
    }
    for number in 0..world.plan.purchases {
        let purchase = purchase(number, &mut world, now);
        world.purchases.push(purchase);
    }
    world
}

/// The product of that running number, which begins at one.
fn product(number: u32, plan: &ShopPlan, now: Timestamp, chance: &mut Generator) -> Product {
    let index = number as usize - 1;
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
        deleted: false,
        watch: Watch::starting_at(quantity, &plan.threshold),
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
        let place = world.chance.below(world.products.len());
        let product = world.products.at(place).expect("is below the count").id.clone();
        let quantity = Quantity::from(1 + i64::try_from(world.chance.below(4)).expect("is small"));
        let paid_by = if world.chance.once_in(3) { PaidBy::Transfer } else { PaidBy::Cash };
        let sale = world.write_bill(sold_at, &Basket::from([(product, quantity)]), paid_by);
        let sale = world.sales.get_mut(&sale).expect("was written just now");
        if bill % 12 == 11 {
            sale.cancelled = Some(((sold_at + pause / 2).min(now), "คีย์ผิด".to_owned()));
        }
    }
}

/// Debts of the last weeks: one in four out of its period, one in five paid.
fn old_debt(world: &mut World, now: Timestamp) -> Credit {
    let number = world.numbers.next(IdOf::Credit);
    let index = number as usize - 1;
    let out_of_period = index % 4 == 3;
    let issued_at =
        now - TimeDelta::days(if out_of_period { 45 } else { 3 }) - TimeDelta::minutes(i64::from(number % 600));
    let thousands = i64::try_from(world.chance.below(20)).expect("is small");
    let total = Money::from(500 + 250 * thousands);
    Credit {
        id: id(IdOf::Credit, world.plan.seed, number),
        number,
        sale_code: format!("TR{}{:06}", buddhist_year(issued_at), 10_000 + number),
        buyer: world.debtor(index),
        total,
        issued_at,
        due_at: issued_at + TimeDelta::days(30),
        out_of_period,
        paid: if index % 5 == 4 { total } else { Money::ZERO },
        aged: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_opens_the_same_shop() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let open = |seed| {
            format!("{:?}", world(ShopPlan { seed, ..ShopPlan::default() }, now).sales.iter().collect::<Vec<_>>())
        };
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
        assert!(world.sales.iter().all(|sale| sale.sold_at > midnight && sale.sold_at < now));
    }

    #[test]
    fn a_very_large_shop_has_distinct_ids_codes_and_names() {
        let now = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let world = world(ShopPlan { products: 100_000, ..ShopPlan::default() }, now);
        let distinct = |of: fn(&Product) -> &str| world.products.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|product| product.id.as_str()), 100_000);
        assert_eq!(distinct(|product| &product.code), 100_000);
        assert_eq!(distinct(|product| &product.name), 100_000);
    }
}
