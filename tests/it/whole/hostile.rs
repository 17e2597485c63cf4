//! Receivers that never end what they say, break off, or speak in another charset: what they cost, and what counts.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posbell::domain::event::EventKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::channel::receiver::Receiver;
use crate::support::raw_smtp::{RawSmtp, Says, ordinary};
use crate::support::rig::{Rig, RigPlan, Service, monotonic, until};

/// Sales go everywhere, everything else to the good receiver.
fn rules(channels: &str) -> String {
    format!(
        "[[rule]]\nname = \"sales\"\non = [\"sale.created\"]\nto = [\"receiver\", {channels}]\ngroup = \"0s\"\n\
         [[rule]]\nname = \"own\"\non = [\"shop.*\"]\nto = [\"receiver\"]\n"
    )
}

fn chat(address: std::net::SocketAddr) -> String {
    format!(
        "\n[channel.owner]\ntype = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = 5\n\
         api_url = \"http://{address}/\"\n"
    )
}

fn mailbox(smtp: &RawSmtp) -> String {
    format!(
        "\n[channel.accountant]\ntype = \"email\"\nsmtp = \"{}\"\nfrom = \"shop@example.com\"\n\
         to = [\"accountant@example.com\"]\n",
        smtp.url()
    )
}

/// Kilobytes of memory that the program has used at most so far.
fn peak(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).expect("runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("says its peak");
    line.trim().trim_end_matches(" kB").parse().expect("is a number")
}

/// How many deliveries to the channel are in this state.
fn count(rig: &Rig, channel: &str, state: &str) -> usize {
    rig.lines(&["deliveries", "--channel", channel, "--state", state, "--json"]).len()
}

/// A monitor that answers its heartbeats without an end; the number counts them. It ends with the test.
#[allow(clippy::disallowed_methods, reason = "the outside world runs beside the test")]
async fn endless_monitor(beats: &Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("is bound");
    let beats = Arc::clone(beats);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let beats = Arc::clone(&beats);
            tokio::spawn(async move {
                if stream.read(&mut [0; 1024]).await.is_ok() {
                    beats.fetch_add(1, Ordering::Relaxed);
                    pour(stream, "HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 64 * 1024]).await;
                }
            });
        }
    });
    format!("\n[heartbeat]\nurl = \"http://{address}/\"\nevery = \"1s\"\n")
}

async fn pour(mut stream: TcpStream, first: &str, again: &[u8]) {
    let mut sent = stream.write_all(first.as_bytes()).await;
    while sent.is_ok() {
        sent = stream.write_all(again).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_an_end_cost_little_memory() {
    let calls = Arc::new(AtomicUsize::new(0));
    let called = Arc::clone(&calls);
    let bot = Receiver::start(move |stream| {
        called.fetch_add(1, Ordering::Relaxed);
        pour(stream, "HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 64 * 1024])
    })
    .await;
    let mail = RawSmtp::start(|_| Says::Endless(b"220 ".to_vec(), b"x".to_vec())).await;
    let beats = Arc::default();
    let config = chat(bot.address()) + &mailbox(&mail) + &endless_monitor(&beats).await;
    let rig = Rig::new(RigPlan { config, rules: rules("\"owner\", \"accountant\""), ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let before = peak(&service);
    rig.sell_one_by_one("owner", 4).await;
    until("each tries each", || calls.load(Ordering::Relaxed) >= 4 && mail.connections() >= 4).await;
    until("they are tried again", || {
        count(&rig, "owner", "retrying") == 4 && count(&rig, "accountant", "retrying") == 4
    })
    .await;
    until("the monitor hears it", || beats.load(Ordering::Relaxed) >= 1).await;
    let after = peak(&service);
    println!(
        "peak {before} KiB before, {after} KiB behind {} endless answers of a Bot API and {} endless lines of a mail \
         server ({} KiB left it, its buffers included)",
        calls.load(Ordering::Relaxed),
        mail.connections(),
        mail.poured() / 1024
    );
    assert!(after - before < 32 * 1024, "{before} KiB, then {after} KiB");
    let sales = |received: &[posbell::demo::receiver::Received]| {
        received
            .iter()
            .flat_map(crate::support::rig::events)
            .filter(|event| event.kind == EventKind::SaleCreated)
            .count()
    };
    rig.until(|received| sales(received) >= 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_read_of_an_answer_is_sent_once() {
    let broken = Receiver::saying("HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\nok").await;
    let cut = Receiver::saying("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n").await;
    let mail = RawSmtp::start(|line| match line {
        "" => Says::Bytes(b"220 \xca\xc7\xd1\xca\xb4\xd5\r\n".to_vec()),
        "." => Says::Bytes(b"250 2.0.0 \xe0\xc3\xd5\xc2\xba\xc3\xe9\xcd\xc2\r\n".to_vec()),
        line => ordinary(line),
    })
    .await;
    let webhook = |name: &str, receiver: &Receiver| {
        format!(
            "\n[channel.{name}]\ntype = \"webhook\"\nurl = \"http://{}/\"\nallow_networks = [\"127.0.0.0/8\"]\n",
            receiver.address()
        )
    };
    let config = webhook("broken", &broken) + &webhook("cut", &cut) + &mailbox(&mail);
    let rules = rules("\"broken\", \"cut\", \"accountant\"");
    let rig = Rig::new(RigPlan { config, rules, ..RigPlan::default() });
    let _service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("accountant", 2).await;
    for channel in ["broken", "cut", "accountant"] {
        until("both are delivered", || count(&rig, channel, "delivered") == 2).await;
    }
    assert_eq!((broken.requests().len(), cut.requests().len()), (2, 2));
    assert_eq!(mail.heard().iter().filter(|line| *line == ".").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_shown_in_the_servers_words_and_no_redirect_is_followed() {
    let elsewhere = Receiver::with_status(200, "").await;
    let bot = Receiver::with_status(307, &format!("location: http://{}/\r\n", elsewhere.address())).await;
    let mail = RawSmtp::start(|line| match line {
        line if line.starts_with("RCPT") => Says::Bytes(b"550 5.1.1 \xe4\xc1\xe8\xc1\xd5\r\n".to_vec()),
        line => ordinary(line),
    })
    .await;
    let config = chat(bot.address()) + &mailbox(&mail);
    let rig = Rig::new(RigPlan { config, rules: rules("\"owner\", \"accountant\""), ..RigPlan::default() });
    let _service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("owner", 1).await;
    let shown = |channel: &str| {
        let output = rig.run(&["deliveries", "--channel", channel]);
        String::from_utf8(output.stdout).expect("is text")
    };
    until("the redirect is shown", || shown("owner").contains("answered 307")).await;
    until("the refusal is shown", || shown("accountant").contains("the recipient was refused")).await;
    assert!(shown("accountant").contains("550 5.1.1 ไม่มี"), "{}", shown("accountant"));
    assert_eq!(elsewhere.requests(), []);
}

/// `POSBELL_SALES=100 cargo test --test it beside_a_mail_server -- --nocapture` measures it.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_beside_a_mail_server_that_never_ends() {
    let sales = std::env::var("POSBELL_SALES").ok().and_then(|sales| sales.parse().ok()).unwrap_or(8);
    let alone = latencies(None, sales).await;
    let mail = RawSmtp::start(|line| match line {
        line if line.starts_with("EHLO") => Says::Endless(Vec::new(), b"250-AUTH PLAIN\r\n".to_vec()),
        line => ordinary(line),
    })
    .await;
    let beside = latencies(Some(&mail), sales).await;
    let p95 = |times: &[Duration]| times[(times.len() * 95).div_ceil(100) - 1];
    println!(
        "{sales} sales on one core, from the till to the webhook: p50 {:?} and p95 {:?} alone; p50 {:?} and p95 {:?} \
         beside {} replies without an end",
        alone[alone.len() / 2],
        p95(&alone),
        beside[beside.len() / 2],
        p95(&beside),
        mail.connections()
    );
    assert!(mail.connections() > 0);
}

/// How long each sale took to the good receiver, sorted, with the program on one core.
async fn latencies(mail: Option<&RawSmtp>, sales: usize) -> Vec<Duration> {
    let (config, to) = match mail {
        Some(mail) => (mailbox(mail), "\"accountant\""),
        None => (String::new(), ""),
    };
    let rig = Rig::new(RigPlan { config, rules: rules(to), ..RigPlan::default() });
    let _service = rig.start_with(|command| {
        let mut on_one_core = Command::new("taskset");
        on_one_core.args(["-c", "0"]).arg(command.get_program()).args(command.get_args());
        on_one_core.current_dir(rig.path());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => on_one_core.env(name, value),
                None => on_one_core.env_remove(name),
            };
        }
        *command = on_one_core;
    });
    rig.told(EventKind::ShopBaseline).await;
    let arrived = || rig.arrivals.lock().expect("no test panics with the lock").len();
    let mut times = Vec::new();
    for _ in 0..sales {
        let (before, sold) = (arrived(), monotonic());
        rig.sell_one();
        until("it arrives", || arrived() > before).await;
        let at = rig.arrivals.lock().expect("no test panics with the lock")[before].0;
        times.push(at.saturating_sub(sold));
    }
    times.sort_unstable();
    times
}
