//! How one reading of the API by hand is asked for, and how it is answered: line by line, as the rows come in.
//!
//! The answer of a long list takes minutes, so it is a stream: whoever asked sees what has come, and of the rest nothing
//! is held here but the line that goes out next. It always ends in `done` or `error`; one that ends without has been cut
//! off.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use super::routes::{Answers, json};
use crate::api::{FetchQuery, Refusal};

pub(super) async fn fetch<A: Answers>(
    State(answers): State<Arc<A>>,
    Path(shop): Path<String>,
    query: Result<Json<FetchQuery>, JsonRejection>,
) -> Response {
    let query = match query {
        Ok(Json(query)) => query,
        Err(rejection) => return json(Err(Refusal::Wrong(rejection.body_text()))),
    };
    match answers.fetch(shop, query).await {
        Ok(lines) => streamed(lines),
        Err(refusal) => json(Err(refusal)),
    }
}

/// Each line as it comes. Dropped when the caller goes away, and the receiver with it.
pub(super) fn streamed<L: Serialize + Send + 'static>(lines: Receiver<L>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    let body = Body::from_stream(stream::unfold(lines, |mut lines| async move {
        let mut text = serde_json::to_string(&lines.recv().await?).unwrap_or_default();
        text.push('\n');
        Some((Ok::<_, Infallible>(text), lines))
    }));
    (headers, body).into_response()
}
