//! The one client of every command: HTTP to the running service over the socket in its data directory, or, where none
//! runs, the same router called in this process. The user need not know which.
//!
//! Nothing is sent anywhere else, and no token.

mod find;
mod lines;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

pub(super) use find::{Unasked, served};
pub(super) use lines::{Lines, each_row};

use crate::api;
use crate::server::{ALIVE, AnswerBody, InProcess, SOCKET, SocketAddress};
use crate::service::fetch;

/// How long the service may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the service may say nothing during a long answer: six times as long as it ever is silent by itself.
const SILENCE: Duration = Duration::from_secs(6 * fetch::SILENCE.as_secs());

/// What is said of an answer that cannot be understood.
const OTHER_VERSION: &str = "Failed to understand the answer; is the service of another version?";

/// Whoever answers a command.
pub(super) struct Client(Road);

enum Road {
    /// The running service.
    Socket {
        http: reqwest::Client,
        socket: PathBuf,
        // Held, not read: the address that is connected to goes through it.
        _address: SocketAddress,
    },
    /// This process.
    Here(InProcess),
}

/// There is no answer, for this reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.error)]
pub(super) struct Refused(api::Refused);

impl Refused {
    /// What is stored is damaged.
    pub(super) fn is_damage(&self) -> bool {
        self.0.damaged
    }
}

/// What is asked for.
struct Question {
    method: Method,
    url: Url,
    body: Option<String>,
}

/// An answer that has begun well.
pub(super) struct Answer(AnswerBody);

impl Client {
    /// The service that has this data directory, whether or not one runs.
    fn of_service(data_dir: &Path) -> anyhow::Result<Client> {
        let address = SocketAddress::in_dir(data_dir)?;
        let http = builder().unix_socket(address.path()).build().context("Failed to build an HTTP client")?;
        Ok(Client(Road::Socket { http, socket: data_dir.join(SOCKET), _address: address }))
    }

    /// This process.
    fn here(answering: InProcess) -> Client {
        Client(Road::Here(answering))
    }

    /// Whether the service runs, and will send what becomes due.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.0, Road::Socket { .. })
    }

    /// What the service is doing that passes in a moment, where it is not ready to be asked.
    async fn doing(&self) -> anyhow::Result<Option<String>> {
        let mut url = address(&[]);
        url.set_path("/healthz");
        let text = self.whole(Question { method: Method::GET, url, body: None }).await?;
        Ok((text != ALIVE).then(|| text.trim().to_owned()))
    }

    /// A short answer.
    pub(super) async fn get(&self, path: &[&str]) -> anyhow::Result<String> {
        self.whole(Question::get(path, &())?).await
    }

    /// A short answer to a question with words.
    pub(super) async fn list<Q: Serialize>(&self, path: &[&str], query: &Q) -> anyhow::Result<String> {
        self.whole(Question::get(path, query)?).await
    }

    /// The short answer to something that is done.
    pub(super) async fn post(&self, path: &[&str]) -> anyhow::Result<String> {
        self.whole(Question { method: Method::POST, url: address(path), body: None }).await
    }

    /// The lines of a long answer to something that is only read.
    pub(super) async fn get_lines<Q: Serialize, L>(&self, path: &[&str], query: &Q) -> anyhow::Result<Lines<L>> {
        Ok(Lines::of(self.open(Question::get(path, query)?).await?))
    }

    /// The lines of the answer to something that takes a while.
    pub(super) async fn post_lines<Q: Serialize, L>(&self, path: &[&str], query: &Q) -> anyhow::Result<Lines<L>> {
        let body = Some(serde_json::to_string(query)?);
        Ok(Lines::of(self.open(Question { method: Method::POST, url: address(path), body }).await?))
    }

    /// The bytes of an answer as they come.
    pub(super) async fn post_bytes(&self, path: &[&str]) -> anyhow::Result<Answer> {
        self.open(Question { method: Method::POST, url: address(path), body: None }).await
    }

    async fn whole(&self, question: Question) -> anyhow::Result<String> {
        // In this process nobody else can keep it.
        let patience = if self.is_running() { PATIENCE } else { Duration::MAX };
        let asked = async {
            let bytes = self.open(question).await?.whole().await?;
            String::from_utf8(bytes).context(OTHER_VERSION)
        };
        match tokio::time::timeout(patience, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(self.unanswered()),
        }
    }

    /// Asks, and returns the answer once it has begun well.
    async fn open(&self, question: Question) -> anyhow::Result<Answer> {
        let (status, answer) = match &self.0 {
            Road::Socket { http, .. } => {
                let request = http.request(question.method, question.url).header(CONTENT_TYPE, "application/json");
                let request = request.body(question.body.unwrap_or_default());
                let asked = tokio::time::timeout(SILENCE, request.send()).await;
                let answer = asked.context("The service does not answer")?.map_err(|_| self.unanswered())?;
                (answer.status(), Answer::of_service(answer))
            }
            Road::Here(answering) => {
                let body = question.body.unwrap_or_default();
                let (status, answer) = answering.ask(question.method, question.url.as_str(), body).await;
                (status, Answer(answer))
            }
        };
        if status.is_success() {
            return Ok(answer);
        }
        bail!(Refused(problem(status, &answer.whole().await?)))
    }

    /// It was there a moment ago. The error's own words are the library's.
    fn unanswered(&self) -> anyhow::Error {
        match &self.0 {
            Road::Socket { socket, .. } => {
                anyhow::anyhow!("the service does not answer at {}: it ends or has ended; ask again", socket.display())
            }
            Road::Here(_) => anyhow::anyhow!("there is no answer; ask again"),
        }
    }
}

impl Question {
    fn get<Q: Serialize>(path: &[&str], query: &Q) -> anyhow::Result<Question> {
        let mut url = address(path);
        if let serde_json::Value::Object(words) = serde_json::to_value(query)?
            && !words.is_empty()
        {
            let mut pairs = url.query_pairs_mut();
            for (name, value) in words {
                match value {
                    serde_json::Value::String(text) => pairs.append_pair(&name, &text),
                    other => pairs.append_pair(&name, &other.to_string()),
                };
            }
        }
        Ok(Question { method: Method::GET, url, body: None })
    }
}

impl Answer {
    fn of_service(answer: reqwest::Response) -> Answer {
        Answer(Box::pin(stream::try_unfold(answer, async |mut answer| {
            let chunk = tokio::time::timeout(SILENCE, answer.chunk()).await;
            let chunk = chunk.map_err(|_| "The service has fallen silent; ask again")?;
            let chunk = chunk.map_err(|_| "The service broke off; ask again")?;
            Ok(chunk.map(|chunk| (chunk.to_vec(), answer)))
        })))
    }

    /// What comes next; nothing at the end.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        self.0.next().await.transpose().map_err(anyhow::Error::msg)
    }

    async fn whole(self) -> anyhow::Result<Vec<u8>> {
        let parts: Vec<Vec<u8>> = self.0.try_collect().await.map_err(anyhow::Error::msg)?;
        Ok(parts.concat())
    }
}

/// A client that goes where it is told and nowhere else.
pub(super) fn builder() -> reqwest::ClientBuilder {
    // Installed once for the process; an error means that it is there already.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never())
}

/// An id that begins with `word`. What cannot be one must not become the address of something else.
pub(super) fn id<'a>(id: &'a str, word: &str, missing: &str) -> anyhow::Result<&'a str> {
    let digits = id.strip_prefix(word);
    anyhow::ensure!(digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_alphanumeric())), "{missing}");
    Ok(id)
}

/// The address of these parts, whatever characters they have. The host is a name for the other end of the socket.
fn address(path: &[&str]) -> Url {
    let mut url = Url::parse("http://posbell/api/v1").expect("is a URL");
    url.path_segments_mut().expect("has a path").extend(path);
    url
}

/// What is said to be wrong.
fn problem(status: StatusCode, body: &[u8]) -> api::Refused {
    serde_json::from_slice(body).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(body).trim().to_owned();
        let error = if text.is_empty() { format!("the service answered with {status}") } else { text };
        api::Refused { error, damaged: false }
    })
}

/// Reads an answer.
pub(super) fn parsed<T: DeserializeOwned>(answer: &str) -> anyhow::Result<T> {
    serde_json::from_str(answer).context(OTHER_VERSION)
}
