//! The commands, as a person types them: while the service runs and when it does not.

use std::process::{Command, Output};

use posbell::domain::event::EventKind;

use super::journal::make_changes;
use crate::support::rig::{PATIENCE, Rig, RigPlan, event};

#[tokio::test(flavor = "multi_thread")]
async fn the_listings_are_the_same_while_the_service_runs_and_after_it() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.sell_one();
    rig.all_told().await;
    let running = rig.lines(&["status", "--json"]);
    assert_eq!(running[0]["running"], true);
    assert_eq!(running[0]["shops"][0]["quota"][0]["limit"], "40/1s");
    let events = rig.lines(&["events", "--json", "--type", "sale.*"]);
    assert!(!events.is_empty());
    let sale = events[0]["id"].as_str().expect("has an id");
    let show = |id: &str| {
        let output = rig.run(&["events", "show", id]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let shown = (show(sale), show("evt_0"), rig.lines(&["events", "show", sale, "--json"]));
    let (code, text, _) = &shown.0;
    assert!(*code == Some(0) && text.contains("sale.created") && text.contains("\"total\""), "{text}");
    assert!(shown.1.0 == Some(1) && shown.1.2.contains("there is no event `evt_0`; `posbell events`"), "{:?}", shown.1);
    assert_eq!(shown.2, [events[0].clone()]);
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");

    let stopped = rig.lines(&["status", "--json"]);
    assert_eq!(stopped[0]["running"], false);
    assert_eq!(stopped[0]["shops"][0]["resources"].as_array().map(Vec::len), Some(6));
    assert_eq!(rig.lines(&["events", "--json", "--type", "sale.*"]), events);
    assert_eq!((show(sale), show("evt_0"), rig.lines(&["events", "show", sale, "--json"])), shown);
    let deliveries = rig.lines(&["deliveries", "--state", "delivered", "--json"]);
    assert!(deliveries.len() >= events.len());
    let id = deliveries[0]["id"].as_str().expect("has an id");
    let shown = rig.run(&["deliveries", "show", id]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("delivered") && shown.contains("everything"), "{shown}");
    let status = String::from_utf8(rig.run(&["status"]).stdout).expect("is text");
    assert!(status.contains("is not running") && status.contains("transactions"), "{status}");
}

#[test]
fn before_the_first_run_the_listings_say_what_to_do() {
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let _entered = runtime.enter();
    let rig = Rig::new(RigPlan::default());
    let output = rig.run(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("posbell run"), "{said}");
}

#[test]
fn a_mistake_is_named_with_file_line_and_column_and_exit_78() {
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let _entered = runtime.enter();
    let rules = "[[rule]]\nname = \"x\"\non = [\"sale.creatd\"]\nto = [\"reciever\"]\n".to_owned();
    let rig = Rig::new(RigPlan { rules, ..RigPlan::default() });
    for command in ["check", "run"] {
        let output = rig.run(&[command]);
        assert_eq!(output.status.code(), Some(78), "{command}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        for expected in ["rules.toml:3:7", "sale.created", "rules.toml:4:7", "did you mean `receiver`?"] {
            assert!(said.contains(expected), "{command}: no {expected} in {said}");
        }
    }
}

#[test]
fn a_mistake_about_a_secret_does_not_print_it() {
    let runtime = tokio::runtime::Runtime::new().expect("starts");
    let _entered = runtime.enter();
    for (from, to) in [
        ("KEY", "api_key = \"HUSH hush\""),
        ("KEY", "api_key = \"HUSH\"\napi_key_file = \"x\""),
        ("KEY", "apikey = \"HUSH\""),
        ("secret = \"whsec_", "secret = \"HUSH!whsec_"),
        ("url = \"http://", "url = \"htp://user:HUSH@"),
        ("KEY", "api_key = \"HUSH"),
    ] {
        let rig = Rig::new(RigPlan::default());
        let from = from.replace("KEY", &format!("api_key = \"{}\"", rig.key));
        let text = std::fs::read_to_string(rig.config()).expect("reads");
        std::fs::write(rig.config(), text.replacen(&from, to, 1)).expect("writes");
        let output = rig.run(&["run"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{to}: {said}");
        assert!(!said.contains("HUSH"), "{to}: {said}");
    }
}

#[test]
fn without_a_configuration_it_says_where_it_looked() {
    let output = bare(&["status"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--config"));
}

/// Runs the program in an empty directory.
fn bare(args: &[&str]) -> Output {
    let dir = tempfile::tempdir().expect("has a temporary directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_posbell"));
    command.args(args).current_dir(dir.path()).env_remove("POSBELL_CONFIG").output().expect("runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_is_printed_without_a_configuration_and_holds_for_what_a_shop_tells() {
    let printed = bare(&["schema", "event"]);
    assert!(printed.status.success() && printed.stderr.is_empty(), "{printed:?}");
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    let schema = serde_json::from_slice(&printed.stdout).expect("is JSON");
    compiler.add_resource("event.json", schema).expect("has a good address");
    let mut schemas = boon::Schemas::new();
    let schema = compiler.compile("event.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));

    // So many that a burst of cancels is no more than the guard lets pass.
    let rig = Rig::new(RigPlan { sales: 70, ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    make_changes(&rig, &rig.shop, 5, 40).await;
    rig.all_told().await;
    let events = rig.lines(&["events", "--json", "--limit", "10000"]);
    assert!(events.len() > 40, "{}", events.len());
    for event in events {
        schemas.validate(&event, schema).unwrap_or_else(|error| panic!("{error:#}\n{event}"));
    }
    drop(service);
}

#[test]
fn an_unknown_schema_is_answered_with_those_that_there_are() {
    let output = bare(&["schema", "evnt"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("[possible values: event]") && said.contains("similar value exists: 'event'"), "{said}");
    let help = String::from_utf8(bare(&["schema", "--help"]).stdout).expect("is text");
    assert!(help.contains("JSON Schema") && help.contains("event: "), "{help}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_the_same_data_names_the_first() {
    let rig = Rig::new(RigPlan::default());
    let first = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let second = rig.run(&["run"]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("in use by process"), "{said}");
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_clean_stop_it_goes_on_where_it_was() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert!(!log.contains(&rig.key) && !log.contains("whsec_"), "a secret is in the log: {log}");
    rig.sell_one();
    let service = rig.start();
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    assert_eq!(received.iter().filter(|one| event(one).kind == EventKind::ShopBaseline).count(), 1);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_when_it_is_ready_and_when_it_ends() {
    let rig = Rig::new(RigPlan::default());
    let path = rig.path().join("notify");
    let socket = tokio::net::UnixDatagram::bind(&path).expect("binds");
    let heard = async || {
        let mut text = [0; 1024];
        let heard = tokio::time::timeout(PATIENCE, socket.recv(&mut text)).await.expect("is told").expect("receives");
        String::from_utf8_lossy(&text[..heard]).into_owned()
    };
    let service = rig.start_with(|command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(heard().await.trim(), "READY=1");
    assert_eq!(rig.lines(&["status", "--json"])[0]["running"], true, "ready means that it can be asked");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert_eq!(heard().await.trim(), "STOPPING=1");
}

#[test]
fn the_demo_shows_a_sale_a_shortage_and_a_cancel_and_ends_by_itself() {
    let output = Command::new(env!("CARGO_BIN_EXE_posbell")).args(["demo", "--for", "20s"]).output().expect("runs");
    let said = String::from_utf8(output.stdout).expect("is text");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in ["/api/v1/status", "shop.baseline", "sale.created", "stock.out", "sale.cancelled", "✓ signature"]
    {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
    assert!(said.contains("0 had a wrong signature; 0 of"), "{said}");
}
