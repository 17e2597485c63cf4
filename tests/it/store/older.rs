//! Is a store that an older version has written read as it was, to the letter?
//!
//! The fixture is the records of a store of form 2, as that version wrote them: a key and its value a line.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::*;

const FORM_2: &str = include_str!("../fixtures/store-form-2.txt");
/// How long a head was.
const HEAD: usize = 22;

/// What `escape_ascii` wrote.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match (byte, byte == b'\\') {
            (_, true) => match left.next().unwrap() {
                b'x' => {
                    let digits = [left.next().unwrap(), left.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                b't' => b'\t',
                b'n' => b'\n',
                b'r' => b'\r',
                itself => itself,
            },
            (byte, false) => byte,
        });
    }
    bytes
}

fn records() -> BTreeMap<Vec<u8>, Vec<u8>> {
    let lines = FORM_2.lines().map(|line| line.split_once('\t').unwrap());
    lines.map(|(key, value)| (unescaped(key), unescaped(value))).collect()
}

/// The database itself. sled's threads may keep its lock for a moment after it was dropped.
pub(super) fn sled_of(dir: &Path) -> sled::Db {
    for _attempt in 0..100_000 {
        if let Ok(db) = sled::open(dir.join("store")) {
            return db;
        }
        std::thread::yield_now();
    }
    sled::open(dir.join("store")).unwrap()
}

/// What the older version had, is what this one finds.
async fn assert_as_it_was(store: &Store) {
    let records = records();
    let json = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let mut rows = 0;
    for resource in Resource::ALL {
        let Known::Rows { rows: known, .. } = store.known::<Box<RawValue>>(&main_shop(), resource).await.unwrap()
        else {
            panic!("nothing is known of {resource}");
        };
        let heads = store.heads(&main_shop(), resource).await.unwrap().unwrap();
        for (id, row) in known {
            let old = &records[format!("r/main/{resource}/{id}").as_bytes()];
            match old.first() {
                Some(3) => {
                    assert_eq!(row.get(), json(&old[HEAD..]));
                    let head = heads.get(&id).unwrap();
                    let flags = u8::from(head.unsettled) | u8::from(head.gone) << 1 | (head.level as u8) << 3;
                    assert_eq!((flags, head.tag.to_be_bytes()), (old[1], old[18..HEAD].try_into().unwrap()));
                    assert_eq!(head.fingerprint.unwrap().to_bytes(), old[2..10]);
                }
                _ => assert_eq!(row.get(), json(old)),
            }
            rows += 1;
        }
    }
    assert_eq!(rows, records.keys().filter(|key| key.starts_with(b"r/")).count());
    #[derive(serde::Deserialize)]
    struct Stored<'a> {
        #[serde(borrow)]
        event: &'a RawValue,
    }
    for (key, value) in &records {
        match &key[..2] {
            b"e/" => {
                let old = serde_json::from_slice::<Stored>(value).unwrap().event.get();
                let event = Event::from_json(old).unwrap();
                assert_eq!(store.event(&event.id).await.unwrap().as_deref(), Some(old));
            }
            b"d/" => {
                let old: Delivery = serde_json::from_slice(value).unwrap();
                assert_eq!(store.delivery(old.id.clone()).await.unwrap(), Some(old));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_store_of_form_2_is_brought_up_and_nothing_of_it_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let db = sled_of(dir.path());
    for (key, value) in records() {
        db.insert(key, value).unwrap();
    }
    drop(db);
    assert_as_it_was(&open(dir.path())).await;
    let db = sled_of(dir.path());
    assert_eq!(db.scan_prefix("h/").count(), 0);
    let long = |key: &[u8]| key.len() > b"r/main/buy_documents/".len() + 13;
    assert!(!db.range(.."\u{7f}").keys().any(|key| long(&key.unwrap())), "ids take half as many bytes");
    let plain =
        |key: &str| db.scan_prefix(key).values().filter(|value| value.as_ref().unwrap().first() == Some(&b'{')).count();
    assert_eq!((plain("e/"), plain("d/")), (0, 0), "events and deliveries are packed");
    drop(db);
    assert_as_it_was(&open(dir.path())).await;
}

#[tokio::test]
async fn ids_of_every_kind_are_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let ids =
        ["7", "600c45c60000000000000001", "600C45C60000000000000001", "600c45c6000000000000000g", "ก", "a/b", "ff"];
    let ids = ids.map(|id| EntityId::new(id).unwrap());
    let head = |place: usize| posbell::edge::store::Head { tag: place as u32, ..Default::default() };
    let row = |(place, id): (usize, &EntityId)| {
        let bytes = Store::listed_row(&format!("the row of {id}"), head(place)).unwrap();
        (main_shop(), Resource::Stock, id.clone(), Some(bytes))
    };
    let rows = ids.iter().enumerate().map(row).collect();
    let resource = Some((main_shop(), Resource::Stock, record(1)));
    store.commit(Commit { rows, resource, ..Commit::default() }).await.unwrap();
    let heads = store.heads(&main_shop(), Resource::Stock).await.unwrap().unwrap();
    let read = store.rows::<String>(&main_shop(), Resource::Stock, ids.to_vec()).await.unwrap();
    for (place, id) in ids.iter().enumerate() {
        assert_eq!(heads.get(id), Some(head(place)), "{id}");
        assert_eq!(read[id], (head(place), format!("the row of {id}")));
    }
    assert_eq!(heads.iter().count(), ids.len());
    let mut left = store.leftovers(&main_shop(), Resource::Stock).await.unwrap();
    left.sort();
    let mut all = ids.to_vec();
    all.sort();
    assert_eq!(left, all);
    let removed = ids.iter().map(|id| (main_shop(), Resource::Stock, id.clone(), None)).collect();
    store.commit(Commit { rows: removed, ..Commit::default() }).await.unwrap();
    assert_eq!(store.leftovers(&main_shop(), Resource::Stock).await.unwrap(), []);
}
