//! A shop's key that was refused: nothing is read any more until it changes or a person has it tried again.

use super::shared::Shared;
use crate::config::ShopConfig;
use crate::domain::event::Scribe;
use crate::domain::model::{KeyHash, ShopId};
use crate::edge::store::{Commit, ShopRecord, Stopped, StoreError};

/// Writes down that the API has refused the key, with the event and its messages, in one step. While the service runs,
/// only with the shop's record held.
pub(super) async fn refused(
    shared: &Shared,
    shop: &ShopConfig,
    key_hash: &KeyHash,
    status: u16,
) -> Result<(), StoreError> {
    let now = shared.clock.now();
    let mut record = shared.store.shop(&shop.id).await?;
    record.key_refusals += 1;
    record.stopped = Some(Stopped { at: now, status, key_hash: key_hash.clone() });
    let factory = Scribe::new(shop.id.clone(), shop.name.as_str(), shared.store.epoch().clone(), now);
    let event = factory.key_rejected(record.key_refusals, status);
    shared.publish(vec![event], of_shop(&shop.id, record)).await
}

/// Writes down that the shop may be read again. While the service runs, only with the shop's record held.
pub(super) async fn tried_again(shared: &Shared, shop: &ShopId) -> Result<(), StoreError> {
    let record = ShopRecord { stopped: None, ..shared.store.shop(shop).await? };
    shared.store.commit(of_shop(shop, record)).await
}

/// What is said instead of a reading where the key was refused before.
pub(super) fn was_refused(shop: &ShopId) -> String {
    format!(
        "the key of {shop} was refused, so nothing is asked with it; ask POSPOS whether it was cancelled, then put \
         another one in, or say `posbell resume {shop}`"
    )
}

fn of_shop(shop: &ShopId, record: ShopRecord) -> Commit {
    Commit { shop: Some((shop.clone(), record)), ..Commit::default() }
}
