//! Held passes, as a person finds them and speaks about them: while the service runs and when it does not.

use posbell::domain::diff::guard::{GuardLimits, GuardRecord, Tally, Verdict, judge};
use posbell::domain::event::{Epoch, EventKind};
use posbell::domain::model::{Product, Resource, ShopId, Timestamp};
use posbell::edge::store::{Commit, Store};

use crate::support::admin;
use crate::support::rig::{Rig, RigPlan};

fn product(n: u32, quantity: u32) -> Product {
    let json = format!(
        r#"{{"id":"{n:024x}","code":"PK6600{n:04}","name":"ข้าวสาร {n}","barcode":null,"category":null,"unit":null,
            "price":50,"cost":null,"quantity":{quantity},"updated_at":null}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// What is remembered of a pass in which most of 450 products are sold out, 3 have new names and 2 are gone.
fn sold_out() -> GuardRecord {
    let mut tally = Tally::of_known(450);
    for n in 0..412 {
        tally.product(&product(n, 5), &product(n, 0), false, false);
    }
    for n in 412..415 {
        let red = Product { name: Some(format!("\u{1b}[31mred {n}")), ..product(n, 5) };
        tally.product(&product(n, 5), &red, true, false);
    }
    tally.missing_product(&product(448, 5));
    tally.missing_product(&product(449, 5));
    let now: Timestamp = "2026-11-23T03:00:00Z".parse().unwrap();
    let every = std::time::Duration::from_secs(120);
    match judge(tally.census(), &GuardLimits::default(), &GuardRecord::default(), now, every) {
        Verdict::Hold { record, .. } => record,
        other => panic!("{other:?}"),
    }
}

/// Puts a store with these held passes where the rig's program looks for it.
async fn hold(rig: &Rig, held: &[(&str, Resource)]) {
    let store = Store::open_or_create(&data_dir(rig), Epoch::from_random([7; 16])).unwrap();
    for (shop, resource) in held {
        let guard = Some((ShopId::new(*shop).unwrap(), *resource, sold_out()));
        store.commit(Commit { guard, ..Commit::default() }).await.unwrap();
    }
}

fn data_dir(rig: &Rig) -> std::path::PathBuf {
    rig.path().join("posbell-data")
}

/// The status line of the running service's answer to a request without the token.
pub(super) async fn asked_without_token(rig: &Rig, method: &str, path: &str) -> String {
    first_line(&admin::answer(rig, &format!("{method} {path}"), None, "").await)
}

/// The same with the token.
pub(super) async fn asked_with_token(rig: &Rig, method: &str, path: &str) -> String {
    first_line(&admin::answer(rig, &format!("{method} {path}"), Some(&admin::token(rig)), "").await)
}

fn first_line(answer: &str) -> String {
    answer.lines().next().unwrap().to_owned()
}

/// What a command that does its work prints.
#[track_caller]
fn said(rig: &Rig, args: &[&str]) -> String {
    let output = rig.run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that cannot do its work complains of.
#[track_caller]
fn refused(rig: &Rig, args: &[&str]) -> String {
    let output = rig.run(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[track_caller]
fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_held_the_commands_say_so() {
    let rig = Rig::new(RigPlan::default());
    hold(&rig, &[]).await;
    for args in [&["held"][..], &["held", "list"]] {
        assert_eq!(said(&rig, args), "No pass is held.\n");
    }
    assert!(rig.lines(&["held", "--json"]).is_empty());
    for action in ["show", "release", "drop"] {
        contains(&refused(&rig, &["held", action, "main", "stock"]), &["no pass over stock of main is held"]);
    }
    assert!(rig.lines(&["status", "--json"])[0]["shops"][0]["resources"][0]["held"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_pass_is_shown_with_what_it_would_change_and_what_to_type() {
    let rig = Rig::new(RigPlan::default());
    hold(&rig, &[("main", Resource::Stock), ("closed", Resource::Stock)]).await;
    let list = said(&rig, &["held"]);
    contains(&list, &["main", "stock", "2026-11-23 10:00:00", "waiting", "412 of 450 products would be out of stock"]);
    assert!(!list.contains("closed"), "a shop that is gone cannot be decided about: {list}");
    let shown = said(&rig, &["held", "show", "main", "stock"]);
    contains(
        &shown,
        &[
            "412 of 450 products would be out of stock, e.g. PK66000000 ข้าวสาร 0, PK66000001 ข้าวสาร 1",
            "3 of 450 products would have another name or code, e.g. PK66000412 ข้าวสาร 412 → PK66000412  [31mred 412",
            "2 of 450 products are not there any more, e.g. PK66000448",
            "accepted by itself when every pass shows it for 1h",
            "type: posbell held release main stock",
            "type: posbell held drop main stock",
        ],
    );
    assert!(!shown.contains("PK66000005"), "a few examples, not all: {shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let json = rig.lines(&["held", "list", "--json"]);
    assert_eq!(json, rig.lines(&["held", "show", "main", "stock", "--json"]));
    assert_eq!((&json[0]["shop"], &json[0]["resource"]), (&"main".into(), &"stock".into()));
    assert_eq!((&json[0]["census"]["to_zero"], &json[0]["standing"]), (&412.into(), &"waiting".into()));
    contains(&said(&rig, &["status"]), &["HELD since 2026-11-23 10:00:00 (waiting)", "`posbell held show main stock`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_shop_or_resource_is_answered_with_those_there_are() {
    let rig = Rig::new(RigPlan::default());
    hold(&rig, &[("main", Resource::Stock)]).await;
    for action in ["show", "release", "drop"] {
        let shop = refused(&rig, &["held", action, "../main", "stock"]);
        contains(&shop, &["there is no shop `../main`; there is: main"]);
        let resource = refused(&rig, &["held", action, "main", "stok"]);
        contains(&resource, &["there is no resource `stok`", "stock, credit, members, vendors, buy_documents"]);
    }
    assert_eq!(rig.lines(&["held", "--json"])[0]["standing"], "waiting");
    assert_eq!(rig.run(&["held", "release", "main"]).status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_without_the_service_is_there_for_its_next_pass() {
    let rig = Rig::new(RigPlan::default());
    hold(&rig, &[("main", Resource::Stock), ("main", Resource::Members)]).await;
    let released = said(&rig, &["held", "release", "main", "stock"]);
    contains(
        &released,
        &["412 of 450 products would be out of stock", "Released: the next whole pass over stock of main"],
    );
    let dropped = said(&rig, &["held", "drop", "main", "members"]);
    contains(&dropped, &["412 of 450 members", "Dropped", "posbell held release main members"]);
    let standing = |of: &str| {
        let lines = rig.lines(&["held", "--json"]);
        lines.iter().find(|line| line["resource"] == of).unwrap()["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!((standing("stock"), standing("members")), ("released".to_owned(), "dropped".to_owned()));
    contains(&said(&rig, &["held", "show", "main", "stock"]), &["It is released"]);
    contains(
        &said(&rig, &["held", "show", "main", "members"]),
        &["It is dropped", "posbell held release main members"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_service_is_asked_and_told_the_same_way() {
    let rig = Rig::new(RigPlan::default());
    // Of a resource that this service does not poll, so that no pass of its own has a say.
    rig.configure("vendors = \"100ms\"", "vendors = \"off\"");
    hold(&rig, &[("main", Resource::Vendors)]).await;
    let alone = rig.lines(&["held", "--json"]);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true);
    assert_eq!(rig.lines(&["held", "--json"]), alone);
    contains(&said(&rig, &["held", "show", "main", "vendors"]), &["412 of 450 vendors would be out of stock"]);
    contains(&refused(&rig, &["held", "release", "main", "members"]), &["no pass over members of main is held"]);
    let path = "/api/v1/held/main/vendors";
    assert_eq!(asked_without_token(&rig, "GET", path).await, "HTTP/1.1 401 Unauthorized");
    assert_eq!(asked_with_token(&rig, "GET", path).await, "HTTP/1.1 200 OK");
    assert_eq!(asked_with_token(&rig, "GET", "/api/v1/held/main/stok").await, "HTTP/1.1 404 Not Found");
    for action in ["release", "drop"] {
        let line = asked_without_token(&rig, "POST", &format!("{path}/{action}")).await;
        assert_eq!(line, "HTTP/1.1 401 Unauthorized", "{action}");
        assert_eq!(asked_with_token(&rig, "GET", &format!("{path}/{action}")).await, "HTTP/1.1 405 Method Not Allowed");
    }
    assert_eq!(rig.lines(&["held", "--json"]), alone);
    contains(&said(&rig, &["held", "drop", "main", "vendors"]), &["Dropped"]);
    assert_eq!(rig.lines(&["held", "--json"])[0]["standing"], "dropped");
    contains(&said(&rig, &["held", "release", "main", "vendors"]), &["Released"]);
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert_eq!(rig.lines(&["held", "--json"])[0]["standing"], "released");
}
