//! Mails and the replies that only a mail server gives.

use base64::Engine as _;
use posbell::domain::outbox::{Outcome, Reason, TlsFault};
use posbell::edge::channel::email::{Email, EmailSettings, SmtpServer};
use secrecy::SecretString;

use super::receiver::silent_port;
use super::{LONG, Log, SHORT, outgoing};
use crate::support::smtp::{Behaviour, MailServer};

fn email(smtp: &str, password: Option<&str>) -> Email {
    let settings = EmailSettings {
        smtp: SmtpServer::parse(smtp).expect("is a server"),
        password: password.map(SecretString::from),
        from: "ร้านตัวอย่าง <shop@example.com>".to_owned(),
        timeout: LONG,
    };
    Email::new(settings).expect("is a mail channel")
}

#[tokio::test]
async fn a_mail_arrives_with_its_headers_and_its_thai_text() {
    let server = MailServer::start().await;
    let outgoing = outgoing();
    let email = email(&server.url(), None);
    for _repeat in 0..2 {
        assert_eq!(email.send(&outgoing).await, Outcome::Delivered);
    }

    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    let mail = &mails[0];
    assert_eq!(mail, &mails[1], "a repeat is the same mail");
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("shop@example.com", ["accountant@example.com".to_owned()].as_slice())
    );
    let message_id = format!("<{}@example.com>", outgoing.delivery);
    for (name, expected) in [
        ("Message-ID", message_id.as_str()),
        ("Date", "Thu, 15 Jan 2026 09:30:00 +0000"),
        ("To", "accountant@example.com"),
        ("X-Posbell-Event", "evt_0123456789abcdef0123456789abcdef"),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "base64"),
    ] {
        assert_eq!(mail.header(name), Some(expected), "{name} in {}", mail.text);
    }
    assert!(mail.header("Subject").is_some_and(|subject| subject.starts_with("=?utf-8?b?")), "{}", mail.text);
    let body = mail.text.split("\r\n\r\n").nth(1).expect("has a body").replace("\r\n", "");
    let body = base64::engine::general_purpose::STANDARD.decode(body).expect("is base64");
    assert_eq!(String::from_utf8(body).as_deref(), Ok("ของหมด: น้ำดื่ม\r\nเหลือ 0"));
}

#[tokio::test]
async fn a_refusal_is_told_by_the_step_that_was_refused() {
    let server = MailServer::start().await;
    let email = email(&server.url(), None);
    for (behaviour, expected, code) in [
        (Behaviour::RefuseRecipients, Outcome::rejected(Reason::RecipientRefused), Some("550 ")),
        (Behaviour::RefuseText, Outcome::rejected(Reason::MailRefused(554)), Some("554 ")),
        (Behaviour::TryLater, Outcome::retry(Reason::MailLater(451)), Some("451 ")),
        (Behaviour::Take, Outcome::Delivered, None),
    ] {
        server.behave(behaviour);
        let outcome = email.send(&outgoing()).await;
        if let Some(code) = code {
            assert!(outcome.said().is_some_and(|said| said.starts_with(code)), "{outcome:?}");
        }
        assert_eq!(outcome.saying(None), expected, "{behaviour:?}");
    }
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn nothing_is_said_in_the_clear_where_tls_is_asked_for() {
    let server = MailServer::with_login("user", "hunter2").await;
    let address = server.address();
    let no_tls = Outcome::retry(Reason::TlsBecause(TlsFault::NoTls));
    // The server offers no STARTTLS, and answers a TLS greeting in plain text.
    for smtp in [format!("smtp://user@{address}?tls=required"), format!("smtps://user@{address}")] {
        assert_eq!(email(&smtp, Some("hunter2")).send(&outgoing()).await, no_tls, "{smtp}");
    }
    assert_eq!(server.mails(), []);
}

#[tokio::test]
async fn a_stalled_handshake_costs_the_timeout() {
    let (_listener, address) = silent_port().await;
    let settings = EmailSettings {
        smtp: SmtpServer::parse(&format!("smtps://{address}")).expect("is a server"),
        password: None,
        from: "shop@example.com".to_owned(),
        timeout: SHORT,
    };
    let outcome = Email::new(settings).expect("is a mail channel").send(&outgoing()).await;
    assert_eq!(outcome, Outcome::retry(Reason::Timeout));
}

#[tokio::test]
async fn a_login_that_the_server_does_not_ask_for_is_refused_and_not_forgotten() {
    let server = MailServer::start().await;
    let with_user = server.url().replace("smtp://", "smtp://user@");
    let outcome = email(&with_user, Some("hunter2")).send(&outgoing()).await;
    assert_eq!(outcome, Outcome::rejected(Reason::Unauthorized));
}

#[tokio::test]
async fn no_word_of_the_conversation_gets_into_the_log() {
    let log = Log::keep();
    let server = MailServer::with_login("user", "hunter2").await;
    assert_eq!(email(&server.url(), Some("hunter2")).send(&outgoing()).await, Outcome::Delivered);

    let logged = log.text();
    for word in ["accountant@example.com", "AUTH", "RCPT", "QUIT"] {
        assert!(!logged.contains(word), "{word} in {logged}");
    }
}
