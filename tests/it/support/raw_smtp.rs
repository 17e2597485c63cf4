//! A mail server that says whatever bytes it likes, for ever if need be.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it says to a line.
#[derive(Debug, Clone)]
pub enum Says {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, and hangs up.
    AndHangsUp(Vec<u8>),
    /// The first bytes once and the second for ever.
    Endless(Vec<u8>, Vec<u8>),
}

impl Says {
    pub fn text(text: &str) -> Says {
        Says::Bytes(text.into())
    }
}

/// What an ordinary server says to a line: to `""` its greeting, to `.` that it takes the mail.
pub fn ordinary(line: &str) -> Says {
    Says::text(match line {
        "" => "220 mail.test\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 ok\r\n",
    })
}

/// The server. It stops when this is dropped.
pub struct RawSmtp {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Vec<String>>,
    connections: AtomicUsize,
    poured: AtomicU64,
}

impl RawSmtp {
    /// A server that says this to each line that it hears.
    #[allow(clippy::disallowed_methods, reason = "the outside world runs beside the test")]
    pub async fn start(says: impl Fn(&str) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("is bound");
        let (shared, says) = (Arc::<Shared>::default(), Arc::new(says));
        let kept = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, says) = (Arc::clone(&kept), Arc::clone(&says));
                kept.connections.fetch_add(1, Ordering::Relaxed);
                // A client that has heard enough hangs up.
                tokio::spawn(async move { converse(stream, &kept, |line| says(line)).await.ok() });
            }
        });
        Self { address, shared, task }
    }

    /// The `smtp` line of a channel.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The commands that it has heard, in order.
    pub fn heard(&self) -> Vec<String> {
        self.shared.heard.lock().expect("no test panics with the lock").clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How many bytes of what has no end went out, those in the system's buffers too.
    pub fn poured(&self) -> u64 {
        self.shared.poured.load(Ordering::Relaxed)
    }
}

impl Drop for RawSmtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, shared: &Shared, says: impl Fn(&str) -> Says) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut line, mut in_text) = (String::new(), false);
    loop {
        if !in_text || line == "." {
            let said = says(&line);
            in_text = line == "DATA";
            match said {
                Says::Bytes(bytes) => stream.write_all(&bytes).await?,
                Says::AndHangsUp(bytes) => return stream.write_all(&bytes).await,
                Says::Endless(first, again) => {
                    stream.write_all(&first).await?;
                    let again = again.repeat(64 * 1024 / again.len());
                    loop {
                        stream.write_all(&again).await?;
                        shared.poured.fetch_add(again.len() as u64, Ordering::Relaxed);
                    }
                }
            }
        }
        let mut bytes = Vec::new();
        if stream.read_until(b'\n', &mut bytes).await? == 0 {
            return Ok(());
        }
        line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        if !in_text || line == "." {
            shared.heard.lock().expect("no test panics with the lock").push(line.clone());
        }
    }
}
