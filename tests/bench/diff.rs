//! What does one pass cost: the wire, the comparison and the commit, over a hundred thousand products?
//!
//! `cargo bench --bench diff` puts a server of its own before the real client, the real pass and the real store, and
//! prints a table. The server writes rows that are ready, from threads whose CPU time is measured and taken off; what
//! is left is posbell's own, with the kernel's part of its reading and syncing. Wall times hold both. It asserts
//! nothing: figures are for people to compare, by ratio and on one machine.

mod catalogue;
mod disk;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use posbell::config::Config;
use posbell::domain::event::{Epoch, Scribe};
use posbell::domain::model::{EntityId, Product, Resource};
use posbell::domain::publish::Plan;
use posbell::edge::pospos::quota::SystemBootClock;
use posbell::edge::store::{Commit, Head, Store};
use posbell::service::clock::Clock;
use posbell::service::pass::pass;
use posbell::service::setup;
use posbell::service::shared::Shared;
use posbell::service::shop::Shop;
use rustix::time::{ClockId, clock_gettime};

use self::catalogue::Catalogue;
use self::disk::kibibytes;

const PRODUCTS: usize = 100_000;
const PAGE: usize = 200;
/// Each so many-th product changes between two passes.
const ONE_IN: usize = 100;
/// How many small commits are made for their mean.
const SMALL_COMMITS: usize = 200;
/// How many rows, events and deliveries a small commit has of each.
const SMALL: usize = 20;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(measure());
}

async fn measure() {
    let catalogue = Catalogue::open(PRODUCTS).expect("opens on loopback");
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let shop = open(dir.path(), catalogue.address()).await;
    let disk = || kibibytes(&dir.path().join("data/store"));
    println!(
        "{PRODUCTS} products of {} bytes in pages of {PAGE}, on {} cores:",
        catalogue.row_bytes(),
        std::thread::available_parallelism().map_or(1, usize::from)
    );
    println!("{:<34}{:>9}{:>9}{:>12}{:>12}{:>10}", "", "wall ms", "CPU ms", "rows/s", "events", "disk KiB");
    let read = |name| step(name, &shop, &catalogue);
    line(&read("baseline").await, disk());
    line(&swept(&shop, &catalogue).await, disk());
    line(&read("nothing has changed").await, disk());
    line(&read("nothing has changed, again").await, disk());
    for round in 1..=3 {
        catalogue.change(ONE_IN, round);
        line(&read("1 % has changed").await, disk());
        line(&swept(&shop, &catalogue).await, disk());
    }
    line(&small_commits(&shop, &catalogue).await, disk());
}

/// What one step has cost.
struct Cost {
    name: String,
    wall: Duration,
    cpu: Duration,
    rows: usize,
    events: u64,
}

fn line(cost: &Cost, kibibytes: u64) {
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let rate = cost.rows as f64 / cost.wall.as_secs_f64();
    println!(
        "{:<34}{:>9}{:>9}{:>12.0}{:>12}{:>10}",
        cost.name,
        ms(cost.wall),
        ms(cost.cpu),
        rate,
        cost.events,
        kibibytes
    );
}

/// One pass over all products.
async fn step(name: &str, shop: &Shop, catalogue: &Catalogue) -> Cost {
    let begun = Begun::now(catalogue);
    let report = pass(shop, Resource::Stock).await.expect("the pass is accepted");
    let (wall, cpu) = begun.until_now(catalogue);
    Cost { name: name.to_owned(), wall, cpu, rows: PRODUCTS, events: report.events }
}

/// What is done after a pass, when nothing waits: winning back the space of what it has replaced.
async fn swept(shop: &Shop, catalogue: &Catalogue) -> Cost {
    let begun = Begun::now(catalogue);
    shop.shared.store.sweep().await.expect("sweeps");
    let (wall, cpu) = begun.until_now(catalogue);
    Cost { name: "  and its dead space".to_owned(), wall, cpu, rows: 0, events: 0 }
}

/// What a sale or two bring: a few rows with an event and a delivery each, one commit after the other.
async fn small_commits(shop: &Shop, catalogue: &Catalogue) -> Cost {
    let (store, now) = (&shop.shared.store, shop.shared.clock.now());
    let scribe = shop.scribe(now);
    let commits: Vec<Commit> = (0..SMALL_COMMITS as u64).map(|number| small_commit(shop, &scribe, number)).collect();
    let begun = Begun::now(catalogue);
    for commit in commits {
        store.commit(commit).await.expect("is written");
    }
    let (wall, cpu) = begun.until_now(catalogue);
    let each = |all: Duration| all / SMALL_COMMITS as u32;
    let name = format!("commit of {SMALL} + {SMALL} + {SMALL} (mean)");
    Cost { name, wall: each(wall), cpu: each(cpu), rows: SMALL, events: SMALL as u64 }
}

fn small_commit(shop: &Shop, scribe: &Scribe, number: u64) -> Commit {
    let head = Head::default();
    let mut commit = Commit::default();
    for place in 0..SMALL as u64 {
        let product = product(number * SMALL as u64 + place);
        let row = Store::listed_row(&product, head).expect("can be written");
        commit.rows.push((shop.id().clone(), Resource::Members, product.id.clone(), Some(row)));
        commit.events.push((scribe.now(), scribe.product_created(&product)));
    }
    let events: Vec<_> = commit.events.iter().map(|(_, event)| event.clone()).collect();
    commit.deliveries = Plan::of(&events, &shop.shared.settings).at_once(scribe.now());
    commit
}

fn product(number: u64) -> Product {
    Product {
        id: EntityId::new(format!("{:024x}", 0xb000_0000 + number)).expect("is an id"),
        code: Some(format!("PK{number:06}")),
        name: Some("ข้าวหอมมะลิ 5 กก.".to_owned()),
        barcode: None,
        category: None,
        unit: None,
        price: None,
        cost: None,
        quantity: Some(7.into()),
        updated_at: None,
    }
}

/// A moment, by the wall and by the CPU.
struct Begun {
    wall: Duration,
    cpu: Duration,
}

impl Begun {
    fn now(catalogue: &Catalogue) -> Begun {
        // What the server's threads have used is not posbell's.
        let cpu = clock(ClockId::ProcessCPUTime).saturating_sub(catalogue.cpu());
        Begun { wall: clock(ClockId::Monotonic), cpu }
    }

    fn until_now(&self, catalogue: &Catalogue) -> (Duration, Duration) {
        let now = Begun::now(catalogue);
        (now.wall - self.wall, now.cpu.saturating_sub(self.cpu))
    }
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The shop as the service would open it, with everything going to one webhook that nobody sends to here.
async fn open(dir: &Path, address: std::net::SocketAddr) -> Shop {
    let config = format!(
        "data_dir = \"data\"\n[[shop]]\nid = \"main\"\napi_key = \"bench-diff\"\nbase_url = \"http://{address}\"\n\
         quota = [\"1000000/1s\"]\npage_size = {PAGE}\nstock_list = \"pages\"\n[channel.receiver]\ntype = \"webhook\"\n\
         url = \"http://127.0.0.1:9/\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n\
         allow_networks = [\"127.0.0.0/8\"]\n"
    );
    let file = dir.join("posbell.toml");
    std::fs::write(&file, config).expect("writes");
    std::fs::create_dir(dir.join("rules")).expect("makes a directory");
    let rules = "[[rule]]\nname = \"all\"\non = [\"product.*\", \"stock.*\"]\nto = [\"receiver\"]\n";
    std::fs::write(dir.join("rules/rules.toml"), rules).expect("writes");
    let config = Config::load(&file, &|_| None).expect("is a configuration");
    let ready = setup::ready(&config, &|_| None).expect("the secrets stand in the file");
    let store = Store::open_or_create(&config.data_dir, Epoch::from_random([7; 16])).expect("opens");
    let shared = Arc::new(Shared::new(store, Clock::default(), &config, &[]));
    let only = ready.shops.into_iter().next().expect("there is one");
    setup::open_shop(only, &config, &shared, Arc::new(SystemBootClock)).await.expect("opens")
}
