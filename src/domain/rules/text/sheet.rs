//! A table of figures by product code, as a spreadsheet saves it: `code,low,critical,rearm`.
//!
//! The columns may stand in any order, and one called `name` is for people. Every mistake says its line.

use std::collections::BTreeMap;

use crate::domain::model::Quantity;
use crate::domain::rules::Figures;

/// The columns that mean something.
const COLUMNS: [&str; 4] = ["code", "low", "critical", "rearm"];
/// A column for people.
const NAME: &str = "name";
/// How many mistakes are told: a table that was saved in another form has one in every line.
const MOST: usize = 10;

/// The figures of each code, or what is wrong with the table.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, Figures>, Vec<String>> {
    let text = text.trim_start_matches('\u{feff}');
    // Spreadsheets of many countries part the columns with a semicolon.
    let head = text.split(['\r', '\n']).next().unwrap_or_default();
    let delimiter = if head.contains(';') && !head.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter).from_reader(text.as_bytes());
    let places = columns(&mut reader)?;
    let mut by_code = BTreeMap::new();
    let mut problems = Vec::new();
    let mut lines = Lines { text, at: 0, before: 0 };
    for record in reader.records() {
        let read = match &record {
            Ok(record) => {
                let number = lines.number(record.position());
                figures_of(record, places).map(|found| found.map(|found| (number, found))).map_err(|why| (number, why))
            }
            Err(error) => Err((lines.number(error.position()), broken(error))),
        };
        match read {
            Ok(Some((line, (code, _)))) if by_code.contains_key(&code) => {
                problems.push(format!("line {line}: the code `{code}` stands here twice"));
            }
            Ok(Some((_, (code, figures)))) => drop(by_code.insert(code, figures)),
            Ok(None) => {}
            Err((line, problem)) => problems.push(format!("line {line}: {problem}")),
        }
        if problems.len() == MOST {
            problems.push("and perhaps more".to_owned());
            break;
        }
    }
    if by_code.is_empty() && problems.is_empty() {
        problems.push("there is no line with a code".to_owned());
    }
    if problems.is_empty() { Ok(by_code) } else { Err(problems) }
}

/// Where each column stands.
fn columns(reader: &mut csv::Reader<&[u8]>) -> Result<[Option<usize>; 4], Vec<String>> {
    let head = reader.headers().map_err(|error| vec![format!("line 1: {}", broken(&error))])?;
    let names: Vec<String> = head.iter().map(str::to_lowercase).collect();
    let known = "the columns are code, low, critical and rearm, and a `name` for people";
    let strange = names.iter().filter(|name| !COLUMNS.contains(&&***name) && *name != NAME);
    let mut problems: Vec<String> =
        strange.map(|name| format!("line 1: there is no column `{name}`; {known}")).collect();
    let places = COLUMNS.map(|column| names.iter().position(|name| name == column));
    if problems.is_empty() && (places[0].is_none() || places[1].is_none() && places[2].is_none()) {
        problems.push(format!("line 1: there must be a column `code`, and `low` or `critical`; {known}"));
    }
    if names.iter().enumerate().any(|(place, name)| names[..place].contains(name)) {
        problems.push("line 1: a column stands here twice".to_owned());
    }
    if problems.is_empty() { Ok(places) } else { Err(problems) }
}

/// Numbers of lines as an editor counts them.
///
/// The parser ends a record at a carriage return and begins the next one with the newline after it, so that its own
/// count is one too small in every file that Windows wrote. Places come in their order: each byte is counted once.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    before: usize,
}

impl Lines<'_> {
    /// The number of the line that a record begins in.
    fn number(&mut self, position: Option<&csv::Position>) -> usize {
        let bytes = self.text.as_bytes();
        let begins = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        let mut end = begins.clamp(self.at, bytes.len());
        while bytes.get(end).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            end += 1;
        }
        let ends = |at: &usize| match bytes[*at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        self.before += (self.at..end).filter(ends).count();
        self.at = end;
        self.before + 1
    }
}

/// One line: the code and its figures. A line with nothing in it is none.
fn figures_of(record: &csv::StringRecord, places: [Option<usize>; 4]) -> Result<Option<(String, Figures)>, String> {
    if record.iter().all(str::is_empty) {
        return Ok(None);
    }
    let cell = |column: usize| places[column].and_then(|place| record.get(place)).filter(|cell| !cell.is_empty());
    let figure = |column: usize| match cell(column) {
        None => Ok(None),
        Some(text) => text
            .parse::<Quantity>()
            .map(Some)
            .map_err(|_| format!("`{}` must be a number, not `{text}`", COLUMNS[column])),
    };
    let code = cell(0).ok_or("there is no code")?.to_owned();
    if is_rounded(&code) {
        return Err(format!(
            "`{code}` is what a spreadsheet made of a long code: give the column the format Text and type the code again"
        ));
    }
    let figures = Figures { low: figure(1)?, critical: figure(2)?, rearm: figure(3)? };
    let Figures { low, critical, rearm } = figures;
    let above = |one: Option<Quantity>, other: Option<Quantity>| one.zip(other).is_some_and(|(one, other)| one > other);
    if low.is_none() && critical.is_none() {
        return Err(format!("`{code}` has neither `low` nor `critical`"));
    }
    if above(critical, low) {
        return Err("`critical` is above `low`".to_owned());
    }
    if above(low, rearm) || above(critical, rearm) {
        return Err("`rearm` is below `low` or `critical`".to_owned());
    }
    Ok(Some((code, figures)))
}

/// Whether this is a barcode that a spreadsheet took for a number and rounded: `8.85E+12`. The digits are lost.
fn is_rounded(code: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    code.split_once(['E', 'e']).is_some_and(|(number, exponent)| {
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
        digits(whole) && digits(fraction) && exponent.strip_prefix(['+', '-']).is_some_and(digits)
    })
}

fn broken(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} columns, and the first line has {expected_len}")
        }
        _ => "it cannot be read as CSV".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read, or what is wrong, in lines.
    fn figures(text: &str) -> String {
        let shown = |figure: Option<Quantity>| figure.map_or_else(|| "-".to_owned(), |figure| figure.to_string());
        let row = |(code, row): (&String, &Figures)| {
            format!("{code} {}", [row.low, row.critical, row.rearm].map(shown).join(" "))
        };
        let lines: Vec<String> = match read(text) {
            Ok(rows) => rows.iter().map(row).collect(),
            Err(problems) => problems,
        };
        lines.join("\n")
    }

    #[test]
    fn a_table_is_read_as_spreadsheets_save_it() {
        for (text, want) in [
            ("code,low,critical,rearm\nPK1,24,6,30\nPK2,1.5,,\n", "PK1 24 6 30\nPK2 1.5 - -"),
            ("\u{feff}Code;Low\r\nPK1;24\r\n;\r\n", "PK1 24 - -"),
            ("code,low\n1E5,3\n8.85E,4\nE+12,5\n", "1E5 3 - -\n8.85E 4 - -\nE+12 5 - -"),
            ("name,critical,code\n\"ข้าว, 5 กก.\", 2 , PK1 \n", "PK1 - 2 -"),
        ] {
            assert_eq!(figures(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, want) in [
            ("", "line 1: there must be a column `code`, and `low` or `critical`"),
            ("code,low\n", "there is no line with a code"),
            ("code,lwo\nPK1,3\n", "line 1: there is no column `lwo`"),
            ("code,rearm\nPK1,3\n", "line 1: there must be a column `code`, and `low` or `critical`"),
            ("code,low,low\nPK1,3,4\n", "line 1: a column stands here twice"),
            ("code,low\nPK1,3\nPK1,4\n", "line 3: the code `PK1` stands here twice"),
            ("code,low\nPK1,many\n", "line 2: `low` must be a number, not `many`"),
            ("code,low\n,3\n", "line 2: there is no code"),
            ("code,low\nPK1,\n", "line 2: `PK1` has neither `low` nor `critical`"),
            ("code,low,critical\nPK1,3,4\n", "line 2: `critical` is above `low`"),
            ("code,low,rearm\nPK1,3,2\n", "line 2: `rearm` is below `low` or `critical`"),
            ("code,low\r\nPK1,3\r\nPK2,many\r\n", "line 3: `low` must be a number, not `many`"),
            ("code,low\r\n\r\nPK1,3\r\n\r\n\r\nPK2,3,4\r\n", "line 6: it has 3 columns"),
            ("code,low\rPK1,3\rPK2,many\r", "line 3: `low` must be a number, not `many`"),
            ("name,code,low\n\"a\nb\",PK1,3\nx,PK2,many\n", "line 4: `low` must be a number, not `many`"),
            ("code,low\r\nPK1,3\r\nPK1,4\r\n", "line 3: the code `PK1` stands here twice"),
            ("code,low\n8.85E+12,3\n", "line 2: `8.85E+12` is what a spreadsheet made of a long code: give the"),
            ("code;low\n8,85E+12;3\n", "line 2: `8,85E+12` is what a spreadsheet made of a long code"),
            ("code,low\nPK1,3,4\n", "line 2: it has 3 columns, and the first line has 2"),
        ] {
            let told = figures(text);
            assert!(told.starts_with(want), "{text}: {told}");
        }
        let many = format!("code,low\n{}", "PK1,x\n".repeat(1_000));
        assert_eq!(figures(&many).lines().count(), MOST + 1);
    }
}
