//! Logs: to standard error, as text for a person on a terminal and as JSON for whatever collects them otherwise.
//!
//! Under systemd both reach the journal. The environment variable `POSBELL_LOG` says how much: `debug`, or a filter
//! such as `posbell=debug,warn`. Libraries below are heard from `warn` on only, because some print addresses.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What is logged unless `POSBELL_LOG` says otherwise.
const STANDARD: &str = "warn,posbell=info";

/// Starts logging; the second call in a process changes nothing.
pub fn start(filter: Option<&str>) {
    let filter = filter.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(STANDARD));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // An error means that the process logs already.
    if std::io::stderr().is_terminal() {
        drop(logs.try_init());
    } else {
        drop(logs.with_ansi(false).json().flatten_event(true).try_init());
    }
}
