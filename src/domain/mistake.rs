//! A mistake in a file that a person wrote: what is wrong, where, and what to do about it.
//!
//! Parsers return a list of these, never only the first. Turning a byte range into a line, a column and a picture of
//! the line is the command line's work, which alone has the file at hand.

use std::ops::Range;

/// One mistake in one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes that are wrong.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake at `span`.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// The same mistake with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same mistake with advice, unless it has better advice already.
    pub fn help_or(self, help: impl Into<String>) -> Self {
        if self.help.is_some() { self } else { self.help(help) }
    }
}

impl From<toml::de::Error> for Mistake {
    fn from(error: toml::de::Error) -> Self {
        Mistake::new(error.span().unwrap_or(0..0), error.message().trim().to_owned())
    }
}
