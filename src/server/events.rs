//! The log of events: listed, exported, sent again.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::answer;
use crate::api::{EventQuery, ReplayQuery};
use crate::service::app::App;
use crate::service::{events, export, replay};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/events", get(list))
        .route("/api/v1/events/{id}", get(one))
        .route("/api/v1/events/export", get(export))
        .route("/api/v1/events/replay", post(replay))
}

async fn list(State(app): State<Arc<App>>, Query(query): Query<EventQuery>) -> Response {
    answer::pieces(events::list(&app.shared.store, query, app.shared.clock.now()).await)
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    answer::json(events::one(&app.shared.store, &id).await)
}

async fn export(State(app): State<Arc<App>>, Query(query): Query<EventQuery>) -> Response {
    answer::lines(export::start(&app.shared.store, query, app.shared.clock.now()))
}

async fn replay(State(app): State<Arc<App>>, body: Result<Json<ReplayQuery>, JsonRejection>) -> Response {
    match answer::asked(body) {
        Ok(query) => answer::lines(replay::start(&app, &query).await),
        Err(refusal) => answer::refused(refusal),
    }
}
