//! Listings as aligned columns.

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::domain::model::Timestamp;

/// Rows under a heading, each column as wide as its widest cell.
pub(super) fn aligned(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().filter(|c| !is_mark(*c)).count();
    let mut widths: Vec<usize> = heading.iter().map(|cell| width(cell)).collect();
    for row in rows {
        for (known, cell) in widths.iter_mut().zip(row) {
            *known = (*known).max(width(cell));
        }
    }
    let mut text = String::new();
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&heading).chain(rows) {
        let mut line = String::new();
        for (cell, wanted) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(wanted.saturating_sub(width(cell)) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Thai vowel and tone marks stand above or below their letter and take no column.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0E31}' | '\u{0E34}'..='\u{0E3A}' | '\u{0E47}'..='\u{0E4E}')
}

/// A moment in the configured zone.
pub(super) fn moment(at: Timestamp, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago something was.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", length(now - at))
}

/// A length of time without its smallest parts; nothing where it is negative.
pub(super) fn length(length: TimeDelta) -> String {
    let seconds = length.max(TimeDelta::zero()).num_seconds().unsigned_abs();
    let rounded = match seconds {
        0..120 => seconds,
        120..7200 => seconds / 60 * 60,
        _ => seconds / 3600 * 3600,
    };
    humantime::format_duration(std::time::Duration::from_secs(rounded)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_under_thai_marks_too() {
        let rows = vec![vec!["น้ำ".to_owned(), "1".to_owned()], vec!["ab".to_owned(), "2".to_owned()]];
        assert_eq!(aligned(&["what", "n"], &rows), "what  n\nน้ำ    1\nab    2\n");
    }
}
