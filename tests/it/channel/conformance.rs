//! One table for all channels: what a receiver does, and what the outbox must hear of it.
//!
//! A new channel adds a [`Kind`] and says how its foreign system plays each scene; the expectations are shared.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use posbell::domain::outbox::{Outcome, Reason};
use posbell::edge::channel::Channel;
use posbell::edge::channel::email::{Email, EmailSettings, SmtpServer};
use posbell::edge::channel::telegram::{Telegram, TelegramSettings};
use posbell::edge::channel::webhook::sign::SigningSecret;
use posbell::edge::channel::webhook::{Webhook, WebhookSettings};
use secrecy::SecretString;

use super::receiver::{Receiver, closed_port, silent_port};
use super::{LONG, Log, SHORT, outgoing};
use crate::support::smtp::{Behaviour, MailServer};
use crate::support::telegram::{Answer, BotApi};

/// Stands in every secret place of every channel's settings.
const SECRET: &str = "hunter2";

#[derive(Debug, Clone, Copy)]
enum Kind {
    Webhook,
    Email,
    Telegram,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    Takes,
    RefusesForGood,
    SaysTryLater,
    WishesToWait,
    RefusesTheLogin,
    StaysSilent,
    DoesNotListen,
}

/// Whatever plays the receiver; it plays until this is dropped.
type Stage = Box<dyn std::any::Any>;

async fn set(kind: Kind, scene: Scene) -> (Channel, Stage) {
    if scene == Scene::StaysSilent {
        let (listener, address) = silent_port().await;
        return (channel(kind, address, SHORT), Box::new(listener));
    }
    if scene == Scene::DoesNotListen {
        let (socket, address) = closed_port();
        return (channel(kind, address, LONG), Box::new(socket));
    }
    let (address, stage): (SocketAddr, Stage) = match kind {
        Kind::Webhook => {
            let (status, headers) = match scene {
                Scene::Takes => (204, ""),
                Scene::RefusesForGood => (400, ""),
                Scene::WishesToWait => (503, "retry-after: 7\r\n"),
                Scene::RefusesTheLogin => (401, ""),
                _ => (500, ""),
            };
            let receiver = Receiver::with_status(status, headers).await;
            (receiver.address(), Box::new(receiver))
        }
        Kind::Email => {
            let password = if scene == Scene::RefusesTheLogin { "another" } else { SECRET };
            let server = MailServer::with_login("user", password).await;
            server.behave(match scene {
                Scene::RefusesForGood => Behaviour::RefuseRecipients,
                Scene::SaysTryLater | Scene::WishesToWait => Behaviour::TryLater,
                _ => Behaviour::Take,
            });
            (server.address(), Box::new(server))
        }
        Kind::Telegram => {
            let api = BotApi::start().await;
            api.answer(match scene {
                Scene::Takes => Answer::Take,
                Scene::RefusesForGood => Answer::Error(403, "Forbidden: bot was blocked by the user"),
                Scene::WishesToWait => Answer::TooMany(7),
                Scene::RefusesTheLogin => Answer::Error(401, "Unauthorized"),
                _ => Answer::Error(500, "Internal Server Error"),
            });
            (api.address(), Box::new(api))
        }
    };
    (channel(kind, address, LONG), stage)
}

fn channel(kind: Kind, address: SocketAddr, timeout: Duration) -> Channel {
    match kind {
        Kind::Webhook => {
            let secret = SecretString::from(format!("whsec_{}", SECRET.repeat(8)));
            let settings = WebhookSettings {
                url: format!("http://user:{SECRET}@{address}/{SECRET}?token={SECRET}").parse().expect("is a URL"),
                secrets: vec![SigningSecret::parse(&secret).expect("is a secret")],
                headers: vec![("authorization-of-ours".to_owned(), SECRET.to_owned())],
                allow_networks: vec![IpNet::from(address.ip())],
                timeout,
            };
            Channel::Webhook(Webhook::new(settings).expect("is a webhook"))
        }
        Kind::Email => {
            let settings = EmailSettings {
                smtp: SmtpServer::parse(&format!("smtp://user@{address}")).expect("is a server"),
                password: Some(SecretString::from(SECRET)),
                from: "posbell <shop@example.com>".to_owned(),
                ehlo: None,
                timeout,
            };
            Channel::Email(Email::new(settings).expect("is a mail channel"))
        }
        Kind::Telegram => {
            let settings = TelegramSettings {
                token: SecretString::from(format!("123456789:{SECRET}")),
                chat_id: (-1001).into(),
                api_url: Some(format!("http://{address}/").parse().expect("is a URL")),
                silent: Vec::new(),
                timeout,
            };
            Channel::Telegram(Telegram::new(settings).expect("is a Telegram channel"))
        }
    }
}

/// Plays one scene before one channel. Whatever happens, the secrets are neither in the outcome nor in the log.
async fn check(kind: Kind, scene: Scene, expected: Outcome) {
    let log = Log::keep();
    let (channel, _stage) = set(kind, scene).await;
    let outcome = channel.send(&outgoing()).await;
    assert_eq!(outcome.clone().saying(None), expected, "{kind:?}: {scene:?}");

    let told = format!("{outcome:?} {}", log.text());
    let logins = ["user:hunter2", "\0user\0hunter2"].map(|login| STANDARD.encode(login));
    for secret in [SECRET, &logins[0], &logins[1]] {
        assert!(!told.contains(secret), "{kind:?}: {scene:?}: {told}");
    }
}

fn retry(reason: Reason) -> Outcome {
    Outcome::retry(reason)
}

fn rejected(reason: Reason) -> Outcome {
    Outcome::rejected(reason)
}

#[tokio::test]
async fn every_channel_delivers() {
    for kind in [Kind::Webhook, Kind::Email, Kind::Telegram] {
        check(kind, Scene::Takes, Outcome::Delivered).await;
    }
}

#[tokio::test]
async fn a_refusal_for_good_is_rejected() {
    check(Kind::Webhook, Scene::RefusesForGood, rejected(Reason::Status(400))).await;
    check(Kind::Email, Scene::RefusesForGood, rejected(Reason::RecipientRefused)).await;
    check(Kind::Telegram, Scene::RefusesForGood, rejected(Reason::RecipientRefused)).await;
}

#[tokio::test]
async fn a_refused_login_is_rejected() {
    check(Kind::Webhook, Scene::RefusesTheLogin, rejected(Reason::Status(401))).await;
    check(Kind::Email, Scene::RefusesTheLogin, rejected(Reason::Unauthorized)).await;
    check(Kind::Telegram, Scene::RefusesTheLogin, rejected(Reason::Unauthorized)).await;
}

#[tokio::test]
async fn what_may_be_taken_later_is_tried_again() {
    check(Kind::Webhook, Scene::SaysTryLater, retry(Reason::Status(500))).await;
    check(Kind::Email, Scene::SaysTryLater, retry(Reason::MailLater(451))).await;
    check(Kind::Telegram, Scene::SaysTryLater, retry(Reason::Status(500))).await;
}

#[tokio::test]
async fn a_wish_to_wait_is_passed_on() {
    let wish = |reason| Outcome::retry_after(reason, Duration::from_secs(7));
    check(Kind::Webhook, Scene::WishesToWait, wish(Reason::Status(503))).await;
    check(Kind::Telegram, Scene::WishesToWait, wish(Reason::Status(429))).await;
    // SMTP has no words for it.
    check(Kind::Email, Scene::WishesToWait, retry(Reason::MailLater(451))).await;
}

#[tokio::test]
async fn a_silent_receiver_costs_the_timeout_and_no_more() {
    for kind in [Kind::Webhook, Kind::Email, Kind::Telegram] {
        check(kind, Scene::StaysSilent, retry(Reason::Timeout)).await;
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_listen_is_tried_again() {
    for kind in [Kind::Webhook, Kind::Email, Kind::Telegram] {
        check(kind, Scene::DoesNotListen, retry(Reason::Connection)).await;
    }
}
