//! The addresses and what stands behind them.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use super::acts::{drop_deliveries, replay, retry};
use super::body;
use super::copies::{backup, export};
use super::fetch::fetch;
use crate::api::{
    ActDone, ActQuery, DeliveryQuery, EventQuery, FetchLine, FetchQuery, Lines, Pieces, Refusal, ReplayDone,
    ReplayQuery,
};
use crate::domain::diff::guard::Decision;
use crate::domain::outbox::Act;

/// What `/healthz` says, but while the store is closed for a moment.
pub const ALIVE: &str = "ok\n";

/// Who knows the answers. Each answer is JSON.
pub trait Answers: Send + Sync + 'static {
    /// Why posbell cannot do its work, a line for each problem; empty where it can.
    fn unready(&self) -> impl Future<Output = Vec<String>> + Send;
    /// What a person should mend, `{"data": […]}`.
    fn problems(&self) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// The status.
    fn status(&self) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// Events, `{"data": […], "last": number}`.
    fn events(&self, query: EventQuery) -> impl Future<Output = Result<Pieces, Refusal>> + Send;
    /// Deliveries, `{"data": […]}`.
    fn deliveries(&self, query: DeliveryQuery) -> impl Future<Output = Result<Pieces, Refusal>> + Send;
    /// One delivery.
    fn delivery(&self, id: String) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// Held passes, `{"data": […]}`.
    fn held(&self) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// One held pass.
    fn held_pass(&self, shop: String, resource: String) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// Writes down what a person says about a held pass, and returns it as it is then.
    fn decide(
        &self,
        shop: String,
        resource: String,
        decision: Decision,
    ) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// Does with deliveries what a person says: the lines as the work goes on. Where the receiver is dropped, it ends
    /// after the step under way.
    fn act(&self, act: Act, query: ActQuery) -> impl Future<Output = Result<Lines<ActDone>, Refusal>> + Send;
    /// Sends past events again, and answers like [`Answers::act`].
    fn replay(&self, query: ReplayQuery) -> impl Future<Output = Result<Lines<ReplayDone>, Refusal>> + Send;
    /// Lets a stopped shop be read again.
    fn resume(&self, shop: String) -> impl Future<Output = Result<String, Refusal>> + Send;
    /// Reads the API for a person: the lines as they come. Where the receiver is dropped, no further call is made.
    fn fetch(
        &self,
        shop: String,
        query: FetchQuery,
    ) -> impl Future<Output = Result<Receiver<FetchLine>, Refusal>> + Send;
    /// Copies the store as it is now: the bytes of the backup as they come.
    fn backup(&self) -> impl Future<Output = Result<Receiver<Vec<u8>>, Refusal>> + Send;
    /// Every event that is asked for, oldest first.
    fn export(&self, query: EventQuery) -> impl Future<Output = Result<Receiver<FetchLine>, Refusal>> + Send;
}

/// Everything that is answered while the store is open.
pub fn router<A: Answers>(answers: Arc<A>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { ALIVE }))
        .route("/readyz", get(ready::<A>))
        .route("/api/v1/problems", get(|State(a): State<Arc<A>>| async move { json(a.problems().await) }))
        .route("/api/v1/status", get(|State(a): State<Arc<A>>| async move { json(a.status().await) }))
        .route("/api/v1/events", get(events::<A>))
        .route("/api/v1/events/export", get(export::<A>))
        .route("/api/v1/backup", post(backup::<A>))
        .route("/api/v1/deliveries", get(deliveries::<A>))
        .route("/api/v1/deliveries/{id}", get(delivery::<A>))
        .route("/api/v1/deliveries/retry", post(retry::<A>))
        .route("/api/v1/deliveries/drop", post(drop_deliveries::<A>))
        .route("/api/v1/events/replay", post(replay::<A>))
        .route("/api/v1/held", get(|State(a): State<Arc<A>>| async move { json(a.held().await) }))
        .route("/api/v1/held/{shop}/{resource}", get(held_pass::<A>))
        .route("/api/v1/held/{shop}/{resource}/release", post(release::<A>))
        .route("/api/v1/held/{shop}/{resource}/drop", post(drop_held::<A>))
        .route("/api/v1/shops/{id}/resume", post(resume::<A>))
        .route("/api/v1/shops/{id}/fetch", post(fetch::<A>))
        .fallback(|| async { json(Err(Refusal::NotFound("there is nothing at this address".to_owned()))) })
        .layer(middleware::from_fn(body::within_bounds))
        .with_state(answers)
}

/// What is answered while the store is closed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Why, for a person.
    pub why: String,
    /// It passes by itself in a moment: a command waits for it.
    pub passes: bool,
    /// The problems as JSON.
    pub problems: String,
}

/// That posbell lives, is not ready, and why.
pub fn closed_router(closed: Closed) -> Router {
    let Closed { why, passes, problems } = closed;
    let unready = format!("{why}\n");
    let alive = if passes { unready.clone() } else { ALIVE.to_owned() };
    Router::new()
        .route("/healthz", get(move || async move { alive }))
        .route("/readyz", get(move || async move { (StatusCode::SERVICE_UNAVAILABLE, unready) }))
        .route("/api/v1/problems", get(move || async move { json(Ok(problems)) }))
        .fallback(move || async move { json(Err(Refusal::Failed(why))) })
}

async fn ready<A: Answers>(State(answers): State<Arc<A>>) -> Response {
    let problems = answers.unready().await;
    if problems.is_empty() {
        return "ready\n".into_response();
    }
    let lines: String = problems.into_iter().map(|problem| problem + "\n").collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines).into_response()
}

async fn events<A: Answers>(State(answers): State<Arc<A>>, Query(query): Query<EventQuery>) -> Response {
    listing(answers.events(query).await)
}

async fn deliveries<A: Answers>(State(answers): State<Arc<A>>, Query(query): Query<DeliveryQuery>) -> Response {
    listing(answers.deliveries(query).await)
}

async fn delivery<A: Answers>(State(answers): State<Arc<A>>, Path(id): Path<String>) -> Response {
    json(answers.delivery(id).await)
}

/// The shop and the resource of an address.
type Which = Path<(String, String)>;

async fn held_pass<A: Answers>(State(answers): State<Arc<A>>, Path((shop, resource)): Which) -> Response {
    json(answers.held_pass(shop, resource).await)
}

async fn release<A: Answers>(State(answers): State<Arc<A>>, Path((shop, resource)): Which) -> Response {
    json(answers.decide(shop, resource, Decision::Release).await)
}

async fn drop_held<A: Answers>(State(answers): State<Arc<A>>, Path((shop, resource)): Which) -> Response {
    json(answers.decide(shop, resource, Decision::Drop).await)
}

async fn resume<A: Answers>(State(answers): State<Arc<A>>, Path(id): Path<String>) -> Response {
    json(answers.resume(id).await)
}

/// The answer piece by piece, as it is taken.
fn listing(answer: Result<Pieces, Refusal>) -> Response {
    match answer {
        Ok(pieces) => (JSON, Body::from_stream(pieces)).into_response(),
        Err(refusal) => json(Err(refusal)),
    }
}

const JSON: [(HeaderName, &str); 2] = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];

pub(super) fn json(answer: Result<String, Refusal>) -> Response {
    #[derive(Serialize)]
    struct Problem {
        error: String,
    }
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => {
            let (status, error) = match refusal {
                Refusal::NotFound(why) => (StatusCode::NOT_FOUND, why),
                Refusal::Wrong(why) => (StatusCode::BAD_REQUEST, why),
                Refusal::Failed(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
            };
            (status, serde_json::to_string(&Problem { error }).unwrap_or_default())
        }
    };
    (status, JSON, body).into_response()
}
