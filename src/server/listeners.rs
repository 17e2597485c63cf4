//! Where the service can be asked: the socket in its data directory and the admin address, from the start of the process
//! to its end.
//!
//! Both outlive the store, so that a request is answered also while the store is opened, closed for want of space, or
//! being left. One that cannot be listened at costs that one alone: it is in the log and among the problems, and is
//! tried again every few seconds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::{info, warn};

use super::access::Access;
use super::connections::{serve_address, serve_socket};
use super::socket::{SOCKET, Socket, SocketFile};
use crate::config::Config;
use crate::service::clock::Clock;
use crate::service::interface::Interface;

/// How often a listener that failed is tried again, and how often it is looked whether the socket is still there.
const AGAIN: Duration = Duration::from_secs(5);

/// The listeners of this process.
pub struct Listeners {
    interface: Interface,
    tasks: JoinSet<()>,
    address: Option<SocketAddr>,
    token: Token,
}

impl Listeners {
    /// Tries each of them once and goes on trying. The caller holds the lock on the data directory.
    pub async fn open(config: &Config, token: Option<SecretString>, clock: &Clock) -> Listeners {
        let interface = Interface::new(clock);
        let mut tasks = JoinSet::new();
        let dir = config.data_dir.clone();
        let socket = tried(&interface, &dir.join(SOCKET).display().to_string(), Socket::bind(&dir), SOCKET_HELP);
        tasks.spawn(keep_socket(interface.clone(), dir.clone(), socket));
        let token = Token::of(token, &dir, clock);
        let mut address = None;
        if let Some(admin) = &config.admin {
            let place = Place { listen: admin.listen, file: config.file.path.clone() };
            let listener = place.listen(&interface).await;
            address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
            tasks.spawn(keep_address(interface.clone(), place, token.value.clone(), listener));
        }
        Listeners { interface, tasks, address, token }
    }

    /// What is answered.
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// Where the admin address is, if it could be listened at by now.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Writes the token into the data directory, where none is configured and none is there.
    pub fn write_token(&self) -> anyhow::Result<()> {
        self.token.write()
    }

    /// Accepts nothing more, and returns when the answers under way are given or cut off.
    pub async fn close(mut self) {
        self.interface.end();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Passes on what could be listened at; what could not is noted, and logged when it is new.
fn tried<T>(interface: &Interface, place: &str, bound: std::io::Result<T>, help: &str) -> Option<T> {
    match bound {
        Ok(bound) => {
            if interface.doors().listens(place) {
                info!("{place} can be listened at now");
            }
            Some(bound)
        }
        Err(error) => {
            if interface.doors().fails(place, &error.to_string()) {
                warn!("cannot listen at {place}: {error}; {help}; it is tried again every {} s", AGAIN.as_secs());
            }
            None
        }
    }
}

/// Waits until it is time to try again; false at the end.
async fn pause(interface: &Interface) -> bool {
    let mut following = interface.follow();
    tokio::select! {
        () = tokio::time::sleep(AGAIN) => true,
        _ = following.wait_for(Option::is_none) => false,
    }
}

/// What to do about the socket.
const SOCKET_HELP: &str = "the commands cannot ask the service without it";

async fn keep_socket(interface: Interface, dir: PathBuf, mut bound: Option<Socket>) {
    let place = dir.join(SOCKET).display().to_string();
    loop {
        if let Some(socket) = bound {
            let file = socket.file();
            tokio::select! {
                () = serve_socket(socket, interface.follow()) => return,
                () = lost(file, &dir) => warn!("{place} is gone"),
            }
        } else if !pause(&interface).await {
            return;
        }
        bound = tried(&interface, &place, Socket::bind(&dir), SOCKET_HELP);
    }
}

/// Returns when commands no longer find the socket.
async fn lost(file: SocketFile, dir: &Path) {
    loop {
        tokio::time::sleep(AGAIN).await;
        let dir = dir.to_owned();
        // It may hang where the disk does.
        if !tokio::task::spawn_blocking(move || file.is_in(&dir)).await.unwrap_or(true) {
            return;
        }
    }
}

/// The configured address.
struct Place {
    listen: SocketAddr,
    file: PathBuf,
}

impl Place {
    async fn listen(&self, interface: &Interface) -> Option<TcpListener> {
        let help = format!(
            "end the program that has the address, or change `[admin] listen` in {}; everything else goes on, also the \
             commands",
            self.file.display()
        );
        let bound = TcpListener::bind(self.listen).await;
        tried(interface, &format!("http://{}/", self.listen), bound, &help)
    }
}

async fn keep_address(interface: Interface, place: Place, token: SecretString, mut bound: Option<TcpListener>) {
    loop {
        if let Some(listener) = bound {
            // Port 0 is another one each time.
            let listen = listener.local_addr().unwrap_or(place.listen);
            info!("the admin address is http://{listen}/");
            let access = Access { listen, token };
            return serve_address(listener, access, interface.follow()).await;
        }
        if !pause(&interface).await {
            return;
        }
        bound = place.listen(&interface).await;
    }
}

/// The token of the admin address.
#[derive(Debug)]
struct Token {
    value: SecretString,
    /// Where it is to be written; `None` where it is configured.
    file: Option<PathBuf>,
}

impl Token {
    /// The configured one, the one in the data directory, or a new one.
    fn of(configured: Option<SecretString>, data_dir: &Path, clock: &Clock) -> Token {
        if let Some(value) = configured {
            return Token { value, file: None };
        }
        let file = data_dir.join("admin-token");
        // A person may have written it, with an editor that puts a byte order mark before it.
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        let there = there.trim_start_matches('\u{feff}');
        let value = if there.trim().is_empty() { clock.token() } else { there.trim().to_owned() };
        Token { value: SecretString::from(value), file: Some(file) }
    }

    fn write(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let value = self.value.expose_secret();
        if std::fs::read_to_string(file).is_ok_and(|there| there.trim() == value) {
            return Ok(());
        }
        write_private(file, value).with_context(|| format!("Failed to write the admin token {}", file.display()))
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_token_is_read_without_its_byte_order_mark() {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        for text in ["t0ken\n", "\u{feff}t0ken\r\n"] {
            std::fs::write(dir.path().join("admin-token"), text).expect("writes");
            let token = Token::of(None, dir.path(), &Clock::default());
            assert_eq!(token.value.expose_secret(), "t0ken", "{text:?}");
        }
    }
}
