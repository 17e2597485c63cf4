//! Who writes events down: the one place where a change gets its kind, subject, time and id.

use super::{
    Announced, BaselineCounts, ChannelFailing, ChannelRecovered, Epoch, Event, EventData, EventId, EventKind,
    HeldCounts, HeldPass, Level, ShopDetails, ShopRecovered, ShopStale, ShopView, ThresholdView,
};
use crate::domain::model::{Credit, Product, Resource, Sale, ShopId, Subject, Timestamp};

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
        let data = product_data(product, Some(previous), vec!["quantity".to_owned()]);
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

    /// `product.created`, when it was first seen: the API does not say when a product was entered.
    pub fn product_created(&self, product: &Product) -> Event {
        let data = product_data(product, None, Vec::new());
        self.once(EventKind::ProductCreated, Subject::product(&product.id), None, data)
    }

    /// `product.updated`.
    pub fn product_updated(&self, counter: u64, product: &Product, previous: &Product, changed: Vec<String>) -> Event {
        let data = product_data(product, Some(previous), changed);
        self.counted(EventKind::ProductUpdated, Subject::product(&product.id), counter, data)
    }

    /// `product.removed`, with the product as it was last known.
    pub fn product_removed(&self, counter: u64, product: &Product) -> Event {
        let data = product_data(product, None, Vec::new());
        self.counted(EventKind::ProductRemoved, Subject::product(&product.id), counter, data)
    }

    /// `member.created`, `vendor.created`, `purchase.created`, at its own time where it has one.
    pub fn listed_created<T: Announced>(&self, entity: &T) -> Event {
        let data = T::data(entity.clone(), None, Vec::new());
        self.once(T::CREATED, entity.subject(), entity.made_at(), data)
    }

    /// `member.updated`, `vendor.updated`, `purchase.updated`.
    pub fn listed_updated<T: Announced>(&self, counter: u64, entity: &T, previous: &T, changed: Vec<String>) -> Event {
        let data = T::data(entity.clone(), Some(previous.clone()), changed);
        self.counted(T::UPDATED, entity.subject(), counter, data)
    }

    /// `member.removed`, `vendor.removed`, `purchase.removed`, with the thing as it was last known.
    pub fn listed_removed<T: Announced>(&self, counter: u64, entity: &T) -> Event {
        self.counted(T::REMOVED, entity.subject(), counter, T::data(entity.clone(), None, Vec::new()))
    }

    /// `credit.created`, at the time of the credit.
    pub fn credit_created(&self, credit: &Credit) -> Event {
        let data = credit_data(credit, None, Vec::new());
        self.once(EventKind::CreditCreated, Subject::credit(&credit.id), credit.issued_at, data)
    }

    /// `credit.overdue`, when it was first seen so.
    pub fn credit_overdue(&self, credit: &Credit, previous: Option<&Credit>) -> Event {
        let data = credit_data(credit, previous, Vec::new());
        self.once(EventKind::CreditOverdue, Subject::credit(&credit.id), None, data)
    }

    /// `credit.created` of one that may have been known before and forgotten. Its old id may be in somebody's hands, so
    /// this one is counted, and it happened when it was seen.
    pub fn credit_created_again(&self, counter: u64, credit: &Credit) -> Event {
        let data = credit_data(credit, None, Vec::new());
        self.counted(EventKind::CreditCreated, Subject::credit(&credit.id), counter, data)
    }

    /// `credit.overdue` of such a one.
    pub fn credit_overdue_again(&self, counter: u64, credit: &Credit, previous: Option<&Credit>) -> Event {
        let data = credit_data(credit, previous, Vec::new());
        self.counted(EventKind::CreditOverdue, Subject::credit(&credit.id), counter, data)
    }

    /// `credit.updated`.
    pub fn credit_updated(&self, counter: u64, credit: &Credit, previous: &Credit, changed: Vec<String>) -> Event {
        let data = credit_data(credit, Some(previous), changed);
        self.counted(EventKind::CreditUpdated, Subject::credit(&credit.id), counter, data)
    }

    /// `credit.aging`.
    pub fn credit_aging(&self, counter: u64, credit: &Credit) -> Event {
        let data = credit_data(credit, None, Vec::new());
        self.counted(EventKind::CreditAging, Subject::credit(&credit.id), counter, data)
    }

    /// `credit.paid`, when it was first found among the paid ones.
    pub fn credit_paid(&self, counter: u64, credit: &Credit, previous: &Credit, changed: Vec<String>) -> Event {
        let data = credit_data(credit, Some(previous), changed);
        self.counted(EventKind::CreditPaid, Subject::credit(&credit.id), counter, data)
    }

    /// `pass.held`, the `counter`-th of this resource: a notice is repeated under an id of its own.
    pub fn pass_held(&self, counter: u64, resource: Resource, since: Timestamp, counts: HeldCounts) -> Event {
        let summary = format!("{resource} was not accepted: {}", counts.sentence());
        let held = HeldPass { shop: self.shop.clone(), resource, since, counts, summary };
        let shop = self.shop_view();
        let data = EventData::Shop { shop, details: ShopDetails::PassHeld(held) };
        let subject = Subject::shop(&self.shop);
        // The subject is the shop and each resource counts for itself, so the resource is part of what is counted.
        let id = EventId::counted_of(&self.epoch, &self.shop, &subject, EventKind::PassHeld, resource.name(), counter);
        Event { id, shop: self.shop.clone(), kind: EventKind::PassHeld, subject, time: self.now, data }
    }

    /// `shop.baseline`: the first of this data directory.
    pub fn shop_baseline(&self, counts: BaselineCounts) -> Event {
        self.about_shop(EventKind::ShopBaseline, 0, ShopDetails::Baseline(counts))
    }

    /// `shop.key_rejected`, the `counter`-th of this shop.
    pub fn key_rejected(&self, counter: u64, status: u16) -> Event {
        self.about_shop(EventKind::ShopKeyRejected, counter, ShopDetails::KeyRejected { status })
    }

    /// `shop.stale`, the `counter`-th of this shop.
    pub fn shop_stale(&self, counter: u64, stale: ShopStale) -> Event {
        self.about_shop(EventKind::ShopStale, counter, ShopDetails::Stale(stale))
    }

    /// `shop.recovered`, the `counter`-th of this shop.
    pub fn shop_recovered(&self, counter: u64, recovered: ShopRecovered) -> Event {
        self.about_shop(EventKind::ShopRecovered, counter, ShopDetails::Recovered(recovered))
    }

    /// `channel.failing`, the `counter`-th of that channel.
    pub fn channel_failing(&self, counter: u64, failing: ChannelFailing) -> Event {
        let subject = Subject::channel(&failing.channel);
        self.about(EventKind::ChannelFailing, subject, counter, ShopDetails::ChannelFailing(failing))
    }

    /// `channel.recovered`, the `counter`-th of that channel.
    pub fn channel_recovered(&self, counter: u64, recovered: ChannelRecovered) -> Event {
        let subject = Subject::channel(&recovered.channel);
        self.about(EventKind::ChannelRecovered, subject, counter, ShopDetails::ChannelRecovered(recovered))
    }

    fn about_shop(&self, kind: EventKind, counter: u64, details: ShopDetails) -> Event {
        self.about(kind, Subject::shop(&self.shop), counter, details)
    }

    fn about(&self, kind: EventKind, subject: Subject, counter: u64, details: ShopDetails) -> Event {
        let data = EventData::Shop { shop: self.shop_view(), details };
        self.counted(kind, subject, counter, data)
    }

    fn shop_view(&self) -> ShopView {
        ShopView { id: self.shop.clone(), name: self.shop_name.clone() }
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

fn product_data(product: &Product, previous: Option<&Product>, changed: Vec<String>) -> EventData {
    let previous = previous.cloned().map(Box::new);
    EventData::Product { product: Box::new(product.clone()), previous, changed, threshold: None }
}

fn credit_data(credit: &Credit, previous: Option<&Credit>, changed: Vec<String>) -> EventData {
    EventData::Credit { credit: Box::new(credit.clone()), previous: previous.cloned().map(Box::new), changed }
}
