//! What posbell reads in a demo and in its tests: a POSPOS on loopback that answers the same JSON, counts calls as the
//! vendor does, changes on request, and knows what should have been told of each change.
//!
//! It shares nothing with the reader but the names of things. The JSON, the level machine and the count of calls are
//! written a second time here, so that a comparison of both can find a mistake in either.

mod acts;
mod aging;
mod api;
mod asked;
mod changes;
mod edits;
mod faults;
mod generator;
mod journal;
mod level;
mod listed;
mod moving_list;
mod news;
mod people;
mod quota;
mod restless;
mod rows;
mod script;
mod seed;
mod state;
mod things;
mod wire;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

pub use changes::{Change, Line, Refused};
pub use edits::{MemberEdit, ProductEdit, PurchaseEdit, SaleEdit, VendorEdit};
pub use faults::Fault;
pub use generator::Generator;
pub use journal::{Expected, Journal};
pub use level::Threshold;
pub use moving_list::{ListMark, ListOrder, Move, MovingList};
pub use restless::Mark;
pub use script::{Script, Step};

use crate::domain::event::EventKind;
use crate::domain::model::{EntityId, Quantity, Resource, Subject, Timestamp};
use state::World;

/// What kind of shop to open.
#[derive(Debug, Clone)]
pub struct ShopPlan {
    /// How many products it has.
    pub products: usize,
    /// How many bills it has rung up since midnight in Bangkok.
    pub sales_today: usize,
    /// How many credits it has given so far.
    pub credits: usize,
    /// How many members it has.
    pub members: usize,
    /// Whom it buys from.
    pub vendors: usize,
    /// How many purchase documents it has written, one a day.
    pub purchases: usize,
    /// Everything made up follows from it.
    pub seed: u64,
    /// The key that opens it.
    pub api_key: String,
    /// How many calls may arrive in each window; all hold at once. One call more ends the key.
    pub quota: Vec<(u32, Duration)>,
    /// What the journal takes for low. A reader that is compared with it needs the same figures.
    pub threshold: Threshold,
    /// The most rows in one page, whatever `limit` says. The vendor's own maximum is unknown.
    pub largest_page: usize,
    /// Whether lists in pages say their `total` and `total_page`. Seen of sales; of the others it is a guess.
    pub tells_total: bool,
    /// Whether one product or member comes as an object and not as an array of one. Which it is is unknown.
    pub single_is_object: bool,
    /// Whether an unknown product or member is answered with success and no rows, and not with 404.
    pub unknown_is_empty: bool,
    /// Moves each list between any two of its pages, by this seed; see [`SimulatedShop::set_restless`].
    pub restless: Option<u64>,
}

impl Default for ShopPlan {
    /// A village shop under the documented quota.
    fn default() -> Self {
        Self {
            products: 40,
            sales_today: 70,
            credits: 6,
            members: 12,
            vendors: 4,
            purchases: 3,
            seed: 1,
            api_key: "demo-key".to_owned(),
            quota: vec![(300, Duration::from_secs(10))],
            threshold: Threshold { low: Some(5.into()), critical: Some(2.into()), rearm: Some(8.into()) },
            largest_page: 1000,
            tells_total: true,
            single_is_object: false,
            unknown_is_empty: false,
            restless: None,
        }
    }
}

/// What the server's tasks and the handle share.
struct Shared {
    world: Mutex<World>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// How long it has been open: what the quota is counted by, whatever the shop's clock says.
    uptime: Box<dyn Fn() -> Duration + Send + Sync>,
    /// How far the time that its answers say is ahead of its clock, in seconds.
    says_ahead: AtomicI64,
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        // A test that failed while it held the lock has said so already; what stands in the shop is still whole.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The time that an answer says.
    fn says_it_is(&self) -> Timestamp {
        self.now() + chrono::TimeDelta::seconds(self.says_ahead.load(Ordering::Relaxed))
    }
}

/// A running shop. It closes when this is dropped: idle connections end, and new ones are refused.
pub struct SimulatedShop {
    shared: Arc<Shared>,
    base_url: String,
    _open: watch::Sender<()>,
}

impl SimulatedShop {
    /// Opens the shop on a free port of 127.0.0.1. Must be called within a tokio runtime.
    ///
    /// `clock` is the time that its bills carry. The quota is counted on the runtime's own clock instead.
    pub fn start(
        plan: ShopPlan,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> std::io::Result<SimulatedShop> {
        #[expect(clippy::disallowed_methods, reason = "the demo plays the outside world: the vendor has its own clock")]
        let opened = Instant::now();
        Self::start_in(plan, clock, move || opened.elapsed())
    }

    /// The same in time of its own: the quota is counted by `uptime`, which never goes back.
    pub fn start_in(
        plan: ShopPlan,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        uptime: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> std::io::Result<SimulatedShop> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let base_url = format!("http://{}{}", listener.local_addr()?, api::ROOT);
        let doorway = wire::Doorway(tokio::net::TcpListener::from_std(listener)?);
        let world = Mutex::new(seed::world(plan, clock()));
        let shared =
            Arc::new(Shared { world, clock: Box::new(clock), uptime: Box::new(uptime), says_ahead: AtomicI64::new(0) });
        let (open, mut closed) = watch::channel(());
        let service = api::router(shared.clone()).into_make_service_with_connect_info::<wire::Tap>();
        let server = axum::serve(doorway, service).with_graceful_shutdown(async move {
            // The only news is that the sender is gone.
            while closed.changed().await.is_ok() {}
        });
        #[expect(clippy::disallowed_methods, reason = "the demo plays the outside world, which runs by itself")]
        tokio::spawn(std::future::IntoFuture::into_future(server));
        Ok(Self { shared, base_url, _open: open })
    }

    /// What goes into `base_url` of the configuration.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What should have been told so far.
    pub fn journal(&self) -> Journal {
        self.shared.world().journal.clone()
    }

    /// Notes that an event has arrived; false where none such was awaited, so the reader made it up or repeated it.
    pub fn acknowledge(&self, kind: EventKind, subject: &Subject) -> bool {
        self.shared.world().journal.acknowledge(kind, subject)
    }

    /// What of `subject` is still to be told. Another change of it could hide that.
    pub fn awaited_of(&self, subject: &Subject) -> Vec<EventKind> {
        self.shared.world().journal.awaited_of(subject)
    }

    /// Whether a product with that quantity would no longer show a level that is still to be told.
    pub fn would_hide(&self, product: &EntityId, quantity: Quantity) -> bool {
        self.shared.world().would_hide(product, quantity)
    }

    /// How many events are still to be told.
    pub fn awaited(&self) -> usize {
        self.shared.world().journal.awaited()
    }

    /// Every product, oldest first.
    pub fn products(&self) -> Vec<EntityId> {
        self.shared.world().products.order().read().cloned().collect()
    }

    /// What is left of a product.
    pub fn quantity(&self, product: &EntityId) -> Option<Quantity> {
        self.shared.world().products.get(product).map(|product| product.quantity)
    }

    /// Every sale, newest first.
    pub fn sales(&self) -> Vec<EntityId> {
        self.shared.world().sales.order().read().cloned().collect()
    }

    /// Every credit, newest first.
    pub fn credits(&self) -> Vec<EntityId> {
        self.shared.world().credits.order().read().cloned().collect()
    }

    /// Every member, oldest first.
    pub fn members(&self) -> Vec<EntityId> {
        self.shared.world().members.order().read().cloned().collect()
    }

    /// Every vendor, oldest first.
    pub fn vendors(&self) -> Vec<EntityId> {
        self.shared.world().vendors.order().read().cloned().collect()
    }

    /// Every purchase document, newest first.
    pub fn purchases(&self) -> Vec<EntityId> {
        self.shared.world().purchases.order().read().cloned().collect()
    }

    /// This moment, for [`SimulatedShop::persistent_since`].
    pub fn mark(&self) -> Mark {
        self.shared.world().mark()
    }

    /// The rows of a resource that stood in its list at `mark` and ever since, whatever was asked for: of sales those
    /// of all days, of credits the paid ones too. Whoever read the whole list meanwhile must have got every one.
    pub fn persistent_since(&self, mark: &Mark, resource: Resource) -> BTreeSet<EntityId> {
        self.shared.world().persistent_since(mark, resource)
    }

    /// Lets the next `times` calls of a resource fail so, after those that are to fail already; `usize::MAX` is for ever.
    pub fn fail_next(&self, resource: Resource, fault: Fault, times: usize) {
        self.shared.world().faults.add(resource, fault, times);
    }

    /// Lets nothing fail any more.
    pub fn fail_no_more(&self) {
        self.shared.world().faults.clear();
    }

    /// Has its answers say a time that is so far ahead of its clock. Its bills go by the clock.
    pub fn say_ahead(&self, by: chrono::TimeDelta) {
        self.shared.says_ahead.store(by.num_seconds(), Ordering::Relaxed);
    }

    /// Ends the key, as the vendor's support does: 403 from now on.
    pub fn revoke_key(&self) {
        self.shared.world().door.revoke();
    }

    /// Gives the shop another key; the old one stays ended.
    pub fn issue_key(&self, key: &str) {
        self.shared.world().door.issue(key.to_owned());
    }

    /// How many calls were over the quota. Any at all has ended the key.
    pub fn quota_violations(&self) -> usize {
        self.shared.world().door.violations()
    }

    /// How many calls have arrived, with whatever key and for whatever path.
    pub fn calls(&self) -> usize {
        self.shared.world().door.calls()
    }

    /// The most calls that one key made in any window of that length.
    pub fn most_calls_in(&self, window: Duration) -> usize {
        self.shared.world().door.most_calls_in(window)
    }
}

#[cfg(test)]
mod tests;
