//! `posbell schema`: what other programs see, for programs.

use clap::ValueEnum;

use super::{Failure, out};
use crate::domain::event::SCHEMA;

/// Of what there is a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Name {
    /// One event: the body of a webhook, and a line of `posbell events --json`
    Event,
}

pub(super) fn schema(name: Name) -> Result<(), Failure> {
    match name {
        Name::Event => out::text(SCHEMA)?,
    }
    Ok(())
}
