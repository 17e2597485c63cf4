//! One GET that tells an outside monitor that posbell can do its work.
//!
//! The address usually carries a token, so it is in no error and no log. Nothing is repeated and no redirect is
//! followed: the next heartbeat is the repeat.

use std::time::Duration;

use reqwest::Client;
use url::Url;

use super::http::client_of;

/// How long one heartbeat may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where heartbeats go.
pub struct Heartbeat {
    client: Client,
    url: Url,
}

/// Why a heartbeat was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeartbeatError {
    /// The HTTPS client could not be made.
    #[error("the HTTPS client could not be made; are the system's CA certificates installed?")]
    Client,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// No connection, or one that broke.
    #[error("the connection failed")]
    Connection,
    /// Another status than 2xx.
    #[error("answered {0}")]
    Status(u16),
}

impl Heartbeat {
    /// Heartbeats to this address. Nothing is sent yet.
    pub fn new(url: Url) -> Result<Heartbeat, HeartbeatError> {
        let client = client_of(&url, TIMEOUT).pool_max_idle_per_host(0).build();
        Ok(Heartbeat { client: client.map_err(|_| HeartbeatError::Client)?, url })
    }

    /// Sends one.
    pub async fn beat(&self) -> Result<(), HeartbeatError> {
        let answer = self.client.get(self.url.clone()).send().await.map_err(|error| match error.is_timeout() {
            true => HeartbeatError::Timeout,
            false => HeartbeatError::Connection,
        })?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(HeartbeatError::Status(status.as_u16())) }
    }
}
