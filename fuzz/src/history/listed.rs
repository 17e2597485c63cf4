//! Members, vendors and purchase documents.

use std::fmt::Debug;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::rows::{self, Rows};
use crate::domain::diff::listed::{self, Listed, ListedRow};
use crate::domain::diff::{Change, Taken};
use crate::domain::event::Scribe;
use crate::edge::pospos::Read;
use crate::input::Input;

struct Plain<T>(PhantomData<T>);

impl<T: Listed + Debug + Serialize + DeserializeOwned> Rows for Plain<T> {
    type Item = T;
    type Row = ListedRow<T>;

    fn compare(
        &self,
        prev: Option<&ListedRow<T>>,
        item: T,
        taken: Taken,
        scribe: &Scribe,
    ) -> Option<Change<ListedRow<T>>> {
        listed::compare_one(prev, item, taken, scribe)
    }

    fn miss(&self, prev: &ListedRow<T>, taken: Taken, scribe: &Scribe) -> Option<Change<ListedRow<T>>> {
        match taken {
            Taken::Compared => listed::miss_one(prev, scribe),
            Taken::Quietly => listed::miss_quietly(prev),
        }
    }

    fn rests(&self, row: &ListedRow<T>) -> bool {
        row.rests()
    }

    fn is_removed(&self, row: &ListedRow<T>) -> bool {
        row.removed
    }

    fn is_read_otherwise(&self, row: &ListedRow<T>) -> bool {
        row.read_otherwise
    }
}

pub fn play<T>(input: &Input<'_>, read: impl Fn(&Input<'_>, &[u8]) -> Option<Read<T>>)
where
    T: Listed + Debug + Serialize + DeserializeOwned,
{
    rows::play(&Plain(PhantomData), input, read);
}
