//! The four long lists: how each is read, compared and stored.

use std::marker::PhantomData;

use tracing::warn;

use super::listed::{Listing, Skip};
use crate::domain::diff::guard::{Guarded, Tally};
use crate::domain::diff::listed::{self, Listed, ListedRow};
use crate::domain::diff::product::{self, ProductRow};
use crate::domain::diff::{Change, Taken};
use crate::domain::event::Scribe;
use crate::domain::model::{Fingerprint, Member, Purchase, Resource, StockRow, Vendor};
use crate::domain::rhythm::stock_way::StockWay;
use crate::edge::pospos::quota::Urgency;
use crate::edge::pospos::{Fresh, Reading};
use crate::edge::store::{Head, StoreError};
use crate::service::shop::Shop;

/// The stock list.
pub(super) struct Products<'a> {
    shop: &'a Shop,
    way: StockWay,
    handed_out: u64,
    counted: u64,
}

impl<'a> Products<'a> {
    /// The stock list of `shop`, read in the way that costs least.
    pub(super) async fn of(shop: &'a Shop) -> Result<Products<'a>, StoreError> {
        let record = shop.shared.store.resource(shop.id(), Resource::Stock).await?;
        let way = shop.stock_way(record.map(|record| record.rows + record.unreadable));
        Ok(Products { shop, way, handed_out: 0, counted: 0 })
    }
}

impl Products<'_> {
    /// Whether the whole list is asked for at once.
    pub(super) fn come_in_one_answer(&self) -> bool {
        self.way == StockWay::Whole
    }
}

/// What is stored before a product's row.
pub(super) fn head_of_product(row: &ProductRow, fingerprint: Option<Fingerprint>) -> Head {
    // A product without a quantity is looked at each time, so that a list without any is noticed again after a start.
    let unsettled = !row.rests() || row.product.quantity.is_none();
    let tag = row.product.code.as_deref().map_or(0, Head::tag);
    Head { fingerprint, unsettled, gone: row.removed, level: row.level.worst, tag }
}

impl Listing for Products<'_> {
    type Read = StockRow;
    type Row = ProductRow;

    fn resource(&self) -> Resource {
        Resource::Stock
    }

    fn read<'r>(&self, shop: &'r Shop, skip: Skip) -> Reading<'r, StockRow> {
        shop.refreshes.sweep_begins();
        shop.pospos.stock(self.way, skip, Urgency::Sweep)
    }

    fn measure(&self) -> String {
        self.shop.shared.measure.clone()
    }

    fn is_deleted(&self, read: &StockRow) -> bool {
        read.deleted
    }

    fn compare(
        &self,
        prev: Option<&ProductRow>,
        read: StockRow,
        taken: Taken,
        scribe: &Scribe,
    ) -> Option<Change<ProductRow>> {
        product::compare_one(prev, read, taken, |row| self.shop.limits_of(row), scribe)
    }

    fn miss(&self, prev: &ProductRow, scribe: &Scribe) -> Option<Change<ProductRow>> {
        product::miss_one(prev, scribe)
    }

    fn miss_quietly(&self, prev: &ProductRow) -> Option<Change<ProductRow>> {
        product::miss_quietly(prev)
    }

    fn count(&self, tally: &mut Tally, prev: &ProductRow, read: &StockRow, change: Option<&Change<ProductRow>>) {
        let told = |of_level: bool| {
            let mut events = change.into_iter().flat_map(|change| &change.events);
            events.any(|event| event.kind.name().starts_with("stock.") == of_level)
        };
        let measured = read.min_stock.is_some() && prev.min_stock.is_some() && read.min_stock != prev.min_stock;
        let moved = read.product.quantity != prev.product.quantity;
        match prev {
            ProductRow { removed: true, .. } => tally.change(),
            ProductRow { read_otherwise: true, .. } => {}
            prev => tally.product(&prev.product, &read.product, told(false), measured && !moved && told(true)),
        }
    }

    fn count_missing(&self, tally: &mut Tally, prev: &ProductRow) {
        match prev.missed {
            0 => tally.missing_product(&prev.product),
            _ => tally.change(),
        }
    }

    fn leaves_out(&self, prev: Option<&ProductRow>, read: &StockRow) -> bool {
        let had_one = prev.is_some_and(|prev| !prev.removed && prev.product.quantity.is_some());
        had_one && read.product.quantity.is_none()
    }

    fn head(&self, row: &ProductRow, fingerprint: Option<Fingerprint>) -> Head {
        head_of_product(row, fingerprint)
    }

    fn is_just_newer(&self, prev: &ProductRow, row: &ProductRow) -> bool {
        row.is_just_newer(prev)
    }

    fn is_outdated(&self, shop: &Shop, fresh: &Fresh<StockRow>) -> bool {
        !shop.refreshes.sweep(&fresh.id, fresh.sent)
    }

    fn look(&mut self, rows: &[Fresh<StockRow>]) {
        self.handed_out += rows.len() as u64;
        self.counted += rows.iter().filter(|fresh| fresh.item.product.quantity.is_some()).count() as u64;
    }

    fn done(&self, rows: u64) {
        let blind = rows > 0 && self.handed_out >= rows && self.counted == 0;
        let shop = self.shop;
        if shop.shared.health.blindness_is_news(shop.id(), blind) && blind {
            warn!(shop.id = %shop.id(), "not one of {rows} products of {} has a quantity, so no shortage can be seen; \
                say where it stands with `[shop.fields.stock] quantity`", shop.id());
        }
    }
}

/// A list of things that only come, change and go.
pub(super) struct Entities<T> {
    resource: Resource,
    of: PhantomData<fn() -> T>,
}

impl Entities<Member> {
    /// The members.
    pub(super) fn members() -> Self {
        Self { resource: Resource::Members, of: PhantomData }
    }
}

impl Entities<Vendor> {
    /// The vendors.
    pub(super) fn vendors() -> Self {
        Self { resource: Resource::Vendors, of: PhantomData }
    }
}

impl Entities<Purchase> {
    /// The purchase documents.
    pub(super) fn purchases() -> Self {
        Self { resource: Resource::BuyDocuments, of: PhantomData }
    }
}

/// A list that the API has a call for.
pub(super) trait Readable: Listed + Guarded + Clone + Send + Sync + 'static {
    /// Begins to read it.
    fn read(shop: &Shop, skip: Skip) -> Reading<'_, Self>;
}

impl Readable for Member {
    fn read(shop: &Shop, skip: Skip) -> Reading<'_, Self> {
        shop.pospos.members(skip, Urgency::Sweep)
    }
}

impl Readable for Vendor {
    fn read(shop: &Shop, skip: Skip) -> Reading<'_, Self> {
        shop.pospos.vendors(skip, Urgency::Sweep)
    }
}

impl Readable for Purchase {
    fn read(shop: &Shop, skip: Skip) -> Reading<'_, Self> {
        shop.pospos.purchases(skip, Urgency::Sweep)
    }
}

impl<T> Listing for Entities<T>
where
    T: Readable + serde::Serialize + serde::de::DeserializeOwned,
{
    type Read = T;
    type Row = ListedRow<T>;

    fn resource(&self) -> Resource {
        self.resource
    }

    fn read<'r>(&self, shop: &'r Shop, skip: Skip) -> Reading<'r, T> {
        T::read(shop, skip)
    }

    fn compare(
        &self,
        prev: Option<&ListedRow<T>>,
        read: T,
        taken: Taken,
        scribe: &Scribe,
    ) -> Option<Change<ListedRow<T>>> {
        listed::compare_one(prev, read, taken, scribe)
    }

    fn miss(&self, prev: &ListedRow<T>, scribe: &Scribe) -> Option<Change<ListedRow<T>>> {
        listed::miss_one(prev, scribe)
    }

    fn miss_quietly(&self, prev: &ListedRow<T>) -> Option<Change<ListedRow<T>>> {
        listed::miss_quietly(prev)
    }

    fn count(&self, tally: &mut Tally, prev: &ListedRow<T>, read: &T, change: Option<&Change<ListedRow<T>>>) {
        match prev {
            ListedRow { removed: true, .. } => tally.change(),
            ListedRow { read_otherwise: true, .. } => {}
            prev => tally.listed(&prev.entity, read, change.is_some_and(|change| !change.events.is_empty())),
        }
    }

    fn count_missing(&self, tally: &mut Tally, prev: &ListedRow<T>) {
        match prev.missed {
            0 => tally.missing(),
            _ => tally.change(),
        }
    }

    fn is_just_newer(&self, prev: &ListedRow<T>, row: &ListedRow<T>) -> bool {
        row.is_just_newer(prev)
    }

    fn head(&self, row: &ListedRow<T>, fingerprint: Option<Fingerprint>) -> Head {
        Head { fingerprint, unsettled: !row.rests(), gone: row.removed, ..Head::default() }
    }
}
