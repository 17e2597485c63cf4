//! A catalogue of bad passes: what the API may get wrong, in shops of four sizes, and not one false event.
//!
//! Each is read by the real client, wire, guard and store from a server on this machine, three times in a row, since
//! what is wrong for a moment is most often wrong for longer. Then comes a good pass with one true change, which must
//! be told, once, and nothing else with it.

pub(crate) mod books;
mod catalogue;
mod reader;
pub(crate) mod row;
pub(crate) mod server;

use posbell::domain::model::Resource;
use posbell::service::clock::Clock;
use posbell::service::pass::{PassError, PassReport};

use catalogue::{BadPass, Expected};
use reader::{Reader, Told};
use row::Row;
use server::{Server, Spoil};

/// Twenty thousand rows take their time in a build that is not optimised. So of a list that is longer than this only
/// the first quarter of the rows is spoilt, which is what the guard must notice, and it is read once while it is.
const LONG: usize = 5_000;

/// How many products the shops have.
const SIZES: [usize; 4] = [8, 60, 450, 20_000];

/// A shop of so many products between two passes, and how it is read.
struct Trial {
    server: Server,
    reader: Reader,
    rows: Vec<Row>,
    /// How many rows come in one page.
    page_size: usize,
    /// The pass over the sales that comes next reads only the newest page, because the last one has failed.
    is_shallow: bool,
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
        let key = format!("bad-{}-{}", std::process::id(), server.base_url);
        let mut reader = Reader::open(resource, &server.base_url, &key, &lines).await;
        let baseline = reader.read().await.expect("is the baseline");
        assert_eq!((baseline.baseline, baseline.rows), (true, rows.len() as u64));
        assert_eq!(reader.told().await, Told::default(), "a baseline makes no events");
        let page_size = if stock_list == "whole" { usize::MAX } else { page_size };
        Trial { server, reader, rows, page_size, is_shallow: false, complaints: Vec::new() }
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
            let (was_held, is_shallow) = (self.reader.held().await.is_some(), self.is_shallow);
            let outcome = self.pass().await;
            let held = self.reader.held().await;
            // Of the newest page alone everything may be right.
            if !is_shallow && !is_so(expected, &outcome, held.as_deref()) {
                self.complain(bad, &format!("time {time}: not {expected:?} but {outcome:?}, held {held:?}"));
            }
            let notices = usize::from(held.is_some() && !was_held);
            let told = self.reader.told().await;
            if told != (Told { notices, news: Vec::new() }) {
                self.complain(bad, &format!("time {time}: told {told:?}"));
            }
        }
    }

    /// Reads a good pass with a true change, after the bad one.
    async fn recover(&mut self, nth: usize, bad: &BadPass) {
        let now = Clock::default().now();
        let change = books::change(self.reader.resource, &mut self.rows, nth, now);
        self.server.show(&self.rows);
        let outcome = match self.is_shallow {
            true => self.pass().await.and(self.pass().await),
            false => self.pass().await,
        };
        let told = self.reader.told().await;
        let want = Told { notices: 0, news: vec![change] };
        if outcome.is_err() || told != want || self.reader.held().await.is_some() {
            self.complain(bad, &format!("then: not {want:?} but {told:?}, {outcome:?}"));
        }
    }

    async fn pass(&mut self) -> Result<PassReport, PassError> {
        let outcome = self.reader.read().await;
        let is_refused = matches!(outcome, Err(PassError::Read(_) | PassError::Unbelievable(_)));
        self.is_shallow = self.reader.resource == Resource::Transactions && is_refused && !self.is_shallow;
        outcome
    }

    fn complain(&mut self, bad: &BadPass, what: &str) {
        let (resource, rows) = (self.reader.resource, self.rows.len());
        self.complaints.push(format!("{resource}, {rows} rows, \"{}\", {what}", bad.name));
    }
}

/// Whether that became of a pass what was expected, and a person finds out why.
fn is_so(expected: Expected, outcome: &Result<PassReport, PassError>, held: Option<&str>) -> bool {
    match (expected, outcome, held) {
        (Expected::Held(why), Err(PassError::Held(said)), Some(held)) => {
            held.contains(why) && said.to_string().contains("posbell held show")
        }
        (Expected::Refused(why), Err(said @ (PassError::Read(_) | PassError::Unbelievable(_))), _) => {
            said.to_string().contains(why)
        }
        (Expected::LeftOut, Ok(report), None) => report.unreadable > 0,
        (Expected::NoNews, Ok(report), None) => report.unreadable == 0,
        _ => false,
    }
}

/// Reads these bad passes of a resource in a shop of that size, each with a good one after it; of a long list after
/// every fourth, which then tells what is true and nothing of any of the four.
async fn run(resource: Resource, products: usize, stock_list: &str, catalogue: &[BadPass]) -> Vec<String> {
    let mut trial = Trial::begin(resource, products, stock_list).await;
    for (nth, bad) in catalogue.iter().enumerate() {
        trial.read(bad).await;
        if !trial.is_long() || nth % 4 == 3 || nth + 1 == catalogue.len() {
            trial.recover(nth, bad).await;
        }
    }
    trial.complaints
}

/// Everything that may be wrong with a pass over this resource in a shop of so many products.
fn all(resource: Resource, products: usize) -> Vec<BadPass> {
    let mut all = catalogue::of_answers(resource, products);
    all.extend_from_slice(catalogue::of_rows(resource));
    all
}

#[track_caller]
fn none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n\n{}\n", complaints.join("\n"));
}

async fn in_shops_of(products: &[usize], resource: Resource) {
    let mut complaints = Vec::new();
    for &products in products {
        complaints.extend(run(resource, products, "pages", &all(resource, products)).await);
    }
    none(complaints);
}

#[tokio::test]
async fn no_bad_pass_over_the_stock_of_a_small_shop_makes_an_event() {
    in_shops_of(&[8, 60, 450], Resource::Stock).await;
}

#[tokio::test]
async fn no_bad_pass_over_a_stock_list_in_one_answer_makes_an_event() {
    none(run(Resource::Stock, 60, "whole", &all(Resource::Stock, 60)).await);
}

#[tokio::test]
async fn no_bad_answer_for_the_stock_of_a_large_shop_makes_an_event() {
    none(run(Resource::Stock, 20_000, "pages", &catalogue::of_answers(Resource::Stock, 20_000)).await);
}

#[tokio::test]
async fn no_bad_row_in_the_stock_of_a_large_shop_makes_an_event() {
    none(run(Resource::Stock, 20_000, "pages", catalogue::of_rows(Resource::Stock)).await);
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
