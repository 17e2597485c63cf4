//! The public form of events for other programs: a JSON Schema to check messages by and to make code from.
//!
//! It is written by hand, so that it reads well and says what each thing means, and held against the program by its
//! tests: the events that receivers know are valid, each of their fields is in it and no others are, and what it lets
//! stand in a field is what the program reads there.

/// The schema of one event, by the draft 2020-12.
pub const SCHEMA: &str = include_str!("event.schema.json");

#[cfg(test)]
mod tests;
