//! A sale refreshes the stock of what it sold, so that a shortage is told seconds after the sale that caused it.
//!
//! The loop takes the codes that a pass over the sales has left, finds the products, and reads each of them alone. It
//! is no pass: it proves no removal and stands for no opinion of a pass. An older reading never overwrites a newer one:
//! each carries when its request left, and whoever commits holds the shop's gate. Where a whole reading of the list
//! costs no more calls, that is asked for instead. A quantity that has not moved yet is read once more a little later,
//! because the till's sale may be listed before its stock is booked.
//!
//! The queue is memory only. Killed between the sale and the refresh, the next pass over the stock finds the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;

use super::lists::head_of_product;
use super::piece::Pieces;
use crate::domain::diff::Change;
use crate::domain::diff::product::{self, ProductRow};
use crate::domain::model::{EntityId, Quantity, Resource, StockRow};
use crate::edge::pospos::quota::{Monotonic, Urgency};
use crate::edge::pospos::{Fresh, ReadError};
use crate::edge::store::{Commit, Head, StoreError};
use crate::service::shop::Shop;
use crate::service::shutdown::Shutdown;

/// How many codes wait at most. More than that is not a sale but an import, and the next pass finds it.
const WAITING: usize = 200;

/// After how long an unchanged quantity is read once more.
const AGAIN: Duration = Duration::from_secs(5);

/// The longest wait without looking.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What waits to be refreshed, and what was read when.
#[derive(Debug, Default)]
pub struct Refreshes {
    codes: Mutex<BTreeSet<String>>,
    wake: Notify,
    seen: Mutex<Seen>,
}

/// When the requests left whose answers have been committed since the present sweep began.
#[derive(Debug, Default)]
struct Seen {
    refreshed: HashMap<EntityId, Monotonic>,
    swept: HashMap<EntityId, Monotonic>,
}

impl Refreshes {
    /// Leaves these codes to the loop.
    pub(super) fn push(&self, codes: BTreeSet<String>) {
        if codes.is_empty() {
            return;
        }
        let mut waiting = lock(&self.codes);
        let room = WAITING.saturating_sub(waiting.len());
        waiting.extend(codes.into_iter().take(room));
        drop(waiting);
        self.wake.notify_one();
    }

    /// A sweep begins: whatever was committed before was asked for before.
    pub(super) fn sweep_begins(&self) {
        *lock(&self.seen) = Seen::default();
    }

    /// Notes a row of a sweep, or says that a refresh was asked for later.
    pub(super) fn sweep(&self, id: &EntityId, sent: Monotonic) -> bool {
        let mut seen = lock(&self.seen);
        let is_newest = seen.refreshed.get(id).is_none_or(|refreshed| *refreshed <= sent);
        if is_newest {
            seen.swept.insert(id.clone(), sent);
        }
        is_newest
    }

    /// Notes a refreshed row, or says that a sweep has asked later.
    fn refresh(&self, id: &EntityId, sent: Monotonic) -> bool {
        let mut seen = lock(&self.seen);
        let is_newest = seen.swept.get(id).is_none_or(|swept| *swept <= sent)
            && seen.refreshed.get(id).is_none_or(|refreshed| *refreshed <= sent);
        if is_newest {
            seen.refreshed.insert(id.clone(), sent);
        }
        is_newest
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut lock(&self.codes))
    }
}

/// A product whose quantity had not moved when it was looked at.
struct Unmoved {
    id: EntityId,
    quantity: Option<Quantity>,
    due: Monotonic,
}

/// Refreshes what sales have moved until the end is asked for. Only a failing store ends it earlier.
pub async fn run(shop: Arc<Shop>, shutdown: Shutdown) -> Result<(), StoreError> {
    let mut unmoved: Vec<Unmoved> = Vec::new();
    while shutdown.unless_asked(shop.may_read()).await.is_some() {
        let woken = shop.refreshes.wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let codes = shop.refreshes.take();
        let now = shop.pospos.now();
        let (due, later) = std::mem::take(&mut unmoved).into_iter().partition(|one: &Unmoved| one.due <= now);
        unmoved = later;
        if codes.is_empty() && due.is_empty() {
            let pause = unmoved.iter().map(|one| now.until(one.due)).min().unwrap_or(LOOK_AGAIN);
            tokio::select! {
                () = shutdown.asked() => break,
                () = &mut woken => {}
                () = tokio::time::sleep(pause.max(Duration::from_millis(1))) => {}
            }
            continue;
        }
        let turn = async {
            let again = sold(&shop, codes).await?;
            once_more(&shop, due).await?;
            Ok::<_, RefreshError>(again)
        };
        match shutdown.unless_asked(Box::pin(turn)).await {
            None => break,
            Some(Ok(again)) => unmoved.extend(again),
            Some(Err(RefreshError::Store(error))) => return Err(error),
            Some(Err(RefreshError::Read(ReadError::KeyRefused { status }))) => shop.stop(status).await?,
            Some(Err(RefreshError::Read(error))) => {
                warn!(shop.id = %shop.id(), "the stock of what {} has sold could not be read at once: {error}; the next \
                    pass over the stock finds it", shop.id());
            }
        }
    }
    Ok(())
}

#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refreshes the products of these codes; what has not moved yet comes back, to be read once more.
async fn sold(shop: &Shop, codes: BTreeSet<String>) -> Result<Vec<Unmoved>, RefreshError> {
    // Before the first pass there is nothing to compare with, and while one is held nothing the API says is believed.
    let store = &shop.shared.store;
    let record = store.resource(shop.id(), Resource::Stock).await?;
    let Some(record) = record.filter(|_| !codes.is_empty()) else { return Ok(Vec::new()) };
    if store.held(shop.id(), Resource::Stock).await?.is_some() {
        return Ok(Vec::new());
    }
    let known = products_of(shop, codes.clone()).await?;
    let found: BTreeSet<&String> = known.iter().map(|(code, ..)| code).collect();
    let unknown: Vec<&String> = codes.iter().filter(|code| !found.contains(code)).collect();
    let calls = (known.len() + unknown.len()).min(record.calls.max(1) as usize);
    if !shop.has_room(calls) {
        // Calls are scarce: what is planned comes first, and finds the same.
        return Ok(Vec::new());
    }
    if known.len() + unknown.len() >= record.calls.max(1) as usize {
        shop.pace.read_now(Resource::Stock);
    } else {
        for code in unknown {
            for fresh in shop.pospos.products_by_term(code, Urgency::Refresh).await? {
                if fresh.item.product.code.as_ref() == Some(code) {
                    commit(shop, fresh).await?;
                }
            }
        }
        for (_, id, _) in &known {
            if let Some(fresh) = shop.pospos.product(id, Urgency::Refresh).await? {
                commit(shop, fresh).await?;
            }
        }
    }
    let due = shop.pospos.now().plus(AGAIN);
    Ok(known.into_iter().map(|(_, id, quantity)| Unmoved { id, quantity, due }).collect())
}

/// Reads once more what has not moved since.
async fn once_more(shop: &Shop, due: Vec<Unmoved>) -> Result<(), RefreshError> {
    let ids = due.iter().map(|one| one.id.clone()).collect();
    let known: BTreeMap<EntityId, (Head, ProductRow)> = shop.shared.store.rows(shop.id(), Resource::Stock, ids).await?;
    let still = |one: &Unmoved| known.get(&one.id).is_some_and(|(_, row)| row.product.quantity == one.quantity);
    for one in due.into_iter().filter(still) {
        if let Some(fresh) = shop.pospos.product(&one.id, Urgency::Refresh).await? {
            commit(shop, fresh).await?;
        }
    }
    Ok(())
}

/// The known products of these codes: several may share one.
async fn products_of(
    shop: &Shop,
    codes: BTreeSet<String>,
) -> Result<Vec<(String, EntityId, Option<Quantity>)>, StoreError> {
    let pick = move |row: ProductRow| {
        let code = row.product.code.filter(|code| !row.removed && codes.contains(code))?;
        Some((code, row.product.id, row.product.quantity))
    };
    shop.shared.store.search(shop.id(), Resource::Stock, pick).await
}

/// Compares one product with what is known of it now, and commits what follows.
async fn commit(shop: &Shop, fresh: Fresh<StockRow>) -> Result<(), StoreError> {
    let _gate = shop.gate.lock().await;
    if fresh.item.deleted || !shop.refreshes.refresh(&fresh.id, fresh.sent) {
        return Ok(());
    }
    let known = shop.shared.store.rows::<ProductRow>(shop.id(), Resource::Stock, vec![fresh.id.clone()]).await?;
    // A product that no pass has seen is the next pass's news.
    let Some((_, prev)) = known.get(&fresh.id).filter(|(head, _)| !head.gone) else { return Ok(()) };
    let now = shop.shared.clock.now();
    let limits = |row: &StockRow| shop.limits_of(row);
    let Some(change) = product::refresh_one(prev, fresh.item, limits, &shop.scribe(now)) else { return Ok(()) };
    let Change { row: Some(row), .. } = &change else { return Ok(()) };
    // Another call's text of the same row may be written otherwise; the pass compares it once and then knows it.
    let head = head_of_product(row, Some(fresh.fingerprint));
    let mut pieces = Pieces::new(shop, Resource::Stock, now);
    pieces.add_listed(change, head).await?;
    pieces.finish(Commit::default()).await
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Every change under these locks is one call.
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
