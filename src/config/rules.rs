//! Finding and reading the rule files.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::text_file::{self, Unreadable};
use super::{Problem, SourceFile};
use crate::domain::document::Placed;
use crate::domain::mistake::Mistake;
use crate::domain::rules::{self, Names, Places, RuleSet};

/// Where each rule and each threshold is written, in the order of the rule set.
#[derive(Debug, Clone, Default)]
pub struct RulePlaces {
    pub(super) rules: Vec<Spot>,
    pub(super) thresholds: Vec<Spot>,
}

/// A place in one of several files.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) file: Arc<SourceFile>,
    pub(super) span: Range<usize>,
}

impl RulePlaces {
    fn add(&mut self, file: &Arc<SourceFile>, found: Places) {
        let spot = |span| Spot { file: Arc::clone(file), span };
        self.rules.extend(found.rules.into_iter().map(spot));
        self.thresholds.extend(found.thresholds.into_iter().map(spot));
    }
}

/// `rules/10-stock.toml, line 12`.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.file.text.get(..self.span.start).unwrap_or_default();
        write!(f, "{}, line {}", self.file.path.display(), before.matches('\n').count() + 1)
    }
}

/// Reads every `*.toml` of the rules directory in the order of their names, or the one file that is named.
///
/// A directory that was not named and does not exist is an empty one: posbell then records events and sends nothing.
pub(super) fn load(
    dir: &Path,
    written: Option<&Placed<PathBuf>>,
    config: &Arc<SourceFile>,
    names: &Names,
) -> Result<(RuleSet, RulePlaces), Vec<Problem>> {
    let path = dir.join(written.map_or(Path::new("rules"), |placed| &placed.value));
    let files = match files_of(&path) {
        Ok(files) => files,
        Err(error) if written.is_none() && error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let span = written.map_or(0..0, |placed| placed.span.clone());
            let mistake = Mistake::new(span, format!("the rules {} cannot be read: {error}", path.display()));
            return Err(Problem::all(config, vec![mistake]));
        }
    };
    let mut rules = RuleSet::default();
    let mut places = RulePlaces::default();
    let mut problems = Vec::new();
    for path in files {
        let (text, unreadable) = match text_file::read(&path) {
            Ok(text) => (text, None),
            Err(error) => (String::new(), Some(Mistake::new(0..0, error.to_string()))),
        };
        let beside = |name: &str| {
            let beside = path.parent().unwrap_or(dir).join(name);
            text_file::read(&beside).map_err(|error| match error {
                // The name of the form in the dialogue of a spreadsheet.
                Unreadable::Utf16 => format!("{} is saved as UTF-16; save it as `CSV UTF-8`", beside.display()),
                Unreadable::NotUtf8 => format!("{} is not in UTF-8: save it as `CSV UTF-8`", beside.display()),
                other => format!("{} {other}", beside.display()),
            })
        };
        let read = match unreadable {
            Some(mistake) => Err(vec![mistake]),
            None => rules::parse(&text, names, &beside, &mut rules),
        };
        let file = Arc::new(SourceFile { path: path.clone(), text });
        match read {
            Ok(found) => places.add(&file, found),
            Err(mistakes) => problems.extend(Problem::all(&file, mistakes)),
        }
    }
    if problems.is_empty() { Ok((rules, places)) } else { Err(problems) }
}

fn files_of(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // Also what is no readable file: a broken link would otherwise be a rule that silently does nothing.
        if file.extension().is_some_and(|extension| extension == "toml") && !hidden {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
