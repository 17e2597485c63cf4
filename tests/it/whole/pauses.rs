//! What a pause of a channel does not do: end at a restart, grow with a delivery's own delay, or defy a person.

use std::collections::BTreeSet;
use std::time::Duration;

use posbell::domain::event::EventKind;
use tokio::io::AsyncWriteExt;

use crate::channel::receiver::Receiver;
use crate::support::rig::{Rig, RigPlan, until};
use crate::support::telegram::BotApi;

const SALES: &str = "[[rule]]\nname = \"sales\"\non = [\"sale.created\"]\nto = [\"erp\"]\ngroup = \"0s\"\n\
    [[rule]]\nname = \"baseline\"\non = [\"shop.baseline\"]\nto = [\"receiver\"]\n";

/// A shop whose sales go to the channel of these lines.
fn rig(channel: &str) -> Rig {
    let config = format!("\n[channel.erp]\n{channel}\n");
    Rig::new(RigPlan { config, rules: SALES.to_owned(), ..RigPlan::default() })
}

fn group(bot: &BotApi, more: &str) -> Rig {
    let url = bot.url();
    rig(&format!(
        "type = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = -1001\napi_url = \"{url}\"\n{more}"
    ))
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

fn ids(erp: &Receiver) -> Vec<String> {
    erp.requests().iter().map(|one| one.header("webhook-id").expect("has an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_within_a_pause_sends_nothing_before_its_end() {
    let bot = BotApi::start().await;
    bot.refuse(1, 8);
    let rig = group(&bot, "rate = [\"50/1s\"]");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("erp", 3).await;
    until("the wish", || !bot.refused().is_empty()).await;
    let refused = || rig.lines(&["deliveries", "--state", "retrying", "--json"]).len();
    until("its settling", || refused() == 1).await;
    service.kill();
    let service = rig.start();
    rig.sell_one_by_one("erp", 1).await;
    until("four messages", || bot.messages().len() == 4).await;
    assert_eq!((bot.refused().len(), bot.early(), bot.calls()), (1, 0, 5));
    let texts: Vec<String> = bot.messages().into_iter().map(|one| one.text).collect();
    assert_eq!(texts[0], bot.refused()[0], "it keeps its place");
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), 4);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_does_not_forget_what_a_rate_has_counted() {
    let bot = BotApi::start().await;
    bot.keep_rates(&[(5, Duration::from_secs(10))]);
    let rig = group(&bot, "rate = [\"5/10s\"]");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("erp", 5).await;
    until("five messages", || bot.messages().len() == 5).await;
    until("their settling", || rig.lines(&["deliveries", "--state", "delivered", "--json"]).len() == 6).await;
    service.stop();
    let service = rig.start();
    rig.sell_one_by_one("erp", 1).await;
    until("the sixth message", || bot.messages().len() == 6).await;
    assert_eq!((bot.refused(), bot.calls()), (Vec::new(), 6));
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_do_not_wait_for_the_delay_of_the_one_that_met_a_wish() {
    let erp = receiver("503 \r\nretry-after: 1").await;
    let rig = webhook(&erp, "retry_first = \"6h\"");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("erp", 3).await;
    until("the others", || erp.requests().len() == 3).await;
    let first = ids(&erp).remove(0);
    assert!(ids(&erp)[1..].iter().all(|id| *id != first), "its own delay is not shortened");
    let said = rig.run(&["retry", "--channel", "erp"]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("Retried 1 message"));
    until("the first", || ids(&erp)[3..].contains(&first)).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_retries_a_channel_does_not_end_its_pause() {
    let erp = receiver("429 \r\nretry-after: 3600").await;
    let rig = webhook(&erp, "");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one_by_one("erp", 3).await;
    let paused = || String::from_utf8_lossy(&rig.run(&["status"]).stdout).contains("as the receiver asked for a pause");
    until("a pause", paused).await;
    assert_eq!(erp.requests().len(), 1);
    let said = rig.run(&["retry", "--channel", "erp"]);
    assert!(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("stays as it is"), "{said:?}");
    // A call would leave at once: the loop has been woken, and has looked, when another sale is planned.
    rig.sell_one_by_one("erp", 1).await;
    assert!(paused());
    assert_eq!(erp.requests().len(), 1);
    drop(service);
}
