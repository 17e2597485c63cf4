//! The real reader of one list: configuration, client, wire, guard and store, without the loops around a pass.

use std::sync::Arc;

use chrono_tz::Tz;
use posbell::api::HeldPass;
use posbell::cli::held_in_words;
use posbell::config::Config;
use posbell::domain::event::{Event, EventKind};
use posbell::domain::model::Resource;
use posbell::edge::pospos::quota::SystemBootClock;
use posbell::edge::store::Store;
use posbell::service::clock::Clock;
use posbell::service::pass::{PassError, PassReport, pass};
use posbell::service::setup::{open_shop, ready};
use posbell::service::shared::Shared;
use posbell::service::shop::Shop;

/// What stands in the log of events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How many passes were said to be held.
    pub notices: usize,
    /// The kind and subject of every other event, ten at most.
    pub news: Vec<(EventKind, String)>,
}

/// A shop that reads one resource when it is told to.
pub struct Reader {
    pub resource: Resource,
    shop: Shop,
    /// The number of the next event.
    next: u64,
    _dir: tempfile::TempDir,
}

impl Reader {
    /// Opens a shop with an empty store that reads `resource` from there, with these lines of `[[shop]]`.
    pub async fn open(resource: Resource, base_url: &str, key: &str, lines: &str) -> Reader {
        let dir = tempfile::tempdir().expect("has a temporary directory");
        let off = Resource::ALL.into_iter().filter(|other| *other != resource);
        let off: String = off.map(|other| format!("{} = \"off\"\n", other.name())).collect();
        let config = format!(
            "[[shop]]\nid = \"main\"\napi_key = \"{key}\"\nbase_url = \"{base_url}\"\nquota = [\"1000000/1s\"]\n{lines}\n\
             [shop.poll]\n{} = \"2m\"\n{off}",
            resource.name()
        );
        let file = dir.path().join("posbell.toml");
        std::fs::write(&file, config).expect("writes");
        std::fs::create_dir(dir.path().join("rules")).expect("makes a directory");
        let rules = "[[threshold]]\nlow = 5\ncritical = 2\nrearm = 8\n";
        std::fs::write(dir.path().join("rules/rules.toml"), rules).expect("writes");
        let config = Config::load(&file, &|_| None).map_err(|problems| problems.len()).expect("is right");
        let clock = Clock::default();
        let store = Store::open_or_create(&dir.path().join("data"), clock.new_epoch()).expect("opens");
        let mut ready = ready(&config, &|_| None).map_err(|problems| problems.len()).expect("is ready");
        let mut shared = Shared::new(store, clock, &config, &[]);
        shared.retain = std::time::Duration::from_secs(90 * 86_400);
        let shop = open_shop(ready.shops.remove(0), &config, &Arc::new(shared), Arc::new(SystemBootClock)).await;
        Reader { resource, shop: shop.expect("opens"), next: 0, _dir: dir }
    }

    /// One pass.
    pub async fn read(&self) -> Result<PassReport, PassError> {
        Box::pin(pass(&self.shop, self.resource)).await
    }

    /// What `posbell held show` says, where a pass is held.
    pub async fn held(&self) -> Option<String> {
        let (shop, resource) = (&self.shop, self.resource);
        let held = shop.shared.store.held(shop.id(), resource).await.expect("reads")?;
        let pass = HeldPass { shop: shop.id().to_string(), resource: resource.name().to_owned(), held };
        Some(held_in_words(&pass, &shop.config.guard.of(resource), Tz::Asia__Bangkok))
    }

    /// What was told since this was last asked.
    pub async fn told(&mut self) -> Told {
        let mut told = Told::default();
        loop {
            let found = self.shop.shared.store.events_from(self.next, self.shop.id(), 1_000).await.expect("reads");
            let Some((last, _)) = found.last() else { return told };
            self.next = last + 1;
            for event in found.iter().map(|(_, json)| Event::from_json(json).expect("is an event")) {
                match event.kind {
                    EventKind::PassHeld => told.notices += 1,
                    kind => told.news.push((kind, event.subject.as_str().to_owned())),
                }
            }
            told.news.truncate(10);
        }
    }
}
