//! Stub.
#![allow(missing_docs, clippy::all, unused)]
use std::sync::Arc;
use std::time::Duration;
#[derive(Debug, Clone)]
pub struct QuotaLimit {
    pub calls: u32,
    pub window: Duration,
}
impl std::str::FromStr for QuotaLimit {
    type Err = String;
    fn from_str(_s: &str) -> Result<Self, String> {
        Err("x".into())
    }
}
pub struct Governor;
#[derive(Debug, thiserror::Error)]
#[error("q")]
pub struct QuotaError;
pub trait BootClock: Send + Sync {
    fn boot_id(&self) -> String;
    fn now(&self) -> Duration;
}
pub struct SystemBootClock;
impl SystemBootClock {
    pub fn new() -> Self {
        Self
    }
}
impl BootClock for SystemBootClock {
    fn boot_id(&self) -> String {
        String::new()
    }
    fn now(&self) -> Duration {
        Duration::ZERO
    }
}
impl Governor {
    pub fn open(
        _d: &std::path::Path,
        _s: &crate::domain::model::ShopId,
        _l: Vec<QuotaLimit>,
        _c: Arc<dyn BootClock>,
    ) -> Result<Governor, QuotaError> {
        Ok(Governor)
    }
    pub fn left(&self) -> Vec<(QuotaLimit, u32)> {
        vec![]
    }
}
impl std::fmt::Display for QuotaLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("")
    }
}
