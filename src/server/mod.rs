//! The service over HTTP: health, problems, and everything that commands ask while it holds the store.
//!
//! At the socket in the data directory for the commands (`socket`), and at the admin address for everyone else, who
//! needs the token for what shows rows. The admin address refuses requests whose `Host` is not its own: a web page
//! elsewhere could otherwise make a browser read the owner's data.

mod access;
mod answer;
mod body;
mod connections;
mod deliveries;
mod events;
mod fetch;
mod held;
mod in_process;
pub mod listeners;
mod patient;
mod routes;
mod socket;

pub use in_process::{AnswerBody, InProcess};
pub use routes::ALIVE;
pub use socket::{SOCKET, SocketAddress};
