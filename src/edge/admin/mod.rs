//! Whoever asks over HTTP: health, and what the command line shows while the service holds the store.
//!
//! It refuses requests whose `Host` is not its own (a web page elsewhere could otherwise make a browser read the
//! owner's data), anything but GET without the token, and from other machines GET without it too.

mod access;
mod acts;
mod copies;
mod fetch;
mod routes;

use std::net::SocketAddr;

pub use access::Access;
pub use acts::{
    ActDone, ActLine, ActQuery, ActRefused, Lines, ReplayCount, ReplayDone, ReplayExample, ReplayQuery, ReplayResumed,
};
pub use fetch::{FetchLine, FetchQuery};
pub use routes::{Answers, DeliveryQuery, EventQuery, Refusal, closed_router, router};

/// Answers on `listener` until `end` returns and the answers under way are given.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: axum::Router,
    end: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(end).await
}
