//! A shop that is not read: told once to a person whatever the cause, ended once, and shown by each of the four views.

use posbell::demo::shop::Fault;
use posbell::domain::model::Resource;

use super::{asked, check, events, messages, parsed, rig, told, watching, well};
use crate::support::rig::{Rig, RigPlan, event};
use crate::support::telegram::BotApi;

fn fail(rig: &Rig, fault: Fault) {
    Resource::ALL.into_iter().for_each(|resource| rig.shop.fail_next(resource, fault, 1_000_000));
}

/// Lets every list fail so until that is told, through a restart, and until it is over.
async fn outage(fault: Fault, cause: &str) {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    well(&rig).await;
    fail(&rig, fault);
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["cause"], cause, "{stale}");
    parsed(&stale);
    let said = messages(&bot, 1).await.remove(0).text;
    assert!(said.contains("The shop cannot be read"), "{said}");

    let (exit, lines) = check(&rig);
    assert_eq!(exit, Some(1));
    assert!(lines.contains("shop main: transactions is not read"), "{lines}");
    assert!(asked(&rig, "/readyz").await.starts_with("HTTP/1.1 503"));
    let problems = asked(&rig, "/api/v1/problems").await;
    assert!(problems.starts_with("HTTP/1.1 200"), "{problems}");

    // A restart in the middle tells nothing again. The outage lasts on for twice the time after which it is told.
    service.kill();
    let service = rig.start();
    rig.sell_one();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    rig.shop.fail_no_more();
    let recovered = told(&rig, "shop.recovered", 1).await.remove(0);
    assert!(recovered["data"]["details"]["changes"].as_u64() >= Some(1), "{recovered}");
    messages(&bot, 2).await;
    rig.all_told().await;
    well(&rig).await;
    assert_eq!((events(&rig, "shop.stale").len(), events(&rig, "shop.recovered").len()), (1, 1));
    assert_eq!(bot.messages().len(), 2, "{:?}", bot.messages());
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_down_is_told_once_and_ended_once() {
    outage(Fault::Status(503), "api_error").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_cannot_be_reached_is_told() {
    outage(Fault::HangUp, "api_unreachable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_success_are_told() {
    outage(Fault::SuccessZero, "bad_answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_wrong_shape_are_told() {
    outage(Fault::WrongShape, "bad_answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_apart_is_told() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    rig.shop.say_ahead(chrono::TimeDelta::hours(-2));
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["cause"], "clock_apart", "{stale}");
    messages(&bot, 1).await;
    rig.shop.say_ahead(chrono::TimeDelta::zero());
    told(&rig, "shop.recovered", 1).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_another_shop_is_told() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    drop(service.stop());
    let other = Rig::new(RigPlan { seed: 77, ..RigPlan::default() });
    rig.configure(rig.shop.base_url(), other.shop.base_url());
    rig.configure(&rig.key, &other.key);
    let service = rig.start();
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["cause"], "another_shop", "{stale}");
    let said = messages(&bot, 1).await.remove(0).text;
    assert!(said.contains("The shop cannot be read"), "{said}");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_told_where_no_rule_names_it_and_to_no_machine() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    rig.shop.revoke_key();
    let said = messages(&bot, 1).await.remove(0).text;
    assert!(said.contains("posbell resume main"), "{said}");
    let (exit, lines) = check(&rig);
    assert!(exit == Some(1) && lines.contains("its key was refused"), "{lines}");
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["cause"], "key_refused", "{stale}");
    messages(&bot, 2).await;
    assert!(rig.receiver.received().iter().all(|one| event(one).kind.name() == "shop.baseline"));
    rig.shop.issue_key(&rig.key);
    assert!(rig.run(&["resume", "main"]).status.success());
    let recovered = told(&rig, "shop.recovered", 1).await.remove(0);
    assert_eq!(recovered["data"]["details"]["changes"], 0, "{recovered}");
    well(&rig).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_needs_a_restart_and_the_old_one_is_not_used_again() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    rig.shop.revoke_key();
    told(&rig, "shop.key_rejected", 1).await;
    told(&rig, "shop.stale", 1).await;
    let calls = rig.shop.calls();
    let new_key = format!("{}-new", rig.key);
    rig.configure(&rig.key, "unreadable");
    rig.configure("api_key = \"unreadable\"", "api_key_file = \"key\"");
    std::fs::write(rig.path().join("key"), &new_key).expect("writes");
    // The running service has its key from the configuration that it was started with.
    drop(service.stop());
    let service = rig.start();
    told(&rig, "shop.key_rejected", 2).await;
    std::fs::write(rig.path().join("key"), format!("{new_key}-2")).expect("writes");
    let calls_before = rig.shop.calls();
    let refused = rig.run(&["resume", "main"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("systemctl restart posbell"), "{said}");
    assert_eq!(rig.shop.calls(), calls_before, "the refused key was used again");
    assert!(calls <= calls_before);
    rig.shop.issue_key(&format!("{new_key}-2"));
    drop(service.stop());
    let service = rig.start();
    told(&rig, "shop.recovered", 1).await;
    well(&rig).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_goes_where_its_rule_says_alone() {
    let (bot, other) = (BotApi::start().await, BotApi::start().await);
    let rules = "[[rule]]\nname = \"a\"\non = [\"shop.*\"]\nto = [\"owner\"]\n\n\
                 [[rule]]\nname = \"b\"\non = [\"stock.*\"]\nto = [\"boss\"]\n";
    let config = super::chat("owner", &bot) + &super::chat("boss", &other);
    let rig = Rig::new(RigPlan { config, rules: rules.to_owned(), ..RigPlan::default() });
    let service = rig.start();
    messages(&bot, 1).await;
    rig.shop.revoke_key();
    messages(&bot, 2).await;
    let planned = rig.lines(&["deliveries", "--channel", "boss", "--json"]);
    assert!(planned.is_empty(), "{planned:?}");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_never_read_is_told_once_and_is_no_problem() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    rig.shop.fail_next(Resource::Vendors, Fault::Status(404), 1_000_000);
    let service = rig.start();
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    let details = &stale["data"]["details"];
    assert!(details["resources"] == serde_json::json!(["vendors"]) && details["since"].is_null(), "{details}");
    messages(&bot, 1).await;
    let (exit, lines) = check(&rig);
    assert_eq!((exit, lines.as_str()), (Some(0), ""));
    assert!(asked(&rig, "/readyz").await.starts_with("HTTP/1.1 200"));
    let status = super::shown(&rig.run(&["status"]));
    assert!(status.contains("never read so far"), "{status}");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_list_is_told_and_stands_among_the_problems() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    rig.shop.zero_all();
    told(&rig, "pass.held", 1).await;
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["cause"], "held", "{stale}");
    messages(&bot, 2).await;
    let (exit, lines) = check(&rig);
    assert!(exit == Some(1) && lines.contains("posbell held show main stock"), "{lines}");
    assert!(rig.run(&["held", "release", "main", "stock"]).status.success());
    told(&rig, "shop.recovered", 1).await;
    well(&rig).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heartbeat_stops_while_the_bell_cannot_ring() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let mut monitor = mockito::Server::new_async().await;
    let (beaten, mut beats) = tokio::sync::mpsc::unbounded_channel();
    let note = move |request: &mockito::Request| beaten.send(request.path().to_owned()).is_ok();
    let _mock = monitor.mock("GET", "/ping/token").match_request(note).create_async().await;
    let heartbeat = format!("[heartbeat]\nurl = \"{}/ping/token\"\nevery = \"200ms\"\n\n[delivery]", monitor.url());
    rig.configure("[delivery]", &heartbeat);
    let service = watching(&rig).await;
    let next = tokio::time::timeout(crate::support::rig::PATIENCE, beats.recv()).await;
    assert!(next.is_ok_and(|beat| beat.is_some()), "no heartbeat");
    rig.shop.revoke_key();
    told(&rig, "shop.key_rejected", 1).await;
    // One may have been on its way. After it there is none in ten times the interval.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    while beats.try_recv().is_ok() {}
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert!(beats.try_recv().is_err(), "a heartbeat while nothing is read");
    rig.shop.issue_key(&rig.key);
    assert!(rig.run(&["resume", "main"]).status.success());
    let next = tokio::time::timeout(crate::support::rig::PATIENCE, beats.recv()).await;
    assert!(next.is_ok_and(|beat| beat.is_some()), "no heartbeat after the end");
    let (_, log) = service.stop();
    assert!(!log.contains("token"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firewalls_page_is_told_as_a_shop_that_cannot_be_reached() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    fail(&rig, Fault::Firewall(403));
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["cause"], "api_unreachable", "{stale}");
    messages(&bot, 1).await;
    assert_eq!(events(&rig, "shop.key_rejected").len(), 0);
    // Nothing is read, whether or not it was tried.
    assert_eq!(stale["data"]["details"]["resources"].as_array().map(Vec::len), Some(6), "{stale}");
    let status = super::shown(&rig.run(&["status"]));
    assert!(status.contains("Next try in") && status.contains("`posbell resume main`"), "{status}");
    rig.shop.fail_no_more();
    assert!(rig.run(&["resume", "main"]).status.success());
    told(&rig, "shop.recovered", 1).await;
    well(&rig).await;
    assert_eq!(events(&rig, "shop.stale").len(), 1);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_once_though_some_lists_are_read_rarely() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    for (list, every) in [("credit", "2s"), ("members", "4s"), ("vendors", "60s")] {
        rig.configure(&format!("{list} = \"100ms\""), &format!("{list} = \"{every}\""));
    }
    let service = watching(&rig).await;
    fail(&rig, Fault::Status(503));
    let of = |record: &serde_json::Value| record["stale"] == true;
    told(&rig, "shop.stale", 1).await;
    // Until the members, which may go unread for three times four seconds, count as stale too.
    let members = async {
        while !of(&rig.resource(Resource::Members)) {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(crate::support::rig::PATIENCE, members).await.expect("the members are stale");
    assert_eq!(events(&rig, "shop.stale").len(), 1, "{:?}", events(&rig, "shop.stale"));
    rig.shop.fail_no_more();
    told(&rig, "shop.recovered", 1).await;
    well(&rig).await;
    assert_eq!(bot.messages().len(), 2, "{:?}", bot.messages());
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_does_not_run_is_a_problem() {
    let bot = BotApi::start().await;
    let rig = rig(&bot);
    let service = watching(&rig).await;
    well(&rig).await;
    drop(service.stop());
    let (exit, lines) = check(&rig);
    assert!(exit == Some(1) && lines.contains("does not run"), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_of_which_only_the_newest_can_be_read_are_told() {
    let bot = BotApi::start().await;
    let shop = "stale_after = \"2s\"\npage_size = 10".to_owned();
    let rules = super::WITHOUT_NOTICES.to_owned();
    let rig = Rig::new(RigPlan { sales: 60, shop, config: super::chat("owner", &bot), rules, ..RigPlan::default() });
    // Seldom enough that the quota lets each pass over the sales read all of them.
    for list in Resource::ALL {
        rig.configure(&format!("{list} = \"100ms\""), &format!("{list} = \"1s\""));
    }
    let service = watching(&rig).await;
    rig.shop.fail_next(Resource::Transactions, Fault::IgnoresPage, 1_000_000);
    let stale = told(&rig, "shop.stale", 1).await.remove(0);
    assert_eq!(stale["data"]["details"]["resources"], serde_json::json!(["transactions"]), "{stale}");
    rig.shop.fail_no_more();
    told(&rig, "shop.recovered", 1).await;
    well(&rig).await;
    drop(service);
}
