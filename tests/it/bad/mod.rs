//! A catalogue of bad passes: what the API may get wrong, in shops of four sizes, and not one false event.
//!
//! Each is read by the real client, wire, guard and store from a server on this machine, three times in a row, since
//! what is wrong for a moment is most often wrong for longer. Then comes a good pass with one true change, which must
//! be told, once, and nothing else with it.

mod books;
mod catalogue;
mod reader;
mod row;
mod server;

use posbell::domain::model::Resource;
use posbell::service::clock::Clock;
use posbell::service::pass::{PassError, PassReport};

use catalogue::{BadPass, Expected};
use reader::Reader;
use row::Row;
use server::{Server, Spoil};

/// Twenty thousand rows take their time in a build that is not optimised. So of a list that is longer than this only
/// the first quarter of the rows is spoilt, which is what the guard must notice; it is read once while it is, and the
/// good pass comes after a few bad ones.
const LONG: usize = 5_000;

/// How many products the shops have.
const SIZES: [usize; 4] = [8, 60, 450, 20_000];

/// How many bad passes over a long list come before a good one.
const BAD_IN_A_ROW: usize = 8;

/// A shop of so many products between two passes, and how it is read.
struct Trial {
    server: Server,
    reader: Reader,
    rows: Vec<Row>,
    /// How many rows come in one page.
    page_size: usize,
    complaints: Vec<String>,
}

impl Trial {
    async fn begin(resource: Resource, products: usize, stock_list: &str) -> Trial {
        let rows = books::rows(resource, books::length(resource, products), Clock::default().now());
        let server = Server::start(resource);
        server.show(&rows);
        // So that every list has several pages, of which one is less than half, and the longest not too many.
        let page_size = match resource {
            Resource::Credit => rows.len() / 6,
            _ => rows.len() / 3,
        };
        let page_size = page_size.clamp(2, 1_000);
        let lines = format!("page_size = {page_size}\nstock_list = \"{stock_list}\"");
        let key = format!("bad-{}-{products}-{stock_list}-{}", resource.name(), std::process::id());
        let mut reader = Reader::open(resource, &server.base_url, &key, &lines).await;
        let baseline = reader.read().await.expect("is the baseline");
        assert_eq!((baseline.baseline, baseline.rows), (true, rows.len() as u64));
        assert_eq!(reader.told().await, [], "a baseline makes no events");
        let page_size = if stock_list == "whole" { usize::MAX } else { page_size };
        Trial { server, reader, rows, page_size, complaints: Vec::new() }
    }

    fn is_long(&self) -> bool {
        self.rows.len() > LONG
    }

    /// Reads the bad pass as often as it takes.
    async fn read(&mut self, bad: &BadPass) {
        let harmless = bad.by_pages && self.rows.len() <= self.page_size;
        let expected = if harmless { Expected::NoNews } else { bad.expected };
        let part = if self.is_long() { self.rows.len() / 4 } else { self.rows.len() };
        self.server.spoil(&self.rows, part, bad.spoil);
        let times = match bad.spoil {
            // What is no answer is told from one at once.
            Spoil::Text(..) => 1,
            _ if self.is_long() => 1,
            // The second time removes a row, and takes a field that is left out for emptied.
            _ if self.rows.len() > 50 => 2,
            _ => 3,
        };
        for time in 1..=times {
            let outcome = self.reader.read().await;
            let is_held = self.reader.is_held().await;
            if !is_so(expected, &outcome, is_held) {
                self.complain(bad, &format!("time {time}: not {expected:?} but {outcome:?}, held {is_held}"));
            }
            let told = self.reader.told().await;
            if !told.is_empty() {
                self.complain(bad, &format!("time {time}: told {told:?}"));
            }
        }
    }

    /// Reads a good pass with a true change, after the bad one.
    async fn recover(&mut self, nth: usize, bad: &BadPass) {
        let now = Clock::default().now();
        let (kind, subject) = books::change(self.reader.resource, &mut self.rows, nth, now);
        self.server.show(&self.rows);
        let outcome = self.reader.read().await;
        let told = self.reader.told().await;
        if outcome.is_err() || told != [(kind, subject.clone())] || self.reader.is_held().await {
            self.complain(bad, &format!("then: not {kind} of {subject} but {told:?}, {outcome:?}"));
        }
    }

    fn complain(&mut self, bad: &BadPass, what: &str) {
        let (resource, rows) = (self.reader.resource, self.rows.len());
        self.complaints.push(format!("{resource}, {rows} rows, \"{}\", {what}", bad.name));
    }
}

/// Whether that became of a pass what was expected.
fn is_so(expected: Expected, outcome: &Result<PassReport, PassError>, is_held: bool) -> bool {
    match (expected, outcome) {
        (Expected::Held, Err(PassError::Held(_))) => is_held,
        (Expected::Refused, Err(PassError::Read(_) | PassError::Unbelievable(_))) => true,
        (Expected::LeftOut, Ok(report)) => report.unreadable > 0 && !is_held,
        (Expected::NoNews, Ok(report)) => report.unreadable == 0 && !is_held,
        _ => false,
    }
}

/// Runs the whole catalogue of a resource in a shop of that size.
async fn run(resource: Resource, products: usize, stock_list: &str) -> Vec<String> {
    let mut trial = Trial::begin(resource, products, stock_list).await;
    let catalogue = catalogue::of(resource, products);
    for (nth, bad) in catalogue.iter().enumerate() {
        trial.read(bad).await;
        let rests = trial.is_long() && nth % BAD_IN_A_ROW != 0 && nth + 1 < catalogue.len();
        if !rests {
            trial.recover(nth, bad).await;
        }
    }
    trial.complaints
}

#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

async fn in_shops_of(products: &[usize], resource: Resource) {
    let mut complaints = Vec::new();
    for &products in products {
        complaints.extend(run(resource, products, "pages").await);
    }
    none(complaints);
}

#[tokio::test]
async fn no_bad_pass_over_the_stock_of_a_small_shop_makes_an_event() {
    in_shops_of(&[8, 60, 450], Resource::Stock).await;
}

#[tokio::test]
async fn no_bad_pass_over_a_stock_list_in_one_answer_makes_an_event() {
    none(run(Resource::Stock, 60, "whole").await);
}

#[tokio::test]
async fn no_bad_pass_over_the_stock_of_a_large_shop_makes_an_event() {
    none(run(Resource::Stock, 20_000, "pages").await);
}

#[tokio::test]
async fn no_bad_pass_over_the_sales_makes_an_event() {
    in_shops_of(&SIZES, Resource::Transactions).await;
}

#[tokio::test]
async fn no_bad_pass_over_the_credits_makes_an_event() {
    in_shops_of(&SIZES, Resource::Credit).await;
}

#[tokio::test]
async fn no_bad_pass_over_the_members_makes_an_event() {
    in_shops_of(&SIZES, Resource::Members).await;
}

#[tokio::test]
async fn no_bad_pass_over_the_vendors_makes_an_event() {
    in_shops_of(&SIZES, Resource::Vendors).await;
}

#[tokio::test]
async fn no_bad_pass_over_the_purchase_documents_makes_an_event() {
    in_shops_of(&SIZES, Resource::BuyDocuments).await;
}
