//! The file as it was written is read, and no other.

use super::*;

fn header() -> Header {
    let created_at = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
    Header { form: 2, epoch: Epoch::from_random([7; 16]), created_at, posbell: "0.1.0".to_owned() }
}

fn record(n: u8) -> Record {
    (vec![b'r', b'/', n], vec![n; usize::from(n)])
}

/// Of three chunks, one of them without a record.
fn small() -> Vec<u8> {
    let (mut writer, mut file) = Writer::new(&header());
    for records in [vec![record(1), record(2)], vec![], vec![record(3), (b"s/main".to_vec(), b"{}".to_vec())]] {
        file.extend(writer.records(&records).unwrap());
    }
    file.extend(writer.end());
    file
}

fn read(file: &[u8]) -> Result<(Contents, Vec<Record>), FormError> {
    let mut reader = Reader::new(file)?;
    let mut records = Vec::new();
    while let Some(more) = reader.next()? {
        records.extend(more);
    }
    Ok((reader.contents()?, records))
}

#[test]
fn what_was_written_is_read() {
    let file = small();
    let (contents, records) = read(&file).unwrap();
    assert_eq!(records, [record(1), record(2), record(3), (b"s/main".to_vec(), b"{}".to_vec())]);
    assert_eq!((contents.records, contents.rows(), contents.shops(), contents.events()), (4, 3, 1, 0));
    assert_eq!((contents.bytes, contents.form), (file.len() as u64, 2));
    let mut tally = Tally::default();
    records.iter().for_each(|(key, value)| tally.add(key, value));
    let end = tally.end(&Xxh3::new());
    assert_eq!((contents.tables, contents.content), (end.tables, end.content));
}

#[test]
fn the_form_of_a_file_is_the_same_in_every_version() {
    // Literals on purpose: a file that was written today must be read for as long as somebody keeps it.
    let (mut writer, mut file) = Writer::new(&header());
    file.extend(writer.records(&[record(1)]).unwrap());
    file.extend(writer.end());
    let hex: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("version-1.hex").trim());
}

#[test]
fn whatever_is_cut_off_is_refused() {
    let file = small();
    for length in 0..file.len() {
        assert!(read(&file[..length]).is_err(), "{length} of {} bytes were taken for all", file.len());
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let file = small();
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit} may be flipped");
    }
}

#[test]
fn parts_that_are_missing_doubled_exchanged_or_added_are_refused() {
    let (mut writer, head) = Writer::new(&header());
    let parts = [[record(1)], [record(2)]].map(|records| writer.records(&records).unwrap());
    let (first, second) = (&parts[0][..], &parts[1][..]);
    let end = writer.end();
    let file = |parts: &[&[u8]]| read(&parts.concat());
    assert!(file(&[&head, first, second, &end]).is_ok());
    for parts in [
        &[&head[..], first, &end][..],
        &[&head, first, first, second, &end],
        &[&head, second, first, &end],
        &[&head, first, second, &end, &end],
        &[&head, first, second, &end, b"\0"],
        &[&head, first, second],
        &[&head[..20], first, second, &end],
    ] {
        assert!(matches!(file(parts), Err(FormError::Damaged(_))));
    }
}

#[test]
fn records_out_of_order_are_refused_although_every_sum_is_right() {
    for records in [[record(2), record(1)], [record(1), record(1)]] {
        let (mut writer, mut file) = Writer::new(&header());
        file.extend(writer.records(&records).unwrap());
        file.extend(writer.end());
        assert!(matches!(read(&file), Err(FormError::Damaged(why)) if why.contains("order")));
    }
}

#[test]
fn what_is_none_or_newer_or_given_up_is_said_to_be() {
    assert!(matches!(read(b"data_dir = \"posbell-data\"\n"), Err(FormError::NotOne)));
    assert!(matches!(read(b""), Err(FormError::NotOne)));
    let mut file = small();
    file[19] = 2;
    assert!(matches!(read(&file), Err(FormError::Newer { found: 2, known: 1 })));
    let (_, mut file) = Writer::new(&header());
    file.extend(failed("the disk".to_owned(), true));
    assert!(matches!(read(&file), Err(FormError::Failed { why, again: true }) if why == "the disk"));
}

#[test]
fn a_length_out_of_all_proportion_costs_no_memory() {
    let (_, mut file) = Writer::new(&header());
    file.extend([RECORDS, 0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(read(&file), Err(FormError::Damaged(why)) if why.contains("length")));
}
