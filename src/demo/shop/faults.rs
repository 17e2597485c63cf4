//! How the simulated API fails when it is told to: the answers that a reader must take for no answer at all.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use serde_json::{Value, json};

use super::wire::{Flow, Tap};
use crate::domain::model::Resource;

/// One way to answer wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This HTTP status with the gateway's kind of message.
    Status(u16),
    /// A web page with this status, as of a firewall that stands in between.
    Firewall(u16),
    /// A web page with status 200, as of a gateway under maintenance.
    Html,
    /// A well-formed HTTP answer whose JSON ends in the middle.
    CutOff,
    /// The connection breaks in the middle of the answer.
    HangUp,
    /// The right answer, but so much later.
    Slow(Duration),
    /// A list of members instead of what was asked for, as of a mistyped address.
    WrongShape,
    /// Success, and no rows.
    EmptyList,
    /// Status 200 and `"success": 0`.
    SuccessZero,
    /// 302 to another path of this server.
    Redirect,
    /// 429 with a `Retry-After` of so many seconds; [`Fault::Status`] is without.
    Limited(u32),
    /// The right rows, and a `total` that is wrong by so many.
    WrongTotal(i64),
    /// The first page, whichever was asked for.
    IgnoresPage,
    /// One row in the middle without an `_id`.
    NoId,
    /// One row in the middle with a number of forty digits, which no exact decimal holds.
    HugeNumber,
    /// The right answer, byte by byte, with this pause after each.
    Drip(Duration),
    /// An answer that never ends. It costs nothing but the connection, and goes on until the reader hangs up.
    Endless,
}

/// What is to go wrong, in the order in which it was asked for.
#[derive(Debug, Default)]
pub(super) struct Faults {
    queue: VecDeque<(Resource, Fault, usize)>,
}

impl Faults {
    /// Lets the next `times` calls of `resource` fail so, after those that are to fail already.
    pub(super) fn add(&mut self, resource: Resource, fault: Fault, times: usize) {
        if times > 0 {
            self.queue.push_back((resource, fault, times));
        }
    }

    /// The fault of this call.
    pub(super) fn take(&mut self, resource: Resource) -> Option<Fault> {
        let index = self.queue.iter().position(|(of, ..)| *of == resource)?;
        let (_, fault, left) = &mut self.queue[index];
        let fault = *fault;
        *left -= 1;
        if *left == 0 {
            self.queue.remove(index);
        }
        Some(fault)
    }

    /// Lets nothing fail any more.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }
}

/// The answer `whole` as this fault spoils it. [`Fault::Slow`] has been waited for and [`Fault::IgnoresPage`] heeded.
pub(super) fn spoil(fault: Fault, whole: String, tap: &Tap) -> Response {
    match fault {
        Fault::Slow(_) | Fault::IgnoresPage => json_text(whole),
        Fault::Limited(seconds) => {
            let mut response = spoil(Fault::Status(429), whole, tap);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            response
        }
        Fault::WrongTotal(by) => json_text(edited(&whole, |answer| wrong_total(answer, by))),
        Fault::NoId => json_text(edited(&whole, |answer| middle_row(answer, |row| row["_id"] = Value::Null))),
        Fault::HugeNumber => {
            let text = edited(&whole, |answer| middle_row(answer, mark_number));
            json_text(text.replace(&format!("\"{MARKED}\""), &"1234567890".repeat(4)))
        }
        Fault::Drip(pause) => {
            tap.set(Flow::Drip(pause));
            json_text(whole)
        }
        Fault::Endless => {
            tap.set(Flow::Endless);
            json_text(whole)
        }
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            message(status, gateway_words(status))
        }
        Fault::Firewall(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            (status, [(header::CONTENT_TYPE, "text/html")], "<html><body>Access denied</body></html>").into_response()
        }
        Fault::Html => {
            ([(header::CONTENT_TYPE, "text/html")], "<html><body>ปิดปรับปรุงระบบ</body></html>").into_response()
        }
        Fault::CutOff => json_text(half(&whole).to_owned()),
        Fault::HangUp => hang_up(whole),
        Fault::WrongShape => Json(json!({"success": 1, "data": [
            {"_id": "600d4bc60000000000000005", "code": "M000001", "firstname": "สมหญิง", "phonenumber": "0800000000"}
        ]}))
        .into_response(),
        Fault::EmptyList => Json(json!({"success": 1, "data": [], "total": 0, "total_page": 0})).into_response(),
        Fault::SuccessZero => Json(json!({"success": 0, "message": "something went wrong"})).into_response(),
        Fault::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
    }
}

/// Where a number will stand that the JSON library could not hold.
const MARKED: &str = "the number of forty digits";

/// The numbers of a row of which one is spoilt: the first that there is. A vendor has none, and stays as it is.
const NUMBERS: [&str; 3] = ["stock", "grand_total", "point_value"];

fn mark_number(row: &mut Value) {
    if let Some(name) = NUMBERS.into_iter().find(|name| row.get(name).is_some()) {
        row[name] = MARKED.into();
    }
}

fn wrong_total(answer: &mut Value, by: i64) {
    if let Some(total) = answer["total"].as_i64() {
        answer["total"] = total.saturating_add(by).into();
    }
}

/// Changes the row in the middle of the list, where there is a list.
fn middle_row(answer: &mut Value, change: impl FnOnce(&mut Value)) {
    let rows = answer["data"].as_array_mut();
    let middle = rows.and_then(|rows| {
        let middle = rows.len() / 2;
        rows.get_mut(middle)
    });
    if let Some(row) = middle {
        change(row);
    }
}

/// The same answer with a change in it.
fn edited(whole: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut answer = serde_json::from_str(whole).expect("the shop writes JSON");
    change(&mut answer);
    answer.to_string()
}

/// A text that is JSON already.
pub(super) fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response()
}

/// The gateway's kind of refusal: `{"message": …}`.
pub(super) fn message(status: StatusCode, words: &str) -> Response {
    (status, Json(json!({ "message": words }))).into_response()
}

/// The gateway's own words where they are known, else those of HTTP.
fn gateway_words(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "No API key found in request",
        429 => "API rate limit exceeded",
        _ => status.canonical_reason().unwrap_or("error"),
    }
}

/// The first half of a text, cut between two characters.
fn half(text: &str) -> &str {
    &text[..text.floor_char_boundary(text.len() / 2)]
}

/// An answer that promises half of `whole` and breaks before it has come.
///
/// axum's limit for request bodies is borrowed for it: a body over its limit ends in an error, which is the only way
/// to break a connection from a handler without a body type of one's own.
fn hang_up(whole: String) -> Response {
    let limit = whole.len() / 2;
    let mut carrier = Request::new(Body::from(whole));
    DefaultBodyLimit::max(limit).apply(&mut carrier);
    Response::new(carrier.with_limited_body().into_body())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_one_resource_wait_for_its_calls() {
        let mut faults = Faults::default();
        faults.add(Resource::Stock, Fault::Html, 2);
        faults.add(Resource::Stock, Fault::CutOff, 1);
        assert_eq!(faults.take(Resource::Transactions), None);
        let taken: Vec<_> = std::iter::from_fn(|| faults.take(Resource::Stock)).collect();
        assert_eq!(taken, [Fault::Html, Fault::Html, Fault::CutOff]);
        faults.add(Resource::Credit, Fault::Html, 1);
        faults.clear();
        assert_eq!(faults.take(Resource::Credit), None);
    }

    #[test]
    fn a_fault_can_last_for_ever() {
        let mut faults = Faults::default();
        faults.add(Resource::Stock, Fault::IgnoresPage, usize::MAX);
        faults.add(Resource::Stock, Fault::Html, 0);
        assert!((0..1000).all(|_| faults.take(Resource::Stock) == Some(Fault::IgnoresPage)));
    }

    #[test]
    fn one_row_in_the_middle_is_spoilt_and_no_other() {
        let whole = r#"{"data":[{"_id":"a","stock":1},{"_id":"b","stock":2.5},{"_id":"c","stock":3}],"total":3}"#;
        let no_id = edited(whole, |answer| middle_row(answer, |row| row["_id"] = Value::Null));
        assert_eq!(no_id, whole.replace("\"b\"", "null"));
        assert_eq!(
            edited(whole, |answer| middle_row(answer, mark_number)),
            whole.replace("2.5", "\"the number of forty digits\"")
        );
        assert_eq!(edited(whole, |answer| wrong_total(answer, -1)), whole.replace("\"total\":3", "\"total\":2"));
        assert_eq!(edited(r#"{"data":[]}"#, |answer| wrong_total(answer, 5)), r#"{"data":[]}"#);
    }

    #[test]
    fn a_thai_text_is_cut_between_characters() {
        assert_eq!(half("ก"), "");
        assert_eq!(half("กข"), "ก");
    }
}
