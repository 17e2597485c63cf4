//! `posbell check`: every mistake with its place, or that all is well.

use super::{Failure, bad_config, env, problems};
use crate::config::{Config, Weight};
use crate::service::setup;

pub(super) fn check(config: &Config) -> Result<(), Failure> {
    let found = setup::ready(config, &env).err().unwrap_or_default();
    if found.iter().any(|problem| problem.weight == Weight::Error) {
        return Err(bad_config(&found));
    }
    problems::print(&found);
    println!(
        "{} is well: {} shops, {} channels, {} rules, {} thresholds",
        config.file.path.display(),
        config.shops.len(),
        config.channels.len(),
        config.rules.rules.len(),
        config.rules.thresholds.len()
    );
    if config.rules.rules.is_empty() {
        println!("There is no rule yet, so events are recorded and nothing is sent.");
    }
    Ok(())
}
