//! What a pause of a channel does not do: grow with a delivery's own delay, or defy a person.

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::domain::event::EventKind;
use tokio::io::AsyncWriteExt;

use crate::channel::receiver::Receiver;
use crate::support::rig::{PATIENCE, Rig, RigPlan};

const SALES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.created\"]\nto = [\"erp\"]\n\
    [[rule]]\nname = \"baseline\"\non = [\"shop.baseline\"]\nto = [\"receiver\"]\n";

/// A shop whose sales go to the channel of these lines.
fn rig(channel: &str) -> Rig {
    let config = format!("\n[channel.erp]\n{channel}\n");
    Rig::new(RigPlan { config, rules: SALES.to_owned(), ..RigPlan::default() })
}

/// A webhook that answers so to the first call, and takes all others.
async fn receiver(first: &'static str) -> Receiver {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    Receiver::start(move |mut stream| {
        let answer = match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => format!("HTTP/1.1 {first}\r\ncontent-length: 0\r\n\r\n"),
            _ => "HTTP/1.1 204 \r\n\r\n".to_owned(),
        };
        async move { drop(stream.write_all(answer.as_bytes()).await) }
    })
    .await
}

fn webhook(erp: &Receiver, more: &str) -> Rig {
    let url = format!("http://{}/", erp.address());
    rig(&format!("type = \"webhook\"\nurl = \"{url}\"\nallow_networks = [\"127.0.0.0/8\"]\nconcurrency = 1\n{more}"))
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// So many sales, each in a pass of its own.
async fn sell(rig: &Rig, times: usize) {
    for _ in 0..times {
        let before = rig.lines(&["deliveries", "--channel", "erp", "--json"]).len();
        rig.sell_one();
        until("a delivery", || rig.lines(&["deliveries", "--channel", "erp", "--json"]).len() > before).await;
    }
}

fn ids(erp: &Receiver) -> Vec<String> {
    erp.requests().iter().map(|one| one.header("webhook-id").expect("has an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_do_not_wait_for_the_delay_of_the_one_that_met_a_wish() {
    let erp = receiver("503 \r\nretry-after: 1").await;
    let rig = webhook(&erp, "retry_first = \"6h\"");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    sell(&rig, 3).await;
    until("the others", || erp.requests().len() == 3).await;
    let first = ids(&erp).remove(0);
    assert!(ids(&erp)[1..].iter().all(|id| *id != first), "its own delay is not shortened");
    let said = rig.run(&["retry", "--channel", "erp"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("Retried 1 message"));
    until("the first", || ids(&erp)[3..].contains(&first)).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_retries_a_channel_ends_its_pause() {
    let erp = receiver("429 \r\nretry-after: 3600").await;
    let rig = webhook(&erp, "");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    sell(&rig, 3).await;
    let paused = || String::from_utf8_lossy(&rig.run(&["status"]).stdout).contains("as the receiver asked for a pause");
    until("a pause", paused).await;
    assert_eq!(erp.requests().len(), 1);
    assert!(rig.run(&["retry", "--channel", "erp"]).status.success());
    until("all of them", || erp.requests().len() == 4).await;
    let ids = ids(&erp);
    assert_eq!((&ids[1], ids.iter().collect::<BTreeSet<_>>().len()), (&ids[0], 3), "what met the wish is the probe");
    assert!(!paused());
    drop(service);
}
