//! Whose are the files in a data directory, where root works in the directory of another user?
//!
//! **What it promises.** What root makes in a data directory belongs to the owner of the directory from its first
//! moment on, also where the command is killed: the threads of the command work as that user ([`work_as_owner`]). They
//! keep the right to read everything, so that root's own files (secrets, a backup to restore) stay readable, and lose the
//! right to write everywhere: a link that the owner puts into the directory leads to nothing that is not the owner's.
//! What a command makes elsewhere for the person who runs it is made as that person ([`as_person`]).
//! **What it relies on.** In Linux a thread has user ids of its own, and hands them on to the threads that it starts.

use std::fs::Metadata;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::process::{Gid, Uid, getegid, geteuid};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

/// How deep a data directory is looked through for what is not its owner's.
const DEEPEST: usize = 8;

/// As whom the process was started and as whom it works, where those are two.
static TWO: OnceLock<Two> = OnceLock::new();

#[derive(Debug)]
struct Two {
    person: (Uid, Gid),
    owner: (Uid, Gid),
}

/// This process is root and may not work as the owner of the directory.
#[derive(Debug, thiserror::Error)]
#[error(
    "{dir} belongs to user {owner}, and this process may not work as that user ({source}): what it makes there belongs to \
     root. Afterwards, and before the service starts: {}",
    mended(dir)
)]
pub struct NotAsOwner {
    dir: PathBuf,
    owner: u32,
    source: Error,
}

/// Lets this thread, and those that it starts from now on, work as the owner of the data directory `dir`, where this is
/// root and the directory, or what it would be made in, belongs to another user.
pub fn work_as_owner(dir: &Path) -> Result<(), NotAsOwner> {
    let or_here = |dir: &Path| if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_owned() };
    let there = dir.ancestors().find_map(|dir| std::fs::metadata(or_here(dir)).ok());
    let Some(found) = there.filter(|found| geteuid().is_root() && found.uid() != 0) else { return Ok(()) };
    let two = Two { person: (geteuid(), getegid()), owner: (Uid::from_raw(found.uid()), Gid::from_raw(found.gid())) };
    let able = may_read_everything().and_then(|()| two.be_owner());
    able.map_err(|source| NotAsOwner { dir: resolved(dir), owner: found.uid(), source })?;
    // Only one data directory is worked in.
    drop(TWO.set(two));
    Ok(())
}

/// Whether root has started this process, as whomever it works.
pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// Does something as the person who runs the command. What it starts must not outlast it.
pub(in crate::edge::store) fn as_person<T>(act: impl FnOnce() -> T) -> T {
    let Some(two) = TWO.get() else { return act() };
    // Where it does not work, it is done as the owner, who is told what may not be done.
    drop(two.be_person());
    let done = act();
    drop(two.be_owner());
    done
}

impl Two {
    /// The saved and the real user stay root, which keeps the capabilities within reach.
    fn be_owner(&self) -> Result<(), Error> {
        set_thread_res_gid(None, self.owner.1, None)?;
        if let Err(error) = set_thread_res_uid(None, self.owner.0, None) {
            set_thread_res_gid(None, self.person.1, None)?;
            return Err(error.into());
        }
        // The kernel has dropped all of them. What is needed for anything but files comes back.
        let held = capabilities(None)?;
        let effective = held.permitted.difference(OF_FILES).union(CapabilitySet::DAC_READ_SEARCH);
        Ok(set_capabilities(None, CapabilitySets { effective, ..held })?)
    }

    fn be_person(&self) -> Result<(), Error> {
        set_thread_res_uid(None, self.person.0, None)?;
        Ok(set_thread_res_gid(None, self.person.1, None)?)
    }
}

/// What lets a process pass over the owner of a file.
const OF_FILES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::LINUX_IMMUTABLE);

fn may_read_everything() -> Result<(), Error> {
    let may = capabilities(None)?.permitted.contains(CapabilitySet::DAC_READ_SEARCH);
    may.then_some(()).ok_or_else(|| ErrorKind::PermissionDenied.into())
}

/// The same error; where it is for want of permission, with what to do about it.
pub(super) fn explained(dir: &Path, error: Error) -> Error {
    // A number of the system: this one is not explained yet.
    if error.kind() != ErrorKind::PermissionDenied || error.raw_os_error().is_none() {
        return error;
    }
    let why = denied(dir).unwrap_or_else(|| format!("chmod -R u+rwX {}", resolved(dir).display()));
    Error::new(error.kind(), format!("{error}; {why}"))
}

/// Why this process may not use all of the data directory, and what to do about it; `None` where it may, as far as
/// owners decide.
fn denied(dir: &Path) -> Option<String> {
    let Ok(owner) = std::fs::metadata(dir) else { return Some("this user may not look into it: try sudo".to_owned()) };
    if let Some((path, uid)) = not_of(&owner, dir, DEEPEST) {
        return Some(format!("{} belongs to {}: {}", path.display(), name(uid), mended(dir)));
    }
    let is_own = geteuid().as_raw() == owner.uid() || geteuid().is_root();
    (!is_own).then(|| format!("it belongs to {}: try sudo", name(owner.uid())))
}

/// The first thing in `dir` that belongs to another user than the directory itself, with that user.
fn not_of(owner: &Metadata, dir: &Path, deepest: usize) -> Option<(PathBuf, u32)> {
    let entries = std::fs::read_dir(dir).ok()?.flatten();
    for entry in entries {
        // Of the entry itself, not of what a link names.
        let Ok(found) = entry.metadata() else { continue };
        if found.uid() != owner.uid() {
            return Some((entry.path(), found.uid()));
        }
        if found.is_dir() && deepest > 0 {
            let below = not_of(owner, &entry.path(), deepest - 1);
            if below.is_some() {
                return below;
            }
        }
    }
    None
}

fn name(uid: u32) -> String {
    if uid == 0 { "root".to_owned() } else { format!("user {uid}") }
}

/// The command that gives all of the directory to its owner.
fn mended(dir: &Path) -> String {
    let dir = quoted(&resolved(dir));
    format!("chown -R --reference={dir} {dir}")
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// `chown -R` follows no link.
fn resolved(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned())
}
