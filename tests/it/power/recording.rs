//! What a process did to its files, as `recorder.c` wrote it down.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::preload;

/// A place in a recording: how many of its records came before.
pub type Place = usize;

/// One thing that was done, and when. What failed is left out.
#[derive(Debug)]
pub struct Step {
    pub begin: Place,
    /// `None` where the process ended in the middle of it.
    pub end: Option<Place>,
    pub what: What,
}

/// What was done. Paths are those within the recorded directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Open { handle: Handle, path: PathBuf, creates: bool, empties: bool },
    Write { handle: Handle, offset: usize, data: Vec<u8> },
    Truncate { handle: Handle, size: usize },
    Sync { handle: Handle },
    Rename { from: PathBuf, to: PathBuf },
    Link { from: PathBuf, to: PathBuf },
    Unlink(PathBuf),
    MakeDir(PathBuf),
    RemoveDir(PathBuf),
}

/// An open file: the process and its number there.
pub type Handle = (usize, u32);

/// All that was recorded, in the order of time.
#[derive(Debug, Default)]
pub struct Recording {
    pub steps: Vec<Step>,
    /// Which step begins or, if so it says, ends at each place; `None` for one that failed.
    places: Vec<Option<(usize, bool)>>,
    /// The moment of each record, in nanoseconds.
    times: Vec<u64>,
}

/// The recorder, built, and a directory for what it writes down.
pub struct Recorder {
    library: PathBuf,
    into: tempfile::TempDir,
}

impl Recorder {
    pub fn build() -> Recorder {
        let into = tempfile::tempdir().unwrap();
        let library = preload::build("tests/it/power/recorder.c", into.path());
        Recorder { library, into }
    }

    /// Has this program record what it does below `dir`.
    pub fn watch(&self, command: &mut Command, dir: &Path) {
        command.env("LD_PRELOAD", &self.library);
        command.env("POSBELL_RECORD_BELOW", dir).env("POSBELL_RECORD_INTO", self.into.path());
    }

    /// All that was recorded so far, by every process.
    pub fn read(&self) -> Recording {
        let entries = std::fs::read_dir(self.into.path()).unwrap().map(|entry| entry.unwrap().path());
        let logs: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
        let logs: Vec<Vec<u8>> = logs.iter().map(|log| std::fs::read(log).unwrap()).collect();
        let mut records = Vec::new();
        for (process, bytes) in logs.iter().enumerate() {
            let mut rest = &bytes[..];
            while let Some(record) = Record::next(process, &mut rest) {
                records.push(record);
            }
        }
        // Stable: of one process they are in order already.
        records.sort_by_key(|record| record.time);
        Recording::new(&records)
    }

    /// Begins anew: what was recorded so far is forgotten.
    pub fn forget(&self) {
        for entry in std::fs::read_dir(self.into.path()).unwrap().map(Result::unwrap) {
            if entry.path() != self.library {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

const OPEN: u32 = 1;
const WRITE: u32 = 2;
const TRUNCATE: u32 = 3;
const SYNC: u32 = 4;
const RENAME: u32 = 5;
const UNLINK: u32 = 6;
const MKDIR: u32 = 7;
const RMDIR: u32 = 8;
const LINK: u32 = 9;
const DONE: u32 = 10;

/// `struct head` of the recorder, and what follows it.
struct Record<'a> {
    process: usize,
    kind: u32,
    handle: u32,
    id: u64,
    time: u64,
    number: i64,
    data: &'a [u8],
}

impl<'a> Record<'a> {
    /// `None` at the end, also in the middle of a record: the process was killed before it did what it says.
    fn next(process: usize, rest: &mut &'a [u8]) -> Option<Record<'a>> {
        let (head, behind) = rest.split_first_chunk::<40>()?;
        let word = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        let half = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
        let (data, behind) = behind.split_at_checked(word(32).try_into().unwrap())?;
        *rest = behind;
        let number = i64::from_le_bytes(head[24..32].try_into().unwrap());
        Some(Record { process, kind: half(0), handle: half(4), id: word(8), time: word(16), number, data })
    }

    fn what(&self) -> What {
        let handle = (self.process, self.handle);
        let size = || usize::try_from(self.number).unwrap();
        let path = |bytes: &[u8]| PathBuf::from(std::str::from_utf8(bytes).unwrap().trim_start_matches('/'));
        match self.kind {
            OPEN => {
                let flags = rustix::fs::OFlags::from_bits_retain(self.number.try_into().unwrap());
                let (creates, empties) = (rustix::fs::OFlags::CREATE, rustix::fs::OFlags::TRUNC);
                let path = path(self.data);
                What::Open { handle, path, creates: flags.contains(creates), empties: flags.contains(empties) }
            }
            WRITE => What::Write { handle, offset: size(), data: self.data.to_vec() },
            TRUNCATE => What::Truncate { handle, size: size() },
            SYNC => What::Sync { handle },
            RENAME | LINK => {
                let zero = self.data.iter().position(|byte| *byte == 0).unwrap();
                let (from, to) = (path(&self.data[..zero]), path(&self.data[zero + 1..]));
                if self.kind == RENAME { What::Rename { from, to } } else { What::Link { from, to } }
            }
            UNLINK => What::Unlink(path(self.data)),
            MKDIR => What::MakeDir(path(self.data)),
            RMDIR => What::RemoveDir(path(self.data)),
            unknown => panic!("a record of kind {unknown}"),
        }
    }
}

impl Recording {
    fn new(records: &[Record]) -> Recording {
        let ends: BTreeMap<(usize, u64), (Place, i64)> = records
            .iter()
            .enumerate()
            .filter(|(_, record)| record.kind == DONE)
            .map(|(place, record)| ((record.process, record.id), (place, record.number)))
            .collect();
        let mut steps = Vec::new();
        for (begin, record) in records.iter().enumerate().filter(|(_, record)| record.kind != DONE) {
            let end = ends.get(&(record.process, record.id));
            if end.is_some_and(|(_, result)| *result < 0) {
                continue;
            }
            let mut what = record.what();
            if let (What::Write { data, .. }, Some((_, wrote))) = (&mut what, end) {
                data.truncate(usize::try_from(*wrote).unwrap());
            }
            steps.push(Step { begin, end: end.map(|(place, _)| *place), what });
        }
        let mut places = vec![None; records.len()];
        for (number, step) in steps.iter().enumerate() {
            places[step.begin] = Some((number, false));
            if let Some(end) = step.end {
                places[end] = Some((number, true));
            }
        }
        Recording { steps, places, times: records.iter().map(|record| record.time).collect() }
    }

    /// Which step begins or, if so it says, ends at this place.
    pub fn step_at(&self, place: Place) -> Option<(usize, bool)> {
        self.places[place]
    }

    /// The place of a moment: behind all that was recorded until then.
    pub fn at(&self, moment: Duration) -> Place {
        let nanos = u64::try_from(moment.as_nanos()).unwrap();
        self.times.partition_point(|time| *time <= nanos)
    }

    /// The moment of the last record before this place.
    pub fn moment(&self, place: Place) -> Duration {
        Duration::from_nanos(place.checked_sub(1).map_or(0, |last| self.times[last]))
    }

    /// The place behind everything.
    pub fn end(&self) -> Place {
        self.times.len()
    }
}
