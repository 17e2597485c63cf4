//! A shop that runs by itself: one change after another, drawn from a seed, none of which hides another.
//!
//! A poller sees states and not what happened between them. A sale that empties a shelf and a delivery that fills it
//! again before the next look leave nothing to report, and no reader is to blame. So that a test may demand *every*
//! journaled event, the script leaves a thing alone while an event of it is still under way:
//!
//! * a product keeps showing the level that was journaled last until that event is acknowledged;
//! * a sale is not cancelled, and a credit neither falls due nor is paid, before its last event is acknowledged.
//!
//! Whatever stood in the shop when it opened counts as known, so begin after the reader has its baseline.

use std::sync::Arc;

use chrono::TimeDelta;

use super::Shared;
use super::changes::{CREDIT_PERIOD, Change};
use super::generator::Generator;
use super::state::{Basket, World, less};
use super::things::{PaidBy, Product};
use crate::domain::event::EventKind;
use crate::domain::model::{EntityId, Quantity, Subject, Timestamp};

/// What may happen next, and how often of a hundred times.
const KINDS: [(Kind, usize); 7] = [
    (Kind::Sell, 60),
    (Kind::Restock, 14),
    (Kind::Cancel, 8),
    (Kind::Lend, 5),
    (Kind::Pay, 5),
    (Kind::SellLate, 4),
    (Kind::FallDue, 4),
];

/// The products that everyone buys: without some, a shop with thousands of products would never run low.
const FAVOURITES: usize = 6;

/// How far back a sale to be cancelled is looked for: what a cashier still remembers.
const RECENT_SALES: usize = 30;

/// The latest that a till was offline, in minutes; members were seen to arrive up to eight hours late.
const LATEST: usize = 8 * 60;

/// Why sales are cancelled.
const REASONS: [&str; 4] = ["คีย์ผิด", "ลูกค้าเปลี่ยนใจ", "คืนสินค้า", "ปรับสต็อก"];

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sell,
    SellLate,
    Cancel,
    Restock,
    Lend,
    FallDue,
    Pay,
}

/// One change of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// For a person: "sold 2 × ข้าวสาร".
    pub description: String,
    /// What was done, and what must be told of it.
    pub change: Change,
}

/// A run of seeded changes in one shop.
pub struct Script {
    shared: Arc<Shared>,
    chance: Generator,
}

impl Script {
    /// A run in the shop behind `shared`.
    pub(super) fn new(shared: Arc<Shared>, seed: u64) -> Self {
        Self { shared, chance: Generator::new(seed) }
    }

    /// Makes one change; `None` where nothing may be touched until something is acknowledged.
    pub fn step(&mut self) -> Option<Step> {
        let now = self.shared.now();
        step(&mut self.shared.world(), &mut self.chance, now)
    }
}

/// One change of the drawn kind, or else of the next kind that is allowed.
fn step(world: &mut World, chance: &mut Generator, now: Timestamp) -> Option<Step> {
    let mut drawn = chance.below(KINDS.iter().map(|(_, weight)| weight).sum());
    let first = KINDS.iter().position(|(_, weight)| {
        let hit = drawn < *weight;
        drawn = drawn.saturating_sub(*weight);
        hit
    });
    let kinds = KINDS.iter().cycle().skip(first.unwrap_or(0)).take(KINDS.len());
    kinds.map(|(kind, _)| *kind).find_map(|kind| attempt(kind, world, chance, now))
}

/// One change of that kind, where one is allowed.
fn attempt(kind: Kind, world: &mut World, chance: &mut Generator, now: Timestamp) -> Option<Step> {
    match kind {
        Kind::Sell => {
            let basket = fill_basket(world, chance)?;
            let description = format!("sold {}", words(world, &basket));
            Some(Step { description, change: world.sell(&basket, now, now) })
        }
        Kind::SellLate => {
            let basket = fill_basket(world, chance)?;
            let late = 10 + i64::try_from(chance.below(LATEST - 10)).expect("is a few hundred");
            let description = format!("a till that was offline for {late} min sold {}", words(world, &basket));
            Some(Step { description, change: world.sell(&basket, now - TimeDelta::minutes(late), now) })
        }
        Kind::Lend => {
            let basket = fill_basket(world, chance)?;
            let description = format!("lent {}", words(world, &basket));
            Some(Step { description, change: world.lend(&basket, CREDIT_PERIOD, now) })
        }
        Kind::Cancel => cancel(world, chance, now),
        Kind::Restock => restock(world, chance, now),
        Kind::FallDue => {
            let id = settled_credit(world, chance, |in_period| in_period)?;
            let description = format!("the credit of {} fell due", debtor(world, &id)?);
            Some(Step { description, change: world.let_fall_due(&id, now).ok()? })
        }
        Kind::Pay => {
            let id = settled_credit(world, chance, |_| true)?;
            let description = format!("{} paid a credit", debtor(world, &id)?);
            Some(Step { description, change: world.pay(&id, now).ok()? })
        }
    }
}

/// One to three products, as much of each as is there and may be taken.
fn fill_basket(world: &World, chance: &mut Generator) -> Option<Basket> {
    let mut basket = Basket::new();
    let wanted = 1 + chance.below(3);
    for _ in 0..12 {
        if basket.len() == wanted {
            break;
        }
        let shelf = if chance.below(10) < 6 { FAVOURITES.min(world.products.len()) } else { world.products.len() };
        let product = world.products.at(chance.below(shelf))?;
        let pieces = Quantity::from(1 + i64::try_from(chance.below(3)).expect("is small"));
        // What is weighed goes in quarters, so that fractions are part of every run.
        let quarter = Quantity::from(4);
        let quantity = if product.weighed { Quantity::from(pieces.decimal() / quarter.decimal()) } else { pieces };
        if quantity <= product.quantity && !world.would_hide(&product.id, less(product.quantity, quantity)) {
            basket.insert(product.id.clone(), quantity);
        }
    }
    (!basket.is_empty()).then_some(basket)
}

/// "2 × ข้าวสาร, 1 × นมสด".
fn words(world: &World, basket: &Basket) -> String {
    let lines = basket.iter().map(|(product, quantity)| {
        let name = world.products.get(product).map_or("", |product| &product.name);
        format!("{quantity} × {name}")
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// Cancels a sale that the reader has told of.
fn cancel(world: &mut World, chance: &mut Generator, now: Timestamp) -> Option<Step> {
    let recent = world.sales.read().take(RECENT_SALES).filter(|sale| {
        // What becomes of the debt when its sale is cancelled is unknown, so such a sale stands.
        let stands = sale.cancelled.is_none() && sale.paid_by != PaidBy::Credit;
        stands && !world.journal.awaits(EventKind::SaleCreated, &Subject::sale(&sale.id))
    });
    let recent: Vec<EntityId> = recent.map(|sale| sale.id.clone()).collect();
    let id = chance.pick(&recent)?;
    let reason = chance.pick(&REASONS)?;
    let description = format!("cancelled {}: {reason}", world.sales.get(id)?.receipt());
    Some(Step { description, change: world.cancel(id, reason, now).ok()? })
}

/// Fills a shelf that ran short well above where it counts as recovered.
fn restock(world: &mut World, chance: &mut Generator, now: Timestamp) -> Option<Step> {
    let short: Vec<&Product> = world.products.iter().filter(|product| product.watch.is_short()).collect();
    let product = *chance.pick(&short)?;
    let threshold = world.plan.threshold;
    let rearm = threshold.rearms_at().unwrap_or(Quantity::from(5));
    let some = i64::try_from(chance.below(10)).expect("is small");
    let full = Quantity::from((rearm.decimal().ceil() + Quantity::from(2 + some).decimal()).normalize());
    let quantity = less(full, product.quantity);
    if quantity <= Quantity::ZERO || world.would_hide(&product.id, full) {
        return None;
    }
    let description = format!("restocked {quantity} × {}", product.name);
    let id = product.id.clone();
    Some(Step { description, change: world.restock(&id, quantity, now).ok()? })
}

/// A pending credit of which everything was told, by whether it is still in its period.
fn settled_credit(world: &World, chance: &mut Generator, wanted: impl Fn(bool) -> bool) -> Option<EntityId> {
    let settled = world.credits.iter().filter(|credit| {
        let subject = Subject::credit(&credit.id);
        let told = [EventKind::CreditCreated, EventKind::CreditOverdue]
            .into_iter()
            .all(|kind| !world.journal.awaits(kind, &subject));
        !credit.is_paid() && wanted(!credit.out_of_period) && told
    });
    let settled: Vec<EntityId> = settled.map(|credit| credit.id.clone()).collect();
    chance.pick(&settled).cloned()
}

/// The first name of who owes.
fn debtor<'a>(world: &'a World, id: &EntityId) -> Option<&'a str> {
    world.credits.get(id).map(|credit| credit.buyer.firstname.as_str())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::journal::Expected;
    use super::super::level::Watch;
    use super::super::{ShopPlan, Threshold, seed};
    use super::*;

    fn start() -> Timestamp {
        "2026-11-23T03:00:00Z".parse().expect("is a time")
    }

    fn shop(seed: u64) -> World {
        let threshold = Threshold { low: Some(5.into()), critical: Some(2.into()), rearm: Some(8.into()) };
        seed::world(ShopPlan { products: 30, credits: 8, seed, threshold, ..ShopPlan::default() }, start())
    }

    /// Runs `steps` changes, acknowledging everything after each `every`-th.
    fn run(world: &mut World, seed: u64, steps: i64, every: i64, mut look: impl FnMut(&World)) -> Vec<String> {
        let mut chance = Generator::new(seed);
        let mut told = Vec::new();
        for number in 0..steps {
            let made = step(world, &mut chance, start() + TimeDelta::seconds(number));
            told.extend(made.map(|made| made.description));
            if number % every == every - 1 {
                look(world);
                for Expected { kind, subject, .. } in world.journal.expected() {
                    world.journal.acknowledge(kind, &subject);
                }
            }
        }
        told
    }

    #[test]
    fn equal_seeds_make_equal_journals() {
        let journal = |seed| {
            let mut world = shop(seed);
            let told = run(&mut world, seed, 300, 10, |_| ());
            (told, world.journal.expected())
        };
        assert_eq!(journal(7), journal(7));
        assert_ne!(journal(7).0, journal(8).0);
    }

    #[test]
    fn a_run_has_every_kind_of_event() {
        let mut world = shop(3);
        run(&mut world, 3, 2000, 7, |_| ());
        let mut counts: BTreeMap<EventKind, usize> = BTreeMap::new();
        for entry in world.journal.expected() {
            *counts.entry(entry.kind).or_default() += 1;
        }
        let missing: Vec<_> = [
            EventKind::SaleCreated,
            EventKind::SaleCancelled,
            EventKind::StockLow,
            EventKind::StockCritical,
            EventKind::StockOut,
            EventKind::StockRecovered,
            EventKind::CreditCreated,
            EventKind::CreditOverdue,
            EventKind::CreditPaid,
        ]
        .into_iter()
        .filter(|kind| !counts.contains_key(kind))
        .collect();
        assert!(missing.is_empty(), "missing {missing:?} in {counts:?}");
    }

    /// A reader that looks only every 25th change, at nothing but the quantities, sees every level event.
    #[test]
    fn a_slow_poller_sees_every_level_event() {
        let mut world = shop(5);
        let threshold = world.plan.threshold;
        let mut seen: Vec<Watch> =
            world.products.iter().map(|product| Watch::starting_at(product.quantity, &threshold)).collect();
        let mut made = Vec::new();
        run(&mut world, 5, 5000, 25, |world| {
            for (product, watch) in world.products.iter().zip(&mut seen) {
                made.extend(
                    watch.observe(product.quantity, &threshold).map(|kind| (kind, Subject::product(&product.id))),
                );
            }
        });
        let expected = world.journal.expected().into_iter().map(|entry| (entry.kind, entry.subject));
        let mut expected: Vec<_> = expected.filter(|(kind, _)| kind.name().starts_with("stock.")).collect();
        assert!(expected.len() > 50, "too few level events to prove anything: {}", expected.len());
        expected.sort();
        made.sort();
        assert_eq!(made, expected);
    }

    #[test]
    fn a_script_that_is_never_acknowledged_stops_before_it_hides_anything() {
        let mut world = shop(9);
        run(&mut world, 9, 1000, i64::MAX, |_| ());
        let all: Vec<_> = world.journal.expected().into_iter().map(|entry| (entry.kind, entry.subject)).collect();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        for product in world.products.iter() {
            assert!(!world.would_hide(&product.id, product.quantity), "{product:?}");
        }
    }
}
