//! The integration tests, in one binary so that the crates are linked once.

// Says to clippy that the functions beside the tests are test code too, where `unwrap` is the right word.
#![cfg(test)]

/// A catalogue of what the API may get wrong, in shops of four sizes: nothing of it makes an event.
mod bad;
/// Whether every channel tells apart, in the same words, what a receiver may do.
mod channel;
/// What `posbell check` finds before it is too late, and its exit status.
mod check;
/// Whether the systemd unit brings the secrets that the configuration names.
mod credentials;
/// A month of a busy shop.
mod month;
/// The client of the API against servers that answer as the real one does, or worse.
mod pospos;
/// Whether a power cut, at any moment, takes nothing that was acknowledged.
mod power;
/// The rule files that ship are made of what this version reads.
mod shipped_rules;
/// What the store promises holds across reopening, killing and many writers at once.
mod store;
/// What the other modules share.
mod support;
/// The rules of the house hold, with advice where they do not.
mod tidy;
/// The systemd unit keeps what the README promises.
mod unit_file;
/// Whole runs of the program between a simulated shop and real receivers.
mod whole;
