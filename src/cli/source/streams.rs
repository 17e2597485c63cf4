//! Answers that go on for long: they have no time limit, but they are never silent for long, and they say themselves
//! whether they are whole.

use anyhow::bail;
use tokio::sync::mpsc::{Receiver, Sender};

use super::{Source, answered, pairs};
use crate::api::{ActDone, ActLine, ActQuery, EventQuery, FetchLine, FetchQuery, ReplayDone, ReplayQuery};
use crate::domain::model::ShopId;
use crate::domain::outbox::Act;
use crate::service::acts::{self, Outbox};
use crate::service::clock::Clock;
use crate::service::{backup, export, replay};

impl Source<'_> {
    /// Asks the service to read the API, and passes on its lines until they end or nobody takes them.
    pub(in crate::cli) async fn fetch(
        &self,
        shop: &ShopId,
        query: &FetchQuery,
        lines: &Sender<FetchLine>,
    ) -> anyhow::Result<()> {
        let Source::Service(service) = self else { bail!("no service is asked here") };
        service.stream(&format!("shops/{shop}/fetch"), query, lines).await
    }

    /// Tries deliveries again or ends them, and passes on how far it has come.
    pub(in crate::cli) async fn act(
        &self,
        act: Act,
        query: &ActQuery,
        lines: &Sender<ActLine<ActDone>>,
    ) -> anyhow::Result<()> {
        match self {
            Source::Service(service) => {
                let word = if act == Act::Drop { "drop" } else { "retry" };
                service.stream(&format!("deliveries/{word}"), query, lines).await
            }
            Source::Store { config, store } => {
                answered(acts::check(act, config, query))?;
                let outbox = Outbox { config, store, clock: &Clock::default(), wake: &|_| {} };
                acts::run(outbox, act, query, lines).await;
                Ok(())
            }
        }
    }

    /// Sends past events again, and passes on how far it has come.
    pub(in crate::cli) async fn replay(
        &self,
        query: &ReplayQuery,
        lines: &Sender<ActLine<ReplayDone>>,
    ) -> anyhow::Result<()> {
        match self {
            Source::Service(service) => service.stream("events/replay", query, lines).await,
            Source::Store { config, store } => {
                let clock = Clock::default();
                let plan = answered(replay::plan(config, query, clock.now()))?;
                replay::run(Outbox { config, store, clock: &clock, wake: &|_| {} }, plan, lines).await;
                Ok(())
            }
        }
    }

    /// All events that are asked for, oldest first.
    pub(in crate::cli) async fn export(&self, query: EventQuery, lines: &Sender<FetchLine>) -> anyhow::Result<()> {
        match self {
            Source::Service(service) => service.listed("events/export", &pairs(&query)?, lines).await,
            Source::Store { store, .. } => {
                pass_on(answered(export::start(store, query, Clock::default().now()))?, lines).await;
                Ok(())
            }
        }
    }

    /// The bytes of a copy of the store as it is now.
    pub(in crate::cli) async fn backup(&self, pieces: &Sender<Vec<u8>>) -> anyhow::Result<()> {
        match self {
            Source::Service(service) => service.bytes("backup", pieces).await,
            Source::Store { store, .. } => {
                pass_on(backup::start(store, Clock::default().now()).await?, pieces).await;
                Ok(())
            }
        }
    }
}

/// Passes on what comes until it ends or nobody takes it.
async fn pass_on<T>(mut from: Receiver<T>, to: &Sender<T>) {
    while let Some(item) = from.recv().await {
        if to.send(item).await.is_err() {
            return;
        }
    }
}
