//! What can happen in the simulated shop, each change with the events that it must lead to.
//!
//! A change is complete when its method returns: the API shows it and the journal knows it, under one lock. Whether a
//! poller can still tell it from the change before is the caller's care; [`super::Script`] takes it.

use chrono::TimeDelta;

use super::journal::Expected;
use super::level::LEVEL_KINDS;
use super::seed::MEMBERS;
use super::state::{Basket, Credit, IdOf, PaidBy, Sale, SoldLine, World, id, less, plus, times};
use crate::domain::event::EventKind;
use crate::domain::model::{EntityId, Money, Quantity, Subject, Timestamp};

/// How long a credit runs, as on the members of the captures (`member_credit` 30).
const CREDIT_PERIOD: TimeDelta = TimeDelta::days(30);

/// So much of one product, as a test orders it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which product.
    pub product: EntityId,
    /// How much of it.
    pub quantity: Quantity,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The sale, product or credit that it was done to.
    pub id: EntityId,
    /// What a perfect reader must tell of it; it stands in the journal already.
    pub expected: Vec<Expected>,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The shop has no such thing.
    #[error("the simulated shop has no `{0}`")]
    Unknown(EntityId),
    /// It is so already: cancelled, paid or fallen due.
    #[error("`{0}` is so already")]
    Already(EntityId),
    /// A sale of nothing.
    #[error("there is nothing to sell")]
    Nothing,
}

impl World {
    /// The lines with each product once, or the first product that does not exist.
    pub(super) fn basket(&self, lines: &[Line]) -> Result<Basket, Refused> {
        let mut basket = Basket::new();
        for line in lines {
            let index = *self.shelf.get(&line.product).ok_or_else(|| Refused::Unknown(line.product.clone()))?;
            let quantity = basket.entry(index).or_default();
            *quantity = plus(*quantity, line.quantity);
        }
        if basket.is_empty() { Err(Refused::Nothing) } else { Ok(basket) }
    }

    /// Sells at `sold_at` what the API shows from `now` on.
    pub(super) fn sell(&mut self, basket: &Basket, sold_at: Timestamp, now: Timestamp) -> Change {
        let paid_by = if self.chance.once_in(3) { PaidBy::Transfer } else { PaidBy::Cash };
        let (sale, expected) = self.sell_for(basket, paid_by, sold_at, now);
        Change { id: sale.id, expected }
    }

    fn sell_for(
        &mut self,
        basket: &Basket,
        paid_by: PaidBy,
        sold_at: Timestamp,
        now: Timestamp,
    ) -> (Sale, Vec<Expected>) {
        let key = self.write_bill(sold_at, basket, paid_by);
        let sale = self.sales[&key].clone();
        let mut expected = vec![self.expect(EventKind::SaleCreated, Subject::sale(&sale.id), now)];
        for (index, quantity) in basket {
            let left = less(self.products[*index].quantity, *quantity);
            expected.extend(self.put(*index, left, now));
        }
        (sale, expected)
    }

    /// Writes a bill and nothing else: the shelves and the journal are the caller's.
    pub(super) fn write_bill(&mut self, sold_at: Timestamp, basket: &Basket, paid_by: PaidBy) -> (Timestamp, u32) {
        self.last_sale += 1;
        let number = self.last_sale;
        let lines: Vec<SoldLine> = basket.iter().map(|(index, quantity)| self.line(*index, *quantity)).collect();
        let total = lines.iter().fold(Money::ZERO, |sum, line| Money::from(sum.decimal() + line.total.decimal()));
        let buyer = match paid_by {
            PaidBy::Credit => self.chance.pick(&MEMBERS),
            _ if self.chance.once_in(4) => self.chance.pick(&MEMBERS),
            _ => None,
        };
        let sale = Sale {
            id: id(IdOf::Sale, self.plan.seed, number),
            number,
            sold_at,
            lines,
            total,
            paid_by,
            buyer,
            staff: *self.chance.pick(&[("หน้าร้าน", "กะเช้า"), ("หน้าร้าน", "-")]).expect("there are two"),
            cancelled: None,
        };
        self.sales.insert((sold_at, number), sale);
        (sold_at, number)
    }

    fn line(&self, index: usize, quantity: Quantity) -> SoldLine {
        let product = &self.products[index];
        SoldLine {
            code: product.code.clone(),
            name: product.name.clone(),
            quantity: plus(quantity, Quantity::ZERO),
            price: product.price,
            total: times(product.price, quantity),
        }
    }

    /// Cancels a sale: `status`, `return_date` and `comment` change, and nothing else.
    ///
    /// The goods do not go back on the shelf. Whether they do at the real vendor is unknown, and a quantity that moved
    /// with the cancel would make two changes of one.
    pub(super) fn cancel(&mut self, id: &EntityId, reason: &str, now: Timestamp) -> Result<Change, Refused> {
        let sale = self.sales.values_mut().find(|sale| sale.id == *id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        if sale.cancelled.is_some() {
            return Err(Refused::Already(id.clone()));
        }
        sale.cancelled = Some((now, reason.to_owned()));
        let expected = vec![self.expect(EventKind::SaleCancelled, Subject::sale(id), now)];
        Ok(Change { id: id.clone(), expected })
    }

    /// Puts more of a product on its shelf.
    pub(super) fn restock(&mut self, id: &EntityId, quantity: Quantity, now: Timestamp) -> Result<Change, Refused> {
        let index = *self.shelf.get(id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        let expected = self.put(index, plus(self.products[index].quantity, quantity), now).into_iter().collect();
        Ok(Change { id: id.clone(), expected })
    }

    /// Counts a product and finds this much of it.
    pub(super) fn set_quantity(&mut self, id: &EntityId, found: Quantity, now: Timestamp) -> Result<Change, Refused> {
        let index = *self.shelf.get(id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        let expected = self.put(index, plus(found, Quantity::ZERO), now).into_iter().collect();
        Ok(Change { id: id.clone(), expected })
    }

    /// Sells on credit: a bill, and a debt of its sum.
    pub(super) fn lend(&mut self, basket: &Basket, now: Timestamp) -> Change {
        let (sale, mut expected) = self.sell_for(basket, PaidBy::Credit, now, now);
        let number = u32::try_from(self.credits.len() + 1).expect("a shop has fewer than four billion debts");
        let credit = Credit {
            id: id(IdOf::Credit, self.plan.seed, number),
            number,
            sale_code: sale.code(),
            buyer: sale.buyer.expect("every bill on credit names its buyer"),
            total: sale.total,
            issued_at: now,
            due_at: now + CREDIT_PERIOD,
            out_of_period: false,
            paid: false,
        };
        let id = credit.id.clone();
        self.credits.push(credit);
        expected.push(self.expect(EventKind::CreditCreated, Subject::credit(&id), now));
        Change { id, expected }
    }

    /// Lets the period of a pending credit end: its due date was just now.
    pub(super) fn let_fall_due(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let credit = self.open_credit(id)?;
        if credit.out_of_period {
            return Err(Refused::Already(id.clone()));
        }
        credit.out_of_period = true;
        credit.due_at = now - TimeDelta::seconds(1);
        let expected = vec![self.expect(EventKind::CreditOverdue, Subject::credit(id), now)];
        Ok(Change { id: id.clone(), expected })
    }

    /// Takes the whole sum of a pending credit.
    pub(super) fn pay(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        self.open_credit(id)?.paid = true;
        let expected = vec![self.expect(EventKind::CreditPaid, Subject::credit(id), now)];
        Ok(Change { id: id.clone(), expected })
    }

    fn open_credit(&mut self, id: &EntityId) -> Result<&mut Credit, Refused> {
        let credit = self.credits.iter_mut().find(|credit| credit.id == *id);
        match credit {
            None => Err(Refused::Unknown(id.clone())),
            Some(credit) if credit.paid => Err(Refused::Already(id.clone())),
            Some(credit) => Ok(credit),
        }
    }

    /// Whether that quantity would let a level event of this product pass unseen that has not been acknowledged.
    pub(super) fn would_hide(&self, index: usize, quantity: Quantity) -> bool {
        let subject = Subject::product(&self.products[index].id);
        let threshold = &self.plan.threshold;
        LEVEL_KINDS
            .into_iter()
            .any(|kind| !threshold.still_shows(kind, quantity) && self.journal.awaits(kind, &subject))
    }

    /// The only place where a shelf changes.
    fn put(&mut self, index: usize, quantity: Quantity, now: Timestamp) -> Option<Expected> {
        let product = &mut self.products[index];
        product.quantity = quantity;
        product.lastupdate = now;
        product.written.take();
        let kind = product.watch.observe(quantity, &self.plan.threshold)?;
        let subject = Subject::product(&product.id);
        Some(self.expect(kind, subject, now))
    }

    fn expect(&mut self, kind: EventKind, subject: Subject, changed_at: Timestamp) -> Expected {
        let entry = Expected { kind, subject, changed_at };
        self.journal.expect(entry.clone());
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed;
    use super::super::{ShopPlan, Threshold};
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T03:00:00Z".parse().expect("is a time")
    }

    fn shop() -> World {
        let threshold = Threshold { low: Some(5.into()), critical: None, rearm: Some(8.into()) };
        seed::world(ShopPlan { products: 10, threshold, ..ShopPlan::default() }, now())
    }

    fn kinds(change: &Change) -> Vec<EventKind> {
        change.expected.iter().map(|entry| entry.kind).collect()
    }

    #[test]
    fn a_sale_takes_its_goods_off_the_shelf_and_moves_lastupdate() {
        let mut world = shop();
        let later = now() + TimeDelta::seconds(5);
        let product = world.products[0].id.clone();
        world.set_quantity(&product, 20.into(), now()).expect("is known");
        let line = Line { product: product.clone(), quantity: "0.50".parse().expect("is a quantity") };
        let basket = world.basket(&[line.clone(), line.clone(), line]).expect("is known");
        let change = world.sell(&basket, now() - TimeDelta::hours(2), later);
        assert_eq!(kinds(&change), [EventKind::SaleCreated]);
        assert_eq!(change.expected[0].changed_at, later, "a late sale changes the shop when it arrives");
        let product = world.product(&product).expect("is known");
        assert_eq!((product.quantity.to_string().as_str(), product.lastupdate), ("18.5", later));
        assert_eq!(world.sale(&change.id).expect("is known").lines.len(), 1);
    }

    #[test]
    fn a_sale_that_crosses_the_threshold_must_be_told_as_low() {
        let mut world = shop();
        let product = world.products[0].id.clone();
        world.set_quantity(&product, 6.into(), now()).expect("is known");
        let basket = world.basket(&[Line { product: product.clone(), quantity: 2.into() }]).expect("is known");
        let change = world.sell(&basket, now(), now());
        assert_eq!(kinds(&change), [EventKind::SaleCreated, EventKind::StockLow]);
        assert_eq!(world.product(&product).expect("is known").quantity, 4.into());
        assert!(world.would_hide(0, 6.into()), "the low that nobody has seen would be gone");
        assert!(!world.would_hide(0, 3.into()), "it is still low");
        world.journal.acknowledge(EventKind::StockLow, &Subject::product(&product));
        assert!(!world.would_hide(0, 6.into()));
    }

    #[test]
    fn a_credit_lives_from_created_over_overdue_to_paid() {
        let mut world = shop();
        let basket = Basket::from([(9, Quantity::from(1))]);
        let lent = world.lend(&basket, now());
        assert_eq!(kinds(&lent).last(), Some(&EventKind::CreditCreated));
        assert_eq!(kinds(&world.let_fall_due(&lent.id, now()).expect("is pending")), [EventKind::CreditOverdue]);
        assert_eq!(world.let_fall_due(&lent.id, now()), Err(Refused::Already(lent.id.clone())));
        assert_eq!(kinds(&world.pay(&lent.id, now()).expect("is pending")), [EventKind::CreditPaid]);
        assert_eq!(world.pay(&lent.id, now()), Err(Refused::Already(lent.id)));
    }

    #[test]
    fn a_sale_is_cancelled_once() {
        let mut world = shop();
        let id = world.sales.values().next().expect("there are sales").id.clone();
        assert_eq!(kinds(&world.cancel(&id, "คีย์ผิด", now()).expect("stands")), [EventKind::SaleCancelled]);
        assert_eq!(world.cancel(&id, "คีย์ผิด", now()), Err(Refused::Already(id)));
    }
}
