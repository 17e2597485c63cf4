//! Many clients at the admin address: silent ones, slow ones, and the honest ones among them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posbell::domain::event::{Epoch, EventKind, Scribe};
use posbell::domain::model::{ChannelName, Sale, ShopId, Timestamp};
use posbell::domain::outbox::{Address, Delivery};
use posbell::edge::store::{Commit, Store};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::admin;
use crate::support::rig::{PATIENCE, Rig, RigPlan, Service, monotonic, until};

/// What is sent at once.
async fn asks(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("listens");
    stream.write_all(request.as_bytes()).await.expect("is taken");
    stream
}

/// Clients that connect and send nothing; those for which there is no room try on.
async fn silent(address: &str, count: usize) -> (JoinSet<()>, Arc<AtomicUsize>) {
    let (mut clients, connected) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..count {
        let (address, connected) = (address.to_owned(), Arc::clone(&connected));
        clients.spawn(async move {
            if let Ok(_open) = TcpStream::connect(address).await {
                connected.fetch_add(1, Ordering::Relaxed);
                std::future::pending::<()>().await;
            }
        });
    }
    // All that are served at once, and some that wait for a place.
    until("they are connected", || connected.load(Ordering::Relaxed) > 100).await;
    (clients, connected)
}

fn descriptors(service: &Service) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", service.pid())).expect("is mine").count()
}

/// Resident memory in MiB.
fn memory(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).expect("is mine");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("is said");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("is a number") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_idle_connections_are_in_no_commands_way_and_are_closed_after_ten_seconds() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let address = admin::address(&rig).await;
    let began = monotonic();
    let mut idle = Vec::new();
    for _ in 0..60 {
        idle.push(TcpStream::connect(&address).await.expect("listens"));
    }
    // These have asked once and keep their connection; the last sends its head too slowly.
    for _ in 0..3 {
        idle.push(asks(&address, &format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\n\r\n")).await);
    }
    idle.push(asks(&address, "GET /healthz HTTP/1.1\r\nhost:").await);
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true);
    let status = monotonic() - began;
    // One more waits, and is answered when they are gone.
    let (ready, _) = admin::get_without_token(&rig, "/readyz").await;
    let waited = monotonic() - began;
    println!("with 64 idle connections the status came after {status:?} and /readyz after {waited:?}");
    assert_eq!(ready, 200);
    assert!(waited >= Duration::from_secs(8), "it was not one of 64: {waited:?}");
    for mut stream in idle {
        let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        closed.expect("is closed").expect("is closed well");
    }
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_silent_connections_have_no_effect_on_calls_and_commands() {
    // This process holds the other ends.
    let own = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: own.maximum, ..own }).expect("is allowed");
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    let pid = Pid::from_raw(i32::try_from(service.pid()).expect("is a process id"));
    prlimit(pid, Resource::Nofile, Rlimit { current: Some(1024), maximum: Some(1024) }).expect("is mine");
    rig.told(EventKind::ShopBaseline).await;
    let address = admin::address(&rig).await;
    let before = descriptors(&service);
    let (clients, connected) = silent(&address, 1_100).await;
    let (calls, began) = (rig.shop.calls(), monotonic());
    rig.sell_one();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    until("the shop is read on", || rig.shop.calls() >= calls + 60).await;
    let took = monotonic() - began;
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true);
    let at = descriptors(&service);
    let (tried, open) = (clients.len(), connected.load(Ordering::Relaxed));
    println!("{tried} silent clients, {open} connected: 60 calls in {took:?}, descriptors {before} before, {at} now");
    assert!(at < before + 100, "{before} {at}");
    let (ended, log) = service.stop();
    assert!(ended.success() && !log.contains("cannot be accepted"), "{log}");
}

fn sale(n: u64) -> Sale {
    let comment = "ขอบคุณค่ะ ".repeat(60);
    serde_json::from_str(&format!(
        r#"{{"id":"{n:024x}","code":"TR{n}","receipt":null,"status":"success","sold_at":"2026-11-23T03:00:00Z",
            "cancelled_at":null,"subtotal":161.10,"discount":0.00,"total":161.10,"currency":"THB","comment":"{comment}",
            "staff":null,"member":null,"payments":[],"lines":[]}}"#
    ))
    .expect("is a sale")
}

/// A store with so many events of some 2 kB, and a delivery of each to a channel that there is no more.
async fn fill(data: PathBuf, events: u64) {
    let epoch = Epoch::from_random([7; 16]);
    let store = Store::open_or_create(&data, epoch.clone()).expect("opens");
    let at: Timestamp = posbell::service::clock::Clock::default().now();
    let shop = ShopId::new("main").expect("is an id");
    let scribe = Scribe::new(shop.clone(), "ร้าน", epoch, at);
    for first in (0..events).step_by(200) {
        let events: Vec<_> = (first..first + 200).map(|n| (at, scribe.sale_created(&sale(n)))).collect();
        let address = Address { channel: ChannelName::new("gone").expect("is a name"), recipient: None };
        let planned = events.iter().map(|(_, event)| {
            Delivery::new(address.clone(), shop.clone(), "all".to_owned(), vec![event.id.clone()], at)
        });
        let deliveries = planned.collect();
        store.commit(Commit { events, deliveries, ..Commit::default() }).await.expect("is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_lists_more_than_one_answer_has() {
    let rig = Rig::new(RigPlan::default());
    fill(rig.path().join("posbell-data"), 3_000).await;
    let listed = || {
        let [events, deliveries] = ["events", "deliveries"].map(|what| rig.lines(&[what, "--json", "--limit", "2500"]));
        let ids: Vec<_> = deliveries.iter().map(|one| one["id"].to_string()).collect();
        (events, ids)
    };
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let running = listed();
    let all = rig.lines(&["export", "events"]);
    assert_eq!(running.0, all[all.len() - 2_500..]);
    assert_eq!(running.1.iter().collect::<std::collections::BTreeSet<_>>().len(), 2_500);
    let newest: Vec<_> = rig.lines(&["deliveries", "--json"]).iter().map(|one| one["id"].to_string()).collect();
    assert_eq!(running.1[2_400..], newest);
    let (status, why) = admin::get(&rig, "/api/v1/events?before=evt_none").await;
    assert!(status == 404 && why.contains("there is no event"), "{status} {why}");
    let (ended, log) = service.stop();
    assert!(ended.success(), "{log}");
    assert_eq!(listed(), running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_fifty_slow_readers_cost_little_memory_and_give_it_back() {
    let rig = Rig::new(RigPlan::default());
    fill(rig.path().join("posbell-data"), 10_000).await;
    // As the unit has it.
    let service = rig.start_with(|command| {
        command.env("MALLOC_ARENA_MAX", "1");
    });
    rig.told(EventKind::ShopBaseline).await;
    let address = admin::address(&rig).await;
    let whole = admin::get(&rig, "/api/v1/events?limit=1000").await.1.len();
    let before = memory(&service);
    let head = format!(
        "GET /api/v1/events?limit=1000 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\r\n",
        admin::token(&rig)
    );
    let mut readers = JoinSet::new();
    for _ in 0..150 {
        let (address, head) = (address.clone(), head.clone());
        readers.spawn(async move {
            let mut stream = asks(&address, &head).await;
            let mut taken = [0; 512];
            while let Ok(1..) = stream.read(&mut taken).await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
    }
    let mut most = before;
    let calls = rig.shop.calls();
    until("they have read for a while", || {
        most = most.max(memory(&service));
        rig.shop.calls() >= calls + 300
    })
    .await;
    assert_eq!(rig.lines(&["events", "--json"]).len(), 100, "a command is answered meanwhile");
    readers.shutdown().await;
    until("they are gone", || descriptors(&service) < 60).await;
    let after = memory(&service);
    println!("150 slow readers of {whole} bytes: {before} MiB before, at most {most} MiB, {after} MiB after");
    // Each of them would have taken as much as it asked for.
    assert!(most < before + 60 && after < before + 40, "{before} {most} {after}");
    drop(service);
}
