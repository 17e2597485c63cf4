//! Does the systemd unit bring the secrets that the configuration names?
//!
//! `check` reads as whoever calls it, and the service as a user of its own, to which the unit hands the secrets
//! (`LoadCredential=`). A line that is still commented out is seen by nobody before the service fails. So where a unit
//! `posbell.service` runs this configuration, root's `check` holds the two against each other.

mod file;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::file::{Line, Unit};
use super::Env;
use crate::config::{Config, Problem, SecretError, SecretRef, SourceFile, Weight};
use crate::domain::mistake::Mistake;
use crate::edge::store::is_root;

/// What is used where the command line of the unit names no file.
const STANDARD: &str = "/etc/posbell/posbell.toml";

/// Adds to what was `found` what the unit says differently.
pub(super) fn compare(config: &Config, env: Env<'_>, found: &mut Vec<Problem>) {
    // Within the unit itself there is nothing to compare.
    if env("CREDENTIALS_DIRECTORY").is_some() {
        return;
    }
    let Some(unit) = Unit::find(env).filter(|unit| runs(unit, &config.file.path)) else { return };
    let is_root = is_root();
    let mut seen = BTreeSet::new();
    for secret in config.secrets() {
        let Some((name, path)) = secret.file() else { continue };
        if name.is_some_and(|name| unit.brings(name)) {
            excuse(secret, env, is_root, found);
        } else if is_root && seen.insert(path.to_owned()) && !unit.user_can_read(path) {
            match name {
                Some(name) => found.push(not_brought(config, &unit, secret, name, path)),
                None if path.exists() => found.push(not_readable(config, &unit, secret, path)),
                // Which is a mistake already.
                None => {}
            }
        }
    }
    if is_root {
        found.extend(unit.lines.iter().filter_map(no_file));
    }
}

/// Whether the unit runs this configuration.
fn runs(unit: &Unit, config: &Path) -> bool {
    let same = |path: &Path| path.canonicalize().ok();
    let named = unit.config().unwrap_or_else(|| PathBuf::from(STANDARD));
    same(&named).is_some_and(|named| Some(named) == same(config))
}

/// A secret that the unit brings from elsewhere is not missing; for whoever cannot look there it is one that only the unit
/// can read.
fn excuse(secret: &SecretRef, env: Env<'_>, is_root: bool, found: &mut Vec<Problem>) {
    let Err(error @ SecretError::Missing(_)) = secret.read(env) else { return };
    let is_this =
        |problem: &Problem| problem.mistake.span == secret.span && problem.mistake.message == error.to_string();
    if is_root {
        found.retain(|problem| !is_this(problem));
    }
    for problem in found.iter_mut().filter(|problem| is_this(problem)) {
        problem.weight = Weight::Warning;
    }
}

fn not_brought(config: &Config, unit: &Unit, secret: &SecretRef, name: &str, beside: &Path) -> Problem {
    let line = format!("LoadCredential={name}:{}", absolute(beside).display());
    let of = format!("`{name}` of {}", config.file.path.display());
    match unit.commented(name) {
        Some(commented) => {
            let mistake = Mistake::new(
                commented.span.clone(),
                format!("this line does not count, so the service does not get the secret {of}"),
            );
            let written = commented.text.trim_start_matches(['#', ';', ' ']);
            problem(&commented.file, mistake.help(format!("take the # away: {written}; then systemctl daemon-reload")))
        }
        None => {
            let mistake = Mistake::new(
                secret.span.clone(),
                format!("{} does not bring the secret `{name}` to the service", unit.path.display()),
            );
            let help = format!("write below [Service] in it: {line}; then systemctl daemon-reload");
            problem(&config.file, mistake.help(help))
        }
    }
}

fn not_readable(config: &Config, unit: &Unit, secret: &SecretRef, path: &Path) -> Problem {
    let mistake = Mistake::new(secret.span.clone(), format!("the user of the service cannot read {}", path.display()));
    let name = path.file_name().unwrap_or_default().display();
    let help = format!(
        "write \"{name}\" here, and below [Service] in {}: LoadCredential={name}:{}; then systemctl daemon-reload",
        unit.path.display(),
        absolute(path).display()
    );
    problem(&config.file, mistake.help(help))
}

/// systemd does not start a service of which it cannot load a credential.
fn no_file(line: &Line) -> Option<Problem> {
    let path = line.loads_file()?;
    if path.exists() {
        return None;
    }
    let message = format!("there is no file {}: systemd does not start the service without it", path.display());
    let mistake = Mistake::new(line.span.clone(), message);
    let help = "put it there, or a # before this line and then systemctl daemon-reload";
    Some(problem(&line.file, mistake.help(help)))
}

fn problem(file: &Arc<SourceFile>, mistake: Mistake) -> Problem {
    Problem { file: Arc::clone(file), mistake, weight: Weight::Error }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Unit {
    /// Whether the user of the service can read the file without the unit's help.
    fn user_can_read(&self, path: &Path) -> bool {
        let Ok(found) = std::fs::metadata(path) else { return false };
        match self.user() {
            // A user of its own, or one that is not known here.
            None => found.mode() & 0o004 != 0,
            Some((0, _)) => true,
            Some((uid, _)) if found.uid() == uid => found.mode() & 0o400 != 0,
            Some((_, gid)) if found.gid() == gid => found.mode() & 0o040 != 0,
            Some(_) => found.mode() & 0o004 != 0,
        }
    }
}
