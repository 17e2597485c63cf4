//! A store that was written anew takes the place of another one, in steps of which each is one name that changes.
//!
//! | name | what it is |
//! |---|---|
//! | `store` | what is opened |
//! | `store.restoring` | being written, or what a killed restore has left: never opened |
//! | `store.restored` | complete and on the disk |
//! | `store.before-restore.TIME`, `store.form-N` | what was in place before: never touched again |
//! | `store.before-compaction` | what was in place before and held the same: removed once the new one was read |
//!
//! Killed before `store` was set aside, the old one is opened and what was restored is removed: the backup is there to
//! begin again. Killed after that, there is no `store`, and what was restored becomes it. There is no moment at which
//! opening finds nothing, or half of anything.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

const STORE: &str = "store";
const RESTORING: &str = "store.restoring";
const RESTORED: &str = "store.restored";

/// Where a store is restored into; empty, whatever was left there.
pub(in crate::edge::store) fn workplace(dir: &Path) -> io::Result<PathBuf> {
    let place = dir.join(RESTORING);
    remove(&place)?;
    Ok(place)
}

/// The steps from a restored store that is on the disk to one in its place. The second is left out where there was none.
pub(in crate::edge::store) const STEPS: [fn(&Path, &Path) -> io::Result<()>; 3] =
    [call_it_complete, set_aside, put_in_place];

/// All of them.
pub(in crate::edge::store) fn swap(dir: &Path, aside: &Path) -> io::Result<()> {
    STEPS.iter().try_for_each(|step| step(dir, aside))
}

/// Undoes what was done of it: what was set aside is in place again, where it was set aside.
pub(in crate::edge::store) fn back(dir: &Path, aside: &Path) -> io::Result<()> {
    if !is_there(aside) {
        return Ok(());
    }
    if has_store(dir) {
        remove(&dir.join(RESTORING))?;
        rename(dir, &dir.join(STORE), &dir.join(RESTORING))?;
    }
    rename(dir, aside, &dir.join(STORE))
}

fn call_it_complete(dir: &Path, _aside: &Path) -> io::Result<()> {
    rename(dir, &dir.join(RESTORING), &dir.join(RESTORED))
}

fn set_aside(dir: &Path, aside: &Path) -> io::Result<()> {
    match rename(dir, &dir.join(STORE), aside) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn put_in_place(dir: &Path, _aside: &Path) -> io::Result<()> {
    rename(dir, &dir.join(RESTORED), &dir.join(STORE))
}

/// A name that nothing has yet, for what is in place.
pub(in crate::edge::store) fn aside(dir: &Path, name: &str) -> PathBuf {
    let numbered = (2..u32::MAX).map(|number| dir.join(format!("{name}.{number}")));
    let mut names = std::iter::once(dir.join(name)).chain(numbered);
    // There are not four billion of them.
    names.find(|path| !is_there(path)).unwrap_or_else(|| dir.join(name))
}

/// Whether a restored store waits to be put in place.
pub(in crate::edge::store) fn is_ready(dir: &Path) -> bool {
    is_there(&dir.join(RESTORED))
}

/// Whether there is a store to set aside.
pub(super) fn has_store(dir: &Path) -> bool {
    is_there(&dir.join(STORE))
}

/// Ends what a killed restore has begun. Called with the lock, before anything is opened.
pub(in crate::edge::store) fn settle(dir: &Path) -> io::Result<()> {
    if is_ready(dir) {
        if has_store(dir) {
            // First under the name of what is never opened: it must not be half removed and become the store later.
            remove(&dir.join(RESTORING))?;
            rename(dir, &dir.join(RESTORED), &dir.join(RESTORING))?;
        } else {
            rename(dir, &dir.join(RESTORED), &dir.join(STORE))?;
        }
    }
    remove(&dir.join(RESTORING))
}

fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Durable when it returns.
fn rename(dir: &Path, from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    File::open(dir)?.sync_all()
}
