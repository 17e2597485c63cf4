//! `posbell export`: all of something as JSON lines.

use std::sync::Arc;

use anyhow::bail;
use clap::{Args, Subcommand};

use super::client::{Client, each_row};
use super::events::Which;
use super::{Failure, out, small_runtime};
use crate::api::FetchLine;
use crate::config::Config;

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

pub(super) fn export(config: &Arc<Config>, what: &What) -> Result<(), Failure> {
    let What::Events(args) = what;
    let query = args.which.query();
    small_runtime()?.block_on(async {
        let mut events = 0_u64;
        let printing = async {
            let lines = Client::find(config).await?.get_lines(&["events", "export"], &query).await?;
            each_row(lines, |line| print(line, &mut events)).await
        };
        tokio::select! {
            printed = printing => printed,
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
