//! From what was known and what was read to what happened.
//!
//! One file a resource. Each comparison yields [`Change`]s: one row with its events, so that a large pass can be
//! committed in pieces and a crash between two pieces leaves exactly the rest for the next pass. A first reading is a
//! case of its own ([`Known::Nothing`]), not an empty snapshot; what was not read whole never gets here.

pub mod credit;
pub mod guard;
pub mod level;
pub mod product;
pub mod sale;

use std::collections::BTreeMap;

use crate::domain::event::Event;
use crate::domain::model::{EntityId, Timestamp};

/// What is believed of one resource of one shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<R> {
    /// It was never read: the first whole reading is the baseline and makes no event.
    Nothing,
    /// It was read before.
    Rows {
        /// What is known of each entity.
        rows: BTreeMap<EntityId, R>,
        /// Sales before this moment were outside of every reading so far: a sale from before it is not new, only
        /// newly asked for.
        horizon: Option<Timestamp>,
    },
}

impl<R> Known<R> {
    /// What is known of this entity.
    pub fn row(&self, id: &EntityId) -> Option<&R> {
        match self {
            Known::Nothing => None,
            Known::Rows { rows, .. } => rows.get(id),
        }
    }

    /// Everything that is known.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        let rows = match self {
            Known::Nothing => None,
            Known::Rows { rows, .. } => Some(rows),
        };
        rows.into_iter().flat_map(BTreeMap::values)
    }
}

/// What one entity becomes, and what is told of it. Rows and events of one change are committed in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<R> {
    /// The entity.
    pub id: EntityId,
    /// What is known of it from now on; `None` forgets it.
    pub row: Option<R>,
    /// What is told, in the order in which it happened.
    pub events: Vec<Event>,
}

/// Why a whole reading is still not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbelievable {
    /// A list that had rows came back empty.
    #[error("the list came back empty, and {known} rows should have been in it")]
    Empty {
        /// How many rows should have been there.
        known: usize,
    },
    /// A first list that must have rows came back empty: not a baseline yet.
    #[error("the first list came back empty; posbell waits for one with rows")]
    EmptyAtFirst,
}

/// The names of the fields in which two objects differ.
macro_rules! changed_fields {
    ($prev:expr, $next:expr; $($field:ident),+ $(,)?) => {{
        let mut changed: Vec<String> = Vec::new();
        $(if $prev.$field != $next.$field {
            changed.push(stringify!($field).to_owned());
        })+
        changed
    }};
}
use changed_fields;
