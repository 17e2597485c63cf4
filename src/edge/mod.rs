//! One foreign system each: the API, the disk, the channels.
//!
//! An edge knows the domain and its own foreign system, and no other edge. Only `service` sees more than one.

pub mod channel;
pub mod heartbeat;
mod http;
pub mod notice_mark;
pub mod pospos;
pub mod store;
