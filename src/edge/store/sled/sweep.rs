//! How dead space in sled's log is won back.
//!
//! sled writes its log in segments. When half of one is dead it has the pages that live in it written anew elsewhere, to
//! use it again; one page each time that it writes a page anew by itself, which it does with each tenth change of one,
//! and the rest in a thread of its own. That thread would also say when what is durable, so it is switched off
//! ([`super::files::database`]), and what is left falls behind for good: the log of a busy shop grew to five times what
//! lives in it.
//!
//! So the pages are written from here. There is a page in a tree of its own, with one byte in it, which is changed ten
//! times for each page that is to be moved. One is owed for each key that was written, and paid when nothing waits, a few
//! at a time: what was moved is on the disk before the next are, and so long before its old place is used for something
//! else.

use super::StoreError;

/// How many pages are moved between two syncs: some hundred kilobytes, less than one segment, in a few milliseconds.
/// What is less than that is owed for a while.
const AT_ONCE: usize = 100;
/// No more than that is owed: by then every page of a hundred thousand rows has been moved.
const MOST: usize = 20_000;
/// How many pages are moved with each batch where so much is owed: who is never idle pays a little all the time.
const BESIDES: usize = 10;
/// How many changes have a page written anew.
const CHANGES: usize = 10;
/// The tree with the page. Nobody else sees it.
const TREE: &str = "sweep";

/// What is owed, and the page to pay with.
pub(super) struct Sweep {
    db: ::sled::Db,
    /// There from the first payment on: a store that is only opened and read is not written to.
    page: Option<::sled::Tree>,
    value: u8,
    owed: usize,
}

impl Sweep {
    pub(super) fn new(db: ::sled::Db) -> Sweep {
        Sweep { db, page: None, value: 0, owed: 0 }
    }

    /// So many keys have been written. Moves a few pages where too much is owed; to be synced.
    pub(super) fn owe(&mut self, keys: usize) -> Result<(), StoreError> {
        self.owed += keys;
        if self.owed > MOST {
            self.owed = MOST;
            self.move_pages(BESIDES)?;
        }
        Ok(())
    }

    /// Whether it is time to pay.
    pub(super) fn is_owing(&self) -> bool {
        self.owed >= AT_ONCE
    }

    /// Moves some pages, and returns whether it did; to be synced.
    pub(super) fn pay(&mut self) -> Result<bool, StoreError> {
        let is_owing = self.is_owing();
        if is_owing {
            self.move_pages(AT_ONCE)?;
        }
        Ok(is_owing)
    }

    fn move_pages(&mut self, pages: usize) -> Result<(), StoreError> {
        let page = match self.page.take() {
            Some(page) => page,
            None => self.db.open_tree(TREE)?,
        };
        let page = self.page.insert(page);
        for _change in 0..pages * CHANGES {
            // Another one each time: sled does not write what is there already.
            self.value = self.value.wrapping_add(1);
            page.insert([], &[self.value])?;
        }
        self.owed = self.owed.saturating_sub(pages);
        Ok(())
    }
}
