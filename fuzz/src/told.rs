//! Is what is told true, told once, and fit to be sent?

use std::collections::BTreeSet;
use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Timelike};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::diff::Change;
use crate::domain::event::{Epoch, Event, EventId, Scribe};
use crate::domain::message::{Language, Wording, render};
use crate::domain::model::{EntityId, ShopId, Timestamp};

/// Everything that was told in one history.
pub struct Told {
    ids: BTreeSet<EventId>,
    now: Timestamp,
}

impl Told {
    /// Nothing yet, on 25 November 2026.
    pub fn new() -> Self {
        let now = DateTime::from_timestamp(1_795_608_000, 0).expect("is a time");
        Self { ids: BTreeSet::new(), now }
    }

    /// Who writes down the events of the next pass, a minute after the one before.
    pub fn next_scribe(&mut self) -> Scribe {
        self.now += TimeDelta::minutes(1);
        let shop = ShopId::new("main").expect("is an id");
        Scribe::new(shop, "ร้านตัวอย่าง", Epoch::from_random([1; 16]), self.now)
    }

    /// Checks the changes of one pass, and returns whether any of them tells something.
    pub fn check<R>(&mut self, changes: &[Change<R>]) -> bool
    where
        R: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        let ids: BTreeSet<&EntityId> = changes.iter().map(|change| &change.id).collect();
        assert_eq!(ids.len(), changes.len(), "two changes of one entity could be torn apart by a crash");
        for change in changes {
            if let Some(row) = &change.row {
                let kept = serde_json::to_string(row).expect("a row is written");
                assert_eq!(serde_json::from_str::<R>(&kept).expect("a row is read back"), *row, "{kept}");
            }
            for event in &change.events {
                assert!(event.subject.as_str().ends_with(change.id.as_str()), "{event:?}");
                self.check_event(event);
            }
        }
        changes.iter().any(|change| !change.events.is_empty())
    }

    fn check_event(&mut self, event: &Event) {
        assert!(self.ids.insert(event.id.clone()), "{} was told twice under one id: {event:?}", event.kind);
        let json = event.to_json();
        assert_eq!(Event::from_json(&json).expect("an event is read back"), *event, "{json}");
        let value: Value = serde_json::from_str(&json).expect("is JSON");
        check_times(&value, &json);
        check_changed(&value["data"], &json);
        for language in [Language::Thai, Language::English] {
            let wording = Wording { language, timezone: chrono_tz::Asia::Bangkok };
            let text = render(std::slice::from_ref(event), Some("ร้านตัวอย่าง"), &wording);
            assert!(text.title.chars().count() <= 300 && text.body.chars().count() <= 3000, "{json}");
            assert!(!text.title.chars().any(char::is_control), "{json}");
        }
    }
}

/// Every time is one that other programs can read.
fn check_times(value: &Value, json: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let (true, Some(text)) = (name == "time" || name.ends_with("_at"), member.as_str()) {
                    let is_plain =
                        DateTime::parse_from_rfc3339(text).is_ok_and(|time| time.nanosecond() < 1_000_000_000);
                    assert!(is_plain, "`{text}` is no time of RFC 3339, or a leap second: {json}");
                }
                check_times(member, json);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| check_times(element, json)),
        _ => {}
    }
}

/// What is said to have changed has.
fn check_changed(data: &Value, json: &str) {
    let Some(previous) = data.get("previous") else { return };
    let things = ["sale", "product", "credit", "member", "vendor", "purchase"];
    let now = things.iter().find_map(|name| data.get(*name)).expect("something has changed");
    for name in data.get("changed").and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str().expect("is a name");
        let (Some(now), Some(before)) = (now.get(name), previous.get(name)) else {
            panic!("there is no field `{name}`: {json}")
        };
        assert_ne!(now, before, "`{name}` is as it was: {json}");
    }
}
