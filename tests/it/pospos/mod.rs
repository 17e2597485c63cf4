//! The client of the API against servers that answer as the real one does, or worse.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails, in its helpers too")]

mod failures;
mod large;
mod overlap;
mod paging;
mod probe;
mod reading;
mod requests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use mockito::{Matcher, Mock, ServerGuard};
use posbell::domain::model::KeyHash;
use posbell::edge::pospos::quota::{BootClock, Governor, SystemBootClock};
use posbell::edge::pospos::{FieldMap, Pospos, PosposSettings, WallClock};
use tempfile::TempDir;

/// A key as it could be; no test may find it anywhere but in the header.
pub const KEY: &str = "eyJhbGciOiJIUzI1NiJ9.made-up";

/// A shop whose ledger lives as long as this does.
pub struct Shop {
    pub pospos: Pospos,
    _dir: TempDir,
}

/// Settings that a real shop could have, against `base_url`.
pub fn settings(base_url: &str) -> PosposSettings {
    PosposSettings {
        base_url: base_url.parse().unwrap(),
        api_key: KEY.into(),
        page_size: 2,
        timeout: Duration::from_secs(10),
        body_limit: 64 * 1024,
        fields: std::sync::Arc::new(FieldMap::default()),
        clock: WallClock::new(|_| None),
        extra_query: BTreeMap::new(),
    }
}

/// A shop with these settings and a quota that is never in the way.
pub fn shop_with(settings: PosposSettings, quota: &str) -> Shop {
    shop_by(settings, quota, Arc::new(SystemBootClock))
}

/// The same by this clock.
pub fn shop_by(settings: PosposSettings, quota: &str, clock: Arc<dyn BootClock>) -> Shop {
    // Whoever is first installs it; the others find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let pospos = Pospos::new(settings, governor_by(dir.path(), quota, clock)).unwrap();
    Shop { pospos, _dir: dir }
}

/// A governor with one limit, on the machine's own clock.
pub fn governor(dir: &Path, quota: &str) -> Governor {
    governor_by(dir, quota, Arc::new(SystemBootClock))
}

fn governor_by(dir: &Path, quota: &str, clock: Arc<dyn BootClock>) -> Governor {
    // Of this directory alone: tests run side by side, and a key is claimed for the whole machine.
    let key = KeyHash::of(&dir.display().to_string());
    Governor::open(dir, &key, vec![quota.parse().unwrap()], clock).unwrap()
}

/// A shop against a server at `base_url`.
pub fn shop(base_url: &str) -> Shop {
    shop_with(settings(base_url), "1000/1ms")
}

/// A day.
pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A page of a list at `path` that is answered with `body`, exactly `times` times.
pub async fn page(server: &mut ServerGuard, path: &str, page: u32, body: &str, times: usize) -> Mock {
    let query = Matcher::UrlEncoded("page".to_owned(), page.to_string());
    server.mock("GET", path).match_query(query).with_body(body).expect(times).create_async().await
}

/// A page of products with these ids and whatever follows the list.
pub fn products(ids: &str, rest: &str) -> String {
    let rows: Vec<_> = ids.chars().map(|id| format!(r#"{{"_id":"{id}","code":"PK{id}"}}"#)).collect();
    format!(r#"{{"success":1,"data":[{}]{rest}}}"#, rows.join(","))
}
