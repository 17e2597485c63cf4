//! What posbell says about itself when it is asked: the status.
//!
//! Only the running service knows what has failed lately and what is left of the quota.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::health::{Failing, Health};
use super::pace;
use super::problems::problems;
use super::running::Running;
use super::shared::Shared;
use super::shop::{Shop, costs};
use super::telemetry;
use crate::api::{
    ChannelStatus, CopiesStatus, CopyStatus, FailingStatus, HeldStatus, OverflowStatus, Problem, ProblemKind,
    QuotaStatus, ReadingStatus, ResourceStatus, ShopStatus, Status,
};
use crate::config::{ChannelConfig, ChannelKind, Config};
use crate::domain::model::{Resource, Timestamp};
use crate::domain::rhythm::Rhythm;
use crate::edge::pospos::{ListNotes, Progress};
use crate::edge::store::{OutboxCounts, Shelf, Store, StoreError};

impl From<Progress> for ReadingStatus {
    fn from(progress: Progress) -> Self {
        let Progress { rows, calls, of_calls } = progress;
        Self { rows, calls, of_calls }
    }
}

impl From<Failing> for FailingStatus {
    fn from(failing: Failing) -> Self {
        Self { since: failing.since, times: failing.times, why: failing.in_full() }
    }
}

/// What only a running service knows.
pub struct Live<'a> {
    /// What has failed lately.
    pub health: &'a Health,
    /// What is left of the quota of each shop, by id.
    pub quota: BTreeMap<String, Vec<QuotaStatus>>,
    /// For how many milliseconds a shop is still slowed, by id.
    pub slowed: BTreeMap<String, u64>,
    /// For how many milliseconds no call of a shop is made, by id.
    pub blocked: BTreeMap<String, u64>,
    /// How each shop is read now, by id.
    pub rhythms: BTreeMap<String, Rhythm>,
    /// What there is to say of the lists of each shop besides their rows, by id.
    pub notes: BTreeMap<String, BTreeMap<Resource, ListNotes>>,
    /// For how much longer receivers asked to be left alone, by channel.
    pub paused: BTreeMap<String, Duration>,
    /// Problems that the process knows of and the store does not.
    pub problems: Vec<Problem>,
}

impl<'a> Live<'a> {
    /// What is known now.
    pub fn of(running: &Running, shared: &'a Shared, config: &Config) -> Live<'a> {
        let shops = &running.shops;
        let quota = shops.iter().map(|shop| (shop.id().to_string(), quota_of(shop)));
        let rhythms = shops.iter().map(|shop| (shop.id().to_string(), shop.rhythm()));
        let blocked = |shop: &Arc<Shop>| Some((shop.id().to_string(), millis(shop.pospos.blocked_for()?)));
        let slowed = |shop: &Arc<Shop>| {
            let remaining = shop.pospos.governor().slowed()?.remaining;
            Some((shop.id().to_string(), millis(remaining)))
        };
        let up = shared.clock.mark().up;
        let paused =
            |channel: &ChannelConfig| Some((channel.name.to_string(), shared.limits.paused_for(&channel.name, up)?));
        let notes = |shop: &Arc<Shop>| {
            let of_lists = Resource::ALL.into_iter().map(|resource| (resource, shop.pospos.notes(resource)));
            (shop.id().to_string(), of_lists.collect())
        };
        Live {
            health: &shared.health,
            quota: quota.collect(),
            slowed: shops.iter().filter_map(slowed).collect(),
            blocked: shops.iter().filter_map(blocked).collect(),
            rhythms: rhythms.collect(),
            notes: shops.iter().map(notes).collect(),
            paused: config.channels.iter().filter_map(paused).collect(),
            problems: running.doors.problems(),
        }
    }
}

fn quota_of(shop: &Shop) -> Vec<QuotaStatus> {
    let left = shop.pospos.governor().left();
    left.into_iter().map(|(limit, left)| QuotaStatus { limit: limit.to_string(), left }).collect()
}

/// The status, as far as the store and, if it runs, the service know it.
pub async fn status(
    config: &Config,
    store: &Store,
    live: Option<&Live<'_>>,
    now: Timestamp,
) -> Result<Status, StoreError> {
    let mut shops = Vec::new();
    for shop in &config.shops {
        let record = store.shop(&shop.id).await?;
        let rhythm = match live.and_then(|live| live.rhythms.get(shop.id.as_str())) {
            Some(rhythm) => rhythm.clone(),
            None => pace::by_day(shop, &shop.quota, &costs(shop, store).await?),
        };
        let mut resources = Vec::new();
        for (resource, interval) in &shop.poll {
            let pass = store.resource(&shop.id, *resource).await?;
            let notes = live.and_then(|live| live.notes.get(shop.id.as_str())?.get(resource).cloned());
            let notes = notes.unwrap_or_default();
            resources.push(ResourceStatus {
                resource: resource.name().to_owned(),
                every_ms: millis(*interval),
                effective_ms: rhythm.paces.get(resource).map_or(millis(*interval), |pace| millis(pace.every)),
                pace: rhythm.paces.get(resource).map_or("configured", pace::reason).to_owned(),
                passed_at: pass.as_ref().map(|pass| pass.passed_at),
                rows: pass.as_ref().map(|pass| pass.rows),
                unreadable: pass.as_ref().map(|pass| pass.unreadable),
                left_out_because: notes.left_out.map(|why| why.to_string()),
                cut: notes.cut,
                reading: notes.progress.map(ReadingStatus::from),
                no_quantities: *resource == Resource::Stock && live.is_some_and(|live| live.health.was_blind(&shop.id)),
                empty_so_far: live.is_some_and(|live| live.health.is_empty_so_far(&shop.id, *resource)),
                held: store.held(&shop.id, *resource).await?.map(HeldStatus::from),
                failing: live.and_then(|live| live.health.pass(&shop.id, *resource)).map(FailingStatus::from),
                stale: record.stale.told.get(resource).is_some_and(|list| !list.never),
                never_read: record.stale.told.get(resource).is_some_and(|list| list.never),
            });
        }
        shops.push(ShopStatus {
            id: shop.id.to_string(),
            name: shop.name.clone(),
            key_refused: record.stopped.map(|stopped| stopped.status),
            resources,
            quota: live.and_then(|live| live.quota.get(shop.id.as_str()).cloned()).unwrap_or_default(),
            slowed_ms: live.and_then(|live| live.slowed.get(shop.id.as_str()).copied()),
            blocked_ms: live.and_then(|live| live.blocked.get(shop.id.as_str()).copied()),
        });
    }
    let mut counts = store.outbox_counts().await?;
    let channels = channels_status(config, store, live, &mut counts, now).await?;
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        running: live.is_some(),
        shops,
        channels,
        orphaned: counts.waiting,
        dead: counts.dead,
        copies: copies_status(config, live, now),
        problems: problems_of(config, store, live, now).await?,
        log_dropped: if live.is_some() { telemetry::dropped() } else { 0 },
    })
}

async fn problems_of(
    config: &Config,
    store: &Store,
    live: Option<&Live<'_>>,
    now: Timestamp,
) -> Result<Vec<Problem>, StoreError> {
    let not_running = live.is_none().then(|| Problem::of(ProblemKind::NotRunning, None));
    let own = live.map(|live| live.problems.clone()).unwrap_or_default();
    let found = problems(config, store, now).await?;
    Ok(not_running.into_iter().chain(found.data).chain(own).collect())
}

/// The channels, in the order of the configuration; what waits for them is taken out of `counts`.
async fn channels_status(
    config: &Config,
    store: &Store,
    live: Option<&Live<'_>>,
    counts: &mut OutboxCounts,
    now: Timestamp,
) -> Result<Vec<ChannelStatus>, StoreError> {
    let mut overflows = store.overflows().await?;
    let told = store.channels_told().await?;
    let grouped = store.all_rule_state().await?;
    let mut channels = Vec::new();
    for ChannelConfig { name, kind, .. } in &config.channels {
        let pause = live.and_then(|live| live.paused.get(name.as_str()));
        let paused_until = pause.and_then(|pause| now.checked_add_signed(TimeDelta::from_std(*pause).ok()?));
        channels.push(ChannelStatus {
            name: name.to_string(),
            kind: kind_name(kind).to_owned(),
            waiting: counts.waiting.remove(name.as_str()).unwrap_or_default(),
            grouped: grouped.waiting_for(name),
            next_try: store.next_due(name).await?.map(|due| paused_until.map_or(due, |until| due.max(until))),
            paused_until,
            overflow: overflows
                .remove(name)
                .map(|overflow| OverflowStatus { since: overflow.since, refused: overflow.refused }),
            failing: live.and_then(|live| live.health.channel(name)).map(FailingStatus::from),
            told_failing: told.0.get(name).and_then(|told| told.failing.as_ref()).map(|failing| failing.since),
        });
    }
    Ok(channels)
}

/// A directory that cannot be read is told by the loop that would write into it.
fn copies_status(config: &Config, live: Option<&Live<'_>>, now: Timestamp) -> CopiesStatus {
    let copies = Shelf::of(&config.data_dir).copies(now).unwrap_or_default();
    let newest = copies.first().map(|copy| CopyStatus { made_at: copy.made_at, bytes: copy.bytes });
    CopiesStatus { newest, failing: live.and_then(|live| live.health.copies()).map(FailingStatus::from) }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The word for a channel's type.
pub fn kind_name(kind: &ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Webhook { .. } => "webhook",
        ChannelKind::Email { .. } => "email",
        ChannelKind::Telegram { .. } => "telegram",
    }
}

/// Whether every polled resource of every shop was read at least once.
pub fn is_read(status: &Status) -> bool {
    let mut resources = status.shops.iter().flat_map(|shop| &shop.resources);
    resources.all(|resource| resource.passed_at.is_some() && Resource::by_name(&resource.resource).is_some())
}
