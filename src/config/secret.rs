//! Secrets: named in the file in one of three ways, read only when they are needed.

use std::ops::Range;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::text_file::{self, Unreadable};
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
    /// It is there, and only the unit may read it: no mistake outside of the unit.
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
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(SecretError::Missing("the secret is empty".to_owned()));
        }
        Ok(SecretString::from(text))
    }

    /// The file that it is in, and the name by which a unit's credentials have it, where it is written as a bare name.
    pub fn file(&self) -> Option<(Option<&str>, &Path)> {
        match &self.source {
            Source::File { written, path } => Some((written.to_str().filter(|_| is_bare(written)), path)),
            Source::Inline(_) | Source::Env(_) => None,
        }
    }

    /// The file that it is in, where others than the file's owner may read it. `config` is the file that names it.
    ///
    /// Not asked of a unit's credentials: those are the service manager's to guard.
    pub fn open_to_others(&self, config: &Path, env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let path = match &self.source {
            Source::Inline(_) => config,
            Source::Env(_) => return None,
            Source::File { written, .. } if credential(written, env).is_some_and(|found| found.exists()) => {
                return None;
            }
            Source::File { path, .. } => path,
        };
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        (mode & 0o077 != 0).then(|| path.to_owned())
    }
}

fn is_bare(written: &Path) -> bool {
    written.components().count() == 1 && written.is_relative()
}

/// Where a bare file name would be among the credentials of a unit, if this is one.
fn credential(written: &Path, env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    env("CREDENTIALS_DIRECTORY").filter(|_| is_bare(written)).map(|directory| Path::new(&directory).join(written))
}

fn read_file(written: &Path, path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<String, SecretError> {
    if let Some(credential) = credential(written, env).filter(|credential| credential.exists()) {
        return text_file::read(&credential).map_err(|error| unreadable(&credential, &error));
    }
    text_file::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &Unreadable) -> SecretError {
    match error {
        Unreadable::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            SecretError::NotReadableHere(path.display().to_string())
        }
        Unreadable::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            SecretError::Missing(format!("there is no file {}", path.display()))
        }
        other => SecretError::Missing(format!("{} {other}", path.display())),
    }
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

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn only_a_file_that_is_there_and_not_ours_to_read_is_no_mistake() {
        for (kind, is_mistake) in
            [(ErrorKind::PermissionDenied, false), (ErrorKind::NotFound, true), (ErrorKind::NotADirectory, true)]
        {
            let error = unreadable(Path::new("key"), &Unreadable::Io(Error::from(kind)));
            assert_eq!(matches!(error, SecretError::Missing(_)), is_mistake, "{kind}: {error}");
        }
    }
}
