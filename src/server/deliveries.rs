//! The outbox: listed, and what a person does with it.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::answer;
use crate::api::{ActQuery, DeliveryQuery};
use crate::domain::outbox::Act;
use crate::service::app::App;
use crate::service::{acts, deliveries};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/deliveries", get(list))
        .route("/api/v1/deliveries/{id}", get(one))
        .route("/api/v1/deliveries/retry", post(|app, body| act(app, Act::Retry, body)))
        .route("/api/v1/deliveries/drop", post(|app, body| act(app, Act::Drop, body)))
}

async fn list(State(app): State<Arc<App>>, Query(query): Query<DeliveryQuery>) -> Response {
    answer::pieces(deliveries::list(&app.shared.store, query).await)
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    answer::json(deliveries::one(&app.shared.store, &id).await)
}

async fn act(State(app): State<Arc<App>>, act: Act, body: Result<Json<ActQuery>, JsonRejection>) -> Response {
    answer::lines(answer::asked(body).and_then(|query| acts::start(&app, act, query)))
}
