//! Commands beside a mistake in the files: what does not need the mistaken part is done all the same.

use super::{Failure, bad_config, env, out, small_runtime};
use crate::config::{Config, Problem};
use crate::service::clock::Clock;
use crate::service::mistaken;

/// Says that there are mistakes, where there are.
pub(super) fn note(config: &Config) {
    let mistakes = &config.mistakes;
    let own = mistakes.shops.len() + mistakes.elsewhere.len();
    let file = config.file.path.display();
    let said = match (own, mistakes.rules.len()) {
        (0, 0) => return,
        (0, rules) => format!("the rules have {}", counted(rules)),
        (own, 0) => format!("{file} has {}", counted(own)),
        (own, rules) => format!("{file} has {}, and the rules have {}", counted(own), counted(rules)),
    };
    out::note(&format!("{said}, see `posbell check`"));
}

fn counted(mistakes: usize) -> String {
    super::problems::counted(mistakes, "mistake")
}

/// Fails with every mistake where one of these is in the way of what is to be done.
pub(super) fn need(config: &Config, in_the_way: &[&[Problem]]) -> Result<(), Failure> {
    if in_the_way.iter().all(|problems| problems.is_empty()) {
        return Ok(());
    }
    Err(bad_config(&config.mistakes.all()))
}

/// Prints what keeps the service from starting, and tells people who would wait for it in vain.
pub(super) fn keeps_from_starting(config: &Config, found: &[Problem]) -> Failure {
    let failure = bad_config(found);
    if let Ok(runtime) = small_runtime() {
        runtime.block_on(mistaken::tell(config, found, &env, &Clock::default()));
        runtime.shutdown_background();
    }
    failure
}
