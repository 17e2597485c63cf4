//! What do a million stored events cost: to start with them, and to list some of them?
//!
//! `cargo bench --bench log` writes them into a real store, with a delivery for each tenth, and prints how long it takes
//! until the store is open, until it has been read whole, and until the built program answers `/readyz` on it (with a new
//! shop it waits for the reading); and how long listings take, newest first, with what they find. `-- 100000` does it with fewer. It asserts nothing.

#![expect(clippy::disallowed_methods, reason = "it measures how long things take")]

mod disk;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use posbell::domain::event::{Epoch, Event, Scribe};
use posbell::domain::model::{ChannelName, Sale, ShopId, Timestamp};
use posbell::domain::outbox::{Address, Delivery};
use posbell::edge::store::{Commit, DeliveryFilter, EventFilter, Store};

use self::disk::kibibytes;

const EVENTS: usize = 1_000_000;
/// How many events one commit has.
const AT_ONCE: usize = 200;
/// How often a listing is asked for; the middle of the times is printed.
const ASKED: usize = 9;
/// Each so many-th event is another shop's, is of another type, and has a delivery.
const SECOND_SHOP: usize = 1_000;
const REFUSAL: usize = 5_000;
const DELIVERED: usize = 10;

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(EVENTS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime can be built");
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let data = dir.path().join("posbell-data");
    runtime.block_on(write(&data, count));
    runtime.block_on(list(&data, count));
    println!("{:<52}{:>10.1} MiB", "on the disk", kibibytes(&data.join("store")) as f64 / 1024.0);
    start(dir.path(), "the service started with a new shop, until /readyz");
    start(dir.path(), "the service started again, until /readyz");
}

fn at(n: usize) -> Timestamp {
    Timestamp::from_timestamp(1_700_000_000 + n as i64 * 30, 0).expect("is in range")
}

fn sale_id(n: usize) -> String {
    format!("{n:024x}")
}

fn event(n: usize) -> Event {
    let shop = if n.is_multiple_of(SECOND_SHOP) { "second" } else { "main" };
    let scribe = Scribe::new(ShopId::new(shop).expect("is an id"), "ร้าน", Epoch::from_random([7; 16]), at(n));
    if n % REFUSAL == 1 {
        return scribe.key_rejected(n as u64, 401);
    }
    let sale: Sale = serde_json::from_str(&format!(
        r#"{{"id":"{}","code":"TR{n}","receipt":null,"status":"success","sold_at":"2026-11-23T03:00:00Z",
            "cancelled_at":null,"subtotal":161.10,"discount":0.00,"total":161.10,"currency":"THB","comment":"ขอบคุณ",
            "staff":null,"member":null,"payments":[],"lines":[]}}"#,
        sale_id(n)
    ))
    .expect("is a sale");
    scribe.sale_created(&sale)
}

async fn write(data: &Path, count: usize) {
    let store = Store::open_or_create(data, Epoch::from_random([7; 16])).expect("opens");
    let channel = ChannelName::new("erp").expect("is a name");
    let begun = Instant::now();
    for first in (0..count).step_by(AT_ONCE) {
        let mut commit = Commit::default();
        for n in first..(first + AT_ONCE).min(count) {
            let event = event(n);
            if n % DELIVERED == 0 {
                let address = Address { channel: channel.clone(), recipient: None };
                let events = vec![event.id.clone()];
                let delivery = Delivery::new(address, event.shop.clone(), "all".to_owned(), events, at(n));
                commit.deliveries.push(delivery.give_up(at(n)));
            }
            commit.events.push((at(n), event));
        }
        store.commit(commit).await.expect("commits");
    }
    line(&format!("{count} events written"), begun.elapsed(), "");
    let begun = Instant::now();
    let blocks = store.index_log().await.expect("indexes");
    line("indexed", begun.elapsed(), &format!("{blocks} blocks"));
}

async fn list(data: &Path, count: usize) {
    let begun = Instant::now();
    let store = Store::open_existing(data).expect("opens");
    line("opened for the first time since", begun.elapsed(), "");
    drop(store);
    let begun = Instant::now();
    let store = Store::open_existing(data).expect("opens");
    line("opened again", begun.elapsed(), "");
    let begun = Instant::now();
    store.whole().await.expect("is whole");
    line("read whole", begun.elapsed(), "");
    let filter = || EventFilter { limit: 100, ..EventFilter::default() };
    let kind = |kind: &str| Some(kind.to_owned());
    let subject = Some(format!("sale/{}", sale_id(count / 3 + 2)));
    for (name, filter) in [
        ("the newest 100", filter()),
        ("the newest 100 of a rare type", EventFilter { kind: kind("shop.key_rejected"), ..filter() }),
        ("the newest 100 of a family", EventFilter { kind: kind("shop.*"), ..filter() }),
        ("of a type that never was", EventFilter { kind: kind("credit.overdue"), ..filter() }),
        ("the newest 100 of a small shop", EventFilter { shop: kind("second"), ..filter() }),
        ("of one subject in the middle", EventFilter { subject, ..filter() }),
        ("since an hour before the end", EventFilter { since: Some(at(count - 120)), ..filter() }),
        ("the 100 after the middle", EventFilter { after: Some(count as u64 / 2), ..filter() }),
    ] {
        let (time, found) = asked(async || store.events(filter.clone()).await.expect("lists").len()).await;
        line(name, time, &format!("{found} found"));
    }
    let dead = || DeliveryFilter { state: Some("dead".to_owned()), limit: 100, ..DeliveryFilter::default() };
    let (time, found) = asked(async || store.deliveries(dead()).await.expect("lists").len()).await;
    line("the newest 100 dead letters", time, &format!("{found} found"));
}

/// The middle of the times that it takes, and what it gives.
async fn asked(ask: impl AsyncFn() -> usize) -> (Duration, usize) {
    let mut times = Vec::new();
    let mut found = 0;
    for _time in 0..ASKED {
        let begun = Instant::now();
        found = ask().await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    (times[ASKED / 2], found)
}

/// The built program on the store, with a shop that nobody answers for.
fn start(dir: &Path, name: &str) {
    let listen = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("has a free port");
    let text = format!(
        "timezone = \"Asia/Bangkok\"\nlanguage = \"en\"\n[admin]\nlisten = \"{listen}\"\n\
         [[shop]]\nid = \"main\"\nname = \"x\"\napi_key = \"k\"\nbase_url = \"http://127.0.0.1:1/\"\n"
    );
    std::fs::write(dir.join("posbell.toml"), text).expect("is writable");
    std::fs::create_dir_all(dir.join("rules")).expect("is writable");
    let begun = Instant::now();
    let mut service = Command::new(env!("CARGO_BIN_EXE_posbell"))
        .arg("--config")
        .arg(dir.join("posbell.toml"))
        .arg("run")
        .env("MALLOC_ARENA_MAX", "1")
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let ready = until(&mut service, || answers(&listen, &format!("GET /readyz HTTP/1.1\r\nhost: {listen}\r\n\r\n")));
    line(name, begun.elapsed(), if ready { "" } else { "it ended by itself" });
    std::thread::sleep(Duration::from_secs(8));
    let peak = std::fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap_or_default();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned();
    println!("{:<52}{peak:>14}", "its memory at the most, eight seconds later");
    let begun = Instant::now();
    let id = service.id().to_string();
    drop(Command::new("kill").args(["-TERM", &id]).status());
    drop(service.wait());
    line("asked to end, until it has", begun.elapsed(), "");
}

fn until(service: &mut Child, mut is: impl FnMut() -> bool) -> bool {
    loop {
        if is() {
            return true;
        }
        if service.try_wait().is_ok_and(|ended| ended.is_some()) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn answers(address: &std::net::SocketAddr, request: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = std::net::TcpStream::connect(address) else { return false };
    let mut answer = [0; 12];
    stream.write_all(request.as_bytes()).is_ok() && stream.read_exact(&mut answer).is_ok() && &answer[9..] == b"200"
}

fn line(name: &str, time: Duration, found: &str) {
    println!("{name:<52}{:>10.1} ms  {found}", time.as_secs_f64() * 1000.0);
}
