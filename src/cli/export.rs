//! `posbell export`: all of something as JSON lines.

use anyhow::bail;
use clap::{Args, Subcommand};
use tokio::sync::mpsc;

use super::caller::hand_out;
use super::events::Which;
use super::source::Source;
use super::{Failure, out, small_runtime};
use crate::api::FetchLine;
use crate::config::Config;

/// How many lines are ready before they are printed.
const LINES_AHEAD: usize = 64;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Every event, oldest first, as webhooks send it
    Events(ExportArgs),
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    which: Which,
    /// Events are JSON lines with or without it
    #[arg(long)]
    json: bool,
}

pub(super) fn export(config: &Config, what: &What) -> Result<(), Failure> {
    let What::Events(args) = what;
    let query = args.which.query();
    small_runtime()?.block_on(async {
        let source = Source::find(config).await?;
        let mut events = 0_u64;
        let (sender, lines) = mpsc::channel(LINES_AHEAD);
        let asking = async {
            // Dropped at its end, so that the lines end too.
            let sender = sender;
            source.export(query, &sender).await
        };
        let printing = hand_out(lines, |line| print(line, &mut events));
        tokio::select! {
            // What was asked and not answered is said before what is missing of the answer.
            (asked, printed) = async { tokio::join!(asking, printing) } => asked.and(printed),
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        }
    })?;
    Ok(())
}

fn print(line: FetchLine, events: &mut u64) -> anyhow::Result<()> {
    match line {
        FetchLine::Row(event) => {
            out::line(event.get())?;
            *events += 1;
        }
        FetchLine::Waiting(why) => out::note(&why),
        FetchLine::Done(0) => out::note("there are no such events"),
        FetchLine::Done(_) => {}
        FetchLine::Error(why) => bail!("{why} (it is not all: {events} events came before)"),
    }
    Ok(())
}
