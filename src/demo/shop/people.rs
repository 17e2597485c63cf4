//! Who stands behind the shop's counter books when it opens: members, vendors, and what was bought of these.

use chrono::TimeDelta;

use super::state::{IdOf, World, id, times};
use super::things::buddhist_year;
use super::things::{Card, Member, Purchase, SoldLine, Vendor};
use crate::domain::model::{Money, Quantity, Timestamp};

/// First name, last name, telephone number. The odd ones are how the API was seen to write "none", and two members
/// share a number.
const REGULARS: [(&str, &str, &str); 8] = [
    ("สมหญิง", "-", "0800000000"),
    ("สมชาย", "ใจดี", "080-000-0001"),
    ("ป้าแดง", "", "-"),
    ("มานี", "มีนา", "0800000003"),
    ("ร้านลุงพล", "", ""),
    ("ปิติ", "พอใจ", "0800000005"),
    ("ชูใจ", "เลิศล้ำ", "0800000000"),
    ("วีระ", "ประสงค์สุข", "0800000007, 0800000008"),
];

/// Whom a grocer buys from.
const COMPANIES: [&str; 4] = ["โรงสีข้าวทอง", "ฟาร์มไข่เจริญ", "น้ำดื่มใสสะอาด", "ส่งของชำกลางเมือง"];

/// The words of a purchase document. Which ones the API has is unknown.
const STATUSES: [&str; 2] = ["received", "pending"];

/// What the `n`th repetition of a name is told apart by.
fn again(name: &str, n: usize) -> String {
    if n == 0 { name.to_owned() } else { format!("{name} {}", n + 1) }
}

/// The card of the member of that running number, which begins at one.
fn card(number: u32) -> Card {
    let index = number as usize - 1;
    let (firstname, lastname, phone) = REGULARS[index % REGULARS.len()];
    Card {
        code: format!("M{number:06}"),
        firstname: again(firstname, index / REGULARS.len()),
        lastname: lastname.to_owned(),
        phone: phone.to_owned(),
    }
}

/// The member of that running number, entered long ago.
pub(super) fn member(number: u32, seed: u64, now: Timestamp) -> Member {
    let created_at = now - TimeDelta::days(400) + TimeDelta::minutes(i64::from(number));
    Member {
        id: id(IdOf::Member, seed, number),
        card: card(number),
        points: (number * 7) % 50,
        credit_days: if number.is_multiple_of(3) { 0 } else { 30 },
        tag: number.is_multiple_of(2).then_some("ลูกค้าประจำ"),
        created_at,
        updated_at: created_at + TimeDelta::days(1),
    }
}

/// The vendor of that running number.
pub(super) fn vendor(number: u32, seed: u64, now: Timestamp) -> Vendor {
    let index = number as usize - 1;
    Vendor {
        id: id(IdOf::Vendor, seed, number),
        code: format!("V{number:06}"),
        name: again(COMPANIES[index % COMPANIES.len()], index / COMPANIES.len()),
        phone: format!("02{number:07}"),
        tax_id: format!("01055{number:08}"),
        created_at: now - TimeDelta::days(500),
    }
}

/// A purchase of the last weeks. It put nothing on the shelves: what is there was counted after it.
pub(super) fn purchase(index: usize, world: &mut World, now: Timestamp) -> Purchase {
    let ago = i64::try_from(world.plan.purchases.saturating_sub(index)).unwrap_or(i64::MAX).min(1000);
    let issued_at = now - TimeDelta::days(ago);
    let product = world.products.at(index % world.products.len().max(1));
    let lines = product.map(|product| {
        let (price, quantity) = (product.cost.unwrap_or(product.price), Quantity::from(24));
        let (code, name) = (product.code.clone(), product.name.clone());
        SoldLine { code, name, quantity, price, total: times(price, quantity) }
    });
    let vendor = world.vendors.at(index % world.vendors.len().max(1));
    let vendor = vendor.map(|vendor| (vendor.code.clone(), vendor.name.clone()));
    let status = STATUSES[index % STATUSES.len()];
    world.new_purchase(vendor.unwrap_or_default(), status, lines.into_iter().collect(), issued_at)
}

impl World {
    /// A purchase document that stands in no list yet.
    pub(super) fn new_purchase(
        &mut self,
        vendor: (String, String),
        status: &str,
        lines: Vec<SoldLine>,
        issued_at: Timestamp,
    ) -> Purchase {
        let number = self.numbers.next(IdOf::Purchase);
        let total = lines.iter().fold(Money::ZERO, |sum, line| Money::from(sum.decimal() + line.total.decimal()));
        Purchase {
            id: id(IdOf::Purchase, self.plan.seed, number),
            code: format!("PO{}{number:06}", buddhist_year(issued_at)),
            vendor,
            status: status.to_owned(),
            total,
            lines,
            issued_at,
        }
    }

    /// Who buys, where a member does.
    pub(super) fn a_member(&mut self) -> Option<Card> {
        let place = self.chance.below(self.members.len());
        self.members.at(place).map(|member| member.card.clone())
    }

    /// Who owes the `n`th debt: a debt names someone also in a shop that keeps no members.
    pub(super) fn debtor(&self, n: usize) -> Card {
        let member = self.members.at(n % self.members.len().max(1));
        member.map_or_else(|| card(1), |member| member.card.clone())
    }
}
