//! Who writes events down: the one place where a change gets its kind, subject, time and id.

use super::{BaselineCounts, Epoch, Event, EventData, EventId, EventKind, Level, ShopDetails, ShopView, ThresholdView};
use crate::domain::model::{Credit, Product, Sale, ShopId, Subject, Timestamp};

/// Writes the events of one pass over one shop.
#[derive(Debug, Clone)]
pub struct Scribe {
    shop: ShopId,
    shop_name: String,
    epoch: Epoch,
    now: Timestamp,
}

impl Scribe {
    /// A scribe for what was read of `shop` at `now`.
    pub fn new(shop: ShopId, shop_name: impl Into<String>, epoch: Epoch, now: Timestamp) -> Self {
        Self { shop, shop_name: shop_name.into(), epoch, now }
    }

    /// When the pass was read.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// `sale.created`, at the time of the sale.
    pub fn sale_created(&self, sale: &Sale) -> Event {
        let data = EventData::Sale { sale: Box::new(sale.clone()), previous: None, changed: Vec::new() };
        self.once(EventKind::SaleCreated, Subject::sale(&sale.id), sale.sold_at, data)
    }

    /// `sale.cancelled`, at the time of the cancel.
    pub fn sale_cancelled(&self, sale: &Sale, previous: Option<&Sale>) -> Event {
        let previous = previous.cloned().map(Box::new);
        let data = EventData::Sale { sale: Box::new(sale.clone()), previous, changed: Vec::new() };
        self.once(EventKind::SaleCancelled, Subject::sale(&sale.id), sale.cancelled_at, data)
    }

    /// `sale.updated`, the `counter`-th of this sale.
    pub fn sale_updated(&self, counter: u64, sale: &Sale, previous: &Sale, changed: Vec<String>) -> Event {
        let previous = Some(Box::new(previous.clone()));
        let data = EventData::Sale { sale: Box::new(sale.clone()), previous, changed };
        self.counted(EventKind::SaleUpdated, Subject::sale(&sale.id), counter, data)
    }

    /// `stock.changed`.
    pub fn stock_changed(&self, counter: u64, product: &Product, previous: &Product) -> Event {
        let data = EventData::Product {
            product: Box::new(product.clone()),
            previous: Some(Box::new(previous.clone())),
            changed: vec!["quantity".to_owned()],
            threshold: None,
        };
        self.counted(EventKind::StockChanged, Subject::product(&product.id), counter, data)
    }

    /// `stock.low`, `stock.critical`, `stock.out` or, for [`Level::Ok`], `stock.recovered`.
    pub fn stock_level(
        &self,
        counter: u64,
        product: &Product,
        previous: Option<&Product>,
        threshold: ThresholdView,
    ) -> Event {
        let kind = match threshold.level {
            Level::Ok => EventKind::StockRecovered,
            Level::Low => EventKind::StockLow,
            Level::Critical => EventKind::StockCritical,
            Level::Out => EventKind::StockOut,
        };
        let data = EventData::Product {
            product: Box::new(product.clone()),
            previous: previous.cloned().map(Box::new),
            changed: Vec::new(),
            threshold: Some(threshold),
        };
        self.counted(kind, Subject::product(&product.id), counter, data)
    }

    /// `credit.created`, at the time of the credit.
    pub fn credit_created(&self, credit: &Credit) -> Event {
        let data = EventData::Credit { credit: Box::new(credit.clone()), previous: None, changed: Vec::new() };
        self.once(EventKind::CreditCreated, Subject::credit(&credit.id), credit.issued_at, data)
    }

    /// `credit.overdue`, when it was first seen so.
    pub fn credit_overdue(&self, credit: &Credit, previous: Option<&Credit>) -> Event {
        let previous = previous.cloned().map(Box::new);
        let data = EventData::Credit { credit: Box::new(credit.clone()), previous, changed: Vec::new() };
        self.once(EventKind::CreditOverdue, Subject::credit(&credit.id), None, data)
    }

    /// `credit.paid`, when it was first found among the paid ones.
    pub fn credit_paid(&self, counter: u64, credit: &Credit, previous: &Credit) -> Event {
        let previous = Some(Box::new(previous.clone()));
        let data = EventData::Credit { credit: Box::new(credit.clone()), previous, changed: Vec::new() };
        self.counted(EventKind::CreditPaid, Subject::credit(&credit.id), counter, data)
    }

    /// `shop.baseline`: the first of this data directory.
    pub fn shop_baseline(&self, counts: BaselineCounts) -> Event {
        self.about_shop(EventKind::ShopBaseline, 0, ShopDetails::Baseline(counts))
    }

    /// `shop.key_rejected`, the `counter`-th of this shop.
    pub fn key_rejected(&self, counter: u64, status: u16) -> Event {
        self.about_shop(EventKind::ShopKeyRejected, counter, ShopDetails::KeyRejected { status })
    }

    fn about_shop(&self, kind: EventKind, counter: u64, details: ShopDetails) -> Event {
        let shop = ShopView { id: self.shop.clone(), name: self.shop_name.clone() };
        self.counted(kind, Subject::shop(&self.shop), counter, EventData::Shop { shop, details })
    }

    fn once(&self, kind: EventKind, subject: Subject, time: Option<Timestamp>, data: EventData) -> Event {
        let id = EventId::once(&self.shop, &subject, kind);
        Event { id, shop: self.shop.clone(), kind, subject, time: time.unwrap_or(self.now), data }
    }

    fn counted(&self, kind: EventKind, subject: Subject, counter: u64, data: EventData) -> Event {
        let id = EventId::counted(&self.epoch, &self.shop, &subject, kind, counter);
        Event { id, shop: self.shop.clone(), kind, subject, time: self.now, data }
    }
}
