//! What moves between two pages: rows that come to a list and go from it while somebody reads.
//!
//! A row of which something is still to be told is not taken, so that the journal stays right: whoever demands every
//! journaled event may do so of a restless shop too.

use std::collections::BTreeSet;

use super::changes::CREDIT_PERIOD;
use super::generator::Generator;
use super::listed::{Listed, Row};
use super::moving_list::{ListMark, Move};
use super::news::News;
use super::state::{Basket, World};
use super::things::PaidBy;
use crate::domain::model::{EntityId, Quantity, Resource, Subject, Timestamp};

/// How many rows are looked at for one that may go. In a long list of news there may be none for a while.
const LOOKED_AT: usize = 20;

/// A moment in the life of all lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    transactions: ListMark,
    stock: ListMark,
    credit: ListMark,
    members: ListMark,
    vendors: ListMark,
    purchases: ListMark,
}

impl World {
    /// This moment.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            transactions: self.sales.order().mark(),
            stock: self.products.order().mark(),
            credit: self.credits.order().mark(),
            members: self.members.order().mark(),
            vendors: self.vendors.order().mark(),
            purchases: self.purchases.order().mark(),
        }
    }

    /// The rows of a resource that stood in its list at `mark` and ever since.
    pub(super) fn persistent_since(&self, mark: &Mark, resource: Resource) -> BTreeSet<EntityId> {
        fn of<T: Row>(listed: &Listed<T>, mark: ListMark) -> BTreeSet<EntityId> {
            listed.order().persistent_since(mark).cloned().collect()
        }
        match resource {
            Resource::Transactions => of(&self.sales, mark.transactions),
            Resource::Stock => of(&self.products, mark.stock),
            Resource::Credit => of(&self.credits, mark.credit),
            Resource::Members => of(&self.members, mark.members),
            Resource::Vendors => of(&self.vendors, mark.vendors),
            Resource::BuyDocuments => of(&self.purchases, mark.purchases),
        }
    }

    /// Moves a list once, where the shop is restless.
    pub(super) fn stir(&mut self, resource: Resource, now: Timestamp) {
        // Taken out for the time being: the lists are changed while it is drawn from.
        let Some(mut chance) = self.restless.take() else { return };
        let victim = self.victim(resource, &mut chance);
        let may_delete = victim.is_some();
        let next = match resource {
            Resource::Transactions => self.sales.order_mut().draw(&mut chance, may_delete),
            Resource::Stock => self.products.order_mut().draw(&mut chance, may_delete),
            Resource::Credit => self.credits.order_mut().draw(&mut chance, may_delete),
            Resource::Members => self.members.order_mut().draw(&mut chance, may_delete),
            Resource::Vendors => self.vendors.order_mut().draw(&mut chance, may_delete),
            Resource::BuyDocuments => self.purchases.order_mut().draw(&mut chance, may_delete),
        };
        if let (Some(Move::Delete | Move::Swap), Some(victim)) = (next, &victim) {
            self.take_away(resource, victim, now);
        }
        if let Some(Move::Insert | Move::Swap) = next {
            self.bring(resource, &mut chance, now);
        }
        self.restless = Some(chance);
    }

    /// A row that may go, wherever it stands.
    fn victim(&self, resource: Resource, chance: &mut Generator) -> Option<EntityId> {
        type SubjectOf = fn(&EntityId) -> Subject;
        let (length, subject): (usize, SubjectOf) = match resource {
            Resource::Transactions => (self.sales.len(), Subject::sale),
            Resource::Stock => (self.products.len(), Subject::product),
            Resource::Credit => (self.credits.len(), Subject::credit),
            Resource::Members => (self.members.len(), Subject::member),
            Resource::Vendors => (self.vendors.len(), Subject::vendor),
            Resource::BuyDocuments => (self.purchases.len(), Subject::purchase),
        };
        let at = |place| match resource {
            Resource::Transactions => self.sales.order().at(place),
            Resource::Stock => self.products.order().at(place),
            Resource::Credit => self.credits.order().at(place),
            Resource::Members => self.members.order().at(place),
            Resource::Vendors => self.vendors.order().at(place),
            Resource::BuyDocuments => self.purchases.order().at(place),
        };
        let drawn = (0..LOOKED_AT).filter_map(|_| at(chance.below(length)));
        let free = drawn.into_iter().find(|id| !self.journal.awaits_any(&subject(id)));
        free.cloned()
    }

    fn take_away(&mut self, resource: Resource, id: &EntityId, now: Timestamp) {
        match resource {
            // A sale that is gone makes no event: nothing can be concluded of it.
            Resource::Transactions => drop(self.sales.remove(id)),
            Resource::Credit => drop(self.lose_credit(id, now)),
            Resource::Stock => drop(self.remove_product(id, now)),
            Resource::Members => drop(self.remove_member(id, now)),
            Resource::Vendors => drop(self.remove_vendor(id, now)),
            Resource::BuyDocuments => drop(self.remove_purchase(id, now)),
        }
    }

    /// Adds a row. A bill takes nothing from the shelves here: it is to move one list, not two.
    fn bring(&mut self, resource: Resource, chance: &mut Generator, now: Timestamp) {
        let product = self.products.at(chance.below(self.products.len())).map(|product| product.id.clone());
        let basket: Basket = product.into_iter().map(|product| (product, Quantity::from(1))).collect();
        match resource {
            Resource::Transactions => {
                let paid_by = self.paid_at_once();
                let sale = self.write_bill(now, &basket, paid_by);
                self.tell(News::SaleMade, &sale, now);
            }
            Resource::Credit => {
                let sale = self.write_bill(now, &basket, PaidBy::Credit);
                self.tell(News::SaleMade, &sale, now);
                let credit = self.write_debt(&sale, CREDIT_PERIOD, now);
                self.tell(News::CreditGiven, &credit, now);
            }
            // Enough of it that nobody takes it for a shortage.
            Resource::Stock => drop(self.add_product("ของใหม่", Quantity::from(1000), now)),
            Resource::Members => drop(self.add_member("คนใหม่", "-", now)),
            Resource::Vendors => drop(self.add_vendor("ผู้ขายรายใหม่", now)),
            Resource::BuyDocuments => {
                let vendor = self.vendors.at(chance.below(self.vendors.len())).map(|vendor| vendor.id.clone());
                self.add_purchase(vendor.as_ref(), &basket, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ShopPlan, seed};
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T03:00:00Z".parse().expect("is a time")
    }

    #[test]
    fn every_list_moves_and_stays_about_as_long() {
        for resource in Resource::ALL {
            let plan = ShopPlan { members: 40, vendors: 40, purchases: 40, credits: 40, ..ShopPlan::default() };
            let mut world = seed::world(ShopPlan { sales_today: 40, restless: Some(5), ..plan }, now());
            let mark = world.mark();
            for _ in 0..30 {
                world.stir(resource, now());
            }
            let (then, since) = (world.persistent_since(&mark, resource), world.mark());
            assert!((10..40).contains(&then.len()), "{resource}: {} of 40 remain", then.len());
            let length = world.persistent_since(&since, resource).len();
            assert!((35..=45).contains(&length), "{resource}: {length} rows");
            assert!(then.is_subset(&world.persistent_since(&since, resource)));
        }
    }

    #[test]
    fn what_was_not_told_yet_does_not_go() {
        let mut world = seed::world(ShopPlan { restless: Some(2), ..ShopPlan::default() }, now());
        for _ in 0..500 {
            world.stir(Resource::Transactions, now());
        }
        let owed = world.journal.expected();
        assert!(owed.len() > 20, "too few to prove anything");
        let there: BTreeSet<Subject> = world.sales.iter().map(|sale| Subject::sale(&sale.id)).collect();
        assert!(owed.iter().all(|entry| there.contains(&entry.subject)));
        assert!(there.len() < 90, "nor does the list grow for ever: {}", there.len());
    }

    #[test]
    fn a_shop_that_is_not_restless_stands_still() {
        let mut world = seed::world(ShopPlan::default(), now());
        let mark = world.mark();
        world.stir(Resource::Stock, now());
        assert_eq!(world.mark(), mark);
        assert_eq!(world.persistent_since(&mark, Resource::Stock).len(), 40);
    }
}
