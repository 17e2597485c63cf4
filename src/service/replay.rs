//! Past events sent again: which messages that makes, and how an interrupted replay goes on.
//!
//! **What is sent again is the message that was planned then**, with its ids, members and bytes, whether it was
//! delivered, is a dead letter or was dropped; what waits is left alone. Where one channel is named, the events that its
//! rules send there now and that were never planned for it are planned too: so a new channel gets its past.
//!
//! **Going on.** A delivered message can be sent again any number of times, so nothing in it says whether this replay
//! has had it. Therefore each step writes down how far it has come, in the same commit. Killed in between, the same
//! words said again within the hour go on from there and double nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Sender};
use tracing::{error, info};

use super::acts::{AT_ONCE, Broken, LINES_AHEAD, Places, channel, end, progress};
use super::app::App;
use super::guard::read_event;
use super::listing::since;
use crate::api::{ActLine, Lines, Refusal, ReplayCount, ReplayDone, ReplayExample, ReplayQuery, ReplayResumed};
use crate::config::Config;
use crate::domain::event::{EventId, Pattern};
use crate::domain::model::{ChannelName, Timestamp};
use crate::domain::outbox::{Act, Address, Again, Delivery};
use crate::domain::publish::{GroupKey, OpenGroup, Plan};
use crate::edge::store::{Commit, PastFilter, ReplayPlace, ReplayRecord, Store, StoreError};

/// How long after its last step an interrupted replay goes on when the same is said again: enough for a person to see
/// that the machine has restarted, and so short that `--since 2h` does not mean another two hours.
const GOES_ON_WITHIN: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// How long a replay waits for the one before it, which may be about to end.
const TURN: Duration = Duration::from_secs(5);

/// How many messages are shown as examples.
const SHOWN: usize = 5;

/// The type under which messages of several events are counted.
const DIGEST: &str = "digest";

/// What is to be sent again.
#[derive(Debug, Clone)]
pub struct ReplayPlan {
    words: String,
    filter: PastFilter,
    dry_run: bool,
}

/// What the words mean now, or what is wrong with them.
pub fn plan(config: &Config, query: &ReplayQuery, now: Timestamp) -> Result<ReplayPlan, Refusal> {
    let ReplayQuery { since: from, until, channel: name, kind, failed, dry_run } = query;
    let kinds = kind.as_deref().map(Pattern::parse).transpose().map_err(|error| {
        Refusal::Wrong(format!("{error}; write a type such as `sale.created` or a family such as `stock.*`"))
    })?;
    let filter = PastFilter {
        since: since(from, now)?,
        until: until.as_deref().map_or(Ok(now), |until| since(until, now))?,
        kinds,
        channel: name.as_deref().map(|name| channel(config, name)).transpose()?,
        failed: *failed,
    };
    if filter.since >= filter.until {
        return Err(Refusal::Wrong(format!("there is no time between {} and {}", filter.since, filter.until)));
    }
    let words = format!("{:?}", (from, until, name, kind, failed));
    Ok(ReplayPlan { words, filter, dry_run: *dry_run })
}

/// Begins a replay, and returns its lines as they come.
pub async fn start(app: &Arc<App>, query: &ReplayQuery) -> Result<Lines<ReplayDone>, Refusal> {
    let plan = plan(&app.config, query, app.shared.clock.now())?;
    let alone = match plan.dry_run {
        true => None,
        false => Some(turn(app, &plan).await?),
    };
    let (lines, received) = mpsc::channel(LINES_AHEAD);
    let app = Arc::clone(app);
    #[expect(clippy::disallowed_methods, reason = "it ends after its step when nobody listens any more")]
    tokio::spawn(async move {
        let _alone = alone;
        run(&app, plan, &lines).await;
    });
    Ok(received)
}

/// Waits for the replay before this one. Said twice at once, the second finds nothing to go on with and is refused: it
/// would send again what the first has sent meanwhile.
async fn turn(app: &App, plan: &ReplayPlan) -> Result<tokio::sync::OwnedMutexGuard<()>, Refusal> {
    if let Ok(alone) = Arc::clone(&app.replaying).try_lock_owned() {
        return Ok(alone);
    }
    let refused = || {
        let why = "another replay was under way; nothing was queued by this one, say it again if it is still wanted";
        Refusal::Failed(why.to_owned())
    };
    let alone = tokio::time::timeout(TURN, Arc::clone(&app.replaying).lock_owned()).await.map_err(|_| refused())?;
    match interrupted(&app.shared.store, plan, app.shared.clock.now()).await? {
        Some(_) => Ok(alone),
        None => Err(refused()),
    }
}

/// The replay of these words that was interrupted lately.
async fn interrupted(store: &Store, plan: &ReplayPlan, now: Timestamp) -> Result<Option<ReplayRecord>, StoreError> {
    let found = store.replay().await?;
    Ok(found.filter(|record| record.words == plan.words && (now - record.at).abs() <= GOES_ON_WITHIN))
}

/// Does what was asked, and sends line after line until it is done or nobody listens.
///
/// How far it has come is forgotten only once somebody has taken the last line: who does not learn that it has ended
/// says it again, and that must not send everything once more.
pub async fn run(app: &App, plan: ReplayPlan, lines: &Sender<ActLine<ReplayDone>>) {
    let dry_run = plan.dry_run;
    let worked = match Replay::begin(app, plan, lines).await {
        Ok(replay) => replay.run().await,
        Err(error) => Err(error),
    };
    let is_done = worked.is_ok() && !dry_run;
    if end(worked, lines).await
        && is_done
        && let Err(error) = app.shared.store.commit(Commit { replay: Some(None), ..Commit::default() }).await
    {
        error!("that a replay has ended could not be written down: {error}");
    }
}

/// A message that is sent again.
struct Message {
    delivery: Delivery,
    seen: Timestamp,
    kind: String,
    subject: String,
}

/// A replay under way.
struct Replay<'a> {
    app: &'a App,
    lines: &'a Sender<ActLine<ReplayDone>>,
    filter: PastFilter,
    record: ReplayRecord,
    counts: BTreeMap<(String, String), u64>,
    done: ReplayDone,
}

impl<'a> Replay<'a> {
    async fn begin(
        app: &'a App,
        plan: ReplayPlan,
        lines: &'a Sender<ActLine<ReplayDone>>,
    ) -> Result<Replay<'a>, Broken> {
        let now = app.shared.clock.now();
        let before = interrupted(&app.shared.store, &plan, now).await?;
        let resumed =
            before.as_ref().map(|before| ReplayResumed { began_at: before.began_at, messages: before.queued });
        let PastFilter { since, until, .. } = plan.filter;
        let next = ReplayPlace::Deliveries(0);
        let new = || ReplayRecord { words: plan.words, began_at: now, at: now, since, until, next, queued: 0 };
        let record = before.unwrap_or_else(new);
        let (since, until) = (record.since, record.until);
        let done = ReplayDone {
            since,
            until,
            dry_run: plan.dry_run,
            messages: 0,
            waiting: 0,
            lost: 0,
            orphaned: 0,
            counts: Vec::new(),
            first: Vec::new(),
            resumed,
        };
        let filter = PastFilter { since, until, ..plan.filter };
        Ok(Replay { app, lines, filter, record, counts: BTreeMap::new(), done })
    }

    async fn run(mut self) -> Result<ReplayDone, Broken> {
        let places = Places::of(&self.app.config);
        while let ReplayPlace::Deliveries(from) = self.record.next {
            if !self.send_again(from, &places).await? {
                break;
            }
        }
        if let (Some(channel), false) = (self.filter.channel.clone(), self.filter.failed) {
            let gathered = self.gathered(&channel).await?;
            while let ReplayPlace::Events(from) = self.record.next {
                if !self.plan_missing(from, &channel, &gathered).await? {
                    break;
                }
            }
        }
        if !self.done.dry_run {
            info!("{} messages were made due again, because a person said so", self.done.messages);
        }
        let counts = self.counts.into_iter();
        self.done.counts = counts.map(|((channel, kind), messages)| ReplayCount { channel, kind, messages }).collect();
        Ok(self.done)
    }

    /// The next part of what was planned before. Returns whether there is more.
    async fn send_again(&mut self, from: u64, places: &Places) -> Result<bool, Broken> {
        let page = self.app.shared.store.past_deliveries(from, self.filter.clone(), AT_ONCE).await?;
        self.done.lost += page.unreadable;
        let mut messages = Vec::new();
        for past in page.found {
            if past.delivery.state.due_at().is_some() {
                self.done.waiting += 1;
            } else if past.is_lost {
                self.done.lost += 1;
            } else if !places.has(&past.delivery) {
                self.done.orphaned += 1;
            } else {
                let subject = past.subject.as_str().to_owned();
                messages.push(Message { delivery: past.delivery, seen: past.seen, kind: past.kind, subject });
            }
        }
        self.record.next = page.next.map_or(ReplayPlace::Events(0), ReplayPlace::Deliveries);
        let now = self.app.shared.clock.now();
        let acts = messages.iter().map(|message| (message.delivery.id.clone(), Act::Replay, now)).collect();
        self.step(&messages, Commit { acts, ..Commit::default() }).await?;
        Ok(page.next.is_some())
    }

    /// The next part of the events that were never planned for the channel. Returns whether there is more.
    async fn plan_missing(
        &mut self,
        from: u64,
        channel: &ChannelName,
        gathered: &HashSet<u64>,
    ) -> Result<bool, Broken> {
        let page = self.app.shared.store.past_events(from, self.filter.clone(), AT_ONCE).await?;
        let (settings, now) = (&self.app.shared.settings, self.app.shared.clock.now());
        let mut messages = Vec::new();
        // Also what a pass that was under way has brought since the beginning.
        let grouped: HashSet<u64> = self.grouped(channel).await?.into_iter().collect();
        for (seen, json) in page.found {
            // What another version has written cannot be matched with the rules of this one.
            let Some(event) = read_event(&json) else { continue };
            for delivery in Plan::of([&event], settings).at_once(now) {
                let pair = pair(delivery.recipient.as_deref(), &event.id);
                let is_gathered = gathered.contains(&pair) || grouped.contains(&pair);
                if delivery.channel == *channel && !is_gathered {
                    let delivery = Delivery { again: Some(Again { since: now, tried: 0 }), ..delivery };
                    let (kind, subject) = (event.kind.name().to_owned(), event.subject.as_str().to_owned());
                    messages.push(Message { delivery, seen, kind, subject });
                }
            }
        }
        let ids = messages.iter().map(|message| message.delivery.id.clone()).collect();
        let known = self.app.shared.store.are_planned(ids).await?;
        let missing: Vec<Message> =
            messages.into_iter().zip(known).filter(|(_, known)| !known).map(|(message, _)| message).collect();
        // Killed between two of these, the next time finds the first ones planned.
        for some in missing.chunks(AT_ONCE) {
            let deliveries = some.iter().map(|message| message.delivery.clone()).collect();
            self.step(some, Commit { deliveries, ..Commit::default() }).await?;
        }
        self.record.next = ReplayPlace::Events(page.next.unwrap_or_default());
        if missing.is_empty() {
            progress(self.lines, self.done.messages).await?;
        }
        Ok(page.next.is_some())
    }

    /// The events that have reached the channel in messages of several or wait for one, each with its recipient, as hashes: a price list
    /// of 100,000 products must not take the memory of its ids.
    async fn gathered(&self, channel: &ChannelName) -> Result<HashSet<u64>, Broken> {
        let mut all = HashSet::new();
        // Before the deliveries: what is sent meanwhile is found there.
        all.extend(self.grouped(channel).await?);
        let mut from = Some(0);
        while let Some(first) = from {
            let of = channel.clone();
            let gathered = move |one: &Delivery| one.events.len() > 1 && one.channel == of;
            let (found, next) = self.app.shared.store.addressed(first, gathered).await?;
            for (Address { recipient, .. }, events) in found {
                all.extend(events.iter().map(|event| pair(recipient.as_deref(), event)));
            }
            from = next;
            progress(self.lines, self.done.messages).await?;
        }
        Ok(all)
    }

    /// The events that wait for the end of a group now, each with its recipient.
    async fn grouped(&self, channel: &ChannelName) -> Result<Vec<u64>, StoreError> {
        let state = self.app.shared.store.all_rule_state().await?;
        let of_channel = state.groups.into_iter().filter(|(key, _)| key.address.channel == *channel);
        let pairs = |(GroupKey { address, .. }, group): (GroupKey, Option<OpenGroup>)| {
            let events = group.map(|group| group.events).unwrap_or_default().into_iter();
            events.map(move |event| pair(address.recipient.as_deref(), &event)).collect::<Vec<_>>()
        };
        Ok(of_channel.flat_map(pairs).collect())
    }

    /// Counts these messages, and makes them due in one commit with how far it has come.
    async fn step(&mut self, messages: &[Message], commit: Commit) -> Result<(), Broken> {
        for Message { delivery, seen, kind, subject } in messages {
            let counted = if delivery.events.len() > 1 { DIGEST } else { kind };
            *self.counts.entry((delivery.channel.to_string(), counted.to_owned())).or_default() += 1;
            if self.done.first.len() < SHOWN {
                self.done.first.push(ReplayExample {
                    seen: *seen,
                    id: delivery.id.to_string(),
                    channel: delivery.channel.to_string(),
                    kind: kind.clone(),
                    subject: subject.clone(),
                });
            }
        }
        self.done.messages += messages.len() as u64;
        if !messages.is_empty() && !self.done.dry_run {
            self.record.at = self.app.shared.clock.now();
            self.record.queued += messages.len() as u64;
            let replay = Some(Some(self.record.clone()));
            self.app.shared.store.commit(Commit { replay, ..commit }).await?;
            let channels: BTreeSet<&ChannelName> = messages.iter().map(|message| &message.delivery.channel).collect();
            self.app.shared.wake(channels.into_iter());
        }
        progress(self.lines, self.done.messages).await
    }
}

/// An event on its way to a recipient.
fn pair(recipient: Option<&str>, event: &EventId) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one((recipient, event))
}
