//! The running service's answers to whoever asks at the admin address, and a command's when it asks the store itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use super::problems::{Problem, ProblemClass, problems};
use super::report::{self, Live, QuotaStatus};
use super::shop::{Shared, Shop};
use super::{acts, backup, export, fetch, held, replay};
use crate::config::{ChannelConfig, Config};
use crate::domain::diff::guard::Decision;
use crate::domain::event::DeliveryId;
use crate::domain::model::{Resource, Timestamp};
use crate::domain::outbox::{Act, Delivery, State};
use crate::edge::admin::{
    ActDone, ActQuery, Answers, DeliveryQuery, EventQuery, FetchLine, FetchQuery, Lines, Refusal, ReplayDone,
    ReplayQuery,
};
use crate::edge::store::{DeliveryFilter, EventFilter, Store, StoreError};

/// How many rows a listing has unless asked otherwise.
const LISTED: usize = 100;
/// The most rows of one listing: about 20 MB of events.
const LISTED_MOST: usize = 10_000;

/// What answers for a running service.
pub struct ServiceAnswers {
    /// What was configured.
    pub config: Arc<Config>,
    /// What the loops share.
    pub shared: Arc<Shared>,
    /// The shops.
    pub shops: Vec<Arc<Shop>>,
    /// Held by the replay that is under way.
    pub replaying: Arc<Mutex<()>>,
}

impl Answers for ServiceAnswers {
    async fn unready(&self) -> Vec<String> {
        let store = &self.shared.store;
        let found = match store.check().await {
            Ok(()) => problems(&self.config, store, self.shared.clock.now()).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => {
                let bell = found.data.iter().filter(|problem| problem.class == ProblemClass::Bell);
                bell.map(Problem::line).collect()
            }
            Err(_) => vec!["the store does not answer".to_owned()],
        }
    }

    async fn problems(&self) -> Result<String, Refusal> {
        json(&problems(&self.config, &self.shared.store, self.shared.clock.now()).await?)
    }

    async fn status(&self) -> Result<String, Refusal> {
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
        };
        json(&report::status(&self.config, &self.shared.store, Some(&live), self.shared.clock.now()).await?)
    }

    async fn events(&self, query: EventQuery) -> Result<String, Refusal> {
        events(&self.shared.store, query, self.shared.clock.now()).await
    }

    async fn deliveries(&self, query: DeliveryQuery) -> Result<String, Refusal> {
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

fn quota_of(shop: &Shop) -> Vec<QuotaStatus> {
    let left = shop.pospos.governor().left();
    left.into_iter().map(|(limit, left)| QuotaStatus { limit: limit.to_string(), left }).collect()
}

#[derive(Serialize)]
struct EventList {
    data: Vec<Box<RawValue>>,
    /// The number of the last one: `after` of the next question. Where there is none, the `after` of this one, or
    /// `null` while nothing has ever happened.
    last: Option<u64>,
}

/// The events that `query` asks for.
pub async fn events(store: &Store, query: EventQuery, now: Timestamp) -> Result<String, Refusal> {
    let since = query.since.as_deref().map(|text| since(text, now)).transpose()?;
    let limit = limit(query.limit)?;
    let after = query.after;
    let filter = EventFilter { kind: query.kind, shop: query.shop, subject: query.subject, since, after, limit };
    let found = store.events(filter).await?;
    let last = match (found.last(), after) {
        (Some((number, _)), _) => Some(*number),
        (None, Some(after)) => Some(after),
        // Nothing passes the filter yet: what comes is after the newest of all.
        (None, None) => store.events(EventFilter { limit: 1, ..EventFilter::default() }).await?.last().map(|(n, _)| *n),
    };
    let data = found.into_iter().map(|(_, json)| RawValue::from_string(json)).collect::<Result<_, _>>();
    json(&EventList { data: data.map_err(failed)?, last })
}

#[derive(Serialize)]
struct DeliveryList {
    data: Vec<Delivery>,
}

/// The deliveries that `query` asks for.
pub async fn deliveries(store: &Store, query: DeliveryQuery) -> Result<String, Refusal> {
    if let Some(state) = query.state.as_ref().filter(|state| !State::NAMES.contains(&state.as_str())) {
        return Err(Refusal::Wrong(format!("`{state}` is no state; it is one of: {}", State::NAMES.join(", "))));
    }
    let filter = DeliveryFilter { state: query.state, channel: query.channel, limit: limit(query.limit)? };
    json(&DeliveryList { data: store.deliveries(filter).await? })
}

/// The delivery with this id.
pub async fn delivery(store: &Store, id: &str) -> Result<String, Refusal> {
    let missing = || Refusal::NotFound(format!("there is no delivery `{id}`"));
    let quoted = serde_json::to_string(id).map_err(failed)?;
    let id: DeliveryId = serde_json::from_str(&quoted).map_err(|_| missing())?;
    json(&store.delivery(id).await?.ok_or_else(missing)?)
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

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Failed(error.to_string())
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        failed(error)
    }
}
