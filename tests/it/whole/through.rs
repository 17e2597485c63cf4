//! What a shop sells and lends while a pass over it is held: told at once and once, and nothing else is.

use chrono::TimeDelta;
use posbell::domain::event::EventKind;
use posbell::domain::model::Resource;
use posbell::service::clock::Clock;

use crate::bad::books;
use crate::bad::row::Row;
use crate::bad::server::Server;
use crate::support::rig::{Rig, RigPlan, Service, events, until};

const RULES: &str = r#"
[[rule]]
name = "everything"
on = ["sale.*", "credit.*", "shop.*", "pass.*"]
to = ["receiver"]
"#;

/// A program that reads one list of a server, and what is in it.
struct Held {
    rig: Rig,
    server: Server,
    rows: Vec<Row>,
    resource: Resource,
}

/// A rig whose shop is a server of this one list, with so many rows.
pub(super) fn of_one_list(plan: RigPlan, resource: Resource, rows: usize) -> (Rig, Server, Vec<Row>) {
    let rig = Rig::new(plan);
    let server = Server::start(resource);
    let rows = books::rows(resource, rows, Clock::default().now());
    server.show(&rows);
    rig.configure(rig.shop.base_url(), &server.base_url);
    for other in Resource::ALL.into_iter().filter(|other| *other != resource) {
        rig.configure(&format!("\n{other} = \"100ms\""), &format!("\n{other} = \"off\""));
    }
    (rig, server, rows)
}

impl Held {
    /// A list of so many rows, of which nothing is read yet.
    fn of(resource: Resource, rows: usize) -> Held {
        let plan = RigPlan { rules: RULES.to_owned(), ..RigPlan::default() };
        let (rig, server, rows) = of_one_list(plan, resource, rows);
        Held { rig, server, rows, resource }
    }

    /// Shows these rows and waits until a pass over them is held.
    async fn hold(&self, rows: &[Row]) {
        self.server.show(rows);
        self.rig.told(EventKind::PassHeld).await;
    }

    /// Shows these rows and waits until passes that began after that were held too.
    async fn still_held(&self, rows: &[Row]) {
        self.server.show(rows);
        for _ in 0..3 {
            let before = self.last_seen();
            until("a pass is held", || self.last_seen() != before).await;
        }
    }

    fn last_seen(&self) -> Option<String> {
        let held = self.rig.lines(&["held", "--json"]);
        held.first().and_then(|held| Some(held["last_seen"].as_str()?.to_owned()))
    }

    /// Waits until nothing is held any more.
    async fn accepted(&self) {
        until("it is accepted", || self.last_seen().is_none()).await;
        self.rig.passes(self.resource, 2).await;
    }

    /// A row that came to be just now.
    fn made_now(&self, number: usize) -> Row {
        let now = Clock::default().now();
        let mut row = books::rows(self.resource, 1, now).remove(0);
        let (id, code) = (format!("ffff0000{number:016x}"), format!("NEW{number:06}"));
        row.set_text("_id", &id);
        row.set_text("code", &code);
        row.set("timestamp", books::time(now));
        if self.resource == Resource::Transactions {
            row.set("reference_tax_invoice_abbreviate", format!("{{\"code\":\"NR{number:06}\"}}"));
        } else {
            row.set("due_date", books::time(now + TimeDelta::days(30)));
            row.set("#list", "within");
        }
        row
    }

    /// What was told, repeats left out.
    fn told(&self) -> Vec<String> {
        let mut told: Vec<(String, String)> = Vec::new();
        for event in self.rig.receiver.received().iter().flat_map(events) {
            let one = (event.id.as_str().to_owned(), format!("{} {}", event.kind, event.subject));
            if !told.contains(&one) {
                told.push(one);
            }
        }
        told.into_iter().map(|(_, what)| what).collect()
    }

    /// Waits until that many events were told, and says which came after the first `known`, in the order of their ids:
    /// several are on their way at once.
    async fn told_after(&self, known: usize, news: usize) -> Vec<String> {
        until("it is told", || self.told().len() >= known + news).await;
        let mut told = self.told().split_off(known);
        told.sort();
        told
    }

    fn start(&self) -> Service {
        self.rig.start()
    }
}

fn subject(row: &Row) -> String {
    row.text("_id")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sold_while_the_sales_are_held_is_told_at_once_and_once() {
    let held = Held::of(Resource::Transactions, 61);
    let service = held.start();
    held.rig.told(EventKind::ShopBaseline).await;
    let rest = held.rows[20..].to_vec();
    held.hold(&rest).await;
    assert_eq!(held.told(), ["shop.baseline shop/main", "pass.held shop/main"]);
    let accepted_at = held.rig.resource(Resource::Transactions)["passed_at"].clone();

    let news = [held.made_now(1), held.made_now(2)];
    let with = |news: &[Row], rest: &[Row]| [news, rest].concat();
    held.still_held(&with(&news, &rest)).await;
    let created = |row: &Row| format!("sale.created sale/{}", subject(row));
    assert_eq!(held.told_after(2, 2).await, [created(&news[0]), created(&news[1])]);
    assert_eq!(held.rig.resource(Resource::Transactions)["passed_at"], accepted_at, "the pass is not accepted");

    // A kill keeps what was told, and what is not told yet waits with the others: a cancel.
    service.kill();
    let service = held.start();
    let mut cancelled = news.clone();
    cancelled[0].set_text("status", "cancel");
    held.still_held(&with(&cancelled, &rest)).await;
    assert_eq!(held.told().len(), 4, "{:?}", held.told());

    held.server.show(&with(&cancelled, &held.rows));
    held.accepted().await;
    assert_eq!(held.told_after(4, 1).await, [format!("sale.cancelled sale/{}", subject(&news[0]))]);
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_sales_under_other_ids_and_another_shops_sales_are_not_told_while_the_sales_are_held() {
    let held = Held::of(Resource::Transactions, 61);
    let service = held.start();
    held.rig.told(EventKind::ShopBaseline).await;
    let changed = |change: &dyn Fn(usize, &mut Row), rows: usize| {
        let mut all = held.rows.clone();
        all[..rows].iter_mut().enumerate().for_each(|(number, row)| change(number, row));
        all
    };
    let again = |number: usize, row: &mut Row| row.set_text("_id", &format!("aaaa0000{number:016x}"));
    held.hold(&changed(&again, 30)).await;
    let renumbered = |number: usize, row: &mut Row| {
        again(number, row);
        row.set_text("code", &format!("XX{number:06}"));
        row.set("reference_tax_invoice_abbreviate", "null");
    };
    held.still_held(&changed(&renumbered, 30)).await;
    let others = |number: usize, row: &mut Row| *row = held.made_now(100 + number);
    held.still_held(&changed(&others, 40)).await;
    // Of the rest of a list that is held: dated before the last accepted pass, or not at all, or with a known number.
    let mut olds = [held.made_now(1), held.made_now(2), held.made_now(3), held.made_now(4)];
    olds[0].set("timestamp", books::time(Clock::default().now() - TimeDelta::hours(1)));
    olds[1].set("timestamp", "null");
    olds[2].set_text("code", &held.rows[3].text("code"));
    olds[3].set("reference_tax_invoice_abbreviate", held.rows[3].get("reference_tax_invoice_abbreviate").to_owned());
    held.still_held(&[&olds, &held.rows[20..]].concat()).await;
    let told = held.told();
    assert!(told.iter().all(|what| !what.starts_with("sale.")), "{told:?}");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lent_while_the_credits_are_held_is_told_at_once_and_a_release_tells_it_no_more() {
    let held = Held::of(Resource::Credit, 40);
    let service = held.start();
    held.rig.told(EventKind::ShopBaseline).await;
    let rest = held.rows[20..].to_vec();
    held.hold(&rest).await;
    let (new, mut old) = (held.made_now(1), held.made_now(2));
    old.set("timestamp", books::time(Clock::default().now() - TimeDelta::hours(1)));
    let shown = [&[new.clone(), old.clone()], &rest[..]].concat();
    held.still_held(&shown).await;
    let created = |row: &Row| format!("credit.created credit/{}", subject(row));
    assert_eq!(held.told_after(2, 1).await, [created(&new)]);
    assert!(held.rig.run(&["held", "release", "main", "credit"]).status.success());
    held.accepted().await;
    let told = held.told_after(3, 1).await;
    assert!(told.contains(&created(&old)) && !told.contains(&created(&new)), "{told:?}");
    drop(service);
}
