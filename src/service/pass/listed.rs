//! A pass over a long list: products, members, vendors, purchase documents.
//!
//! Pages are compared as they come. What has not changed costs a look at its fingerprint; what has changed without a
//! word (a stamp that moved) is written at once; what makes events waits until the list is whole and the guard has
//! spoken. So memory follows what happened and not the length of the list. A product may be refreshed meanwhile by a
//! sale: whoever commits holds the shop's gate, and a page that was asked for before the refresh does not overwrite it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::guarded::{self, Believed};
use super::piece::{Pieces, keep_promise};
use super::{PassError, PassReport};
use crate::domain::diff::guard::Tally;
use crate::domain::diff::{Change, Taken, Unbelievable, check_readable};
use crate::domain::event::Scribe;
use crate::domain::model::{EntityId, Fingerprint, Resource};
use crate::edge::pospos::{Fresh, Reading};
use crate::edge::store::{Commit, Head, Heads, ResourceRecord};
use crate::service::shop::Shop;

/// How many rows are loaded and compared in one go.
const AT_ONCE: usize = 100;

/// From how many known rows on a list without any of them is another shop's.
const TELLING: usize = 3;

/// Whether a row is as it was, by its fingerprint.
pub(super) type Skip = Box<dyn Fn(&EntityId, Fingerprint) -> bool + Send + Sync>;

/// What a pass must know of the rows of one list.
pub(super) trait Listing: Send + Sync {
    /// What is read.
    type Read: Clone + Send + Sync;
    /// What is kept of it.
    type Row: Serialize + DeserializeOwned + Send + 'static;

    /// Which list it is.
    fn resource(&self) -> Resource;

    /// Begins to read it.
    fn read<'r>(&self, shop: &'r Shop, skip: Skip) -> Reading<'r, Self::Read>;

    /// What besides the rows decides on what is told of them: when it changes, every row is compared anew.
    fn measure(&self) -> String {
        String::new()
    }

    /// Whether the row is there but counts as gone.
    fn is_deleted(&self, _read: &Self::Read) -> bool {
        false
    }

    /// What the row becomes; `None` where it stays as it was.
    fn compare(
        &self,
        prev: Option<&Self::Row>,
        read: Self::Read,
        taken: Taken,
        scribe: &Scribe,
    ) -> Option<Change<Self::Row>>;

    /// What a row becomes that a whole list did not have.
    fn miss(&self, prev: &Self::Row, scribe: &Scribe) -> Option<Change<Self::Row>>;

    /// What a row becomes that is not there while every field is read anew.
    fn miss_quietly(&self, prev: &Self::Row) -> Option<Change<Self::Row>>;

    /// Counts a row that is there and becomes that.
    fn count(&self, tally: &mut Tally, prev: &Self::Row, read: &Self::Read, change: Option<&Change<Self::Row>>);

    /// Counts a row that is not there.
    fn count_missing(&self, tally: &mut Tally, prev: &Self::Row);

    /// Whether the row as it was read leaves out what is kept all the same. Then it waits for the guard though there is
    /// nothing to tell of it, and is looked at again by each pass: its fingerprint must not make it look believed.
    fn leaves_out(&self, _prev: Option<&Self::Row>, _read: &Self::Read) -> bool {
        false
    }

    /// What to store before the row.
    fn head(&self, row: &Self::Row, fingerprint: Option<Fingerprint>) -> Head;

    /// Whether a change without events moves nothing that a later pass compares with.
    fn is_just_newer(&self, prev: &Self::Row, row: &Self::Row) -> bool;

    /// Whether a refresh that was asked for later than this page has told more.
    fn is_outdated(&self, _shop: &Shop, _fresh: &Fresh<Self::Read>) -> bool {
        false
    }

    /// Takes note of what a page said, before anything is compared.
    fn look(&mut self, _rows: &[Fresh<Self::Read>]) {}

    /// Takes note of how many rows the whole list had.
    fn done(&self, _rows: u64) {}
}

/// One pass over a list.
pub(super) async fn pass<L: Listing>(shop: &Shop, mut listing: L) -> Result<PassReport, PassError> {
    let resource = listing.resource();
    keep_promise(shop, resource).await?;
    let store = &shop.shared.store;
    let known = store.heads(shop.id(), resource).await?;
    let before = store.resource(shop.id(), resource).await?;
    let baseline = known.is_none();
    // Asked before it writes itself: what is there now, an interrupted baseline has left.
    let left = if baseline { store.leftovers(shop.id(), resource).await? } else { Vec::new() };
    let otherwise = before.as_ref().is_some_and(|record| record.fields != shop.fields_of(resource));
    let measured_anew = before.as_ref().is_some_and(|record| record.measure != listing.measure());
    let taken = if baseline || otherwise { Taken::Quietly } else { Taken::Compared };
    let heads = Arc::new(known.unwrap_or_default());
    let skip = (!otherwise && !measured_anew).then(|| Arc::clone(&heads));
    let had = before.as_ref().map(|record| record.rows.saturating_add(record.unreadable));
    let mut reading = listing.read(shop, skipping(skip)).expecting(had);
    let mut sweep = Sweep::new(shop, resource, Arc::clone(&heads), taken);
    while let Some(rows) = reading.next().await? {
        listing.look(&rows);
        sweep.take(&listing, rows).await?;
    }
    let (rows, unreadable) = (reading.rows(), reading.unreadable());
    // Rows that are just as they were are not handed out, but they are seen.
    if !sweep.is_sure && heads.iter().any(|(id, _)| reading.has_seen(id)) {
        sweep.trust(&listing).await?;
    }
    if rows == 0 && heads.living() == 0 && taken == Taken::Quietly {
        // An answer, and no baseline: the first list with rows will be it.
        return Ok(PassReport { rows, unreadable, events: 0, baseline: false, empty_so_far: true, is_part: false });
    }
    sweep.believe(rows, unreadable)?;
    listing.done(rows);
    let missing = sweep.missing(&reading);
    let orphans = left.into_iter().filter(|id| sweep.has_not(&reading, id.as_str())).collect();
    let now = sweep.scribe.now();
    let record = ResourceRecord {
        baseline_at: before.as_ref().map_or(now, |record| record.baseline_at),
        passed_at: now,
        horizon: None,
        fields: shop.fields_of(resource),
        measure: listing.measure(),
        rows: rows.saturating_sub(unreadable),
        unreadable,
        calls: reading.calls(),
    };
    drop(reading);
    sweep.conclude(&listing, missing, orphans, record).await
}

fn skipping(heads: Option<Arc<Heads>>) -> Skip {
    Box::new(move |id, fingerprint| {
        let head = heads.as_ref().and_then(|heads| heads.get(id));
        head.is_some_and(|head| head.fingerprint == Some(fingerprint) && !head.unsettled && !head.gone)
    })
}

/// The rows of one pass, on their way into the store.
struct Sweep<'a, R> {
    shop: &'a Shop,
    resource: Resource,
    heads: Arc<Heads>,
    taken: Taken,
    scribe: Scribe,
    tally: Tally,
    pieces: Pieces<'a>,
    /// What will make events, to be compared again when the list is whole.
    loud: BTreeMap<EntityId, Fresh<R>>,
    /// Rows that came before the first known one, while it is not sure that this list is the same shop's.
    unsure: Vec<Fresh<R>>,
    is_sure: bool,
    /// Rows that are listed and marked as deleted.
    deleted: BTreeSet<EntityId>,
}

impl<'a, R: Clone + Send + Sync> Sweep<'a, R> {
    fn new(shop: &'a Shop, resource: Resource, heads: Arc<Heads>, taken: Taken) -> Self {
        let now = shop.shared.clock.now();
        let living = heads.living();
        Self {
            shop,
            resource,
            taken,
            scribe: shop.scribe(now),
            tally: Tally::of_known(living),
            pieces: Pieces::new(shop, resource, now),
            loud: BTreeMap::new(),
            unsure: Vec::new(),
            is_sure: living < TELLING,
            deleted: BTreeSet::new(),
            heads,
        }
    }

    /// Compares one page.
    async fn take<L: Listing<Read = R>>(&mut self, listing: &L, rows: Vec<Fresh<R>>) -> Result<(), PassError> {
        if !self.is_sure {
            self.is_sure = rows.iter().any(|fresh| self.heads.contains(&fresh.id));
            self.unsure.extend(rows);
            if !self.is_sure {
                return Ok(());
            }
            return self.trust(listing).await;
        }
        self.compare(listing, rows).await
    }

    /// It is this shop's list: what has waited for that is compared.
    async fn trust<L: Listing<Read = R>>(&mut self, listing: &L) -> Result<(), PassError> {
        self.is_sure = true;
        let waited = std::mem::take(&mut self.unsure);
        self.compare(listing, waited).await
    }

    async fn compare<L: Listing<Read = R>>(&mut self, listing: &L, rows: Vec<Fresh<R>>) -> Result<(), PassError> {
        let _gate = self.shop.gate.lock().await;
        for rows in rows.chunks(AT_ONCE) {
            let ids = rows.iter().map(|fresh| fresh.id.clone()).collect();
            let mut known = self.shop.shared.store.rows::<L::Row>(self.shop.id(), self.resource, ids).await?;
            for fresh in rows {
                if listing.is_deleted(&fresh.item) {
                    self.deleted.insert(fresh.id.clone());
                    continue;
                }
                // What an interrupted baseline has left was never believed.
                let prev = known.remove(&fresh.id).filter(|_| self.heads.contains(&fresh.id));
                self.compare_one(listing, prev, fresh.clone()).await?;
            }
        }
        // Written with the page, so that no refresh comes between the comparison and the commit.
        Ok(self.pieces.flush(Commit::default()).await?)
    }

    async fn compare_one<L: Listing<Read = R>>(
        &mut self,
        listing: &L,
        prev: Option<(Head, L::Row)>,
        fresh: Fresh<R>,
    ) -> Result<(), PassError> {
        if listing.is_outdated(self.shop, &fresh) {
            self.loud.remove(&fresh.id);
            return Ok(());
        }
        let (stood, prev) = prev.unzip();
        let change = listing.compare(prev.as_ref(), fresh.item.clone(), self.taken, &self.scribe);
        match &prev {
            Some(prev) => listing.count(&mut self.tally, prev, &fresh.item, change.as_ref()),
            None => self.tally.change(),
        }
        let fingerprint = Some(fresh.fingerprint);
        let is_same = change.is_none();
        let leaves_out = self.taken == Taken::Compared && listing.leaves_out(prev.as_ref(), &fresh.item);
        let must_wait = |change: &Change<L::Row>| self.must_wait(listing, prev.as_ref(), change);
        let quiet = match change {
            // Counted, and to be counted again by the next pass: there is nothing to keep of it.
            None if leaves_out => {
                self.loud.remove(&fresh.id);
                return Ok(());
            }
            Some(change) if leaves_out || must_wait(&change) => {
                self.loud.insert(fresh.id.clone(), fresh);
                return Ok(());
            }
            Some(change) => change,
            // As it was, but written in another way: the next pass need not look again.
            None => Change { id: fresh.id.clone(), row: prev, events: Vec::new() },
        };
        self.loud.remove(&fresh.id);
        if let Some(row) = &quiet.row {
            let head = listing.head(row, fingerprint);
            if !is_same || stood != Some(head) {
                self.pieces.add_listed(quiet, head).await?;
            }
        }
        Ok(())
    }

    /// Whether a change waits for the guard: what is told, what counts passes, and whatever a later pass is compared
    /// with. A pass that is held has not been.
    fn must_wait<L: Listing<Read = R>>(&self, listing: &L, prev: Option<&L::Row>, change: &Change<L::Row>) -> bool {
        let is_just_newer = |row| prev.is_some_and(|prev| listing.is_just_newer(prev, row));
        let moves = change.row.as_ref().is_some_and(|row| listing.head(row, None).unsettled || !is_just_newer(row));
        self.taken == Taken::Compared && (moves || !change.events.is_empty())
    }

    /// Whether a list of so many rows can be this shop's.
    fn believe(&self, rows: u64, unreadable: u64) -> Result<(), Unbelievable> {
        let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        check_readable(count(rows.saturating_sub(unreadable)), count(unreadable))?;
        match (rows, self.heads.living()) {
            (0, known @ 1..) => Err(Unbelievable::Empty { known }),
            (1.., known) if !self.is_sure => Err(Unbelievable::OtherShop { known }),
            _ => Ok(()),
        }
    }

    /// The known rows that the list did not have. A row without an id may be any of them: then only those are missing
    /// that the list says are deleted. Where every field is read anew, a row that is there and cannot be understood is
    /// as good as missing: what is known of it is as the old fields read it.
    fn missing<T>(&self, reading: &Reading<'_, T>) -> Vec<EntityId> {
        let unread = |id: &str| self.taken == Taken::Quietly && reading.is_unreadable(id);
        if reading.nameless() > 0 && self.taken == Taken::Compared {
            let living = |id: &&EntityId| self.heads.get(id).is_some_and(|head| !head.gone);
            return self.deleted.iter().filter(living).cloned().collect();
        }
        let living = self.heads.iter().filter(|(_, head)| !head.gone);
        let missing = living.map(|(id, _)| id).filter(|id| self.has_not(reading, id) || unread(id));
        missing.filter_map(|id| EntityId::new(id).ok()).collect()
    }

    /// Whether the list has no such row, or only one that is marked as deleted.
    fn has_not<T>(&self, reading: &Reading<'_, T>, id: &str) -> bool {
        !reading.has_seen(id) || self.deleted.contains(id)
    }

    /// What follows from the whole list.
    async fn conclude<L: Listing<Read = R>>(
        mut self,
        listing: &L,
        missing: Vec<EntityId>,
        orphans: Vec<EntityId>,
        record: ResourceRecord,
    ) -> Result<PassReport, PassError> {
        let (shop, resource) = (self.shop, self.resource);
        let _gate = shop.gate.lock().await;
        let believed = match self.taken {
            Taken::Quietly => Believed::unseen(guarded::clear(shop, resource).await?),
            Taken::Compared => {
                self.count_missing(listing, &missing).await?;
                let census = std::mem::take(&mut self.tally).census();
                guarded::judge_pass(shop, resource, census, &self.scribe).await?.or_hold(&self.scribe).await?
            }
        };
        let Believed { alone: _alone, mut last } = believed;
        self.tell(listing).await?;
        self.miss(listing, missing).await?;
        for id in orphans {
            self.pieces.add::<()>(Change { id, row: None, events: Vec::new() }).await?;
        }
        let ResourceRecord { rows, unreadable, calls, .. } = record;
        let baseline = record.baseline_at == record.passed_at;
        last.resource = Some((shop.id().clone(), resource, record));
        self.pieces.finish(*last).await?;
        shop.pace.spent(resource, calls);
        Ok(PassReport { rows, unreadable, events: self.pieces.events(), baseline, empty_so_far: false, is_part: false })
    }

    async fn count_missing<L: Listing<Read = R>>(
        &mut self,
        listing: &L,
        missing: &[EntityId],
    ) -> Result<(), PassError> {
        for ids in missing.chunks(AT_ONCE) {
            let known = self.shop.shared.store.rows::<L::Row>(self.shop.id(), self.resource, ids.to_vec()).await?;
            known.values().for_each(|(_, prev)| listing.count_missing(&mut self.tally, prev));
        }
        Ok(())
    }

    /// Compares what makes events once more with what is known now, and commits it.
    async fn tell<L: Listing<Read = R>>(&mut self, listing: &L) -> Result<(), PassError> {
        let loud: Vec<Fresh<R>> = std::mem::take(&mut self.loud).into_values().collect();
        for rows in loud.chunks(AT_ONCE) {
            let ids = rows.iter().map(|fresh| fresh.id.clone()).collect();
            let known = self.shop.shared.store.rows::<L::Row>(self.shop.id(), self.resource, ids).await?;
            for fresh in rows.iter().filter(|fresh| !listing.is_outdated(self.shop, fresh)) {
                let prev = known.get(&fresh.id).map(|(_, row)| row);
                let Some(change) = listing.compare(prev, fresh.item.clone(), self.taken, &self.scribe) else {
                    continue;
                };
                if let Some(row) = &change.row {
                    let head = listing.head(row, Some(fresh.fingerprint));
                    let unsettled = head.unsettled || listing.leaves_out(prev, &fresh.item);
                    self.pieces.add_listed(change, Head { unsettled, ..head }).await?;
                }
            }
        }
        Ok(())
    }

    async fn miss<L: Listing<Read = R>>(&mut self, listing: &L, missing: Vec<EntityId>) -> Result<(), PassError> {
        for ids in missing.chunks(AT_ONCE) {
            let known = self.shop.shared.store.rows::<L::Row>(self.shop.id(), self.resource, ids.to_vec()).await?;
            for (_, (head, prev)) in known {
                let change = match self.taken {
                    Taken::Compared => listing.miss(&prev, &self.scribe),
                    Taken::Quietly => listing.miss_quietly(&prev),
                };
                let Some(change) = change else { continue };
                if let Some(row) = &change.row {
                    // Compared again when it comes back, whatever its text says.
                    let head = Head { unsettled: true, ..listing.head(row, head.fingerprint) };
                    self.pieces.add_listed(change, head).await?;
                }
            }
        }
        Ok(())
    }
}
