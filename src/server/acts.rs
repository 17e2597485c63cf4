//! How a person acts on the outbox, and how that is answered: line by line, as the work goes on.
//!
//! Fifty thousand dead letters take a while, so the answer is a stream: whoever asked sees how far it has come, and
//! where he goes away the work ends after the step under way. It always ends in `done` or `error`; one that ends without
//! has been cut off, and saying the same again finishes the rest.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use serde::Serialize;

use super::fetch::streamed;
use super::routes::{Answers, json};
use crate::api::{ActQuery, Lines, Refusal, ReplayQuery};
use crate::domain::outbox::Act;

pub(super) async fn retry<A: Answers>(
    State(answers): State<Arc<A>>,
    query: Result<Json<ActQuery>, JsonRejection>,
) -> Response {
    act(&*answers, Act::Retry, query).await
}

pub(super) async fn drop_deliveries<A: Answers>(
    State(answers): State<Arc<A>>,
    query: Result<Json<ActQuery>, JsonRejection>,
) -> Response {
    act(&*answers, Act::Drop, query).await
}

async fn act<A: Answers>(answers: &A, act: Act, query: Result<Json<ActQuery>, JsonRejection>) -> Response {
    match query {
        Ok(Json(query)) => answer(answers.act(act, query).await),
        Err(rejection) => json(Err(Refusal::Wrong(rejection.body_text()))),
    }
}

pub(super) async fn replay<A: Answers>(
    State(answers): State<Arc<A>>,
    query: Result<Json<ReplayQuery>, JsonRejection>,
) -> Response {
    match query {
        Ok(Json(query)) => answer(answers.replay(query).await),
        Err(rejection) => json(Err(Refusal::Wrong(rejection.body_text()))),
    }
}

fn answer<D: Serialize + Send + 'static>(lines: Result<Lines<D>, Refusal>) -> Response {
    match lines {
        Ok(lines) => streamed(lines),
        Err(refusal) => json(Err(refusal)),
    }
}
