//! Deliveries as a state machine: planned from events, settled by outcomes, never lost between the two.
//!
//! What is here decides; `edge::store` keeps and `service::deliver` sends. A delivery leaves the pending states only
//! through [`Delivery::settle`], after an outage by a [`catch_up`] into another that waits, or by a person's [`Act`]; so
//! whatever is killed in the middle is found again as it was.

mod act;
mod catch_up;
mod delivery;
mod destinations;
mod digest;
mod limit;
mod outcome;
mod plan;
mod reason;
mod schedule;

pub use act::{Act, Unmoved};
pub use catch_up::{CATCH_UP_AFTER, Collapse, News, Waiting, catch_up};
pub use delivery::{Address, Again, Attempt, Delivery, State};
pub use destinations::{Destination, Destinations};
pub use digest::Digests;
pub use limit::{Answer, Limit, Place, Rate, Room, tighter};
pub use outcome::Outcome;
pub use plan::{body, plan};
pub use reason::{Concern, Reason, TlsFault};
pub use schedule::{LONGEST_WISH, RetryPolicy};
