//! A pass over the credits: the two pending lists, and of the paid ones only as much as is asked about.

use super::piece::Pieces;
use super::sales::bangkok_day;
use super::{PassError, PassReport, is_read_otherwise, with_orphans};
use crate::domain::diff::Known;
use crate::domain::diff::credit::{self, CreditRow, PendingCredits, Terms};
use crate::domain::model::{CreditStatus, Resource};
use crate::edge::pospos::Period;
use crate::edge::pospos::quota::Urgency;
use crate::edge::store::{Commit, ResourceRecord};
use crate::service::shop::Shop;

/// One pass.
pub(super) async fn pass(shop: &Shop) -> Result<PassReport, PassError> {
    let store = &shop.shared.store;
    let known = store.known::<CreditRow>(shop.id(), Resource::Credit).await?;
    let before = store.resource(shop.id(), Resource::Credit).await?;
    let today = bangkok_day(shop.shared.clock.now());
    // In this order: see PendingCredits::join.
    let pending = CreditStatus::Pending;
    let in_period = shop.pospos.credit(Period::InOfPeriod, pending, today, Urgency::Sweep).await?;
    let out_of_period = shop.pospos.credit(Period::OutOfPeriod, pending, today, Urgency::Sweep).await?;
    let lists = [&in_period, &out_of_period];
    let calls = lists.iter().map(|list| shop.pages((list.rows().len() + list.unreadable()) as u64)).sum();
    let rows = lists.iter().map(|list| list.rows().len() as u64).sum();
    let unreadable = lists.iter().map(|list| list.unreadable() as u64).sum();
    let pending = PendingCredits::join(in_period, out_of_period);
    let paid = shop.pospos.credit_find(&pending.wanted(&known), today, Urgency::Sweep).await?;
    let now = shop.shared.clock.now();
    let baseline = known == Known::Nothing;
    let mut pieces = Pieces::new(shop, Resource::Credit, now);
    let scribe = shop.scribe(now);
    let terms = Terms { buckets: credit::BUCKETS, forget_before: now - shop.shared.retain, scribe: &scribe };
    // One that was looked for and is there, but unreadable, is told with the others and belongs to no list's length.
    let garbled = unreadable + paid.unreadable.len() as u64 + paid.nameless;
    let changes = match is_read_otherwise(shop, Resource::Credit).await? {
        true => credit::take_quietly(&known, pending, &terms),
        false => {
            let misses = credit::misses(&known, &pending, &paid);
            match credit::compare(&known, pending, paid, &terms) {
                Ok(changes) => changes,
                Err(unbelievable) => {
                    // What a disbelieved reading has taught is kept, without a word and without moving the cursor.
                    for change in misses {
                        pieces.add(change).await?;
                    }
                    pieces.finish(Commit::default()).await?;
                    return Err(unbelievable.into());
                }
            }
        }
    };
    for change in with_orphans(shop, Resource::Credit, changes, baseline).await? {
        pieces.add(change).await?;
    }
    let record = ResourceRecord {
        baseline_at: before.as_ref().map_or(now, |record| record.baseline_at),
        passed_at: now,
        horizon: None,
        fields: shop.fields_of(Resource::Credit),
        measure: String::new(),
        rows,
        unreadable,
        calls,
    };
    let last = Commit { resource: Some((shop.id().clone(), Resource::Credit, record)), ..Commit::default() };
    pieces.finish(last).await?;
    Ok(PassReport { rows, unreadable: garbled, events: pieces.events(), baseline })
}
