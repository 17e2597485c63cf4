//! `[[shop]]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::secret::{self, SecretRef};
use super::{guard, value};
use crate::domain::diff::guard::GuardLimits;
use crate::domain::document::{Placed, Table, choice, parse_placed};
use crate::domain::mistake::Mistake;
use crate::domain::model::{Resource, ShopId};
use crate::domain::rhythm::hours::OpenHours;
use crate::domain::rhythm::stock_way::StockList;
use crate::edge::pospos::quota::QuotaLimit;
use crate::edge::pospos::{FieldMap, is_pointer};

/// The vendor's own address; from pospos's documentation.
const BASE_URL: &str = "https://go.pospos.co/developer/api";
/// What the vendor's page allows today.
const QUOTA: &str = "300/10s";
/// How long a resource may go unread unless told otherwise; from the contract.
const STALE_AFTER: Duration = Duration::from_secs(15 * 60);

/// One shop: one POSPOS account.
#[derive(Debug, Clone)]
pub struct ShopConfig {
    /// Part of keys, ids and file names.
    pub id: ShopId,
    /// What people call it.
    pub name: String,
    /// The key of the API.
    pub api_key: SecretRef,
    /// Where the API is.
    pub base_url: Url,
    /// How many calls may be made; all hold at once.
    pub quota: Vec<QuotaLimit>,
    /// How many rows a page is asked to have.
    pub page_size: u32,
    /// How long one call may take.
    pub timeout: Duration,
    /// How far back sales are read again for cancels and late arrivals.
    pub trailing_window: Duration,
    /// How often each resource is read; one that is off is absent.
    pub poll: BTreeMap<Resource, Duration>,
    /// How old the reading of the whole trailing window may become, where the file says so.
    pub trailing: Option<Duration>,
    /// When the shop is open, where the file says so.
    pub open: Option<OpenHours>,
    /// How long a resource may go unread before that is told; never less than three of its intervals.
    pub stale_after: Duration,
    /// Whether the stock list is read in one answer or by pages.
    pub stock_list: StockList,
    /// Which whole readings are held back.
    pub guard: GuardLimits,
    /// Where the fields of each resource are.
    pub fields: Arc<FieldMap>,
    /// Extra query parameters, by resource.
    pub query: BTreeMap<String, Vec<(String, String)>>,
}

/// Reads one table: its id as it is written and meant, and, where nothing in it is wrong, the shop.
pub(super) fn read(
    mut table: Table<'_>,
    dir: &Path,
    mistakes: &mut Vec<Mistake>,
) -> (Option<(Placed<String>, ShopId)>, Option<ShopConfig>) {
    let span = table.span.clone();
    let written_id = table.require::<String>("id", mistakes);
    let id = written_id.as_ref().and_then(|placed| match ShopId::new(placed.value.as_str()) {
        Ok(id) => Some(id),
        Err(error) => {
            mistakes.push(placed.mistake(format!("`id` {error}")));
            None
        }
    });
    let name = table.take::<String>("name", mistakes);
    let before = mistakes.len();
    let api_key = secret::take(&mut table, "api_key", dir, mistakes);
    if api_key.is_none() && mistakes.len() == before {
        let mistake = Mistake::new(span, "the shop has no key").help("add `api_key_file`, `api_key_env` or `api_key`");
        mistakes.push(mistake);
    }
    let base_url = value::http_url(&mut table, "base_url", mistakes).map(|placed| placed.value);
    let quota = quota(&mut table, mistakes);
    let page_size = page_size(&mut table, mistakes);
    let timeout = value::duration(&mut table, "timeout", mistakes).unwrap_or(Duration::from_secs(30));
    let trailing_window =
        value::duration(&mut table, "trailing_window", mistakes).unwrap_or(Duration::from_secs(3 * 24 * 3600));
    let (poll, trailing) = poll(&mut table, mistakes);
    let open = table.take::<String>("open", mistakes).and_then(|placed| parse_placed(&placed, mistakes));
    let stale_after = value::duration(&mut table, "stale_after", mistakes).unwrap_or(STALE_AFTER);
    let stock_list = stock_list(&mut table, mistakes);
    let guard = guard::take(&mut table, mistakes);
    let fields = fields(&mut table, mistakes);
    let query = query(&mut table, mistakes);
    table.finish(&[], mistakes);
    let Some((written_id, id)) = written_id.zip(id) else { return (None, None) };
    let base_url = base_url.or_else(|| Url::parse(BASE_URL).ok());
    let Some((api_key, base_url)) = api_key.zip(base_url) else { return (Some((written_id, id)), None) };
    let shop = ShopConfig {
        name: name.map_or_else(|| id.to_string(), |name| name.value),
        id: id.clone(),
        api_key,
        base_url,
        quota,
        page_size,
        timeout,
        trailing_window,
        poll,
        trailing,
        open,
        stale_after,
        stock_list,
        guard,
        fields: Arc::new(fields),
        query,
    };
    (Some((written_id, id)), Some(shop))
}

fn quota(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Vec<QuotaLimit> {
    let standard = || Placed { value: vec![toml::Spanned::new(0..0, QUOTA.to_owned())], span: 0..0 };
    let written = table.take::<Vec<toml::Spanned<String>>>("quota", mistakes).unwrap_or_else(standard);
    if written.value.is_empty() {
        mistakes.push(written.mistake("`quota` is empty").help("write what your licence allows: `[\"300/10s\"]`"));
    }
    let place = |spot: toml::Spanned<String>| Placed { span: spot.span(), value: spot.into_inner() };
    written.value.into_iter().map(place).filter_map(|placed| parse_placed(&placed, mistakes)).collect()
}

fn page_size(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> u32 {
    const STANDARD: u32 = 200;
    let Some(placed) = table.take::<u32>("page_size", mistakes) else { return STANDARD };
    if !(1..=1000).contains(&placed.value) {
        mistakes.push(placed.mistake("`page_size` must be from 1 to 1000"));
    }
    placed.value
}

fn stock_list(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> StockList {
    let words = [("auto", StockList::Auto), ("whole", StockList::Whole), ("pages", StockList::Pages)];
    let written = table.take::<String>("stock_list", mistakes);
    written.and_then(|placed| choice("stock_list", &placed, &words, mistakes)).unwrap_or(StockList::Auto)
}

/// `[shop.poll]`: the interval of each resource, and that of the trailing window of sales.
fn poll(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> (BTreeMap<Resource, Duration>, Option<Duration>) {
    let standard = |resource| match resource {
        Resource::Transactions => Duration::from_secs(15),
        Resource::Stock => Duration::from_secs(2 * 60),
        Resource::Credit => Duration::from_secs(10 * 60),
        Resource::Members | Resource::BuyDocuments => Duration::from_secs(60 * 60),
        Resource::Vendors => Duration::from_secs(6 * 60 * 60),
    };
    let mut poll: BTreeMap<Resource, Duration> =
        Resource::ALL.into_iter().map(|resource| (resource, standard(resource))).collect();
    let Some(mut written) = table.table("poll", mistakes) else { return (poll, None) };
    for resource in Resource::ALL {
        let Some(placed) = value::text(&mut written, resource.name(), mistakes) else { continue };
        if placed.value == "off" {
            poll.remove(&resource);
        } else if let Some(interval) = value::parse_duration(&placed, resource.name(), mistakes) {
            poll.insert(resource, interval);
        }
    }
    let trailing = value::duration(&mut written, "trailing", mistakes);
    written.finish(&[], mistakes);
    (poll, trailing)
}

fn fields(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> FieldMap {
    let mut fields = FieldMap::default();
    let Some(mut written) = table.table("fields", mistakes) else { return fields };
    for resource in Resource::ALL {
        if let Some(table) = written.table(resource.name(), mistakes) {
            set_pointers(table, |name, pointer| fields.set(resource, name, pointer), mistakes);
        }
    }
    written.finish(&[], mistakes);
    fields
}

fn set_pointers(table: Table<'_>, mut set: impl FnMut(&str, String) -> bool, mistakes: &mut Vec<Mistake>) {
    for (name, pointer) in table.rest::<String>(mistakes) {
        if !is_pointer(&pointer.value) {
            let mistake = pointer.mistake(format!("`{}` is no JSON Pointer", pointer.value));
            mistakes.push(mistake.help("a JSON Pointer begins with `/`, as in `/stock`"));
        } else if !set(&name.value, pointer.value) {
            mistakes.push(name.mistake(format!("there is no field `{}` here", name.value)));
        }
    }
}

fn query(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> BTreeMap<String, Vec<(String, String)>> {
    let mut query = BTreeMap::new();
    let Some(mut written) = table.table("query", mistakes) else { return query };
    for resource in Resource::ALL {
        // The name of the resource, or the word in the API's own address.
        let names = [resource.name(), address_word(resource)];
        for name in &names[..if names[0] == names[1] { 1 } else { 2 }] {
            if let Some(table) = written.table(name, mistakes) {
                let pairs = table.rest::<String>(mistakes).into_iter().map(|(name, text)| (name.value, text.value));
                query.entry(resource.name().to_owned()).or_insert_with(Vec::new).extend(pairs);
            }
        }
    }
    written.finish(&[], mistakes);
    query
}

fn address_word(resource: Resource) -> &'static str {
    match resource {
        Resource::Members => "member",
        Resource::Vendors => "vendor",
        Resource::BuyDocuments => "buy_document",
        Resource::Transactions | Resource::Stock | Resource::Credit => resource.name(),
    }
}
