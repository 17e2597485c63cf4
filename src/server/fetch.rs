//! One reading of the API by hand, answered line by line, as the rows come in.
//!
//! The answer of a long list takes minutes, so whoever asked sees what has come, and of the rest nothing is held here but
//! the line that goes out next. It always ends in `done` or `error`; one that ends without has been cut off.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};

use super::answer;
use crate::api::FetchQuery;
use crate::service::callers::Callers;

/// What these callers are asked for.
pub(super) fn fetch_router(callers: Callers) -> Router {
    Router::new().route("/api/v1/shops/{id}/fetch", post(fetch)).with_state(Arc::new(callers))
}

async fn fetch(
    State(callers): State<Arc<Callers>>,
    Path(shop): Path<String>,
    body: Result<Json<FetchQuery>, JsonRejection>,
) -> Response {
    match answer::asked(body) {
        Ok(query) => answer::lines(callers.start(&shop, &query).await),
        Err(refusal) => answer::refused(refusal),
    }
}
