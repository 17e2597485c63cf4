//! A pass over the credits: the two pending lists, and of the paid ones only as much as is asked about.

use super::days::bangkok_day;
use super::guarded::{self, Believed, Judged};
use super::piece::{Pieces, keep_promise};
use super::{PassError, PassReport, clock_went_on, is_read_otherwise, with_orphans};
use crate::domain::diff::credit::{self, CreditRow, PaidCredits, PendingCredits, Terms};
use crate::domain::diff::through::{self, Numbered, Numbers};
use crate::domain::diff::{Change, Known};
use crate::domain::model::{CreditStatus, Resource};
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
    let begun = shop.shared.clock.mark();
    let Read { pending, paid, rows, calls } = read(shop, &known).await?;
    clock_went_on(shop, begun)?;
    let unreadable = pending.unreadable() as u64;
    let now = shop.shared.clock.now();
    let baseline = known == Known::Nothing;
    let scribe = shop.scribe(now);
    let terms = Terms { buckets: credit::BUCKETS, forget_before: now - shop.shared.retain, scribe: &scribe };
    // One that was looked for and is there, but unreadable, is told with the others and belongs to no list's length.
    let garbled = unreadable + paid.unreadable.len() as u64 + paid.nameless;
    let (changes, believed) = Box::pin(compare(shop, &known, pending, paid, before.as_ref(), &terms)).await?;
    let Believed { alone: _alone, mut last } = believed;
    let mut pieces = Pieces::new(shop, Resource::Credit, now);
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
    last.resource = Some((shop.id().clone(), Resource::Credit, record));
    pieces.finish(*last).await?;
    Ok(PassReport { rows, unreadable: garbled, events: pieces.events(), baseline, empty_so_far: false, is_part: false })
}

/// What was read.
struct Read {
    pending: PendingCredits,
    /// What was found among the paid ones.
    paid: PaidCredits,
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

/// What follows from it, and what the guard says of that.
async fn compare<'a>(
    shop: &'a Shop,
    known: &Known<CreditRow>,
    pending: PendingCredits,
    paid: PaidCredits,
    before: Option<&ResourceRecord>,
    terms: &Terms<'_>,
) -> Result<(Vec<Change<CreditRow>>, Believed<'a>), PassError> {
    let resource = Resource::Credit;
    if is_read_otherwise(shop, resource).await? {
        let believed = Believed::unseen(guarded::clear(shop, resource).await?);
        return Ok((credit::take_quietly(known, pending, terms), believed));
    }
    let now = terms.scribe.now();
    let misses = credit::misses(known, &pending, &paid);
    let share = credit::share(known, &pending, &paid);
    let census = credit::census(known, &pending, &paid, now);
    match credit::compare(known, pending, paid, terms) {
        Ok(changes) => match guarded::judge_pass(shop, resource, census, terms.scribe).await? {
            Judged::Believed(believed) => Ok((changes, believed)),
            Judged::Held(held) => {
                let young = before.map_or(Vec::new(), |record| through::young(changes, share, record.passed_at));
                let told = through::strangers(young, numbers(known));
                Err(held.commit(told, terms.scribe).await?.into())
            }
        },
        Err(unbelievable) => {
            // What a disbelieved reading has taught is kept, without a word and without moving the cursor.
            let mut pieces = Pieces::new(shop, resource, now);
            for change in misses {
                pieces.add(change).await?;
            }
            pieces.finish(Commit::default()).await?;
            Err(unbelievable.into())
        }
    }
}

/// What tells the known credits apart.
fn numbers(known: &Known<CreditRow>) -> Numbers {
    let mut numbers = Numbers::default();
    known.rows().for_each(|row| numbers.add(row.credit.id.clone(), row.code(), row.receipt()));
    numbers
}
