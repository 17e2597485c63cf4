//! A full disk: posbell stands still, says so, and goes on by itself when there is space.
//!
//! The store is closed then, so nothing can be remembered: the owner's message stands ready in memory from the start,
//! and goes out on the first channel for people that takes it. It is not kept in any store, and not sent twice within
//! an hour where space comes and goes.

use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info};

use super::clock::Clock;
use super::listeners::Interface;
use super::notice::{TELL_AGAIN, Teller};
use super::problems::{Problem, ProblemKind};
use super::setup::Ready;
use super::shutdown::Shutdown;
use crate::config::Config;
use crate::domain::message::Notice;
use crate::domain::model::Timestamp;
use crate::edge::store::{self, RESERVE, StoreError, free_bytes};

/// How often it is looked whether there is space again.
const LOOK: Duration = Duration::from_secs(2);

/// The shortest time between two notices that were taken.
const BETWEEN_NOTICES: Duration = Duration::from_secs(3600);

/// What ends the standing still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// There is space: open the store.
    Space,
    /// The end was asked for.
    End,
}

/// Whether the service has ended for want of space.
pub fn is_full(error: &anyhow::Error) -> bool {
    let is_store =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_full);
    let is_io =
        |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<std::io::Error>().is_some_and(store::is_full);
    error.chain().any(|cause| is_store(cause) || is_io(cause))
}

/// Who waits for space, and what stands ready for that.
pub struct Waiter {
    config: Arc<Config>,
    clock: Clock,
    people: Teller,
    told_at: Option<Timestamp>,
}

impl Waiter {
    /// Keeps everything ready that a full disk could keep from being made.
    pub fn new(config: Arc<Config>, ready: Ready, clock: Clock) -> Waiter {
        let channels: Vec<_> = ready.channels.into_iter().map(Arc::new).collect();
        let people = Teller::new(&channels, config.wording.clone(), clock.clone());
        Waiter { config, clock, people, told_at: None }
    }

    /// Waits until there is space or the end is asked for. Whoever asks at `interface` meanwhile is answered so.
    pub async fn wait(&mut self, interface: Option<&Interface>, shutdown: &Shutdown) -> After {
        let since = self.clock.now();
        error!(
            "the disk of {} is full: nothing is read and nothing told until {} MB are free; nothing is lost",
            self.config.data_dir.display(),
            RESERVE / 1_000_000
        );
        if let Some(interface) = interface {
            let why = format!("the disk has been full since {since}; posbell goes on by itself when there is space");
            interface.close(&why, false, vec![Problem::of(ProblemKind::Disk, Some(since))]);
        }
        let mut told = None;
        let mut tell_at = since;
        let after = loop {
            if told.is_none() && self.clock.now() >= tell_at && self.may_tell() {
                let sent = shutdown.unless_asked(self.people.tell(Notice::DiskFull, |_| true)).await;
                told = sent.flatten();
                self.told_at = told.as_ref().map(|_| self.clock.now()).or(self.told_at);
                tell_at = self.clock.now() + TELL_AGAIN;
            }
            if free_bytes(&self.config.data_dir).is_ok_and(|free| free >= RESERVE) {
                break After::Space;
            }
            if shutdown.unless_asked(tokio::time::sleep(LOOK)).await.is_none() {
                break After::End;
            }
        };
        if after == After::Space {
            info!("there is space again on the disk of {}: posbell goes on", self.config.data_dir.display());
            if let Some(channel) = told {
                shutdown.unless_asked(self.people.tell(Notice::DiskFree, |one| *one == channel)).await;
            }
        }
        after
    }

    fn may_tell(&self) -> bool {
        self.told_at.is_none_or(|told_at| {
            self.clock.now() - told_at >= chrono::TimeDelta::from_std(BETWEEN_NOTICES).unwrap_or_default()
        })
    }
}
