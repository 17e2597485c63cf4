//! What can happen in the simulated shop, each change with the events that it must lead to.
//!
//! A change is complete when its method returns: the API shows it and the journal knows it, under one lock. Whether a
//! poller can still tell it from the change before is the caller's care; [`super::Script`] takes it.

use std::cell::OnceCell;

use chrono::TimeDelta;

use super::journal::Expected;
use super::level::LEVEL_KINDS;
use super::news::News;
use super::state::{Basket, IdOf, World, id, less, plus, times};
use super::things::{Credit, PaidBy, Sale, SoldLine};
use crate::domain::model::{EntityId, Money, Quantity, Subject, Timestamp};

/// How long a credit runs, as on the members of the captures (`member_credit` 30).
pub(super) const CREDIT_PERIOD: TimeDelta = TimeDelta::days(30);

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
    /// The row that it was done to.
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
    /// It is so already: cancelled, paid, fallen due, or with no other value than before.
    #[error("`{0}` is so already")]
    Already(EntityId),
    /// A sale or a purchase of nothing.
    #[error("there is nothing to sell")]
    Nothing,
    /// A part of a debt that is no part: nothing, or as much as is owed.
    #[error("that is no part of `{0}`")]
    NoPart(EntityId),
}

impl World {
    /// The lines with each product once, or the first product that does not exist.
    pub(super) fn basket(&self, lines: &[Line]) -> Result<Basket, Refused> {
        let mut basket = Basket::new();
        for line in lines {
            self.products.get(&line.product).ok_or_else(|| Refused::Unknown(line.product.clone()))?;
            let quantity = basket.entry(line.product.clone()).or_default();
            *quantity = plus(*quantity, line.quantity);
        }
        if basket.is_empty() { Err(Refused::Nothing) } else { Ok(basket) }
    }

    /// Sells at `sold_at` what the API shows from `now` on.
    pub(super) fn sell(&mut self, basket: &Basket, sold_at: Timestamp, now: Timestamp) -> Change {
        let paid_by = self.paid_at_once();
        let (id, expected) = self.sell_for(basket, paid_by, sold_at, now);
        Change { id, expected }
    }

    /// Cash, or one time in three a transfer.
    pub(super) fn paid_at_once(&mut self) -> PaidBy {
        if self.chance.once_in(3) { PaidBy::Transfer } else { PaidBy::Cash }
    }

    fn sell_for(
        &mut self,
        basket: &Basket,
        paid_by: PaidBy,
        sold_at: Timestamp,
        now: Timestamp,
    ) -> (EntityId, Vec<Expected>) {
        let id = self.write_bill(sold_at, basket, paid_by);
        let mut expected = self.tell(News::SaleMade, &id, now);
        for (product, quantity) in basket {
            let left = self.products.get(product).map(|product| less(product.quantity, *quantity));
            expected.extend(left.and_then(|left| self.put(product, left, now)));
        }
        (id, expected)
    }

    /// Writes a bill and nothing else: the shelves and the journal are the caller's.
    pub(super) fn write_bill(&mut self, sold_at: Timestamp, basket: &Basket, paid_by: PaidBy) -> EntityId {
        let number = self.numbers.next(IdOf::Sale);
        let lines: Vec<SoldLine> =
            basket.iter().filter_map(|(product, quantity)| self.line(product, *quantity)).collect();
        let total = lines.iter().fold(Money::ZERO, |sum, line| Money::from(sum.decimal() + line.total.decimal()));
        let buyer = match paid_by {
            PaidBy::Credit => self.a_member().or_else(|| Some(self.debtor(0))),
            _ if self.chance.once_in(4) => self.a_member(),
            _ => None,
        };
        let id = id(IdOf::Sale, self.plan.seed, number);
        let sale = Sale {
            id: id.clone(),
            number,
            sold_at,
            lines,
            total,
            paid_by,
            buyer,
            staff: *self.chance.pick(&[("หน้าร้าน", "กะเช้า"), ("หน้าร้าน", "-")]).expect("there are two"),
            comment: String::new(),
            cancelled: None,
            written: OnceCell::new(),
        };
        self.sales.insert_by(sale, |sale| (sale.sold_at, sale.number));
        id
    }

    /// A line of that much of a product, where the shop has it.
    pub(super) fn line(&self, product: &EntityId, quantity: Quantity) -> Option<SoldLine> {
        let product = self.products.get(product)?;
        Some(SoldLine {
            code: product.code.clone(),
            name: product.name.clone(),
            quantity: plus(quantity, Quantity::ZERO),
            price: product.price,
            total: times(product.price, quantity),
        })
    }

    /// Cancels a sale: `status`, `return_date` and `comment` change, and nothing else.
    ///
    /// The goods do not go back on the shelf. Whether they do at the real vendor is unknown, and a quantity that moved
    /// with the cancel would make two changes of one.
    pub(super) fn cancel(&mut self, id: &EntityId, reason: &str, now: Timestamp) -> Result<Change, Refused> {
        let sale = self.sales.get_mut(id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        if sale.cancelled.is_some() {
            return Err(Refused::Already(id.clone()));
        }
        sale.cancelled = Some((now, reason.to_owned()));
        Ok(self.change(News::SaleCancelled, id, now))
    }

    /// Puts more of a product on its shelf.
    pub(super) fn restock(&mut self, id: &EntityId, quantity: Quantity, now: Timestamp) -> Result<Change, Refused> {
        let found = self.products.get(id).ok_or_else(|| Refused::Unknown(id.clone()))?.quantity;
        self.set_quantity(id, plus(found, quantity), now)
    }

    /// Counts a product and finds this much of it.
    pub(super) fn set_quantity(&mut self, id: &EntityId, found: Quantity, now: Timestamp) -> Result<Change, Refused> {
        self.products.get(id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        let expected = self.put(id, plus(found, Quantity::ZERO), now).into_iter().collect();
        Ok(Change { id: id.clone(), expected })
    }

    /// Sells on credit: a bill, and a debt of its sum.
    pub(super) fn lend(&mut self, basket: &Basket, period: TimeDelta, now: Timestamp) -> Change {
        let (sale, mut expected) = self.sell_for(basket, PaidBy::Credit, now, now);
        let id = self.write_debt(&sale, period, now);
        expected.extend(self.tell(News::CreditGiven, &id, now));
        Change { id, expected }
    }

    /// Writes down what is owed for a bill and nothing else: the journal is the caller's.
    pub(super) fn write_debt(&mut self, sale: &EntityId, period: TimeDelta, now: Timestamp) -> EntityId {
        let number = self.numbers.next(IdOf::Credit);
        let sale = self.sales.get(sale).expect("the bill was written just now");
        let credit = Credit {
            id: id(IdOf::Credit, self.plan.seed, number),
            number,
            sale_code: sale.code(),
            buyer: sale.buyer.clone().expect("every bill on credit names its buyer"),
            total: sale.total,
            issued_at: now,
            due_at: now + period,
            out_of_period: false,
            paid: Money::ZERO,
            aged: None,
        };
        let id = credit.id.clone();
        self.credits.push(credit);
        id
    }

    /// Lets the period of a pending credit end: its due date was just now.
    pub(super) fn let_fall_due(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let credit = self.open_credit(id)?;
        if credit.out_of_period {
            return Err(Refused::Already(id.clone()));
        }
        credit.out_of_period = true;
        credit.due_at = now - TimeDelta::seconds(1);
        Ok(self.change(News::CreditFellDue, id, now))
    }

    /// Takes the whole rest of a pending credit.
    pub(super) fn pay(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let credit = self.open_credit(id)?;
        credit.paid = credit.total;
        Ok(self.change(News::CreditPaid, id, now))
    }

    /// Takes part of a pending credit, which stays pending.
    pub(super) fn pay_part(&mut self, id: &EntityId, part: Money, now: Timestamp) -> Result<Change, Refused> {
        let credit = self.open_credit(id)?;
        let paid = credit.paid.decimal() + part.decimal();
        if part <= Money::ZERO || paid >= credit.total.decimal() {
            return Err(Refused::NoPart(id.clone()));
        }
        credit.paid = Money::from(paid.normalize());
        Ok(self.change(News::CreditEdited, id, now))
    }

    /// Takes a credit out of every list, as may happen when its sale is cancelled. Of one that was pending it must be
    /// told that its status is not known any more; nobody looks for a paid one.
    pub(super) fn lose_credit(&mut self, id: &EntityId, now: Timestamp) -> Result<Change, Refused> {
        let credit = self.credits.remove(id).ok_or_else(|| Refused::Unknown(id.clone()))?;
        if credit.is_paid() {
            return Ok(Change { id: credit.id, expected: Vec::new() });
        }
        Ok(self.change(News::CreditLost, id, now))
    }

    fn open_credit(&mut self, id: &EntityId) -> Result<&mut Credit, Refused> {
        match self.credits.get_mut(id) {
            None => Err(Refused::Unknown(id.clone())),
            Some(credit) if credit.is_paid() => Err(Refused::Already(id.clone())),
            Some(credit) => Ok(credit),
        }
    }

    /// Whether that quantity would let a level event of this product pass unseen that has not been acknowledged.
    pub(super) fn would_hide(&self, product: &EntityId, quantity: Quantity) -> bool {
        let subject = Subject::product(product);
        let threshold = &self.plan.threshold;
        LEVEL_KINDS
            .into_iter()
            .any(|kind| !threshold.still_shows(kind, quantity) && self.journal.awaits(kind, &subject))
    }

    /// The only place where what is left on a shelf changes, but for the mass changes, of which nothing is told.
    fn put(&mut self, product: &EntityId, quantity: Quantity, now: Timestamp) -> Option<Expected> {
        let product = self.products.get_mut(product)?;
        product.quantity = quantity;
        product.lastupdate = now;
        let kind = product.watch.observe(quantity, &self.plan.threshold)?;
        let entry = Expected { kind, subject: Subject::product(&product.id), changed_at: now };
        self.journal.expect(entry.clone());
        Some(entry)
    }

    /// What was done to a row, with what must be told of it in the journal.
    pub(super) fn change(&mut self, news: News, id: &EntityId, now: Timestamp) -> Change {
        Change { id: id.clone(), expected: self.tell(news, id, now) }
    }

    /// Writes into the journal what must be told of it.
    pub(super) fn tell(&mut self, news: News, id: &EntityId, changed_at: Timestamp) -> Vec<Expected> {
        let (kind, subject) = news.event(id);
        let entry = Expected { kind, subject, changed_at };
        self.journal.expect(entry.clone());
        vec![entry]
    }
}

#[cfg(test)]
mod tests {
    use super::super::seed;
    use super::super::{ShopPlan, Threshold};
    use super::*;
    use crate::domain::event::EventKind;

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
        let product = world.products.at(0).expect("has products").id.clone();
        world.set_quantity(&product, 20.into(), now()).expect("is known");
        let line = Line { product: product.clone(), quantity: "0.50".parse().expect("is a quantity") };
        let basket = world.basket(&[line.clone(), line.clone(), line]).expect("is known");
        let change = world.sell(&basket, now() - TimeDelta::hours(2), later);
        assert_eq!(kinds(&change), [EventKind::SaleCreated]);
        assert_eq!(change.expected[0].changed_at, later, "a late sale changes the shop when it arrives");
        let product = world.products.get(&product).expect("is known");
        assert_eq!((product.quantity.to_string().as_str(), product.lastupdate), ("18.5", later));
        assert_eq!(world.sales.get(&change.id).expect("is known").lines.len(), 1);
    }

    #[test]
    fn a_sale_that_crosses_the_threshold_must_be_told_as_low() {
        let mut world = shop();
        let product = world.products.at(0).expect("has products").id.clone();
        world.set_quantity(&product, 6.into(), now()).expect("is known");
        let basket = world.basket(&[Line { product: product.clone(), quantity: 2.into() }]).expect("is known");
        let change = world.sell(&basket, now(), now());
        assert_eq!(kinds(&change), [EventKind::SaleCreated, EventKind::StockLow]);
        assert_eq!(world.products.get(&product).expect("is known").quantity, 4.into());
        assert!(world.would_hide(&product, 6.into()), "the low that nobody has seen would be gone");
        assert!(!world.would_hide(&product, 3.into()), "it is still low");
        world.journal.acknowledge(EventKind::StockLow, &Subject::product(&product));
        assert!(!world.would_hide(&product, 6.into()));
    }

    #[test]
    fn a_credit_lives_from_created_over_overdue_to_paid() {
        let mut world = shop();
        let basket = Basket::from([(world.products.at(9).expect("has ten").id.clone(), Quantity::from(1))]);
        let lent = world.lend(&basket, CREDIT_PERIOD, now());
        assert_eq!(kinds(&lent).last(), Some(&EventKind::CreditCreated));
        assert_eq!(kinds(&world.let_fall_due(&lent.id, now()).expect("is pending")), [EventKind::CreditOverdue]);
        assert_eq!(world.let_fall_due(&lent.id, now()), Err(Refused::Already(lent.id.clone())));
        assert_eq!(kinds(&world.pay(&lent.id, now()).expect("is pending")), [EventKind::CreditPaid]);
        assert_eq!(world.pay(&lent.id, now()), Err(Refused::Already(lent.id)));
    }

    #[test]
    fn a_sale_is_cancelled_once() {
        let mut world = shop();
        let id = world.sales.at(0).expect("there are sales").id.clone();
        assert_eq!(kinds(&world.cancel(&id, "คีย์ผิด", now()).expect("stands")), [EventKind::SaleCancelled]);
        assert_eq!(world.cancel(&id, "คีย์ผิด", now()), Err(Refused::Already(id)));
    }
    #[test]
    fn a_credit_that_is_paid_in_parts_is_paid_with_its_rest() {
        let mut world = shop();
        let basket = Basket::from([(world.products.at(9).expect("has ten").id.clone(), Quantity::from(1))]);
        let lent = world.lend(&basket, CREDIT_PERIOD, now()).id;
        let total = world.credits.get(&lent).expect("is known").total;
        let part = world.pay_part(&lent, 2.into(), now()).expect("is pending");
        assert_eq!(kinds(&part), [EventKind::CreditUpdated]);
        assert_eq!(world.credits.get(&lent).map(|credit| (credit.paid, credit.is_paid())), Some((2.into(), false)));
        for no_part in [Money::ZERO, total] {
            assert_eq!(world.pay_part(&lent, no_part, now()), Err(Refused::NoPart(lent.clone())));
        }
        assert_eq!(kinds(&world.pay(&lent, now()).expect("is pending")), [EventKind::CreditPaid]);
        assert_eq!(world.lose_credit(&lent, now()).expect("is known").expected, [], "nobody looks for a paid one");
        assert_eq!(world.pay(&lent, now()), Err(Refused::Unknown(lent)));
        let pending = world.lend(&basket, CREDIT_PERIOD, now()).id;
        let lost = world.lose_credit(&pending, now()).expect("is known");
        assert_eq!(kinds(&lost), [EventKind::CreditUpdated]);
    }
}
