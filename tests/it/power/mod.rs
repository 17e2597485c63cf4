//! A power cut at any moment takes nothing that was acknowledged.
//!
//! The built program runs with a recorder of what it does to its files ([`recording`], `recorder.c`). Played on a disk
//! that forgets what was not forced out ([`disk`] says what it may forget), up to any moment, that gives the directory
//! that a power cut at this moment leaves. Such a directory must open, hold what the receiver had been told by then, and
//! agree with itself ([`check`]); and the program must go on from it.

mod check;
mod disk;
mod recording;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use posbell::demo::shop::Generator;
use posbell::domain::event::{Event, EventId, EventKind};
use serde_json::value::RawValue;

use crate::support::rig::{Rig, RigPlan, Service};
use crate::whole::journal::make_changes;
use check::check;
use disk::{Disk, Fate, Kept};
use recording::{Place, Recorder, Recording};

/// What a cut is tried with: all that may be lost is, none of it is, names without contents and the other way round, and
/// any part of it.
const FATES: [Fate; 6] = [
    Fate { names: Kept::Nothing, data: Kept::Nothing },
    Fate { names: Kept::Everything, data: Kept::Everything },
    Fate { names: Kept::Everything, data: Kept::Nothing },
    Fate { names: Kept::Nothing, data: Kept::Everything },
    Fate { names: Kept::Some, data: Kept::Some },
    Fate { names: Kept::First, data: Kept::First },
];

/// A rig whose program keeps its data on a disk that is recorded.
struct Recorded {
    rig: Rig,
    recorder: Recorder,
}

impl Recorded {
    fn new(plan: RigPlan) -> Recorded {
        let rig = Rig::new(plan);
        std::fs::create_dir(rig.path().join("disk")).unwrap();
        rig.configure("language = \"en\"", "language = \"en\"\ndata_dir = \"disk/data\"");
        Recorded { rig, recorder: Recorder::build() }
    }

    fn disk(&self) -> PathBuf {
        self.rig.path().join("disk")
    }

    fn start(&self) -> Service {
        self.rig.start_with(|command| self.recorder.watch(command, &self.disk()))
    }

    /// Every event that the receiver had by then, as it came.
    fn told_by(&self, moment: Duration) -> BTreeMap<EventId, String> {
        let arrivals = self.rig.arrivals.lock().unwrap();
        let bodies = arrivals.iter().filter(|(at, _)| *at <= moment).map(|(_, received)| &received.body);
        let mut told = BTreeMap::new();
        for json in bodies.flat_map(|body| texts(body)) {
            let id = Event::from_json(&json).unwrap().id;
            let before = told.insert(id, json.clone());
            assert!(before.is_none_or(|before| before == json), "one id for two changes: {json}");
        }
        told
    }

    /// Where a message came.
    fn arrivals(&self, recording: &Recording) -> Vec<Place> {
        self.rig.arrivals.lock().unwrap().iter().map(|(at, _)| recording.at(*at)).collect()
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
fn room() -> tempfile::TempDir {
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

/// Fails unless the recording, played to its end, gives the directory as it is.
fn assert_nothing_went_past(before: Disk, recording: &Recording, dir: &Path) {
    let mut disk = before;
    disk.play(recording, recording.end());
    let out = room();
    disk.put(FATES[1], &mut Generator::new(0), out.path());
    let (played, real) = (contents(out.path()), contents(dir));
    let differ = |path: &&PathBuf| played.get(*path) != real.get(*path);
    let differing: Vec<&PathBuf> = played.keys().chain(real.keys()).filter(differ).collect();
    assert!(differing.is_empty(), "the recording does not give these files as they are: {differing:?}");
}

/// Tries each cut with its fates, and returns what was wrong.
async fn cut(recorded: &Recorded, before: Disk, recording: &Recording, cuts: &[(Place, Vec<Fate>)]) -> Vec<String> {
    let mut disk = before;
    let mut wrong = Vec::new();
    let mut seed = 0;
    for (place, fates) in cuts {
        disk.play(recording, *place);
        let told = recorded.told_by(recording.moment(*place));
        for fate in fates {
            seed += 1;
            let out = room();
            disk.put(*fate, &mut Generator::new(seed), out.path());
            if let Err(error) = check(&out.path().join("data"), &told).await {
                wrong.push(format!("cut at {place} of {}, {fate:?}, {} told: {error}", recording.end(), told.len()));
            }
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_before_a_power_cut_is_there_after_it() {
    let recorded = Recorded::new(RigPlan { seed: 21, ..RigPlan::default() });
    let rig = &recorded.rig;
    let t0 = crate::support::rig::monotonic();
    let service = recorded.start();
    rig.told(EventKind::ShopBaseline).await;
    make_changes(rig, &rig.shop, 21, 60).await;
    rig.all_told().await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    let service = recorded.start();
    make_changes(rig, &rig.shop, 22, 30).await;
    rig.all_told().await;
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    let recording = recorded.recorder.read();
    for step in recording.steps.iter().take(70) {
        let mut text = format!("{:?}", step.what);
        text.truncate(100);
        eprintln!("{} {:?} {text}", step.begin, step.end);
    }
    let empty = room();
    assert_nothing_went_past(Disk::load(empty.path()), &recording, &recorded.disk());
    let t1 = crate::support::rig::monotonic();
    let mut chance = Generator::new(7);
    let mut places = recorded.arrivals(&recording);
    places.extend((0..50).map(|_| chance.below(recording.end())));
    places.sort();
    let cuts: Vec<_> = places
        .into_iter()
        .enumerate()
        .map(|(i, place)| (place, vec![FATES[0], FATES[2 + i % 4]]))
        .collect();
    eprintln!("{} records, {} cuts, {:?} recording", recording.end(), cuts.len(), t1 - t0);
    let wrong = cut(&recorded, Disk::load(empty.path()), &recording, &cuts).await;
    eprintln!("checked in {:?}", crate::support::rig::monotonic() - t1);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
