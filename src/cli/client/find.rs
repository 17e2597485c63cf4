//! Who answers a command: the running service, or this process with the store that it opens.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use super::Client;
use crate::cli::{env, open_address, out};
use crate::config::{Config, ShopConfig};
use crate::edge::store::{Store, StoreError};
use crate::server::{InProcess, SocketAddress};
use crate::service::alone::Alone;
use crate::service::app::App;
use crate::service::callers::Callers;
use crate::service::clock::Clock;
use crate::service::patience::{MOMENT, PAUSE};

/// After how long it is said what is waited for.
const SAID: Duration = Duration::from_secs(1);

/// Why neither the store nor the service can be asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Unasked {
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

/// Who has the data.
enum Found {
    Service(Client),
    Store(Store),
}

impl Client {
    /// Finds who can be asked. What another process does for a moment is waited for: a command with the store, or a
    /// service that starts or ends.
    pub(in crate::cli) async fn find(config: &Arc<Config>) -> anyhow::Result<Client> {
        match find(config).await? {
            Found::Service(client) => Ok(client),
            Found::Store(store) => {
                let app = App::without_loops(Arc::clone(config), store, Clock::default());
                Ok(Client::here(InProcess::of_app(app)))
            }
        }
    }

    /// Finds who makes calls of the API: the running service, or this process where none runs.
    ///
    /// Never both: whoever finds the service asks it, and whoever does not takes the shop's place in the quota, which no
    /// service that starts meanwhile can take too.
    pub(in crate::cli) async fn for_calls(config: &Arc<Config>, shop: &ShopConfig) -> anyhow::Result<Client> {
        let store = match find(config).await {
            Ok(Found::Service(client)) => return Ok(client),
            Ok(Found::Store(store)) => Some(store),
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(StoreError::Absent(_)) => None,
                _ => return Err(error),
            },
        };
        let alone = Alone::open(config, shop, &env, store, served).await?;
        Ok(Client::here(InProcess::of_callers(Callers::Alone(Arc::new(alone)))))
    }
}

async fn find(config: &Config) -> anyhow::Result<Found> {
    let mut waiting = Waiting::new();
    loop {
        let (found, locked) = match Store::open_existing(&config.data_dir) {
            Ok(store) => return Ok(Found::Store(store)),
            Err(error @ StoreError::Locked { .. }) => (Client::of_service(&config.data_dir), error),
            // Of one's own directory the error says which file is another user's.
            Err(StoreError::Directory { source, .. })
                if source.kind() == ErrorKind::PermissionDenied && is_closed(&config.data_dir) =>
            {
                bail!(Unasked::Closed(config.data_dir.clone()))
            }
            // A service whose store was deleted still answers at its socket.
            Err(error @ StoreError::Absent(_)) if served(&config.data_dir) => {
                (Client::of_service(&config.data_dir), error)
            }
            Err(error @ StoreError::Absent(_)) => match open_address::problems(config).await {
                Ok(_) => bail!(Unasked::Elsewhere(config.data_dir.clone())),
                Err(_) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
        let service = found?;
        let why = match service.doing().await {
            Ok(None) => return Ok(Found::Service(service)),
            Ok(Some(why)) if waiting.is_over() => bail!("{why}; ask again in a while"),
            Err(_) if waiting.is_over() => return Err(locked.into()),
            Ok(Some(why)) => why,
            Err(_) => locked.to_string(),
        };
        waiting.go_on(&why).await;
    }
}

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

/// Whether the data directory is another user's.
fn is_closed(data_dir: &Path) -> bool {
    std::fs::read_dir(data_dir).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Whether a service has this data directory, which it has for good.
pub(in crate::cli) fn served(data_dir: &Path) -> bool {
    let address = SocketAddress::in_dir(data_dir);
    address.and_then(|address| UnixStream::connect(address.path())).is_ok()
}
