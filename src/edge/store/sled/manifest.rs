//! How much must be there: of each table of each shop how many entries, how many bytes, and a sum of hashes.
//!
//! It changes in the batch that changes the entries, so the two agree whenever the store is whole: after a kill at any
//! moment too. The sum does not depend on the order, so one entry that changes costs two hashes.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::edge::store::engine::{Fence, Holding};
use crate::edge::store::{StoreError, keys};

/// The keys of the records: this and the shop, or nothing where entries are of no shop.
const RECORDS: &[u8] = b"\xfem/";
/// How long a table is in a record: its letter, two numbers and a sum.
const TABLE: usize = 1 + 8 + 8 + 16;
/// The letter of the sum of all tables of all shops, in the record of no shop. Without it a shop that is gone with its
/// record would not be missed.
const ALL: u8 = 0;

/// What an open store knows of what is written.
pub(super) struct Written {
    pub(super) manifest: Manifest,
    pub(super) fence: Fence,
}

/// What must be there, or what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    batches: u64,
    tables: BTreeMap<Table, Sum>,
}

/// A table of a shop; without a name, of none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Table {
    shop: Vec<u8>,
    letter: u8,
}

impl Table {
    fn of(key: &[u8]) -> Table {
        let (shop, letter) = keys::table_of(key);
        Table { shop: shop.to_vec(), letter }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    entries: u64,
    bytes: u64,
    hash: u128,
}

impl Sum {
    fn of(key: &[u8], value: &[u8]) -> Sum {
        let mut whole = Vec::with_capacity(8 + key.len() + value.len());
        whole.extend_from_slice(&(key.len() as u64).to_be_bytes());
        whole.extend_from_slice(key);
        whole.extend_from_slice(value);
        Sum { entries: 1, bytes: (key.len() + value.len()) as u64, hash: xxh3_128(&whole) }
    }

    // Around the ends: what is taken before it is put comes out right all the same.
    fn put(&mut self, more: Sum) {
        self.entries = self.entries.wrapping_add(more.entries);
        self.bytes = self.bytes.wrapping_add(more.bytes);
        self.hash = self.hash.wrapping_add(more.hash);
    }

    fn take(&mut self, less: Sum) {
        self.entries = self.entries.wrapping_sub(less.entries);
        self.bytes = self.bytes.wrapping_sub(less.bytes);
        self.hash = self.hash.wrapping_sub(less.hash);
    }
}

impl Manifest {
    /// Whether there is one.
    pub(super) fn is_in(tree: &::sled::Tree) -> Result<bool, StoreError> {
        Ok(tree.contains_key(RECORDS)?)
    }

    /// The one that is stored; an empty one in an empty store.
    pub(super) fn read(tree: &::sled::Tree) -> Result<Manifest, StoreError> {
        let damaged = || StoreError::Damaged("it cannot be read what must be in it".to_owned());
        let mut manifest = Manifest::default();
        let mut all = Sum::default();
        for entry in tree.scan_prefix(RECORDS) {
            let (key, value) = entry?;
            let shop = key.get(RECORDS.len()..).unwrap_or_default();
            let (batches, tables) = record(&key, &value).ok_or_else(damaged)?;
            manifest.batches = manifest.batches.max(batches);
            for (letter, sum) in tables {
                match (letter, shop) {
                    (ALL, []) => all = sum,
                    _ => drop(manifest.tables.insert(Table { shop: shop.to_vec(), letter }, sum)),
                }
            }
        }
        (manifest.all() == all).then_some(manifest).ok_or_else(damaged)
    }

    /// How many batches were written.
    pub(super) fn batches(&self) -> u64 {
        self.batches
    }

    /// How many entries there must be.
    pub(super) fn entries(&self) -> u64 {
        self.all().entries
    }

    /// What everybody else's entries are.
    pub(super) fn holding(&self) -> Holding {
        let mut all = self.all();
        let own = self.tables.iter().filter(|(table, _)| table.letter == super::OWN);
        own.for_each(|(_, sum)| all.take(*sum));
        Holding { entries: all.entries, bytes: all.bytes, sum: all.hash }
    }

    fn all(&self) -> Sum {
        self.tables.values().fold(Sum::default(), |mut all, sum| {
            all.put(*sum);
            all
        })
    }

    /// Counts an entry that was found.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        if !key.starts_with(RECORDS) {
            self.tables.entry(Table::of(key)).or_default().put(Sum::of(key, value));
        }
    }

    /// Fails where so many batches are said to be on the disk that this one is too old.
    pub(super) fn is_as_late_as(&self, said: Option<u64>) -> Result<(), StoreError> {
        match said.and_then(|said| said.checked_sub(self.batches)) {
            None | Some(0) => Ok(()),
            Some(_) if self.batches == 0 => Err(StoreError::Damaged("it has lost its data".to_owned())),
            Some(lost) => Err(StoreError::Damaged(format!("the last {lost} of its changes are missing"))),
        }
    }

    /// Whether what was found is what was `said` to be there; else it says of which tables it is not.
    pub(super) fn is(&self, said: &Manifest) -> Result<(), StoreError> {
        let tables: BTreeSet<&Table> = self.tables.keys().chain(said.tables.keys()).collect();
        let of = |manifest: &Manifest, table| manifest.tables.get(table).copied().unwrap_or_default();
        let mut wrong = Vec::new();
        for table in tables {
            let (found, said) = (of(self, table), of(said, table));
            if found != said {
                wrong.push(words(table, found, said));
            }
        }
        wrong.is_empty().then_some(()).ok_or_else(|| StoreError::Damaged(wrong.join("; ")))
    }

    /// Begins the change that one batch makes.
    pub(super) fn change(&mut self) -> Change<'_> {
        Change { manifest: self, put: BTreeMap::new(), taken: BTreeMap::new() }
    }

    fn record_of(&self, shop: &[u8]) -> Vec<u8> {
        let mut text = self.batches.to_be_bytes().to_vec();
        let from = Table { shop: shop.to_vec(), letter: 0 };
        let own = self.tables.range(from..).take_while(|(table, _)| table.shop == shop);
        let own = own.map(|(table, sum)| (table.letter, *sum));
        let all = shop.is_empty().then(|| (ALL, self.all()));
        for (letter, sum) in own.chain(all) {
            text.push(letter);
            text.extend_from_slice(&sum.entries.to_be_bytes());
            text.extend_from_slice(&sum.bytes.to_be_bytes());
            text.extend_from_slice(&sum.hash.to_be_bytes());
        }
        let sum = xxh3_64(&text);
        text.extend_from_slice(&sum.to_be_bytes());
        text
    }
}

/// The number of batches and the tables in a record.
fn record(key: &[u8], text: &[u8]) -> Option<(u64, Vec<(u8, Sum)>)> {
    let (text, hash) = text.split_last_chunk::<8>()?;
    if key.len() < RECORDS.len() || xxh3_64(text).to_be_bytes() != *hash {
        return None;
    }
    let (batches, tables) = text.split_first_chunk::<8>()?;
    let table = |bytes: &[u8]| {
        let (letter, rest) = bytes.split_first()?;
        let (entries, rest) = rest.split_first_chunk()?;
        let (bytes, hash) = rest.split_first_chunk()?;
        let (entries, bytes) = (u64::from_be_bytes(*entries), u64::from_be_bytes(*bytes));
        Some((*letter, Sum { entries, bytes, hash: u128::from_be_bytes(*hash.as_array()?) }))
    };
    let tables: Option<Vec<_>> = tables.chunks(TABLE).map(table).collect();
    Some((u64::from_be_bytes(*batches), tables?))
}

fn words(table: &Table, found: Sum, said: Sum) -> String {
    let name = keys::table_name(table.letter);
    let shop = String::from_utf8_lossy(&table.shop);
    let of = if shop.is_empty() { String::new() } else { format!(" of shop {shop}") };
    match found.entries == said.entries {
        true => format!("not all {name}{of} are as they were written"),
        false => format!("of {} {name}{of} that were written, {} are there", said.entries, found.entries),
    }
}

/// What one batch changes.
pub(super) struct Change<'m> {
    manifest: &'m mut Manifest,
    put: BTreeMap<Table, Sum>,
    taken: BTreeMap<Table, Sum>,
}

impl Change<'_> {
    /// Writes an entry as it stands in the tree, and returns what stood there.
    pub(super) fn put(
        &mut self,
        tree: &::sled::Tree,
        writes: &mut ::sled::Batch,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<::sled::IVec>, StoreError> {
        let before = self.take(tree, key)?;
        self.put.entry(Table::of(key)).or_default().put(Sum::of(key, value));
        writes.insert(key, value);
        Ok(before)
    }

    /// Removes an entry, and returns what stood there.
    pub(super) fn remove(
        &mut self,
        tree: &::sled::Tree,
        writes: &mut ::sled::Batch,
        key: &[u8],
    ) -> Result<Option<::sled::IVec>, StoreError> {
        let before = self.take(tree, key)?;
        writes.remove(key);
        Ok(before)
    }

    fn take(&mut self, tree: &::sled::Tree, key: &[u8]) -> Result<Option<::sled::IVec>, StoreError> {
        let before = tree.get(key)?;
        if let Some(before) = &before {
            self.taken.entry(Table::of(key)).or_default().put(Sum::of(key, before));
        }
        Ok(before)
    }

    /// Ends the batch with the records that it changes.
    pub(super) fn close(self, writes: &mut ::sled::Batch) {
        let Change { manifest, put, taken } = self;
        manifest.batches += 1;
        let mut shops = BTreeSet::from([Vec::new()]);
        for (table, sum) in put {
            shops.insert(table.shop.clone());
            manifest.tables.entry(table).or_default().put(sum);
        }
        for (table, sum) in taken {
            shops.insert(table.shop.clone());
            let left = manifest.tables.entry(table.clone()).or_default();
            left.take(sum);
            if *left == Sum::default() {
                manifest.tables.remove(&table);
            }
        }
        for shop in shops {
            let text = manifest.record_of(&shop);
            writes.insert([RECORDS, &shop].concat(), text);
        }
    }
}
