//! Every channel against receivers that behave, refuse, wait and misbehave.
//!
//! What all channels must do alike stands in [`conformance`], once; what only one of them can be asked stands in its
//! own file.

/// The same questions to every channel.
mod conformance;
/// What only a mail channel can be asked.
mod email;
/// Receivers on bare sockets.
pub(crate) mod receiver;
/// What only a Telegram channel can be asked.
mod telegram;
/// Certificates that no machine should trust.
mod tls;
/// What only a webhook can be asked, hostile receivers above all.
mod webhook;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posbell::domain::event::{DeliveryId, Severity};
use posbell::domain::message::Text;
use posbell::domain::model::ChannelName;
use posbell::edge::channel::Outgoing;
use tracing::subscriber::DefaultGuard;

/// For receivers that answer: a machine under load must not make a test fail.
const LONG: Duration = Duration::from_secs(30);

/// For receivers that never answer: all of it is waited for.
const SHORT: Duration = Duration::from_millis(300);

/// A message that says the same at every call.
fn outgoing() -> Outgoing {
    let recipient = "accountant@example.com";
    Outgoing {
        delivery: DeliveryId::of(&ChannelName::new("test").expect("is a name"), Some(recipient), &[]),
        id: "evt_0123456789abcdef0123456789abcdef".to_owned(),
        body: r#"{"type":"stock.out","data":{"product":{"name":"น้ำดื่ม 600 มล."}}}"#.to_owned(),
        text: Text {
            title: "ของหมด: น้ำดื่ม".to_owned(), body: "เหลือ 0".to_owned()
        },
        recipient: Some(recipient.to_owned()),
        severity: Severity::Critical,
        at: "2026-01-15T09:30:00Z".parse().expect("is a time"),
    }
}

/// Everything that this thread logs, at every level, until this is dropped.
struct Log {
    written: Written,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn keep() -> Self {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// What was logged up to now.
    fn text(&self) -> String {
        // Else a log that keeps nothing would pass for one with nothing to keep.
        tracing::trace!("the log is kept");
        let bytes = self.written.0.lock().expect("no test panics with the lock").clone();
        let text = String::from_utf8(bytes).expect("a log is text");
        assert!(text.contains("the log is kept"));
        text
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics with the lock").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
