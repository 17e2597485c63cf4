//! `posbell demo`.

use clap::Args;

use super::Failure;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {}

pub(super) fn demo(_args: &DemoArgs) -> Result<(), Failure> {
    Ok(())
}
