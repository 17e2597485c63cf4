//! `posbell check`: every mistake with its place, or that all is well.

use super::problems::counted;
use super::{Failure, bad_config, env, out, problems};
use crate::config::{Config, Weight};
use crate::service::setup;

pub(super) fn check(config: &Config) -> Result<(), Failure> {
    let found = setup::ready(config, &env).err().unwrap_or_default();
    if found.iter().any(|problem| problem.weight == Weight::Error) {
        return Err(bad_config(&found));
    }
    problems::print(&found);
    let well = format!(
        "{} is well: {}, {}, {}, {}",
        config.file.path.display(),
        counted(config.shops.len(), "shop"),
        counted(config.channels.len(), "channel"),
        counted(config.rules.rules.len(), "rule"),
        counted(config.rules.thresholds.len(), "threshold")
    );
    out::line(&well)?;
    if config.rules.rules.is_empty() {
        out::line("There is no rule yet, so events are recorded and nothing is sent.")?;
    }
    Ok(())
}
