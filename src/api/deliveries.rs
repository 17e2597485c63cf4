//! How deliveries are listed, tried again and ended.

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::Receiver;

/// `?state=dead&channel=erp&limit=100`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// `pending`, `retrying`, `delivered`, `dead` or `dropped`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// A channel's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Before the delivery with this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// At most so many, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

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

/// The lines of an answer as they come.
pub type Lines<D> = Receiver<ActLine<D>>;
