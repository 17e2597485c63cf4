//! Rows of long lists: how a pass over a hundred thousand products knows what changed without reading them all.
//!
//! Such a row is stored behind a head of 14 bytes: a mark, flags with its level, the fingerprint of the API's text that
//! it was read from, and a hash of the code that people know it by. Rows are packed to about the size of their heads'
//! keys, so a pass walks over all of them, looks at the heads, and unpacks only those whose text has changed. Stores of
//! an older form are brought to this one when they are opened (`upgrade`).

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::engine::Span;
use super::head::Head;
use super::heads::Heads;
use super::{Store, StoreError, keys, packed, record};
use crate::domain::event::Level;
use crate::domain::model::{EntityId, Fingerprint, Resource, ShopId};

/// The first byte of a row with a head. JSON never begins so.
pub(super) const MARK: u8 = 0x04;
/// Mark, flags, fingerprint and tag.
const HEAD: usize = 14;
/// The row must be looked at in the next pass even if its text is the same.
const UNSETTLED: u8 = 1;
/// The shop has it no more; only its counters are kept.
const GONE: u8 = 2;
/// Nothing is known of the text that it was read from.
const UNPRINTED: u8 = 4;
/// How far left its level stands in the flags.
const LEVEL: u8 = 3;
/// Every level, in the order of the two bits.
const LEVELS: [Level; 4] = [Level::Ok, Level::Low, Level::Critical, Level::Out];

/// A row as it is stored under a key that ends with this id: packed, behind its head where it has one.
pub(super) fn packed(row: &[u8], own: &str) -> Vec<u8> {
    let (head, json) = row.split_at(if row.first() == Some(&MARK) { HEAD.min(row.len()) } else { 0 });
    packed::pack_behind(head, json, own)
}

/// The row's JSON behind its head.
pub(super) fn behind(head: Head, json: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + json.len());
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let level = (head.level as u8) << LEVEL;
    let unprinted = flag(head.fingerprint.is_none(), UNPRINTED);
    bytes.extend_from_slice(&[MARK, flag(head.unsettled, UNSETTLED) | flag(head.gone, GONE) | unprinted | level]);
    bytes.extend_from_slice(&head.fingerprint.map(Fingerprint::to_bytes).unwrap_or_default());
    bytes.extend_from_slice(&head.tag.to_be_bytes());
    bytes.extend_from_slice(json);
    bytes
}

/// The head of a stored row, and the row itself.
pub(super) fn split(bytes: &[u8]) -> (Head, &[u8]) {
    match bytes.split_first_chunk::<HEAD>() {
        Some((head @ [MARK, flags, ..], json)) => {
            let (fingerprint, tag) = (head[2..10].as_array(), head[10..].as_array());
            let fingerprint = fingerprint.filter(|_| flags & UNPRINTED == 0);
            let head = Head {
                fingerprint: fingerprint.map(|bytes| Fingerprint::from_bytes(*bytes)),
                unsettled: flags & UNSETTLED != 0,
                gone: flags & GONE != 0,
                level: LEVELS[usize::from(flags >> LEVEL & 3)],
                tag: tag.map_or(0, |bytes| u32::from_be_bytes(*bytes)),
            };
            (head, json)
        }
        // A row of a short list, which has none.
        _ => (Head { unsettled: true, ..Head::default() }, bytes),
    }
}

impl Store {
    /// A row of a long list as a commit takes it.
    pub fn listed_row<R: Serialize>(row: &R, head: Head) -> Result<Vec<u8>, StoreError> {
        Ok(behind(head, &record::json(row)?))
    }

    /// The heads of every stored row; `None` before the first accepted pass.
    pub async fn heads(&self, shop: &ShopId, resource: Resource) -> Result<Option<Heads>, StoreError> {
        if self.resource(shop, resource).await?.is_none() {
            return Ok(None);
        }
        let prefix = keys::rows(shop, resource);
        self.reading(move |engine| {
            let mut heads = Heads::default();
            let mut id = String::new();
            for entry in engine.scan(Span::prefix(&prefix)) {
                let (key, value) = entry?;
                id.clear();
                keys::put_entity(&mut id, &key, &prefix)?;
                heads.push(&id, split(&value).0);
            }
            heads.close();
            Ok(Some(heads))
        })
        .await
    }

    /// The ids of the rows whose head is such.
    pub async fn with_head(
        &self,
        shop: &ShopId,
        resource: Resource,
        is_such: impl Fn(Head) -> bool + Send + 'static,
    ) -> Result<Vec<EntityId>, StoreError> {
        let prefix = keys::rows(shop, resource);
        self.reading(move |engine| {
            let mut found = Vec::new();
            for entry in engine.scan(Span::prefix(&prefix)) {
                let (key, value) = entry?;
                if is_such(split(&value).0) {
                    found.push(keys::entity_of(&key, &prefix)?);
                }
            }
            Ok(found)
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
        self.reading(move |engine| {
            let mut rows = BTreeMap::new();
            for id in ids {
                if let Some(value) = engine.get(&keys::row(&shop, resource, &id))? {
                    let (head, row) = split(&value);
                    let row = record::read_of(row, id.as_str())?;
                    rows.insert(id, (head, row));
                }
            }
            Ok(rows)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_its_head() {
        for fingerprint in [Some(Fingerprint::new(7)), Some(Fingerprint::new(0)), None] {
            for level in LEVELS {
                for (unsettled, gone) in [(false, true), (true, false)] {
                    let head = Head { fingerprint, unsettled, gone, level, tag: Head::tag("PK64000158") };
                    let bytes = packed(&behind(head, b"[1,2]"), "an id");
                    assert_eq!(split(&bytes), (head, &b"[1,2]"[..]));
                }
            }
        }
    }

    #[test]
    fn what_has_no_head_is_compared_anew() {
        let none = Head { unsettled: true, ..Head::default() };
        for bytes in [&br#"{"sale":{"number":"a number of a sale"}}"#[..], b"", &[MARK, 0, 1]] {
            assert_eq!(split(bytes), (none, bytes));
        }
    }
}
