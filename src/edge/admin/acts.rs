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
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Receiver;

use super::fetch::streamed;
use super::routes::{Answers, Refusal, json};
use crate::domain::model::Timestamp;
use crate::domain::outbox::Act;

/// `{"ids":["dlv_…"]}`, `{"dead":true,"channel":"erp"}`, or to retry also `{"channel":"erp"}`: which deliveries are
/// meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActQuery {
    /// These.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Every dead letter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dead: bool,
    /// Of the dead letters, only those to this channel. Alone: what waits for it because an attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

/// `{"since":"2h","channel":"erp","type":"sale.*"}`: which past events are sent again, and to where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayQuery {
    /// Seen since: `2h` ago, or a moment in RFC 3339.
    pub since: String,
    /// Seen before; now unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// A channel's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// A type, or a family such as `stock.*`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only what is a dead letter or was dropped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Only say what would be sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// One line of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActLine<D> {
    /// It goes on; so many messages so far.
    Progress(u64),
    /// It is done.
    Done(D),
    /// It is not, and this is why; what was done before stands.
    Error(String),
}

/// What has become of the deliveries that were meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActDone {
    /// How many were changed.
    pub changed: u64,
    /// How many were so already.
    pub unchanged: u64,
    /// How many dead letters stay because the configuration has lost their channel or address.
    pub orphaned: u64,
    /// Which of the named ones were not changed, and why.
    pub refused: Vec<ActRefused>,
}

/// Why a delivery was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActRefused {
    /// Its id, as it was given.
    pub id: String,
    /// Why, and what to do.
    pub error: String,
}

/// What a replay has made due, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayDone {
    /// Events seen from here on.
    pub since: Timestamp,
    /// Events seen before this.
    pub until: Timestamp,
    /// Nothing was changed.
    pub dry_run: bool,
    /// How many messages.
    pub messages: u64,
    /// How many wait already and were left alone.
    pub waiting: u64,
    /// How many cannot be sent because the store has lost an event of theirs or cannot read them.
    pub lost: u64,
    /// How many cannot be sent because the configuration has lost their channel or address.
    pub orphaned: u64,
    /// How many messages of each type to each channel.
    pub counts: Vec<ReplayCount>,
    /// The first few of them.
    pub first: Vec<ReplayExample>,
    /// The same replay was interrupted before and has gone on.
    pub resumed: Option<ReplayResumed>,
}

/// How many messages of a type to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayCount {
    /// The channel's name.
    pub channel: String,
    /// The type of the event; `digest` for messages of several.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many.
    pub messages: u64,
}

/// One message of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayExample {
    /// When its event was seen.
    pub seen: Timestamp,
    /// The delivery's id.
    pub id: String,
    /// The channel's name.
    pub channel: String,
    /// The type of its event, the first one where it has several.
    #[serde(rename = "type")]
    pub kind: String,
    /// What that event is about.
    pub subject: String,
}

/// What was done before a replay was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayResumed {
    /// When it was first said.
    pub began_at: Timestamp,
    /// How many messages it had made due.
    pub messages: u64,
}

/// The lines of an answer as they come.
pub type Lines<D> = Receiver<ActLine<D>>;

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
