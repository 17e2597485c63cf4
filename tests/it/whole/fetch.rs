//! What a person asks of the API by hand: the shop's own rows under the shop's quota, and what the key really gives.

use std::process::Command;
use std::time::Duration;

use posbell::demo::shop::{Fault, SimulatedShop};
use posbell::domain::event::EventKind;
use posbell::domain::model::{EntityId, Resource};

use crate::support::admin;
use crate::support::rig::{Rig, RigPlan};

/// The README's table: each call with an example of each of its commands, and the ids that the shop has for it.
fn calls(shop: &SimulatedShop) -> Vec<(String, Vec<EntityId>)> {
    let (product, member) = (shop.products()[3].clone(), shop.members()[0].clone());
    let today = chrono_tz::Asia::Bangkok;
    let today = posbell::service::clock::Clock::default().now().with_timezone(&today).date_naive();
    let long_ago = today - chrono::TimeDelta::days(30);
    // As the simulated shop opens: the number of the first regular is that of the seventh too.
    let sharing = vec![shop.members()[0].clone(), shop.members()[6].clone(), shop.members()[8].clone()];
    vec![
        (format!("transactions --start {today} --end {today}"), shop.sales()),
        (format!("transactions --start {today} --current-buyer"), shop.sales()),
        ("transactions --start 2001-01-01 --end 2001-01-31".to_owned(), Vec::new()),
        ("stock --whole".to_owned(), shop.products()),
        ("stock".to_owned(), shop.products()),
        ("stock --term no-such-product".to_owned(), Vec::new()),
        (format!("stock --id {product}"), vec![product]),
        ("stock --id 600c45c6ffffffffffffffff".to_owned(), Vec::new()),
        ("members".to_owned(), shop.members()),
        ("members --phone 0800000000".to_owned(), sharing),
        ("members --code M000001".to_owned(), vec![member.clone()]),
        (format!("members --id {member}"), vec![member]),
        ("credit --period ALL".to_owned(), shop.credits()),
        ("vendors".to_owned(), shop.vendors()),
        ("vendors --term V000002".to_owned(), vec![shop.vendors()[1].clone()]),
        (format!("buy_documents --term PO --start {long_ago} --end {today}"), shop.purchases()),
    ]
}

/// Asks everything, and counts what was asked for.
fn every_call_gives_the_shops_rows(rig: &Rig) {
    for (command, wanted) in calls(&rig.shop) {
        let args: Vec<&str> = ["fetch"].into_iter().chain(command.split(' ')).collect();
        let output = rig.run(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command}: {said}");
        let mut found = ids(&output.stdout);
        let mut wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{command}");
        assert_eq!(said.contains("the API has no such rows"), wanted.is_empty(), "{command}: {said}");
    }
    // Both credit lists of a status together are all of it.
    let credits = |more: &[&str]| rig.lines(&[&["fetch", "credit"], more].concat()).len();
    let overdue = credits(&["--period", "OUT_OF_PERIOD", "--status", "pending"]);
    let pending = credits(&["--status", "pending"]);
    assert_eq!(overdue + credits(&["--period", "in_of_period", "--status", "pending"]), pending);
    assert_eq!(pending + credits(&["--status", "paid"]), rig.shop.credits().len());
    assert_eq!(rig.shop.quota_violations(), 0);
}

fn ids(stdout: &[u8]) -> Vec<String> {
    let rows = String::from_utf8_lossy(stdout).into_owned();
    let id = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("is JSON");
        row["_id"].as_str().expect("has an id").to_owned()
    };
    rows.lines().map(id).collect()
}

fn refused(rig: &Rig, args: &[&str]) -> String {
    let output = rig.run(args);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Changes the rig's configuration.
fn reconfigure(rig: &Rig, from: &str, to: &str) {
    let text = std::fs::read_to_string(rig.config()).expect("reads");
    assert!(text.contains(from), "no {from} in {text}");
    std::fs::write(rig.config(), text.replacen(from, to, 1)).expect("writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_service_runs_it_makes_each_of_the_eleven_calls() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    every_call_gives_the_shops_rows(&rig);
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_the_command_makes_each_of_the_eleven_calls_itself_and_makes_no_store() {
    let rig = Rig::new(RigPlan::default());
    every_call_gives_the_shops_rows(&rig);
    assert!(!rig.path().join("posbell-data/store").exists(), "a store was made");
    let ledger = std::fs::read_dir(rig.path().join("posbell-data/quota")).expect("is there");
    assert!(ledger.count() > 0, "the calls are in no ledger");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_of_the_readme_is_a_command_that_works() {
    let rig = Rig::new(RigPlan::default());
    let readme = include_str!("../../../README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `GET /") && line.contains("`posbell fetch "));
    let examples: Vec<&str> = rows.flat_map(|row| row.split('`')).filter(|text| text.starts_with("posbell ")).collect();
    assert!(examples.len() >= 11, "{examples:?}");
    for example in examples {
        let args: Vec<&str> = example.split(' ').skip(1).collect();
        let output = rig.run(&args);
        assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(rig.shop.quota_violations(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_one_after_another_share_one_quota_with_the_service_that_follows() {
    let rig = Rig::new(RigPlan { quota: (3, Duration::from_secs(2)), ..RigPlan::default() });
    for _ in 0..4 {
        assert_eq!(rig.lines(&["fetch", "vendors"]).len(), rig.shop.vendors().len());
    }
    assert_eq!(rig.shop.calls(), 4);
    // A process right after the last call: had the ledger forgotten that one, it would go over.
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert_eq!(rig.shop.quota_violations(), 0);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_the_quota_is_told_so() {
    // The first call ever waits for one whole window, since nobody knows what was called before.
    let rig = Rig::new(RigPlan { quota: (40, Duration::from_secs(7)), ..RigPlan::default() });
    let output = rig.run(&["fetch", "vendors"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("waiting for the quota: 40/7s, 0 calls left"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_reads_for_nobody_without_the_token() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let token = admin::token(&rig);
    let check = async |path: &str, token: &str, body: &str, wanted: &str| {
        let answer = admin::answer(&rig, &format!("POST {path}"), Some(token), body).await;
        assert!(answer.starts_with("HTTP/1.1 ") && answer.contains(wanted), "{path} {body}: {answer}");
    };
    check("/api/v1/shops/main/fetch", "", r#"{"resource":"vendors"}"#, "401 Unauthorized").await;
    check("/api/v1/shops/main/fetch", "wrong", r#"{"resource":"vendors"}"#, "401 Unauthorized").await;
    check("/api/v1/shops/other/fetch", &token, r#"{"resource":"vendors"}"#, "there is no shop `other`").await;
    check("/api/v1/shops/main/fetch", &token, r#"{"resource":"sales"}"#, "there is no resource `sales`").await;
    check("/api/v1/shops/main/fetch", &token, r#"{"resource":"stock","x":1}"#, "400 Bad Request").await;
    check("/api/v1/shops/main/fetch", &token, r#"{"resource":"vendors"}"#, r#"{"done":4}"#).await;
    std::fs::remove_file(rig.path().join("posbell-data/admin-token")).expect("is there");
    assert_eq!(rig.lines(&["fetch", "vendors"]).len(), rig.shop.vendors().len(), "a command needs no token");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_to_a_person_stops_the_shop_also_for_the_service() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    drop(service.stop());
    rig.shop.revoke_key();
    let before = rig.shop.calls();
    assert!(refused(&rig, &["fetch", "vendors"]).contains("the shop's key was refused (403)"));
    assert_eq!(rig.shop.calls(), before + 1);
    assert_eq!(rig.lines(&["status", "--json"])[0]["shops"][0]["key_refused"], 403);
    for args in [&["fetch", "vendors"][..], &["check", "--online"]] {
        let output = rig.run(args);
        assert_eq!(output.status.code(), Some(1));
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("posbell resume main") && !said.contains(&rig.key), "{said}");
    }
    // The service tells what the command has found, and makes no call.
    let service = rig.start();
    rig.told(EventKind::ShopKeyRejected).await;
    assert!(refused(&rig, &["fetch", "vendors"]).contains("posbell resume main"));
    assert_eq!(rig.shop.calls(), before + 1, "a refused key was used again");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_through_the_service_stops_its_shop() {
    let rig = Rig::new(RigPlan::default());
    for resource in ["transactions", "stock", "credit"] {
        reconfigure(&rig, &format!("{resource} = \"100ms\""), &format!("{resource} = \"1h\""));
    }
    for resource in ["members", "vendors", "buy_documents"] {
        reconfigure(&rig, &format!("{resource} = \"100ms\""), &format!("{resource} = \"off\""));
    }
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.revoke_key();
    let before = rig.shop.calls();
    assert!(refused(&rig, &["fetch", "vendors"]).contains("the shop's key was refused (403)"));
    rig.told(EventKind::ShopKeyRejected).await;
    assert!(refused(&rig, &["fetch", "vendors"]).contains("posbell resume main"));
    assert_eq!(rig.shop.calls(), before + 1);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_the_reading_quietly() {
    let rig = Rig::new(RigPlan { products: 5_000, ..RigPlan::default() });
    reconfigure(&rig, "timeout = \"5s\"", "timeout = \"5s\"\npage_size = 20");
    let head = |rig: &Rig| {
        let binary = env!("CARGO_BIN_EXE_posbell");
        let pipe = format!("{binary} --config {} fetch stock | head -n 1", rig.config().display());
        Command::new("sh").args(["-c", &pipe]).output().expect("runs")
    };
    let output = head(&rig);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(ids(&output.stdout).len(), 1, "{said}");
    assert!(said.is_empty(), "{said}");
    // All of it would be 250 calls, and at most as many as fill the pipe are made.
    assert!(rig.shop.calls() < 100, "{} calls for one row", rig.shop.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told_with_what_to_do() {
    let rig = Rig::new(RigPlan::default());
    let said = refused(&rig, &["fetch", "members", "--term", "x"]);
    assert!(said.contains("`--term` says nothing about members"), "{said}");
    assert!(
        refused(&rig, &["fetch", "vendors", "--shop", "other"]).contains("there is no shop `other`; there is: main")
    );
    rig.shop.fail_next(Resource::Vendors, Fault::Html, 1);
    assert!(refused(&rig, &["fetch", "vendors"]).contains("a web page, not data; check base_url"));
    rig.shop.fail_next(Resource::Vendors, Fault::Redirect, 1);
    assert!(refused(&rig, &["fetch", "vendors"]).contains("a redirect is not followed"));
    rig.shop.fail_next(Resource::Vendors, Fault::Limited(1), 1);
    assert!(refused(&rig, &["fetch", "vendors"]).contains("if other programs use the same key, lower quota"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_says_what_the_key_gives_and_misses_a_field_that_stands_elsewhere() {
    let rig = Rig::new(RigPlan { products: 250, ..RigPlan::default() });
    let alone = rig.run(&["check", "--online"]);
    let said = String::from_utf8(alone.stdout).expect("is text");
    assert!(alone.status.success(), "{said}");
    let calls = rig.shop.calls();
    assert_eq!(calls, 7, "one page of each resource, and of credit two lists");
    for wanted in [
        "asked by this command",
        "200 asked for, 200 came: the page size is honoured; total is given (250), total_page is given (2)",
        "20 came, which is all; total is given (20)",
        "posbell does not read: image",
        "Clock: the server's is this machine's.",
        "Channels are not tried",
    ] {
        assert!(said.contains(wanted), "no {wanted} in {said}");
    }
    let state = |said: &str, field: &str, place: &str, wanted: &str| {
        let row = |line: &&str| line.split_whitespace().take(2).eq([field, place]);
        let found = said.lines().find(row).unwrap_or_else(|| panic!("no {field} at {place} in {said}"));
        assert!(found.ends_with(wanted), "{found}");
    };
    state(&said, "quantity", "/stock", "seen");
    state(&said, "line_quantity", "/stock", "seen");
    state(&said, "payment_amount", "/new_total_paid", "seen");
    state(&said, "line_notes", "/note_in_order", "empty in every row");
    // No row, no key, nothing that a customer has.
    for secret in [rig.key.as_str(), "0800000000", rig.shop.products()[0].as_str(), "ลูกค้าประจำ", "น้ำดื่ม"]
    {
        assert!(!said.contains(secret), "{secret} in {said}");
    }

    reconfigure(&rig, "[channel.receiver]", "[shop.fields.stock]\nquantity = \"/qty\"\n\n[channel.receiver]");
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let served = rig.run(&["check", "--online"]);
    let said = String::from_utf8(served.stdout).expect("is text");
    assert!(served.status.success(), "{said}");
    state(&said, "quantity", "/qty", "MISSING in every row");
    for wanted in ["asked through the running service", "say where in [shop.fields.stock]", "read: image, stock"] {
        assert!(said.contains(wanted), "no {wanted} in {said}");
    }
    assert_eq!(rig.shop.quota_violations(), 0);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_fails_where_the_address_is_wrong() {
    let rig = Rig::new(RigPlan::default());
    rig.shop.fail_next(Resource::Stock, Fault::WrongShape, 1);
    rig.shop.fail_next(Resource::Members, Fault::Html, 1);
    let output = rig.run(&["check", "--online"]);
    let said = String::from_utf8(output.stdout).expect("is text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("stock: 1 row, none of which posbell can read; check base_url"), "{said}");
    assert!(said.contains("members: members, page 1: the answer is a web page, not data; check base_url"), "{said}");
    assert!(said.contains("\nvendors: 4 rows\n"), "the others are asked all the same: {said}");
    reconfigure(&rig, rig.shop.base_url(), "http://127.0.0.1:1/developer/api");
    let output = rig.run(&["check", "--online"]);
    let said = String::from_utf8(output.stdout).expect("is text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the connection was refused; check base_url"), "{said}");
}
