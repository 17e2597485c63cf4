//! A unit as systemd reads it: the file and its drop-ins, and the lines that are commented out.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Env;
use crate::config::SourceFile;

const NAME: &str = "posbell.service";

/// Where systemd looks, first things first.
const DIRECTORIES: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The settings that bring credentials.
const BRING: &[&str] =
    &["LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted", "ImportCredential"];

/// The unit of the service.
pub(super) struct Unit {
    /// The file that is not a drop-in.
    pub(super) path: PathBuf,
    /// The lines of `[Service]` that count.
    pub(super) lines: Vec<Line>,
    /// Those that are commented out.
    commented: Vec<Line>,
}

/// One line of `[Service]`.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) file: Arc<SourceFile>,
    pub(super) span: Range<usize>,
    pub(super) text: String,
    key: String,
    value: String,
}

impl Unit {
    /// Finds it where systemd would. `SYSTEMD_UNIT_PATH` says where, as it does to systemd.
    pub(super) fn find(env: Env<'_>) -> Option<Unit> {
        let directories = directories(env);
        let path = directories.iter().map(|dir| dir.join(NAME)).find(|path| path.is_file())?;
        let mut unit = Unit { path: path.clone(), lines: Vec::new(), commented: Vec::new() };
        unit.read(&path)?;
        // Of several with one name the first counts; they are read in the order of their names.
        let mut drop_ins: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for directory in &directories {
            let entries = std::fs::read_dir(directory.join(format!("{NAME}.d"))).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "conf")) {
                drop_ins.entry(entry.file_name()).or_insert_with(|| entry.path());
            }
        }
        for path in drop_ins.values() {
            // What cannot be read is left out: systemd itself warns of it.
            let _ = unit.read(path);
        }
        Some(unit)
    }

    fn read(&mut self, path: &Path) -> Option<()> {
        let file = Arc::new(SourceFile { path: path.to_owned(), text: std::fs::read_to_string(path).ok()? });
        let mut in_service = false;
        let mut from = 0;
        while from < file.text.len() {
            let length = logical(&file.text[from..]);
            let written = &file.text[from..from + length];
            let text = written.trim_end();
            let span = from..from + text.lines().next().map_or(0, str::len);
            from += length;
            if text.starts_with('[') {
                in_service = text == "[Service]";
            }
            if !in_service {
                continue;
            }
            let is_commented = text.starts_with(['#', ';']);
            let Some((key, value)) = text.trim_start_matches(['#', ';', ' ']).split_once('=') else { continue };
            let (key, value) = (key.trim().to_owned(), value.replace("\\\n", " ").trim().to_owned());
            let line = Line { file: Arc::clone(&file), span, text: text.to_owned(), key, value };
            match is_commented {
                true => self.commented.push(line),
                // An empty value takes back what was said before.
                false if line.value.is_empty() => self.lines.retain(|before| before.key != line.key),
                false => self.lines.push(line),
            }
        }
        Some(())
    }

    /// Whether it hands a credential of that name to the service.
    pub(super) fn brings(&self, name: &str) -> bool {
        self.lines.iter().any(|line| line.brings(name))
    }

    /// The line that would bring it and is commented out.
    pub(super) fn commented(&self, name: &str) -> Option<&Line> {
        self.commented.iter().find(|line| line.brings(name))
    }

    /// The configuration that its command line or its environment names.
    pub(super) fn config(&self) -> Option<PathBuf> {
        let command = self.last("ExecStart")?;
        let mut words = command.split_whitespace().map(unquoted);
        while let Some(word) = words.next() {
            match word.strip_prefix("--config") {
                Some("") => return words.next().map(PathBuf::from),
                Some(path) => return path.strip_prefix('=').map(|path| PathBuf::from(unquoted(path))),
                None => {}
            }
        }
        let settings = self.lines.iter().filter(|line| line.key == "Environment");
        let mut words = settings.flat_map(|line| line.value.split_whitespace()).map(unquoted);
        words.find_map(|word| word.strip_prefix("POSBELL_CONFIG=").map(PathBuf::from))
    }

    /// The user and the group that it runs as; none where they are not known before it runs.
    pub(super) fn user(&self) -> Option<(u32, u32)> {
        let is_dynamic = self.last("DynamicUser").is_some_and(|value| matches!(value, "yes" | "true" | "on" | "1"));
        let name = match self.last("User") {
            _ if is_dynamic => return None,
            None => return Some((0, 0)),
            Some(name) => name,
        };
        let known = std::fs::read_to_string("/etc/passwd").ok()?;
        known.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (named, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            (named == name || uid == name).then_some((uid.parse().ok()?, gid.parse().ok()?))
        })
    }

    fn last(&self, key: &str) -> Option<&str> {
        self.lines.iter().rev().find(|line| line.key == key).map(|line| line.value.as_str())
    }
}

impl Line {
    /// Whether it hands a credential of that name to the service.
    fn brings(&self, name: &str) -> bool {
        if !BRING.contains(&self.key.as_str()) {
            return false;
        }
        let (id, path) = self.value.split_once(':').unwrap_or((&self.value, ""));
        let id = unquoted(id);
        if self.key == "ImportCredential" {
            let named = if path.is_empty() { id } else { path };
            return named == name || named.strip_suffix('*').is_some_and(|start| name.starts_with(start));
        }
        // Of a directory each file is a credential of its own.
        let in_directory = name.strip_prefix(id).and_then(|rest| rest.strip_prefix('_'));
        id == name || in_directory.is_some_and(|file| Path::new(path).join(file).is_file())
    }

    /// The file that must be there for the service to start.
    pub(super) fn loads_file(&self) -> Option<&Path> {
        let is_load = matches!(self.key.as_str(), "LoadCredential" | "LoadCredentialEncrypted");
        let (_, path) = self.value.split_once(':').filter(|_| is_load)?;
        let path = Path::new(path);
        // What holds a specifier is not known here.
        (path.is_absolute() && !self.value.contains('%')).then_some(path)
    }
}

fn directories(env: Env<'_>) -> Vec<PathBuf> {
    let standard = || DIRECTORIES.iter().map(PathBuf::from);
    match env("SYSTEMD_UNIT_PATH").filter(|path| !path.is_empty()) {
        None => standard().collect(),
        // An empty last part stands for the standard ones.
        Some(path) if path.ends_with(':') => {
            path.split(':').filter(|dir| !dir.is_empty()).map(PathBuf::from).chain(standard()).collect()
        }
        Some(path) => path.split(':').map(PathBuf::from).collect(),
    }
}

/// How long the first line is, with those that it goes on in.
fn logical(text: &str) -> usize {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        length += line.len();
        if !line.trim_end_matches(['\n', '\r']).ends_with('\\') || line.starts_with(['#', ';']) {
            break;
        }
    }
    length
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\''])
}
