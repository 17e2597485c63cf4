//! A person's word on deliveries: tried again, or ended.
//!
//! Each step is one commit, decided there on what is stored at that moment; then the channels are woken. Interrupted
//! anywhere, what was said of the deliveries before stands, and saying it again finishes the rest: a dead letter that
//! was tried again is no dead letter any more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{self, Sender};
use tracing::info;

use super::app::App;
use crate::api::{ActDone, ActLine, ActQuery, ActRefused, Lines, Refusal};
use crate::config::Config;
use crate::domain::event::DeliveryId;
use crate::domain::model::ChannelName;
use crate::domain::outbox::{Act, Delivery, Destinations, Unmoved};
use crate::edge::store::{Commit, Failed, StoreError};

/// How many deliveries one commit changes: of three keys each, so that it never holds up a pass.
pub(super) const AT_ONCE: usize = 100;

/// How many lines are ready before they are taken.
pub(super) const LINES_AHEAD: usize = 64;

/// How long a line waits for a listener that is there and takes nothing.
const IGNORED: Duration = Duration::from_secs(600);

/// The outbox, as a person acts on it.
struct Outbox<'a>(&'a App);

/// Why the work ended before its end.
pub(super) enum Broken {
    /// Nobody listens any more.
    Gone,
    /// The store has failed.
    Failed(StoreError),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Broken::Failed(error)
    }
}

/// What is wrong with the words, before anything is done.
fn check(act: Act, config: &Config, query: &ActQuery) -> Result<(), Refusal> {
    let of_channel = act == Act::Retry && query.channel.is_some() && query.ids.is_empty();
    if query.ids.is_empty() != query.dead && !of_channel {
        return Err(Refusal::Wrong("say which: the ids of deliveries, or all dead letters".to_owned()));
    }
    match &query.channel {
        Some(_) if !query.dead && !of_channel => {
            Err(Refusal::Wrong("a channel goes with all dead letters, or alone to try what failed".to_owned()))
        }
        // What waits for a channel that is gone can be ended.
        Some(name) if act != Act::Drop => channel(config, name).map(drop),
        _ => Ok(()),
    }
}

/// The configured channel of that name.
pub(super) fn channel(config: &Config, name: &str) -> Result<ChannelName, Refusal> {
    let known = || config.channels.iter().map(|channel| &channel.name);
    known().find(|known| known.as_str() == name).cloned().ok_or_else(|| {
        let names: Vec<&str> = known().map(ChannelName::as_str).collect();
        Refusal::NotFound(format!("there is no channel `{name}`; there is: {}", names.join(", ")))
    })
}

/// Begins what was asked, and returns its lines as they come.
pub fn start(app: &Arc<App>, act: Act, query: ActQuery) -> Result<Lines<ActDone>, Refusal> {
    check(act, &app.config, &query)?;
    let (lines, received) = mpsc::channel(LINES_AHEAD);
    let app = Arc::clone(app);
    #[expect(clippy::disallowed_methods, reason = "it ends after its step when nobody listens any more")]
    tokio::spawn(async move { run(Outbox(&app), act, &query, &lines).await });
    Ok(received)
}

/// Does what was asked, and sends line after line until it is done or nobody listens.
async fn run(outbox: Outbox<'_>, act: Act, query: &ActQuery, lines: &Sender<ActLine<ActDone>>) {
    let worked = match &query.channel {
        channel if query.dead => outbox.act_on_dead(act, channel.as_deref(), lines).await,
        Some(channel) => outbox.try_what_failed(channel, lines).await,
        None => outbox.act_on_named(act, &query.ids, lines).await,
    };
    end(worked, lines).await;
}

/// Sends the last line. Returns whether it was taken.
pub(super) async fn end<D>(worked: Result<D, Broken>, lines: &Sender<ActLine<D>>) -> bool {
    let last = match worked {
        Ok(done) => ActLine::Done(done),
        Err(Broken::Failed(error)) => ActLine::Error(error.to_string()),
        Err(Broken::Gone) => return false,
    };
    if lines.send_timeout(last, IGNORED).await.is_err() {
        return false;
    }
    // All room is free again when the last line is out.
    matches!(tokio::time::timeout(IGNORED, lines.reserve_many(lines.max_capacity())).await, Ok(Ok(_)))
}

/// Says how far it has come. An error means that nobody listens.
pub(super) async fn progress<D>(lines: &Sender<ActLine<D>>, so_far: u64) -> Result<(), Broken> {
    lines.send_timeout(ActLine::Progress(so_far), IGNORED).await.map_err(|_| Broken::Gone)
}

impl Outbox<'_> {
    async fn act_on_dead(
        &self,
        act: Act,
        channel: Option<&str>,
        lines: &Sender<ActLine<ActDone>>,
    ) -> Result<ActDone, Broken> {
        let mut done = ActDone::default();
        // A name that no channel can have has no dead letters.
        let channel = match channel.map(ChannelName::new).transpose() {
            Ok(channel) => channel,
            Err(_) => return Ok(done),
        };
        let places = Places::of(&self.0.config);
        let mut from = Some(0);
        while let Some(first) = from {
            let page = self.0.shared.store.dead_letters(first, channel.clone(), AT_ONCE).await?;
            from = page.next;
            let mut moved = Vec::new();
            for delivery in page.deliveries {
                match act == Act::Drop || places.has(&delivery) {
                    true => moved.push(delivery),
                    false => done.orphaned += 1,
                }
            }
            done.changed += moved.len() as u64;
            self.commit(act, moved).await?;
            progress(lines, done.changed).await?;
        }
        info!("{} dead letters were {}, because a person said so", done.changed, word(act));
        Ok(done)
    }

    /// Makes due what waits for the channel because an attempt failed. What its receiver asked a pause for is left alone
    /// until that is over: a person's word is none of the receiver's.
    async fn try_what_failed(&self, channel: &str, lines: &Sender<ActLine<ActDone>>) -> Result<ActDone, Broken> {
        let mut done = ActDone::default();
        let Ok(channel) = ChannelName::new(channel) else { return Ok(done) };
        let mut from = None;
        loop {
            let page =
                self.0.shared.store.failed(&channel, self.0.shared.clock.now(), Failed::WithoutPauses, from).await?;
            from = page.next;
            done.changed += page.ids.len() as u64;
            if !page.ids.is_empty() {
                let now = self.0.shared.clock.now();
                let acts = page.ids.into_iter().map(|id| (id, Act::TryNow, now)).collect();
                self.0.shared.store.commit(Commit { acts, ..Commit::default() }).await?;
            }
            progress(lines, done.changed).await?;
            if from.is_none() {
                self.0.shared.wake(std::iter::once(&channel));
                info!("{} messages to {channel} that failed are tried at once, because a person said so", done.changed);
                return Ok(done);
            }
        }
    }

    async fn act_on_named(
        &self,
        act: Act,
        ids: &[String],
        lines: &Sender<ActLine<ActDone>>,
    ) -> Result<ActDone, Broken> {
        let mut done = ActDone::default();
        let places = Places::of(&self.0.config);
        let ids: BTreeSet<&String> = ids.iter().collect();
        let ids: Vec<&String> = ids.into_iter().collect();
        for some in ids.chunks(AT_ONCE) {
            let mut moved = Vec::new();
            for id in some {
                match self.named(act, id, &places).await? {
                    Ok(Some(delivery)) => moved.push(delivery),
                    Ok(None) => done.unchanged += 1,
                    Err(error) => done.refused.push(ActRefused { id: (*id).clone(), error }),
                }
            }
            done.changed += moved.len() as u64;
            self.commit(act, moved).await?;
            progress(lines, done.changed).await?;
        }
        info!("{} deliveries were {}, because a person said so", done.changed, word(act));
        Ok(done)
    }

    /// The delivery of that id; nothing where it is as it should be already, or why it is not moved.
    async fn named(&self, act: Act, id: &str, places: &Places) -> Result<Result<Option<Delivery>, String>, StoreError> {
        let parsed = serde_json::Value::String(id.to_owned());
        let found = match serde_json::from_value::<DeliveryId>(parsed) {
            Ok(parsed) => self.0.shared.store.delivery(parsed).await?,
            Err(_) => None,
        };
        let Some(delivery) = found else {
            return Ok(Err("there is no such delivery; `posbell deliveries` lists those that there are".to_owned()));
        };
        if act != Act::Drop && !places.has(&delivery) {
            return Ok(Err(format!(
                "the configuration has lost its channel `{}` or its address there; put that back, or `posbell drop {id}`",
                delivery.channel
            )));
        }
        Ok(match (delivery.act(act, self.0.shared.clock.now()), act) {
            (Ok(_), _) => Ok(Some(delivery)),
            (Err(Unmoved::Waits | Unmoved::Dead), _) | (Err(Unmoved::Dropped), Act::Drop) => Ok(None),
            (Err(Unmoved::Dropped), _) => {
                Err("it was dropped; `posbell replay --since … --failed` sends it after all".to_owned())
            }
            (Err(Unmoved::Delivered), Act::Drop) => Err("it is delivered; there is nothing left to drop".to_owned()),
            (Err(Unmoved::Delivered), _) => {
                Err("it is delivered; `posbell replay --since …` sends it once more".to_owned())
            }
            (Err(Unmoved::Collapsed), _) => {
                let into = delivery.collapsed_into.map(|into| into.to_string()).unwrap_or_default();
                Err(format!("{into} says what it would have said, or what is newer"))
            }
        })
    }

    async fn commit(&self, act: Act, deliveries: Vec<Delivery>) -> Result<(), StoreError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let now = self.0.shared.clock.now();
        let channels: BTreeSet<ChannelName> = deliveries.iter().map(|delivery| delivery.channel.clone()).collect();
        let acts = deliveries.into_iter().map(|delivery| (delivery.id, act, now)).collect();
        self.0.shared.store.commit(Commit { acts, ..Commit::default() }).await?;
        self.0.shared.wake(channels.iter());
        Ok(())
    }
}

fn word(act: Act) -> &'static str {
    match act {
        Act::Retry | Act::TryNow | Act::Replay => "made due again",
        Act::Drop => "dropped",
    }
}

/// The channels and addresses that the configuration has.
pub(super) struct Places {
    channels: BTreeSet<ChannelName>,
    destinations: Destinations,
}

impl Places {
    pub(super) fn of(config: &Config) -> Places {
        let channels = config.channels.iter().map(|channel| channel.name.clone()).collect();
        Places { channels, destinations: config.destinations() }
    }

    /// Whether the delivery still has somewhere to go: an address that was taken out gets nothing any more.
    pub(super) fn has(&self, delivery: &Delivery) -> bool {
        let known = match (&delivery.recipient, self.destinations.recipients(&delivery.channel)) {
            (Some(recipient), Some(known)) => known.contains(recipient),
            (recipient, known) => recipient.is_some() == known.is_some(),
        };
        known && self.channels.contains(&delivery.channel)
    }
}
