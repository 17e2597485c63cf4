//! The sending loop: one for each channel, so that a slow or dead channel delays no other.
//!
//! It takes what is due, sends it and settles it. The race to know: a commit may land between looking and waiting, so
//! the loop registers for the wake-up *before* it looks. Killed after a send and before its settling, the message is
//! sent again with the same id: at least once, never lost.
//!
//! A receiver that asks to be left alone holds back all of its messages (`send_limits`). What met that wish keeps its
//! place, but nobody waits for it where its own delay is longer than the wish.
//!
//! What waited out an outage of hours is looked through before it is sent (`catch_up`): stock states that newer ones
//! have overtaken are not sent any more.

mod attempt;
mod failed;
mod recall;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing::{error, info};

pub use self::recall::recall;

use super::catch_up::{Lookout, collapse_waiting};
use super::health::FailedAttempt;
use super::ready::ReadyChannel;
use super::shared::Shared;
use super::shutdown::Shutdown;
use crate::domain::event::{DeliveryId, Severity};
use crate::domain::message::Wording;
use crate::domain::model::{ShopId, Timestamp};
use crate::domain::outbox::{Concern, Delivery, SendRoom};
use crate::edge::store::{Due, DueDelivery, StoreError, When};

/// How long deliveries that are under way may take to end after the end was asked for. What is cut off is sent again
/// at the next start.
const ENDING: Duration = Duration::from_secs(4);

/// The longest wait without looking, in case the clock is set: a wake-up or the next due time normally comes first.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Before a look that only has to wait for the others to have their turn.
const AT_ONCE: Duration = Duration::from_millis(1);

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
    /// What met the wish of the receiver to be left alone: it keeps its place, and goes before what has not been tried.
    met: Mutex<Vec<DeliveryId>>,
    /// When to look for what newer states have overtaken.
    lookout: Lookout,
}

impl Deliverer {
    /// Sends until the end is asked for. Only a failing store ends it earlier.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), StoreError> {
        let this = Arc::new(self);
        match shutdown.unless_asked(this.try_what_failed()).await {
            Some(tried) => tried?,
            None => return Ok(()),
        }
        let shared = Arc::<UnderWay>::default();
        *lock(&shared.met) = this.met_before().await?;
        let mut under_way: JoinSet<Result<(), StoreError>> = JoinSet::new();
        let limits = &this.shared.limits;
        loop {
            let (woken, ended) = (this.wake.notified(), limits.ended.notified());
            tokio::pin!(woken, ended);
            woken.as_mut().enable();
            ended.as_mut().enable();
            let mut free = this.channel.concurrency.saturating_sub(under_way.len());
            let mut room = this.room();
            let (mut next, mut is_woken) = (LOOK_AGAIN, false);
            if let (1.., SendRoom::Now(places)) = (free, room) {
                // Begins its attempts in one go at its end, so whatever is cut off here has begun none.
                let begun = this.begin(free.min(places), &shared, &mut under_way);
                let Some(begun) = shutdown.unless_asked(begun).await else { break };
                (next, is_woken) = (begun?, true);
                free = this.channel.concurrency.saturating_sub(under_way.len());
                room = this.room();
            }
            // What is due and was not begun waits for room, and nothing else wakes it.
            if let (1.., SendRoom::After(pause)) = (free, room) {
                next = next.min(pause);
            }
            tokio::select! {
                () = shutdown.asked() => break,
                () = &mut woken, if is_woken => {}
                // Another channel may have taken the last place, and gives one back; or a pause is over before its time.
                () = &mut ended, if free > 0 && !matches!(room, SendRoom::Now(_)) => {}
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
        if due.unreadable > 0 && self.unreadable_is_news(now) {
            error!(channel.name = %self.channel.name, "{} messages to {} cannot be read from the store and stay there",
                due.unreadable, self.channel.name);
        }
        let is_all = due.now.len() < free;
        for item in due.now {
            // Another channel has taken the place.
            let Some(places) = self.shared.limits.take(&self.channel.name, self.shared.clock.mark().up) else {
                return Ok(AT_ONCE);
            };
            lock(&shared.busy).insert(item.delivery.id.clone());
            let (this, shared) = (Arc::clone(self), Arc::clone(shared));
            under_way.spawn(async move {
                let id = item.delivery.id.clone();
                let settled = this.attempt(item, places, &shared).await;
                lock(&shared.busy).remove(&id);
                settled
            });
        }
        if !is_all {
            return Ok(if under_way.len() < self.channel.concurrency { AT_ONCE } else { LOOK_AGAIN });
        }
        let pause = due.next.map_or(LOOK_AGAIN, |next| (next - now).to_std().unwrap_or_default());
        Ok(pause.min(LOOK_AGAIN).max(AT_ONCE))
    }

    fn unreadable_is_news(&self, now: Timestamp) -> bool {
        let none = DeliveryId::of(&self.channel.name, None, &[]);
        let up = self.shared.clock.mark().up;
        let (delivery, recipient, concern) = (&none, None, Concern::Posbell);
        let failed = FailedAttempt { delivery, recipient, concern, why: UNREADABLE, said: None };
        self.shared.health.send_failed(&self.channel.name, failed, (now, up))
    }

    /// How many messages may leave now.
    fn room(&self) -> SendRoom {
        self.shared.limits.room(&self.channel.name, self.shared.clock.mark().up)
    }

    /// What is due and not under way, at most `free`: what is critical, what met a pause that is over, and the rest.
    async fn due(&self, now: Timestamp, free: usize, shared: &Arc<UnderWay>) -> Result<Due, StoreError> {
        let known = Arc::clone(shared);
        let is_busy = move |delivery: &Delivery| lock(&known.busy).contains(&delivery.id);
        let when = When::with_pauses(now, self.channel.retry.longest_pause());
        let met = lock(&shared.met).clone();
        let mut first = Vec::new();
        if !met.is_empty() {
            let still = self.shared.store.waiting_of(met.clone(), is_busy.clone()).await?;
            // What has been given up or ended meanwhile has no place any more.
            lock(&shared.met).retain(|id| !still.gone.contains(id));
            // A wish shortens nobody's own delay.
            first = still.waiting;
            first.retain(|item| item.delivery.state.due_at().is_some_and(|due_at| due_at <= now));
            first.sort_by_key(|item| item.delivery.created_at);
        }
        let mut due = self.shared.store.due(&self.channel.name, when, free, is_busy).await?;
        if !first.is_empty() {
            due.now.retain(|item| !met.contains(&item.delivery.id));
            due.now.extend(first);
            let is_met = |item: &DueDelivery| met.contains(&item.delivery.id);
            due.now.sort_by_key(|item| (item.delivery.severity != Severity::Critical, !is_met(item)));
            due.now.truncate(free);
        }
        Ok(due)
    }

    /// Collapses what newer states have overtaken. Returns whether there was any.
    ///
    /// An attempt that ends meanwhile is still left alone: who was busy is asked first, and no attempt begins here.
    async fn catch_up(&self, shared: &UnderWay, now: Timestamp) -> Result<bool, StoreError> {
        let busy = lock(&shared.busy).clone();
        let name = &self.channel.name;
        let room = self.shared.settings.destinations.room(name);
        let collapsed = collapse_waiting(&self.shared.store, name, room, &busy, now).await?;
        if collapsed > 0 {
            info!(channel.name = %name, "{collapsed} messages to {name} about stock were collapsed into newer ones");
        }
        Ok(collapsed > 0)
    }
}

fn settled(done: Result<Result<(), StoreError>, tokio::task::JoinError>) -> Result<(), StoreError> {
    done.unwrap_or_else(|_| {
        // What was sent is not settled. It counts as under way, so only a start tries it again: no panic is worth more.
        error!("settling a message has panicked: it is left alone until the next start; please report it");
        Ok(())
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
