//! Restoring, step by step.
