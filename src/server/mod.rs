//! The service over HTTP: health, problems, and everything that commands ask while it holds the store.
//!
//! At the socket in the data directory for the commands (`socket`), and at the admin address for everyone else, who
//! needs the token for what shows rows. The admin address refuses requests whose `Host` is not its own: a web page
//! elsewhere could otherwise make a browser read the owner's data.

mod access;
mod acts;
mod body;
mod connections;
mod copies;
mod fetch;
pub mod listeners;
mod patient;
mod routes;
mod socket;

pub use access::Access;
pub use connections::{Current, Following, MOST, serve_address, serve_socket};
pub use routes::{ALIVE, Answers, Closed, closed_router, router};
pub use socket::{SOCKET, Socket, SocketAddress, SocketFile};
