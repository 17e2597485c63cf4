//! How an answer becomes a response: whole, piece by piece, or line by line.

use std::convert::Infallible;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use crate::api::{Pieces, Refusal, Refused};

/// A listing that is short enough to be answered whole.
#[derive(Serialize)]
pub(super) struct Listed<T> {
    pub(super) data: Vec<T>,
}

/// One JSON object.
pub(super) fn json<T: Serialize>(answer: Result<T, Refusal>) -> Response {
    match answer.and_then(|answer| serde_json::to_string(&answer).map_err(Refusal::failed)) {
        Ok(body) => (headers("application/json"), body).into_response(),
        Err(refusal) => refused(refusal),
    }
}

/// One JSON object piece by piece, as it is taken.
pub(super) fn pieces(answer: Result<Pieces, Refusal>) -> Response {
    match answer {
        Ok(pieces) => (headers("application/json"), Body::from_stream(pieces)).into_response(),
        Err(refusal) => refused(refusal),
    }
}

/// Each line as it comes. Dropped when the caller goes away, and the receiver with it.
pub(super) fn lines<L: Serialize + Send + 'static>(answer: Result<Receiver<L>, Refusal>) -> Response {
    let line = |line: L| serde_json::to_string(&line).unwrap_or_default() + "\n";
    streamed(answer, "application/x-ndjson", line)
}

/// Bytes as they come. Whether they are all there they say themselves.
pub(super) fn bytes(answer: Result<Receiver<Vec<u8>>, Refusal>) -> Response {
    streamed(answer, "application/octet-stream", |bytes| bytes)
}

fn streamed<T, B>(answer: Result<Receiver<T>, Refusal>, kind: &'static str, part: fn(T) -> B) -> Response
where
    T: Send + 'static,
    B: Into<axum::body::Bytes> + Send + 'static,
{
    let from = match answer {
        Ok(from) => from,
        Err(refusal) => return refused(refusal),
    };
    let body = Body::from_stream(stream::unfold(from, move |mut from| async move {
        let part = part(from.recv().await?);
        Some((Ok::<_, Infallible>(part), from))
    }));
    (headers(kind), body).into_response()
}

/// What the body of a request says.
pub(super) fn asked<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, Refusal> {
    body.map(|Json(asked)| asked).map_err(|rejection| Refusal::Wrong(rejection.body_text()))
}

/// That there is no answer, and why.
pub(super) fn refused(refusal: Refusal) -> Response {
    let status = match &refusal {
        Refusal::NotFound(_) => StatusCode::NOT_FOUND,
        Refusal::Wrong(_) => StatusCode::BAD_REQUEST,
        Refusal::Failed(_) | Refusal::Damaged(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let refused = Refused { damaged: matches!(refusal, Refusal::Damaged(_)), error: refusal.to_string() };
    (status, headers("application/json"), serde_json::to_string(&refused).unwrap_or_default()).into_response()
}

fn headers(kind: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")]
}
