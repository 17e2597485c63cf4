//! The application: what every request is answered from, while the service runs and in a command without it.
//!
//! Both hold the open store and the same settings; only the running service has loops, and knows besides what has failed
//! lately and what is left of the quota.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::clock::Clock;
use super::key;
use super::problems::problems;
use super::report::{self, Live};
use super::running::Running;
use super::shared::Shared;
use super::shop::Shop;
use crate::api::{Problem, ProblemClass, ProblemKind, Problems, Refusal, Status};
use crate::config::Config;
use crate::domain::disk::DiskFault;
use crate::edge::store::{Store, StoreError};

/// How long the store may take to say that posbell is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// What every request is answered from.
pub struct App {
    /// What was configured.
    pub config: Arc<Config>,
    /// The store, the rules and whom to wake.
    pub shared: Arc<Shared>,
    /// The loops; `None` in a command.
    pub running: Option<Running>,
    /// Held by the replay that is under way.
    pub(super) replaying: Arc<Mutex<()>>,
}

impl App {
    /// Of the running service.
    pub fn running(config: Arc<Config>, shared: Arc<Shared>, running: Running) -> App {
        App { config, shared, running: Some(running), replaying: Arc::default() }
    }

    /// Of a command that has opened the store: what it plans is sent by the service that runs next.
    pub fn without_loops(config: Arc<Config>, store: Store, clock: Clock) -> App {
        store.let_wait_at_most(config.max_waiting);
        let shared = Arc::new(Shared::new(store, clock, &config, &[]));
        App { config, shared, running: None, replaying: Arc::default() }
    }

    /// The running shop of that name; `None` in a command, and where there is no such shop.
    pub(super) fn running_shop(&self, name: &str) -> Option<&Arc<Shop>> {
        self.running.as_ref()?.shops.iter().find(|shop| shop.id().as_str() == name)
    }

    /// Why posbell cannot do its work, a line for each problem; empty where it can.
    pub async fn unready(&self) -> Vec<String> {
        let looked = async {
            self.shared.store.check().await?;
            self.stored_problems().await
        };
        match tokio::time::timeout(READY_WITHIN, looked).await {
            Ok(Ok(found)) => {
                let bell = found.data.iter().filter(|problem| problem.class == ProblemClass::Bell);
                bell.map(Problem::line).collect()
            }
            _ if self.disk_hangs() => vec![hanging().line()],
            _ => vec!["the store does not answer".to_owned()],
        }
    }

    /// What a person should mend.
    pub async fn problems(&self) -> Result<Problems, Refusal> {
        let mut found = self.stored_problems().await?;
        found.data.extend(self.running.iter().flat_map(|running| running.doors.problems()));
        Ok(found)
    }

    /// The status.
    pub async fn status(&self) -> Result<Status, Refusal> {
        if self.disk_hangs() {
            return Err(Refusal::Failed(hanging().line()));
        }
        let live = self.running.as_ref().map(|running| Live::of(running, &self.shared, &self.config));
        Ok(report::status(&self.config, &self.shared.store, live.as_ref(), self.shared.clock.now()).await?)
    }

    /// Has a shop read again whose key was refused.
    pub async fn resume(&self, shop: &str) -> Result<(), Refusal> {
        let shops = &self.config.shops;
        let Some(found) = shops.iter().find(|known| known.id.as_str() == shop) else {
            let known: Vec<&str> = shops.iter().map(|known| known.id.as_str()).collect();
            return Err(Refusal::NotFound(format!("there is no shop `{shop}`; there is: {}", known.join(", "))));
        };
        let Some(running) = self.running_shop(shop) else {
            return Ok(key::tried_again(&self.shared, &found.id).await?);
        };
        if running.has_another_key(&|name| std::env::var(name).ok()) {
            return Err(Refusal::Wrong(format!(
                "the key of `{shop}` is another one now, and this process still has the refused one: restart the \
                 service (`systemctl restart posbell`)"
            )));
        }
        Ok(running.resume().await?)
    }

    /// The problems that the store knows of; of one that does not answer just that.
    async fn stored_problems(&self) -> Result<Problems, StoreError> {
        if self.disk_hangs() {
            return Ok(Problems { data: vec![hanging()] });
        }
        problems(&self.config, &self.shared.store, self.shared.clock.now()).await
    }

    fn disk_hangs(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.watch.disk_hangs())
    }
}

fn hanging() -> Problem {
    Problem { fault: Some(DiskFault::Hanging), ..Problem::of(ProblemKind::Disk, None) }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error.is_damage() {
            true => Refusal::Damaged(error.to_string()),
            false => Refusal::failed(error),
        }
    }
}
