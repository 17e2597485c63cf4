//! How the simulated API fails when it is told to: the answers that a reader must take for no answer at all.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, RequestExt};
use serde_json::json;

use crate::domain::model::Resource;

/// One way to answer wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This HTTP status with the gateway's kind of message.
    Status(u16),
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
}

/// What is to go wrong, in the order in which it was asked for.
#[derive(Debug, Default)]
pub(super) struct Faults {
    queue: VecDeque<(Resource, Fault)>,
}

impl Faults {
    /// Lets the next `times` calls of `resource` fail so, after those that are to fail already.
    pub(super) fn add(&mut self, resource: Resource, fault: Fault, times: usize) {
        self.queue.extend(std::iter::repeat_n((resource, fault), times));
    }

    /// The fault of this call.
    pub(super) fn take(&mut self, resource: Resource) -> Option<Fault> {
        let index = self.queue.iter().position(|(of, _)| *of == resource)?;
        self.queue.remove(index).map(|(_, fault)| fault)
    }

    /// Lets nothing fail any more.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }
}

/// The answer `whole` as this fault spoils it. [`Fault::Slow`] has already been waited for.
pub(super) fn spoil(fault: Fault, whole: String) -> Response {
    match fault {
        Fault::Slow(_) => json_text(whole),
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            message(status, gateway_words(status))
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
    fn a_thai_text_is_cut_between_characters() {
        assert_eq!(half("ก"), "");
        assert_eq!(half("กข"), "ก");
    }
}
