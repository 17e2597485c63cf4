//! `posbell restore`: a copy in the place of what posbell knows, a person's own or the newest that posbell has made.
//!
//! What it costs is said before anything is done, and by `--dry-run` alone.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{ArgGroup, Args};

use super::backup::{is_time, said};
use super::client::served;
use super::{Failure, out, table};
use crate::config::Config;
use crate::domain::model::Timestamp;
use crate::edge::store::{BackupError, Contents, Restore, Restored, Shelf, read_backup};
use crate::service::clock::Clock;
use crate::service::patience::patiently;

#[derive(Debug, Args)]
#[command(after_help = "What is in place now is set aside and not removed. What has changed since the backup is told \
                        by the next passes; what was told already is told once more: sales, products, members, \
                        vendors, purchases and credits that came, cancels and overdue credits under the id that they \
                        had, everything else under a new one. Messages that waited are sent under the ids that they \
                        have.")]
#[command(group = ArgGroup::new("which").required(true).args(["file", "last"]))]
pub(super) struct RestoreArgs {
    /// What `posbell backup` has written
    file: Option<PathBuf>,
    /// The newest whole copy of those that posbell makes each night
    #[arg(long)]
    last: bool,
    /// Only say which it is and what it would cost; also while the service runs
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn restore(config: &Config, args: &RestoreArgs) -> Result<(), Failure> {
    let clock = Clock::default();
    // Taken first: what is chosen must still be there when it is restored.
    let place = match args.dry_run {
        true => None,
        false => {
            let taken = patiently(&clock, || served(&config.data_dir), || Restore::begin(&config.data_dir));
            Some(taken.context("Failed to restore; stop the service first")?)
        }
    };
    let untouched = "Failed to restore; everything is as it was";
    let (file, contents) = match &args.file {
        Some(file) => (file.clone(), read_backup(file).context(untouched)?),
        None => newest_whole(config, clock.now()).context(untouched)?,
    };
    out::text(&before(&file, &contents, config, clock.now()))?;
    let Some(place) = place else {
        out::line("Nothing was changed.")?;
        return Ok(());
    };
    let mut said_at = clock.now();
    let mut progress = |done: u64, all: u64| {
        if let Some(now) = is_time(&clock, said_at) {
            said_at = now;
            out::note(&format!("{done} of {all} records are restored"));
        }
    };
    let restored = place.run(&file, clock.new_epoch(), clock.now(), &mut progress);
    let restored = restored.map_err(|error| {
        let is_untouched = !matches!(error, BackupError::Directory { .. });
        anyhow::Error::from(error).context(if is_untouched { untouched } else { "Failed to restore" })
    })?;
    out::text(&after(&restored, config, clock.now()))?;
    Ok(())
}

/// The newest of posbell's own copies that is as it was written. Names those that are not.
fn newest_whole(config: &Config, now: Timestamp) -> anyhow::Result<(PathBuf, Contents)> {
    let shelf = Shelf::of(&config.data_dir);
    for copy in shelf.copies(now)? {
        match read_backup(&copy.path) {
            Ok(contents) => return Ok((copy.path, contents)),
            Err(error) => out::note(&format!("{error}; the copy before it is taken")),
        }
    }
    anyhow::bail!(
        "there is no whole copy in {}; `posbell restore FILE` takes a backup of your own",
        shelf.dir().display()
    )
}

fn before(file: &Path, contents: &Contents, config: &Config, now: Timestamp) -> String {
    let mut text = format!("The backup is {}.\n", file.display());
    text.push_str(&said(contents, config.wording.timezone));
    text.push_str(&format!(
        "It is {} old. What posbell has stored since then is forgotten:\n",
        table::length(now - contents.created_at)
    ));
    text.push_str(&costs(contents));
    text
}

fn after(restored: &Restored, config: &Config, now: Timestamp) -> String {
    let Restored { contents, aside } = restored;
    let mut text = format!("Restored it into {}.\n", config.data_dir.display());
    match aside {
        Some(aside) => text.push_str(&format!(
            "What was in its place is in {}; remove it when nobody needs it any more.\n",
            aside.display()
        )),
        None => text.push_str("There was nothing in its place.\n"),
    }
    text.push_str(&format!(
        "posbell knows what it knew at {}, {} ago. When it runs again:\n",
        table::moment(contents.created_at, config.wording.timezone),
        table::length(now - contents.created_at)
    ));
    text.push_str(&costs(contents));
    text
}

/// What becomes of the time since the backup; the same words before and after.
fn costs(contents: &Contents) -> String {
    format!(
        "  What the shop shows and the backup does not is told by the next readings, and what was told already once \
         more:\n  what came, cancels and overdue credits under the id that they had, everything else under a new one.\n  \
         Not told is what changed and changed back since, and sales from more than `trailing_window` before it.\n  \
         Messages that wait in it ({}) are sent under the ids that they have, also where they were delivered since.\n",
        contents.waiting()
    )
}
