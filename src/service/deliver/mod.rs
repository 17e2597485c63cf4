//! The sending loop: one for each channel, so that a slow or dead channel delays no other.
//!
//! It takes what is due, sends it and settles it. The race to know: a commit may land between looking and waiting, so
//! the loop registers for the wake-up *before* it looks. Killed after a send and before its settling, the message is
//! sent again with the same id: at least once, never lost.
//!
//! What waited out an outage of hours is looked through before it is sent (`catch_up`): stock states that newer ones
//! have overtaken are not sent any more.

mod attempt;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::{error, info};

use super::catch_up::{Lookout, collapse_waiting};
use super::setup::ReadyChannel;
use super::shop::Shared;
use super::shutdown::Shutdown;
use crate::domain::event::DeliveryId;
use crate::domain::message::Wording;
use crate::domain::model::{ShopId, Timestamp};
use crate::domain::outbox::Delivery;
use crate::edge::store::{Due, StoreError, When};

/// How long deliveries that are under way may take to end after the end was asked for. What is cut off is sent again
/// at the next start.
const ENDING: Duration = Duration::from_secs(4);

/// The longest wait without looking, in case the clock is set: a wake-up or the next due time normally comes first.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What the status says of a channel with records that cannot be understood.
const UNREADABLE: &str = "messages in the store cannot be read";

/// How messages of a shop are worded.
pub struct Letterhead {
    /// Language and zone.
    pub wording: Wording,
    /// The shops' names, by id.
    pub names: std::collections::BTreeMap<ShopId, String>,
}

/// One channel's loop and all it needs.
pub struct Deliverer {
    /// The channel.
    pub channel: Arc<ReadyChannel>,
    /// What all loops share.
    pub shared: Arc<Shared>,
    /// How messages are worded.
    pub letterhead: Arc<Letterhead>,
    /// Rung after a commit with deliveries for this channel.
    pub wake: Arc<Notify>,
}

/// What a loop and its attempts share.
#[derive(Default)]
struct UnderWay {
    /// What is being sent.
    busy: Mutex<BTreeSet<DeliveryId>>,
    /// When to look for what newer states have overtaken.
    lookout: Lookout,
}

impl Deliverer {
    /// Sends until the end is asked for. Only a failing store ends it earlier.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), StoreError> {
        let this = Arc::new(self);
        let shared = Arc::<UnderWay>::default();
        let mut under_way: JoinSet<Result<(), StoreError>> = JoinSet::new();
        loop {
            let woken = this.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let free = this.channel.concurrency.saturating_sub(under_way.len());
            let next = match free {
                0 => LOOK_AGAIN,
                // Begins its attempts in one go at its end, so whatever is cut off here has begun none.
                _ => match shutdown.unless_asked(this.begin(free, &shared, &mut under_way)).await {
                    Some(next) => next?,
                    None => break,
                },
            };
            tokio::select! {
                () = shutdown.asked() => break,
                () = &mut woken, if free > 0 => {}
                () = tokio::time::sleep(next) => {}
                Some(done) = under_way.join_next() => settled(done)?,
            }
        }
        let rest = async {
            while let Some(done) = under_way.join_next().await {
                settled(done)?;
            }
            Ok(())
        };
        tokio::time::timeout(ENDING, rest).await.unwrap_or(Ok(()))
    }

    /// Begins what is due, and says when to look again.
    async fn begin(
        self: &Arc<Self>,
        free: usize,
        shared: &Arc<UnderWay>,
        under_way: &mut JoinSet<Result<(), StoreError>>,
    ) -> Result<Duration, StoreError> {
        let now = self.shared.clock.now();
        let mut due = self.due(now, free, shared).await?;
        if shared.lookout.has_to_look(&due, now) && self.catch_up(shared, now).await? {
            due = self.due(now, free, shared).await?;
        }
        if due.unreadable > 0 && self.shared.health.send_failed(&self.channel.name, UNREADABLE, now) {
            error!(channel.name = %self.channel.name, "{} messages to {} cannot be read from the store and stay there",
                due.unreadable, self.channel.name);
        }
        for item in due.now {
            lock(&shared.busy).insert(item.delivery.id.clone());
            let (this, shared) = (Arc::clone(self), Arc::clone(shared));
            under_way.spawn(async move {
                let id = item.delivery.id.clone();
                let settled = this.attempt(item, &shared.lookout).await;
                lock(&shared.busy).remove(&id);
                settled
            });
        }
        let pause = due.next.map_or(LOOK_AGAIN, |next| (next - now).to_std().unwrap_or_default());
        Ok(pause.min(LOOK_AGAIN).max(Duration::from_millis(1)))
    }

    /// What is due and not under way.
    async fn due(&self, now: Timestamp, free: usize, shared: &Arc<UnderWay>) -> Result<Due, StoreError> {
        let known = Arc::clone(shared);
        let is_busy = move |delivery: &Delivery| lock(&known.busy).contains(&delivery.id);
        let when = When::with_pauses(now, self.channel.retry.longest_pause());
        self.shared.store.due(&self.channel.name, when, free, is_busy).await
    }

    /// Collapses what newer states have overtaken. Returns whether there was any.
    ///
    /// An attempt that ends meanwhile is still left alone: who was busy is asked first, and no attempt begins here.
    async fn catch_up(&self, shared: &UnderWay, now: Timestamp) -> Result<bool, StoreError> {
        let busy = lock(&shared.busy).clone();
        let name = &self.channel.name;
        let collapsed = collapse_waiting(&self.shared.store, name, &busy, now).await?;
        if collapsed > 0 {
            info!(channel.name = %name, "{collapsed} messages to {name} about stock were collapsed into newer ones");
        }
        Ok(collapsed > 0)
    }
}

fn settled(done: Result<Result<(), StoreError>, tokio::task::JoinError>) -> Result<(), StoreError> {
    match done {
        Ok(settled) => settled,
        // A panic in a channel must not pass for a delivery: end, and begin anew from the store.
        Err(error) => Err(StoreError::Damaged(format!("a delivery panicked: {error}"))),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
