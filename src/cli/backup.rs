//! `posbell backup FILE`: a copy of all that posbell knows, from the running service or from the store itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::Args;

use super::client::{Answer, Client};
use super::{Failure, out, small_runtime, table};
use crate::config::Config;
use crate::domain::model::Timestamp;
use crate::edge::store::{BackupError, BackupFile, Contents, FormError};
use crate::service::clock::Clock;

/// How often it is begun again where more was changed meanwhile than the service keeps.
const ATTEMPTS: usize = 3;

/// How long nothing is said about how far it is.
const PROGRESS: TimeDelta = TimeDelta::seconds(2);

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    /// Where it is written; a backup that is there is replaced once the new one is whole
    file: PathBuf,
}

pub(super) fn backup(config: &Arc<Config>, args: &BackupArgs) -> Result<(), Failure> {
    let contents = small_runtime()?.block_on(async {
        tokio::select! {
            written = written(config, &args.file) => written,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; there is no new backup")),
        }
    })?;
    out::line(&format!("Wrote {} and read it back.", args.file.display()))?;
    out::text(&said(&contents, config.wording.timezone))?;
    Ok(())
}

async fn written(config: &Arc<Config>, path: &Path) -> anyhow::Result<Contents> {
    for _again in 1..ATTEMPTS {
        match copied(config, path).await {
            Err(error) if can_go_well(&error) => out::note(&format!("{error:#}; it is begun again")),
            outcome => return outcome,
        }
    }
    copied(config, path).await
}

fn can_go_well(error: &anyhow::Error) -> bool {
    let failed = error.downcast_ref::<BackupError>();
    matches!(failed, Some(BackupError::Wrong { source: FormError::Failed { again: true, .. }, .. }))
}

async fn copied(config: &Arc<Config>, path: &Path) -> anyhow::Result<Contents> {
    let client = Client::find(config).await?;
    let mut file = BackupFile::begin_for_person(path, &config.data_dir)?;
    // What cannot be written ends the asking; what was not sent is missing in the file.
    take(client.post_bytes(&["backup"]).await?, &mut file).await?;
    Ok(file.finish()?)
}

async fn take(mut pieces: Answer, file: &mut BackupFile) -> anyhow::Result<()> {
    let clock = Clock::default();
    let mut said_at = clock.now();
    while let Some(piece) = pieces.next().await? {
        let bytes = file.write(&piece)?;
        if let Some(now) = is_time(&clock, said_at) {
            said_at = now;
            out::note(&format!("{} so far", size(bytes)));
        }
    }
    Ok(())
}

/// Now, where it is time to say again how far it is.
pub(super) fn is_time(clock: &Clock, said_at: Timestamp) -> Option<Timestamp> {
    let now = clock.now();
    // A clock that went back would keep it silent for as long.
    (now - said_at).abs().ge(&PROGRESS).then_some(now)
}

/// What is in a backup, for a person.
pub(super) fn said(contents: &Contents, zone: Tz) -> String {
    format!(
        "It is of {}, written by posbell {}:\n  {} shops with {} rows\n  {} events\n  {} messages, of which {} wait to \
         be sent and {} are dead letters\n  {} records in {}\n",
        table::moment(contents.created_at, zone),
        contents.written_by,
        contents.shops(),
        contents.rows(),
        contents.events(),
        contents.deliveries(),
        contents.waiting(),
        contents.dead(),
        contents.records,
        size(contents.bytes),
    )
}

/// A number of bytes as a person reads it.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
