//! `posbell retry` and `posbell drop`: a person's word on dead letters and on what waits.

use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use serde::de::DeserializeOwned;

use super::client::{Client, Lines};
use super::mistaken::need;
use super::{Failure, out, small_runtime};
use crate::api::{ActDone, ActLine, ActQuery};
use crate::config::Config;
use crate::domain::outbox::Act;

/// After how many more messages it is said how far the work has come.
const PROGRESS: u64 = 1_000;

#[derive(Debug, Clone, Args)]
pub(super) struct RetryArgs {
    /// The ids of deliveries, `dlv_…`
    #[arg(required_unless_present_any = ["dead", "channel"], value_name = "ID")]
    ids: Vec<String>,
    /// Every dead letter
    #[arg(long, conflicts_with = "ids")]
    dead: bool,
    /// What waits for this channel because an attempt failed; with --dead, the dead letters to it
    #[arg(long, conflicts_with = "ids")]
    channel: Option<String>,
    /// Print what was done as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Args)]
pub(super) struct DropArgs {
    /// The ids of deliveries, `dlv_…`
    #[arg(required_unless_present = "dead", value_name = "ID")]
    ids: Vec<String>,
    /// Every dead letter
    #[arg(long, conflicts_with = "ids")]
    dead: bool,
    /// Of the dead letters, only those to this channel
    #[arg(long, requires = "dead", conflicts_with = "ids")]
    channel: Option<String>,
    /// Print what was done as one JSON object
    #[arg(long)]
    json: bool,
}

/// What either command was told.
pub(super) struct ActArgs {
    ids: Vec<String>,
    dead: bool,
    channel: Option<String>,
    json: bool,
}

impl From<RetryArgs> for ActArgs {
    fn from(RetryArgs { ids, dead, channel, json }: RetryArgs) -> Self {
        ActArgs { ids, dead, channel, json }
    }
}

impl From<DropArgs> for ActArgs {
    fn from(DropArgs { ids, dead, channel, json }: DropArgs) -> Self {
        ActArgs { ids, dead, channel, json }
    }
}

pub(super) fn act(config: &Arc<Config>, act: Act, args: &ActArgs) -> Result<(), Failure> {
    let query = ActQuery { ids: args.ids.clone(), dead: args.dead, channel: args.channel.clone() };
    small_runtime()?.block_on(async {
        let client = Client::find(config).await?;
        // The service has settings of its own. Alone, what cannot be read would pass for a channel that is gone.
        if act != Act::Drop && !client.is_running() {
            need(config, &[&config.mistakes.elsewhere])?;
        }
        let word = if act == Act::Drop { "drop" } else { "retry" };
        let done: ActDone = last(client.post_lines(&["deliveries", word], &query)).await?;
        match args.json {
            true => out::line(&serde_json::to_string(&done)?)?,
            false => said(act, args, &done, client.is_running()).iter().try_for_each(|line| out::line(line))?,
        }
        for refused in &done.refused {
            out::note(&format!("{}: {}", refused.id, refused.error));
        }
        match done.refused.len() {
            0 => Ok(()),
            1 if args.ids.len() == 1 => Err(anyhow::anyhow!("nothing was changed").into()),
            count => Err(anyhow::anyhow!("{count} of {} deliveries were not changed", args.ids.len()).into()),
        }
    })
}

/// Waits for the last line, and says now and then how far the work has come.
pub(super) async fn last<D: DeserializeOwned>(
    asking: impl Future<Output = anyhow::Result<Lines<ActLine<D>>>>,
) -> anyhow::Result<D> {
    const AGAIN: &str = "say the same again to finish the rest; nothing is doubled";
    let work = async {
        let mut lines = asking.await?;
        let (mut told, mut done) = (PROGRESS, None);
        // To the end, behind which the next command finds nothing of this one under way.
        while let Some(line) = lines.next().await? {
            match line {
                ActLine::Progress(so_far) if so_far >= told => {
                    out::note(&format!("{so_far} messages so far"));
                    told = so_far + PROGRESS;
                }
                ActLine::Progress(_) => {}
                ActLine::Done(last) => done = Some(last),
                ActLine::Error(why) => bail!("{why}; {AGAIN}"),
            }
        }
        match done {
            Some(done) => Ok(done),
            None => bail!("it was broken off before it was done; {AGAIN}"),
        }
    };
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => bail!("interrupted; {AGAIN}"),
    }
}

/// `1 message`, `5 messages`.
pub(super) fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// What is said at the end where messages wait for a service that does not run.
pub(super) const NOT_RUNNING: &str = "The service is not running; they are sent when it runs.";

fn said(act: Act, args: &ActArgs, done: &ActDone, is_running: bool) -> Vec<String> {
    let mut said = Vec::new();
    let changed = messages(done.changed);
    match (done.changed, act) {
        (0, _) if args.dead && done.orphaned == 0 => said.push(match &args.channel {
            Some(channel) => format!("There are no dead letters to {channel}."),
            None => "There are no dead letters.".to_owned(),
        }),
        (0, _) => match &args.channel {
            Some(channel) if !args.dead => said.push(format!(
                "Nothing waits for {channel} because an attempt failed. A pause that its receiver asked for stays as it is."
            )),
            _ => {}
        },
        (_, Act::Drop) => said.push(format!(
            "Dropped {changed}: never sent from now on; one that was on its way at this moment may still arrive, and \
             counts as delivered then. `posbell deliveries --state dropped` lists them."
        )),
        (_, Act::Retry | Act::TryNow | Act::Replay) => {
            said.push(format!("Retried {changed}: due at once, with the ids they had."));
            said.extend((!is_running).then(|| NOT_RUNNING.to_owned()));
        }
    }
    if done.unchanged > 0 {
        said.push(format!("{} were so already.", messages(done.unchanged)));
    }
    if done.orphaned > 0 {
        said.push(format!(
            "{} stay dead letters, because the configuration has lost their channel or address; `posbell drop` ends \
             them.",
            messages(done.orphaned)
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(dead: bool, channel: Option<&str>) -> ActArgs {
        ActArgs { ids: Vec::new(), dead, channel: channel.map(str::to_owned), json: false }
    }

    #[test]
    fn what_was_done_and_what_was_not_is_said_in_words() {
        let check = |act, args: &ActArgs, done: ActDone, want: &[&str]| {
            let said = said(act, args, &done, false);
            assert_eq!(said.len(), want.len(), "{said:?}");
            for (said, want) in said.iter().zip(want) {
                assert!(said.contains(want), "no {want} in {said}");
            }
        };
        check(Act::Retry, &args(true, None), ActDone::default(), &["There are no dead letters."]);
        check(Act::Drop, &args(true, Some("erp")), ActDone::default(), &["There are no dead letters to erp."]);
        check(Act::Retry, &args(false, Some("erp")), ActDone::default(), &["Nothing waits for erp"]);
        let done = ActDone { changed: 1, unchanged: 2, orphaned: 3, ..ActDone::default() };
        check(
            Act::Retry,
            &args(true, None),
            done,
            &["Retried 1 message:", "not running", "2 messages were so already", "3 messages stay dead letters"],
        );
        check(Act::Drop, &args(false, None), ActDone { changed: 7, ..ActDone::default() }, &["Dropped 7 messages"]);
    }

    #[tokio::test]
    async fn an_answer_without_its_last_line_is_no_success() {
        let lines = Lines::<ActLine<ActDone>>::of_texts(vec!["{\"progress\":1}".to_owned()]);
        let error = last(async { Ok(lines) }).await.expect_err("is cut off");
        assert!(error.to_string().contains("say the same again"), "{error}");
    }
}
