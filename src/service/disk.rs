//! A disk that does not take or give what is stored: posbell stands still, says so once, and goes on by itself.
//!
//! The store is closed then, or does not answer, so the message to people goes past it, to the first channel for people
//! that takes it. That it was sent is noted outside of the data directory ([`crate::edge::notice_mark`]), so that a
//! restart does not send it again while the trouble lasts.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use super::clock::Clock;
use super::interface::Interface;
use super::notice::{TELL_AGAIN, Teller};
use super::ready::Ready;
use super::shutdown::Shutdown;
use super::watchdog::Watch;
use crate::api::{Problem, ProblemKind};
use crate::config::Config;
use crate::domain::disk::DiskFault;
use crate::domain::message::Notice;
use crate::domain::model::Timestamp;
use crate::edge::notice_mark::{Mark, NoticeMark};
use crate::edge::store::{self, RESERVE, StoreError, free_bytes};

/// How often it is looked whether the disk works again, at first and at last.
const LOOK: Duration = Duration::from_secs(2);
const LOOK_MOST: Duration = Duration::from_secs(60);

/// How often it is looked whether the store answers.
const LOOK_AT_STORE: Duration = Duration::from_secs(1);

/// The shortest time between two notices that were taken, where the trouble comes and goes.
const BETWEEN_NOTICES: Duration = Duration::from_secs(3600);

/// How long telling people may take where the process is about to end.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// For how long after the notice it is tried to tell its end.
const END_TOLD_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// What ends the standing still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// The disk may work: open the store.
    Open,
    /// The end was asked for.
    End,
}

/// What is wrong with the disk, if that has ended the service.
pub fn fault_in(error: &anyhow::Error) -> Option<DiskFault> {
    error.chain().find_map(|cause| {
        let of_store = cause.downcast_ref::<StoreError>().and_then(StoreError::disk_fault);
        of_store.or_else(|| cause.downcast_ref::<std::io::Error>().and_then(store::fault_of))
    })
}

/// The same, where the error may hide it: sled panics in some places where its disk fails. Asks the disk itself.
pub async fn fault_behind(error: &anyhow::Error, data_dir: &Path) -> Option<DiskFault> {
    if let Some(fault) = fault_in(error) {
        return Some(fault);
    }
    let is_of_another =
        |cause: &StoreError| matches!(cause, StoreError::Locked { .. } | StoreError::Newer { .. } | StoreError::Fenced);
    if error.chain().any(|cause| cause.downcast_ref().is_some_and(is_of_another)) {
        return None;
    }
    let dir = data_dir.to_owned();
    let probed = tokio::task::spawn_blocking(move || store::probe(&dir));
    match tokio::time::timeout(LOOK_MOST, probed).await {
        Ok(Ok(Err(error))) => store::fault_of(&error),
        Ok(_) => None,
        Err(_) => Some(DiskFault::Hanging),
    }
}

/// Looks after the disk for as long as the process lives.
pub struct DiskWatch {
    config: Arc<Config>,
    clock: Clock,
    people: Teller,
    /// The trouble that lasts.
    trouble: Option<Trouble>,
    /// What people know of, and where that is noted for the next start.
    known: Option<Mark>,
    note: NoticeMark,
    /// When people last heard of one.
    told_at: Option<Timestamp>,
    /// When it is tried again to tell that it is over.
    tell_end_at: Option<Timestamp>,
}

struct Trouble {
    fault: DiskFault,
    since: Timestamp,
    /// How often the store could not be opened in it.
    tries: u32,
}

impl DiskWatch {
    /// Keeps everything ready that a full disk could keep from being made.
    pub fn new(config: Arc<Config>, ready: Ready, clock: Clock) -> DiskWatch {
        let channels: Vec<_> = ready.channels.into_iter().map(Arc::new).collect();
        let people = Teller::new(&channels, config.wording.clone(), clock.clone());
        let note = NoticeMark::of(&config.data_dir);
        let mut known = note.read();
        let told_at = known.as_ref().map(|mark| mark.told_at);
        if !config.data_dir.join("store").exists() {
            // The files did not come back: the new baseline is told instead.
            let was_gone = known.take_if(|mark| mark.fault == DiskFault::Gone).is_some();
            if was_gone {
                note.remove();
            }
            if was_gone || config.data_dir.join("quota").exists() {
                warn!(
                    "there was a store in {}, and it is gone: posbell begins anew; what changed meanwhile is not told",
                    config.data_dir.display()
                );
            }
        }
        DiskWatch { config, clock, people, trouble: None, known, note, told_at, tell_end_at: None }
    }

    /// Waits until the disk may work again or the end is asked for. `interface` answers so meanwhile.
    pub async fn wait(&mut self, fault: DiskFault, interface: Option<&Interface>, shutdown: &Shutdown) -> After {
        let trouble = self.begins(fault);
        let (since, tries) = (trouble.since, trouble.tries);
        trouble.tries += 1;
        if let Some(interface) = interface {
            let when = if fault == DiskFault::Gone { "they are there again" } else { "it works" };
            let why = format!("the disk {fault} since {since}; posbell goes on by itself when {when}");
            let problem = Problem { fault: Some(fault), ..Problem::of(ProblemKind::Disk, Some(since)) };
            interface.close(&why, false, vec![problem]);
        }
        let mut probing = Probing::default();
        let mut pause = LOOK_MOST.min(LOOK * 2u32.saturating_pow(tries.min(8)));
        loop {
            let told = shutdown.unless_asked(self.tell()).await;
            if told.is_none() || shutdown.unless_asked(tokio::time::sleep(pause)).await.is_none() {
                return After::End;
            }
            pause = LOOK;
            let looked = shutdown.unless_asked(probing.may_open(fault, &self.config.data_dir));
            match looked.await {
                None => return After::End,
                Some(true) => return After::Open,
                Some(false) => {}
            }
        }
    }

    /// Tells people, where they do not know it yet, that what is stored cannot be used: the process is about to end.
    pub async fn is_unusable(&mut self) {
        let since = self.clock.now();
        self.trouble = Some(Trouble { fault: DiskFault::Unusable, since, tries: 0 });
        drop(tokio::time::timeout(LAST_WORDS, self.tell()).await);
    }

    /// Looks after a store that is open: tells people where it does not answer, and when the trouble before is over, which
    /// `is_whole` says.
    pub async fn attend(&mut self, watch: &Watch, is_whole: oneshot::Receiver<()>) -> Infallible {
        // An error means that the store was not opened, which ends the run with an error of its own.
        if is_whole.await.is_err() {
            return std::future::pending().await;
        }
        self.is_over().await;
        loop {
            if watch.disk_hangs() {
                self.begins(DiskFault::Hanging);
                self.tell().await;
            } else {
                self.is_over().await;
            }
            tokio::time::sleep(LOOK_AT_STORE).await;
        }
    }

    /// Notes that there is trouble, and logs it where it is news.
    fn begins(&mut self, fault: DiskFault) -> &mut Trouble {
        let now = self.clock.now();
        let known = self.trouble.take().filter(|trouble| trouble.fault == fault);
        if known.is_none() {
            let dir = self.config.data_dir.display();
            let until = match fault {
                DiskFault::Full => format!("until {} MB are free", RESERVE / 1_000_000),
                DiskFault::Gone => "until they are there again: bring the disk back; where they are lost, stop \
                                    posbell, then `posbell restore --last`, then start it (a start alone begins with \
                                    an empty store)"
                    .to_owned(),
                DiskFault::ReadOnly | DiskFault::Failing | DiskFault::Hanging | DiskFault::Unusable => {
                    "until it works".to_owned()
                }
            };
            error!("the disk of {dir} {fault}: nothing is read and nothing sent {until}");
        }
        self.trouble.insert(known.unwrap_or(Trouble { fault, since: now, tries: 0 }))
    }

    /// Tells people, where they do not know it yet.
    async fn tell(&mut self) {
        let Some(Trouble { fault, since, .. }) = self.trouble else { return };
        let now = self.clock.now();
        if self.known.as_ref().is_some_and(|mark| mark.fault == fault) || !self.may_tell(now) {
            return;
        }
        match self.people.tell(Notice::DiskFault(fault), |_| true).await {
            Some(channel) => {
                self.told_at = Some(now);
                self.note.write(self.known.insert(Mark { fault, channel, since, told_at: now }));
            }
            // No channel has taken it: again in a minute, and not at each look.
            None => self.told_at = now.checked_sub_signed(retried_after()),
        }
    }

    fn may_tell(&self, now: Timestamp) -> bool {
        let between = chrono::TimeDelta::from_std(BETWEEN_NOTICES).unwrap_or_default();
        self.told_at.is_none_or(|told_at| now - told_at >= between)
    }

    /// The store is open and whole: the trouble is over, and people who know of it learn that too.
    async fn is_over(&mut self) {
        if self.trouble.take().is_some() {
            info!("the disk of {} works again: posbell goes on", self.config.data_dir.display());
        }
        let now = self.clock.now();
        let Some(mark) = self.known.as_ref().filter(|_| self.tell_end_at.is_none_or(|at| now >= at)) else { return };
        // Tried for as long as people may wait for it.
        let is_old = now - mark.told_at > chrono::TimeDelta::from_std(END_TOLD_WITHIN).unwrap_or_default();
        let told = self.people.tell(Notice::DiskBack, |one| *one == mark.channel).await;
        if told.is_some() || is_old {
            self.known = None;
            self.note.remove();
        }
        self.tell_end_at = Some(now + TELL_AGAIN);
    }
}

/// So long ago a notice that nobody took counts as sent: it is tried again after [`TELL_AGAIN`].
fn retried_after() -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(BETWEEN_NOTICES.saturating_sub(TELL_AGAIN)).unwrap_or_default()
}

/// A look at the disk that may hang: no second one begins before it has ended.
#[derive(Default)]
struct Probing {
    under_way: Option<JoinHandle<bool>>,
}

impl Probing {
    /// Whether the store may be opened.
    async fn may_open(&mut self, fault: DiskFault, dir: &Path) -> bool {
        let dir = dir.to_owned();
        let under_way = self.under_way.get_or_insert_with(|| {
            tokio::task::spawn_blocking(move || match fault {
                DiskFault::Full => free_bytes(&dir).is_ok_and(|free| free >= RESERVE),
                DiskFault::Gone => dir.join("store").exists() && store::probe(&dir).is_ok(),
                DiskFault::Unusable => false,
                DiskFault::ReadOnly | DiskFault::Failing | DiskFault::Hanging => store::probe(&dir).is_ok(),
            })
        });
        match tokio::time::timeout(LOOK, under_way).await {
            Ok(looked) => {
                self.under_way = None;
                looked.unwrap_or(false)
            }
            Err(_) => false,
        }
    }
}
