//! What is asked for as a whole: a backup of the store, and the log of events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::fetch::streamed;
use super::routes::{Answers, json};
use crate::api::EventQuery;

/// The bytes of the backup as they come. Whether they are all there they say themselves.
pub(super) async fn backup<A: Answers>(State(answers): State<Arc<A>>) -> Response {
    match answers.backup().await {
        Ok(pieces) => {
            let headers = [(header::CONTENT_TYPE, "application/octet-stream"), (header::CACHE_CONTROL, "no-store")];
            // Dropped when the caller goes away, and the receiver with it.
            let body = Body::from_stream(stream::unfold(pieces, |mut pieces| async move {
                let piece = pieces.recv().await?;
                Some((Ok::<_, Infallible>(piece), pieces))
            }));
            (headers, body).into_response()
        }
        Err(refusal) => json(Err(refusal)),
    }
}

pub(super) async fn export<A: Answers>(State(answers): State<Arc<A>>, Query(query): Query<EventQuery>) -> Response {
    match answers.export(query).await {
        Ok(events) => streamed(events),
        Err(refusal) => json(Err(refusal)),
    }
}
