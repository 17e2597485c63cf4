//! The integration tests, in one binary so that the crates are linked once.

/// The client of the API against servers that answer as the real one does, or worse.
mod pospos;
mod support;
