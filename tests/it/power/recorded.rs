//! A rig whose program keeps its data on a disk that is recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use posbell::demo::shop::Generator;
use posbell::domain::event::EventId;
use serde_json::value::RawValue;

use super::check::{check, id_of};
use super::disk::{Disk, Fate};
use super::recording::{Place, Recorder, Recording};
use super::{Cut, OTHERS};
use crate::support::rig::{Rig, RigPlan, Service};

pub struct Recorded {
    pub rig: Rig,
    pub recorder: Recorder,
}

impl Recorded {
    pub fn new(plan: RigPlan) -> Recorded {
        let rig = Rig::new(plan);
        std::fs::create_dir(rig.path().join("disk")).unwrap();
        rig.configure("language = \"en\"", "language = \"en\"\ndata_dir = \"disk/data\"");
        Recorded { rig, recorder: Recorder::build() }
    }

    /// The recorded directory. The data directory is made in it.
    pub fn disk(&self) -> PathBuf {
        self.rig.path().join("disk")
    }

    pub fn start(&self) -> Service {
        self.rig.start_with(|command| self.recorder.watch(command, &self.disk()))
    }

    /// The program, which is killed before it does this step with its files, from 1 on.
    pub fn start_until(&self, step: usize) -> Service {
        self.rig.start_with(|command| {
            self.recorder.watch(command, &self.disk());
            command.env("POSBELL_RECORD_KILL_AT", step.to_string());
        })
    }

    /// Has the program end by itself, so that nothing is cut off and the recording is whole.
    pub fn stop(&self, service: Service) {
        let (status, log) = service.stop();
        assert!(status.success(), "{log}");
    }

    /// Every event that the receiver had by then, as it came.
    pub fn told_by(&self, moment: Duration) -> BTreeMap<EventId, String> {
        let arrivals = self.rig.arrivals.lock().unwrap();
        let bodies = arrivals.iter().filter(|(at, _)| *at <= moment).map(|(_, received)| &received.body);
        let mut told = BTreeMap::new();
        for json in bodies.flat_map(|body| texts(body)) {
            let before = told.insert(id_of(&json), json.clone());
            assert!(
                before.as_ref().is_none_or(|before| *before == json),
                "one id for two changes: {before:?} and {json}"
            );
        }
        told
    }

    /// Where messages came.
    pub fn arrivals(&self, recording: &Recording) -> Vec<Place> {
        self.rig.arrivals.lock().unwrap().iter().map(|(at, _)| recording.at(*at)).collect()
    }

    /// Fails unless the recording, played to its end, gives the directory as it is.
    pub fn assert_nothing_went_past(&self, mut disk: Disk, recording: &Recording) {
        disk.play(recording, recording.end());
        let out = room();
        disk.put(OTHERS[0], &mut Generator::new(0), out.path());
        let (played, real) = (contents(out.path()), contents(&self.disk()));
        let differ = |path: &&PathBuf| played.get(*path) != real.get(*path);
        let differing: Vec<&PathBuf> = played.keys().chain(real.keys()).filter(differ).collect();
        assert!(differing.is_empty(), "the recording does not give these files as they are: {differing:?}");
    }

    /// Cuts the power at each of these places, with each of its fates; fails with all that was wrong. Returns how many
    /// directories were looked at.
    pub async fn assert_kept(&self, mut disk: Disk, recording: &Recording, mut cuts: Vec<Cut>) -> usize {
        cuts.sort_by_key(|(place, _)| *place);
        let (mut tried, mut wrong) = (0, Vec::new());
        for (place, fates) in cuts {
            disk.play(recording, place);
            let told = self.told_by(recording.moment(place));
            for fate in fates {
                tried += 1;
                let out = room();
                disk.put(fate, &mut Generator::new(tried as u64), out.path());
                if let Err(error) = check(&out.path().join("data"), &told).await {
                    let end = recording.end();
                    wrong.push(format!("at {place} of {end}, {fate:?}, {} told: {error}", told.len()));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {tried} cuts:\n{}", wrong.len(), wrong.join("\n"));
        tried
    }

    /// Puts what is left after a cut at the end of the recording into the place of the data.
    pub fn lose_power(&self, mut disk: Disk, recording: &Recording, fate: Fate, chance: &mut Generator) {
        disk.play(recording, recording.end());
        std::fs::remove_dir_all(self.disk()).unwrap();
        std::fs::create_dir(self.disk()).unwrap();
        disk.put(fate, chance, &self.disk());
    }
}

/// The JSON of each event in a message of one or of several.
fn texts(body: &str) -> Vec<String> {
    match serde_json::from_str::<Vec<Box<RawValue>>>(body) {
        Ok(several) => several.iter().map(|one| one.get().to_owned()).collect(),
        Err(_) => vec![body.to_owned()],
    }
}

/// A place for a directory that is made, looked at and forgotten: in memory where the machine has such a place, because
/// opening a store there costs no syncs of a real disk.
pub fn room() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Every file below `dir` with its contents, and every directory.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(&next).unwrap().map(Result::unwrap) {
            let is_dir = entry.file_type().unwrap().is_dir();
            let bytes = (!is_dir).then(|| std::fs::read(entry.path()).unwrap());
            if is_dir {
                dirs.push(entry.path());
            }
            found.insert(entry.path().strip_prefix(dir).unwrap().to_owned(), bytes);
        }
    }
    found
}
