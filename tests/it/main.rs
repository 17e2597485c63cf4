//! The integration tests, in one binary so that the crates are linked once.

/// What the other modules share.
mod support;
/// The systemd unit keeps what the README promises.
mod unit_file;
