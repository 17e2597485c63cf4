//! What the API gets wrong changes nothing, and what it refuses is not asked again.

use std::time::Duration;

use posbell::demo::shop::{Fault, Line};
use posbell::domain::event::EventKind;
use posbell::domain::model::{Resource, ShopId};
use posbell::edge::store::{Commit, ResourceRecord, Store};
use posbell::service::clock::Clock;

use super::journal::make_changes;
use crate::support::rig::{PATIENCE, Rig, RigPlan, event};

/// Waits until the status says so.
async fn status_says(rig: &Rig, says: impl Fn(&serde_json::Value) -> bool) {
    let said = async {
        loop {
            let status = rig.lines(&["status", "--json"]);
            if status.first().is_some_and(&says) {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.expect("the status says so in time");
}

fn failing(status: &serde_json::Value, resource: Resource) -> bool {
    let resources = status["shops"][0]["resources"].as_array().cloned().unwrap_or_default();
    resources.iter().any(|one| one["resource"] == resource.name() && !one["failing"].is_null())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_bad_answer_makes_an_event_or_hides_one() {
    let rig = Rig::new(RigPlan::default());
    // An empty list of credits is believed after so many passes, which must not all go by while a status is asked for.
    rig.configure("credit = \"100ms\"", "credit = \"1s\"");
    let service = rig.start();
    let before = rig.told(EventKind::ShopBaseline).await.len();
    let faults = [
        Fault::Status(500),
        Fault::Html,
        Fault::CutOff,
        Fault::HangUp,
        Fault::WrongShape,
        Fault::EmptyList,
        Fault::SuccessZero,
        Fault::Redirect,
    ];
    for resource in Resource::ALL {
        for fault in faults {
            rig.shop.fail_next(resource, fault, 100_000);
            status_says(&rig, |status| failing(status, resource)).await;
            rig.shop.fail_no_more();
            status_says(&rig, |status| !failing(status, resource)).await;
        }
    }
    assert_eq!(rig.receiver.received().len(), before, "a bad answer was told as a change");
    make_changes(&rig, &rig.shop, 9, 20).await;
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_whose_row_cannot_be_read_is_not_taken_for_lost() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    // Both lists have rows beside the one that is spoilt.
    let line = Line { product: rig.shop.products().remove(0), quantity: 1.into() };
    let lent: Vec<_> = (0..6).map(|_| rig.shop.lend(std::slice::from_ref(&line)).expect("is lent").id).collect();
    rig.all_told().await;
    for credit in &lent[..3] {
        rig.shop.let_fall_due(credit).expect("is in its period");
    }
    let before = rig.all_told().await.len();
    for fault in [Fault::HugeNumber, Fault::NoId] {
        rig.shop.fail_next(Resource::Credit, fault, 100_000);
        rig.passes(Resource::Credit, 5).await;
        assert!(rig.resource(Resource::Credit)["unreadable"].as_u64() > Some(0), "{fault:?} spoilt nothing");
        rig.shop.fail_no_more();
        rig.passes(Resource::Credit, 2).await;
    }
    assert_eq!(rig.receiver.received().len(), before, "an unreadable row was told as a change");
    rig.shop.pay(&lent[5]).expect("is owed");
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_stops_the_shop_at_once_until_a_person_resumes_it() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.revoke_key();
    let received = rig.told(EventKind::ShopKeyRejected).await;
    assert!(received.iter().any(|one| one.body.contains(r#""status":403"#)));
    status_says(&rig, |status| status["shops"][0]["key_refused"] == 403).await;
    // What a kill finds on its way would come twice.
    status_says(&rig, |status| status["channels"][0]["waiting"] == 0).await;
    let calls = rig.shop.calls();

    // Another start with the same key makes no call at all: it stands before the store is asked for anything.
    service.kill();
    let service = rig.start();
    status_says(&rig, |status| status["running"] == true).await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert_eq!(rig.shop.calls(), calls, "a refused key was used again");

    rig.shop.issue_key(&rig.key);
    let service = rig.start();
    status_says(&rig, |status| status["running"] == true).await;
    let resumed = rig.run(&["resume", "main"]);
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    make_changes(&rig, &rig.shop, 2, 5).await;
    let received = rig.all_told().await;
    assert_eq!(received.iter().filter(|one| event(one).kind == EventKind::ShopKeyRejected).count(), 1);
    rig.assert_exact(&received);
    drop(service);
}

/// Runs until a firewall has answered once, and sells one.
async fn behind_a_firewall(rig: &Rig) {
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.fail_next(Resource::Transactions, Fault::Firewall(403), 1);
    status_says(rig, |status| {
        let resources = status["shops"][0]["resources"].as_array().cloned().unwrap_or_default();
        resources.iter().any(|one| one["failing"]["why"].as_str().is_some_and(|why| why.contains("a firewall?")))
    })
    .await;
    rig.sell_one();
}

/// That everything was told, and nothing of a key.
async fn goes_on(rig: &Rig) {
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    assert!(received.iter().all(|one| event(one).kind != EventKind::ShopKeyRejected));
    status_says(rig, |status| Resource::ALL.into_iter().all(|resource| !failing(status, resource))).await;
    status_says(rig, |status| status["shops"][0]["key_refused"].is_null()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_firewalls_page_refuses_no_key_and_the_shop_is_read_again_after_a_minute() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    behind_a_firewall(&rig).await;
    goes_on(&rig).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_resumes_a_shop_behind_a_firewall_need_not_wait() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    behind_a_firewall(&rig).await;
    assert!(rig.run(&["resume", "main"]).status.success());
    goes_on(&rig).await;
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_given_up_and_the_next_pass_tells_it_all() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    rig.told(EventKind::ShopBaseline).await;
    rig.shop.fail_next(Resource::Transactions, Fault::Slow(Duration::from_secs(60)), 1);
    make_changes(&rig, &rig.shop, 4, 5).await;
    let received = rig.all_told().await;
    rig.assert_exact(&received);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_read_elsewhere_from_now_on_make_no_events() {
    let rig = Rig::new(RigPlan::default());
    let service = rig.start();
    let before = rig.told(EventKind::ShopBaseline).await.len();
    drop(service.stop());
    let config = std::fs::read_to_string(rig.config()).expect("reads");
    // Every quantity is another one now: each product's price is taken for what is left of it.
    let moved =
        config.replace("[channel.receiver]", "[shop.fields.stock]\nquantity = \"/price\"\n\n[channel.receiver]");
    std::fs::write(rig.config(), moved).expect("writes");
    let service = rig.start();
    let sale = rig.sell_one();
    let received = rig.all_told().await;
    assert_eq!(received.len(), before + 1, "{received:?}");
    assert_eq!(event(&received[before]).subject.as_str(), format!("sale/{}", sale.id));
    let stock = |status: &serde_json::Value| {
        let resources = status["shops"][0]["resources"].as_array().cloned().unwrap_or_default();
        resources.into_iter().find(|one| one["resource"] == "stock").map(|one| one["passed_at"].to_string())
    };
    // Two more passes over the stock: the first takes the new fields, the second compares by them.
    for _ in 0..2 {
        let passed = rig.lines(&["status", "--json"]).first().and_then(stock);
        status_says(&rig, |status| stock(status) != passed).await;
    }
    assert_eq!(rig.lines(&["events", "--json", "--type", "stock.*"]).len(), 0);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_stop_sales_are_read_from_the_trailing_window_before_it() {
    let rig = Rig::new(RigPlan::default());
    let mut server = mockito::Server::new_async().await;
    let (asked, mut questions) = tokio::sync::mpsc::unbounded_channel();
    let note = move |request: &mockito::Request| asked.send(request.path_and_query().to_owned()).is_ok();
    let mock = server.mock("GET", mockito::Matcher::Any).match_request(note).with_body(r#"{"success":1,"data":[]}"#);
    let _mock = mock.create_async().await;
    let config = std::fs::read_to_string(rig.config()).expect("reads");
    std::fs::write(rig.config(), config.replacen(rig.shop.base_url(), &server.url(), 1)).expect("writes");

    let clock = Clock::default();
    let passed_at = clock.now() - Duration::from_secs(5 * 86_400);
    let record = ResourceRecord {
        baseline_at: passed_at,
        passed_at,
        horizon: Some(passed_at - Duration::from_secs(3 * 86_400)),
        fields: String::new(),
        rows: 0,
        measure: String::new(),
        calls: 1,
        unreadable: 0,
    };
    let shop = ShopId::new("main").expect("is an id");
    let store = Store::open_or_create(&rig.path().join("posbell-data"), clock.new_epoch()).expect("opens");
    let commit = Commit { resource: Some((shop, Resource::Transactions, record)), ..Commit::default() };
    store.commit(commit).await.expect("commits");
    drop(store);

    let service = rig.start();
    let sales = async {
        loop {
            let question = questions.recv().await.expect("the service asks");
            if let Some((_, rest)) = question.split_once("start=") {
                return rest[..10].to_owned();
            }
        }
    };
    let start = tokio::time::timeout(PATIENCE, sales).await.expect("sales are asked for");
    // Sold a day before the last pass and cancelled an hour after it: the cancel must still be found.
    let sold = (passed_at - Duration::from_secs(86_400)).with_timezone(&chrono_tz::Asia::Bangkok).date_naive();
    assert!(start <= sold.to_string(), "asked from {start} on, sold on {sold}");
    drop(service);
}
