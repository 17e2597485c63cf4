//! HTTP with the running service, over the socket in its data directory. Nothing is sent anywhere else, and no token.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::RequestBuilder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::Sender;

use crate::server::{ALIVE, SOCKET, SocketAddress};
use crate::service::fetch;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the service may say nothing during a long answer: six times as long as it ever is silent by itself.
const SILENCE: Duration = Duration::from_secs(6 * fetch::SILENCE.as_secs());

/// The most bytes of one line of a long answer: a row is a part of an answer of the API, which is no longer.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// What is said of an answer that cannot be understood.
const OTHER_VERSION: &str = "Failed to understand the answer; is the service of another version?";

/// The running service.
pub(super) struct Client {
    http: reqwest::Client,
    socket: PathBuf,
    // Held, not read: the address that is connected to goes through it.
    _address: SocketAddress,
}

/// The service has no answer, and these are its words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(String);

impl Client {
    /// The service that has this data directory, whether or not one runs.
    pub(super) fn of(data_dir: &Path) -> anyhow::Result<Client> {
        let address = SocketAddress::in_dir(data_dir)?;
        let builder = builder().unix_socket(address.path());
        let http = builder.build().context("Failed to build an HTTP client")?;
        Ok(Client { http, socket: data_dir.join(SOCKET), _address: address })
    }

    /// What the service is doing that passes in a moment, where it is not ready to be asked.
    pub(super) async fn doing(&self) -> anyhow::Result<Option<String>> {
        let asked = self.http.get(url("/healthz")).timeout(PATIENCE);
        let text = asked.send().await?.text().await?;
        Ok((text != ALIVE).then(|| text.trim().to_owned()))
    }

    /// A short answer.
    pub(super) async fn get(&self, path: &str, query: &[(String, String)]) -> anyhow::Result<String> {
        self.whole(self.http.get(url(&format!("/api/v1/{path}"))).query(query)).await
    }

    /// The short answer to something that is done.
    pub(super) async fn post(&self, path: &str) -> anyhow::Result<String> {
        self.whole(self.http.post(url(&format!("/api/v1/{path}")))).await
    }

    async fn whole(&self, request: RequestBuilder) -> anyhow::Result<String> {
        let answer = request.timeout(PATIENCE).send().await.map_err(|_| self.unanswered())?;
        let status = answer.status();
        let body = answer.text().await.context("Failed to read the service's answer")?;
        if status.is_success() {
            return Ok(body);
        }
        bail!(Refused(problem(body)))
    }

    /// Asks for something that takes a while, and passes on the lines of the answer until they end or nobody takes them.
    pub(super) async fn stream<Q, L>(&self, path: &str, query: &Q, lines: &Sender<L>) -> anyhow::Result<()>
    where
        Q: Serialize,
        L: DeserializeOwned,
    {
        let request = self.http.post(url(&format!("/api/v1/{path}")));
        let request = request.header("content-type", "application/json").body(serde_json::to_string(query)?);
        pass_on_lines(self.open(request).await?, lines).await
    }

    /// The same for what is only read.
    pub(super) async fn listed<L>(
        &self,
        path: &str,
        query: &[(String, String)],
        lines: &Sender<L>,
    ) -> anyhow::Result<()>
    where
        L: DeserializeOwned,
    {
        pass_on_lines(self.open(self.http.get(url(&format!("/api/v1/{path}"))).query(query)).await?, lines).await
    }

    /// The bytes of an answer as they come.
    pub(super) async fn bytes(&self, path: &str, pieces: &Sender<Vec<u8>>) -> anyhow::Result<()> {
        let mut answer = self.open(self.http.post(url(&format!("/api/v1/{path}")))).await?;
        while let Some(chunk) = next(&mut answer).await? {
            if pieces.send(chunk).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Asks, and returns the answer once it has begun well.
    async fn open(&self, request: RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let asked = tokio::time::timeout(SILENCE, request.send()).await.context("The service does not answer")?;
        let answer = asked.map_err(|_| self.unanswered())?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let body = tokio::time::timeout(SILENCE, answer.text()).await.context("The service does not answer")?;
        bail!(Refused(problem(body.context("Failed to read the service's answer")?)))
    }

    /// It was there a moment ago. The error's own words are the library's.
    fn unanswered(&self) -> anyhow::Error {
        anyhow::anyhow!("the service does not answer at {}: it ends or has ended; ask again", self.socket.display())
    }
}

/// A client that goes where it is told and nowhere else.
pub(super) fn builder() -> reqwest::ClientBuilder {
    // Installed once for the process; an error means that it is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never())
}

/// The host is a name for the other end of the socket.
fn url(path: &str) -> String {
    format!("http://posbell{path}")
}

/// What the service says is wrong.
fn problem(body: String) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        error: String,
    }
    serde_json::from_str::<Problem>(&body).map_or(body, |problem| problem.error).trim().to_owned()
}

/// What comes next of an answer.
async fn next(answer: &mut reqwest::Response) -> anyhow::Result<Option<Vec<u8>>> {
    let chunk = tokio::time::timeout(SILENCE, answer.chunk()).await;
    let chunk = chunk.context("The service has fallen silent; ask again")?;
    Ok(chunk.context("The service broke off; ask again")?.map(|chunk| chunk.to_vec()))
}

/// Passes on an answer's lines until they end or nobody takes them.
async fn pass_on_lines<L: DeserializeOwned>(mut answer: reqwest::Response, lines: &Sender<L>) -> anyhow::Result<()> {
    let mut open = Vec::new();
    while let Some(chunk) = next(&mut answer).await? {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            open.extend_from_slice(part);
            anyhow::ensure!(open.len() <= LONGEST_LINE, "the service's answer has a line that is too long");
            if part.ends_with(b"\n") {
                let line = serde_json::from_slice(&open).context(OTHER_VERSION)?;
                open.clear();
                if lines.send(line).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Reads an answer.
pub(super) fn parsed<T: DeserializeOwned>(answer: &str) -> anyhow::Result<T> {
    serde_json::from_str(answer).context(OTHER_VERSION)
}
