//! What is answered while the store is open, and what while it is closed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};

use super::{answer, body, deliveries, events, fetch, held};
use crate::api::Refusal;
use crate::service::app::App;
use crate::service::backup;
use crate::service::callers::Callers;
use crate::service::interface::{Answering, Closed};

/// What `/healthz` says, but while the store is closed for a moment.
pub const ALIVE: &str = "ok\n";

/// What answers now.
pub(super) fn router_of(answering: &Answering) -> Router {
    match answering {
        Answering::Open(app) => router(Arc::clone(app)),
        Answering::Closed(closed) => closed_router(closed.clone()),
    }
}

/// Everything that is answered while the store is open, in the running service and in a command.
pub(super) fn router(app: Arc<App>) -> Router {
    let shops = app.running.as_ref().map(|running| running.shops.clone());
    Router::new()
        .route("/healthz", get(|| async { ALIVE }))
        .route("/readyz", get(ready))
        .route("/api/v1/problems", get(|State(app): State<Arc<App>>| async move { answer::json(app.problems().await) }))
        .route("/api/v1/status", get(|State(app): State<Arc<App>>| async move { answer::json(app.status().await) }))
        .route("/api/v1/backup", post(copy))
        .route("/api/v1/shops/{id}/resume", post(resume))
        .merge(events::routes())
        .merge(deliveries::routes())
        .merge(held::routes())
        .with_state(app)
        .merge(fetch::fetch_router(Callers::Running(shops.unwrap_or_default())))
        .fallback(|| async { answer::refused(Refusal::NotFound("there is nothing at this address".to_owned())) })
        .layer(middleware::from_fn(body::within_bounds))
}

/// That posbell lives, is not ready, and why.
fn closed_router(closed: Closed) -> Router {
    let Closed { why, passes, problems } = closed;
    let unready = format!("{why}\n");
    let alive = if passes { unready.clone() } else { ALIVE.to_owned() };
    Router::new()
        .route("/healthz", get(move || async move { alive }))
        .route("/readyz", get(move || async move { (StatusCode::SERVICE_UNAVAILABLE, unready) }))
        .route("/api/v1/problems", get(move || async move { answer::json(Ok(problems)) }))
        .fallback(move || async move { answer::refused(Refusal::Failed(why)) })
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    let problems = app.unready().await;
    if problems.is_empty() {
        return "ready\n".into_response();
    }
    let lines: String = problems.into_iter().map(|problem| problem + "\n").collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}

async fn copy(State(app): State<Arc<App>>) -> Response {
    answer::bytes(backup::start(&app.shared.store, app.shared.clock.now()).await.map_err(Refusal::from))
}

async fn resume(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    answer::json(app.resume(&id).await.map(|()| serde_json::Map::new()))
}
