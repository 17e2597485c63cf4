//! `posbell restore FILE`: the copy of a file in the place of what posbell knows.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::backup::{is_time, said};
use super::source::patiently;
use super::{Failure, out};
use crate::config::Config;
use crate::edge::store::{BackupError, Restore, Restored};
use crate::service::clock::Clock;

#[derive(Debug, Args)]
#[command(after_help = "What is in place now is set aside and not removed. What has changed since the backup is told \
                        by the next passes; what was told already is told once more: sales, products, members, \
                        vendors, purchases and credits that came, cancels and overdue credits under the id that they \
                        had, everything else under a new one. Messages that waited are sent under the ids that they \
                        have.")]
pub(super) struct RestoreArgs {
    /// What `posbell backup` has written
    file: PathBuf,
}

pub(super) fn restore(config: &Config, args: &RestoreArgs) -> Result<(), Failure> {
    let clock = Clock::default();
    let dir = &config.data_dir;
    let place = patiently(&clock, || Restore::begin(dir)).context("Failed to restore; stop the service first")?;
    let mut said_at = clock.now();
    let mut progress = |done: u64, all: u64| {
        if let Some(now) = is_time(&clock, said_at) {
            said_at = now;
            out::note(&format!("{done} of {all} records are restored"));
        }
    };
    let restored = place.run(&args.file, clock.new_epoch(), clock.now(), &mut progress);
    let restored = restored.map_err(|error| {
        let is_untouched = !matches!(error, BackupError::Directory { .. });
        let failed = if is_untouched { "Failed to restore; everything is as it was" } else { "Failed to restore" };
        anyhow::Error::from(error).context(failed)
    })?;
    out::text(&told(&restored, config, args))?;
    Ok(())
}

fn told(restored: &Restored, config: &Config, args: &RestoreArgs) -> String {
    let Restored { contents, aside } = restored;
    let mut text = format!("Restored {} into {}.\n", args.file.display(), config.data_dir.display());
    text.push_str(&said(contents, config.wording.timezone));
    match aside {
        Some(aside) => text.push_str(&format!(
            "What was in its place is in {}; remove it when nobody needs it any more.\n",
            aside.display()
        )),
        None => text.push_str("There was nothing in its place.\n"),
    }
    text.push_str(
        "What has changed since then is told when posbell runs again. What was told already is told once more: what \
         came, cancels and overdue credits under the id that they had, everything else under a new one.\n",
    );
    match contents.waiting() {
        0 => {}
        waiting => {
            text.push_str(&format!("{waiting} messages that waited then are sent under the ids that they have.\n"))
        }
    }
    text
}
