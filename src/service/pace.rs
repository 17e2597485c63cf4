//! How often is each resource of a shop read now? What the file says, what the quota allows, and whether the shop is
//! open.
//!
//! The decision is [`crate::domain::rhythm`]'s; here is only what it is decided from: what the last passes cost, what
//! the governor allows at present, and when the shop was seen to sell. Nothing here holds back a call: that is the
//! governor's business alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::ShopConfig;
use crate::domain::model::{Resource, Timestamp};
use crate::domain::rhythm::hours::{self, Observed};
use crate::domain::rhythm::pace::{Capacity, Pace, Why};
use crate::domain::rhythm::{Costs, Rhythm};
use crate::edge::pospos::quota::QuotaLimit;

/// What a shop's rhythm follows from.
#[derive(Debug, Default)]
pub struct ShopPace {
    known: Mutex<Known>,
    wakes: BTreeMap<Resource, Notify>,
}

#[derive(Debug, Default)]
struct Known {
    costs: Costs,
    observed: Observed,
}

impl ShopPace {
    /// What is known at a start.
    pub fn new(costs: Costs, observed: Observed) -> ShopPace {
        let wakes = Resource::ALL.into_iter().map(|resource| (resource, Notify::new())).collect();
        ShopPace { known: Mutex::new(Known { costs, observed }), wakes }
    }

    /// Notes what a pass has cost.
    pub fn spent(&self, resource: Resource, calls: u32) {
        self.known().costs.passes.insert(resource, calls);
    }

    /// Notes what the two longer readings of sales cost.
    pub fn spent_on_sales(&self, today: Option<u32>, whole: Option<u32>) {
        let mut known = self.known();
        let sales = &mut known.costs.sales;
        sales.today = today.unwrap_or(sales.today);
        sales.whole = whole.unwrap_or(sales.whole);
    }

    /// Notes when something was sold. What is to be stored, where this has taught anything.
    pub fn sold(&self, times: impl Iterator<Item = Timestamp>, now: Timestamp) -> Option<Observed> {
        let mut known = self.known();
        let mut news = false;
        for time in times {
            news |= known.observed.observe(hours::bangkok(time), hours::bangkok(now));
        }
        news.then(|| known.observed.clone())
    }

    /// How everything is read now.
    pub fn rhythm(&self, config: &ShopConfig, limits: &[QuotaLimit], now: Timestamp) -> Rhythm {
        let known = self.known();
        let rhythm = by_day(config, limits, &known.costs);
        match hours::is_open(hours::bangkok(now), config.open.as_ref(), &known.observed) {
            true => rhythm,
            false => rhythm.at_night(),
        }
    }

    /// Reads `resource` as soon as possible, whatever its interval.
    pub fn read_now(&self, resource: Resource) {
        if let Some(wake) = self.wakes.get(&resource) {
            wake.notify_one();
        }
    }

    /// Returns when [`ShopPace::read_now`] is called for `resource`.
    pub async fn wanted(&self, resource: Resource) {
        match self.wakes.get(&resource) {
            Some(wake) => wake.notified().await,
            None => std::future::pending().await,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change under this lock is an assignment.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How everything is read while the shop is open.
pub fn by_day(config: &ShopConfig, limits: &[QuotaLimit], costs: &Costs) -> Rhythm {
    Rhythm::of(&config.poll, config.trailing, costs, capacity(limits))
}

/// What these limits allow.
pub fn capacity(limits: &[QuotaLimit]) -> Capacity {
    let limits: Vec<(u32, Duration)> = limits.iter().map(|limit| (limit.calls, limit.window)).collect();
    Capacity::of(&limits)
}

/// Why a resource is read as often as it is, as the status says it.
pub fn reason(pace: &Pace) -> &'static str {
    match pace.why {
        Why::Configured => "configured",
        Why::Quota => "quota",
        Why::Night => "night",
    }
}
