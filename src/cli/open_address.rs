//! What a user who may not read the data can see: the problems, from the addresses that need no token.
//!
//! Whatever listens at the configured address gets nothing but the question.

use std::time::Duration;

use super::client::builder;
use crate::api::Problems;
use crate::config::Config;

/// How long an answer may take: longer than idle clients can keep a place.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most bytes of an answer: thousands of problems.
const MOST: usize = 1024 * 1024;

/// Why no problems can be seen there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unseen {
    /// There is no such address.
    #[error("the service has no admin address to be asked at (`[admin] listen = \"off\"`)")]
    Off,
    /// There is nothing, or nothing that answers.
    #[error("nothing answers at http://{0}/")]
    Silent(String),
    /// There is something else.
    #[error("what answers at http://{0}/ is not posbell")]
    Stranger(String),
}

/// What the service at the configured admin address says is wrong.
pub(super) async fn problems(config: &Config) -> Result<Problems, Unseen> {
    let address = config.admin.as_ref().ok_or(Unseen::Off)?.listen.to_string();
    let asked = tokio::time::timeout(PATIENCE, ask(&address)).await;
    let body = asked.ok().and_then(Result::ok).ok_or_else(|| Unseen::Silent(address.clone()))?;
    serde_json::from_slice(&body).map_err(|_| Unseen::Stranger(address))
}

async fn ask(address: &str) -> reqwest::Result<Vec<u8>> {
    let client = builder().build()?;
    let mut answer = client.get(format!("http://{address}/api/v1/problems")).send().await?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            break;
        }
    }
    Ok(body)
}
