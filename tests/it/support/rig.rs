//! A shop, a receiver, and the real program between them: what the whole-run tests are played on.
//!
//! The program is the built binary with its own files, so that it can be killed as a power cut would kill it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posbell::demo::receiver::{Received, Receiver};
use posbell::demo::shop::{Change, Line, ShopPlan, SimulatedShop};
use posbell::demo::verifier;
use posbell::domain::event::{Event, EventKind};
use posbell::domain::model::{Quantity, Resource};
use posbell::service::clock::Clock;
use rustix::time::{ClockId, clock_gettime};

/// The secret that the program signs with and the receiver checks with.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// How long anything may take before a test gives up: far more than any step needs on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until it is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

/// A shop, a receiver, and the files of the program between them.
pub struct Rig {
    pub shop: Arc<SimulatedShop>,
    pub receiver: Receiver,
    /// What the receiver took, repeats too, with the moments on the monotonic clock at which it came.
    pub arrivals: Arrivals,
    /// The shop's key. Each rig has its own: a key is claimed for the whole machine, and tests run side by side.
    pub key: String,
    dir: tempfile::TempDir,
}

/// What differs between rigs.
pub struct RigPlan {
    pub products: usize,
    pub sales: usize,
    pub vendors: usize,
    pub purchases: usize,
    pub seed: u64,
    /// What the shop allows, and what the program is told that it allows.
    pub quota: (u32, Duration),
    /// Added to `[[shop]]`.
    pub shop: String,
    /// Added to `posbell.toml`.
    pub config: String,
    /// The rules; [`RigPlan::EVERYTHING`] unless a test is about rules.
    pub rules: String,
}

impl RigPlan {
    /// As strict as a real one for each second, so that tests need not wait ten.
    pub const QUOTA: (u32, Duration) = (40, Duration::from_secs(1));

    /// Everything that the shop's journal knows, to the receiver.
    pub const EVERYTHING: &str = r#"
[[threshold]]
low = 5
critical = 2
rearm = 8

[[rule]]
name = "everything"
on = ["sale.*", "stock.low", "stock.critical", "stock.out", "stock.recovered", "credit.*", "shop.*"]
to = ["receiver"]
"#;
}

impl Default for RigPlan {
    fn default() -> Self {
        let (config, rules) = (String::new(), Self::EVERYTHING.to_owned());
        let (vendors, purchases) = (4, 3);
        let (quota, shop) = (Self::QUOTA, String::new());
        Self { products: 40, sales: 20, vendors, purchases, seed: 1, quota, shop, config, rules }
    }
}

impl Rig {
    /// Opens the shop and the receiver and writes the files. The program does not run yet.
    pub fn new(plan: RigPlan) -> Rig {
        let clock = Clock::default();
        let now = clock.clone();
        let shop_plan = ShopPlan {
            products: plan.products,
            sales_today: plan.sales,
            vendors: plan.vendors,
            purchases: plan.purchases,
            seed: plan.seed,
            api_key: own_key(),
            quota: vec![plan.quota],
            ..ShopPlan::default()
        };
        let key = shop_plan.api_key.clone();
        let shop = Arc::new(SimulatedShop::start(shop_plan, move || now.now()).expect("opens"));
        let arrivals = Arc::default();
        let receiver = open_receiver(&shop, &clock, &arrivals);
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let rig = Rig { shop, receiver, arrivals, key, dir };
        let quota = format!("{}/{}", plan.quota.0, humantime::format_duration(plan.quota.1));
        let config = format!(
            r#"language = "en"

[admin]
listen = "127.0.0.1:0"

[delivery]
retry_first = "100ms"

[[shop]]
id = "main"
name = "Test shop"
api_key = "{}"
base_url = "{}"
quota = ["{quota}"]
timeout = "5s"
{}
[shop.poll]
transactions = "100ms"
stock = "100ms"
credit = "100ms"
members = "100ms"
vendors = "100ms"
buy_documents = "100ms"

[channel.receiver]
type = "webhook"
url = "{}"
secret = "{SECRET}"
allow_networks = ["127.0.0.0/8"]
timeout = "5s"
{}"#,
            rig.key,
            rig.shop.base_url(),
            plan.shop,
            rig.receiver.url(),
            plan.config
        );
        std::fs::write(rig.config(), config).expect("writes");
        std::fs::create_dir(rig.path().join("rules")).expect("makes a directory");
        std::fs::write(rig.path().join("rules/rules.toml"), plan.rules).expect("writes");
        rig
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn config(&self) -> PathBuf {
        self.path().join("posbell.toml")
    }

    /// Gives this rig's shop and its program the key of another rig.
    pub fn use_key_of(&mut self, other: &Rig) {
        let text = std::fs::read_to_string(self.config()).expect("reads");
        std::fs::write(self.config(), text.replacen(&self.key, &other.key, 1)).expect("writes");
        self.key.clone_from(&other.key);
        self.shop.issue_key(&self.key);
    }

    /// Sells one of the fullest shelf, which crosses no threshold.
    pub fn sell_one(&self) -> Change {
        let product = self.shop.products().into_iter().max_by_key(|id| self.shop.quantity(id)).expect("has products");
        self.shop.sell(&[Line { product, quantity: Quantity::from(1) }]).expect("is sold")
    }

    /// Starts the service.
    pub fn start(&self) -> Service {
        self.start_with(|_| {})
    }

    /// Starts the service in another environment.
    pub fn start_with(&self, change: impl FnOnce(&mut Command)) -> Service {
        let mut command = self.command(&["run"]);
        change(&mut command);
        // Into a file: a pipe that nobody reads fills up, and then every line that the service logs waits for a reader.
        let log = self.path().join("run.log");
        let file = std::fs::File::create(&log).expect("writes");
        let child = command.stdout(Stdio::null()).stderr(file).spawn().expect("starts");
        Service { child, log }
    }

    /// What the service has logged since it was started last.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("run.log")).expect("is text")
    }

    /// One run of a command, waited for.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("runs")
    }

    /// The JSON lines that a command prints.
    pub fn lines(&self, args: &[&str]) -> Vec<serde_json::Value> {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("is text");
        text.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect()
    }

    /// A command with the files of this rig, to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posbell"));
        command.arg("--config").arg(self.config()).args(args).current_dir(self.path());
        command.env_remove("POSBELL_CONFIG").env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
        command.env_remove("NOTIFY_SOCKET").env("POSBELL_LOG", "warn,posbell=info");
        command
    }

    /// Waits until the receiver has a message of this kind.
    pub async fn told(&self, kind: EventKind) -> Vec<Received> {
        self.until(|all| all.iter().flat_map(events).any(|event| event.kind == kind)).await
    }

    /// Replaces a part of `posbell.toml`, which must be there.
    pub fn configure(&self, from: &str, to: &str) {
        let config = std::fs::read_to_string(self.config()).expect("reads");
        assert!(config.contains(from), "no {from} in {config}");
        std::fs::write(self.config(), config.replacen(from, to, 1)).expect("writes");
    }

    /// The status of one resource of the shop.
    pub fn resource(&self, resource: Resource) -> serde_json::Value {
        let status = self.lines(&["status", "--json"]).remove(0);
        let resources = status["shops"][0]["resources"].as_array().cloned().unwrap_or_default();
        resources.into_iter().find(|one| one["resource"] == resource.name()).expect("is polled")
    }

    /// Waits until so many more passes over `resource` have been accepted.
    pub async fn passes(&self, resource: Resource, times: usize) {
        let passed = async {
            for _ in 0..times {
                let before = self.resource(resource)["passed_at"].clone();
                while self.resource(resource)["passed_at"] == before {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, passed).await.expect("passes go on");
    }

    /// Waits until everything that the shop owes has arrived.
    pub async fn all_told(&self) -> Vec<Received> {
        // What has come is acknowledged a moment before it is kept.
        let come = || self.arrivals.lock().expect("no test panics with the lock").len();
        self.until(|kept| self.shop.journal().awaited() == 0 && kept.len() == come()).await
    }

    /// So many sales, each in a pass of its own that sends to this channel: what one pass brings may be one message.
    pub async fn sell_one_by_one(&self, channel: &str, times: usize) {
        let deliveries = || self.lines(&["deliveries", "--channel", channel, "--json"]).len();
        for _ in 0..times {
            let before = deliveries();
            self.sell_one();
            until("a delivery", || deliveries() > before).await;
        }
    }

    pub async fn until(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        match tokio::time::timeout(PATIENCE, self.receiver.wait_for(enough)).await {
            Ok(received) => received,
            Err(_) => panic!(
                "waited too long; told: {:?}; status: {}",
                self.receiver.received().iter().flat_map(events).map(|event| event.kind.name()).collect::<Vec<_>>(),
                String::from_utf8_lossy(&self.run(&["status"]).stdout)
            ),
        }
    }

    /// Asserts that the distinct messages are exactly what the shop owes, and that no change has two ids.
    pub fn assert_exact(&self, received: &[Received]) {
        let mut distinct: Vec<(String, String, String)> = received
            .iter()
            .flat_map(events)
            .map(|event| (event.id.as_str().to_owned(), event))
            .map(|(id, event)| (id, event.kind.name().to_owned(), event.subject.as_str().to_owned()))
            .collect();
        distinct.sort();
        distinct.dedup();
        let told = |kind: &str| !kind.starts_with("shop.");
        let mut got: Vec<(String, String)> =
            distinct.into_iter().filter(|(_, kind, _)| told(kind)).map(|(_, kind, subject)| (kind, subject)).collect();
        let mut owed: Vec<(String, String)> = self
            .shop
            .journal()
            .expected()
            .iter()
            .map(|one| (one.kind.name().to_owned(), one.subject.as_str().to_owned()))
            .collect();
        got.sort();
        owed.sort();
        assert_eq!(got, owed, "what was told (left) is not what happened (right)");
        assert_eq!(self.receiver.forged(), 0, "a signature was wrong");
        assert_eq!(self.shop.quota_violations(), 0, "the quota was broken");
    }
}

/// A key that no other rig of this machine has.
fn own_key() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    format!("demo-key-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

/// The moment on the clock that every process of this machine has in common and nobody sets.
pub fn monotonic() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

type Arrivals = Arc<Mutex<Vec<(Duration, Received)>>>;

fn open_receiver(shop: &Arc<SimulatedShop>, clock: &Clock, arrivals: &Arrivals) -> Receiver {
    let shop = Arc::clone(shop);
    let arrivals = Arc::clone(arrivals);
    let seen = Mutex::new(std::collections::BTreeSet::new());
    let on_message = move |received: &Received| {
        arrivals.lock().expect("no test panics with the lock").push((monotonic(), received.clone()));
        // A repeat acknowledges nothing: by then the same kind may be owed again.
        if seen.lock().expect("no test panics with the lock").insert(received.id.clone()) {
            for event in events(received) {
                shop.acknowledge(event.kind, &event.subject);
            }
        }
    };
    let now = clock.clone();
    let verify = verifier(SECRET, clock).expect("is a secret");
    Receiver::start(verify, move || now.now(), Box::new(on_message)).expect("opens")
}

/// All that a command has printed.
pub fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The event in a message.
pub fn event(received: &Received) -> Event {
    Event::from_json(&received.body).expect("a message is an event")
}

/// The events in a message of one or of several.
pub fn events(received: &Received) -> Vec<Event> {
    match serde_json::from_str::<Vec<Box<serde_json::value::RawValue>>>(&received.body) {
        Ok(several) => several.iter().map(|one| Event::from_json(one.get()).expect("is an event")).collect(),
        Err(_) => vec![event(received)],
    }
}

/// The running program. Killed when it is dropped.
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and nothing else: no chance to write or to say anything.
    pub fn kill(mut self) {
        self.child.kill().expect("can be killed");
        self.child.wait().expect("has ended");
    }

    /// SIGTERM, as systemd sends it. Returns how it ended and what it logged.
    pub fn stop(self) -> (ExitStatus, String) {
        let pid = i32::try_from(self.child.id()).expect("is a process id");
        let pid = rustix::process::Pid::from_raw(pid).expect("is not zero");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("can be told");
        self.ended()
    }

    /// Waits for it to end by itself.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("has ended");
        (status, std::fs::read_to_string(&self.log).expect("is text"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // An error means that it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
