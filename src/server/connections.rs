//! Connections: how many there are at once, for how long each may be silent, and how they end.
//!
//! A listener accepts no more connections than [`MOST`]; what comes beyond waits in the kernel until one of them has
//! ended, so that neither memory nor descriptors grow with the number of clients. A client that sends no head or takes
//! nothing of its answer loses its connection.

use std::pin::pin;
use std::time::Duration;

use axum::middleware;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tracing::warn;

use super::access::{self, Access};
use super::body::HEAD;
use super::patient::Patient;
use super::routes::router_of;
use super::socket::Socket;
use crate::service::interface::Following;

/// The most connections of one listener.
pub const MOST: usize = 64;

/// How long a client at the admin address may take nothing of its answer.
const UNREAD: Duration = Duration::from_secs(60);

/// The same at the socket: a person may read a screen of a command's output for a while.
const UNREAD_BY_COMMAND: Duration = Duration::from_secs(600);

/// The most bytes of a head, and how much of an answer is ready before it is taken.
const BUFFER: usize = 32 * 1024;

/// How long the answers under way may take to end when others are given from now on.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// How long nothing is accepted after an error: for want of descriptors it would come again at once.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Where connections come from.
trait Listener {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    fn next(&self) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> std::io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

impl Listener for Socket {
    type Stream = UnixStream;

    async fn next(&self) -> std::io::Result<UnixStream> {
        Ok(self.listener().accept().await?.0)
    }
}

/// Answers at the admin address until the end.
pub async fn serve_address(listener: TcpListener, access: Access, current: Following) {
    serve(listener, Some(access), UNREAD, current).await;
}

/// Answers at the socket until the end.
pub async fn serve_socket(socket: Socket, current: Following) {
    serve(socket, None, UNREAD_BY_COMMAND, current).await;
}

async fn serve<L: Listener>(listener: L, access: Option<Access>, unread: Duration, mut current: Following) {
    let mut open = JoinSet::new();
    let mut fails = false;
    while current.borrow_and_update().is_some() {
        tokio::select! {
            Some(_) = open.join_next() => {}
            accepted = listener.next(), if open.len() < MOST => match accepted {
                Ok(stream) => {
                    fails = false;
                    open.spawn(answer(Patient::new(stream, unread), access.clone(), current.clone()));
                }
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        warn!("connections cannot be accepted: {error}");
                    }
                    tokio::time::sleep(AFTER_ERROR).await;
                }
            },
            changed = current.changed() => if changed.is_err() { break },
        }
    }
    drop(listener);
    // Each of them sees the end by itself.
    while open.join_next().await.is_some() {}
}

/// Answers what one connection asks.
async fn answer<S>(stream: Patient<S>, access: Option<Access>, mut current: Following)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Some(mut router) = current.borrow_and_update().as_ref().map(router_of) else { return };
    if let Some(access) = access {
        router = router.layer(middleware::from_fn_with_state(access, access::check));
    }
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    tokio::select! {
        // An error is the client's: it is gone, too slow, or speaks something else.
        _ = serving.as_mut() => return,
        _ = current.changed() => serving.as_mut().graceful_shutdown(),
    }
    drop(tokio::time::timeout(LAST_ANSWERS, serving).await);
}
