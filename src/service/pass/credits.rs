//! A pass over the credits: the two pending lists, and of the paid ones only as much as is asked about.

use std::collections::BTreeMap;

use super::guarded::{self, Judged};
use super::piece::{Pieces, keep_promise};
use super::sales::bangkok_day;
use super::{PassError, PassReport, is_read_otherwise, with_orphans};
use crate::domain::diff::Known;
use crate::domain::diff::credit::{self, CreditRow, PendingCredits};
use crate::domain::model::{Credit, CreditStatus, EntityId, Resource};
use crate::edge::pospos::Period;
use crate::edge::pospos::quota::Urgency;
use crate::edge::store::{Commit, ResourceRecord};
use crate::service::shop::Shop;

/// One pass.
pub(super) async fn pass(shop: &Shop) -> Result<PassReport, PassError> {
    keep_promise(shop, Resource::Credit).await?;
    let store = &shop.shared.store;
    let known = store.known::<CreditRow>(shop.id(), Resource::Credit).await?;
    let before = store.resource(shop.id(), Resource::Credit).await?;
    let Read { pending, paid, rows, calls } = read(shop, &known).await?;
    let unreadable = pending.unreadable() as u64;
    let now = shop.shared.clock.now();
    let baseline = known == Known::Nothing;
    let mut pieces = Pieces::new(shop, Resource::Credit, now);
    let (changes, mut last) = match is_read_otherwise(shop, Resource::Credit).await? {
        true => {
            let last = guarded::clear(shop, Resource::Credit).await?;
            (credit::take_quietly(&known, pending, credit::BUCKETS), last)
        }
        false => {
            let misses = credit::misses(&known, &pending, &paid);
            let census = credit::census(&known, &pending, &paid, now);
            match credit::compare(&known, pending, paid, credit::BUCKETS, &shop.scribe(now)) {
                Ok(changes) => match guarded::judge_pass(shop, Resource::Credit, census, &shop.scribe(now)).await? {
                    Judged::Held(held) => return Err(held.into()),
                    Judged::Believed { summary, last } => {
                        if summary {
                            pieces.summarize();
                        }
                        (changes, *last)
                    }
                },
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
        heads: false,
        rows,
        unreadable,
        calls,
    };
    last.resource = Some((shop.id().clone(), Resource::Credit, record));
    pieces.finish(last).await?;
    Ok(PassReport { rows, unreadable, events: pieces.events(), baseline })
}

/// What was read.
struct Read {
    pending: PendingCredits,
    /// What was found among the paid ones.
    paid: BTreeMap<EntityId, Credit>,
    rows: u64,
    calls: u32,
}

async fn read(shop: &Shop, known: &Known<CreditRow>) -> Result<Read, PassError> {
    let today = bangkok_day(shop.shared.clock.now());
    // In this order: see PendingCredits::join.
    let pending = CreditStatus::Pending;
    let in_period = shop.pospos.credit(Period::InOfPeriod, pending, today, Urgency::Sweep).await?;
    let out_of_period = shop.pospos.credit(Period::OutOfPeriod, pending, today, Urgency::Sweep).await?;
    let lists = [&in_period, &out_of_period];
    let calls = lists.iter().map(|list| shop.pages((list.rows().len() + list.unreadable()) as u64)).sum();
    let rows = lists.iter().map(|list| list.rows().len() as u64).sum();
    let limits = shop.config.guard.of(Resource::Credit);
    let pending = PendingCredits::join(in_period, out_of_period);
    credit::check_periods(&pending, &limits)?;
    let paid = shop.pospos.credit_find(&pending.wanted(known, &limits), today, Urgency::Sweep).await?;
    Ok(Read { pending, paid, rows, calls })
}
