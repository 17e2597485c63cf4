//! Stub until the room is merged.
#![allow(missing_docs, clippy::all, unused)]
pub mod quota;
use crate::domain::model::*;
use std::collections::*;
use std::time::Duration;
#[derive(Debug, Clone, Default)]
pub struct StockFields {}
impl StockFields {
    pub fn set(&mut self, _n: &str, _p: String) -> bool {
        true
    }
}
#[derive(Debug, Clone, Default)]
pub struct CreditFields {}
impl CreditFields {
    pub fn set(&mut self, _n: &str, _p: String) -> bool {
        true
    }
}
pub struct PosposSettings {
    pub base_url: url::Url,
    pub api_key: secrecy::SecretString,
    pub page_size: u32,
    pub timeout: Duration,
    pub body_limit: usize,
    pub stock_fields: StockFields,
    pub credit_fields: CreditFields,
    pub query: BTreeMap<String, Vec<(String, String)>>,
}
pub struct Pospos;
#[derive(Debug, Clone, Copy)]
pub enum Period {
    All,
    OutOfPeriod,
    InOfPeriod,
}
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("x")]
    KeyRefused { status: u16 },
    #[error("y")]
    Other,
}
impl Pospos {
    pub fn new(_s: PosposSettings, _g: quota::Governor) -> Result<Pospos, ReadError> {
        Ok(Pospos)
    }
    pub async fn sales(&self, _from: chrono::NaiveDate, _to: chrono::NaiveDate) -> Result<Whole<Sale>, ReadError> {
        Err(ReadError::Other)
    }
    pub async fn stock(&self) -> Result<Whole<StockRow>, ReadError> {
        Err(ReadError::Other)
    }
    pub async fn credit(
        &self,
        _p: Period,
        _s: CreditStatus,
        _t: chrono::NaiveDate,
    ) -> Result<Whole<Credit>, ReadError> {
        Err(ReadError::Other)
    }
    pub fn allow_again(&self) {}
    pub fn quota_left(&self) -> Vec<(quota::QuotaLimit, u32)> {
        vec![]
    }
    pub async fn credit_find(
        &self,
        _w: &BTreeSet<EntityId>,
        _t: chrono::NaiveDate,
    ) -> Result<BTreeMap<EntityId, Credit>, ReadError> {
        Err(ReadError::Other)
    }
}
