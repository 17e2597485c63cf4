//! What posbell says of itself: which lists are no longer read, and which channels no longer take messages.

use serde::{Deserialize, Serialize};

use crate::domain::model::{ChannelName, Resource, Timestamp};

/// `shop.stale`: lists of a shop that have not been read for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopStale {
    /// The lists, in the order of their importance.
    pub resources: Vec<Resource>,
    /// When the first of them was last read; `null` where none of them ever was.
    pub since: Option<Timestamp>,
    /// Why, as a word that does not change between versions.
    pub cause: StaleCause,
    /// Why, as a sentence in English.
    pub why: String,
    /// It was told before and still lasts.
    pub again: bool,
}

/// Why a list is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaleCause {
    /// No connection, no answer, or a page that is not the API's own.
    ApiUnreachable,
    /// The API answers with errors.
    ApiError,
    /// The API says that there are too many calls.
    TooManyCalls,
    /// Its answers are not what was asked for.
    BadAnswer,
    /// The key is that of another shop.
    AnotherShop,
    /// The machine's clock and that of the API differ.
    ClockApart,
    /// The API refused the key.
    KeyRefused,
    /// A pass looked wrong and waits for a person.
    Held,
    /// The ledger of the quota cannot be written, or another process spends the same quota.
    Quota,
    /// The passes do not end in time.
    TooSlow,
}

/// `shop.recovered`: lists that are read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopRecovered {
    /// The lists.
    pub resources: Vec<Resource>,
    /// When the first of them was last read before; `null` where none of them ever was.
    pub since: Option<Timestamp>,
    /// For how many seconds they were not read.
    pub lasted_s: u64,
    /// How many changes the passes that ended it have found.
    pub changes: u64,
}

/// `channel.failing`: a channel that does not take messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFailing {
    /// The channel.
    pub channel: ChannelName,
    /// When the first of the failed attempts was.
    pub since: Timestamp,
    /// What kind of failure it is, as a word that does not change between versions.
    pub cause: ChannelFault,
    /// What the latest attempt said.
    pub why: String,
    /// How many messages wait for it.
    pub waiting: u64,
}

/// Why a channel counts as failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelFault {
    /// It refuses the sender, or there is no such receiver: a person must act.
    Refused,
    /// It has refused three different messages in a row.
    RejectsMessages,
    /// No attempt has succeeded for a quarter of an hour.
    Unreachable,
    /// So many messages wait for it that new ones are dead letters.
    Overflow,
}

/// `channel.recovered`: a channel that takes messages again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRecovered {
    /// The channel.
    pub channel: ChannelName,
    /// When the first of the failed attempts was.
    pub since: Timestamp,
    /// For how many seconds it took none.
    pub lasted_s: u64,
    /// How many messages still wait for it.
    pub waiting: u64,
}
