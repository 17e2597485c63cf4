//! `posbell resume SHOP`: a person says that a refused key may be tried again.

use super::source::Source;
use super::{Failure, out, small_runtime};
use crate::config::Config;

pub(super) fn resume(config: &Config, shop: &str) -> Result<(), Failure> {
    let Some(found) = config.shops.iter().find(|known| known.id.as_str() == shop) else {
        return Err(anyhow::anyhow!("there is no shop `{shop}` in {}", config.file.path.display()).into());
    };
    small_runtime()?.block_on(async { Source::find(config).await?.resume(&found.id).await })?;
    out::line(&format!("{shop} is read again."))?;
    Ok(())
}
