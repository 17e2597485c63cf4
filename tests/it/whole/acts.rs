//! Dead letters that are tried again, and messages that a person has ended: while the service runs, when it does not,
//! and through kills.

use std::collections::BTreeSet;

use posbell::domain::event::EventKind;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::held::{asked_with_token, asked_without_token};
use crate::support::rig::{PATIENCE, Rig, RigPlan, event};
use crate::support::smtp::{Behaviour, MailServer};

const SALES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.created\", \"shop.baseline\"]\nto = [\"receiver\"]\n";

/// A rig that gives up after so long.
fn rig(retry_for: &str) -> Rig {
    let rig = Rig::new(RigPlan { rules: SALES.to_owned(), ..RigPlan::default() });
    rig.configure("[delivery]", &format!("[delivery]\nretry_for = \"{retry_for}\""));
    rig
}

fn listed(rig: &Rig, state: &str) -> Vec<Value> {
    rig.lines(&["deliveries", "--state", state, "--json"])
}

fn ids(deliveries: &[Value]) -> Vec<&str> {
    deliveries.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

/// Waits until so many deliveries are in this state.
async fn until(rig: &Rig, state: &str, count: usize) -> Vec<Value> {
    let all = async {
        loop {
            let found = listed(rig, state);
            if found.len() >= count {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap_or_else(|_| panic!("never {count} {state}"))
}

#[track_caller]
fn said(rig: &Rig, args: &[&str], parts: &[&str]) {
    let output = rig.run(args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {text}");
    parts.iter().for_each(|part| assert!(text.contains(part), "no {part} in {text}"));
}

#[track_caller]
fn refused(rig: &Rig, code: i32, args: &[&str], parts: &[&str]) {
    let output = rig.run(args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    parts.iter().for_each(|part| assert!(text.contains(part), "no {part} in {text}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_reach_the_mended_receiver_under_the_ids_they_had() {
    let rig = rig("300ms");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    said(&rig, &["retry", "--dead"], &["There are no dead letters."]);
    rig.receiver.answer(Some(503));
    for _ in 0..3 {
        rig.sell_one();
    }
    let dead = until(&rig, "dead", 3).await;
    let shown = String::from_utf8(rig.run(&["status"]).stdout).unwrap();
    assert!(shown.contains("3 dead letters") && shown.contains("posbell retry --dead"), "{shown}");

    // While it is broken a retry has its own time, and then stands as a dead letter again.
    said(&rig, &["retry", ids(&dead)[0]], &["Retried 1 message"]);
    let retried = async {
        loop {
            let one = rig.lines(&["deliveries", "show", ids(&dead)[0], "--json"]).remove(0);
            if one["state"]["state"] == "dead" && one["tried"].as_u64() > dead[0]["tried"].as_u64() {
                return one;
            }
            tokio::task::yield_now().await;
        }
    };
    let again = tokio::time::timeout(PATIENCE, retried).await.unwrap();
    let before = dead[0]["attempts"].as_array().unwrap();
    assert_eq!(again["attempts"].as_array().unwrap()[..before.len()], before[..], "the history is kept");

    rig.receiver.answer(None);
    said(&rig, &["retry", "--dead", "--channel", "receiver"], &["Retried 3 messages"]);
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    let told: BTreeSet<&str> =
        received.iter().filter(|one| event(one).kind == EventKind::SaleCreated).map(|one| one.id.as_str()).collect();
    let known: BTreeSet<&str> = dead.iter().map(|one| one["events"][0].as_str().unwrap()).collect();
    assert_eq!(told, known, "webhook-id is the event's id");
    let delivered = until(&rig, "delivered", 4).await;
    assert_eq!(ids(&delivered)[1..], ids(&dead), "the same deliveries");
    said(
        &rig,
        &["deliveries", "show", ids(&dead)[1]],
        &["delivered", "a person had it sent again", "answered 503", "REASON"],
    );
    said(&rig, &["retry", "--dead"], &["There are no dead letters."]);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_message_is_never_sent_also_not_after_a_kill() {
    let rig = rig("72h");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.receiver.answer(Some(503));
    let dropped = [rig.sell_one(), rig.sell_one()];
    let waiting = until(&rig, "retrying", 2).await;
    said(&rig, &["drop", ids(&waiting)[0]], &["Dropped 1 message", "--state dropped"]);
    said(&rig, &["drop", ids(&waiting)[0]], &["so already"]);
    service.kill();
    said(&rig, &["drop", ids(&waiting)[1]], &["Dropped 1 message"]);
    rig.receiver.answer(None);
    let service = rig.start();
    let sold = rig.sell_one();
    let received = rig.until(|all| all.iter().any(|one| event(one).subject.as_str().ends_with(sold.id.as_str()))).await;
    service.kill();
    // What was sent later has come, and what was dropped has not.
    let service = rig.start();
    let last = rig.sell_one();
    let all = rig.until(|all| all.iter().any(|one| event(one).subject.as_str().ends_with(last.id.as_str()))).await;
    for one in all.iter().chain(&received) {
        let subject = event(one).subject;
        assert!(!dropped.iter().any(|sale| subject.as_str().ends_with(sale.id.as_str())), "{subject:?} was dropped");
    }
    assert_eq!(ids(&listed(&rig, "dropped")), ids(&waiting));
    refused(&rig, 1, &["retry", ids(&waiting)[0]], &["it was dropped", "posbell replay", "nothing was changed"]);
    drop(service);
}

/// A receiver that takes a call and answers when, and what, the test says.
struct Slow(TcpListener);

impl Slow {
    async fn start() -> Slow {
        Slow(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn url(&self) -> String {
        format!("http://{}/", self.0.local_addr().unwrap())
    }

    /// The next call, read to the end of its headers.
    async fn call(&self) -> TcpStream {
        let call = async {
            let (mut stream, _) = self.0.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.windows(4).any(|end| end == b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
            }
            stream
        };
        tokio::time::timeout(PATIENCE, call).await.unwrap()
    }
}

async fn answer(mut call: TcpStream, status: &str) {
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    call.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_on_a_message_that_is_being_sent_is_safe() {
    let slow = Slow::start().await;
    let rig = rig("72h");
    rig.configure(&format!("url = \"{}\"", rig.receiver.url()), &format!("url = \"{}\"", slow.url()));
    rig.configure("timeout = \"5s\"\n", "timeout = \"60s\"\n");
    rig.configure(
        "allow_networks = [\"127.0.0.0/8\"]\ntimeout = \"5s\"",
        "allow_networks = [\"127.0.0.0/8\"]\ntimeout = \"60s\"",
    );
    let service = rig.start();
    let first = slow.call().await;
    let baseline = until(&rig, "pending", 1).await;
    let id = ids(&baseline)[0];
    said(&rig, &["drop", id], &["Dropped 1 message", "may still arrive"]);
    answer(first, "503 Service Unavailable").await;
    // The attempt's end is written down beside the word, and takes nothing of it back.
    let written = async {
        loop {
            let dropped = rig.lines(&["deliveries", "show", id, "--json"]).remove(0);
            if dropped["tried"] == 1 {
                return dropped;
            }
            tokio::task::yield_now().await;
        }
    };
    let dropped = tokio::time::timeout(PATIENCE, written).await.unwrap();
    assert_eq!(dropped["state"]["state"], "dropped");

    rig.sell_one();
    let second = slow.call().await;
    let sale = until(&rig, "pending", 1).await;
    said(&rig, &["drop", ids(&sale)[0]], &["Dropped 1 message"]);
    answer(second, "204 No Content").await;
    let taken = until(&rig, "delivered", 1).await;
    assert_eq!(ids(&taken), ids(&sale), "the receiver has it: that is what stands");

    rig.sell_one();
    answer(slow.call().await, "503 Service Unavailable").await;
    let third = slow.call().await;
    let sale = until(&rig, "retrying", 1).await;
    said(&rig, &["retry", ids(&sale)[0]], &["Retried 1 message"]);
    answer(third, "503 Service Unavailable").await;
    answer(slow.call().await, "204 No Content").await;
    let taken = until(&rig, "delivered", 2).await;
    assert_eq!((&taken[1]["id"], &taken[1]["tried"]), (&sale[0]["id"], &3.into()));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_mail_has_the_message_id_it_had() {
    let mail = MailServer::start().await;
    let config = format!(
        "\n[channel.books]\ntype = \"email\"\nsmtp = \"{}\"\nfrom = \"posbell <shop@example.com>\"\n\
         to = [\"a@example.com\"]\nretry_for = \"300ms\"\n",
        mail.url()
    );
    let rules = SALES.replace("\"receiver\"", "\"receiver\", \"books\"");
    let rig = Rig::new(RigPlan { config, rules, ..RigPlan::default() });
    mail.behave(Behaviour::TryLater);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let dead = until(&rig, "dead", 1).await;
    mail.behave(Behaviour::Take);
    said(&rig, &["retry", "--dead"], &["Retried 1 message"]);
    let arrived = async {
        while mail.mails().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrived).await.unwrap();
    let message_id = format!("<{}@example.com>", ids(&dead)[0]);
    assert_eq!(mail.mails()[0].header("Message-ID"), Some(message_id.as_str()));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_with_what_to_do() {
    let rig = rig("300ms");
    refused(&rig, 1, &["retry", "--dead"], &["posbell run"]);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let delivered = until(&rig, "delivered", 1).await;
    let id = ids(&delivered)[0].to_owned();
    rig.receiver.answer(Some(410));
    rig.sell_one();
    let dead = until(&rig, "dead", 1).await;
    let check = || {
        refused(&rig, 1, &["retry", "dlv_0"], &["dlv_0: there is no such delivery", "posbell deliveries"]);
        refused(&rig, 1, &["drop", "dlv_0", "../x"], &["../x: there is no such", "2 of 2 deliveries were not changed"]);
        refused(&rig, 1, &["retry", &id], &["it is delivered", "posbell replay --since"]);
        refused(&rig, 1, &["drop", &id], &["nothing left to drop"]);
        refused(&rig, 1, &["retry", "--dead", "--channel", "erp"], &["there is no channel `erp`; there is: receiver"]);
        refused(&rig, 1, &["retry", "--channel", "erp"], &["there is no channel `erp`; there is: receiver"]);
        said(
            &rig,
            &["retry", "--channel", "receiver"],
            &[
                "Nothing waits for receiver because an attempt failed. A pause that its receiver asked for stays as it is.",
            ],
        );
        said(&rig, &["drop", "--dead", "--channel", "erp"], &["There are no dead letters to erp."]);
    };
    check();
    for wrong in [&["retry"][..], &["drop"], &["retry", "--dead", &id], &["drop", "--channel", "erp"]] {
        refused(&rig, 2, wrong, &["Usage"]);
    }
    for path in ["deliveries/retry", "deliveries/drop", "events/replay"] {
        let path = format!("/api/v1/{path}");
        assert_eq!(asked_without_token(&rig, "POST", &path).await, "HTTP/1.1 401 Unauthorized");
        assert_eq!(asked_with_token(&rig, "GET", &path).await, "HTTP/1.1 405 Method Not Allowed");
    }
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    // Without the service the store is asked, and says the same.
    check();
    said(&rig, &["retry", "--dead"], &["Retried 1 message", "The service is not running; they are sent when it runs."]);
    assert_eq!(ids(&listed(&rig, "retrying")), ids(&dead));
    let name = "[channel.receiver]";
    rig.configure(name, "[channel.other]");
    std::fs::write(rig.path().join("rules/rules.toml"), SALES.replace("receiver", "other")).unwrap();
    refused(&rig, 1, &["retry", ids(&dead)[0]], &["the configuration has lost its channel `receiver`", "posbell drop"]);
    said(&rig, &["drop", ids(&dead)[0]], &["Dropped 1 message"]);
}
