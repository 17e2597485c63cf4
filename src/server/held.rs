//! Held passes, and what a person says about them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};

use super::answer::{self, Listed};
use crate::domain::diff::guard::Decision;
use crate::service::app::App;
use crate::service::held;

/// The shop and the resource of an address.
type Which = Path<(String, String)>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/held", get(list))
        .route("/api/v1/held/{shop}/{resource}", get(one))
        .route("/api/v1/held/{shop}/{resource}/release", post(|app, which| decide(app, which, Decision::Release)))
        .route("/api/v1/held/{shop}/{resource}/drop", post(|app, which| decide(app, which, Decision::Drop)))
}

async fn list(State(app): State<Arc<App>>) -> Response {
    answer::json(held::all(&app).await.map(|data| Listed { data }))
}

async fn one(State(app): State<Arc<App>>, Path((shop, resource)): Which) -> Response {
    answer::json(held::one(&app, &shop, &resource).await)
}

async fn decide(State(app): State<Arc<App>>, Path((shop, resource)): Which, decision: Decision) -> Response {
    answer::json(held::decide(&app, &shop, &resource, decision).await)
}
