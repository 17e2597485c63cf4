//! Deliveries as a state machine: planned from events, settled by outcomes, never lost between the two.
//!
//! What is here decides; `edge::store` keeps and `service::deliver` sends. A delivery leaves the pending states only
//! through [`Delivery::settle`], after an outage by a [`catch_up`] into another that waits, or by a person's [`Act`]; so
//! whatever is killed in the middle is found again as it was.

mod act;
mod catch_up;
mod delivery;
mod destinations;
mod limit;
mod notices;
mod outcome;
mod reason;
mod schedule;
mod streak;

pub use act::{Act, Unmoved};
pub use catch_up::{CATCH_UP_AFTER, Collapse, News, Waiting, catch_up};
pub use delivery::{Address, Again, Attempt, Delivery, State};
pub use destinations::{Destination, Destinations, Room};
pub use limit::{Answer, Limit, Place, Rate, SendRoom, tighter};
pub use notices::{ESCALATE_AFTER, other_routes, people_of, routes};
pub use outcome::Outcome;
pub use reason::{Concern, Reason, TlsFault};
pub use schedule::{LONGEST_WISH, RetryPolicy};
pub use streak::Streak;

pub use super::rules::Route;
