//! Standard output, for a person or for the next program in a pipe.
//!
//! `println!` panics when that program has read enough and is gone; here it is an error, which ends the command
//! quietly.

use std::io::{self, Write};

/// Prints one line.
pub(super) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints text that ends its own lines.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Says something about what is printed on standard error, if anybody reads it.
pub(super) fn note(text: &str) {
    drop(writeln!(io::stderr(), "posbell: {text}"));
}

/// An error with its causes. What an error says of its cause itself is not said twice.
pub fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        match text.is_empty() {
            true => text = cause,
            false if text.ends_with(&cause) => {}
            false => text.push_str(&format!(": {cause}")),
        }
    }
    text
}

/// Whether a command failed only because nobody reads on: `posbell events | head`.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
