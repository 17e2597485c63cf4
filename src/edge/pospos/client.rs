//! One shop's account: its settings, and how a question to it is written.
//!
//! What can be asked stands in `calls` and `question`. Nothing is remembered between two readings, nothing is repeated
//! but windows of a list that moved, and nothing here knows what was read before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::call::Caller;
use super::notes::ListNotes;
use super::pull::{AnswerForm, Question};
use super::quota::{Governor, Monotonic, Urgency};
use super::walk::CONCURRENT;
use super::wall_clock::WallClock;
use super::wire::FieldMap;
use crate::domain::model::Resource;

/// What the client of one shop must know.
#[derive(Debug, Clone)]
pub struct PosposSettings {
    /// Where the API is, `https://go.pospos.co/developer/api`.
    pub base_url: Url,
    /// The shop's key.
    pub api_key: SecretString,
    /// Rows asked for at once; the vendor's example is 200.
    pub page_size: u32,
    /// How long each call waits for the head of the answer, and then again for all of its body.
    pub timeout: Duration,
    /// The most bytes of one answer, unpacked.
    pub body_limit: usize,
    /// Where the fields of each resource stand.
    pub fields: Arc<FieldMap>,
    /// Holds the time of each answer against this machine's clock.
    pub clock: WallClock,
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

/// One shop's account.
pub struct Pospos {
    caller: Caller,
    base_url: Url,
    page_size: u32,
    pub(super) fields: Arc<FieldMap>,
    extra_query: BTreeMap<String, Vec<(String, String)>>,
}

impl Pospos {
    /// Sets up the client; makes no call.
    pub fn new(settings: PosposSettings, governor: Governor) -> Result<Self, SettingsError> {
        let PosposSettings { base_url, api_key, page_size, timeout, body_limit, clock, .. } = settings;
        if !matches!(base_url.scheme(), "http" | "https") || base_url.query().is_some() {
            return Err(SettingsError::BaseUrl);
        }
        if page_size == 0 {
            return Err(SettingsError::PageSize);
        }
        let mut key = HeaderValue::from_str(api_key.expose_secret().trim()).map_err(|_| SettingsError::Key)?;
        key.set_sensitive(true);
        let caller = Caller::new(key, timeout, body_limit, clock, governor).map_err(SettingsError::Client)?;
        let PosposSettings { fields, extra_query, .. } = settings;
        Ok(Self { caller, base_url, page_size, fields, extra_query })
    }

    /// Who lets this shop's calls go, for the status.
    pub fn governor(&self) -> &Governor {
        self.caller.governor()
    }

    /// The boot's clock, by which readings are stamped.
    pub fn now(&self) -> Monotonic {
        self.governor().now()
    }

    /// For how long no call is made because something in between has answered.
    pub fn blocked_for(&self) -> Option<std::time::Duration> {
        self.caller.blocked_for()
    }

    /// Returns when calls may be made again after something in between has answered them; at once where nothing has.
    pub async fn unblocked(&self) {
        self.caller.unblocked().await;
    }

    /// What there is to say of a list besides its rows.
    pub fn notes(&self, resource: Resource) -> ListNotes {
        self.caller.notes().of(resource)
    }

    /// Lets calls be made again, at once, after the key was refused or something in between has answered.
    pub fn allow_again(&self) {
        self.caller.allow_again();
    }

    /// Rows asked for at once.
    pub(super) fn page_size(&self) -> u32 {
        self.page_size
    }

    /// What is asked of a list in pages, `width` of them at once.
    pub(super) fn pages(&self, path: &[&str], asked: Asked<'_>, width: usize) -> Question<'_> {
        self.question(path, asked, AnswerForm::Pages(self.page_size, width))
    }

    /// The same with as many at once as is good for a list that is read to its end.
    pub(super) fn all_pages(&self, path: &[&str], asked: Asked<'_>) -> Question<'_> {
        self.pages(path, asked, CONCURRENT)
    }

    /// A question. Parts of the path and the query are written so that nothing in them can become another address.
    pub(super) fn question(&self, path: &[&str], asked: Asked<'_>, form: AnswerForm) -> Question<'_> {
        let Asked { resource, urgency, query } = asked;
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("http addresses have a path").pop_if_empty().extend(path);
        let extra = self.extra_query.get(resource.name()).into_iter().flatten();
        let given = query.iter().filter(|(_, value)| !value.is_empty());
        if given.clone().next().is_some() || extra.clone().next().is_some() {
            url.query_pairs_mut().extend_pairs(given).extend_pairs(extra);
        }
        Question { caller: &self.caller, resource, url, urgency, id_pointer: self.fields.id_pointer(resource), form }
    }
}

/// What is asked for, but for where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'q> {
    pub resource: Resource,
    pub urgency: Urgency,
    /// Parameters of the call; an empty one is left out.
    pub query: &'q [(&'q str, &'q str)],
}
