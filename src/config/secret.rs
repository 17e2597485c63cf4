//! Secrets: named in the file in one of three ways, read only when they are needed.

use std::ops::Range;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::domain::document::{OneOrMany, Table};
use crate::domain::mistake::Mistake;

/// Where a secret is.
#[derive(Debug, Clone)]
pub struct SecretRef {
    source: Source,
    /// Where it is named.
    pub span: Range<usize>,
}

#[derive(Debug, Clone)]
enum Source {
    Inline(SecretString),
    Env(String),
    File {
        /// As it is written.
        written: PathBuf,
        /// Relative to the configuration file.
        path: PathBuf,
    },
}

/// Why a secret could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Only the unit may read it, or only the unit has it: no mistake outside of the unit.
    #[error("{0} is not readable here")]
    NotReadableHere(String),
    /// It is not where the configuration says.
    #[error("{0}")]
    Missing(String),
}

impl SecretRef {
    /// Reads the secret.
    ///
    /// A bare file name is looked up among the unit's credentials first.
    pub fn read(&self, env: &dyn Fn(&str) -> Option<String>) -> Result<SecretString, SecretError> {
        let text = match &self.source {
            Source::Inline(secret) => secret.expose_secret().to_owned(),
            Source::Env(name) => {
                env(name).ok_or_else(|| SecretError::Missing(format!("the environment variable {name} is not set")))?
            }
            Source::File { written, path } => read_file(written, path, env)?,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Missing("the secret is empty".to_owned()));
        }
        Ok(SecretString::from(text))
    }
}

fn read_file(written: &Path, path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<String, SecretError> {
    let bare = written.components().count() == 1 && written.is_relative();
    let credentials = env("CREDENTIALS_DIRECTORY").filter(|_| bare);
    if let Some(text) = credentials.as_ref().and_then(|dir| std::fs::read_to_string(Path::new(dir).join(written)).ok())
    {
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => SecretError::NotReadableHere(path.display().to_string()),
        std::io::ErrorKind::NotFound if bare && credentials.is_none() => {
            SecretError::NotReadableHere(format!("{} (a credential of the unit, perhaps)", written.display()))
        }
        _ => SecretError::Missing(format!("{} cannot be read: {error}", path.display())),
    })
}

/// Takes `KEY`, `KEY_env` or `KEY_file`, of which at most one may be given.
pub(super) fn take(table: &mut Table<'_>, key: &str, dir: &Path, mistakes: &mut Vec<Mistake>) -> Option<SecretRef> {
    let inline = table.take::<String>(key, mistakes);
    let env = table.take::<String>(&format!("{key}_env"), mistakes);
    let file = table.take::<PathBuf>(&format!("{key}_file"), mistakes);
    let mut given = Vec::new();
    given.extend(inline.map(|placed| (Source::Inline(SecretString::from(placed.value)), placed.span)));
    given.extend(env.map(|placed| (Source::Env(placed.value), placed.span)));
    given.extend(file.map(|placed| (file_source(placed.value, dir), placed.span)));
    if let [_, (_, second), ..] = given.as_slice() {
        mistakes.push(Mistake::new(
            second.clone(),
            format!("give one of `{key}`, `{key}_env` and `{key}_file`, not several"),
        ));
    }
    given.into_iter().next().map(|(source, span)| SecretRef { source, span })
}

/// Takes `KEY`, `KEY_env` or `KEY_file`, each a secret or, while one is being replaced, a list of them.
pub(super) fn take_list(table: &mut Table<'_>, key: &str, dir: &Path, mistakes: &mut Vec<Mistake>) -> Vec<SecretRef> {
    let mut secrets = Vec::new();
    let mut keys_given = 0;
    for (suffix, source) in [
        ("", inline_source as fn(String, &Path) -> Source),
        ("_env", |name, _| Source::Env(name)),
        ("_file", |path, dir| file_source(PathBuf::from(path), dir)),
    ] {
        let Some(placed) = table.take::<OneOrMany>(&format!("{key}{suffix}"), mistakes) else { continue };
        keys_given += 1;
        if keys_given == 2 {
            mistakes.push(placed.mistake(format!("give one of `{key}`, `{key}_env` and `{key}_file`, not several")));
        }
        let OneOrMany(texts) = placed.value;
        secrets
            .extend(texts.into_iter().map(|text| SecretRef { source: source(text, dir), span: placed.span.clone() }));
    }
    secrets
}

fn inline_source(text: String, _dir: &Path) -> Source {
    Source::Inline(SecretString::from(text))
}

fn file_source(written: PathBuf, dir: &Path) -> Source {
    let path = dir.join(&written);
    Source::File { written, path }
}
