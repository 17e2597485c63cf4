//! Does each record come back to the byte, in as few bytes as it should?

use proptest::prelude::*;

use super::phrases::{PHRASES, SHORTEST};
use super::*;

const ID: &str = "600c45c60000000000000001";

/// A row of the stock list as it is written.
const PRODUCT: &str = r#"{"product":{"id":"600c45c60000000000000001","code":"PK64000158","name":"ข้าวหอมมะลิแท้ 5 กก.","barcode":"8850123456789","category":"ข้าวสาร","unit":"ถุง","price":220,"cost":180.50,"quantity":24,"updated_at":"2026-11-23T03:00:00Z"},"min_stock":5,"level":{"worst":"ok","waiting":{"for":"nothing"}},"counter":7}"#;

fn there_and_back(text: &[u8], own: &str) -> Vec<u8> {
    let packed = pack(text, own);
    assert_eq!(unpack(&packed, own).expect("unpacks"), text, "{}", String::from_utf8_lossy(text));
    packed
}

#[test]
fn a_packed_record_comes_back_to_the_byte() {
    for text in [
        PRODUCT,
        "",
        "1",
        r#""""#,
        "null",
        "2026-11-23T03:00:00Z",
        r#"{"at":"2026-11-23T03:00:00.123456789Z"}"#,
        r#"["2026-11-23T03:00:00.123Z","2026-11-23T03:00:00.000001Z","2026-11-23T03:00:00.999999"]"#,
        r#"["1969-12-31T23:59:59Z","2106-02-07T06:28:16Z","2026-02-30T00:00:00Z","2016-12-31T23:59:60Z"]"#,
        "[0000001,12345678901234567890123,-0.50,1.5,161.10,80.505,1E400]",
        r#"{"name":"ラーメン 🍜 กาแฟ\n\u0000\"","code":"ABCDEF0123456789abcdef"}"#,
        r#"["evt_7062e37c274ac1f6582c178ca200af4e","evt_7062e37c274ac1f6582c178ca200af4"]"#,
    ] {
        there_and_back(text.as_bytes(), ID);
        there_and_back(text.as_bytes(), "");
    }
    // No text at all: what is stored besides JSON is kept too.
    there_and_back(&[MARK, 0, 0xff, 0xe0, 0xb8, 0x80, 0xe0, 0xb9], ID);
}

#[test]
fn every_event_and_every_phrase_comes_back_to_the_byte() {
    let events = include_str!("../../../../tests/it/fixtures/events.jsonl");
    for event in events.lines() {
        let packed = there_and_back(event.as_bytes(), "");
        assert!(packed.len() * 2 < event.len(), "{} of {} bytes: {event}", packed.len(), event.len());
    }
    for phrase in PHRASES {
        assert!(phrase.len() >= SHORTEST);
        assert!(there_and_back(phrase.as_bytes(), "").len() <= 3, "{phrase} stands there twice");
    }
}

#[test]
fn every_thai_letter_and_every_byte_comes_back() {
    let thai: String = ('\u{0e00}'..='\u{0e7f}').collect();
    assert!(there_and_back(thai.as_bytes(), "").len() < thai.len() * 2 / 3);
    let bytes: Vec<u8> = (0..=255).collect();
    there_and_back(&bytes, "");
}

#[test]
fn what_repeats_is_pointed_to() {
    let product = PRODUCT.split_once(r#"{"product":"#).and_then(|(_, rest)| rest.split_once(r#","min_stock""#));
    let (product, _) = product.expect("is there");
    let once = there_and_back(format!(r#"{{"product":{product}}}"#).as_bytes(), "");
    let twice = there_and_back(format!(r#"{{"product":{product},"previous":{product}}}"#).as_bytes(), "");
    assert!(twice.len() < once.len() + 20, "{} and {} bytes", once.len(), twice.len());
}

#[test]
fn a_product_takes_less_than_a_hundred_bytes() {
    let packed = there_and_back(PRODUCT.as_bytes(), ID);
    assert!(packed.len() <= 80, "{} bytes", packed.len());
}

/// The book is on the disk of every shop. Whoever changes it must write a second one.
#[test]
fn the_first_book_is_as_it_was() {
    let book = PHRASES.join("\n");
    assert_eq!(
        (PHRASES.len(), SHORT, xxhash_rust::xxh3::xxh3_64(book.as_bytes())),
        (301, 60, 9_228_270_008_877_379_037)
    );
    let bytes: Vec<u8> = (0..SHORT).map(short_byte).collect();
    assert!(bytes.iter().enumerate().all(|(place, byte)| short_place(*byte) == Some(place)));
    let packed = b"\x05\x0a\x01\x0bPK\x03\x06\x0f\x12\x06\x0c\xa1\xd2\x00\x0f";
    let text = r#"{"product":{"id":"600c","code":"PK987654","name":"กา","price":null"#;
    assert_eq!(String::from_utf8_lossy(&unpack(packed, "600c").expect("unpacks")), text);
}

#[test]
fn what_was_not_packed_is_read_as_it_is() {
    for plain in ["", "2", PRODUCT] {
        assert_eq!(unpack(plain.as_bytes(), ID).expect("reads"), plain.as_bytes());
    }
    assert_eq!(pack(b"2", ""), b"2", "what an older version must read stays readable");
}

proptest! {
    #[test]
    fn any_text_comes_back(text in any::<String>(), own in "[a-f0-9]{0,24}") {
        there_and_back(text.as_bytes(), &own);
    }

    #[test]
    fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        there_and_back(&bytes, "");
    }

    #[test]
    fn any_pieces_of_records_come_back(
        pieces in proptest::collection::vec((0..PHRASES.len(), "[0-9a-fก-๛ .:TZ-]{0,30}"), 0..40),
        own in "[0-9a-f]{4,24}",
        again in 0_usize..40,
    ) {
        let mut text: String = pieces.iter().map(|(place, value)| format!("{}{value}{own}", PHRASES[*place])).collect();
        text.push_str(&text.clone().chars().skip(again).collect::<String>());
        there_and_back(text.as_bytes(), &own);
    }

    /// Damage gives an error or another text, and never a panic.
    #[test]
    fn damage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        drop(unpack(&[&[MARK], &bytes[..]].concat(), ID));
    }
}
