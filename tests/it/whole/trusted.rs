//! A CA that was added to the machine is trusted by everything that posbell calls over TLS.
//!
//! `SSL_CERT_FILE` stands for the machine's own list: the same library reads both.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use posbell::domain::event::EventKind;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::raw_smtp::{Says, ordinary};
use crate::support::rig::{Rig, RigPlan, until};
use crate::support::telegram::BotApi;

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// Encrypts a connection with the certificate that the added CA has signed.
fn encrypted(stream: TcpStream) -> Tls {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../fixtures/tls/of-added-ca.pem"));
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../fixtures/tls/key.pem")).expect("is a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("knows TLS").with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.expect("is a certificate")], key).expect("fits");
    StreamOwned::new(ServerConnection::new(Arc::new(config)).expect("begins"), stream)
}

/// Hands each connection to `answer` in a thread of its own, which ends with the test's process at the latest.
fn listen(answer: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("is bound");
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client may hang up when it likes.
            std::thread::spawn(move || answer(stream).ok());
        }
    });
    address
}

/// Speaks TLS in front of an HTTP server, one request a connection.
fn https_before(server: SocketAddr) -> SocketAddr {
    listen(move |stream| {
        let mut client = BufReader::new(encrypted(stream));
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let before = head.len();
            if client.read_line(&mut head)? == 0 {
                return Ok(());
            }
            let line = head[before..].to_ascii_lowercase();
            length = line
                .strip_prefix("content-length: ")
                .map_or(length, |value| value.trim().parse().expect("is a number"));
        }
        let mut body = vec![0; length];
        client.read_exact(&mut body)?;
        let mut server = TcpStream::connect(server)?;
        server.write_all(head.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes())?;
        server.write_all(&body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        let client = client.get_mut();
        client.write_all(&answer)?;
        client.conn.send_close_notify();
        client.flush()
    })
}

type Heard = Arc<Mutex<Vec<String>>>;

/// A mail server that speaks TLS from the first byte, or from `STARTTLS` on.
fn mail_server(starttls: bool) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    let address = listen(move |mut stream| {
        if !starttls {
            return converse(&mut BufReader::new(encrypted(stream)), &kept, true);
        }
        for says in ["220 mail.test\r\n", "250-mail.test\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            stream.write_all(says.as_bytes())?;
            if !says.ends_with("go on\r\n") {
                BufReader::with_capacity(1, &stream).read_line(&mut String::new())?;
            }
        }
        converse(&mut BufReader::new(encrypted(stream)), &kept, false)
    });
    (address, heard)
}

fn converse(client: &mut BufReader<Tls>, heard: &Mutex<Vec<String>>, greet: bool) -> std::io::Result<()> {
    let mut in_text = false;
    let mut line = String::new();
    loop {
        let is_heard = !line.is_empty() && (!in_text || line == ".");
        if is_heard || (greet && line.is_empty() && !in_text) {
            in_text = line == "DATA";
            let Says::Bytes(says) = ordinary(&line) else { unreachable!("an ordinary server says bytes") };
            client.get_mut().write_all(&says)?;
        }
        let mut read = String::new();
        if client.read_line(&mut read)? == 0 {
            return Ok(());
        }
        line = read.trim_end().to_owned();
        heard.lock().expect("no test panics with the lock").push(line.clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_added_to_the_machine_is_trusted_by_all_that_is_called() {
    let bot = BotApi::start().await;
    let (wrapped, upgraded) = (mail_server(false), mail_server(true));
    let mailbox = |name: &str, smtp: String| {
        format!(
            "\n[channel.{name}]\ntype = \"email\"\nsmtp = \"{smtp}\"\nfrom = \"shop@example.com\"\n\
             to = [\"{name}@example.com\"]\n"
        )
    };
    let config = format!(
        "\n[channel.owner]\ntype = \"telegram\"\ntoken = \"123456:telegram-test-token\"\nchat_id = 5\n\
         api_url = \"https://{}/\"\n{}{}",
        https_before(bot.address()),
        mailbox("wrapped", format!("smtps://{}", wrapped.0)),
        mailbox("upgraded", format!("smtp://{}?tls=required", upgraded.0)),
    );
    let rules = "[[rule]]\nname = \"all\"\non = [\"shop.baseline\"]\nto = [\"receiver\", \"owner\", \"wrapped\", \"upgraded\"]\n";
    let rig = Rig::new(RigPlan { config, rules: rules.to_owned(), ..RigPlan::default() });
    let plain = rig.shop.base_url().to_owned();
    let shop: SocketAddr = plain.split('/').nth(2).and_then(|host| host.parse().ok()).expect("is an address");
    let encrypted = plain.replacen(&format!("http://{shop}"), &format!("https://{}", https_before(shop)), 1);
    rig.configure(&plain, &encrypted);
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/tls/added-ca.pem");
    let _service = rig.start_with(|command| {
        command.env("SSL_CERT_FILE", ca);
    });
    rig.told(EventKind::ShopBaseline).await;
    until("the chat is told", || bot.messages().len() == 1).await;
    for (_, heard) in [&wrapped, &upgraded] {
        let taken = || heard.lock().expect("no test panics with the lock").iter().any(|line| line == ".");
        until("the mail is handed over", taken).await;
    }
}
