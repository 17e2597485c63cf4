//! `posbell replay`: past events sent again.

use std::sync::Arc;

use chrono_tz::Tz;
use clap::Args;

use super::act::{NOT_RUNNING, last, messages};
use super::client::Client;
use super::mistaken::need;
use super::{Failure, out, small_runtime, table};
use crate::api::{ReplayCount, ReplayDone, ReplayExample, ReplayQuery};
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Only events seen since: `2h`, `7d`, or a time such as 2026-11-23T00:00:00Z
    #[arg(long)]
    since: String,
    /// Only events seen before [default: now]
    #[arg(long)]
    until: Option<String>,
    /// Only to this channel; then also what its rules send there now and was never planned for it
    #[arg(long)]
    channel: Option<String>,
    /// Only this type, or a family such as `stock.*`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only what is a dead letter or was dropped
    #[arg(long)]
    failed: bool,
    /// Say what would be sent, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print what was done as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn replay(config: &Arc<Config>, args: &ReplayArgs) -> Result<(), Failure> {
    let query = ReplayQuery {
        since: args.since.clone(),
        until: args.until.clone(),
        channel: args.channel.clone(),
        kind: args.kind.clone(),
        failed: args.failed,
        dry_run: args.dry_run,
    };
    small_runtime()?.block_on(async {
        let client = Client::find(config).await?;
        if !client.is_running() {
            need(config, &[&config.mistakes.elsewhere, &config.mistakes.rules])?;
        }
        let done: ReplayDone = last(client.post_lines(&["events", "replay"], &query)).await?;
        match args.json {
            true => out::line(&serde_json::to_string(&done)?)?,
            false => out::text(&said(&done, client.is_running(), config.wording.timezone))?,
        }
        Ok(())
    })
}

fn said(done: &ReplayDone, is_running: bool, zone: Tz) -> String {
    let mut text = String::new();
    let mut say = |line: String| text.push_str(&format!("{line}\n"));
    let (since, until) = (table::moment(done.since, zone), table::moment(done.until, zone));
    if let Some(before) = &done.resumed {
        say(format!(
            "This goes on with the replay of {}, which was interrupted after {}.",
            table::moment(before.began_at, zone),
            messages(before.messages)
        ));
    }
    match (done.messages, done.dry_run) {
        (0, _) => say(format!("Nothing is to be sent again from {since} to {until}.")),
        (count, true) => say(format!("{} would be sent again, from {since} to {until}:", messages(count))),
        (count, false) => say(format!("{} made due again, from {since} to {until}:", messages(count))),
    }
    if done.messages > 0 {
        let row = |count: &ReplayCount| vec![count.channel.clone(), count.kind.clone(), count.messages.to_string()];
        let rows: Vec<Vec<String>> = done.counts.iter().map(row).collect();
        say(format!("\n{}", table::aligned(&["CHANNEL", "TYPE", "MESSAGES"], &rows)));
        let row = |one: &ReplayExample| {
            let seen = table::moment(one.seen, zone);
            vec![seen, one.id.clone(), one.channel.clone(), one.kind.clone(), one.subject.clone()]
        };
        let rows: Vec<Vec<String>> = done.first.iter().map(row).collect();
        say("The first of them:".to_owned());
        say(table::aligned(&["SEEN", "ID", "CHANNEL", "TYPE", "SUBJECT"], &rows));
    }
    let left = [
        (done.waiting, "wait already and are left alone"),
        (done.lost, "cannot be sent: the store has lost an event of theirs or cannot read them"),
        (done.orphaned, "cannot be sent: the configuration has lost their channel or address"),
    ];
    for (count, why) in left.into_iter().filter(|(count, _)| *count > 0) {
        say(format!("{} {why}.", messages(count)));
    }
    if done.dry_run {
        say("Nothing was changed.".to_owned());
    } else if done.messages > 0 && !is_running {
        say(NOT_RUNNING.to_owned());
    }
    text
}
