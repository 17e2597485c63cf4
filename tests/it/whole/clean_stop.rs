//! A stop that was asked for waits for nobody, and what it cuts off is sent by the next start.

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::demo::shop::Fault;
use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::admin;
use crate::support::rig::{PATIENCE, Rig, RigPlan, event, monotonic};

/// How many deliveries are under way.
const IN_FLIGHT: usize = 6;

/// How long a stop may take: what `ENDING` gives to attempts and `LAST_THREADS` to threads, on a busy machine. Far below
/// the minute for which an attempt may wait for its answer.
const STOP: Duration = Duration::from_secs(15);

fn ids(rig: &Rig) -> BTreeSet<String> {
    let deliveries = rig.lines(&["deliveries", "--json"]);
    let unsettled = deliveries.iter().filter(|one| one["state"]["state"] != "delivered");
    unsettled.map(|one| one["id"].as_str().expect("has one").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_does_not_wait_for_a_receiver_and_loses_nothing_that_it_holds() {
    let rig = Rig::new(RigPlan { config: format!("concurrency = {IN_FLIGHT}\n"), ..RigPlan::default() });
    let patient = "allow_networks = [\"127.0.0.0/8\"]\ntimeout = ";
    rig.configure(&format!("{patient}\"5s\""), &format!("{patient}\"1m\""));
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.hold();
    for _ in 0..IN_FLIGHT {
        rig.sell_one();
    }
    tokio::time::timeout(PATIENCE, rig.receiver.holds(IN_FLIGHT)).await.expect("all are under way");
    let began = monotonic();
    let (status, log) = service.stop();
    let took = monotonic() - began;
    assert!(status.success(), "{log}");
    assert!(took < STOP, "the stop took {took:?}: {log}");
    println!("with {IN_FLIGHT} messages under way the stop took {took:?}");
    let cut_off = ids(&rig);
    assert!(cut_off.len() >= IN_FLIGHT, "{cut_off:?}");
    rig.receiver.release();
    let _service = rig.start();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let sales: Vec<_> = received.iter().filter(|one| event(one).kind == EventKind::SaleCreated).collect();
    let distinct: BTreeSet<&str> = sales.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(distinct.len(), IN_FLIGHT, "each was told under one id");
    let settled = async {
        while !ids(&rig).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("all are settled");
    let delivered = rig.lines(&["deliveries", "--state", "delivered", "--json"]);
    let delivered: BTreeSet<_> = delivered.iter().filter_map(|one| one["id"].as_str()).collect();
    assert!(cut_off.iter().all(|id| delivered.contains(id.as_str())), "{cut_off:?} {delivered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_waits_neither_for_the_api_nor_for_whoever_asks() {
    let rig = Rig::new(RigPlan::default());
    rig.configure("timeout = \"5s\"", "timeout = \"1m\"");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let admin = &admin::address(&rig).await;
    // One that keeps its connection, and one that has not ended its question.
    let mut connections = Vec::new();
    for question in ["GET /healthz HTTP/1.1\r\nhost: ADMIN\r\n\r\n", "GET /healthz HTTP/1.1\r\nhost:"] {
        let mut connection = TcpStream::connect(admin).await.expect("is open");
        connection.write_all(question.replace("ADMIN", admin).as_bytes()).await.expect("is taken");
        connections.push(connection);
    }
    let mut answer = [0; 12];
    connections[0].read_exact(&mut answer).await.expect("answers");
    assert_eq!(&answer, b"HTTP/1.1 200");
    for resource in Resource::ALL {
        rig.shop.fail_next(resource, Fault::Slow(PATIENCE), usize::MAX);
    }
    let calls = rig.shop.calls();
    let asked = async {
        while rig.shop.calls() < calls + Resource::ALL.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("the shop is asked");
    let began = monotonic();
    let (status, log) = service.stop();
    let took = monotonic() - began;
    assert!(status.success(), "{log}");
    assert!(took < STOP, "the stop took {took:?}: {log}");
    println!("with calls under way the stop took {took:?}");
}
