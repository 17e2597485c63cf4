//! How fast and how small is posbell when it reads a large shop, and how soon does it tell?
//!
//! `cargo bench --bench reading` runs the built program between a simulated shop and a receiver, all on this machine,
//! and prints how long sweeps of 100,000 products take beside what the quota allows, the most memory that took, and how
//! long after a change a shortage is told with a sale to hint at it and without. `-- sweep` and `-- latency` print one
//! half. It asserts nothing: figures are for people to compare, by ratio and on one machine.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use posbell::demo::receiver::{Received, Receiver};
use posbell::demo::shop::{Line, ShopPlan, SimulatedShop};
use posbell::demo::verifier;
use posbell::domain::event::{Event, EventKind};
use posbell::domain::model::Quantity;
use posbell::service::clock::Clock;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PRODUCTS: usize = 100_000;
const QUOTA: (u32, Duration) = (300, Duration::from_secs(10));
/// How many shortages are timed each way.
const SHORTAGES: usize = 10;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let asked: Vec<String> = std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
        let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|one| one == name);
        if is_asked("sweep") {
            sweep().await;
        }
        if is_asked("latency") {
            latency().await;
        }
    });
}

/// The running program between its neighbours. Killed when it is dropped.
struct Bench {
    shop: Arc<SimulatedShop>,
    receiver: Receiver,
    dir: tempfile::TempDir,
    child: Child,
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Bench {
    fn start(products: usize, shop_lines: &str, poll: &str, key: &str) -> Bench {
        let clock = Clock::default();
        let now = clock.clone();
        let plan = ShopPlan { products, api_key: key.to_owned(), quota: vec![QUOTA], ..ShopPlan::default() };
        let shop = Arc::new(SimulatedShop::start(plan, move || now.now()).expect("opens"));
        let verify = verifier(SECRET, &clock).expect("is a secret");
        let receiver = Receiver::start(verify, move || clock.now(), Box::new(|_: &Received| {})).expect("opens");
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let config = format!(
            "[admin]\nlisten = \"127.0.0.1:0\"\n[[shop]]\nid = \"main\"\napi_key = \"{key}\"\nbase_url = \"{}\"\n\
             quota = [\"300/10s\"]\n{shop_lines}\n[shop.poll]\n{poll}\n[channel.receiver]\ntype = \"webhook\"\n\
             url = \"{}\"\nsecret = \"{SECRET}\"\nallow_networks = [\"127.0.0.0/8\"]\n",
            shop.base_url(),
            receiver.url()
        );
        std::fs::write(dir.path().join("posbell.toml"), config).expect("writes");
        std::fs::create_dir(dir.path().join("rules")).expect("makes a directory");
        let rules = "[[rule]]\nname = \"all\"\non = [\"shop.*\", \"stock.out\"]\nto = [\"receiver\"]\n";
        std::fs::write(dir.path().join("rules/rules.toml"), rules).expect("writes");
        let mut command = Command::new(env!("CARGO_BIN_EXE_posbell"));
        command.arg("--config").arg(dir.path().join("posbell.toml")).arg("run").current_dir(dir.path());
        // As the systemd unit starts it.
        command.env("MALLOC_ARENA_MAX", "1");
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        Bench { shop, receiver, dir, child }
    }

    async fn told(&self, kind: EventKind, times: usize) -> Vec<Received> {
        let of_kind = |one: &&Received| Event::from_json(&one.body).is_ok_and(|event| event.kind == kind);
        let all = self.receiver.wait_for(|all| all.iter().filter(of_kind).count() >= times).await;
        all.into_iter().filter(|one| of_kind(&one)).collect()
    }

    /// The most memory that the program has had, in MiB, as the kernel counts it.
    fn peak(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    }

    /// When the latest accepted pass over the stock was, as the status says it.
    fn stock(&self) -> Option<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posbell"));
        let output = command.arg("--config").arg(self.dir.path().join("posbell.toml")).args(["status", "--json"]);
        let text = String::from_utf8(output.output().ok()?.stdout).ok()?;
        let status: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
        let resources = status["shops"][0]["resources"].as_array()?;
        let stock = resources.iter().find(|one| one["resource"] == "stock")?;
        stock["passed_at"].as_str().map(str::to_owned)
    }

    async fn next_stock_pass(&self) -> (usize, String) {
        let before = self.stock();
        loop {
            let now = self.stock();
            if now != before
                && let Some(now) = now
            {
                return (self.shop.calls(), now);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Sweeps as fast as the quota lets them: each begins when the one before has ended.
async fn sweep() {
    let clock = Clock::default();
    let off =
        ["transactions", "credit", "members", "vendors", "buy_documents"].map(|name| format!("{name} = \"off\"\n"));
    let poll = format!("stock = \"1ms\"\n{}", off.concat());
    let bench = Bench::start(PRODUCTS, "page_size = 200", &poll, "bench-sweep");
    let (calls, _) = bench.next_stock_pass().await;
    let baseline = bench.peak();
    let began = clock.now();
    let (mut last, mut sweeps) = (calls, 0);
    while sweeps < 3 {
        (last, _) = bench.next_stock_pass().await;
        sweeps += 1;
    }
    let took = (clock.now() - began).to_std().unwrap_or_default().as_secs_f64();
    let made = last - calls;
    let allowed = made as f64 / f64::from(QUOTA.0) * QUOTA.1.as_secs_f64();
    println!("{PRODUCTS} products in pages of 200, 300 calls in 10 s:");
    println!("  {sweeps} sweeps made {made} calls in {took:.1} s, {:.2} times what the quota allows", took / allowed);
    println!("  most memory: {baseline:.0} MiB after the first reading, {:.0} MiB after all", bench.peak());
    println!("  calls over the quota: {}", bench.shop.quota_violations());
}

/// Shortages with a sale that hints at them, and without one.
async fn latency() {
    let poll = "transactions = \"2s\"\nstock = \"1m\"";
    let bench = Bench::start(2_000, "stock_list = \"pages\"", poll, "bench-latency");
    bench.told(EventKind::ShopBaseline, 1).await;
    let products = bench.shop.products();
    let full = products.into_iter().filter(|id| bench.shop.quantity(id).is_some_and(|left| left > Quantity::from(20)));
    let full: Vec<_> = full.take(2 * SHORTAGES).collect();
    let (sold, counted) = full.split_at(SHORTAGES);
    let clock = Clock::default();
    let mut with = Vec::new();
    for (told, product) in sold.iter().enumerate() {
        let began = clock.now();
        let quantity = bench.shop.quantity(product).expect("is there");
        bench.shop.sell(&[Line { product: product.clone(), quantity }]).expect("is sold");
        bench.told(EventKind::StockOut, told + 1).await;
        with.push((clock.now() - began).to_std().unwrap_or_default().as_secs_f64());
    }
    let mut without = Vec::new();
    for (told, product) in counted.iter().enumerate() {
        // Spread over the interval, as changes are.
        tokio::time::sleep(Duration::from_millis(700 * told as u64)).await;
        let began = clock.now();
        bench.shop.set_quantity(product, Quantity::ZERO).expect("is there");
        bench.told(EventKind::StockOut, SHORTAGES + told + 1).await;
        without.push((clock.now() - began).to_std().unwrap_or_default().as_secs_f64());
    }
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    println!("2,000 products, sales every 2 s, the stock list every minute, {SHORTAGES} shortages each:");
    println!(
        "  told {:.1} s after the sale that caused it, {:.1} s after a change without a sale (mean)",
        mean(&with),
        mean(&without)
    );
}
