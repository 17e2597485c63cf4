//! Where a command's answers come from: the running service, or the store itself. The user need not know which.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use futures_util::StreamExt;

mod streams;

use super::client::Client;
use super::open_address;
use super::out;
use crate::api::{DeliveryQuery, EventQuery, Pieces, Refusal};
use crate::config::Config;
use crate::domain::diff::guard::Decision;
use crate::domain::model::{Resource, ShopId};
use crate::edge::store::{Commit, Store, StoreError};
use crate::server::SocketAddress;
use crate::service::clock::Clock;
use crate::service::{answers, held, report};

/// Who is asked.
pub(super) enum Source<'a> {
    /// The running service.
    Service(Client),
    /// The store, opened by this command.
    Store { config: &'a Config, store: Box<Store> },
}

/// Why neither the store nor the service can be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unasked {
    /// The data directory is another user's.
    #[error("the data of posbell in {0} is for its owner alone: try sudo")]
    Closed(PathBuf),
    /// A service answers whose data is elsewhere: the unit's data directory may be known to the unit alone.
    #[error(
        "there is no posbell data in {0}, and yet a service runs: write where its data is as `data_dir` into the \
         configuration"
    )]
    Elsewhere(PathBuf),
}

impl<'a> Source<'a> {
    /// Finds who can be asked. What another process does for a moment is waited for: a command with the store, or a
    /// service that starts or ends.
    pub(super) async fn find(config: &'a Config) -> anyhow::Result<Source<'a>> {
        let mut waiting = Waiting::new();
        loop {
            let (found, locked) = match Store::open_existing(&config.data_dir) {
                Ok(store) => {
                    store.let_wait_at_most(config.max_waiting);
                    return Ok(Source::Store { config, store: Box::new(store) });
                }
                Err(error @ StoreError::Locked { .. }) => (Client::of(&config.data_dir), error),
                // Of one's own directory the error says which file is another user's.
                Err(StoreError::Directory { source, .. })
                    if source.kind() == ErrorKind::PermissionDenied && is_closed(&config.data_dir) =>
                {
                    bail!(Unasked::Closed(config.data_dir.clone()))
                }
                // A service whose store was deleted still answers at its socket.
                Err(error @ StoreError::Absent(_)) if served(&config.data_dir) => (Client::of(&config.data_dir), error),
                Err(error @ StoreError::Absent(_)) => match open_address::problems(config).await {
                    Ok(_) => bail!(Unasked::Elsewhere(config.data_dir.clone())),
                    Err(_) => return Err(error.into()),
                },
                Err(error) => return Err(error.into()),
            };
            let service = found?;
            let why = match service.doing().await {
                Ok(None) => return Ok(Source::Service(service)),
                Ok(Some(why)) if waiting.is_over() => bail!("{why}; ask again in a while"),
                Err(_) if waiting.is_over() => return Err(locked.into()),
                Ok(Some(why)) => why,
                Err(_) => locked.to_string(),
            };
            waiting.go_on(&why).await;
        }
    }

    /// Whether the service runs, and will send what becomes due.
    pub(super) fn is_running(&self) -> bool {
        matches!(self, Source::Service(_))
    }

    /// The status.
    pub(super) async fn status(&self) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => service.get("status", &[]).await,
            Source::Store { config, store } => {
                let status = report::status(config, store, None, Clock::default().now()).await?;
                Ok(serde_json::to_string(&status)?)
            }
        }
    }

    /// What the service says is wrong, also while it has closed its store.
    pub(super) async fn problems(&self) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => service.get("problems", &[]).await,
            Source::Store { .. } => bail!("no service is asked here"),
        }
    }

    /// Events.
    pub(super) async fn events(&self, query: EventQuery) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => service.get("events", &pairs(&query)?).await,
            Source::Store { store, .. } => {
                whole(answered(answers::events(store, query, Clock::default().now()).await)?).await
            }
        }
    }

    /// Deliveries.
    pub(super) async fn deliveries(&self, query: DeliveryQuery) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => service.get("deliveries", &pairs(&query)?).await,
            Source::Store { store, .. } => whole(answered(answers::deliveries(store, query).await)?).await,
        }
    }

    /// One delivery.
    pub(super) async fn delivery(&self, id: &str) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => {
                anyhow::ensure!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "`{id}` is no delivery id");
                service.get(&format!("deliveries/{id}"), &[]).await
            }
            Source::Store { store, .. } => answered(answers::delivery(store, id).await),
        }
    }

    /// Held passes.
    pub(super) async fn held(&self) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => service.get("held", &[]).await,
            Source::Store { config, store } => answered(held::all(config, store).await),
        }
    }

    /// One held pass.
    pub(super) async fn held_pass(&self, shop: &ShopId, resource: Resource) -> anyhow::Result<String> {
        match self {
            Source::Service(service) => service.get(&format!("held/{shop}/{resource}"), &[]).await,
            Source::Store { config, store } => answered(held::one(config, store, shop.as_str(), resource.name()).await),
        }
    }

    /// What a person says about a held pass.
    pub(super) async fn decide(&self, shop: &ShopId, resource: Resource, decision: Decision) -> anyhow::Result<String> {
        let action = match decision {
            Decision::Release => "release",
            Decision::Drop => "drop",
        };
        match self {
            Source::Service(service) => service.post(&format!("held/{shop}/{resource}/{action}")).await,
            Source::Store { config, store } => {
                answered(held::decide(config, store, shop.as_str(), resource.name(), decision).await)
            }
        }
    }

    /// Lets a stopped shop be read again.
    pub(super) async fn resume(&self, shop: &ShopId) -> anyhow::Result<()> {
        match self {
            Source::Service(service) => service.post(&format!("shops/{shop}/resume")).await.map(drop),
            Source::Store { store, .. } => {
                let mut record = store.shop(shop).await?;
                record.stopped = None;
                store.commit(Commit { shop: Some((shop.clone(), record)), ..Commit::default() }).await?;
                Ok(())
            }
        }
    }
}

/// How long what passes in a moment is waited for.
const MOMENT: Duration = Duration::from_secs(10);
/// How often it is tried meanwhile.
const PAUSE: Duration = Duration::from_millis(50);
/// After how long it is said what is waited for.
const SAID: Duration = Duration::from_secs(1);

/// A wait for something that passes.
struct Waiting {
    clock: Clock,
    began: Duration,
    is_said: bool,
}

impl Waiting {
    fn new() -> Waiting {
        let clock = Clock::default();
        Waiting { began: clock.mark().up, clock, is_said: false }
    }

    fn for_so_long(&self) -> Duration {
        self.clock.mark().up.saturating_sub(self.began)
    }

    fn is_over(&self) -> bool {
        self.for_so_long() >= MOMENT
    }

    async fn go_on(&mut self, why: &str) {
        if self.for_so_long() >= SAID && !std::mem::replace(&mut self.is_said, true) {
            out::note(&format!("waiting: {why}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Takes what another process may hold for a moment. Where it holds it for good there is no waiting.
pub(super) fn patiently<T>(
    clock: &Clock,
    is_for_good: impl Fn() -> bool,
    take: impl Fn() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let began = clock.mark().up;
    loop {
        match take() {
            Err(StoreError::Locked { .. }) if !is_for_good() && clock.mark().up.saturating_sub(began) < MOMENT => {
                std::thread::park_timeout(PAUSE);
            }
            taken => return taken,
        }
    }
}

/// Whether the data directory is another user's.
fn is_closed(data_dir: &Path) -> bool {
    std::fs::read_dir(data_dir).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Whether a service has this data directory, which it has for good.
pub(super) fn served(data_dir: &Path) -> bool {
    let address = SocketAddress::in_dir(data_dir);
    address.and_then(|address| UnixStream::connect(address.path())).is_ok()
}

pub(super) fn answered<T>(answer: Result<T, Refusal>) -> anyhow::Result<T> {
    answer.map_err(anyhow::Error::from)
}

/// A listing in one piece.
async fn whole(mut pieces: Pieces) -> anyhow::Result<String> {
    let mut answer = String::new();
    while let Some(piece) = pieces.next().await {
        answer.push_str(&answered(piece)?);
    }
    Ok(answer)
}

fn pairs<T: serde::Serialize>(query: &T) -> anyhow::Result<Vec<(String, String)>> {
    let serde_json::Value::Object(members) = serde_json::to_value(query)? else { return Ok(Vec::new()) };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}
