//! The bad passes: what the API may get wrong, each with a name that is a sentence, and what must become of it.

mod answers;
mod credit;
mod people;
mod purchases;
mod sales;
mod stock;

use posbell::domain::model::Resource;

use super::row::Row;
use super::server::Spoil;

/// What must become of a bad pass. None of it makes an event of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is held, and `posbell held show` says this of it.
    Held(&'static str),
    /// It is refused, and the log and the status say why, in these words.
    Refused(&'static str),
    /// It is accepted without the rows that could not be understood, which are counted in the log and the status.
    LeftOut,
    /// It is accepted, and what is wrong with it is nothing that is told.
    NoNews,
}

// What `posbell held show` says that the rows do.
const GONE: &str = "are not there any more";
const UNCOUNTED: &str = "would have no quantity any more";
const OUT: &str = "would be out of stock";
const RENAMED: &str = "would have another name or code";
const EMPTIED: &str = "would have nothing, or zero, where they had something";
const REWRITTEN: &str = "would be another in what hardly ever changes";
const CANCELLED: &str = "would be cancelled";
const DOUBLED: &str = "would be there once more under another id";
const ODD: &str = "would have figures that no day makes";

/// One thing that the API may get wrong.
#[derive(Clone, Copy)]
pub struct BadPass {
    /// What is wrong, as a sentence.
    pub name: &'static str,
    pub spoil: Spoil,
    pub expected: Expected,
    /// Whether it needs a second page to do harm; on a list of one page it is then [`Expected::NoNews`].
    pub by_pages: bool,
}

impl BadPass {
    /// The same, which does harm on the first page.
    const fn at_once(self) -> BadPass {
        BadPass { by_pages: false, ..self }
    }
}

/// What may be wrong with an answer for this resource in a shop of so many products, whatever is in it.
///
/// What is no answer at all is so for every resource alike: it is read as a stock list of every size, and of the others
/// as the smallest. What is wrong with any list is so in the largest shop for its stock.
pub fn of_answers(resource: Resource, products: usize) -> Vec<BadPass> {
    let is_stock = resource == Resource::Stock;
    let texts = answers::texts().filter(|_| is_stock || products == 8);
    let lists = answers::lists().filter(|_| is_stock || products < 1_000);
    texts.chain(lists).collect()
}

/// What may be wrong with the rows of this resource.
pub fn of_rows(resource: Resource) -> &'static [BadPass] {
    match resource {
        Resource::Transactions => sales::ALL,
        Resource::Stock => stock::ALL,
        Resource::Credit => credit::ALL,
        Resource::Members => people::MEMBERS,
        Resource::Vendors => people::VENDORS,
        Resource::BuyDocuments => purchases::ALL,
    }
}

/// A list whose rows are others.
const fn rows(name: &'static str, expected: Expected, change: fn(&mut Vec<Row>)) -> BadPass {
    BadPass { name, spoil: Spoil::Rows(change), expected, by_pages: false }
}

/// Another list.
const fn list(name: &'static str, expected: Expected, change: fn(&mut Vec<Row>)) -> BadPass {
    BadPass { spoil: Spoil::List(change), ..rows(name, expected, change) }
}

/// Does this to each row.
fn each(rows: &mut [Row], change: impl Fn(usize, &mut Row)) {
    rows.iter_mut().enumerate().for_each(|(place, row)| change(place, row));
}

/// Does this to every second row.
fn half(rows: &mut [Row], change: impl Fn(&mut Row)) {
    rows.iter_mut().step_by(2).for_each(change);
}

/// Writes the same value into each row.
fn all(rows: &mut [Row], name: &'static str, value: &str) {
    each(rows, |_, row| row.set(name, value));
}

/// Gives each row the value of the row after it, and the last one that of the first.
fn shift(rows: &mut [Row], name: &'static str) {
    let mut values: Vec<String> = rows.iter().map(|row| row.get(name).to_owned()).collect();
    values.rotate_left(1);
    rows.iter_mut().zip(values).for_each(|(row, value)| row.set(name, value));
}

/// Multiplies a whole number in each row.
fn times(rows: &mut [Row], name: &'static str, factor: i64) {
    each(rows, |_, row| row.set(name, (row.number(name) * factor).to_string()));
}

/// Writes a number in each row as a person would: `฿ 1,234.00`.
fn as_currency(rows: &mut [Row], name: &'static str) {
    each(rows, |_, row| row.set_text(name, &format!("฿ 1,{}.00", row.get(name))));
}

/// Moves a moment in each row.
fn move_time(rows: &mut [Row], name: &'static str, by: chrono::TimeDelta) {
    each(rows, |_, row| {
        let at: posbell::domain::model::Timestamp = row.text(name).parse().expect("is a time");
        row.set(name, super::books::time(at + by));
    });
}

/// Gives a row an id that nobody knows.
fn renumber(row: &mut Row) {
    row.set_text("_id", &format!("f{}", &row.text("_id")[1..]));
}
