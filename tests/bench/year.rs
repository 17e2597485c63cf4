//! What does the store take on the disk after a year?
//!
//! `cargo bench --bench year` writes 100,000 products into a real store and then 365 days of a busy shop: 3 % of the
//! products change their quantity each day, each tenth change makes an event with a delivery that is taken, and what is
//! older than 90 days is forgotten. It prints what lives in the store (keys and values, by table), what the directory
//! takes, and how much memory the process has had at most. `-- 20000` does it with so many products, `-- 20000 30` for
//! so many days.

#![expect(clippy::disallowed_methods, reason = "it measures how long things take")]

mod disk;
mod goods;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use posbell::domain::diff::product::ProductRow;
use posbell::domain::event::{Epoch, Event, Level, Scribe, ThresholdView};
use posbell::domain::model::{ChannelName, Fingerprint, Quantity, Resource, ShopId, Timestamp};
use posbell::domain::outbox::{Address, Delivery, Outcome, RetryPolicy};
use posbell::edge::store::{Commit, Head, ResourceRecord, Store};

use self::disk::kibibytes;

/// Of so many products one changes each day, and of so many changes one is told.
const CHANGED: u64 = 33;
const TOLD: usize = 10;
const KEPT: TimeDelta = TimeDelta::days(90);
/// As many rows as a pass commits at once.
const AT_ONCE: usize = 100;
/// After so many commits nothing is to be done for a moment.
const QUIET: usize = 8;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let (products, days) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(365));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(live_through(products, days));
}

async fn live_through(products: u64, days: u64) {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let begin = Timestamp::from_timestamp(1_767_225_600, 0).expect("is in range");
    let begun = Instant::now();
    let mut year = Year::begin(dir.path(), products, begin).await;
    year = year.look(dir.path(), "fresh", begun.elapsed());
    for day in 1..=days {
        year.day(day, begin + TimeDelta::days(i64::try_from(day).expect("is a day"))).await;
        if day % 91 == 0 || day == days {
            year = year.look(dir.path(), &format!("after {day} days"), begun.elapsed());
        }
    }
}

/// The store and what stands in it.
struct Year {
    store: Store,
    /// Of each product: how often it has changed, and when last.
    products: Vec<(u32, Timestamp)>,
}

impl Year {
    async fn begin(dir: &Path, products: u64, at: Timestamp) -> Year {
        let store = open(dir);
        let numbers: Vec<u64> = (0..products).collect();
        for some in numbers.chunks(AT_ONCE) {
            let rows = some.iter().map(|number| written(&goods::row(goods::product(*number, 0, at), 0))).collect();
            store.commit(Commit { rows, ..Commit::default() }).await.expect("is written");
        }
        let resource = ResourceRecord {
            baseline_at: at,
            passed_at: at,
            horizon: None,
            fields: String::new(),
            measure: String::new(),
            rows: products,
            unreadable: 0,
            calls: 500,
        };
        let last = Commit { resource: Some((shop(), Resource::Stock, resource)), ..Commit::default() };
        store.commit(last).await.expect("is written");
        store.sweep().await.expect("sweeps");
        Year { store, products: vec![(0, at); numbers.len()] }
    }

    async fn day(&mut self, day: u64, now: Timestamp) {
        let scribe = Scribe::new(shop(), "ร้านตัวอย่าง", Epoch::from_random([7; 16]), now);
        let count = self.products.len() as u64;
        let changed: Vec<u64> = (0..count / CHANGED).map(|place| goods::scattered(day << 32 | place) % count).collect();
        for (piece, some) in changed.chunks(AT_ONCE).enumerate() {
            let mut commit = Commit::default();
            for (place, number) in some.iter().enumerate() {
                let (changes, at) = &mut self.products[*number as usize];
                let before = goods::product(*number, u64::from(*changes), *at);
                (*changes, *at) = (*changes + 1, now);
                let row = goods::row(goods::product(*number, u64::from(*changes), now), u64::from(*changes));
                commit.rows.push(written(&row));
                if place % TOLD == 0 {
                    let threshold = ThresholdView { level: Level::Low, below: Some(Quantity::from(24)), rearm: None };
                    let event = scribe.stock_level(row.counter, &row.product, Some(&before), threshold);
                    commit.deliveries.push(delivery(&event, now));
                    commit.events.push((now, event));
                }
            }
            let planned = commit.deliveries.clone();
            self.store.commit(commit).await.expect("is written");
            let settled = planned.into_iter().map(|before| (before.clone(), taken(before, now))).collect();
            self.store.commit(Commit { settled, ..Commit::default() }).await.expect("is written");
            if piece % QUIET == 0 {
                self.store.sweep().await.expect("sweeps");
            }
        }
        self.store.prune(now - KEPT).await.expect("forgets");
    }

    /// Closes the store, prints what is in it and what it takes, and opens it again.
    fn look(self, dir: &Path, when: &str, after: Duration) -> Year {
        let Year { store, products } = self;
        drop(store);
        let takes = kibibytes(&dir.join("store"));
        let tables = tables(&dir.join("store"));
        let peak = peak_kibibytes();
        let lives: u64 = tables.values().map(|table| table.keys + table.values).sum();
        println!(
            "{when} ({} products, {:.0} s, at most {:.1} MiB of memory):",
            products.len(),
            after.as_secs_f64(),
            mib(peak)
        );
        for (name, Table { entries, keys, values }) in &tables {
            let each = |bytes: &u64| *bytes as f64 / (*entries).max(1) as f64;
            println!("  {name}/ {entries:>8} entries, key {:>6.1} + value {:>6.1} bytes", each(keys), each(values));
        }
        let ratio = (takes * 1024) as f64 / lives.max(1) as f64;
        println!("  {:.1} MiB live, {:.1} MiB on the disk ({ratio:.2} times)", mib(lives / 1024), mib(takes));
        Year { store: open(dir), products }
    }
}

/// What one table holds.
#[derive(Default)]
struct Table {
    entries: u64,
    keys: u64,
    values: u64,
}

fn tables(store: &Path) -> BTreeMap<char, Table> {
    let config = sled::Config::new().path(store).cache_capacity(4 * 1024 * 1024).flush_every_ms(None);
    let db = patiently(|| config.open().ok());
    let mut tables: BTreeMap<char, Table> = BTreeMap::new();
    for entry in db.range(.."\u{7f}") {
        let (key, value) = entry.expect("reads");
        let table = tables.entry(char::from(key[0])).or_default();
        table.entries += 1;
        table.keys += key.len() as u64;
        table.values += value.len() as u64;
    }
    tables
}

fn open(dir: &Path) -> Store {
    patiently(|| Store::open_or_create(dir, Epoch::from_random([7; 16])).ok())
}

/// sled's threads may keep its lock for a moment after it was dropped.
fn patiently<T>(open: impl Fn() -> Option<T>) -> T {
    for _attempt in 0..200 {
        if let Some(opened) = open() {
            return opened;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    open().expect("opens")
}

fn shop() -> ShopId {
    ShopId::new("main").expect("is an id")
}

fn written(row: &ProductRow) -> (ShopId, Resource, posbell::domain::model::EntityId, Option<Vec<u8>>) {
    let head = head(row);
    let bytes = Store::listed_row(row, head).expect("can be written");
    (shop(), Resource::Stock, row.product.id.clone(), Some(bytes))
}

/// Its head, with a fingerprint that no packing can make smaller, as those of the API's text are.
fn head(row: &ProductRow) -> Head {
    let text = format!("{} {}", row.product.id, row.counter);
    let fingerprint = Some(Fingerprint::new(xxhash_rust::xxh3::xxh3_64(text.as_bytes())));
    Head { fingerprint, tag: row.product.code.as_deref().map_or(0, Head::tag), ..Head::default() }
}

fn delivery(event: &Event, now: Timestamp) -> Delivery {
    let address = Address { channel: ChannelName::new("erp").expect("is a name"), recipient: None };
    Delivery::new(address, shop(), "what runs low".to_owned(), vec![event.id.clone()], now)
}

fn taken(delivery: Delivery, now: Timestamp) -> Delivery {
    delivery.settle(&Outcome::Delivered, now, Duration::from_millis(87), 0.5, &RetryPolicy::default())
}

fn mib(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

/// The most memory that this process has had, as the kernel counts it.
fn peak_kibibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}
