//! `[heartbeat]`: which monitor outside of this machine notices when posbell falls silent?

use std::fmt;
use std::time::Duration;

use url::Url;

use super::value;
use crate::domain::document::Table;
use crate::domain::mistake::Mistake;

/// How often the monitor is called unless told otherwise; from the contract.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// A GET at regular times, while posbell can do its work.
#[derive(Clone)]
pub struct HeartbeatConfig {
    /// Where to. The path is often the token itself, so this is never printed.
    pub url: Url,
    /// How often.
    pub every: Duration,
}

impl fmt::Debug for HeartbeatConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatConfig").field("every", &self.every).finish_non_exhaustive()
    }
}

/// Takes `[heartbeat]`, if it is there.
pub(super) fn take(document: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Option<HeartbeatConfig> {
    let mut table = document.table("heartbeat", mistakes)?;
    let url = value::required_http_url(&mut table, "url", mistakes);
    let every = value::duration(&mut table, "every", mistakes).unwrap_or(EVERY);
    table.finish(&[], mistakes);
    Some(HeartbeatConfig { url: url?.value, every })
}
