//! Does each record come back to the byte, in as few bytes as it should?

use proptest::prelude::*;

use super::*;

const ID: &str = "600c45c60000000000000001";

/// A row of the stock list as it is written.
const PRODUCT: &str = r#"{"product":{"id":"600c45c60000000000000001","code":"PK64000158","name":"ข้าวหอมมะลิแท้ 5 กก.","barcode":"8850123456789","category":"ข้าวสาร","unit":"ถุง","price":220,"cost":180.50,"quantity":24,"updated_at":"2026-11-23T03:00:00Z"},"min_stock":5,"level":{"worst":"ok","waiting":{"for":"nothing"}},"counter":7}"#;

/// What it became when the dictionary was made.
const PACKED: &[u8] = b"\x06`Q\x00\xad\x01\x00\x83\x81\x03M\x9b)fJ\xda$\x11\xbdy5\xf1\xcc\x03\r\xfc\x8c\x8f\xe3\xc3\x1a\xd0\xc9\xfc\xaa;^\xa7\xba\xfa\x1c!^\x0b\xbf\xc0a\xab\xc8\xfb\x82\xcc\x05\xaf\x01<\xbdt\x1a\x10";

fn there_and_back(text: &[u8], own: &str) -> Vec<u8> {
    let packed = pack_behind(&[], text, own);
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
fn every_event_comes_back_to_the_byte() {
    let events = include_str!("../../../../tests/it/fixtures/events.jsonl");
    let packed: usize = events.lines().map(|event| there_and_back(event.as_bytes(), "").len()).sum();
    assert!(packed * 2 < events.len(), "{packed} of {} bytes", events.len());
}

#[test]
fn a_product_takes_less_than_a_hundred_bytes() {
    let packed = there_and_back(PRODUCT.as_bytes(), ID);
    assert!(packed.len() < 100, "{} bytes: {}", packed.len(), packed.escape_ascii());
}

/// What it packed is on the disk of every shop. Whoever changes it must have both.
#[test]
fn the_first_dictionary_is_as_it_was() {
    assert_eq!((DICTIONARY.len(), xxhash_rust::xxh3::xxh3_64(DICTIONARY)), (16_384, 7_158_343_218_217_563_157));
    assert_eq!(unpack(PACKED, ID).expect("unpacks"), PRODUCT.as_bytes());
}

#[test]
fn a_record_that_would_be_too_long_is_refused() {
    // A frame whose header says that it has four billion bytes.
    let packed = [&[MARK, 0xa0][..], &u32::MAX.to_le_bytes(), &[1, 0, 0]].concat();
    assert!(matches!(unpack(&packed, ""), Err(StoreError::Unreadable(_))));
}

#[test]
fn what_was_not_packed_is_read_as_it_is() {
    for plain in ["", "2", PRODUCT] {
        assert_eq!(unpack(plain.as_bytes(), ID).expect("reads"), plain.as_bytes());
    }
    assert_eq!(pack(b"2"), b"2", "what an older version must read stays readable");
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
    fn any_text_with_the_id_of_its_key_comes_back(parts in proptest::collection::vec("[0-9a-f\u{1}]{0,9}", 0..20), own in "[0-9a-f]{0,9}") {
        there_and_back(parts.join(&own).as_bytes(), &own);
    }

    /// Damage gives an error or another text, and never a panic.
    #[test]
    fn damage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..100), place in 0_usize..100, bit in 0..8) {
        for mark in [MARK, MARK_OWN] {
            drop(unpack(&[&[mark], &bytes[..]].concat(), ID));
        }
        let mut packed = pack_behind(&[], PRODUCT.as_bytes(), ID);
        let place = place % packed.len();
        packed[place] ^= 1_u8 << bit;
        drop(unpack(&packed, ID));
        drop(unpack(&packed[..place], ID));
    }
}
