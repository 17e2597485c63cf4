//! The integration tests, in one binary so that the crates are linked once.

/// Whether every channel tells apart, in the same words, what a receiver may do.
mod channel;
mod support;
