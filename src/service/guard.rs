//! A message that cannot be read, worded or sent without a panic costs itself alone.
//!
//! What is stored is read again after each start: a panic that ended the process would end it at each start, and a
//! restored copy has the same message in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::error;

use super::ready::ReadyChannel;
use crate::domain::event::Event;
use crate::domain::outbox::{Outcome, Reason};
use crate::edge::channel::Outgoing;

/// What `work` returns; `None` where it panics. Nothing that it changes may be used after that.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// The event that a stored JSON is; `None` where this version cannot read it.
pub fn read_event(json: &str) -> Option<Event> {
    guarded(|| Event::from_json(json).ok()).flatten()
}

/// One attempt to send what `write` makes. A panic of either rejects it.
pub(super) async fn send(channel: &Arc<ReadyChannel>, write: impl FnOnce() -> Outgoing + Send + 'static) -> Outcome {
    let mut sending = JoinSet::new();
    let of_task = Arc::clone(channel);
    sending.spawn(async move { of_task.channel.send(&write()).await });
    match sending.join_next().await {
        Some(Ok(outcome)) => outcome,
        _ => {
            error!(channel.name = %channel.name, "a message to {} has panicked; please report it", channel.name);
            Outcome::rejected(Reason::Unsendable("posbell failed while writing it".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::event::{DeliveryId, Severity};
    use crate::domain::message::Text;
    use crate::domain::model::{ChannelName, Timestamp};
    use crate::domain::outbox::RetryPolicy;
    use crate::edge::channel::Channel;
    use crate::edge::channel::webhook::{Webhook, WebhookSettings};

    #[test]
    fn a_panic_gives_nothing_and_goes_no_further() {
        assert_eq!(guarded(|| 5), Some(5));
        assert_eq!(guarded(|| "ก".split_at(1).0.len()), None);
        assert!(read_event("no event").is_none());
    }

    #[tokio::test]
    async fn a_message_that_panics_while_it_is_worded_is_rejected() {
        let name = ChannelName::new("erp").expect("is a name");
        let settings = WebhookSettings {
            // Literal and private, so that nothing is called.
            url: "http://127.0.0.1:9/".parse().expect("is a URL"),
            secrets: Vec::new(),
            headers: Vec::new(),
            allow_networks: Vec::new(),
            timeout: Duration::from_secs(1),
        };
        let channel = Arc::new(ReadyChannel {
            name: name.clone(),
            concurrency: 1,
            retry: RetryPolicy::default(),
            rate: None,
            settings: String::new(),
            channel: Channel::Webhook(Webhook::new(settings).expect("is a webhook")),
            recipients: Vec::new(),
        });
        let good = Outgoing {
            delivery: DeliveryId::of(&name, None, &[]),
            id: "evt_1".to_owned(),
            body: "{}".to_owned(),
            text: Text::default(),
            recipient: None,
            severity: Severity::Info,
            at: Timestamp::UNIX_EPOCH,
        };
        let bad = good.clone();
        let outcome = send(&channel, move || Outgoing { id: bad.id["ก".len() + 4..].to_owned(), ..bad }).await;
        assert!(matches!(outcome, Outcome::Rejected { reason: Reason::Unsendable(_), .. }), "{outcome:?}");
        let outcome = send(&channel, move || good).await;
        assert!(matches!(outcome, Outcome::Rejected { reason: Reason::AddressRefused(_), .. }), "{outcome:?}");
    }
}
