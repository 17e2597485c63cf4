//! The names of things: shops, channels, entities of the API, and the subject of an event.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A name that cannot be used: empty, too long, or with characters that would break keys and headers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, `-` or `_`")]
pub struct BadId;

fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The `id` of a `[[shop]]`: part of store keys, event ids and file names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShopId(String);

impl ShopId {
    /// Checks that `text` can be part of a key and of a file name.
    pub fn new(text: impl Into<String>) -> Result<Self, BadId> {
        let text = text.into();
        if is_plain(&text) { Ok(Self(text)) } else { Err(BadId) }
    }

    /// The id as it stands in the configuration.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is kept of a shop's key, to know it again without knowing it. The quota and a refusal belong to the key, so
/// they are filed under this: a shop that is renamed does not begin a new quota.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyHash(String);

impl KeyHash {
    /// The hash of this key: the first 64 bits of SHA-256, enough to tell keys apart and too little to find one by.
    pub fn of(key: &str) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
        Self(digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a `[channel.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelName(String);

impl ChannelName {
    /// Checks that `text` can be part of a key and of a log line.
    pub fn new(text: impl Into<String>) -> Result<Self, BadId> {
        let text = text.into();
        if is_plain(&text) { Ok(Self(text)) } else { Err(BadId) }
    }

    /// The name as it stands in the configuration.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The API's own `_id` of a row: the only thing that rows are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityId(String);

impl EntityId {
    /// Takes what the API calls `_id`: any text of 1 to 128 printable bytes.
    ///
    /// Every id that was seen is a 24-digit hex string, but nothing promises that, and a shop must not go dark
    /// because its rows carry another kind of id.
    pub fn new(text: impl Into<String>) -> Result<Self, BadId> {
        let text = text.into();
        let printable = !text.chars().any(char::is_control);
        if (1..=128).contains(&text.len()) && printable { Ok(Self(text)) } else { Err(BadId) }
    }

    /// The id as the API wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for EntityId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an event is about: `product/600c…`, `sale/68b7…`, `shop/main`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(String);

impl Subject {
    /// The subject of a sale's events.
    pub fn sale(id: &EntityId) -> Self {
        Self(format!("sale/{id}"))
    }

    /// The subject of a product's events.
    pub fn product(id: &EntityId) -> Self {
        Self(format!("product/{id}"))
    }

    /// The subject of a credit's events.
    pub fn credit(id: &EntityId) -> Self {
        Self(format!("credit/{id}"))
    }

    /// The subject of a member's events.
    pub fn member(id: &EntityId) -> Self {
        Self(format!("member/{id}"))
    }

    /// The subject of a vendor's events.
    pub fn vendor(id: &EntityId) -> Self {
        Self(format!("vendor/{id}"))
    }

    /// The subject of a purchase document's events.
    pub fn purchase(id: &EntityId) -> Self {
        Self(format!("purchase/{id}"))
    }

    /// The subject of the service's own events about a shop.
    pub fn shop(id: &ShopId) -> Self {
        Self(format!("shop/{id}"))
    }

    /// The subject of the service's own events about a channel.
    pub fn channel(name: &ChannelName) -> Self {
        Self(format!("channel/{name}"))
    }

    /// The subject as it stands in an event.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
