//! `posbell check`: every mistake with its place, or that all is well.

use std::sync::Arc;

use super::problems::counted;
use super::{Failure, bad_config, env, online, out, problems, unit};
use crate::config::{Config, Weight};
use crate::domain::rhythm::Costs;
use crate::domain::rhythm::warnings::{Warning, warnings};
use crate::service::{pace, setup};

pub(super) fn check(config: &Arc<Config>, online: bool) -> Result<(), Failure> {
    let mut found = setup::ready(config, &env).err().unwrap_or_default();
    unit::compare(config, &env, &mut found);
    found.extend(config.advice(&env));
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
    for shop in &config.shops {
        let rhythm = pace::by_day(shop, &shop.quota, &Costs::default());
        for warning in warnings(&rhythm, shop.trailing) {
            out::line(&format!("warning: shop {}: {}", shop.id, words(warning)))?;
        }
    }
    if config.rules.rules.is_empty() {
        out::line("There is no rule yet, so events are recorded and nothing is sent.")?;
    }
    if online { online::online(config) } else { Ok(()) }
}

/// What of the configured rhythm the quota does not grant. At least: a list of many pages costs more than is known here.
fn words(warning: Warning) -> String {
    let length = |duration: std::time::Duration| {
        humantime::format_duration(std::time::Duration::from_secs(duration.as_secs())).to_string()
    };
    match warning {
        Warning::TooFast { resource, configured, effective } => format!(
            "the quota does not allow {resource} every {}; it will be read every {} at best",
            length(configured),
            length(effective)
        ),
        Warning::TrailingTooFast { configured, effective } => format!(
            "the quota does not allow all sales of the trailing window every {}; they will be read every {} at best",
            length(configured),
            length(effective)
        ),
    }
}
