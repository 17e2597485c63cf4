//! How the status looks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::held::HeldStatus;
use super::problems::Problem;
use crate::domain::model::Timestamp;

/// The answer to `posbell status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// posbell's version.
    pub version: String,
    /// Whether the service is running.
    pub running: bool,
    /// The shops, in the order of the configuration.
    pub shops: Vec<ShopStatus>,
    /// The channels, in the order of the configuration.
    pub channels: Vec<ChannelStatus>,
    /// Messages that wait for channels which the configuration no longer has, by name.
    pub orphaned: BTreeMap<String, u64>,
    /// Dead letters.
    pub dead: u64,
    /// The copies that posbell makes of its data by itself.
    pub copies: CopiesStatus,
    /// What a person should mend, the worst first.
    pub problems: Vec<Problem>,
    /// How many lines of the log could not be written since the start.
    pub log_dropped: u64,
}

/// The copies that posbell makes of its data by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesStatus {
    /// The newest; `null` where there is none.
    pub newest: Option<CopyStatus>,
    /// Since when and why none could be made.
    pub failing: Option<FailingStatus>,
}

/// One such copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyStatus {
    /// The moment that it is a copy of.
    pub made_at: Timestamp,
    /// How long its file is.
    pub bytes: u64,
}

/// One shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopStatus {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The HTTP status that refused its key, if nothing is read because of that.
    pub key_refused: Option<u16>,
    /// What is read of it.
    pub resources: Vec<ResourceStatus>,
    /// What is left of each quota; empty when the service is not running.
    pub quota: Vec<QuotaStatus>,
    /// Less than the quota is used for so many milliseconds more, because the API said that there are too many calls.
    pub slowed_ms: Option<u64>,
    /// No call is made for so many milliseconds more, because something in between answers in the place of the API.
    pub blocked_ms: Option<u64>,
}

/// One resource of a shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceStatus {
    /// `transactions`, `stock`, `credit`, `members`, `vendors` or `buy_documents`.
    pub resource: String,
    /// How often it is to be read, in milliseconds.
    pub every_ms: u64,
    /// How often it is really read now, in milliseconds.
    pub effective_ms: u64,
    /// Why that is so: `configured`, `quota` (it allows no more) or `night` (the shop is closed).
    pub pace: String,
    /// When the latest pass was accepted; `null` before the first.
    pub passed_at: Option<Timestamp>,
    /// How many rows it had.
    pub rows: Option<u64>,
    /// How many of them could not be understood.
    pub unreadable: Option<u64>,
    /// Why, for one of them: the name of a field and what is wrong with it, never a value.
    #[serde(default)]
    pub left_out_because: Option<String>,
    /// How many rows since the start were too large to be kept whole.
    #[serde(default)]
    pub cut: u64,
    /// How far the pass under way has come.
    #[serde(default)]
    pub reading: Option<ReadingStatus>,
    /// It was read, and not one product had a quantity: its field must stand elsewhere.
    pub no_quantities: bool,
    /// It was answered since the start and has had no rows yet: the first list with rows is the baseline.
    #[serde(default)]
    pub empty_so_far: bool,
    /// A whole reading was not believed, and nothing is accepted until a good one comes or a person has spoken.
    pub held: Option<HeldStatus>,
    /// How it has been failing since then.
    pub failing: Option<FailingStatus>,
    /// It has not been read for too long, and people were told.
    pub stale: bool,
    /// It was never read while others are: a warning.
    pub never_read: bool,
}

/// A pass under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingStatus {
    /// How many rows have come.
    pub rows: u64,
    /// In how many calls.
    pub calls: u32,
    /// How many calls it should take in all.
    pub of_calls: u64,
}

/// One window of the quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaStatus {
    /// `300/10s`.
    pub limit: String,
    /// How many calls may be made at once right now.
    pub left: u32,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// `webhook`, `email` or `telegram`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many messages wait for it.
    pub waiting: u64,
    /// How many events wait for the end of a group, to be one message then.
    #[serde(default)]
    pub grouped: u64,
    /// When the next of them is tried; not after now where one is about to be. `null` where none waits.
    pub next_try: Option<Timestamp>,
    /// Until when the receiver asked to be left alone; `null` where it did not.
    pub paused_until: Option<Timestamp>,
    /// More was to be sent to it than may wait, since then.
    pub overflow: Option<OverflowStatus>,
    /// How it has been failing.
    pub failing: Option<FailingStatus>,
    /// People were told that it fails, and has since then; not over until it takes a message.
    pub told_failing: Option<Timestamp>,
}

/// More than may wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverflowStatus {
    /// When the first of what was more was planned.
    pub since: Timestamp,
    /// How many messages became dead letters at once.
    pub refused: u64,
}

/// A row of failures without a success in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingStatus {
    /// When the first of them was.
    pub since: Timestamp,
    /// How many there have been.
    pub times: u64,
    /// What the latest one said, with the other side's own words where it has any.
    pub why: String,
}
