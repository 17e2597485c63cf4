//! A receiver on a bare socket: keeps what it was sent, byte for byte, and answers with whatever bytes it likes.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// The receiver. It stops when this is dropped.
pub struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Received {
    /// The value of the only header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let value = values.next();
        assert_eq!(values.next(), None, "{name} stands there once");
        value
    }
}

impl Receiver {
    /// A receiver that reads one request on each connection and then hands the connection to `answer`.
    #[allow(clippy::disallowed_methods, reason = "the outside world runs beside the test")]
    pub async fn start<Answered>(answer: impl Fn(TcpStream) -> Answered + Send + 'static) -> Self
    where
        Answered: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(request) = read(&mut stream).await {
                    kept.lock().expect("no test panics with the lock").push(request);
                    tokio::spawn(answer(stream));
                }
            }
        });
        Self { address, requests, task }
    }

    /// A receiver that says these bytes and hangs up.
    pub async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                // A client that has heard enough may be gone.
                let _ = stream.write_all(&answer).await;
            }
        })
        .await
    }

    /// A receiver with this status and nothing else to say.
    pub async fn with_status(status: u16, headers: &str) -> Self {
        Self::saying(format!("HTTP/1.1 {status} \r\ncontent-length: 0\r\n{headers}\r\n")).await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was sent, in order.
    pub fn requests(&self) -> Vec<Received> {
        self.requests.lock().expect("no test panics with the lock").clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request; nothing if the client does not get that far.
async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).expect("a head is text");
    let mut body = bytes.split_off(head_end + 4);
    let length = Received { head: head.clone(), body: String::new() }.header("content-length")?.parse().ok()?;
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { head, body: String::from_utf8(body).expect("a body is text") })
}

/// An address on which nobody listens, taken as long as the socket lives so that no other test begins to.
pub fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("there are sockets left");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback has a free port");
    let address = socket.local_addr().expect("is bound");
    (socket, address)
}

/// An address that accepts connections, as long as the listener lives, and then neither reads nor speaks.
pub async fn silent_port() -> (TcpListener, SocketAddr) {
    // The system itself accepts into the listener's queue: no task is needed.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("is bound");
    (listener, address)
}
