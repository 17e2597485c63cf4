//! Logs: to standard error, as text or, where asked for, as JSON. A log that cannot be written stops nothing.
//!
//! A thread of its own writes the lines. Where the reader pauses, so many lines wait and what comes then is dropped and
//! counted; an error of standard error is a dropped line too. In the journal each line carries its level, so that
//! `journalctl -p warning` finds warnings.
//!
//! The environment variable `POSBELL_LOG` says how much: `debug`, or a filter such as `posbell=debug,warn`. Libraries
//! below are heard from `warn` on only, because some print addresses.

use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing::{Level, Metadata, debug, error};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What is logged unless `POSBELL_LOG` says otherwise.
const STANDARD: &str = "warn,posbell=info";

/// How many lines may wait for the reader: some hundred kilobytes.
const LINES_WAITING: usize = 1_024;

/// How long the end of the process waits for the lines that still wait.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How many lines could not be written since the start.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Where the lines go; set once.
static LINES: OnceLock<SyncSender<ToWrite>> = OnceLock::new();

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people, and for the journal with its levels.
    #[default]
    Text,
    /// One JSON object a line, for what collects logs.
    Json,
}

/// What the writing thread is handed.
enum ToWrite {
    Line(Vec<u8>),
    /// Answer when everything before is written.
    Flush(SyncSender<()>),
}

/// Starts logging; the second call in a process changes nothing.
pub fn start(filter: Option<&str>, format: LogFormat) {
    let filter = filter.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new(STANDARD));
    let (sender, lines) = sync_channel(LINES_WAITING);
    // Without the thread every line is dropped, and counted.
    drop(std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&lines)));
    drop(LINES.set(sender));
    let to_journal = is_journal() && format == LogFormat::Text;
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).log_internal_errors(false);
    let logs =
        logs.with_ansi(io::stderr().is_terminal() && format == LogFormat::Text).with_writer(Lines { to_journal });
    // An error means that the process logs already.
    match format {
        LogFormat::Json => drop(logs.json().flatten_event(true).try_init()),
        // The journal has times of its own.
        LogFormat::Text if to_journal => drop(logs.without_time().with_level(false).try_init()),
        LogFormat::Text => drop(logs.try_init()),
    }
    std::panic::set_hook(Box::new(|panic| {
        let line = panic_line(panic.location(), panic.payload());
        match std::thread::current().name().is_some_and(|name| MAY_PANIC.contains(&name)) {
            true => debug!("{line}"),
            false => error!("{line}; please report it"),
        }
    }));
}

/// Threads on which sled opens and closes files: on a disk that fails or files that are damaged it panics there, and who
/// waits for the thread says what that means.
const MAY_PANIC: [&str; 2] = ["opening", "closing"];

/// What is logged of a panic. The usual text waits for a reader that pauses, and one that was formatted may quote a row.
fn panic_line(place: Option<&std::panic::Location<'_>>, payload: &dyn std::any::Any) -> String {
    let place = place.map(ToString::to_string).unwrap_or_default();
    let text = payload.downcast_ref::<&str>().map(|text| format!(" ({text})")).unwrap_or_default();
    format!("posbell has panicked at {place}{text}")
}

/// How many lines could not be written since the start.
pub fn dropped() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}

/// Waits a moment until what was logged is written.
pub fn finish() {
    let Some(sender) = LINES.get() else { return };
    let (done, written) = sync_channel(1);
    if sender.try_send(ToWrite::Flush(done)).is_ok() {
        // An error means that the reader pauses for good.
        let _ = written.recv_timeout(LAST_LINES);
    }
}

fn write(lines: &Receiver<ToWrite>) {
    for line in lines {
        match line {
            ToWrite::Line(line) => {
                if io::stderr().write_all(&line).is_err() {
                    DROPPED.fetch_add(1, Ordering::Relaxed);
                }
            }
            ToWrite::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Whether standard error is the journal's, as systemd says in `JOURNAL_STREAM` (`device:inode`).
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(known) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", known.dev(), known.ino())
}

/// Makes a line for each event.
struct Lines {
    to_journal: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { text: Vec::new() }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        let text = if self.to_journal { priority(*metadata.level()).as_bytes().to_vec() } else { Vec::new() };
        Line { text }
    }
}

/// The level as systemd reads it at the beginning of a line; see sd-daemon(3).
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

/// One line in the making. It is handed on when it is dropped.
struct Line {
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let line = ToWrite::Line(std::mem::take(&mut self.text));
        let sent = LINES.get().map(|lines| lines.try_send(line));
        if !matches!(sent, Some(Ok(()))) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_logged_by_its_place_and_quotes_no_row() {
        let place = std::panic::Location::caller();
        let line = panic_line(Some(place), &"is never empty");
        assert_eq!(line, format!("posbell has panicked at {place} (is never empty)"));
        let quoting = panic_line(Some(place), &format!("byte index 1 is no boundary; it is inside of `{}`", "สมชาย"));
        assert_eq!(quoting, format!("posbell has panicked at {place}"));
    }
}
