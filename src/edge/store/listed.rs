//! Rows of long lists: how a pass over a hundred thousand products knows what changed without reading them all.
//!
//! Such a row is stored behind a head of eighteen bytes: a mark, flags, and the fingerprint of the API's text that it
//! was read from, and the head stands a second time under a key of its own, in the same batch: so a pass reads two
//! megabytes of heads and not fifty of rows, and of the rows only those whose text has changed. A row that was stored by
//! an older version has no head; it counts as changed once and gets one.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::heads::Heads;
use super::record;
use super::{Store, StoreError, keys};
use crate::domain::model::{EntityId, Fingerprint, Resource, ShopId};

/// The first byte of a row with a head. JSON never begins so.
const MARK: u8 = 0x02;
/// Mark, flags and fingerprint.
const HEAD: usize = 18;
/// The row must be looked at in the next pass even if its text is the same.
const UNSETTLED: u8 = 1;
/// The shop has it no more; only its counters are kept.
const GONE: u8 = 2;

/// What a pass must know of a stored row before it reads the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Of the text that it was read from; `None` for a row of an older version.
    pub fingerprint: Option<Fingerprint>,
    /// It must be compared even if its text is the same: something waits for another pass to agree.
    pub unsettled: bool,
    /// It is kept for its counters alone.
    pub gone: bool,
}

/// A row with its head, as it is stored.
pub(super) fn write<R: Serialize>(row: &R, head: Head) -> Result<Vec<u8>, StoreError> {
    let json = record::write(row)?;
    let Some(fingerprint) = head.fingerprint else { return Ok(json) };
    let mut bytes = Vec::with_capacity(HEAD + json.len());
    let flags = if head.unsettled { UNSETTLED } else { 0 } | if head.gone { GONE } else { 0 };
    bytes.extend_from_slice(&[MARK, flags]);
    bytes.extend_from_slice(&fingerprint.to_bytes());
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

/// The head of a stored row, and the row itself as JSON.
pub(super) fn split(bytes: &[u8]) -> (Head, &[u8]) {
    match bytes.split_first_chunk::<HEAD>() {
        Some(([MARK, flags, fingerprint @ ..], json)) => {
            let fingerprint = Some(Fingerprint::from_bytes(*fingerprint));
            (Head { fingerprint, unsettled: flags & UNSETTLED != 0, gone: flags & GONE != 0 }, json)
        }
        _ => (Head { fingerprint: None, unsettled: true, gone: false }, bytes),
    }
}

/// The head of a stored row's bytes, where it has one.
pub(super) fn head_of(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..HEAD).filter(|head| head.first() == Some(&MARK))
}

impl Store {
    /// A row of a long list as it is stored.
    pub fn listed_row<R: Serialize>(row: &R, head: Head) -> Result<Vec<u8>, StoreError> {
        write(row, head)
    }

    /// The heads of every stored row; `None` before the first accepted pass.
    pub async fn heads(&self, shop: &ShopId, resource: Resource) -> Result<Option<Heads>, StoreError> {
        let Some(record) = self.resource(shop, resource).await? else { return Ok(None) };
        // Before every row has a head of its own, the rows are asked.
        let prefix = if record.heads { keys::heads(shop, resource) } else { keys::rows(shop, resource) };
        self.reading(move |tree| {
            let mut heads = Heads::default();
            for entry in tree.scan_prefix(&prefix) {
                let (key, value) = entry?;
                heads.push(keys::entity_of(&key, &prefix)?.as_str(), split(&value).0);
            }
            heads.close();
            Ok(Some(heads))
        })
        .await
    }

    /// The stored rows of these ids, as far as there are any.
    pub async fn rows<R>(
        &self,
        shop: &ShopId,
        resource: Resource,
        ids: Vec<EntityId>,
    ) -> Result<BTreeMap<EntityId, (Head, R)>, StoreError>
    where
        R: DeserializeOwned + Send + 'static,
    {
        let shop = shop.clone();
        self.reading(move |tree| {
            let mut rows = BTreeMap::new();
            for id in ids {
                if let Some(value) = tree.get(keys::row(&shop, resource, &id))? {
                    let (head, json) = split(&value);
                    rows.insert(id, (head, record::read(json)?));
                }
            }
            Ok(rows)
        })
        .await
    }

    /// What `pick` finds in the stored rows, one after another; nothing but its finds is kept.
    pub async fn search<R, T>(
        &self,
        shop: &ShopId,
        resource: Resource,
        mut pick: impl FnMut(R) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, StoreError>
    where
        R: DeserializeOwned + Send + 'static,
        T: Send + 'static,
    {
        let prefix = keys::rows(shop, resource);
        self.reading(move |tree| {
            let mut found = Vec::new();
            for entry in tree.scan_prefix(&prefix) {
                let (_, value) = entry?;
                found.extend(pick(record::read(split(&value).1)?));
            }
            Ok(found)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_head_and_an_older_one_counts_as_changed() {
        let head = Head { fingerprint: Some(Fingerprint::new(7)), unsettled: false, gone: true };
        let bytes = write(&vec![1, 2], head).unwrap();
        assert_eq!(split(&bytes), (head, &b"[1,2]"[..]));
        let old = Head { fingerprint: None, unsettled: true, gone: false };
        assert_eq!(split(br#"{"product":{"name":"a name"}}"#), (old, &br#"{"product":{"name":"a name"}}"#[..]));
        assert_eq!(split(b""), (old, &b""[..]));
        assert_eq!(split(&[MARK, 0, 1]), (old, &[MARK, 0, 1][..]));
    }
}
