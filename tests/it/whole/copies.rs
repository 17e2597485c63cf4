//! A backup while the shop is open, what it is restored into, and what the world is told after that.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};
use std::time::Duration;

use posbell::demo::receiver::Received;
use posbell::domain::event::EventKind;
use serde_json::Value;

use crate::support::rig::{PATIENCE, Rig, RigPlan, event};

/// Every change of stock besides, whose ids are counted.
const RULES: &str = r#"
[[rule]]
name = "everything"
on = ["sale.*", "stock.*", "shop.*"]
to = ["receiver"]
"#;

fn rig() -> Rig {
    Rig::new(RigPlan { products: 60, sales: 30, seed: 5, rules: RULES.to_owned(), ..RigPlan::default() })
}

/// Runs a command while other things go on.
pub(super) async fn run(rig: &Rig, args: &[&str]) -> Output {
    let mut child = rig.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let ended = async {
        while child.try_wait().expect("is a child").is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("ends");
    child.wait_with_output().expect("has ended")
}

#[track_caller]
pub fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).expect("is text")
}

#[track_caller]
pub(super) fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Sells now and then until `end` returns.
pub(super) async fn sell_during<T>(rig: &Rig, end: impl Future<Output = T>) -> T {
    let selling = async {
        loop {
            rig.sell_one();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    tokio::select! {
        never = selling => never,
        ended = end => ended,
    }
}

/// What an event says, apart from its id.
fn change(event: &Value) -> (String, String, Value) {
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    (text("type"), text("subject"), event["data"].clone())
}

/// No id stands for two changes, and what is in the backup was told under the id that it has there and under no other.
pub(super) fn assert_ids(received: &[Received], in_backup: &[Value]) {
    let known: BTreeMap<String, &str> = in_backup
        .iter()
        .map(|event| (format!("{:?}", change(event)), event["id"].as_str().expect("has one")))
        .collect();
    assert_eq!(known.len(), in_backup.len(), "a change stands in the backup under two ids");
    let mut by_id = BTreeMap::new();
    for one in received {
        let event: Value = serde_json::from_str(&one.body).expect("is JSON");
        let (kind, subject, data) = change(&event);
        if let Some(id) = known.get(&format!("{:?}", change(&event))) {
            assert_eq!(event["id"], *id, "{kind} of {subject} was told before the backup under another id");
        }
        // A sale that is found anew is told as it is by then; everything else is one change, told with one text.
        let data = if kind.starts_with("sale.") { Value::Null } else { data };
        let said = (kind, subject, data);
        let before = by_id.entry(one.id.clone()).or_insert_with(|| said.clone());
        assert_eq!(*before, said, "{} stands for two changes", one.id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_open_shop_is_restored_and_no_id_is_told_for_two_changes() {
    let rig = rig();
    let path = rig.path().join("posbell.backup");
    let file = path.to_str().expect("is text");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let backups = async {
        let mut made = 0;
        // How much is sold beside a backup depends on the machine.
        while made < 4 || rig.receiver.received().len() <= 12 {
            done(&run(&rig, &["backup", file]).await);
            made += 1;
        }
    };
    sell_during(&rig, backups).await;
    // One message waits in the backup, and is delivered after it.
    rig.receiver.answer(Some(503));
    rig.sell_one();
    let waits = async {
        while rig.lines(&["deliveries", "--state", "retrying", "--json"]).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("a message waits");
    let said = done(&sell_during(&rig, run(&rig, &["backup", file])).await);
    assert!(said.contains("1 shops with") && said.contains("read it back"), "{said}");
    assert_eq!(std::fs::metadata(&path).expect("is there").permissions().mode() & 0o777, 0o600);
    rig.receiver.answer(None);
    // What is lost: counters go on, and the next of them are given to these.
    sell_during(&rig, tokio::time::sleep(Duration::from_secs(1))).await;
    rig.all_told().await;
    let refusal = refused(&run(&rig, &["restore", file]).await);
    assert!(refusal.contains("in use by process") && refusal.contains("stop the service"), "{refusal}");
    drop(service.stop());
    let lost = rig.lines(&["export", "events"]);

    // Into an empty directory first.
    let data = rig.path().join("posbell-data");
    std::fs::rename(&data, rig.path().join("lost-data")).expect("moves");
    let said = done(&run(&rig, &["restore", file]).await);
    assert!(said.contains("There was nothing in its place") && said.contains("are sent under the ids"), "{said}");
    let in_backup = rig.lines(&["export", "events"]);
    assert!(in_backup.len() > 10 && in_backup.len() < lost.len(), "{} of {}", in_backup.len(), lost.len());
    assert_eq!(in_backup, lost[..in_backup.len()], "the backup is the log up to a moment");
    let waiting = rig.lines(&["deliveries", "--state", "retrying", "--json"]);
    assert!(!waiting.is_empty());
    for restored_into in ["an empty directory", "a directory with data"] {
        let before = rig.receiver.received().len();
        let service = rig.start();
        sell_during(&rig, tokio::time::sleep(Duration::from_secs(1))).await;
        let again = |all: &[Received]| {
            let since = &all[before..];
            waiting.iter().all(|one| since.iter().any(|got| Some(got.id.as_str()) == one["events"][0].as_str()))
        };
        rig.until(again).await;
        let received = rig.all_told().await;
        assert_ids(&received, &in_backup);
        drop(service.stop());
        let sold = rig.shop.journal().expected();
        let sold = sold.iter().filter(|one| one.kind == EventKind::SaleCreated).count();
        let log = rig.lines(&["export", "events", "--type", "sale.created"]);
        assert_eq!(log.len(), sold, "every sale since is in the log of {restored_into}, once");
        assert_eq!((rig.shop.quota_violations(), rig.receiver.forged()), (0, 0), "{restored_into}");
        let said = done(&run(&rig, &["restore", file]).await);
        assert!(said.contains("store.before-restore."), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_exported_while_the_service_runs_and_when_it_does_not() {
    let rig = rig();
    assert!(refused(&rig.run(&["export", "events"])).contains("posbell run"));
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    sell_during(&rig, tokio::time::sleep(Duration::from_secs(1))).await;
    let received = rig.all_told().await;
    let running = rig.lines(&["export", "events"]);
    let bodies: BTreeMap<String, Value> =
        running.iter().map(|event| (event["id"].to_string(), event.clone())).collect();
    for one in &received {
        let body: Value = serde_json::from_str(&one.body).expect("is JSON");
        assert_eq!(bodies[&body["id"].to_string()], body, "what is exported is what webhooks get");
    }
    let none = rig.run(&["export", "events", "--type", "credit.*"]);
    assert!(none.status.success() && none.stdout.is_empty());
    assert!(String::from_utf8_lossy(&none.stderr).contains("there are no such events"), "{none:?}");
    assert!(refused(&rig.run(&["export", "events", "--since", "lunch"])).contains("is no time"));
    drop(service.stop());
    assert!(rig.lines(&["export", "events"]).starts_with(&running));
    let sales = rig.lines(&["export", "events", "--type", "sale.*", "--shop", "main", "--since", "1h"]);
    assert_eq!(sales.len(), received.iter().filter(|one| event(one).kind == EventKind::SaleCreated).count());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_backed_up_or_restored_leaves_everything_as_it_is() {
    let rig = rig();
    let file = |name: &str| rig.path().join(name).to_str().expect("is text").to_owned();
    assert!(refused(&rig.run(&["backup", &file("none.backup")])).contains("posbell run"));
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let in_the_way = refused(&rig.run(&["backup", &file("posbell.toml")]));
    assert!(in_the_way.contains("is no backup of posbell; it is not overwritten"), "{in_the_way}");
    refused(&rig.run(&["backup", &file("no/such/directory")]));
    drop(service.stop());
    // Also without the service, and over an older one.
    for _ in 0..2 {
        done(&rig.run(&["backup", &file("posbell.backup")]));
    }
    let whole = std::fs::read(file("posbell.backup")).expect("reads");
    let log = rig.lines(&["export", "events"]);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    for (bytes, why) in
        [(&whole[..whole.len() - 1], "cut off"), (&damaged[..], "damaged"), (&b"text"[..], "no backup of posbell")]
    {
        std::fs::write(file("spoilt.backup"), bytes).expect("writes");
        let said = refused(&rig.run(&["restore", &file("spoilt.backup")]));
        assert!(said.contains(why) && said.contains("everything is as it was"), "{said}");
    }
    assert!(refused(&rig.run(&["restore", &file("absent.backup")])).contains("absent.backup"));
    assert_eq!(rig.lines(&["export", "events"]), log);
    let names = std::fs::read_dir(rig.path()).expect("reads").map(|entry| entry.expect("reads").file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains(".part-")), "something is left over");
}
