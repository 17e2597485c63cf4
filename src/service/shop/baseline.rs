//! What a shop was found to have when it was first read, told once.

use std::collections::BTreeMap;

use super::Shop;
use crate::domain::event::{BaselineCounts, Level};
use crate::domain::model::Resource;
use crate::domain::{diff, model};
use crate::edge::store::{ResourceRecord, StoreError};

/// After how long `shop.baseline` is told with what there is; from the contract.
const BASELINE_PATIENCE: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

impl Shop {
    /// Tells `shop.baseline` once, when every polled resource was answered, an empty list being an answer, or ten
    /// minutes have passed.
    pub async fn tell_baseline(&self) -> Result<(), StoreError> {
        let _held = self.record.lock().await;
        let mut record = self.shared.store.shop(&self.config.id).await?;
        if record.baseline_told {
            return Ok(());
        }
        let now = self.shared.clock.now();
        let mut read = BTreeMap::new();
        for resource in self.config.poll.keys() {
            read.extend(self.shared.store.resource(&self.config.id, *resource).await?.map(|r| (*resource, r)));
        }
        let patience_over = record.began_at.is_some_and(|began| now - began >= BASELINE_PATIENCE);
        let unread = self.config.poll.keys().copied().filter(|resource| !read.contains_key(resource));
        let (empty, unanswered): (Vec<Resource>, Vec<Resource>) =
            unread.partition(|resource| self.is_empty_so_far(*resource));
        if (read.is_empty() && empty.is_empty()) || !(unanswered.is_empty() || patience_over) {
            return Ok(());
        }
        let counts = empty.into_iter().fold(self.counts(&read).await?, none_of);
        let event = self.scribe(now).shop_baseline(counts);
        record.baseline_told = true;
        self.write(record, vec![event]).await
    }

    async fn counts(&self, read: &BTreeMap<Resource, ResourceRecord>) -> Result<BaselineCounts, StoreError> {
        let mut counts = BaselineCounts::default();
        let store = &self.shared.store;
        if let Some(record) = read.get(&Resource::Transactions) {
            counts.sales = Some(record.rows);
        }
        if let Some(record) = read.get(&Resource::Stock) {
            let heads = store.heads(&self.config.id, Resource::Stock).await?.unwrap_or_default();
            let count = |is_such: fn(Level) -> bool| heads.levels().filter(|level| is_such(*level)).count() as u64;
            counts.products = Some(record.rows);
            counts.low = Some(count(|level| matches!(level, Level::Low | Level::Critical)));
            counts.out = Some(count(|level| level == Level::Out));
        }
        counts.members = read.get(&Resource::Members).map(|record| record.rows);
        counts.vendors = read.get(&Resource::Vendors).map(|record| record.rows);
        counts.purchases = read.get(&Resource::BuyDocuments).map(|record| record.rows);
        if read.contains_key(&Resource::Credit) {
            let known = store.known::<diff::credit::CreditRow>(&self.config.id, Resource::Credit).await?;
            if let diff::Known::Rows { rows, .. } = known {
                let pending = rows.values().filter(|row| row.credit.status == Some(model::CreditStatus::Pending));
                counts.pending_credits = Some(pending.count() as u64);
                counts.overdue_credits = Some(diff::credit::count_overdue(rows.values()));
            }
        }
        Ok(counts)
    }
}

/// The same counts where a list was answered and has no rows.
fn none_of(counts: BaselineCounts, resource: Resource) -> BaselineCounts {
    let none = Some(0);
    match resource {
        Resource::Transactions => BaselineCounts { sales: none, ..counts },
        Resource::Stock => BaselineCounts { products: none, low: none, out: none, ..counts },
        Resource::Credit => BaselineCounts { pending_credits: none, overdue_credits: none, ..counts },
        Resource::Members => BaselineCounts { members: none, ..counts },
        Resource::Vendors => BaselineCounts { vendors: none, ..counts },
        Resource::BuyDocuments => BaselineCounts { purchases: none, ..counts },
    }
}
