//! How often is what read, and how much of it?
//!
//! The file says how often the shop's owner would like it; the quota says what is possible; the night says what makes
//! sense. What follows is decided here, as pure functions: no clock, no call, and no say over the quota itself.
//!
//! [`pace`] shares the quota among the resources, [`sales`] says how deep a pass over sales reads, [`hours`] when the
//! shop is open, [`stock_way`] whether the stock comes in one answer or in pages, and [`warnings`] what of the file
//! cannot be had. [`Rhythm::of`] brings the first two together.

pub mod hours;
pub mod pace;
pub mod sales;
pub mod stock_way;
pub mod warnings;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::model::Resource;
use pace::{Capacity, Pace, Wanted, Why};
use sales::{Room, SalesPlan};

/// What passes cost, in calls, as the last of each has shown; empty before any has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs {
    /// One pass over each resource but sales.
    pub passes: BTreeMap<Resource, u32>,
    /// The two longer readings of sales.
    pub sales: sales::Cost,
}

impl Costs {
    /// The calls of a pass, never fewer than any pass makes: credit is asked for in two lists.
    fn of(&self, resource: Resource) -> u32 {
        let least = if resource == Resource::Credit { 2 } else { 1 };
        self.passes.get(&resource).copied().unwrap_or(least).max(least)
    }
}

/// How everything of one shop is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    /// How often; what is off is absent.
    pub paces: BTreeMap<Resource, Pace>,
    /// How deep sales are read; `None` where they are off.
    pub sales: Option<SalesPlan>,
}

impl Rhythm {
    /// The rhythm by day: `poll` and `trailing` are what the file says.
    ///
    /// Sales are planned first, within what the others leave or their share by value, whichever is more. They take no
    /// more than they were given, and the others share the rest. So the sum stays within the capacity, and more
    /// quota makes nothing rarer.
    pub fn of(
        poll: &BTreeMap<Resource, Duration>,
        trailing: Option<Duration>,
        costs: &Costs,
        capacity: Capacity,
    ) -> Rhythm {
        let wanted = |(&resource, &every): (&Resource, &Duration)| {
            (resource != Resource::Transactions).then(|| Wanted { resource, every, calls: costs.of(resource) })
        };
        let others: Vec<Wanted> = poll.iter().filter_map(wanted).collect();
        let Some(&every) = poll.get(&Resource::Transactions) else {
            return Rhythm { paces: pace::effective(&others, capacity), sales: None };
        };
        let asked: f64 = others.iter().map(Wanted::demand).sum();
        let room = Room {
            idle: capacity.calls_per_second() - asked,
            share: pace::most(Resource::Transactions, &others, capacity),
        };
        let (plan, spent) = sales::planned(sales::Settings { every, trailing }, costs.sales, room);
        let mut paces = pace::effective(&others, capacity.less(spent));
        let why = if plan.every() > every { Why::Quota } else { Why::Configured };
        paces.insert(Resource::Transactions, Pace { every: plan.every(), configured: every, why });
        Rhythm { paces, sales: Some(plan) }
    }

    /// The same while the shop is closed: nothing is read more often than by day, so it fits as well.
    pub fn at_night(&self) -> Rhythm {
        let slower = |(&resource, pace): (&Resource, &Pace)| {
            let every = hours::at_night(resource, pace.every);
            let why = if every > pace.every { Why::Night } else { pace.why };
            (resource, Pace { every, why, ..*pace })
        };
        Rhythm { paces: self.paces.iter().map(slower).collect(), sales: self.sales }
    }
}

#[cfg(test)]
mod tests;
