//! Rows and answers as the API may write them: long bills, bills without lines, numbers for ids, other ways to say that
//! all is well, lists without an end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use posbell::domain::event::{Event, EventData, EventKind};
use posbell::domain::model::{Resource, Sale};
use posbell::service::clock::Clock;

use super::copies::{done, run};
use super::through::of_one_list;
use crate::bad::books;
use crate::bad::row::{Row, quoted};
use crate::bad::server::{Answer, Asked, Server, Spoil};
use crate::support::rig::{Rig, RigPlan, Service, events, until};

/// A program that reads one list of a server.
struct Shown {
    rig: Rig,
    server: Server,
    rows: Vec<Row>,
    resource: Resource,
}

impl Shown {
    fn of(resource: Resource, rows: usize) -> Shown {
        let plan = RigPlan { quota: (400, Duration::from_secs(1)), ..RigPlan::default() };
        let (rig, server, rows) = of_one_list(plan, resource, rows);
        Shown { rig, server, rows, resource }
    }

    async fn begin(&self) -> Service {
        let service = self.rig.start();
        self.rig.told(EventKind::ShopBaseline).await;
        service
    }

    /// Sells this, with the other bills below it.
    fn sell(&mut self, nth: usize, change: impl FnOnce(&mut Row)) -> String {
        books::change(Resource::Transactions, &mut self.rows, 2 * nth, Clock::default().now());
        change(&mut self.rows[0]);
        self.server.show(&self.rows);
        self.rows[0].text("_id")
    }

    /// The events of this kind that were told of this bill.
    fn told(&self, kind: EventKind, id: &str) -> Vec<Event> {
        let all = self.rig.receiver.received();
        let of_bill = |event: &Event| event.kind == kind && event.subject.as_str() == format!("sale/{id}");
        all.iter().flat_map(events).filter(of_bill).collect()
    }

    /// Waits until the bill is told.
    async fn created(&self, id: &str) -> Sale {
        until("the bill is told", || !self.told(EventKind::SaleCreated, id).is_empty()).await;
        bill(&self.told(EventKind::SaleCreated, id)[0])
    }

    fn status(&self, field: &str) -> serde_json::Value {
        self.rig.resource(self.resource)[field].clone()
    }
}

fn bill(event: &Event) -> Sale {
    match &event.data {
        EventData::Sale { sale, .. } => (**sale).clone(),
        other => panic!("{other:?}"),
    }
}

/// So many lines with names of Thai letters.
fn lines(count: usize) -> String {
    let line = |number: usize| {
        format!(
            r#"{{"code":"PK64{number:06}","name":"{}","stock":1.5,"price":{number},"cost_discount_price":0,"total_price_include_discount":{number},"note_in_order":["ไม่หวาน"],"sku_list":[],"topping_in_order":[]}}"#,
            name(number)
        )
    };
    format!("[{}]", (1..=count).map(line).collect::<Vec<_>>().join(","))
}

fn name(number: usize) -> String {
    format!("ข้าวหอมมะลิคัดพิเศษจากทุ่งกุลาร้องไห้ ถุงละห้ากิโลกรัม ลำดับที่ {number}")
}

/// The names of all lines, which are those of a bill of so many.
#[track_caller]
fn assert_all(sale: &Sale, count: usize) {
    let names: Vec<_> = sale.lines.iter().filter_map(|line| line.name.clone()).collect();
    assert_eq!(names, (1..=count).map(name).collect::<Vec<_>>());
    assert_eq!(sale.lines_left_out, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_bills_are_told_kept_backed_up_and_restored_with_every_line() {
    let mut shown = Shown::of(Resource::Transactions, 30);
    let service = shown.begin().await;
    let mut sold = Vec::new();
    for (nth, count) in [180, 600].into_iter().enumerate() {
        let id = shown.sell(nth, |row| row.set("order_list", lines(count)));
        assert!(shown.rows[0].written().len() > 64 * 1024, "{count} lines are a long row");
        assert_all(&shown.created(&id).await, count);
        sold.push((id, count));
    }
    // Known as they are, they tell nothing more; a change of one is told with all of both.
    shown.rig.passes(Resource::Transactions, 3).await;
    let (id, count) = sold[1].clone();
    shown.rows[0].set("comment", quoted("paid later"));
    shown.server.show(&shown.rows);
    until("the change is told", || !shown.told(EventKind::SaleUpdated, &id).is_empty()).await;
    let updated = shown.told(EventKind::SaleUpdated, &id).remove(0);
    assert_all(&bill(&updated), count);
    let EventData::Sale { previous: Some(previous), changed, .. } = &updated.data else { panic!("{updated:?}") };
    assert_all(previous, count);
    assert_eq!(*changed, ["comment"]);
    assert_eq!(shown.told(EventKind::SaleCreated, &id).len(), 1);

    // A restart compares each of them anew with what is stored.
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    let service = shown.rig.start();
    shown.rig.passes(Resource::Transactions, 2).await;
    assert_eq!(shown.rig.receiver.received().len(), 4, "the baseline, two bills and a change");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");

    let logged = |rig: &Rig| -> Vec<(String, usize)> {
        let all = rig.lines(&["events", "--json", "--type", "sale.created"]);
        let lines = |event: &serde_json::Value| event["data"]["sale"]["lines"].as_array().map_or(0, Vec::len);
        all.iter()
            .map(|event| (event["data"]["sale"]["id"].as_str().unwrap_or_default().to_owned(), lines(event)))
            .collect()
    };
    assert_eq!(logged(&shown.rig), sold);
    let file = shown.rig.path().join("long.backup");
    done(&run(&shown.rig, &["backup", path(&file)]).await);
    std::fs::remove_dir_all(shown.rig.path().join("posbell-data")).expect("is there");
    done(&run(&shown.rig, &["restore", path(&file)]).await);
    assert_eq!(logged(&shown.rig), sold);
    let service = shown.rig.start();
    shown.rig.passes(Resource::Transactions, 2).await;
    assert_eq!(shown.rig.receiver.received().len(), 4);
    drop(service);
}

fn path(path: &Path) -> &str {
    path.to_str().expect("is text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_above_one_mebibyte_is_told_with_its_first_thousand_lines() {
    let mut shown = Shown::of(Resource::Transactions, 30);
    let service = shown.begin().await;
    let id = shown.sell(0, |row| row.set("order_list", lines(8_000)));
    assert!(shown.rows[0].written().len() > 1024 * 1024);
    let sale = shown.created(&id).await;
    assert_eq!((sale.lines.len(), sale.lines_left_out), (1_000, 7_000));
    assert_eq!(sale.lines[999].name, Some(name(1_000)));
    shown.rig.passes(Resource::Transactions, 2).await;
    assert_eq!(shown.status("cut"), 1, "it is read once, and known from then on");
    let text = String::from_utf8(shown.rig.run(&["status"]).stdout).expect("is text");
    assert!(text.contains("since the start 1 row was too large and is told in part"), "{text}");
    let all = shown.rig.receiver.received();
    assert!(all.iter().any(|one| one.body.contains(r#""lines_left_out":7000"#)));
    assert_eq!(all.iter().filter(|one| one.body.contains("lines_left_out")).count(), 1);
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_whose_lines_are_null_is_told_and_what_is_left_out_is_shown_with_an_example() {
    let mut shown = Shown::of(Resource::Transactions, 30);
    let service = shown.begin().await;
    let id = shown.sell(0, |row| row.set("order_list", "null"));
    let sale = shown.created(&id).await;
    assert_eq!((sale.lines.len(), sale.lines_left_out, sale.total.is_some()), (0, 0, true));

    let left_out = async |shown: &Shown, count: usize, why: &str| {
        until("it is shown", || shown.status("left_out_because") == why && shown.status("unreadable") == count).await;
        let text = String::from_utf8(shown.rig.run(&["status"]).stdout).expect("is text");
        let rows = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        assert!(text.contains(&format!("ok, but {rows} left out, for example: {why}")), "{text}");
    };
    // Without the place of the lines it is a row of another list.
    shown.sell(1, |row| row.remove("order_list"));
    left_out(&shown, 1, "a row is of another kind").await;
    shown.rows.remove(0);
    for nth in 2..5 {
        shown.sell(nth, |row| row.set("grand_total", "1".repeat(40)));
    }
    left_out(&shown, 3, "`grand_total` has more digits than are kept").await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    assert!(log.contains("`grand_total` has more digits than are kept") && !log.contains("1111111"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn success_in_other_words_is_success() {
    let mut shown = Shown::of(Resource::Transactions, 30);
    let service = shown.begin().await;
    let words: [fn(String) -> String; 4] = [
        |text| text.replacen(r#""success":1"#, r#""success":true"#, 1),
        |text| text.replacen(r#""success":1"#, r#""success":1.0"#, 1),
        |text| text.replacen(r#""success":1"#, r#""success":"1""#, 1),
        |text| text.replacen(r#""success":1"#, r#""success": 1 "#, 1),
    ];
    for (nth, word) in words.into_iter().enumerate() {
        let id = shown.sell(nth, |_| {});
        shown.server.spoil(&shown.rows, 0, Spoil::Text(200, word));
        shown.created(&id).await;
        shown.rig.passes(Resource::Transactions, 2).await;
        assert!(shown.status("failing").is_null());
    }
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_numbers_are_those_that_were_texts() {
    let mut shown = Shown::of(Resource::Transactions, 30);
    for (number, row) in shown.rows.iter_mut().enumerate() {
        row.set_text("_id", &format!("60004506000000000000{number:04}"));
    }
    shown.server.show(&shown.rows);
    let service = shown.begin().await;
    for row in &mut shown.rows {
        row.set("_id", row.text("_id"));
    }
    shown.server.show(&shown.rows);
    shown.rig.passes(Resource::Transactions, 3).await;
    assert!(shown.status("failing").is_null() && shown.status("held").is_null());
    assert_eq!(shown.rig.receiver.received().len(), 1, "the same bills are no news");
    let id = shown.sell(0, |row| row.set("_id", "17"));
    assert_eq!(id, "17");
    shown.created(&id).await;
    shown.rows[0].set("_id", "17.0");
    shown.server.show(&shown.rows);
    shown.rig.passes(Resource::Transactions, 3).await;
    assert_eq!(shown.rig.receiver.received().len(), 2);
    drop(service);

    // The same of a shop whose ids were numbers from the first pass on, in a long list.
    let mut shown = Shown::of(Resource::Stock, 30);
    for (number, row) in shown.rows.iter_mut().enumerate() {
        row.set("_id", (1 + number * number).to_string());
    }
    shown.server.show(&shown.rows);
    let service = shown.begin().await;
    shown.rig.passes(Resource::Stock, 2).await;
    let product = shown.rows.iter_mut().max_by_key(|row| row.number("stock")).expect("has products");
    product.set("stock", "0");
    let id = product.text("_id");
    shown.server.show(&shown.rows);
    let received = shown.rig.told(EventKind::StockOut).await;
    let subjects = received.iter().flat_map(events).map(|event| event.subject.as_str().to_owned());
    assert!(subjects.collect::<Vec<_>>().contains(&format!("product/{id}")));
    assert_eq!((shown.status("rows"), shown.status("unreadable")), (30.into(), 0.into()));
    drop(service);
}

/// The longest total that 64 bits hold.
const WITHOUT_END: &str = "18446744073709551615";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_an_end_is_given_up_and_shows_how_far_it_has_come() {
    let shown = Shown::of(Resource::Stock, 200);
    shown.rig.configure("[shop.poll]", "stock_list = \"pages\"\n[shop.poll]");
    let endless = |asked: &Asked, all: &[Arc<str>], answer: &mut Answer| {
        let new = all[0].replacen(r#"{"_id":""#, &format!(r#"{{"_id":"new{:06}"#, asked.page), 1);
        answer.rows = vec![new.into()];
        (answer.total, answer.total_page) = (WITHOUT_END.to_owned(), "null".to_owned());
    };
    shown.server.spoil(&shown.rows, 0, Spoil::Page(endless));
    let service = shown.rig.start();
    until("it runs", || shown.rig.run(&["status"]).status.success()).await;
    until("it shows how far it has come", || shown.status("reading")["rows"].as_u64() > Some(50)).await;
    let text = String::from_utf8(shown.rig.run(&["status"]).stdout).expect("is text");
    assert!(text.contains(" rows so far, in ") || text.contains("does not end"), "{text}");
    until("it is given up", || {
        shown.status("failing")["why"].as_str().is_some_and(|why| why.contains("the list does not end; given up after"))
    })
    .await;
    let why = shown.status("failing")["why"].as_str().unwrap_or_default().to_owned();
    println!("{why}");
    // What comes next is read as it is.
    shown.server.show(&shown.rows);
    shown.rig.told(EventKind::ShopBaseline).await;
    drop(service);
}
