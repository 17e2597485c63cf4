//! How debts grow old: what a midnight in Bangkok makes of them.

use super::changes::Change;
use super::news::News;
use super::state::World;
use super::things::Credit;
use crate::domain::model::{EntityId, Timestamp};

/// After how many days out of its period a debt must be told again: the contract's figures, written a second time.
const AGES: [i64; 3] = [7, 30, 60];

/// Whole days in Bangkok from one moment to another.
fn days_between(from: Timestamp, until: Timestamp) -> i64 {
    let day = |at: Timestamp| at.with_timezone(&chrono_tz::Asia::Bangkok).date_naive();
    (day(until) - day(from)).num_days()
}

impl Credit {
    /// Takes note of how old it is; true where it has reached another of the told ages.
    pub(super) fn grow_old(&mut self, now: Timestamp) -> bool {
        let days = if self.out_of_period { days_between(self.due_at, now) } else { 0 };
        let reached = AGES.into_iter().rfind(|age| *age <= days);
        let is_news = reached > self.aged;
        self.aged = self.aged.max(reached);
        is_news
    }
}

impl World {
    /// Another day: what was to be paid yesterday is out of its period, and some has been so for long.
    pub(super) fn begin_day(&mut self, now: Timestamp) -> Vec<Change> {
        let pending = self.credits.iter().filter(|credit| !credit.is_paid());
        let pending: Vec<EntityId> = pending.map(|credit| credit.id.clone()).collect();
        let mut changes = Vec::new();
        for id in pending {
            let Some(credit) = self.credits.get_mut(&id) else { continue };
            let falls_due = !credit.out_of_period && days_between(credit.due_at, now) > 0;
            credit.out_of_period |= falls_due;
            let ages = credit.grow_old(now);
            let news = [falls_due.then_some(News::CreditFellDue), ages.then_some(News::CreditAged)];
            changes.extend(news.into_iter().flatten().map(|news| self.change(news, &id, now)));
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::{ShopPlan, seed};
    use super::*;
    use crate::demo::shop::state::Basket;
    use crate::domain::event::EventKind;
    use crate::domain::model::Quantity;

    #[test]
    fn a_debt_falls_due_at_the_midnight_after_its_day_and_is_told_again_after_a_week_and_a_month() {
        let opened: Timestamp = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan { credits: 0, ..ShopPlan::default() }, opened);
        let product = world.products.at(9).expect("has ten").id.clone();
        world.lend(&Basket::from([(product, Quantity::from(1))]), TimeDelta::days(2), opened);
        let midnight: Timestamp = "2026-11-23T17:00:00Z".parse().expect("is a time");
        let told = (0..70).flat_map(|day| {
            let changes = world.begin_day(midnight + TimeDelta::days(day));
            changes.into_iter().flat_map(move |change| change.expected.into_iter().map(move |one| (day + 1, one.kind)))
        });
        let aging = EventKind::CreditAging;
        let expected = [(3, EventKind::CreditOverdue), (9, aging), (32, aging), (62, aging)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_old_when_the_shop_opens_is_no_news() {
        let opened: Timestamp = "2026-11-23T03:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan { credits: 8, ..ShopPlan::default() }, opened);
        assert_eq!(world.begin_day(opened), []);
    }
}
