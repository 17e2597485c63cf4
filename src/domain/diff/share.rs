//! How much of what is known a whole reading has.

/// How much of what is known a whole reading has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// How many rows are known that should be in it.
    pub known: usize,
    /// How many of these are.
    pub there: usize,
}

impl Share {
    /// How many of these known rows are there, as `is_there` says of each.
    pub(super) fn of<R>(rows: impl Iterator<Item = R>, is_there: impl Fn(&R) -> bool) -> Share {
        rows.fold(Share { known: 0, there: 0 }, |share, row| Share {
            known: share.known + 1,
            there: share.there + usize::from(is_there(&row)),
        })
    }

    pub(super) fn is_half(self) -> bool {
        self.there >= self.known - self.there
    }
}
