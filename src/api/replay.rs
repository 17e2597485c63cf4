//! How past events are sent again.

use serde::{Deserialize, Serialize};

use crate::domain::model::Timestamp;

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
