//! A start that a mistake in the files keeps from happening: people are told, by what can still be read.
//!
//! It is told once for the same mistakes, which a file in the data directory remembers until a start goes well. A first
//! start tells nothing: whoever sets posbell up sees what is printed. Nor does a second process beside the running
//! service, which goes on with the settings that it has.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{Context, SHA256};
use tracing::warn;

use super::clock::Clock;
use super::notice::Teller;
use super::ready::Env;
use super::setup::ready_channels;
use crate::config::{Config, Problem};
use crate::domain::message::Notice;
use crate::edge::store::DirLock;

/// How long one channel may take, and all of them: the process is about to end.
const CHANNEL: Duration = Duration::from_secs(3);
const ALL: Duration = Duration::from_secs(7);

/// Tells people of the first mistake, unless these mistakes were told before.
pub async fn tell(config: &Config, problems: &[Problem], env: Env<'_>, clock: &Clock) {
    let Some(first) = problems.first() else { return };
    if !config.data_dir.join("store").exists() {
        return;
    }
    // While a service runs, posbell does its work.
    let Ok(_lock) = DirLock::take(&config.data_dir) else { return };
    let marker = marker(&config.data_dir);
    let hash = hash(problems);
    if std::fs::read_to_string(&marker).is_ok_and(|told| told.trim() == hash) {
        return;
    }
    let mut quick = config.clone();
    for channel in &mut quick.channels {
        channel.timeout = channel.timeout.min(CHANNEL);
    }
    let channels: Vec<_> = ready_channels(&quick, env).into_iter().map(Arc::new).collect();
    let people = Teller::new(&channels, config.wording.clone(), clock.clone());
    let place = place(first);
    let notice = Notice::Mistaken { place: &place, more: problems.len() - 1 };
    let told = tokio::time::timeout(ALL, people.tell(notice, |_| true)).await;
    if let Ok(Some(_)) = told
        && let Err(error) = std::fs::write(&marker, hash)
    {
        warn!("{} cannot be written, so the same mistake is told once more: {error}", marker.display());
    }
}

/// Forgets what was told: the files are right again.
pub fn forget(data_dir: &Path) {
    // An error means that nothing was told.
    drop(std::fs::remove_file(marker(data_dir)));
}

fn marker(data_dir: &Path) -> PathBuf {
    data_dir.join("mistake-told")
}

/// `rules/10-stock.toml:12`; only the file where it is about the file as a whole.
fn place(problem: &Problem) -> String {
    let path = problem.file.path.display();
    match problem.file.text.get(..problem.mistake.span.start) {
        Some(before) if !problem.file.text.is_empty() => format!("{path}:{}", before.matches('\n').count() + 1),
        _ => path.to_string(),
    }
}

fn hash(problems: &[Problem]) -> String {
    let mut context = Context::new(&SHA256);
    for problem in problems {
        context.update(format!("{}\n{}\n", place(problem), problem.mistake.message).as_bytes());
    }
    context.finish().as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
