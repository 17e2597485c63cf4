//! The machine's clock is set, ahead and back, while the shop lives on: nothing is hidden, made up or forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use posbell::demo::shop::{Line, ShopPlan, SimulatedShop};
use posbell::domain::model::{Quantity, Resource, Timestamp};
use posbell::edge::store::EventFilter;
use posbell::service::forget::forget;
use posbell::service::pass::PassError;

use super::house::{House, KEY};
use super::time::Time;

const CONFIG: &str = r#"
quota = ["1000/1s"]
trailing_window = "3d"
[shop.poll]
transactions = "10m"
stock = "10m"
credit = "10m"
members = "off"
vendors = "off"
buy_documents = "off"
"#;

/// Longer than any of these is paused for, by night too.
const A_WHILE: TimeDelta = TimeDelta::hours(3);

/// How many shops there have been: each has a key of its own.
static PLANNED: AtomicUsize = AtomicUsize::new(0);

struct Small {
    time: Time,
    shop: Arc<SimulatedShop>,
    house: House,
}

impl Small {
    /// A shop and posbell with its baseline.
    async fn begin() -> Small {
        let opened: Timestamp = "2026-11-02T03:00:00Z".parse().unwrap();
        let time = Time::from(opened);
        let plan = ShopPlan {
            api_key: format!("{KEY}-{}", PLANNED.fetch_add(1, Ordering::Relaxed)),
            quota: Vec::new(),
            ..ShopPlan::default()
        };
        let key = plan.api_key.clone();
        let (clock, uptime) = (time.clone(), time.clone());
        let shop = SimulatedShop::start_in(plan, move || clock.now(), move || uptime.gone()).unwrap();
        let shop = Arc::new(shop);
        let mut house = House::with_key(Arc::clone(&shop), time.clone(), &key, CONFIG);
        house.start().await;
        house.read_what_is_due().await;
        Small { time, shop, house }
    }

    fn sell(&self) {
        let product = self.shop.products().into_iter().max_by_key(|id| self.shop.quantity(id)).unwrap();
        self.shop.sell(&[Line { product, quantity: Quantity::from(1) }]).unwrap();
    }

    /// Lets time go by until every resource is to be read again, and reads.
    async fn look(&mut self) {
        self.time.go_to(self.time.now() + A_WHILE);
        self.house.read_what_is_due().await;
    }

    async fn events(&self) -> usize {
        let store = &self.house.posbell().shared.store;
        store.events(EventFilter { limit: 1_000_000, ..EventFilter::default() }).await.unwrap().len()
    }

    async fn forgets(&self) -> bool {
        forget(&self.house.posbell().shared).await.unwrap()
    }

    /// What was told is the shop's own journal.
    fn assert_exact(&self) {
        let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        let expected = self.shop.journal().expected();
        for told in self.house.told.iter().filter(|told| told.kind != "stock.changed" && told.kind != "shop.baseline") {
            *left.entry((&told.kind, told.subject.as_str())).or_default() += 1;
        }
        for owed in &expected {
            *left.entry((owed.kind.name(), owed.subject.as_str())).or_default() -= 1;
        }
        left.retain(|_, count| *count != 0);
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test]
async fn whatever_the_clock_is_set_to_every_sale_is_told_once_and_nothing_is_forgotten() {
    let mut small = Small::begin().await;
    assert!(small.forgets().await, "the shop's server has the same time");
    let steps = [TimeDelta::hours(2), TimeDelta::days(4), TimeDelta::days(-4), TimeDelta::days(4_000)];
    for (round, step) in (1..).zip(steps.into_iter().chain([TimeDelta::days(-20_000)])) {
        small.sell();
        small.look().await;
        let (told, kept, failed) = (small.house.told.len(), small.events().await, small.house.failed);
        small.time.set_ahead(step);
        assert!(!small.forgets().await, "it was set, and nobody has been asked yet: {step}");
        small.sell();
        small.look().await;
        small.look().await;
        assert!(small.house.failed >= failed + 6, "each pass says that the clock is wrong: {step}");
        assert_eq!(small.house.told.len(), told, "{step}");
        assert!(!small.forgets().await, "{step}");
        // Started by a clock that is wrong, too.
        small.house.stop();
        small.house.start().await;
        assert!(!small.forgets().await, "nobody has said the time yet: {step}");
        small.look().await;
        assert_eq!((small.house.told.len(), small.events().await), (told, kept), "{step}");
        small.time.set_ahead(TimeDelta::zero());
        small.look().await;
        assert_eq!(small.shop.awaited(), 0, "all is told once the clock is right: {step}");
        assert!(small.forgets().await, "{step}");
        small.assert_exact();
        let sales = small.house.told.iter().filter(|told| told.kind == "sale.created").count();
        assert_eq!(sales, 2 * round, "{step}");
    }
}

#[tokio::test]
async fn a_pass_in_which_the_clock_is_set_right_is_not_compared() {
    let mut small = Small::begin().await;
    for step in [TimeDelta::days(40), TimeDelta::days(-20_000)] {
        for resource in [Resource::Transactions, Resource::Credit] {
            small.sell();
            small.time.set_ahead(step);
            let time = small.time.clone();
            let read = small.house.read_with(resource, move || time.set_ahead(TimeDelta::zero())).await;
            assert!(matches!(read, Err(PassError::ClockSet)), "{step} {resource}: {read:?}");
        }
        small.look().await;
        assert_eq!(small.shop.awaited(), 0);
        small.assert_exact();
    }
}
