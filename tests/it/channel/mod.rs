//! Every channel against receivers that behave, refuse, wait and misbehave.
//!
//! What all channels must do alike stands in [`conformance`], once; what only one of them can be asked stands in its
//! own file.

/// The same questions to every channel.
mod conformance;
/// What only a mail channel can be asked.
mod email;
/// Receivers on bare sockets.
mod receiver;
/// What only a Telegram channel can be asked.
mod telegram;
/// What only a webhook can be asked, hostile receivers above all.
mod webhook;

use std::time::Duration;

use posbell::domain::event::DeliveryId;
use posbell::domain::message::Text;
use posbell::domain::model::ChannelName;
use posbell::edge::channel::Outgoing;

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
        at: "2026-01-15T09:30:00Z".parse().expect("is a time"),
    }
}
