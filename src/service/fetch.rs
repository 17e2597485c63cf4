//! One reading of the API for a person: which call is meant, and its rows as lines.
//!
//! The same for the running service, which lends its client, and for a command that takes the shop's place in the quota
//! itself. A key that is refused here is refused for the shop: whoever asks stops it.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc::Sender;

use super::clock::Clock;
use super::probe::probe;
use crate::api::{FetchLine, FetchQuery};
use crate::config::ShopConfig;
use crate::domain::model::Resource;
use crate::edge::pospos::quota::Urgency;
use crate::edge::pospos::{Pospos, Question, ReadError};

/// After how long without a row it is said why nothing comes. Whoever listens can rely on it, and take a longer silence
/// for a broken connection.
pub const SILENCE: Duration = Duration::from_secs(5);

/// How long a line waits for a listener that is there and takes nothing: a person may read a screen for a while.
const IGNORED: Duration = Duration::from_secs(600);

/// How many lines are ready before they are taken.
pub(super) const LINES_AHEAD: usize = 64;

/// What a person wants of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The rows of a call.
    Rows(Question),
    /// What a page of a resource shows.
    Probe(Resource),
}

/// Whose API is read, and by which clock.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) pospos: &'a Pospos,
    pub(super) shop: &'a ShopConfig,
    pub(super) clock: &'a Clock,
}

/// What a person wants, or what is wrong with the words.
pub fn asked(query: &FetchQuery) -> Result<Asked, String> {
    let question = question(query)?;
    match Resource::by_name(&query.resource) {
        Some(resource) if query.probe => {
            only(query, resource, &[])?;
            Ok(Asked::Probe(resource))
        }
        _ => Ok(Asked::Rows(question)),
    }
}

/// Which call a person means, or what is wrong with the words.
fn question(query: &FetchQuery) -> Result<Question, String> {
    let Some(resource) = Resource::by_name(&query.resource) else {
        let known = Resource::ALL.map(Resource::name).join(", ");
        return Err(format!("there is no resource `{}`; it is one of: {known}", query.resource));
    };
    only(query, resource, allowed(resource))?;
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    Ok(match resource {
        Resource::Transactions => Question::Transactions {
            start: text(&query.start),
            end: text(&query.end),
            current_buyer: query.current_buyer,
        },
        Resource::Stock => match (&query.id, query.whole) {
            (Some(id), false) if query.term.is_none() => Question::Product { id: id.clone() },
            (None, true) if query.term.is_none() => Question::StockWhole,
            (None, false) => Question::StockPages { term: text(&query.term) },
            _ => return Err("give one of `--id`, `--term` and `--whole`".to_owned()),
        },
        Resource::Members => match (&query.phone, &query.code, &query.id) {
            (None, None, None) => Question::Members,
            (Some(phone), None, None) => Question::MemberByPhone { phone: phone.clone() },
            (None, Some(code), None) => Question::MemberByCode { code: code.clone() },
            (None, None, Some(id)) => Question::MemberById { id: id.clone() },
            _ => return Err("give one of `--phone`, `--code` and `--id`".to_owned()),
        },
        Resource::Credit => Question::Credit {
            period: one_of("period", &query.period, &["ALL", "OUT_OF_PERIOD", "IN_OF_PERIOD"])?,
            status: one_of("status", &query.status, &["paid", "pending"])?,
        },
        Resource::Vendors => Question::Vendors { term: text(&query.term) },
        Resource::BuyDocuments => {
            Question::BuyDocuments { term: text(&query.term), start: text(&query.start), end: text(&query.end) }
        }
    })
}

/// What can be said about a resource.
fn allowed(resource: Resource) -> &'static [&'static str] {
    match resource {
        Resource::Transactions => &["start", "end", "current-buyer"],
        Resource::Stock => &["id", "term", "whole"],
        Resource::Members => &["id", "code", "phone"],
        Resource::Credit => &["period", "status"],
        Resource::Vendors => &["term"],
        Resource::BuyDocuments => &["term", "start", "end"],
    }
}

fn only(query: &FetchQuery, resource: Resource, allowed: &[&str]) -> Result<(), String> {
    let given = [
        ("id", query.id.is_some()),
        ("code", query.code.is_some()),
        ("phone", query.phone.is_some()),
        ("term", query.term.is_some()),
        ("period", query.period.is_some()),
        ("status", query.status.is_some()),
        ("start", query.start.is_some()),
        ("end", query.end.is_some()),
        ("current-buyer", query.current_buyer.is_some()),
        ("whole", query.whole),
    ];
    match given.into_iter().find(|(name, given)| *given && !allowed.contains(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let known: Vec<String> = allowed.iter().map(|name| format!("`--{name}`")).collect();
            Err(format!("`--{name}` says nothing about {resource}; it takes {}", known.join(", ")))
        }
    }
}

fn one_of(name: &str, given: &Option<String>, words: &[&str]) -> Result<String, String> {
    match given {
        None => Ok(String::new()),
        Some(word) => words
            .iter()
            .find(|known| known.eq_ignore_ascii_case(word))
            .map(|known| (*known).to_owned())
            .ok_or_else(|| format!("`--{name} {word}` is not known; it is one of: {}", words.join(", "))),
    }
}

/// Asks, and sends line after line until the list or the listener ends.
pub(super) async fn run(asked: &Asked, reader: Reader<'_>, lines: &Sender<FetchLine>) -> Result<(), ReadError> {
    let gone = async {
        lines.closed().await;
        Ok(())
    };
    tokio::select! {
        // Nobody listens any more: no further call is made for it.
        gone = gone => gone,
        done = tell(asked, reader, lines) => done,
    }
}

async fn tell(asked: &Asked, reader: Reader<'_>, lines: &Sender<FetchLine>) -> Result<(), ReadError> {
    let told = match asked {
        Asked::Rows(question) => rows(reader.pospos, question, lines).await,
        Asked::Probe(resource) => found(*resource, reader, lines).await,
    };
    let (last, outcome) = match told {
        // A line was not taken, so the rest must not end as if it were whole.
        Ok(None) => return Ok(()),
        Ok(Some(rows)) => (FetchLine::Done(rows), Ok(())),
        Err(error) => (FetchLine::Error(error.to_string()), Err(error)),
    };
    send(lines, last).await;
    outcome
}

/// Sends the rows, and returns how many there were; none, where not all of them were taken.
async fn rows(pospos: &Pospos, question: &Question, lines: &Sender<FetchLine>) -> Result<Option<u64>, ReadError> {
    let mut reading = pospos.raw(question, Urgency::Person);
    loop {
        match patiently(pospos, lines, reading.next()).await {
            Ok(Some(rows)) => {
                for row in rows {
                    if !send(lines, FetchLine::Row(on_one_line(row))).await {
                        return Ok(None);
                    }
                }
            }
            Ok(None) => return Ok(Some(reading.rows())),
            // One thing was asked for, and there is none such.
            Err(ReadError::Status(404)) if question.is_about_one() => return Ok(Some(0)),
            Err(error) => return Err(error),
        }
    }
}

/// Sends what a page of the resource shows, as one row.
async fn found(resource: Resource, reader: Reader<'_>, lines: &Sender<FetchLine>) -> Result<Option<u64>, ReadError> {
    let findings = probe(reader.pospos, reader.shop, resource, reader.clock);
    let findings = patiently(reader.pospos, lines, findings).await?;
    let row = serde_json::value::to_raw_value(&findings).expect("names and counts can be written");
    Ok(send(lines, FetchLine::Row(row)).await.then_some(1))
}

/// Whether somebody takes it.
async fn send(lines: &Sender<FetchLine>, line: FetchLine) -> bool {
    lines.send_timeout(line, IGNORED).await.is_ok()
}

/// Waits for what is asked, and says now and then why nothing comes.
async fn patiently<T>(pospos: &Pospos, lines: &Sender<FetchLine>, asked: impl Future<Output = T>) -> T {
    let mut asked = pin!(asked);
    loop {
        match tokio::time::timeout(SILENCE, &mut asked).await {
            Ok(answer) => return answer,
            // Where the lines are not taken, there is no need for one more.
            Err(_) => drop(lines.try_send(FetchLine::Waiting(why_nothing_comes(pospos)))),
        }
    }
}

fn why_nothing_comes(pospos: &Pospos) -> String {
    let left = pospos.governor().left();
    match left.into_iter().find(|(_, left)| *left == 0) {
        Some((limit, _)) => format!("waiting for the quota: {limit}, 0 calls left"),
        None => "waiting for the API's answer".to_owned(),
    }
}

/// The row without the line breaks between its members. Within a text JSON has none.
fn on_one_line(row: Box<RawValue>) -> Box<RawValue> {
    if !row.get().contains(['\n', '\r']) {
        return row;
    }
    let text = row.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).unwrap_or(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: FetchQuery, want: Result<Question, &str>) {
        assert_eq!(question(&query), want.map_err(str::to_owned));
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn about(resource: &str) -> FetchQuery {
        FetchQuery { resource: resource.to_owned(), ..FetchQuery::default() }
    }

    #[test]
    fn each_of_the_eleven_calls_can_be_meant() {
        let (start, end) = ("2026-11-24".to_owned(), String::new());
        check(
            FetchQuery { start: some("2026-11-24"), current_buyer: Some(true), ..about("transactions") },
            Ok(Question::Transactions { start, end, current_buyer: Some(true) }),
        );
        check(FetchQuery { whole: true, ..about("stock") }, Ok(Question::StockWhole));
        check(about("stock"), Ok(Question::StockPages { term: String::new() }));
        check(FetchQuery { term: some("x"), ..about("stock") }, Ok(Question::StockPages { term: "x".to_owned() }));
        check(FetchQuery { id: some("x"), ..about("stock") }, Ok(Question::Product { id: "x".to_owned() }));
        check(about("members"), Ok(Question::Members));
        check(
            FetchQuery { phone: some("x"), ..about("members") },
            Ok(Question::MemberByPhone { phone: "x".to_owned() }),
        );
        check(FetchQuery { code: some("x"), ..about("members") }, Ok(Question::MemberByCode { code: "x".to_owned() }));
        check(FetchQuery { id: some("x"), ..about("members") }, Ok(Question::MemberById { id: "x".to_owned() }));
        let (period, status) = ("OUT_OF_PERIOD".to_owned(), "pending".to_owned());
        check(
            FetchQuery { period: some("out_of_period"), status: some("pending"), ..about("credit") },
            Ok(Question::Credit { period, status }),
        );
        check(FetchQuery { term: some("x"), ..about("vendors") }, Ok(Question::Vendors { term: "x".to_owned() }));
        let (term, start, end) = (String::new(), String::new(), "2026-11-24".to_owned());
        check(
            FetchQuery { end: some("2026-11-24"), ..about("buy_documents") },
            Ok(Question::BuyDocuments { term, start, end }),
        );
    }

    #[test]
    fn words_that_say_nothing_about_a_resource_are_a_mistake() {
        check(
            about("sales"),
            Err(
                "there is no resource `sales`; it is one of: transactions, stock, credit, members, vendors, buy_documents",
            ),
        );
        check(
            FetchQuery { term: some("x"), ..about("members") },
            Err("`--term` says nothing about members; it takes `--id`, `--code`, `--phone`"),
        );
        check(
            FetchQuery { id: some("x"), whole: true, ..about("stock") },
            Err("give one of `--id`, `--term` and `--whole`"),
        );
        check(
            FetchQuery { id: some("x"), code: some("y"), ..about("members") },
            Err("give one of `--phone`, `--code` and `--id`"),
        );
        check(
            FetchQuery { status: some("open"), ..about("credit") },
            Err("`--status open` is not known; it is one of: paid, pending"),
        );
        let probe = FetchQuery { probe: true, ..about("stock") };
        assert_eq!(asked(&probe), Ok(Asked::Probe(Resource::Stock)));
        assert!(asked(&FetchQuery { whole: true, ..probe }).is_err());
    }

    #[test]
    fn a_row_that_was_written_on_several_lines_becomes_one_line() {
        let row = RawValue::from_string("{\"a\":\r\n [1.10,\n\"x\\ny\"]}".to_owned()).unwrap();
        assert_eq!(on_one_line(row).get(), "{\"a\":   [1.10, \"x\\ny\"]}");
    }
}
