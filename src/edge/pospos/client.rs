//! What can be asked of a shop's account, and how the question is written.
//!
//! Each method reads one list to its end and either vouches for it or says why not. Nothing is remembered between two
//! readings, nothing is repeated but a list that moved, and nothing here knows what was read before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::call::Caller;
use super::error::ReadError;
use super::pages::{Gathered, Next};
use super::quota::{Governor, Urgency};
use super::wire::{CreditForm, FieldMap, Form, Malformed, Page};
use crate::domain::model::{Credit, CreditStatus, EntityId, Resource, Sale, StockRow, Whole};

/// What the client of one shop must know.
#[derive(Debug, Clone)]
pub struct PosposSettings {
    /// Where the API is, `https://go.pospos.co/developer/api`.
    pub base_url: Url,
    /// The shop's key.
    pub api_key: SecretString,
    /// Rows asked for at once; the vendor's example is 200.
    pub page_size: u32,
    /// For each call, from connecting to the last byte.
    pub timeout: Duration,
    /// The most bytes of one answer, unpacked.
    pub body_limit: usize,
    /// Where the fields of each resource stand.
    pub fields: Arc<FieldMap>,
    /// Query parameters to add, by the name of the resource (`transactions`, `members`, …).
    pub extra_query: BTreeMap<String, Vec<(String, String)>>,
}

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not an address that calls can be made to.
    #[error("base_url must be an http or https address without a query")]
    BaseUrl,
    /// The key has a line break or another character that no header can carry.
    #[error("api_key has characters that cannot be sent; copy it again, on one line")]
    Key,
    /// A page of nothing never ends.
    #[error("page_size must be at least 1")]
    PageSize,
    /// The encryption could not be set up.
    #[error("the HTTP client could not be set up")]
    Client(#[source] reqwest::Error),
}

/// Which credits are asked for, by their day of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// All of them.
    All,
    /// Those whose day has passed.
    OutOfPeriod,
    /// Those whose day has not passed.
    InOfPeriod,
}

impl Period {
    /// The API's word for it.
    fn word(self) -> &'static str {
        match self {
            Period::All => "ALL",
            Period::OutOfPeriod => "OUT_OF_PERIOD",
            Period::InOfPeriod => "IN_OF_PERIOD",
        }
    }
}

/// One shop's account.
pub struct Pospos {
    caller: Caller,
    base_url: Url,
    page_size: u32,
    fields: Arc<FieldMap>,
    extra_query: BTreeMap<String, Vec<(String, String)>>,
}

impl Pospos {
    /// Sets up the client; makes no call.
    pub fn new(settings: PosposSettings, governor: Governor) -> Result<Self, SettingsError> {
        let PosposSettings { base_url, api_key, page_size, timeout, body_limit, .. } = settings;
        if !matches!(base_url.scheme(), "http" | "https") || base_url.query().is_some() {
            return Err(SettingsError::BaseUrl);
        }
        if page_size == 0 {
            return Err(SettingsError::PageSize);
        }
        let mut key = HeaderValue::from_str(api_key.expose_secret().trim()).map_err(|_| SettingsError::Key)?;
        key.set_sensitive(true);
        let caller = Caller::new(key, timeout, body_limit, governor).map_err(SettingsError::Client)?;
        let PosposSettings { fields, extra_query, .. } = settings;
        Ok(Self { caller, base_url, page_size, fields, extra_query })
    }

    /// Who lets this shop's calls go, for the status.
    pub fn governor(&self) -> &Governor {
        self.caller.governor()
    }

    /// Lets calls be made again after the key was refused.
    pub fn allow_again(&self) {
        self.caller.allow_again();
    }

    /// The sales of the days `from` to `to` in Bangkok, both included.
    pub async fn sales(&self, from: NaiveDate, to: NaiveDate) -> Result<Whole<Sale>, ReadError> {
        let query = [("start", from.to_string()), ("end", to.to_string())];
        self.whole(Resource::Transactions, self.url(Resource::Transactions, &query), &self.fields.transactions).await
    }

    /// All products.
    pub async fn stock(&self) -> Result<Whole<StockRow>, ReadError> {
        self.whole(Resource::Stock, self.url(Resource::Stock, &[]), &self.fields.stock).await
    }

    /// The credits of that period and status; `today` is the day in Bangkok.
    pub async fn credit(
        &self,
        period: Period,
        status: CreditStatus,
        today: NaiveDate,
    ) -> Result<Whole<Credit>, ReadError> {
        let (url, form) = self.credit_list(period, status, today);
        self.whole(Resource::Credit, url, &form).await
    }

    /// Looks for `wanted` among the paid credits, and reads no further than it must.
    ///
    /// What is not in the answer is in no page of the list, or is there and unreadable. A list that moved while a wanted
    /// credit was missing from it is an error, because nothing follows from that.
    pub async fn credit_find(
        &self,
        wanted: &BTreeSet<EntityId>,
        today: NaiveDate,
    ) -> Result<BTreeMap<EntityId, Credit>, ReadError> {
        if wanted.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (url, form) = self.credit_list(Period::All, CreditStatus::Paid, today);
        let found = self.settled(Resource::Credit, url, &form, Some(wanted)).await?;
        let found = found.into_rows().into_iter().filter(|credit| wanted.contains(&credit.id));
        Ok(found.map(|credit| (credit.id.clone(), credit)).collect())
    }

    fn credit_list(&self, period: Period, status: CreditStatus, today: NaiveDate) -> (Url, CreditForm<'_>) {
        let word = match status {
            CreditStatus::Pending => "pending",
            CreditStatus::Paid => "paid",
        };
        let query = [("period", period.word().to_owned()), ("status", word.to_owned())];
        let overdue = period == Period::OutOfPeriod && status == CreditStatus::Pending;
        let form = CreditForm { fields: &self.fields.credit, status, overdue, today };
        (self.url(Resource::Credit, &query), form)
    }

    /// The address of a list, but for the page.
    fn url(&self, resource: Resource, query: &[(&str, String)]) -> Url {
        let path: &[&str] = match resource {
            Resource::Transactions => &["transactions"],
            // `/stock` gives everything at once, which a large shop's answer is too large for.
            Resource::Stock => &["stock", "pagination"],
            Resource::Credit => &["credit"],
            Resource::Members => &["member"],
            Resource::Vendors => &["vendor"],
            Resource::BuyDocuments => &["buy-document"],
        };
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("http addresses have a path").pop_if_empty().extend(path);
        let extra = self.extra_query.get(resource.name()).into_iter().flatten();
        url.query_pairs_mut().append_pair("limit", &self.page_size.to_string()).extend_pairs(query).extend_pairs(extra);
        url
    }

    async fn whole<F: Form>(&self, resource: Resource, url: Url, form: &F) -> Result<Whole<F::Item>, ReadError> {
        self.settled(resource, url, form, None).await.map(Gathered::into_whole)
    }

    /// Reads a list until it did not move, or moved twice in a way that lost nothing; or until all of `wanted` came.
    async fn settled<F: Form>(
        &self,
        resource: Resource,
        url: Url,
        form: &F,
        wanted: Option<&BTreeSet<EntityId>>,
    ) -> Result<Gathered<F::Item>, ReadError> {
        let enough = |list: &Gathered<_>| list.is_still() || wanted.is_some_and(|wanted| list.has_all(wanted));
        let first = self.gather(resource, &url, form, wanted).await?;
        if enough(&first) {
            return Ok(first);
        }
        drop(first);
        let second = self.gather(resource, &url, form, wanted).await?;
        if enough(&second) || second.only_grew() {
            return Ok(second);
        }
        let total = second.total().filter(|&total| second.read() < total);
        Err(ReadError::Incomplete { resource, read: second.read(), total })
    }

    /// Reads the pages of a list once, to its end or until all of `wanted` came.
    async fn gather<F: Form>(
        &self,
        resource: Resource,
        url: &Url,
        form: &F,
        wanted: Option<&BTreeSet<EntityId>>,
    ) -> Result<Gathered<F::Item>, ReadError> {
        let mut gathered = Gathered::new(self.page_size);
        for page in 1.. {
            let mut url = url.clone();
            url.query_pairs_mut().append_pair("page", &page.to_string());
            let body = self.caller.get(url, Urgency::Sweep).await?;
            let malformed = move |problem| ReadError::Malformed { resource, page, problem };
            let is_first = page == 1;
            let page = Page::read(&body, form).map_err(malformed)?;
            if page.is_other && is_first {
                return Err(malformed(Malformed::WrongShape));
            }
            let next = gathered.take(page);
            if next == Next::Done || wanted.is_some_and(|wanted| gathered.has_all(wanted)) {
                break;
            }
        }
        Ok(gathered)
    }
}
