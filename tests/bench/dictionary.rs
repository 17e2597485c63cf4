//! Makes a dictionary for the records of the store: what src/edge/store/packed/records.dict was made by.
//!
//! `cargo bench --bench dictionary -- FILE DIR...` trains it on made-up goods and on what is stored in data directories,
//! and writes it into FILE. Directories of the simulated shop are what `posbell demo` leaves in `TMPDIR` when it is
//! killed; nothing of a real shop belongs into a dictionary, which is in every copy of the program.

mod goods;

use std::path::Path;

use posbell::domain::diff::Known;
use posbell::domain::event::Epoch;
use posbell::domain::model::{Resource, ShopId, Timestamp};
use posbell::edge::store::{DeliveryFilter, EventFilter, Store};
use serde_json::value::RawValue;

/// How large the dictionary may become.
const BYTES: usize = 16 * 1024;
/// How many of the made-up goods it sees.
const GOODS: u64 = 1_500;
/// Of each kind of record in a store it sees at most so many.
const MOST: usize = 400;
/// How often it sees each event of the fixture, which has one of every kind.
const EVENTS: usize = 25;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let file = args.next().expect("is called with a file to write");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be built");
    let mut samples = goods();
    for dir in args {
        samples.extend(runtime.block_on(stored(Path::new(&dir))));
    }
    for event in include_str!("../it/fixtures/events.jsonl").lines() {
        let sample = format!(r#"{{"at":"2026-11-23T03:00:00.123456Z","event":{event}}}"#).into_bytes();
        samples.extend(std::iter::repeat_n(sample, EVENTS));
    }
    let bytes: usize = samples.iter().map(Vec::len).sum();
    println!("{} records of {bytes} bytes", samples.len());
    let dictionary = zstd::dict::from_samples(&samples, BYTES).expect("can be trained");
    std::fs::write(file, dictionary).expect("is writable");
}

fn goods() -> Vec<Vec<u8>> {
    let row = |number: u64| {
        let second = 1_767_225_600 + i64::try_from(goods::scattered(number) % 31_536_000).expect("is a second");
        let at = Timestamp::from_timestamp(second, 0).expect("is in range");
        let changes = number % 7;
        let row = goods::row(goods::product(number, changes, at), changes);
        // The id is what its key ends with, and so is no part of it.
        without(&serde_json::to_string(&row).expect("can be written"), row.product.id.as_str())
    };
    (0..GOODS).map(row).collect()
}

/// As the store packs it.
fn without(json: &str, id: &str) -> Vec<u8> {
    json.replace(id, "\u{1}").into_bytes()
}

async fn stored(dir: &Path) -> Vec<Vec<u8>> {
    let store = Store::open_or_create(dir, Epoch::from_random([7; 16])).expect("opens");
    let shop = ShopId::new("demo").expect("is an id");
    let mut samples = Vec::new();
    for resource in Resource::ALL {
        let Known::Rows { rows, .. } = store.known::<Box<RawValue>>(&shop, resource).await.expect("reads") else {
            continue;
        };
        println!("{} rows of {resource}", rows.len());
        samples.extend(rows.iter().take(MOST).map(|(id, row)| without(row.get(), id.as_str())));
    }
    let events = store.events(EventFilter { limit: MOST, ..EventFilter::default() }).await.expect("reads");
    println!("{} events", events.len());
    samples.extend(events.iter().map(|(number, event)| {
        let at = Timestamp::from_timestamp_micros(1_767_225_600_123_457 + 977_777_013 * *number as i64);
        let at = serde_json::to_string(&at).expect("can be written");
        format!(r#"{{"at":{at},"event":{event}}}"#).into_bytes()
    }));
    let deliveries =
        store.deliveries(DeliveryFilter { limit: MOST, ..DeliveryFilter::default() }).await.expect("reads");
    println!("{} deliveries", deliveries.len());
    samples.extend(deliveries.iter().map(|delivery| serde_json::to_vec(delivery).expect("can be written")));
    samples
}
