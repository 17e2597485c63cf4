//! A store that is refused as damaged: what a person can do about it, behind whatever was to be done with the store.

use super::client::Refused;
use super::{Failure, table};
use crate::config::Config;
use crate::domain::model::Timestamp;
use crate::edge::store::{Shelf, StoreError};

/// Says of an error that it came while the service ran: opened anew, the store may be whole.
#[derive(Debug, Clone, Copy)]
struct WhileRunning;

impl std::fmt::Display for WhileRunning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("posbell ends, to be started again")
    }
}

/// The same error of a service that ran.
pub(super) fn while_running(error: anyhow::Error) -> anyhow::Error {
    if is_damage(&error) { error.context(WhileRunning) } else { error }
}

/// Whether the store failed while the service ran and looked damaged then: opened anew it may be whole.
pub(super) fn may_be_whole(error: &anyhow::Error) -> bool {
    error.downcast_ref::<WhileRunning>().is_some()
}

/// The same failure, with the way out where the store is damaged.
pub(super) fn with_the_way_out(failure: Failure, config: &Config, now: Timestamp) -> Failure {
    match failure {
        Failure::Failed(error) if is_damage(&error) => {
            let when = match error.downcast_ref::<WhileRunning>() {
                Some(_) => "If it fails again and again, this is the way out",
                None => "The way out",
            };
            Failure::Failed(anyhow::anyhow!("{error:#}\n{when}: {}", way_out(config, now)))
        }
        other => other,
    }
}

/// Whether what is stored cannot be used, and will not be without a person.
pub(super) fn is_unusable(error: &anyhow::Error) -> bool {
    let is_so = |cause: &StoreError| {
        cause.is_damage()
            || matches!(cause, StoreError::Directory { .. } | StoreError::Denied(_) | StoreError::Newer { .. })
    };
    error.chain().any(|cause| cause.downcast_ref::<StoreError>().is_some_and(is_so))
}

fn is_damage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_damage)
            || cause.downcast_ref::<Refused>().is_some_and(Refused::is_damage)
    })
}

fn way_out(config: &Config, now: Timestamp) -> String {
    let newest = Shelf::of(&config.data_dir).copies(now).unwrap_or_default().into_iter().next();
    match newest {
        Some(copy) => format!(
            "`posbell restore --last` puts the copy of {} in its place, or an older one if that is damaged \
             too.\nWith `--dry-run` it only says what that costs. The damaged store is set aside and not removed.",
            table::moment(copy.made_at, config.wording.timezone)
        ),
        None => format!(
            "posbell has made no copy yet, but `posbell restore FILE` takes a backup of your own.\nWithout \
             one, move {} aside and start posbell: its next reading is a new baseline, so what changed since the last \
             one is not told, and what waited to be sent is lost.",
            config.data_dir.join("store").display()
        ),
    }
}
