//! Where a command's answers come from: the running service, or the store itself. The user need not know which.

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

mod streams;

use super::env;
use crate::config::Config;
use crate::domain::diff::guard::Decision;
use crate::domain::model::{Resource, ShopId};
use crate::edge::admin::{DeliveryQuery, EventQuery, Refusal};
use crate::edge::store::{Commit, Holder, Store, StoreError};
use crate::service::clock::Clock;
use crate::service::run::written_token;
use crate::service::{answers, held, report};

/// How long the service may take to answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What is said of an answer that cannot be understood.
const OTHER_VERSION: &str = "Failed to understand the answer; is the service of another version?";

/// Who is asked.
pub(super) enum Source<'a> {
    /// The running service.
    Service { client: reqwest::Client, address: String, token: Option<SecretString> },
    /// The store, opened by this command.
    Store { config: &'a Config, store: Box<Store> },
}

impl<'a> Source<'a> {
    /// Finds who can be asked.
    pub(super) async fn find(config: &'a Config) -> anyhow::Result<Source<'a>> {
        let open = || Store::open_existing(&config.data_dir);
        // A service with no admin address is not worth waiting for.
        let opened = if config.admin.is_some() { patiently(&Clock::default(), open) } else { open() };
        match opened {
            Ok(store) => {
                store.let_wait_at_most(config.max_waiting);
                Ok(Source::Store { config, store: Box::new(store) })
            }
            Err(StoreError::Locked { holder, .. }) => Self::service(config, &holder),
            // The unit's data may be closed to this user; its admin address is not.
            Err(StoreError::Directory { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Self::service(config, &Holder::default())
            }
            // Perhaps it is elsewhere: the unit's data directory is known to the unit alone.
            Err(StoreError::Absent(dir)) => {
                let service = Self::service(config, &Holder::default());
                match service {
                    Ok(service) if service.answers().await => Ok(service),
                    _ => Err(StoreError::Absent(dir).into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the service runs, and will send what becomes due.
    pub(super) fn is_running(&self) -> bool {
        matches!(self, Source::Service { .. })
    }

    /// Whether a service is there at all.
    async fn answers(&self) -> bool {
        self.get("status", &[]).await.is_ok()
    }

    fn service(config: &Config, holder: &Holder) -> anyhow::Result<Source<'a>> {
        let configured = config.admin.as_ref().map(|admin| admin.listen.to_string());
        let Some(address) = holder.admin.clone().or(configured) else {
            bail!(
                "the service holds the store ({holder}) and has no admin address to be asked at \
                 (`[admin] listen = \"off\"`)"
            );
        };
        let configured = config.admin.as_ref().and_then(|admin| admin.token.as_ref());
        let token = match configured {
            Some(token) => token.read(&env).ok(),
            None => written_token(&config.data_dir),
        };
        // Installed once for the process; an error means that it is there already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("Failed to build an HTTP client")?;
        Ok(Source::Service { client, address, token })
    }

    /// The status.
    pub(super) async fn status(&self) -> anyhow::Result<String> {
        match self {
            Source::Service { .. } => self.get("status", &[]).await,
            Source::Store { config, store } => {
                let status = report::status(config, store, None, Clock::default().now()).await?;
                Ok(serde_json::to_string(&status)?)
            }
        }
    }

    /// Events.
    pub(super) async fn events(&self, query: EventQuery) -> anyhow::Result<String> {
        match self {
            Source::Service { .. } => self.get("events", &pairs(&query)?).await,
            Source::Store { store, .. } => answered(answers::events(store, query, Clock::default().now()).await),
        }
    }

    /// Deliveries.
    pub(super) async fn deliveries(&self, query: DeliveryQuery) -> anyhow::Result<String> {
        match self {
            Source::Service { .. } => self.get("deliveries", &pairs(&query)?).await,
            Source::Store { store, .. } => answered(answers::deliveries(store, query).await),
        }
    }

    /// One delivery.
    pub(super) async fn delivery(&self, id: &str) -> anyhow::Result<String> {
        match self {
            Source::Service { .. } => {
                anyhow::ensure!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'), "`{id}` is no delivery id");
                self.get(&format!("deliveries/{id}"), &[]).await
            }
            Source::Store { store, .. } => answered(answers::delivery(store, id).await),
        }
    }

    /// Held passes.
    pub(super) async fn held(&self) -> anyhow::Result<String> {
        match self {
            Source::Service { .. } => self.get("held", &[]).await,
            Source::Store { config, store } => answered(held::all(config, store).await),
        }
    }

    /// One held pass.
    pub(super) async fn held_pass(&self, shop: &ShopId, resource: Resource) -> anyhow::Result<String> {
        match self {
            Source::Service { .. } => self.get(&format!("held/{shop}/{resource}"), &[]).await,
            Source::Store { config, store } => answered(held::one(config, store, shop.as_str(), resource.name()).await),
        }
    }

    /// What a person says about a held pass.
    pub(super) async fn decide(&self, shop: &ShopId, resource: Resource, decision: Decision) -> anyhow::Result<String> {
        let action = match decision {
            Decision::Release => "release",
            Decision::Drop => "drop",
        };
        match self {
            Source::Service { .. } => self.post(&format!("held/{shop}/{resource}/{action}")).await,
            Source::Store { config, store } => {
                answered(held::decide(config, store, shop.as_str(), resource.name(), decision).await)
            }
        }
    }

    /// Lets a stopped shop be read again.
    pub(super) async fn resume(&self, shop: &ShopId) -> anyhow::Result<()> {
        match self {
            Source::Service { .. } => self.post(&format!("shops/{shop}/resume")).await.map(drop),
            Source::Store { store, .. } => {
                let mut record = store.shop(shop).await?;
                record.stopped = None;
                store.commit(Commit { shop: Some((shop.clone(), record)), ..Commit::default() }).await?;
                Ok(())
            }
        }
    }

    async fn post(&self, path: &str) -> anyhow::Result<String> {
        let Source::Service { client, address, token } = self else { bail!("no service is asked here") };
        let request = client.post(format!("http://{address}/api/v1/{path}")).timeout(PATIENCE);
        self.send(request.bearer_auth(shown(token)?)).await
    }

    async fn get(&self, path: &str, query: &[(String, String)]) -> anyhow::Result<String> {
        let Source::Service { client, address, token } = self else { bail!("no service is asked here") };
        let mut request = client.get(format!("http://{address}/api/v1/{path}")).query(query).timeout(PATIENCE);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<String> {
        let Source::Service { address, .. } = self else { bail!("no service is asked here") };
        let answer = request.send().await.with_context(|| format!("Failed to ask the service at {address}"))?;
        let status = answer.status();
        let body = answer.text().await.context("Failed to read the service's answer")?;
        if status.is_success() {
            return Ok(body);
        }
        bail!("{}", problem(body))
    }
}

/// The token, or what to do where it cannot be read.
fn shown(token: &Option<SecretString>) -> anyhow::Result<&str> {
    let token = token.as_ref().context("the admin token of the service is not readable here; try sudo")?;
    Ok(token.expose_secret())
}

/// What the service says is wrong.
fn problem(body: String) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        error: String,
    }
    serde_json::from_str::<Problem>(&body).map_or(body, |problem| problem.error).trim().to_owned()
}

/// How long a command that reads the store, or a service that is just starting, is waited for.
const MOMENT: std::time::Duration = std::time::Duration::from_secs(10);
/// How often the store is tried meanwhile.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Opens a store that another process may hold for a moment. One that holds it for good says where it can be asked,
/// and is not waited for.
pub(super) fn patiently<T>(clock: &Clock, open: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let began = clock.mark().up;
    loop {
        match open() {
            Err(StoreError::Locked { holder, .. })
                if (holder.admin.is_none() || holder.pid == Some(std::process::id()))
                    && clock.mark().up.saturating_sub(began) < MOMENT =>
            {
                std::thread::park_timeout(PAUSE);
            }
            opened => return opened,
        }
    }
}

pub(super) fn answered<T>(answer: Result<T, Refusal>) -> anyhow::Result<T> {
    answer.map_err(|refusal| match refusal {
        Refusal::NotFound(why) | Refusal::Wrong(why) | Refusal::Failed(why) => anyhow::anyhow!(why),
    })
}

fn pairs<T: serde::Serialize>(query: &T) -> anyhow::Result<Vec<(String, String)>> {
    let serde_json::Value::Object(members) = serde_json::to_value(query)? else { return Ok(Vec::new()) };
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// Reads an answer.
pub(super) fn parsed<T: DeserializeOwned>(answer: &str) -> anyhow::Result<T> {
    serde_json::from_str(answer).context(OTHER_VERSION)
}
