//! Answers that go on for long: they have no time limit, but they are never silent for long, and they say themselves
//! whether they are whole.

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{Receiver, Sender};

use super::{OTHER_VERSION, Source, answered, pairs, problem, shown};
use crate::domain::model::ShopId;
use crate::domain::outbox::Act;
use crate::edge::admin::{ActDone, ActLine, ActQuery, EventQuery, FetchLine, FetchQuery, ReplayDone, ReplayQuery};
use crate::service::acts::{self, Outbox};
use crate::service::clock::Clock;
use crate::service::{backup, export, fetch, replay};

/// How long the service may say nothing during a long answer: six times as long as it ever is silent by itself.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(6 * fetch::SILENCE.as_secs());

/// The most bytes of one line of a long answer: a row is a part of an answer of the API, which is no longer.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

impl Source<'_> {
    /// Asks the service to read the API, and passes on its lines until they end or nobody takes them.
    pub(in crate::cli) async fn fetch(
        &self,
        shop: &ShopId,
        query: &FetchQuery,
        lines: &Sender<FetchLine>,
    ) -> anyhow::Result<()> {
        self.stream(&format!("shops/{shop}/fetch"), query, lines).await
    }

    /// Tries deliveries again or ends them, and passes on how far it has come.
    pub(in crate::cli) async fn act(
        &self,
        act: Act,
        query: &ActQuery,
        lines: &Sender<ActLine<ActDone>>,
    ) -> anyhow::Result<()> {
        match self {
            Source::Service { .. } => {
                let word = if act == Act::Drop { "drop" } else { "retry" };
                self.stream(&format!("deliveries/{word}"), query, lines).await
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
            Source::Service { .. } => self.stream("events/replay", query, lines).await,
            Source::Store { config, store } => {
                let clock = Clock::default();
                let plan = answered(replay::plan(config, query, clock.now()))?;
                replay::run(Outbox { config, store, clock: &clock, wake: &|_| {} }, plan, lines).await;
                Ok(())
            }
        }
    }

    /// Asks for something that takes a while, and passes on the lines of the answer until they end or nobody takes them.
    async fn stream<Q, L>(&self, path: &str, query: &Q, lines: &Sender<L>) -> anyhow::Result<()>
    where
        Q: serde::Serialize,
        L: DeserializeOwned,
    {
        let Source::Service { client, address, token } = self else { bail!("no service is asked here") };
        let request = client.post(format!("http://{address}/api/v1/{path}"));
        let body = serde_json::to_string(query)?;
        let request = request.bearer_auth(shown(token)?).header("content-type", "application/json").body(body);
        pass_on_lines(self.open(request).await?, lines).await
    }

    /// All events that are asked for, oldest first.
    pub(in crate::cli) async fn export(&self, query: EventQuery, lines: &Sender<FetchLine>) -> anyhow::Result<()> {
        match self {
            Source::Service { client, address, token } => {
                let mut request = client.get(format!("http://{address}/api/v1/events/export")).query(&pairs(&query)?);
                if let Some(token) = token {
                    request = request.bearer_auth(token.expose_secret());
                }
                pass_on_lines(self.open(request).await?, lines).await
            }
            Source::Store { store, .. } => {
                pass_on(answered(export::start(store, query, Clock::default().now()))?, lines).await;
                Ok(())
            }
        }
    }

    /// The bytes of a copy of the store as it is now.
    pub(in crate::cli) async fn backup(&self, pieces: &Sender<Vec<u8>>) -> anyhow::Result<()> {
        match self {
            Source::Service { client, address, token } => {
                let request = client.post(format!("http://{address}/api/v1/backup")).bearer_auth(shown(token)?);
                let mut answer = self.open(request).await?;
                while let Some(chunk) = next(&mut answer).await? {
                    if pieces.send(chunk).await.is_err() {
                        break;
                    }
                }
                Ok(())
            }
            Source::Store { store, .. } => {
                pass_on(backup::start(store, Clock::default().now()).await?, pieces).await;
                Ok(())
            }
        }
    }

    /// Asks, and returns the answer once it has begun well.
    async fn open(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let Source::Service { address, .. } = self else { bail!("no service is asked here") };
        let asked = tokio::time::timeout(SILENCE, request.send()).await.context("The service does not answer")?;
        let answer = asked.with_context(|| format!("Failed to ask the service at {address}"))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let body = tokio::time::timeout(SILENCE, answer.text()).await.context("The service does not answer")?;
        bail!("{}", problem(body.context("Failed to read the service's answer")?))
    }
}

/// What comes next of an answer.
async fn next(answer: &mut reqwest::Response) -> anyhow::Result<Option<Vec<u8>>> {
    let chunk = tokio::time::timeout(SILENCE, answer.chunk()).await;
    let chunk = chunk.context("The service has fallen silent; ask again")?;
    Ok(chunk.context("The service broke off; ask again")?.map(|chunk| chunk.to_vec()))
}

/// Passes on an answer's lines until they end or nobody takes them.
async fn pass_on_lines<L: DeserializeOwned>(mut answer: reqwest::Response, lines: &Sender<L>) -> anyhow::Result<()> {
    let mut open = Vec::new();
    while let Some(chunk) = next(&mut answer).await? {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            open.extend_from_slice(part);
            anyhow::ensure!(open.len() <= LONGEST_LINE, "the service's answer has a line that is too long");
            if part.ends_with(b"\n") {
                let line = serde_json::from_slice(&open).context(OTHER_VERSION)?;
                open.clear();
                if lines.send(line).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Passes on what comes until it ends or nobody takes it.
async fn pass_on<T>(mut from: Receiver<T>, to: &Sender<T>) {
    while let Some(item) = from.recv().await {
        if to.send(item).await.is_err() {
            return;
        }
    }
}
