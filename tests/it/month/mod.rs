//! A month.
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use posbell::config::Config;
use posbell::demo::shop::{ShopPlan, SimulatedShop};
use posbell::domain::event::Epoch;
use posbell::domain::model::Resource;
use posbell::edge::store::Store;
use posbell::service::health::Health;
use posbell::service::pass::pass;
use posbell::service::setup;
use posbell::service::shop::{Shared, Shop};
use time::Time;

fn cpu() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 / 1e9
}

async fn open(dir: &std::path::Path, time: &Time) -> Shop {
    let config = Config::load(&dir.join("posbell.toml"), &|_| None).unwrap_or_else(|p| panic!("{}", p[0].mistake.message));
    let Ok(ready) = setup::ready(&config, &|_| None) else { panic!("the secrets stand in the file") };
    let store = Store::open_or_create(&config.data_dir, Epoch::from_random([7; 16])).expect("opens");
    let shared = Arc::new(Shared {
        store,
        clock: time.clock(),
        rules: config.rules.clone(),
        measure: String::new(),
        recipients: ready.recipients(),
        health: Health::default(),
        wakes: BTreeMap::new(),
    });
    let only = ready.shops.into_iter().next().expect("there is one");
    setup::open_shop(only, &config, &shared, Arc::new(time.clone())).await.expect("opens")
}

#[tokio::test]
async fn measure() {
    let time = Time::from("2026-11-01T15:00:00Z".parse().unwrap());
    let plan = ShopPlan { products: 300, sales_today: 2000, api_key: "month".into(), quota: vec![(2000, Duration::from_secs(3600))], ..ShopPlan::default() };
    let (a, b) = (time.clone(), time.clone());
    let shop = Arc::new(SimulatedShop::start_in(plan, move || a.now(), move || b.gone()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    std::fs::write(dir.path().join("rules/rules.toml"), "[[threshold]]\nlow = 5\ncritical = 2\nrearm = 8\n").unwrap();
    std::fs::write(dir.path().join("posbell.toml"), format!("data_dir=\"data\"\n[[shop]]\nid = \"main\"\napi_key = \"month\"\nbase_url = \"{}\"\nquota=[\"1000/1h\"]\n", shop.base_url())).unwrap();
    time.go_to("2026-11-01T16:30:00Z".parse().unwrap());
    let posbell = open(dir.path(), &time).await;
    time.go_to("2026-11-01T17:35:00Z".parse().unwrap());
    let url = format!("{}/transactions?limit=200&page=2", shop.base_url());
    let raw = || async {
        let c = cpu();
        let client = reqwest::Client::builder().build().unwrap();
        for _ in 0..10 { client.get(&url).header("apikey", "month").send().await.unwrap().bytes().await.unwrap(); }
        println!("10 raw pages {:.1} ms", (cpu() - c) * 1e3);
    };
    raw().await;
    raw().await;
    for resource in [Resource::Transactions, Resource::Stock, Resource::Transactions, Resource::Stock, Resource::Credit, Resource::Credit, Resource::Members, Resource::Members] {
        let c = cpu();
        let r = pass(&posbell, resource).await;
        println!("{resource} {:?} {:.1} ms", r.map(|r| (r.rows, r.events)), (cpu() - c) * 1e3);
    }
    let c = cpu();
    let known = posbell.shared.store.known::<posbell::domain::diff::sale::SaleRow>(posbell.id(), Resource::Transactions).await.unwrap();
    println!("known {} {:.1} ms", known.rows().count(), (cpu() - c) * 1e3);
    let c = cpu();
    for _ in 0..100 { posbell.interval(Resource::Stock); }
    println!("100 intervals {:.1} ms", (cpu() - c) * 1e3);
}
