//! Nothing answers where the service should: it does not run, and this user may not look into its data.

use std::path::Path;

use super::Failure;
use crate::edge::store::denied;

/// The same failure, in words where the service could not be connected to.
pub(super) fn in_words(failure: Failure, data_dir: &Path) -> Failure {
    match failure {
        Failure::Failed(error) if has_no_connection(&error) => {
            let dir = data_dir.display();
            let data = denied(data_dir).map(|why| format!(". Its data in {dir} cannot be read here: {why}"));
            Failure::Failed(anyhow::anyhow!(
                "the service does not run, or cannot be asked ({error}: nothing answers){}",
                data.unwrap_or_default()
            ))
        }
        other => other,
    }
}

fn has_no_connection(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect))
}
