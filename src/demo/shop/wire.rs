//! The connections of the simulated API, and what can go wrong on one below HTTP: an answer that drips, and one that
//! never ends.
//!
//! An HTTP library does not offer to answer badly, so the socket itself does it. A handler sets its connection's
//! [`Tap`] before it answers, and whatever the library writes then goes through it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep};

/// How an answer flows out of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Flow {
    /// As fast as the reader takes it.
    #[default]
    Free,
    /// A byte each time, and then this pause.
    Drip(Duration),
    /// Products without an end instead of the answer, until the reader hangs up.
    Endless,
}

/// The handle on one connection's flow.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap(Arc<Mutex<Flow>>);

impl Tap {
    /// Lets what is written from now on flow so, until the connection ends.
    pub(super) fn set(&self, flow: Flow) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = flow;
    }

    fn flow(&self) -> Flow {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where connections come from.
pub(super) struct Doorway(pub(super) TcpListener);

impl Listener for Doorway {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Wire { stream, tap: Tap::default(), pause: None, spilt: 0 }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Doorway>> for Tap {
    fn connect_info(stream: IncomingStream<'_, Doorway>) -> Self {
        stream.io().tap.clone()
    }
}

/// What an endless answer begins with. It has no length, so that only the connection's end would end it.
const BEGINNING: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{\"success\":1,\"data\":[";

/// What follows it for ever.
const ROW: &[u8] = br#"{"_id":"600c45c60000000000000004","code":"PK64000158","name":"Feed 105","cost":737},"#;

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    tap: Tap,
    /// Runs between two drops.
    pause: Option<Pin<Box<Sleep>>>,
    /// How many bytes of an endless answer are out.
    spilt: usize,
}

impl Wire {
    fn drip(&mut self, cx: &mut Context<'_>, bytes: &[u8], pause: Duration) -> Poll<io::Result<usize>> {
        if let Some(running) = &mut self.pause {
            ready!(running.as_mut().poll(cx));
            self.pause = None;
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[..bytes.len().min(1)]));
        self.pause = Some(Box::pin(sleep(pause)));
        Poll::Ready(written)
    }

    /// Writes as much as the socket takes, and never says that it was enough.
    fn spill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // So many turns at once at most: others want the thread too.
        for _ in 0..64 {
            let rest = match self.spilt.checked_sub(BEGINNING.len()) {
                None => &BEGINNING[self.spilt..],
                Some(behind) => &ROW[behind % ROW.len()..],
            };
            self.spilt += ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.tap.flow() {
            Flow::Free => Pin::new(&mut self.stream).poll_write(cx, bytes),
            Flow::Drip(pause) => self.drip(cx, bytes, pause),
            Flow::Endless => self.spill(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
