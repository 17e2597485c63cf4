//! `posbell resume SHOP`: a person says that a refused key may be tried again.

use std::sync::Arc;

use super::client::Client;
use super::{Failure, out, small_runtime};
use crate::config::Config;

pub(super) fn resume(config: &Arc<Config>, shop: &str) -> Result<(), Failure> {
    small_runtime()?.block_on(async { Client::find(config).await?.post(&["shops", shop, "resume"]).await })?;
    out::line(&format!("{shop} is read again."))?;
    Ok(())
}
