//! The service's admin address, asked as another program would ask it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::rig::{PATIENCE, Rig};

/// Where the service listens, as its log says.
pub async fn address(rig: &Rig) -> String {
    let said = || {
        let log = rig.log();
        Some(log.split_once("the admin address is http://")?.1.split_once('/')?.0.to_owned())
    };
    super::rig::until("the admin address", || said().is_some()).await;
    said().expect("is said")
}

/// What the service has written for whoever may read its data.
pub fn token(rig: &Rig) -> String {
    std::fs::read_to_string(rig.path().join("posbell-data/admin-token")).expect("is there")
}

/// The whole answer, head and body, of a GET or a POST with this body.
pub async fn answer(rig: &Rig, request: &str, token: Option<&str>, body: &str) -> String {
    answer_at(&address(rig).await, request, token, body).await
}

/// The same where the address is known.
pub async fn answer_at(address: &str, request: &str, token: Option<&str>, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("listens");
    let mut head = format!("{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    if let Some(token) = token {
        head.push_str(&format!("authorization: Bearer {token}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len()));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.expect("writes");
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("answers in time").expect("reads");
    answer
}

/// The status and the body of a GET with the token.
pub async fn get(rig: &Rig, path: &str) -> (u16, String) {
    read(&answer(rig, &format!("GET {path}"), Some(&token(rig)), "").await)
}

/// The status and the body of a GET without it.
pub async fn get_without_token(rig: &Rig, path: &str) -> (u16, String) {
    read(&answer(rig, &format!("GET {path}"), None, "").await)
}

/// The status and the body of an answer, whose chunks are put together.
pub fn read(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("has a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("has a status");
    if !head.to_lowercase().contains("transfer-encoding: chunked") {
        return (status, body.to_owned());
    }
    let (mut whole, mut rest) = (String::new(), body);
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("is a size");
        whole.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    (status, whole)
}
