//! The running service's answers to whoever asks at the admin address, and a command's when it asks the store itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use super::listing::{Rows, listing};
use super::problems::problems;
use super::report::{self, Live};
use super::shop::{Shared, Shop};
use super::watchdog::Watch;
use super::{acts, backup, export, fetch, held, replay};
use crate::api::{
    ActDone, ActQuery, DeliveryQuery, EventQuery, FetchLine, FetchQuery, Lines, Pieces, Refusal, ReplayDone,
    ReplayQuery,
};
use crate::api::{Problem, ProblemClass, ProblemKind, Problems, QuotaStatus};
use crate::config::{ChannelConfig, Config};
use crate::domain::diff::guard::Decision;
use crate::domain::disk::DiskFault;
use crate::domain::event::DeliveryId;
use crate::domain::model::{Resource, Timestamp};
use crate::domain::outbox::{Act, State};
use crate::edge::store::{DeliveryFilter, EventFilter, Store, StoreError};
use crate::server::Answers;
use crate::server::listeners::Interface;

/// How long the store may take to say that posbell is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// How many rows a listing has unless asked otherwise.
const LISTED: usize = 100;
/// The most rows of one listing.
pub const LISTED_MOST: usize = 1_000;

/// What answers for a running service.
pub struct ServiceAnswers {
    /// What was configured.
    pub config: Arc<Config>,
    /// What the loops share.
    pub shared: Arc<Shared>,
    /// The shops.
    pub shops: Vec<Arc<Shop>>,
    /// Looks whether the store answers.
    pub watch: Arc<Watch>,
    /// Held by the replay that is under way.
    pub replaying: Arc<Mutex<()>>,
    /// Where it is asked.
    pub interface: Interface,
}

impl Answers for ServiceAnswers {
    async fn unready(&self) -> Vec<String> {
        let looked = async {
            self.shared.store.check().await?;
            self.found_problems().await
        };
        match tokio::time::timeout(READY_WITHIN, looked).await {
            Ok(Ok(found)) => {
                let bell = found.data.iter().filter(|problem| problem.class == ProblemClass::Bell);
                bell.map(Problem::line).collect()
            }
            _ if self.watch.disk_hangs() => vec![hanging().line()],
            _ => vec!["the store does not answer".to_owned()],
        }
    }

    async fn problems(&self) -> Result<String, Refusal> {
        let mut found = self.found_problems().await?;
        found.data.extend(self.interface.problems());
        json(&found)
    }

    async fn status(&self) -> Result<String, Refusal> {
        if self.watch.disk_hangs() {
            return Err(Refusal::Failed(hanging().line()));
        }
        let quota = self.shops.iter().map(|shop| (shop.id().to_string(), quota_of(shop)));
        let rhythms = self.shops.iter().map(|shop| (shop.id().to_string(), shop.rhythm()));
        let blocked = |shop: &Arc<Shop>| Some((shop.id().to_string(), report::millis(shop.pospos.blocked_for()?)));
        let slowed = |shop: &Arc<Shop>| {
            let remaining = shop.pospos.governor().slowed()?.remaining;
            Some((shop.id().to_string(), u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX)))
        };
        let up = self.shared.clock.mark().up;
        let paused = |channel: &ChannelConfig| {
            Some((channel.name.to_string(), self.shared.limits.paused_for(&channel.name, up)?))
        };
        let notes = |shop: &Arc<Shop>| {
            let of_lists = Resource::ALL.into_iter().map(|resource| (resource, shop.pospos.notes(resource)));
            (shop.id().to_string(), of_lists.collect())
        };
        let live = Live {
            health: &self.shared.health,
            quota: quota.collect::<BTreeMap<_, _>>(),
            slowed: self.shops.iter().filter_map(slowed).collect(),
            blocked: self.shops.iter().filter_map(blocked).collect(),
            rhythms: rhythms.collect(),
            notes: self.shops.iter().map(notes).collect(),
            paused: self.config.channels.iter().filter_map(paused).collect(),
            problems: self.interface.problems(),
        };
        json(&report::status(&self.config, &self.shared.store, Some(&live), self.shared.clock.now()).await?)
    }

    async fn events(&self, query: EventQuery) -> Result<Pieces, Refusal> {
        events(&self.shared.store, query, self.shared.clock.now()).await
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<Pieces, Refusal> {
        deliveries(&self.shared.store, query).await
    }

    async fn delivery(&self, id: String) -> Result<String, Refusal> {
        delivery(&self.shared.store, &id).await
    }

    async fn held(&self) -> Result<String, Refusal> {
        held::all(&self.config, &self.shared.store).await
    }

    async fn held_pass(&self, shop: String, resource: String) -> Result<String, Refusal> {
        held::one(&self.config, &self.shared.store, &shop, &resource).await
    }

    async fn decide(&self, shop: String, resource: String, decision: Decision) -> Result<String, Refusal> {
        let _alone = match self.shops.iter().find(|known| known.id().as_str() == shop) {
            Some(found) => Some(found.guard.lock().await),
            None => None,
        };
        held::decide(&self.config, &self.shared.store, &shop, &resource, decision).await
    }

    async fn act(&self, act: Act, query: ActQuery) -> Result<Lines<ActDone>, Refusal> {
        acts::start(&self.config, &self.shared, act, query)
    }

    async fn replay(&self, query: ReplayQuery) -> Result<Lines<ReplayDone>, Refusal> {
        replay::start(&self.config, &self.shared, &self.replaying, &query).await
    }

    async fn resume(&self, shop: String) -> Result<String, Refusal> {
        let found = self.shops.iter().find(|known| known.id().as_str() == shop);
        let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no shop `{shop}`")))?;
        if found.has_another_key(&|name| std::env::var(name).ok()) {
            return Err(Refusal::Wrong(format!(
                "the key of `{shop}` is another one now, and this process still has the refused one: restart the \
                 service (`systemctl restart posbell`)"
            )));
        }
        found.resume().await?;
        Ok("{}".to_owned())
    }

    async fn fetch(&self, shop: String, query: FetchQuery) -> Result<Receiver<FetchLine>, Refusal> {
        let found = self.shops.iter().find(|known| known.id().as_str() == shop);
        let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no shop `{shop}`")))?;
        fetch::start(found, &query).await
    }

    async fn backup(&self) -> Result<Receiver<Vec<u8>>, Refusal> {
        Ok(backup::start(&self.shared.store, self.shared.clock.now()).await?)
    }

    async fn export(&self, query: EventQuery) -> Result<Receiver<FetchLine>, Refusal> {
        export::start(&self.shared.store, query, self.shared.clock.now())
    }
}

impl ServiceAnswers {
    /// The problems; of a store that does not answer just that.
    async fn found_problems(&self) -> Result<Problems, StoreError> {
        if self.watch.disk_hangs() {
            return Ok(Problems { data: vec![hanging()] });
        }
        problems(&self.config, &self.shared.store, self.shared.clock.now()).await
    }
}

fn hanging() -> Problem {
    Problem { fault: Some(DiskFault::Hanging), ..Problem::of(ProblemKind::Disk, None) }
}

fn quota_of(shop: &Shop) -> Vec<QuotaStatus> {
    let left = shop.pospos.governor().left();
    left.into_iter().map(|(limit, left)| QuotaStatus { limit: limit.to_string(), left }).collect()
}

/// The events that `query` asks for, `{"data":[…],"last":number}`. The number is that of the last one: `after` of the next
/// question. Where there is none, it is the `after` of this one, or `null` while nothing has ever happened.
pub async fn events(store: &Store, query: EventQuery, now: Timestamp) -> Result<Pieces, Refusal> {
    let since = query.since.as_deref().map(|text| since(text, now)).transpose()?;
    let limit = limit(query.limit)?;
    let after = query.after;
    let before = match &query.before {
        Some(_) if after.is_some() => return Err(Refusal::Wrong("give one of `after` and `before`".to_owned())),
        Some(id) => {
            let missing = || Refusal::NotFound(format!("there is no event `{id}`"));
            Some(store.event_number(&of_id(id).ok_or_else(missing)?).await?.ok_or_else(missing)?)
        }
        None => None,
    };
    let filter =
        EventFilter { kind: query.kind, shop: query.shop, subject: query.subject, since, after, before, limit };
    let numbers = store.event_numbers(filter).await?;
    let last = match (numbers.last(), after) {
        (Some(number), _) => Some(*number),
        (None, Some(after)) => Some(after),
        // Nothing passes the filter yet: what comes is after the newest of all.
        (None, None) => store.event_numbers(EventFilter { limit: 1, ..EventFilter::default() }).await?.pop(),
    };
    let tail = format!("],\"last\":{}}}", last.map_or("null".to_owned(), |last| last.to_string()));
    Ok(listing(store, Rows::Events, numbers, tail))
}

/// The deliveries that `query` asks for, `{"data":[…]}`.
pub async fn deliveries(store: &Store, query: DeliveryQuery) -> Result<Pieces, Refusal> {
    if let Some(state) = query.state.as_ref().filter(|state| !State::NAMES.contains(&state.as_str())) {
        return Err(Refusal::Wrong(format!("`{state}` is no state; it is one of: {}", State::NAMES.join(", "))));
    }
    let before = match &query.before {
        Some(id) => {
            let missing = || Refusal::NotFound(format!("there is no delivery `{id}`"));
            Some(store.delivery_number(of_id(id).ok_or_else(missing)?).await?.ok_or_else(missing)?)
        }
        None => None,
    };
    let limit = limit(query.limit)?;
    let filter = DeliveryFilter { state: query.state, channel: query.channel, before, limit };
    let numbers = store.delivery_numbers(filter.clone()).await?;
    Ok(listing(store, Rows::Deliveries(filter), numbers, "]}".to_owned()))
}

/// The delivery with this id.
pub async fn delivery(store: &Store, id: &str) -> Result<String, Refusal> {
    let missing = || Refusal::NotFound(format!("there is no delivery `{id}`"));
    let id: DeliveryId = of_id(id).ok_or_else(missing)?;
    json(&store.delivery(id).await?.ok_or_else(missing)?)
}

/// An id as it is written, where it can be one.
fn of_id<T: DeserializeOwned>(id: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(id)).ok()
}

/// `since` as a moment: `2h` is so long before `now`, or an RFC 3339 time.
pub(super) fn since(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let ago = humantime::parse_duration(text).ok().filter(|ago| *ago <= Duration::from_secs(100 * 365 * 86_400));
    let moment = ago.map(|ago| now - ago).or_else(|| text.parse().ok());
    moment.ok_or_else(|| Refusal::Wrong(format!("`{text}` is no time; write `2h`, `7d` or `2026-11-23T00:00:00Z`")))
}

fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked {
        None => Ok(LISTED),
        Some(limit @ 1..=LISTED_MOST) => Ok(limit),
        Some(_) => Err(Refusal::Wrong(format!("`limit` must be from 1 to {LISTED_MOST}"))),
    }
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Refusal> {
    serde_json::to_string(value).map_err(failed)
}

pub(super) fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(error.to_string())
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        failed(error)
    }
}
