//! A backup on the disk: it appears whole or not at all, is read back before it appears, and is for its owner's eyes
//! alone, since it holds names and telephone numbers of customers.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::form::{self, FormError, Header, Reader};
use crate::edge::store::owner::as_person;
use crate::edge::store::record::FORM;
use crate::edge::store::{StoreError, keys};

/// Why there is no backup, or none that can be restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something stands in its place that is none, and is not overwritten.
    #[error("{} is there and is no backup of posbell; it is not overwritten", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// It is not one that this version can read.
    #[error("{}: {source}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormError,
    },
    /// There is no room for it beside what is there.
    #[error("{} MB must be free on the disk of {} for this", wanted / 1_000_000, dir.display())]
    NoRoom {
        /// The data directory.
        dir: PathBuf,
        /// How many bytes.
        wanted: u64,
    },
    /// The directory cannot be changed as it must be.
    #[error("{} could not be {doing}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What was tried, as a participle.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// After how many bytes they are brought to the disk. Left to the end, hundreds of megabytes would go there at once, and
/// the commits of the running service would wait behind them.
const SYNCED: u64 = 8 * 1024 * 1024;

/// A backup that is being written, beside the place where it will stand. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub struct BackupFile {
    path: PathBuf,
    part: PathBuf,
    file: File,
    written: u64,
    is_in_place: bool,
    /// It is made for the person who runs the command, in a place of that person's.
    of_person: bool,
}

impl BackupFile {
    /// Opens a new file beside `path`. An older backup may stand there; anything else is in the way.
    pub fn begin(path: &Path) -> Result<BackupFile, BackupError> {
        Self::begin_as(path, false)
    }

    /// The same for the person who runs the command, to whom the file belongs unless it is in the data directory.
    pub fn begin_for_person(path: &Path, data_dir: &Path) -> Result<BackupFile, BackupError> {
        let place = |dir: &Path| dir.canonicalize().ok();
        let within = place(dir_of(path)).zip(place(data_dir)).is_some_and(|(dir, data)| dir.starts_with(data));
        match within {
            true => Self::begin(path),
            false => as_person(|| Self::begin_as(path, true)),
        }
    }

    fn begin_as(path: &Path, of_person: bool) -> Result<BackupFile, BackupError> {
        let unwritable = |source| BackupError::Unwritable { path: path.to_owned(), source };
        let name = path.file_name().ok_or_else(|| unwritable(ErrorKind::InvalidFilename.into()))?;
        match std::fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() || !begins_as_one(path).map_err(unwritable)? => {
                return Err(BackupError::InTheWay { path: path.to_owned() });
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(error)),
            _ => {}
        }
        let mut part = name.to_owned();
        // Of this process alone: two backups into one file must not write into one another's.
        part.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(part);
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(unwritable(error)),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&part);
        let file = file.map_err(unwritable)?;
        Ok(BackupFile { path: path.to_owned(), part, file, written: 0, is_in_place: false, of_person })
    }

    /// Writes the next piece, and returns how many bytes there are now.
    pub fn write(&mut self, piece: &[u8]) -> Result<u64, BackupError> {
        let before = self.written / SYNCED;
        let unwritable = |source| BackupError::Unwritable { path: self.path.clone(), source };
        self.file.write_all(piece).map_err(unwritable)?;
        self.written += piece.len() as u64;
        if self.written / SYNCED > before {
            self.file.sync_data().map_err(unwritable)?;
        }
        Ok(self.written)
    }

    /// Brings it to the disk, reads it back, and puts it in place.
    pub fn finish(mut self) -> Result<Contents, BackupError> {
        match self.of_person {
            true => as_person(|| self.put_in_place()),
            false => self.put_in_place(),
        }
    }

    fn put_in_place(&mut self) -> Result<Contents, BackupError> {
        let unwritable = |source| BackupError::Unwritable { path: self.path.clone(), source };
        self.file.sync_all().map_err(unwritable)?;
        let contents = read_backup(&self.part).map_err(|error| match error {
            BackupError::Wrong { source, .. } => BackupError::Wrong { path: self.path.clone(), source },
            other => other,
        })?;
        std::fs::rename(&self.part, &self.path).map_err(unwritable)?;
        self.is_in_place = true;
        File::open(dir_of(&self.path)).and_then(|dir| dir.sync_all()).map_err(unwritable)?;
        Ok(contents)
    }
}

impl Drop for BackupFile {
    fn drop(&mut self) {
        if self.is_in_place {
            return;
        }
        // What is left of it after all is for the owner's eyes, too.
        match self.of_person {
            true => drop(as_person(|| std::fs::remove_file(&self.part))),
            false => drop(std::fs::remove_file(&self.part)),
        }
    }
}

/// The directory in which `path` is.
fn dir_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn begins_as_one(path: &Path) -> std::io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut beginning)?;
    Ok(form::is_one(&beginning))
}

/// Reads a backup to its end and says what is in it. An error where any of it is not as it was written, or where this
/// version does not know the form of its records.
pub fn read_backup(path: &Path) -> Result<Contents, BackupError> {
    let file = open_backup(path)?;
    each_record(path, &file, |_| Ok(()))
}

/// Opens a backup to be read, perhaps more than once.
pub(in crate::edge::store) fn open_backup(path: &Path) -> Result<File, BackupError> {
    File::open(path).map_err(|source| BackupError::Wrong { path: path.to_owned(), source: source.into() })
}

/// Reads an open backup from where it stands, hands its records to `take`, and says what was in it. Only then is it sure
/// that all of it is as it was written.
pub(in crate::edge::store) fn each_record(
    path: &Path,
    file: &File,
    mut take: impl FnMut(Vec<form::Record>) -> Result<(), BackupError>,
) -> Result<Contents, BackupError> {
    let wrong = |source| BackupError::Wrong { path: path.to_owned(), source };
    let mut reader = Reader::new(BufReader::new(file)).map_err(wrong)?;
    let header = reader.header().clone();
    if header.form > FORM {
        return Err(StoreError::Newer { found: header.form, known: FORM }.into());
    }
    let mut identity = Identity::default();
    while let Some(records) = reader.next().map_err(wrong)? {
        records.iter().for_each(|(key, value)| identity.see(key, value));
        take(records)?;
    }
    if !identity.is_of(&header) {
        return Err(wrong(FormError::Damaged("its records do not say whose they are")));
    }
    reader.contents().map_err(wrong)
}

/// The records that say whose the others are.
#[derive(Default)]
struct Identity {
    form: Option<Vec<u8>>,
    epoch: Option<Vec<u8>>,
    numbers: Option<Vec<u8>>,
}

impl Identity {
    fn see(&mut self, key: &[u8], value: &[u8]) {
        let place = match key {
            keys::FORM => &mut self.form,
            keys::EPOCH => &mut self.epoch,
            keys::NUMBERS => &mut self.numbers,
            _ => return,
        };
        *place = Some(value.to_vec());
    }

    fn is_of(&self, header: &Header) -> bool {
        let is = |stored: &Option<Vec<u8>>, said: serde_json::Result<Vec<u8>>| {
            stored.is_some() && said.ok().as_ref() == stored.as_ref()
        };
        let has_numbers = self.numbers.as_ref().is_some_and(|numbers| numbers.len() == 16);
        has_numbers
            && is(&self.form, serde_json::to_vec(&header.form))
            && is(&self.epoch, serde_json::to_vec(&header.epoch))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::form::Writer;
    use super::*;
    use crate::domain::event::Epoch;
    use crate::domain::model::Timestamp;

    /// A backup of a store of that form, with nothing in it.
    fn pieces(form: u32, numbers: &[u8]) -> Vec<u8> {
        let epoch = Epoch::from_random([7; 16]);
        let header = Header { form, epoch: epoch.clone(), created_at: Timestamp::UNIX_EPOCH, posbell: "0".to_owned() };
        let (mut writer, mut file) = Writer::new(&header);
        let records = [
            (keys::EPOCH.to_vec(), serde_json::to_vec(&epoch).unwrap()),
            (keys::FORM.to_vec(), serde_json::to_vec(&form).unwrap()),
            (keys::NUMBERS.to_vec(), numbers.to_vec()),
        ];
        file.extend(writer.records(&records).unwrap());
        file.extend(writer.end());
        file
    }

    fn written(path: &Path, bytes: &[u8]) -> Result<Contents, BackupError> {
        let mut file = BackupFile::begin(path)?;
        file.write(bytes)?;
        file.finish()
    }

    fn names(dir: &Path) -> Vec<String> {
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn it_appears_whole_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("posbell.backup");
        let whole = pieces(FORM, &[0; 16]);
        for _replaced in 0..2 {
            assert_eq!(written(&path, &whole).unwrap().records, 3);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(names(dir.path()), ["posbell.backup"]);
        }
        // What cannot be finished leaves the one before, and nothing beside it.
        assert!(written(&path, &whole[..whole.len() - 1]).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert_eq!(names(dir.path()), ["posbell.backup"]);
    }

    #[test]
    fn what_is_no_backup_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("posbell.toml");
        std::fs::write(&file, "data_dir = \"x\"\n").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for path in [&file, &link, &dir.path().to_owned()] {
            let refused = BackupFile::begin(path).map(drop);
            assert!(matches!(refused, Err(BackupError::InTheWay { .. })), "{refused:?}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"data_dir = \"x\"\n");
    }

    #[test]
    fn records_that_do_not_say_whose_they_are_or_are_of_a_newer_form_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("posbell.backup");
        let refused = written(&path, &pieces(FORM, &[0; 15]));
        assert!(matches!(refused, Err(BackupError::Wrong { source: FormError::Damaged(_), .. })), "{refused:?}");
        let refused = written(&path, &pieces(FORM + 1, &[0; 16]));
        assert!(matches!(refused, Err(BackupError::Store(StoreError::Newer { .. }))), "{refused:?}");
        assert!(names(dir.path()).is_empty());
    }
}
