//! A disk as a power cut may leave it: what was forced out is there, of everything else any part.
//!
//! # The model
//!
//! **Contents.** A write is there for good once an `fsync` or `fdatasync` of its file has returned that began after the
//! write had ended. Of the other writes any may be missing, and one may be there in part, in whole sectors of 512 bytes.
//! Sectors go out on their own and in any order, of one file and of several. But a sector goes out as it is in memory: one
//! that has a later write has the earlier ones too. What was never written reads as zeros where something behind it has
//! gone out; a file is no longer than what has gone out of it, for a length without contents is what no file system of
//! today leaves of a write at the end. `sync_file_range` promises nothing: neither the disk's cache nor the file's length.
//!
//! **Names.** Creations, renames and removals are there for good once an `fsync` of their *directory* has returned; that
//! of the file does not count, although ext4 brings its name along. Of the others any may have happened, whatever has
//! become of the contents, in one directory without regard to another. A rename happens whole: the new name is there
//! exactly where the old one is gone. A change of a name that has not happened keeps back the later ones of the same name.
//!
//! Both are weaker than ext4 with ordered data, which keeps the order of all names and, of a new file, contents before
//! names. What holds here holds there, and on file systems that keep less.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use posbell::demo::shop::Generator;

use super::recording::{Handle, Place, Recording, What};

/// The least that a disk writes at once.
const SECTOR: usize = 512;

/// How much there is of what was not forced out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Nothing,
    Everything,
    /// What came first; of contents the next write in part.
    First,
    /// Any of it.
    Some,
}

/// What became of names and of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    pub names: Kept,
    pub data: Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    File(usize),
    Dir(usize),
}

/// Files and directories, each with what is on the disk and what waits in memory.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    files: Vec<File>,
    dirs: Vec<Dir>,
    handles: BTreeMap<Handle, Node>,
    /// What a sync under way will have forced out when it ends, by its step.
    syncs: BTreeMap<usize, (Node, Vec<usize>)>,
    /// How far the recording was played.
    place: Place,
}

#[derive(Debug, Clone, Default)]
struct File {
    forced: Vec<u8>,
    waiting: Vec<Waiting<Change>>,
}

#[derive(Debug, Clone, Default)]
struct Dir {
    forced: BTreeMap<OsString, Node>,
    waiting: Vec<Waiting<Names>>,
    /// As the process sees it.
    seen: BTreeMap<OsString, Node>,
}

/// Names that change together, and what each stands for then.
type Names = Vec<(OsString, Option<Node>)>;

/// Something in memory, by its step.
#[derive(Debug, Clone)]
struct Waiting<T> {
    step: usize,
    ended: bool,
    forced: bool,
    what: T,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Size(usize),
}

impl Disk {
    /// The directory as it is, all of it on the disk.
    pub fn load(path: &Path) -> Disk {
        let mut disk = Disk::default();
        disk.load_dir(path);
        disk
    }

    fn load_dir(&mut self, path: &Path) -> Node {
        let number = self.dirs.len();
        self.dirs.push(Dir::default());
        for entry in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
            let node = if entry.file_type().unwrap().is_dir() {
                self.load_dir(&entry.path())
            } else {
                self.files.push(File { forced: std::fs::read(entry.path()).unwrap(), waiting: Vec::new() });
                Node::File(self.files.len() - 1)
            };
            self.dirs[number].forced.insert(entry.file_name(), node);
        }
        self.dirs[number].seen = self.dirs[number].forced.clone();
        Node::Dir(number)
    }

    /// Plays the recording up to `place`, from where it was played to before.
    pub fn play(&mut self, recording: &Recording, place: Place) {
        assert!(self.place <= place, "time does not go back");
        for now in self.place..place {
            let Some((step, ends)) = recording.step_at(now) else { continue };
            let what = &recording.steps[step].what;
            if ends { self.end(step, what) } else { self.begin(step, what) }
        }
        self.place = place;
    }

    fn begin(&mut self, step: usize, what: &What) {
        match what {
            What::Open { handle, path, creates, empties } => {
                let node = match self.find(path) {
                    Some(node) => node,
                    None if *creates => {
                        self.files.push(File::default());
                        let node = Node::File(self.files.len() - 1);
                        self.name(step, &[(path, Some(node))]);
                        node
                    }
                    // It was to fail, and the process ended before it did.
                    None => return,
                };
                self.handles.insert(*handle, node);
                if let (Node::File(file), true) = (node, *empties) {
                    self.files[file].begin(step, Change::Size(0));
                }
            }
            What::Write { handle, offset, data } => {
                self.file(handle).begin(step, Change::Write { offset: *offset, data: data.clone() });
            }
            What::Truncate { handle, size } => self.file(handle).begin(step, Change::Size(*size)),
            What::Sync { handle } => {
                let node = self.handles[handle];
                let covered = match node {
                    Node::File(file) => covered(&self.files[file].waiting),
                    Node::Dir(dir) => covered(&self.dirs[dir].waiting),
                };
                self.syncs.insert(step, (node, covered));
            }
            What::MakeDir(path) => {
                self.dirs.push(Dir::default());
                self.name(step, &[(path, Some(Node::Dir(self.dirs.len() - 1)))]);
            }
            What::Rename { from, to } => {
                let node = self.find(from);
                self.name(step, &[(from, None), (to, node)]);
            }
            What::Link { from, to } => {
                let node = self.find(from);
                self.name(step, &[(to, node)]);
            }
            What::Unlink(path) | What::RemoveDir(path) => self.name(step, &[(path, None)]),
        }
    }

    fn end(&mut self, step: usize, what: &What) {
        match what {
            What::Sync { .. } => match self.syncs.remove(&step) {
                Some((Node::File(file), covered)) => self.files[file].force(&covered),
                Some((Node::Dir(dir), covered)) => self.dirs[dir].force(&covered),
                None => unreachable!("it has begun"),
            },
            _ => {
                let files = self.files.iter_mut().flat_map(|file| &mut file.waiting);
                files.filter(|waiting| waiting.step == step).for_each(|waiting| waiting.ended = true);
                let dirs = self.dirs.iter_mut().flat_map(|dir| &mut dir.waiting);
                dirs.filter(|waiting| waiting.step == step).for_each(|waiting| waiting.ended = true);
            }
        }
    }

    fn file(&mut self, handle: &Handle) -> &mut File {
        let Node::File(file) = self.handles[handle] else { panic!("a directory is no file") };
        &mut self.files[file]
    }

    fn find(&self, path: &Path) -> Option<Node> {
        path.iter().try_fold(Node::Dir(0), |node, name| match node {
            Node::Dir(dir) => self.dirs[dir].seen.get(name).copied(),
            Node::File(_) => None,
        })
    }

    /// Changes names, all of them in one directory and at once.
    fn name(&mut self, step: usize, names: &[(&PathBuf, Option<Node>)]) {
        let parent = names[0].0.parent().unwrap();
        assert!(
            names.iter().all(|(path, _)| path.parent() == Some(parent)),
            "from one directory to another: {names:?}"
        );
        let Some(Node::Dir(dir)) = self.find(parent) else { panic!("{} is not there", parent.display()) };
        let what: Vec<_> = names.iter().map(|(path, node)| (path.file_name().unwrap().to_owned(), *node)).collect();
        put_names(&mut self.dirs[dir].seen, &what);
        self.dirs[dir].waiting.push(Waiting { step, ended: false, forced: false, what });
    }

    /// Makes what the disk has after a cut at the place that was played to. `out` is there and empty.
    pub fn put(&self, fate: Fate, chance: &mut Generator, out: &Path) {
        self.put_dir(0, fate, chance, out, &mut BTreeMap::new());
    }

    fn put_dir(&self, dir: usize, fate: Fate, chance: &mut Generator, out: &Path, done: &mut BTreeMap<usize, PathBuf>) {
        for (name, node) in self.dirs[dir].after(fate.names, chance) {
            let path = out.join(name);
            match node {
                Node::Dir(below) => {
                    std::fs::create_dir(&path).unwrap();
                    self.put_dir(below, fate, chance, &path, done);
                }
                Node::File(file) => match done.get(&file) {
                    Some(first) => std::fs::hard_link(first, &path).unwrap(),
                    None => {
                        std::fs::write(&path, self.files[file].after(fate.data, chance)).unwrap();
                        done.insert(file, path);
                    }
                },
            }
        }
    }
}

fn covered<T>(waiting: &[Waiting<T>]) -> Vec<usize> {
    waiting.iter().filter(|waiting| waiting.ended).map(|waiting| waiting.step).collect()
}

fn put_names(names: &mut BTreeMap<OsString, Node>, changes: &[(OsString, Option<Node>)]) {
    for (name, node) in changes {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

impl Dir {
    fn force(&mut self, steps: &[usize]) {
        let (forced, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| steps.contains(&waiting.step));
        forced.iter().for_each(|waiting| put_names(&mut self.forced, &waiting.what));
        self.waiting = waiting;
    }

    fn after(&self, kept: Kept, chance: &mut Generator) -> BTreeMap<OsString, Node> {
        let mut names = self.forced.clone();
        let first = chance.below(self.waiting.len() + 1);
        let mut lost = BTreeSet::new();
        for (i, waiting) in self.waiting.iter().enumerate() {
            let kept = match kept {
                Kept::Nothing => false,
                Kept::Everything => true,
                Kept::First => i < first,
                Kept::Some => chance.once_in(2) && !waiting.what.iter().any(|(name, _)| lost.contains(name)),
            };
            if kept {
                put_names(&mut names, &waiting.what);
            } else {
                lost.extend(waiting.what.iter().map(|(name, _)| name));
            }
        }
        names
    }
}

impl File {
    fn begin(&mut self, step: usize, what: Change) {
        self.waiting.push(Waiting { step, ended: false, forced: false, what });
    }

    fn force(&mut self, steps: &[usize]) {
        for waiting in &mut self.waiting {
            waiting.forced |= steps.contains(&waiting.step);
        }
        // What came before one that is under way waits for its turn.
        let count = self.waiting.iter().take_while(|waiting| waiting.forced).count();
        for waiting in self.waiting.drain(..count) {
            waiting.what.put(&mut self.forced, |_| true);
        }
    }

    fn after(&self, kept: Kept, chance: &mut Generator) -> Vec<u8> {
        let mut bytes = self.forced.clone();
        let loose = self.waiting.iter().filter(|waiting| !waiting.forced).count();
        let first = chance.below(loose + 1);
        // Sectors, and the length, of which the disk has an older state.
        let (mut lost, mut lost_from) = (BTreeSet::new(), usize::MAX);
        let mut count = 0;
        for waiting in &self.waiting {
            if waiting.forced {
                waiting.what.put(&mut bytes, |_| true);
                continue;
            }
            // Of four sectors so many go out.
            let share = match kept {
                Kept::Nothing => 0,
                Kept::Everything => 4,
                Kept::First if count < first => 4,
                Kept::First if count == first => 2 * chance.below(2),
                Kept::First => 0,
                Kept::Some => [0, 0, 4, 4, 1, 3][chance.below(6)],
            };
            count += 1;
            match &waiting.what {
                Change::Size(_) if share > 1 => waiting.what.put(&mut bytes, |_| true),
                Change::Size(size) => lost_from = lost_from.min(*size),
                Change::Write { .. } => waiting.what.put(&mut bytes, |sector| {
                    let goes_out = chance.below(4) < share && !lost.contains(&sector) && sector * SECTOR < lost_from;
                    if !goes_out {
                        lost.insert(sector);
                    }
                    goes_out
                }),
            }
        }
        bytes
    }
}

impl Change {
    /// Puts it into `bytes`, of a write the sectors that go out.
    fn put(&self, bytes: &mut Vec<u8>, mut goes_out: impl FnMut(usize) -> bool) {
        match self {
            Change::Size(size) => bytes.resize(*size, 0),
            Change::Write { offset, data } => {
                let mut at = *offset;
                while at < offset + data.len() {
                    let sector = at / SECTOR;
                    let end = ((sector + 1) * SECTOR).min(offset + data.len());
                    if goes_out(sector) {
                        if bytes.len() < end {
                            bytes.resize(end, 0);
                        }
                        bytes[at..end].copy_from_slice(&data[at - offset..end - offset]);
                    }
                    at = end;
                }
            }
        }
    }
}
