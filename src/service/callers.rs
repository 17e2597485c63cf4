//! Who makes a person's calls of the API: never two at once, and whoever finds the key refused stops the shop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Receiver};
use tracing::error;

use super::alone::Alone;
use super::fetch::{LINES_AHEAD, Reader, asked, run};
use super::key;
use super::shop::Shop;
use crate::api::{FetchLine, FetchQuery, Refusal};
use crate::domain::model::ShopId;
use crate::edge::pospos::ReadError;

/// How long a reading waits for the one before it.
const TURN: Duration = Duration::from_secs(5);

/// Who makes a person's calls of the API: the running shops, or a command that has taken a shop's place in its quota.
pub enum Callers {
    /// The shops of the running service.
    Running(Vec<Arc<Shop>>),
    /// A command, for one shop.
    Alone(Arc<Alone>),
}

/// Who makes the calls of one shop.
enum Caller {
    Running(Arc<Shop>),
    Alone(Arc<Alone>),
}

impl Callers {
    /// Begins a reading, and returns its lines as they come. Where the receiver is dropped, no further call is made.
    ///
    /// The reading is a task of its own: a key that is refused stops the shop also where nobody listens any more.
    pub async fn start(&self, shop: &str, query: &FetchQuery) -> Result<Receiver<FetchLine>, Refusal> {
        let missing = || Refusal::NotFound(format!("there is no shop `{shop}`"));
        let caller = self.of(shop).ok_or_else(missing)?;
        let asked = asked(query).map_err(Refusal::Wrong)?;
        if caller.is_stopped() {
            return Err(Refusal::Failed(key::was_refused(caller.shop())));
        }
        // The one before may be about to end.
        let alone = tokio::time::timeout(TURN, caller.by_hand().lock_owned()).await.map_err(|_| {
            Refusal::Failed(format!("another reading by hand of {shop} is under way; wait until it has ended"))
        })?;
        let (lines, received) = mpsc::channel(LINES_AHEAD);
        #[expect(clippy::disallowed_methods, reason = "it must outlive the listener, and ends by itself soon after")]
        tokio::spawn(async move {
            let _alone = alone;
            let Err(ReadError::KeyRefused { status }) = run(&asked, caller.reader(), &lines).await else { return };
            if let Err(error) = caller.refused(status).await {
                let id = caller.shop();
                error!(shop.id = %id, "that the key of {id} was refused could not be written down: {error:#}");
            }
        });
        Ok(received)
    }

    fn of(&self, shop: &str) -> Option<Caller> {
        match self {
            Callers::Running(shops) => {
                shops.iter().find(|known| known.id().as_str() == shop).cloned().map(Caller::Running)
            }
            Callers::Alone(alone) => (alone.shop.id.as_str() == shop).then(|| Caller::Alone(Arc::clone(alone))),
        }
    }
}

impl Caller {
    fn shop(&self) -> &ShopId {
        match self {
            Caller::Running(shop) => shop.id(),
            Caller::Alone(alone) => &alone.shop.id,
        }
    }

    fn reader(&self) -> Reader<'_> {
        match self {
            Caller::Running(shop) => Reader { pospos: &shop.pospos, shop: &shop.config, clock: &shop.shared.clock },
            Caller::Alone(alone) => Reader { pospos: &alone.pospos, shop: &alone.shop, clock: &alone.clock },
        }
    }

    fn by_hand(&self) -> Arc<Mutex<()>> {
        Arc::clone(match self {
            Caller::Running(shop) => &shop.by_hand,
            Caller::Alone(alone) => &alone.by_hand,
        })
    }

    fn is_stopped(&self) -> bool {
        match self {
            Caller::Running(shop) => shop.is_stopped(),
            // It has looked when it took the shop's place.
            Caller::Alone(_) => false,
        }
    }

    async fn refused(&self, status: u16) -> anyhow::Result<()> {
        match self {
            Caller::Running(shop) => Ok(shop.stop(status).await?),
            Caller::Alone(alone) => alone.refused(status).await,
        }
    }
}
