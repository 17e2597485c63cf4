//! A month of a busy shop in virtual time: what posbell told is the shop's own journal, each event once.
//!
//! Everything between the simulated shop's HTTP answers and the store on the disk is the product's own: the client, the
//! governor, the passes, the rhythm that says when each is due and how deep it reads. Only the loops are not: they wait
//! in real time. The clock is the test's, and the shop lives on while time goes by: it sells, cancels, corrects, lends
//! and counts, its API is down for hours, and posbell is stopped, killed in the middle of passes and started again.

mod books;
mod business;
mod house;
mod time;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use chrono::TimeDelta;
use posbell::demo::shop::{Fault, Generator, ShopPlan, SimulatedShop};
use posbell::domain::model::{Resource, Timestamp};

use business::Business;
use house::{House, KEY};
use time::Time;

/// How far apart the moments are at which it is looked what is due.
const STEP: TimeDelta = TimeDelta::minutes(2);

/// What happens to posbell and to the API, by the hour of the month.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Stop,
    Start,
    Kill(Resource),
    ApiDown,
    ApiUp,
}

struct Month {
    time: Time,
    shop: Arc<SimulatedShop>,
    house: House,
    business: Arc<Mutex<Business>>,
    troubles: Vec<(Timestamp, Trouble)>,
    chance: Generator,
    pruned_at: Timestamp,
}

fn cpu() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

impl Month {
    async fn begin(days: i64, sales_a_day: usize, mut troubles: Vec<(i64, Trouble)>) -> Month {
        let evening: Timestamp = "2026-11-01T00:00:00Z".parse().expect("is a time");
        let midnight: Timestamp = "2026-11-01T17:00:00Z".parse().expect("is a time");
        let time = Time::from(evening);
        let plan = ShopPlan {
            products: 150,
            sales_today: 100,
            credits: 12,
            members: 30,
            vendors: 6,
            api_key: KEY.to_owned(),
            quota: vec![(300, Duration::from_secs(12 * 3600))],
            ..ShopPlan::default()
        };
        let (clock, uptime) = (time.clone(), time.clone());
        let shop = SimulatedShop::start_in(plan, move || clock.now(), move || uptime.gone()).expect("opens");
        let shop = Arc::new(shop);
        let config = "quota = [\"300/12h\"]\npage_size = 100\n[shop.poll]\ntransactions = \"10m\"\nstock = \"20m\"\n\
                      credit = \"1h\"\nmembers = \"2h\"\nvendors = \"6h\"\nbuy_documents = \"2h\"\ntrailing = \"12h\"\n";
        let mut house = House::new(Arc::clone(&shop), time.clone(), config);
        house.start().await;
        let business = Business::new(Arc::clone(&shop), time.clone(), midnight, days, sales_a_day);
        let business = Arc::new(Mutex::new(business));
        let life = Arc::clone(&business);
        time.live(move |until| life.lock().expect("no act has failed").run_until(until));
        troubles.sort_by_key(|(hour, _)| *hour);
        let troubles = troubles.into_iter().map(|(hour, trouble)| (midnight + TimeDelta::hours(hour), trouble)).collect();
        Month { time, shop, house, business, troubles, chance: Generator::new(7), pruned_at: evening }
    }

    fn business(&self) -> MutexGuard<'_, Business> {
        self.business.lock().expect("no act has failed")
    }

    async fn run_until(&mut self, moment: Timestamp) {
        while self.time.now() < moment {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let next = self.time.now() + STEP;
        self.business().run_until(next);
        while self.troubles.first().is_some_and(|(at, _)| *at <= next) {
            let (_, trouble) = self.troubles.remove(0);
            self.befall(trouble).await;
        }
        self.house.read_what_is_due().await;
        let now = self.time.now();
        if now - next > TimeDelta::minutes(1) { println!("waited {} until {}", now - next, now); }
        if next - self.pruned_at >= TimeDelta::hours(6) {
            self.pruned_at = next;
            self.house.prune().await;
        }
    }

    async fn befall(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::Stop => self.house.stop(),
            Trouble::Start => self.house.start().await,
            Trouble::Kill(resource) => {
                let turns = 1 + self.chance.below(40);
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

    fn assert_exact(&self) {
        let is_told = |kind: &str| kind != "stock.changed" && !kind.starts_with("shop.");
        let mut left: BTreeMap<(String, String), i64> = BTreeMap::new();
        for told in self.house.told.iter().filter(|told| is_told(&told.kind)) {
            *left.entry((told.kind.clone(), told.subject.as_str().to_owned())).or_default() += 1;
        }
        for owed in self.shop.journal().expected() {
            *left.entry((owed.kind.name().to_owned(), owed.subject.as_str().to_owned())).or_default() -= 1;
        }
        left.retain(|_, count| *count != 0);
        let shown: Vec<_> = left.iter().take(20).collect();
        assert!(left.is_empty(), "{} differences, + is told and - is owed: {shown:#?}", left.len());
    }
}

#[tokio::test]
async fn measure() {
    let begun = cpu();
    let days = std::env::var("DAYS").map_or(3, |d| d.parse().unwrap());
    let mut month = Month::begin(days, 2000, Vec::new()).await;
    month.time.go_to(month.time.now() + TimeDelta::hours(13));
    let start = month.time.now();
    for day in 1..=days {
        let c = cpu();
        month.run_until("2026-11-01T17:00:00Z".parse::<Timestamp>().unwrap() + TimeDelta::days(day)).await;
        println!("day {day}: {:.1} s, told {}, awaited {}, sold {}, {:?} calls {}", cpu() - c, month.house.told.len(), month.shop.awaited(), month.business().sold, month.house.passes, month.shop.calls());
    }
    let _ = start;
    for _ in 0..720 { if month.shop.awaited() == 0 && month.business().is_over() { break } month.step().await; }
    println!("at {}: awaited {} failed {} violations {}", month.time.now(), month.shop.awaited(), month.house.failed, month.shop.quota_violations());
    month.assert_exact();
    println!("cpu {:.1}", cpu() - begun);
}
