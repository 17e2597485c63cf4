//! What can be wrong with the disk that everything is stored on, while what is stored may be whole?

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why the disk of the store does not take or give what it should. But for the last none of these is damage: the store is
/// opened again when the disk works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskFault {
    /// It is full.
    Full,
    /// It can be read and not written.
    ReadOnly,
    /// It answers with an error of its own, such as EIO.
    Failing,
    /// It does not answer.
    Hanging,
    /// The files were deleted, or their disk was taken away.
    Gone,
    /// What is stored is damaged, or another user's: it does not mend itself, and the process ends.
    Unusable,
}

impl fmt::Display for DiskFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskFault::Full => "is full",
            DiskFault::ReadOnly => "is read-only",
            DiskFault::Failing => "answers with input/output errors",
            DiskFault::Hanging => "does not answer",
            DiskFault::Gone => "has lost the files of the store",
            DiskFault::Unusable => "has files of the store that cannot be used",
        })
    }
}
