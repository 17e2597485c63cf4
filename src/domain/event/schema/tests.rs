//! Does the schema say what events are, all of it, and nothing else?

use std::collections::{BTreeMap, BTreeSet};

use boon::{Compiler, SchemaIndex, Schemas};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::SCHEMA;
use crate::domain::diff::Fields;
use crate::domain::event::{Event, EventKind};
use crate::domain::model::{Credit, Member, Product, Purchase, Sale, Vendor};

/// The events that receivers know, one of each kind.
const GOLDEN: &str = include_str!("../../../../tests/it/fixtures/events.jsonl");

fn golden() -> Vec<Value> {
    GOLDEN.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn golden_of(kind: EventKind) -> Value {
    golden().into_iter().find(|event| event["type"] == kind.name()).unwrap()
}

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// The schema, ready to judge.
struct Judge {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Judge {
    fn new() -> Judge {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        compiler.add_resource("event.json", schema()).unwrap();
        let mut schemas = Schemas::new();
        let schema = compiler.compile("event.json", &mut schemas).unwrap_or_else(|error| panic!("{error:#}"));
        Judge { schemas, schema }
    }

    /// What is wrong with it, if anything is.
    fn judge(&self, event: &Value) -> Result<(), String> {
        self.schemas.validate(event, self.schema).map_err(|error| format!("{error:#}"))
    }
}

#[test]
fn every_event_that_receivers_know_is_one_by_the_schema() {
    let judge = Judge::new();
    for event in golden() {
        judge.judge(&event).unwrap_or_else(|error| panic!("{error}\n{event}"));
    }
    let kinds: Vec<Value> = EventKind::ALL.iter().map(|kind| json!(kind.name())).collect();
    let known: Vec<Value> = schema()["oneOf"].as_array().unwrap().iter().map(|kind| kind["title"].clone()).collect();
    assert_eq!(known, kinds);
}

#[test]
fn what_is_no_event_is_refused() {
    let judge = Judge::new();
    let refused = |kind: EventKind, change: &dyn Fn(&mut Value)| {
        let mut event = golden_of(kind);
        assert_eq!(judge.judge(&event), Ok(()));
        change(&mut event);
        assert!(judge.judge(&event).is_err(), "{event}");
    };
    let without = |kind, object: &str, name: &str| {
        refused(kind, &|event| drop(event.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(name).unwrap()));
    };
    let with = |kind, pointer: &str, value: Value| {
        refused(kind, &|event| *event.pointer_mut(pointer).unwrap() = value.clone());
    };
    for member in ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"] {
        without(EventKind::SaleCreated, "", member);
    }
    without(EventKind::SaleCreated, "/data", "sale");
    without(EventKind::SaleCreated, "/data/sale", "total");
    without(EventKind::SaleCreated, "/data/sale/lines/0", "quantity");
    without(EventKind::SaleUpdated, "/data", "previous");
    without(EventKind::StockLow, "/data", "threshold");
    without(EventKind::StockChanged, "/data", "changed");
    without(EventKind::PassHeld, "/data/details", "vanished");
    with(EventKind::SaleCreated, "/type", json!("sale.creatd"));
    with(EventKind::ShopStale, "/data/details/cause", json!("bad luck"));
    with(EventKind::SaleCreated, "/type", json!("stock.low"));
    with(EventKind::SaleCreated, "/id", json!("evt_1"));
    with(EventKind::SaleCreated, "/specversion", json!("0.3"));
    with(EventKind::SaleCreated, "/source", json!("/shops/two words"));
    with(EventKind::SaleCreated, "/subject", json!("product/p"));
    with(EventKind::SaleCreated, "/time", json!("yesterday"));
    with(EventKind::SaleCreated, "/data/sale/total", json!("5000"));
    with(EventKind::SaleCreated, "/data/sale/lines", Value::Null);
    with(EventKind::SaleCreated, "/data/sale/payments/0/kind", json!("barter"));
    with(EventKind::StockLow, "/data/threshold/level", json!("lowish"));
    with(EventKind::StockChanged, "/data/changed", json!(["colour"]));
    with(EventKind::StockChanged, "/data/changed", json!([]));
    with(EventKind::ShopBaseline, "/data/details/products", json!(-1));
    assert!(judge.judge(&json!([golden_of(EventKind::SaleCreated)])).is_err(), "a digest is several events");
}

/// Counts of a held pass that are left out where they are zero.
const LEFT_OUT: [&str; 5] = ["emptied", "rewritten", "cancelled", "doubled", "implausible"];

/// A held pass with all of them.
fn full_held() -> Value {
    let mut held = golden_of(EventKind::PassHeld);
    LEFT_OUT.iter().for_each(|name| held["data"]["details"][name] = json!(7));
    held
}

/// A bill of which lines were left out.
fn cut_sale() -> Value {
    let mut sale = golden_of(EventKind::SaleCreated);
    sale["data"]["sale"]["lines_left_out"] = json!(9_001);
    sale
}

#[test]
fn a_count_that_is_left_out_where_it_is_zero_is_told_where_it_is_not() {
    for full in [full_held(), cut_sale()] {
        assert_eq!(Judge::new().judge(&full), Ok(()));
        let written = Event::from_json(&full.to_string()).unwrap().to_json();
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), full);
    }
}

#[test]
fn the_schema_has_each_field_that_an_event_has_and_no_other() {
    let schema = schema();
    let mut told = BTreeSet::new();
    for event in golden().into_iter().chain([full_held(), cut_sale()]) {
        let place = schema["oneOf"].as_array().unwrap().iter().position(|kind| kind["title"] == event["type"]).unwrap();
        follow(&schema, "", &event, &mut told);
        follow(&schema, &format!("/oneOf/{place}/properties/data"), &event["data"], &mut told);
    }
    let mut promised = BTreeSet::new();
    let kinds = 0..schema["oneOf"].as_array().unwrap().len();
    let things = schema["$defs"].as_object().unwrap().keys().map(|name| format!("/$defs/{name}"));
    let objects = kinds.map(|place| format!("/oneOf/{place}/properties/data")).chain(things).chain([String::new()]);
    for object in objects {
        let names = schema.pointer(&object).unwrap()["properties"].as_object().unwrap().keys();
        promised.extend(names.map(|name| format!("{object}/properties/{name}")));
    }
    assert_eq!(promised.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new(), "promised and never told");
}

/// Goes through a value beside the part of the schema at `at`, and notes each field that it meets.
#[track_caller]
fn follow(schema: &Value, at: &str, value: &Value, told: &mut BTreeSet<String>) {
    let part = schema.pointer(at).unwrap();
    if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
        return follow(schema, reference.trim_start_matches('#'), value, told);
    }
    match value {
        Value::Object(_) if part.get("anyOf").is_some() => follow(schema, &format!("{at}/anyOf/0"), value, told),
        // What stands in `data` depends on the kind, and is looked at by itself.
        Value::Object(members) if at != "/properties/data" => {
            for (name, member) in members {
                let field = format!("{at}/properties/{name}");
                assert!(schema.pointer(&field).is_some(), "`{name}` is told and not in the schema at {at}");
                follow(schema, &field, member, told);
                told.insert(field);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|one| follow(schema, &format!("{at}/items"), one, told)),
        _ => {}
    }
}

#[test]
fn every_field_of_a_thing_is_always_there() {
    for (name, thing) in schema()["$defs"].as_object().unwrap() {
        let fields = thing["properties"].as_object().unwrap().keys().map(String::as_str);
        let is_optional = |field: &&str| match name.as_str() {
            "held_pass" => LEFT_OUT.contains(field),
            "sale" => *field == "lines_left_out",
            _ => false,
        };
        let fields: Vec<&str> = fields.filter(|field| !is_optional(field)).collect();
        let mut required: Vec<&str> = thing["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        required.sort_unstable();
        assert_eq!(required, fields, "{name}");
    }
}

/// Each value of each thing is replaced by others: the schema takes just those that the program can read there.
#[test]
fn the_schema_and_the_program_agree_on_what_may_stand_in_a_field() {
    let judge = Judge::new();
    let values = [
        Value::Null,
        json!(true),
        json!(7),
        json!(7.5),
        json!(-1),
        json!("word"),
        json!("2026-11-23T03:00:00Z"),
        json!([]),
        json!(["word"]),
        json!([7]),
    ];
    // The same thing in another kind of event has the same part of the schema.
    let mut known = BTreeSet::from(["changed".to_owned(), "previous".to_owned()]);
    for event in golden() {
        let mut places = Vec::new();
        for (name, thing) in event["data"].as_object().unwrap() {
            if known.insert(name.clone()) || name == "details" {
                inside(thing, &format!("/data/{name}"), &mut places);
            }
        }
        for (place, value) in places.iter().flat_map(|place| values.iter().map(move |value| (place, value))) {
            let mut other = event.clone();
            *other.pointer_mut(place).unwrap() = value.clone();
            let (by_schema, by_program) = (judge.judge(&other), Event::from_json(&other.to_string()));
            assert_eq!(
                by_schema.is_ok(),
                by_program.is_ok(),
                "{} {place} = {value}: {by_schema:?} {by_program:?}",
                event["type"]
            );
        }
    }
    assert_eq!(known.len(), 2 + 6 + 3, "six things, the threshold, the shop and the details");
}

/// The JSON Pointers of all that stands in a value.
fn inside(value: &Value, at: &str, places: &mut Vec<String>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(i, one)| (i.to_string(), one)).collect(),
        _ => Vec::new(),
    };
    for (name, member) in members {
        let place = format!("{at}/{name}");
        inside(member, &place, places);
        places.push(place);
    }
}

#[test]
fn what_may_have_changed_is_what_is_compared() {
    let schema = schema();
    let mut by_schema: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for data in schema["oneOf"].as_array().unwrap().iter().map(|kind| &kind["properties"]["data"]) {
        let Some(changed) = data["properties"].get("changed") else { continue };
        let names = changed["items"]["enum"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
        let names: BTreeSet<String> = names.collect();
        let thing = data["required"][0].as_str().unwrap().to_owned();
        assert_eq!(
            by_schema.entry(thing).or_insert_with(|| names.clone()),
            &names,
            "the same for all kinds of a thing"
        );
    }
    let mut product = compared::<Product>(EventKind::ProductCreated, "product");
    // Told by `stock.changed`, and when a removed product is there again.
    product.insert("quantity".to_owned());
    let by_program = [
        ("sale", compared::<Sale>(EventKind::SaleCreated, "sale")),
        ("product", product),
        ("credit", compared::<Credit>(EventKind::CreditCreated, "credit")),
        ("member", compared::<Member>(EventKind::MemberCreated, "member")),
        ("vendor", compared::<Vendor>(EventKind::VendorCreated, "vendor")),
        ("purchase", compared::<Purchase>(EventKind::PurchaseCreated, "purchase")),
    ];
    assert_eq!(by_schema, by_program.map(|(thing, names)| (thing.to_owned(), names)).into());
}

/// The names that are told when one field after the other is another.
fn compared<T: Fields + DeserializeOwned>(kind: EventKind, thing: &str) -> BTreeSet<String> {
    let before = golden_of(kind)["data"][thing].clone();
    let read = |value: &Value| serde_json::from_str::<T>(&value.to_string()).ok();
    let prev = read(&before).unwrap();
    let mut names = BTreeSet::new();
    for field in before.as_object().unwrap().keys() {
        for value in [Value::Null, json!(7), json!("word"), json!("2026-11-20T03:00:00Z"), json!([])] {
            let mut after = before.clone();
            after[field] = value;
            names.extend(read(&after).map(|next| next.differences(&prev)).unwrap_or_default());
        }
    }
    names
}
