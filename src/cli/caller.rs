//! Who makes a command's calls to the API: the running service, or the command itself where none runs.
//!
//! Never both: whoever finds the service asks it, and whoever does not takes the shop's place in the quota, which no
//! service that starts meanwhile can take too.

use anyhow::{Context, bail};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::env;
use super::source::{Source, patiently, served};
use crate::api::{FetchLine, FetchQuery};
use crate::config::{Config, ShopConfig};
use crate::edge::pospos::ReadError;
use crate::edge::store::{Store, StoreError};
use crate::service::alone::Alone;
use crate::service::clock::Clock;
use crate::service::fetch;

/// Who makes the calls of one shop.
pub(super) enum Caller<'a> {
    /// The running service.
    Service { source: Source<'a>, shop: &'a ShopConfig },
    /// This command.
    Alone { config: &'a Config, shop: Box<Alone> },
}

impl<'a> Caller<'a> {
    /// Finds the service, or takes its place.
    pub(super) async fn find(config: &'a Config, shop: &'a ShopConfig) -> anyhow::Result<Caller<'a>> {
        let store = match Source::find(config).await {
            Ok(Source::Store { store, .. }) => Some(*store),
            Ok(source) => return Ok(Caller::Service { source, shop }),
            Err(error) => match error.downcast_ref::<StoreError>() {
                Some(StoreError::Absent(_)) => None,
                _ => return Err(error),
            },
        };
        Ok(Caller::Alone { config, shop: Box::new(Alone::open(config, shop, &env, store).await?) })
    }

    /// Asks, and hands each line to `take` as it comes; the last of them says how it went. What `take` returns an error
    /// for ends it all: no further call is made.
    pub(super) async fn ask(
        &self,
        query: &FetchQuery,
        take: impl FnMut(FetchLine) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (sender, lines) = mpsc::channel(fetch::LINES_AHEAD);
        let asking = async move {
            // Dropped at its end, so that the lines end too.
            let sender = sender;
            match self {
                Caller::Service { source, shop } => source.fetch(&shop.id, query, &sender).await,
                Caller::Alone { config, shop } => alone(config, shop, query, &sender).await,
            }
        };
        let (asked, taken) = tokio::join!(asking, hand_out(lines, take));
        asked?;
        taken
    }

    /// Who it is, for a person.
    pub(super) fn says(&self) -> &'static str {
        match self {
            Caller::Service { .. } => "through the running service",
            Caller::Alone { .. } => "by this command, since no service runs",
        }
    }

    /// Leaves the shop's place in the quota, where it was taken.
    pub(super) fn close(self) {
        if let Caller::Alone { shop, .. } = self {
            shop.close();
        }
    }
}

async fn alone(config: &Config, shop: &Alone, query: &FetchQuery, lines: &Sender<FetchLine>) -> anyhow::Result<()> {
    let asked = fetch::asked(query).map_err(anyhow::Error::msg)?;
    let clock = Clock::default();
    // Every other error stands in the last line.
    let Err(ReadError::KeyRefused { status }) = shop.read(&asked, &clock, lines).await else { return Ok(()) };
    match patiently(&clock, || served(&config.data_dir), || Store::open_existing(&config.data_dir)) {
        Ok(store) => shop.remember_refusal(config, &store, &clock, status).await,
        Err(StoreError::Absent(_)) => Ok(()),
        Err(error) => Err(error).context("Failed to write down that the key was refused"),
    }
}

pub(super) async fn hand_out(
    mut lines: Receiver<FetchLine>,
    mut take: impl FnMut(FetchLine) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    while let Some(line) = lines.recv().await {
        let is_last = matches!(line, FetchLine::Done(_) | FetchLine::Error(_));
        take(line)?;
        if is_last {
            return Ok(());
        }
    }
    bail!("the answer ended before the list did; ask again")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn handed_out(lines: Vec<FetchLine>) -> anyhow::Result<usize> {
        let (sender, received) = mpsc::channel(lines.len().max(1));
        for line in lines {
            sender.send(line).await.expect("is open");
        }
        drop(sender);
        let mut taken = 0;
        hand_out(received, |_| {
            taken += 1;
            Ok(())
        })
        .await?;
        Ok(taken)
    }

    #[tokio::test]
    async fn an_answer_without_its_last_line_is_not_taken_for_a_whole_one() {
        let row = || FetchLine::Row(serde_json::value::to_raw_value(&1).expect("is JSON"));
        assert_eq!(handed_out(vec![row(), row(), FetchLine::Done(2)]).await.expect("is whole"), 3);
        for cut in [vec![], vec![row(), row()], vec![FetchLine::Waiting("for the quota".to_owned())]] {
            let error = handed_out(cut).await.expect_err("is cut off");
            assert!(error.to_string().contains("ask again"), "{error}");
        }
    }
}
