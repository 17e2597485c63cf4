//! A month of a busy shop: what posbell tells is the shop's own journal, each event once, and its store stays small.
//!
//! Time is the test's. The shop lives on while it goes by: it sells, takes back, corrects, lends and counts, is fed by
//! tills that were offline, and its API is down for hours. posbell is stopped, killed in the middle of passes and
//! started again. Everything between the shop's answers over HTTP and the store on the disk is the product's own, with
//! the quota and with the rhythm that says what is due and how deep it is read. Its loops are not in it, which wait in
//! real time: here a moment comes every two minutes, and what is due then is read.

mod books;
mod business;
mod house;
mod in_parts;
mod kept;
mod set_clock;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use posbell::demo::shop::{Fault, Generator, ShopPlan, SimulatedShop};
use posbell::domain::event::EventKind;
use posbell::domain::model::{Resource, Timestamp};

use business::Business;
use house::{House, KEY};
use time::Time;

const DAYS: i64 = 30;
const SALES_A_DAY: usize = 2_000;

/// How far apart the moments are at which it is looked what is due.
const STEP: TimeDelta = TimeDelta::minutes(2);

/// How often the store forgets what is old.
const PRUNING: TimeDelta = TimeDelta::hours(6);

/// How long after the last day something may still be told: debts and members are read only every few hours.
const REST: TimeDelta = TimeDelta::hours(36);

/// What the shop allows and posbell is told: too little to read all of the window each time.
const QUOTA: (u32, Duration) = (300, Duration::from_secs(12 * 3600));

/// Half a window of the quota is more than an hour's sales; the rest is what a village shop might ask for.
const CONFIG: &str = r#"
quota = ["300/12h"]
page_size = 100
trailing_window = "3d"
[shop.poll]
transactions = "10m"
stock = "20m"
credit = "1h"
members = "2h"
vendors = "6h"
buy_documents = "2h"
trailing = "12h"
"#;

/// What happens to posbell and to the API.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// posbell ends between two passes.
    Stop,
    /// And begins again.
    Start,
    /// It is killed in the middle of a pass, and started again at once.
    Kill(Resource),
    /// Every call fails.
    ApiDown,
    /// None does.
    ApiUp,
}

/// By day and hour, from the first midnight on.
const TROUBLES: [(i64, i64, Trouble); 20] = [
    (1, 10, Trouble::Kill(Resource::Transactions)),
    (3, 12, Trouble::Kill(Resource::Stock)),
    (4, 9, Trouble::Stop),
    (4, 9, Trouble::Start),
    (6, 19, Trouble::Kill(Resource::Credit)),
    (8, 10, Trouble::ApiDown),
    (8, 15, Trouble::ApiUp),
    (10, 12, Trouble::Kill(Resource::Members)),
    (12, 8, Trouble::Stop),
    (12, 13, Trouble::Start),
    (15, 0, Trouble::Kill(Resource::Transactions)),
    (17, 18, Trouble::Kill(Resource::Stock)),
    (18, 3, Trouble::Kill(Resource::Transactions)),
    // Over closing time and the night.
    (20, 19, Trouble::ApiDown),
    (21, 9, Trouble::ApiUp),
    (23, 11, Trouble::Kill(Resource::BuyDocuments)),
    (25, 17, Trouble::Kill(Resource::Stock)),
    (26, 7, Trouble::Kill(Resource::Transactions)),
    (27, 14, Trouble::Kill(Resource::Vendors)),
    (28, 16, Trouble::Kill(Resource::Credit)),
];

/// Every kind of event that a month must have.
const KINDS: [EventKind; 24] = [
    EventKind::SaleCreated,
    EventKind::SaleUpdated,
    EventKind::SaleCancelled,
    EventKind::StockLow,
    EventKind::StockCritical,
    EventKind::StockOut,
    EventKind::StockRecovered,
    EventKind::ProductCreated,
    EventKind::ProductUpdated,
    EventKind::ProductRemoved,
    EventKind::CreditCreated,
    EventKind::CreditUpdated,
    EventKind::CreditOverdue,
    EventKind::CreditAging,
    EventKind::CreditPaid,
    EventKind::MemberCreated,
    EventKind::MemberUpdated,
    EventKind::MemberRemoved,
    EventKind::VendorCreated,
    EventKind::VendorUpdated,
    EventKind::VendorRemoved,
    EventKind::PurchaseCreated,
    EventKind::PurchaseUpdated,
    EventKind::PurchaseRemoved,
];

struct Month {
    time: Time,
    shop: Arc<SimulatedShop>,
    house: House,
    business: Arc<Mutex<Business>>,
    troubles: Vec<(Timestamp, Trouble)>,
    chance: Generator,
    kills: usize,
    pruned_at: Timestamp,
}

impl Month {
    /// The shop as it stands in the evening before, and posbell with its baseline.
    async fn begin() -> Month {
        // A window of the quota before anything may be read: what was called before posbell's first start is unknown.
        let opened: Timestamp = "2026-11-01T04:00:00Z".parse().expect("is a time");
        let midnight: Timestamp = "2026-11-01T17:00:00Z".parse().expect("is a time");
        let time = Time::from(opened);
        let plan = ShopPlan {
            products: 150,
            sales_today: 100,
            credits: 12,
            members: 30,
            vendors: 6,
            api_key: KEY.to_owned(),
            quota: vec![QUOTA],
            ..ShopPlan::default()
        };
        let (clock, uptime) = (time.clone(), time.clone());
        let shop = SimulatedShop::start_in(plan, move || clock.now(), move || uptime.gone()).expect("opens");
        let shop = Arc::new(shop);
        let business = Business::new(Arc::clone(&shop), time.clone(), midnight, DAYS, SALES_A_DAY);
        let business = Arc::new(Mutex::new(business));
        let life = Arc::clone(&business);
        time.live(move |until| life.lock().expect("no act has failed").run_until(until));
        let mut house = House::new(Arc::clone(&shop), time.clone(), CONFIG);
        house.start().await;
        let at = |day, hour| midnight + TimeDelta::days(day) + TimeDelta::hours(hour);
        let troubles = TROUBLES.into_iter().map(|(day, hour, trouble)| (at(day, hour), trouble)).collect();
        Month { time, shop, house, business, troubles, chance: Generator::new(7), kills: 0, pruned_at: opened }
    }

    fn business(&self) -> MutexGuard<'_, Business> {
        self.business.lock().expect("no act has failed")
    }

    async fn step(&mut self) {
        let now = self.time.now() + STEP;
        self.business().run_until(now);
        while self.troubles.first().is_some_and(|(at, _)| *at <= now) {
            let (_, trouble) = self.troubles.remove(0);
            self.befall(trouble).await;
        }
        self.house.read_what_is_due().await;
        if now - self.pruned_at >= PRUNING {
            self.pruned_at = now;
            self.house.prune().await;
        }
    }

    async fn befall(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Stop => self.house.stop(),
            Trouble::Start => self.house.start().await,
            Trouble::Kill(resource) => {
                self.kills += 1;
                // Every other one certainly before the pass has ended, the others somewhere up to its end.
                let turns = if !self.kills.is_multiple_of(2) { 0 } else { self.chance.below(40) };
                self.house.kill_in(resource, turns).await;
                self.house.start().await;
            }
            Trouble::ApiDown => {
                for resource in Resource::ALL {
                    self.shop.fail_next(resource, Fault::Status(503), usize::MAX);
                }
            }
            Trouble::ApiUp => self.shop.fail_no_more(),
        }
    }

    /// The month, and as much longer as it takes until all is told; then a start, which reads everything once more.
    async fn live(&mut self) {
        while !self.business().is_over() {
            self.step().await;
        }
        self.business().close();
        let end = self.time.now() + REST;
        while self.shop.awaited() > 0 && self.time.now() < end {
            self.step().await;
        }
        self.house.stop();
        self.house.start().await;
        self.step().await;
        self.house.prune().await;
        self.pruned_at = self.time.now();
    }

    /// What was told is what happened, and each event has an id of its own.
    fn assert_exact(&self) {
        let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        let expected = self.shop.journal().expected();
        // A poller may rightly tell two sales between two looks as one movement of the stock.
        let is_told = |kind: &str| kind != "stock.changed" && kind != "shop.baseline";
        for told in self.house.told.iter().filter(|told| is_told(&told.kind)) {
            *left.entry((&told.kind, told.subject.as_str())).or_default() += 1;
        }
        for owed in &expected {
            *left.entry((owed.kind.name(), owed.subject.as_str())).or_default() -= 1;
        }
        left.retain(|_, count| *count != 0);
        let shown: Vec<_> = left.iter().take(20).collect();
        assert!(left.is_empty(), "{} differences, those above zero told too often: {shown:#?}", left.len());
        let ids: BTreeSet<&str> = self.house.told.iter().map(|told| told.id.as_str()).collect();
        assert_eq!(ids.len(), self.house.told.len(), "no id was given twice");
        let kinds: BTreeSet<EventKind> = expected.iter().map(|owed| owed.kind).collect();
        assert_eq!(kinds, KINDS.into_iter().collect(), "the month has every kind");
        assert_eq!(self.house.told.iter().filter(|told| told.kind == "shop.baseline").count(), 1);
    }
}

#[tokio::test]
async fn over_a_month_what_is_told_is_the_shops_own_journal_and_the_store_stays_small() {
    let mut month = Month::begin().await;
    month.live().await;
    month.assert_exact();
    assert_eq!(month.business().sold_at.len(), DAYS as usize * SALES_A_DAY);
    assert_eq!(month.shop.quota_violations(), 0, "the quota was broken");
    assert!(month.shop.most_calls_in(QUOTA.1) <= QUOTA.0 as usize);
    let House { failed, cut_off, .. } = &month.house;
    assert!(*failed > 50, "the API was hardly asked while it was down: {failed} passes");
    assert!(*cut_off >= 6, "most kills came too late: {cut_off} passes were cut off");
    kept::assert_as_the_shop(&month).await;
    kept::assert_small(&mut month).await;
}
