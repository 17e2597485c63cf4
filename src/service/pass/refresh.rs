//! A sale refreshes the stock of what it sold, so that a shortage is told seconds after the sale that caused it.
//!
//! The loop takes the codes that a pass over the sales has left, finds the products, and reads each of them alone. It
//! is no pass: it proves no removal and stands for no opinion of a pass. An older reading never overwrites a newer one:
//! each carries when its request left, and whoever commits holds the shop's gate. Where a whole reading of the list
//! costs no more calls, that is asked for instead. A quantity that has not moved yet is read once more a little later,
//! because the till's sale may be listed before its stock is booked. What one look finds is told together.
//!
//! The queue is memory only. Killed between the sale and the refresh, the next pass over the stock finds the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::lists::head_of_product;
use super::piece::Pieces;
use crate::domain::diff::Change;
use crate::domain::diff::product::{self, ProductRow};
use crate::domain::model::{EntityId, Quantity, Resource, StockRow};
use crate::edge::pospos::quota::{Monotonic, Urgency};
use crate::edge::pospos::{Fresh, ReadError};
use crate::edge::store::{Commit, Head, ResourceRecord, StoreError};
use crate::service::shop::Shop;
use crate::service::shutdown::Shutdown;

/// After how long an unchanged quantity is read once more.
const AGAIN: Duration = Duration::from_secs(5);

/// The longest wait without looking.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

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
    let record = comparable(shop).await?.filter(|_| !codes.is_empty());
    let Some(record) = record else { return Ok(Vec::new()) };
    let known = products_of(shop, &codes).await?;
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
        let _on_the_way = shop.refreshes.leave();
        let mut read = Found::new();
        let ended = find(shop, &unknown, known.iter().map(|(_, id, _)| id), &mut read).await;
        commit(shop, read).await?;
        ended?;
    }
    let due = shop.pospos.now().plus(AGAIN);
    // Where the API gives no quantity, there is none to wait for.
    let counted = known.into_iter().filter(|(.., quantity)| quantity.is_some());
    Ok(counted.map(|(_, id, quantity)| Unmoved { id, quantity, due }).collect())
}

/// What is known of the stock, if a refresh can be compared with it: not before the first pass, not while one is held
/// and nothing the API says is believed, and not while the rows still stand as other fields have read them.
async fn comparable(shop: &Shop) -> Result<Option<ResourceRecord>, StoreError> {
    let store = &shop.shared.store;
    if store.held(shop.id(), Resource::Stock).await?.is_some() {
        return Ok(None);
    }
    let record = store.resource(shop.id(), Resource::Stock).await?;
    Ok(record.filter(|record| record.fields == shop.fields_of(Resource::Stock)))
}

/// Reads once more what has not moved since.
async fn once_more(shop: &Shop, due: Vec<Unmoved>) -> Result<(), RefreshError> {
    if due.is_empty() || !shop.has_room(due.len()) || comparable(shop).await?.is_none() {
        return Ok(());
    }
    let ids = due.iter().map(|one| one.id.clone()).collect();
    let known: BTreeMap<EntityId, (Head, ProductRow)> = shop.shared.store.rows(shop.id(), Resource::Stock, ids).await?;
    let still = |one: &Unmoved| known.get(&one.id).is_some_and(|(_, row)| row.product.quantity == one.quantity);
    let _on_the_way = shop.refreshes.leave();
    let mut read = Found::new();
    let ended = find(shop, &[], due.iter().filter(|one| still(one)).map(|one| &one.id), &mut read).await;
    commit(shop, read).await?;
    Ok(ended?)
}

/// What was read, by its id.
type Found = BTreeMap<EntityId, Fresh<StockRow>>;

/// Reads the products of these codes and these ids, one after the other. What was found until one cannot be read is there
/// all the same.
async fn find(
    shop: &Shop,
    codes: &[&String],
    ids: impl Iterator<Item = &EntityId>,
    found: &mut Found,
) -> Result<(), ReadError> {
    for code in codes {
        let listed = shop.pospos.products_by_term(code, Urgency::Refresh).await?.into_iter();
        let of_code = listed.filter(|fresh| fresh.item.product.code.as_ref() == Some(*code));
        found.extend(of_code.map(|fresh| (fresh.id.clone(), fresh)));
    }
    for id in ids {
        let fresh = shop.pospos.product(id, Urgency::Refresh).await?;
        found.extend(fresh.map(|fresh| (fresh.id.clone(), fresh)));
    }
    Ok(())
}

/// The known products of these codes: several may share one.
async fn products_of(
    shop: &Shop,
    codes: &BTreeSet<String>,
) -> Result<Vec<(String, EntityId, Option<Quantity>)>, StoreError> {
    let store = &shop.shared.store;
    let tags: BTreeSet<u32> = codes.iter().map(|code| Head::tag(code)).collect();
    let is_such = move |head: Head| !head.gone && tags.contains(&head.tag);
    let ids = store.with_head(shop.id(), Resource::Stock, is_such).await?;
    let rows = store.rows::<ProductRow>(shop.id(), Resource::Stock, ids).await?;
    let products = rows.into_values().map(|(_, row)| row.product);
    Ok(products.filter_map(|one| Some((one.code.filter(|code| codes.contains(code))?, one.id, one.quantity))).collect())
}

/// Compares products with what is known of them now, and commits what follows: as of any pass, in one message.
async fn commit(shop: &Shop, mut read: Found) -> Result<(), StoreError> {
    let _gate = shop.gate.lock().await;
    read.retain(|id, fresh| !fresh.item.deleted && shop.refreshes.refresh(id, fresh.sent));
    if read.is_empty() || comparable(shop).await?.is_none() {
        return Ok(());
    }
    let ids = read.keys().cloned().collect();
    let known = shop.shared.store.rows::<ProductRow>(shop.id(), Resource::Stock, ids).await?;
    let now = shop.shared.clock.now();
    let scribe = shop.scribe(now);
    let mut pieces = Pieces::new(shop, Resource::Stock, now);
    for (id, fresh) in read {
        // A product that no pass has seen is the next pass's news.
        let Some((_, prev)) = known.get(&id).filter(|(head, _)| !head.gone) else { continue };
        let fingerprint = Some(fresh.fingerprint);
        let Some(change) = product::refresh_one(prev, fresh.item, |row| shop.limits_of(row), &scribe) else { continue };
        let Change { row: Some(row), .. } = &change else { continue };
        // Only the quantity was taken, and no opinion of a pass counted: the next pass compares the row whatever its text.
        let head = Head { unsettled: true, ..head_of_product(row, fingerprint) };
        pieces.add_listed(change, head).await?;
    }
    pieces.finish(Commit::default()).await
}
