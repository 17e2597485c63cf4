//! Mails and the replies that only a mail server gives.

use base64::Engine as _;
use posbell::domain::outbox::{Outcome, Reason, TlsFault};
use posbell::edge::channel::email::{Email, EmailSettings, SmtpServer};
use secrecy::SecretString;

use super::receiver::silent_port;
use super::{LONG, Log, SHORT, outgoing};
use crate::support::raw_smtp::{RawSmtp, Says, ordinary};
use crate::support::smtp::{Behaviour, MailServer};

fn email(smtp: &str, password: Option<&str>) -> Email {
    Email::new(settings(smtp, password)).expect("is a mail channel")
}

fn settings(smtp: &str, password: Option<&str>) -> EmailSettings {
    EmailSettings {
        smtp: SmtpServer::parse(smtp).expect("is a server"),
        password: password.map(SecretString::from),
        from: "ร้านตัวอย่าง <shop@example.com>".to_owned(),
        ehlo: None,
        timeout: LONG,
    }
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
        ehlo: None,
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

/// `ไม่มีกล่องจดหมายนี้` as an older Thai server writes it.
const THAI: &[u8] = b"\xe4\xc1\xe8\xc1\xd5\xa1\xc5\xe8\xcd\xa7\xa8\xb4\xcb\xc1\xd2\xc2\xb9\xd5\xe9";

fn line(code: &str, words: &[u8]) -> Vec<u8> {
    [code.as_bytes(), words, b"\r\n"].concat()
}

/// A server that says these bytes to the lines that begin so, and to all others what an ordinary one does.
async fn saying(to: &'static str, says: Says) -> RawSmtp {
    RawSmtp::start(move |line| match to {
        "" if line.is_empty() => says.clone(),
        to if !to.is_empty() && line.starts_with(to) => says.clone(),
        _ => ordinary(line),
    })
    .await
}

#[tokio::test]
async fn the_code_of_a_reply_counts_in_whatever_charset_its_words_are() {
    let refused = || Outcome::rejected(Reason::RecipientRefused);
    let said = "550 5.1.1 ไม่มีกล่องจดหมายนี้".to_owned();
    for (to, code, expected) in [
        ("", "220 ", Outcome::Delivered),
        ("EHLO", "250 ", Outcome::Delivered),
        ("MAIL", "250 2.1.0 ", Outcome::Delivered),
        ("RCPT", "250 2.1.5 ", Outcome::Delivered),
        ("RCPT", "550 5.1.1 ", refused().saying(Some(said))),
        ("DATA", "354 ", Outcome::Delivered),
        (".", "250 2.0.0 ", Outcome::Delivered),
    ] {
        let server = saying(to, Says::Bytes(line(code, THAI))).await;
        assert_eq!(email(&server.url(), None).send(&outgoing()).await, expected, "{code} to {to:?}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn what_has_been_read_of_a_reply_counts() {
    let cut = |bytes: &str| Says::AndHangsUp(bytes.into());
    let endless = |first: &str| Says::Endless(first.into(), b"x".to_vec());
    let bad = || Outcome::retry(Reason::BadAnswer);
    let broken = || Outcome::retry(Reason::Connection);
    let refused = || Outcome::rejected(Reason::RecipientRefused);
    for (to, says, expected) in [
        (".", cut("250 2.0.0 taken"), Outcome::Delivered),
        (".", cut("250"), Outcome::Delivered),
        (".", cut("250-2.0.0 taken\r\n"), Outcome::Delivered),
        (".", endless("250 2.0.0 "), Outcome::Delivered),
        (".", Says::text("354 go on\r\n"), bad()),
        (".", cut("25"), broken()),
        (".", cut("451 4.3.0 no"), Outcome::retry(Reason::MailLater(451))),
        ("RCPT", cut("550 5.1.1 no"), refused()),
        ("RCPT", endless("550 5.1.1 "), refused()),
        ("RCPT", cut("250-2.1.5\r\n"), broken()),
        ("DATA", Says::text("250 not yet\r\n"), bad()),
        ("", cut("554 5.7.1 no"), Outcome::rejected(Reason::ServerRefused(554))),
        ("", cut(""), broken()),
        ("", endless(""), bad()),
        ("", endless("220 "), bad()),
        ("EHLO", Says::Endless(b"250-mail.test\r\n".to_vec(), b"250-AUTH PLAIN\r\n".to_vec()), bad()),
        ("EHLO", Says::Endless(Vec::new(), b"250-\r\n".to_vec()), bad()),
    ] {
        let server = saying(to, says.clone()).await;
        let outcome = email(&server.url(), None).send(&outgoing()).await;
        assert_eq!(outcome.saying(None), expected, "{says:?} to {to:?}");
    }
}

#[tokio::test]
async fn a_refusal_that_never_ends_is_heard_in_time() {
    let server = saying("RCPT", Says::text("550 5.1.1 half a li")).await;
    let outcome = email(&server.url(), None).send(&outgoing()).await;
    let expected = Outcome::rejected(Reason::RecipientRefused).saying(Some("550 5.1.1 half a li".to_owned()));
    assert_eq!(outcome, expected);
}

#[tokio::test]
async fn a_server_is_greeted_by_a_name_with_a_dot_or_by_an_address() {
    let server = RawSmtp::start(ordinary).await;
    assert_eq!(email(&server.url(), None).send(&outgoing()).await, Outcome::Delivered);
    let named = EmailSettings { ehlo: "shop.example.com".parse().ok(), ..settings(&server.url(), None) };
    assert_eq!(Email::new(named).expect("is a mail channel").send(&outgoing()).await, Outcome::Delivered);
    let heard = server.heard();
    let mut greetings = heard.iter().filter_map(|line| line.strip_prefix("EHLO "));
    let own = greetings.next().expect("is greeted");
    assert!(own == "[127.0.0.1]" || own.contains('.'), "{own}");
    assert_eq!(greetings.next(), Some("shop.example.com"));
}

#[tokio::test]
async fn a_server_that_refuses_the_greeting_is_quoted_whenever_it_says_so() {
    let words = "504 5.5.2 <till>: Helo command rejected: need fully-qualified hostname";
    for to in ["EHLO", "MAIL", "RCPT"] {
        let server = saying(to, Says::text(&format!("{words}\r\n"))).await;
        let outcome = email(&server.url(), None).send(&outgoing()).await;
        let expected = Outcome::rejected(Reason::ServerRefused(504)).saying(Some(words.to_owned()));
        assert_eq!(outcome, expected, "{to}");
    }
}

#[tokio::test]
async fn a_login_goes_step_by_step_in_whatever_words_it_is_asked_for() {
    let says = |line: &str| match line {
        line if line.starts_with("EHLO") => Says::text("250-mail.test\r\n250 auth login\r\n"),
        "AUTH LOGIN" => Says::Bytes(self::line("334 ", THAI)),
        "dXNlcg==" => Says::text("334 UGFzc3dvcmQgcGxlYXNl\r\n"),
        "aHVudGVyMg==" => Says::text("235 2.7.0 ok\r\n"),
        line => ordinary(line),
    };
    let server = RawSmtp::start(says).await;
    let with_user = server.url().replace("smtp://", "smtp://user@");
    assert_eq!(email(&with_user, Some("hunter2")).send(&outgoing()).await, Outcome::Delivered);
    let heard = server.heard();
    assert_eq!(heard[1..4], ["AUTH LOGIN", "dXNlcg==", "aHVudGVyMg=="], "{heard:?}");
}

#[tokio::test]
async fn nothing_that_was_said_in_the_clear_is_believed_behind_starttls() {
    let says = |line: &str| match line {
        line if line.starts_with("EHLO") => Says::text("250-mail.test\r\n250 STARTTLS\r\n"),
        "STARTTLS" => Says::text("220 go on\r\n250 AUTH PLAIN\r\n"),
        line => ordinary(line),
    };
    let server = RawSmtp::start(says).await;
    let outcome = email(&format!("{}?tls=required", server.url()), None).send(&outgoing()).await;
    assert_eq!(outcome, Outcome::retry(Reason::BadAnswer));
}
