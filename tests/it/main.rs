//! The integration tests, in one binary so that the crates are linked once.

mod support;
