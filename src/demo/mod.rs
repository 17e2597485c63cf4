//! The outside world in a box: a shop that sells and a receiver that listens, for `posbell demo` and for the tests.
//!
//! What stands between the two is the real service: the real configuration in a temporary directory, the real store,
//! real HTTP on loopback. Nothing of the demo is compiled into the service, and nothing in the service knows of it.

mod play;
pub mod receiver;
pub mod shop;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::SecretString;
use tokio::sync::oneshot;

use self::receiver::{Received, Receiver};
use self::shop::{ShopPlan, SimulatedShop};
use crate::config::Config;
use crate::domain::event::Event;
use crate::edge::channel::webhook::sign;
use crate::edge::store::{DirLock, Store, make_data_dir};
use crate::server::listeners::Listeners;
use crate::service::clock::Clock;
use crate::service::run::{Start, run as run_service};
use crate::service::setup;
use crate::service::shutdown::shutdown;
use crate::service::watchdog::Watch;

/// How the demo goes.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoPlan {
    /// How long it runs; `None` until Ctrl-C.
    pub length: Option<Duration>,
    /// How many times faster than one change each second and a half.
    pub speed: f64,
    /// What the shop does; the same seed does the same.
    pub seed: u64,
}

/// What the demo did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoReport {
    /// Changes in the shop that a message was owed for.
    pub owed: usize,
    /// Those whose message has arrived.
    pub arrived: usize,
    /// Messages with a wrong signature.
    pub forged: usize,
    /// Calls over the quota.
    pub violations: usize,
}

/// Where the demo prints: one line at a time.
pub type Print = Arc<dyn Fn(&str) + Send + Sync>;

/// Runs the demo until its time is over or `end` returns.
pub async fn run(
    plan: DemoPlan,
    clock: Clock,
    print: Print,
    end: impl Future<Output = ()>,
) -> anyhow::Result<DemoReport> {
    let dir = tempfile::tempdir().context("Failed to make a temporary directory")?;
    let secret = format!("whsec_{}", base64_of(&clock.bytes::<24>()));
    // Drawn anew each time: two demos at once are two shops, and a key is claimed for the whole machine.
    let key = format!("demo-key-{}", base64_of(&clock.bytes::<9>()));
    let shop = open_shop(&plan, &key, &clock)?;
    let receiver = open_receiver(&secret, &clock, &shop, &print)?;
    let file = write_files(dir.path(), &key, shop.base_url(), receiver.url(), &secret)?;
    let config = Config::load(&file, &|_| None).map_err(|problems| {
        anyhow::anyhow!("The demo's own configuration is wrong: {}", problems[0].mistake.message)
    })?;
    let Ok(ready) = setup::ready(&config, &|_| None) else { anyhow::bail!("The demo's own secrets are wrong") };
    make_data_dir(&config.data_dir)?;
    let lock = Arc::new(DirLock::take(&config.data_dir)?);
    let store = Store::open_locked(&config.data_dir, &lock, clock.new_epoch()).context("Failed to open the store")?;
    let listeners = Listeners::open(&config, None, &clock).await;
    listeners.write_token()?;
    print(&format!("A simulated shop sells at   {}", shop.base_url()));
    print(&format!("Messages are received at    {}", receiver.url()));
    if let Some(address) = listeners.address() {
        let token = config.data_dir.join("admin-token");
        print(&format!("The status is at            http://{address}/api/v1/status (token in {})", token.display()));
    }
    print(&format!("Ask from another terminal   posbell --config {} status", file.display()));
    print("Ctrl-C ends it. First the shop is read as it is, which makes no events but one.\n");

    let (ending, asked) = shutdown();
    let (watch, (is_whole, _)) = (Watch::new(clock.clone()), oneshot::channel());
    let interface = listeners.interface().clone();
    let start = Start { config: Arc::new(config), ready, store, interface, clock, watch, is_whole };
    let service = run_service(start, asked, || {});
    let play = async {
        let played = play::play(&plan, &shop, &receiver, &print, end).await;
        ending.ask();
        played
    };
    let (served, report) = tokio::join!(service, play);
    listeners.close().await;
    served?;
    Ok(report)
}

fn open_shop(plan: &DemoPlan, key: &str, clock: &Clock) -> anyhow::Result<Arc<SimulatedShop>> {
    let clock = clock.clone();
    let (api_key, quota) = (key.to_owned(), vec![(100, Duration::from_secs(1))]);
    let plan = ShopPlan { seed: plan.seed, api_key, quota, ..ShopPlan::default() };
    Ok(Arc::new(SimulatedShop::start(plan, move || clock.now()).context("Failed to open the simulated shop")?))
}

fn open_receiver(secret: &str, clock: &Clock, shop: &Arc<SimulatedShop>, print: &Print) -> anyhow::Result<Receiver> {
    let (print, shop) = (Arc::clone(print), Arc::clone(shop));
    let on_message = move |received: &Received| {
        let event = Event::from_json(&received.body).ok();
        let changed_at = event.as_ref().and_then(|event| shop.journal().changed_at(event.kind, &event.subject));
        let delay = changed_at.and_then(|at| (received.at - at).to_std().ok());
        print(&format!("  posbell  {}", receiver::line(&received.body, delay)));
        if let Some(event) = event {
            shop.acknowledge(event.kind, &event.subject);
        }
    };
    let now = clock.clone();
    Receiver::start(verifier(secret, clock)?, move || now.now(), Box::new(on_message))
        .context("Failed to open the receiver")
}

/// What checks a message's signature, as a receiver of one's own would.
pub fn verifier(secret: &str, clock: &Clock) -> anyhow::Result<receiver::Verify> {
    let key = sign::VerifyingKey::parse(&SecretString::from(secret)).context("Failed to read the signing secret")?;
    let clock = clock.clone();
    Ok(Arc::new(move |id: &str, timestamp: &str, body: &[u8], signature: &str| {
        let received = sign::Received { id: Some(id), timestamp: Some(timestamp), signature: Some(signature) };
        sign::verify(&key, received, body, clock.now()).is_ok()
    }))
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Writes the files that a person would write.
fn write_files(dir: &Path, key: &str, shop_url: &str, receiver_url: &str, secret: &str) -> anyhow::Result<PathBuf> {
    let failed = || format!("Failed to write into {}", dir.display());
    let file = dir.join("posbell.toml");
    let config = format!(
        r#"language = "en"

[admin]
listen = "127.0.0.1:0"

[[shop]]
id = "demo"
name = "Demo shop"
api_key = "{key}"
base_url = "{shop_url}"
quota = ["100/1s"]
[shop.poll]
transactions = "500ms"
stock = "500ms"
credit = "1s"

[channel.receiver]
type = "webhook"
url = "{receiver_url}"
secret = "{secret}"
allow_networks = ["127.0.0.0/8"]
"#
    );
    let rules = r#"[[threshold]]
low = 5
critical = 2
rearm = 8

[[rule]]
name = "everything but plain stock movements"
on = ["sale.*", "stock.low", "stock.critical", "stock.out", "stock.recovered", "credit.*", "shop.*"]
to = ["receiver"]
"#;
    std::fs::write(&file, config).with_context(failed)?;
    std::fs::create_dir(dir.join("rules")).with_context(failed)?;
    std::fs::write(dir.join("rules").join("demo.toml"), rules).with_context(failed)?;
    Ok(file)
}
