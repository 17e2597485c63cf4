//! Why a handshake fails: receivers with certificates that no machine should trust.
//!
//! The keys in `fixtures/tls` belong to nothing but these tests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use posbell::domain::outbox::{Outcome, Reason, TlsFault};
use posbell::edge::channel::email::{Email, EmailSettings, SmtpServer};
use posbell::edge::channel::telegram::{Telegram, TelegramSettings};
use posbell::edge::channel::webhook::{Webhook, WebhookSettings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use secrecy::SecretString;

use super::{LONG, outgoing};

/// Listens with this certificate and completes as many handshakes as come to it. The thread ends with the test's process.
fn listen(certificate: &str, key: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("is bound");
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("is a certificate");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("is a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("knows TLS").with_no_client_auth().with_single_cert(vec![certificate], key);
    let config = Arc::new(config.expect("fits"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut connection = ServerConnection::new(Arc::clone(&config)).expect("begins");
            // The client hangs up when it has seen the certificate.
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
        }
    });
    address
}

/// What each kind of channel says of a receiver there.
async fn outcomes(address: SocketAddr) -> Vec<Outcome> {
    let webhook = Webhook::new(WebhookSettings {
        url: format!("https://{address}/").parse().expect("is a URL"),
        secrets: Vec::new(),
        headers: Vec::new(),
        allow_networks: vec!["127.0.0.0/8".parse().expect("is a network")],
        timeout: LONG,
    });
    let email = Email::new(EmailSettings {
        smtp: SmtpServer::parse(&format!("smtps://{address}")).expect("is a server"),
        password: None,
        from: "shop@example.com".to_owned(),
        ehlo: None,
        timeout: LONG,
    });
    let telegram = Telegram::new(TelegramSettings {
        token: SecretString::from("123456789:AbC-dEf"),
        chat_id: (-1001).into(),
        api_url: Some(format!("https://{address}/").parse().expect("is a URL")),
        silent: Vec::new(),
        timeout: LONG,
    });
    vec![
        webhook.expect("is a webhook").send(&outgoing()).await,
        email.expect("is a mail channel").send(&outgoing()).await,
        telegram.expect("is a Telegram channel").send(&outgoing()).await,
    ]
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_told_by_what_is_wrong_with_it() {
    let key = include_str!("../fixtures/tls/key.pem");
    for (certificate, key, fault) in [
        (include_str!("../fixtures/tls/unknown-issuer.pem"), key, TlsFault::UnknownIssuer),
        (include_str!("../fixtures/tls/expired.pem"), key, TlsFault::Expired),
        (include_str!("../fixtures/tls/not-yet-valid.pem"), key, TlsFault::NotYetValid),
        (
            include_str!("../fixtures/tls/signs-itself.pem"),
            include_str!("../fixtures/tls/signs-itself.key.pem"),
            TlsFault::UnknownIssuer,
        ),
    ] {
        for outcome in outcomes(listen(certificate, key)).await {
            assert_eq!(outcome, Outcome::retry(Reason::TlsBecause(fault)));
        }
    }
}
