//! What the service runs with: the configuration with its secrets read and its channels built.

use secrecy::SecretString;

use crate::config::ShopConfig;
use crate::domain::model::ChannelName;
use crate::domain::outbox::{Rate, RetryPolicy};
use crate::edge::channel::Channel;

/// The most bytes of one answer of the API. A page of 200 sales has about half a megabyte; 64 MiB is a stock list of
/// a hundred thousand products in one answer, and more than that is not an answer.
pub(super) const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// What the configuration says, with its secrets read and its channels built.
pub struct Ready {
    /// The shops.
    pub shops: Vec<ReadyShop>,
    /// The channels.
    pub channels: Vec<ReadyChannel>,
    /// The token of the admin address, where one is configured.
    pub admin_token: Option<SecretString>,
}

/// A shop whose key has been read.
pub struct ReadyShop {
    /// What was configured.
    pub config: ShopConfig,
    /// The key.
    pub api_key: SecretString,
}

/// A channel that is ready to send.
pub struct ReadyChannel {
    /// Its name.
    pub name: ChannelName,
    /// How many attempts may be under way at once.
    pub concurrency: usize,
    /// When failed messages are tried again.
    pub retry: RetryPolicy,
    /// How often messages may leave, in the place of what is usual for such a channel.
    pub rate: Option<Vec<Rate>>,
    /// A hash of all its settings, secrets too.
    pub settings: String,
    /// What sends.
    pub channel: Channel,
    /// The recipients, where it has several.
    pub recipients: Vec<String>,
}

/// What a secret or a channel may ask of the environment.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;
