//! Requests and answers of the HTTP interface: the only types that leave the process as JSON besides events.
//!
//! One file a topic. They hold what is said and decide nothing.

mod deliveries;
mod events;
mod fetch;
mod held;
mod problems;
mod refusal;
mod replay;
mod status;

pub use deliveries::{ActDone, ActLine, ActQuery, ActRefused, DeliveryQuery, Lines};
pub use events::EventQuery;
pub use fetch::{FetchLine, FetchQuery};
pub use held::{HeldPass, HeldStatus};
pub use problems::{Problem, ProblemClass, ProblemKind, Problems};
pub use refusal::{Pieces, Refusal, Refused};
pub use replay::{ReplayCount, ReplayDone, ReplayExample, ReplayQuery, ReplayResumed};
pub use status::{
    ChannelStatus, CopiesStatus, CopyStatus, FailingStatus, OverflowStatus, QuotaStatus, ReadingStatus, ResourceStatus,
    ShopStatus, Status,
};
