//! Why is a row left out? Where in it the fault is and of what kind, and never a value of it: a status may be shown to
//! anybody.

use std::fmt;

/// The most elements that a list within a row may have: twice what fits into a row where each says anything at all.
pub(super) const MOST_ELEMENTS: usize = 10_000;

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A number that an exact decimal does not hold.
    #[error("has more digits than are kept")]
    Digits,
    /// A list with something in it that is no object.
    #[error("has an element that is no object")]
    NoObject,
    /// A list that is too long.
    #[error("has more than {MOST_ELEMENTS} elements")]
    TooMany,
    /// Nothing that could be an id.
    #[error("holds no id")]
    NoId,
    /// The row itself: not one of the kind that was asked for.
    #[error("is of another kind")]
    OtherKind,
    /// The row itself: above one mebibyte.
    #[error("is larger than 1 MiB")]
    TooLarge,
    /// The row itself: one answer has it twice, and not alike.
    #[error("stands twice in one answer and not alike")]
    Contradicted,
}

/// A row that was there and is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The JSON Pointer of what is wrong, without its first slash; empty for the row itself.
    place: String,
    fault: Fault,
}

impl LeftOut {
    /// Because of the row itself.
    pub(in crate::edge::pospos) fn whole(fault: Fault) -> Self {
        Self { place: String::new(), fault }
    }

    /// Because of what stands at this JSON Pointer.
    pub(in crate::edge::pospos) fn at(pointer: &str, fault: Fault) -> Self {
        Self { place: pointer.trim_start_matches('/').to_owned(), fault }
    }

    /// The same of an element of the list at this pointer.
    pub(super) fn within(self, pointer: &str) -> Self {
        let list = pointer.trim_start_matches('/');
        Self { place: format!("{list}/{}", self.place), ..self }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => write!(f, "a row {}", self.fault),
            place => write!(f, "`{place}` {}", self.fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_and_what_kind() {
        assert_eq!(LeftOut::whole(Fault::OtherKind).to_string(), "a row is of another kind");
        let price = LeftOut::at("/price", Fault::Digits);
        assert_eq!(price.to_string(), "`price` has more digits than are kept");
        assert_eq!(price.within("/order_list").to_string(), "`order_list/price` has more digits than are kept");
        assert_eq!(LeftOut::at("/order_list", Fault::TooMany).to_string(), "`order_list` has more than 10000 elements");
    }
}
