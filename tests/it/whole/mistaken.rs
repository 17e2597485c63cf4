//! Beside a mistake in the files everything works that does not need them, and people hear of a start that failed.

use std::process::Output;
use std::time::Duration;

use posbell::domain::event::EventKind;
use tokio::net::TcpListener;

use super::full_disk::owner;
use crate::support::rig::{Rig, RigPlan, monotonic};
use crate::support::telegram::BotApi;

/// A type that is none, in the fourth line.
const WRONG: &str = "\n\n[[rule]]\non = [\"sale.creatd\"]\nname = \"x\"\nto = [\"receiver\"]\n";

fn write_rules(rig: &Rig, text: &str) {
    std::fs::write(rig.path().join("rules/rules.toml"), text).unwrap();
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What needs no rules and no channel ends as ever, and says what is wrong.
fn all_go_on(rig: &Rig, note: &str) {
    for args in [
        &["status"][..],
        &["status", "--json"],
        &["events"],
        &["deliveries"],
        &["held"],
        &["export", "events"],
        &["fetch", "vendors"],
        &["resume", "main"],
        &["drop", "--dead"],
        &["backup", "one.backup"],
    ] {
        let output = rig.run(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        assert_eq!(said.matches(note).count(), 1, "{args:?}: {said}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("mistake"), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_mistake_in_a_rule_everything_works_that_needs_no_rules() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    write_rules(&rig, WRONG);
    let note = "the rules have 1 mistake, see `posbell check`";
    all_go_on(&rig, note);
    assert_eq!(rig.run(&["retry", "--dead"]).status.code(), Some(0));
    assert_eq!(rig.run(&["replay", "--since", "1h"]).status.code(), Some(0), "the service has its own rules");
    assert!(service.stop().0.success());

    all_go_on(&rig, note);
    assert_eq!(rig.run(&["retry", "--dead"]).status.code(), Some(0));
    let restored = rig.run(&["restore", "one.backup"]);
    assert!(restored.status.success() && stderr(&restored).contains(note), "{}", stderr(&restored));
    // These do need them.
    for args in [&["replay", "--since", "1h"][..], &["check"], &["run"]] {
        let output = rig.run(args);
        assert_eq!(output.status.code(), Some(78), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("rules.toml:4:7"), "{args:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_mistake_in_a_channel_everything_works_that_needs_no_channel() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.configure("type = \"webhook\"", "type = \"webhok\"");
    let note = "posbell.toml has 1 mistake, see `posbell check`";
    all_go_on(&rig, note);
    assert_eq!(rig.run(&["retry", "--dead"]).status.code(), Some(0), "the service knows its channels");
    assert!(service.stop().0.success());
    all_go_on(&rig, note);
    let retried = rig.run(&["retry", "--dead"]);
    assert_eq!(retried.status.code(), Some(78), "{}", stderr(&retried));
    assert!(stderr(&retried).contains("did you mean `webhook`?"), "{}", stderr(&retried));

    // Where the data may be elsewhere, nothing is done with what is here.
    rig.configure("language = \"en\"", "language = \"en\"\ndata_dirr = \"elsewhere\"");
    assert_eq!(rig.run(&["status"]).status.code(), Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_a_mistake_keeps_from_happening_is_told_once() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let bot = BotApi::start().await;
    let rig = Rig::new(RigPlan { config: owner(&bot), ..RigPlan::default() });
    let run = || {
        let output = rig.run(&["run"]);
        assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    };
    let told = || bot.messages().into_iter().filter(|one| one.text.contains("does not start")).count();
    write_rules(&rig, WRONG);
    run();
    assert_eq!(told(), 0, "at the first start a person sees what is printed");

    write_rules(&rig, RigPlan::EVERYTHING);
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    write_rules(&rig, WRONG);
    run();
    assert_eq!(told(), 0, "the service runs");
    assert!(service.stop().0.success());
    for _again in 0..2 {
        run();
        assert_eq!(told(), 1);
    }
    let message = bot.messages().pop().unwrap().text;
    assert!(message.contains("rules.toml:4") && message.contains("posbell check"), "{message}");

    write_rules(&rig, &WRONG.replace("creatd", "creeted"));
    run();
    assert_eq!(told(), 2, "it is another mistake");
    write_rules(&rig, RigPlan::EVERYTHING);
    let service = rig.start();
    rig.sell_one();
    rig.all_told().await;
    assert!(service.stop().0.success());
    rig.configure("secret = \"", "secret_file = \"not-there\"\n# \"");
    run();
    assert_eq!(told(), 3, "a missing secret keeps it from starting too");
    let message = bot.messages().pop().unwrap().text;
    assert!(message.contains("posbell.toml:"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_does_not_answer_does_not_keep_the_end_from_coming() {
    drop(rustls::crypto::ring::default_provider().install_default());
    // Nothing is ever accepted there.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let channel = |name: &str| {
        format!(
            "[channel.{name}]\ntype = \"telegram\"\ntoken = \"1:a\"\nchat_id = 1\napi_url = \"{url}\"\ntimeout = \"60s\"\n"
        )
    };
    let config = ["one", "two", "three", "four"].map(channel).concat();
    let rig = Rig::new(RigPlan { config, ..RigPlan::default() });
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    assert!(service.stop().0.success());
    write_rules(&rig, WRONG);
    let began = monotonic();
    assert_eq!(rig.run(&["run"]).status.code(), Some(78));
    let took = monotonic() - began;
    assert!(took < Duration::from_secs(30), "{took:?}");
}
