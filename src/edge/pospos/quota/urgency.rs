//! Which of the calls that wait goes first?

/// Why a call is made, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// New sales, which everything else follows from.
    Sales,
    /// Rows that are likely to have changed.
    Refresh,
    /// A person waits for the answer.
    Person,
    /// The slow round over everything.
    Sweep,
}
