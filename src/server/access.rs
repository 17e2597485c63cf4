//! Who may ask what at the admin address. The caller's own address says nothing about him: another user of this machine
//! and a proxy on it come from loopback too.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};

/// What outside monitors ask: kinds, ids, names and times, and no row.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/api/v1/problems"];

/// What a request without the token is answered.
const NEEDS_TOKEN: &str = "this needs the token: `authorization: Bearer TOKEN`, with what is in `admin-token` in the data \
                           directory or in the `token_file` of the configuration; the commands of posbell need none on \
                           this machine\n";

/// What a request is checked against.
#[derive(Debug, Clone)]
pub struct Access {
    /// The address that is listened on.
    pub listen: SocketAddr,
    /// What must be shown for everything but what outside monitors ask.
    pub token: SecretString,
}

pub(super) async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    if !access.is_own_host(request.headers()) {
        return (StatusCode::MISDIRECTED_REQUEST, "this is not the address that posbell listens on\n").into_response();
    }
    let is_open = OPEN.contains(&request.uri().path()) && matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_open && !access.shows_token(request.headers()) {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], NEEDS_TOKEN).into_response();
    }
    next.run(request).await
}

impl Access {
    /// Whether `Host` is the listen address or a loopback name. A name that someone points at this machine is
    /// neither: that is how a page elsewhere would reach in (DNS rebinding).
    fn is_own_host(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
        if host.parse::<SocketAddr>() == Ok(self.listen) {
            return true;
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse::<u16>().ok()),
            _ => (host, Some(80)),
        };
        let loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
        // An address of all interfaces is reached under whichever of them the caller knows, by number only.
        let by_number =
            self.listen.ip().is_unspecified() && name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        port == Some(self.listen.port()) && (loopback || by_number)
    }

    fn shows_token(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        equal(shown.as_bytes(), self.token.expose_secret().as_bytes())
    }
}

/// Compares digests, so that the time it takes says nothing about where two tokens differ.
fn equal(a: &[u8], b: &[u8]) -> bool {
    let digest = |bytes| ring::digest::digest(&ring::digest::SHA256, bytes);
    !b.is_empty() && digest(a).as_ref() == digest(b).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(listen: &str, host: &str) -> bool {
        let access = Access { listen: listen.parse().expect("is an address"), token: SecretString::from("t") };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("is a value"));
        access.is_own_host(&headers)
    }

    #[test]
    fn only_its_own_names_are_answered() {
        for (listen, host, answered) in [
            ("127.0.0.1:8787", "127.0.0.1:8787", true),
            ("127.0.0.1:8787", "localhost:8787", true),
            ("127.0.0.1:8787", "[::1]:8787", true),
            ("[::1]:8787", "[::1]:8787", true),
            ("127.0.0.1:8787", "localhost:80", false),
            ("127.0.0.1:8787", "evil.example:8787", false),
            ("127.0.0.1:8787", "127.0.0.1.evil.example:8787", false),
            ("192.168.1.5:8787", "192.168.1.5:8787", true),
            ("0.0.0.0:8787", "192.168.1.5:8787", true),
            ("0.0.0.0:8787", "evil.example:8787", false),
        ] {
            assert_eq!(own(listen, host), answered, "{host} on {listen}");
        }
    }

    #[test]
    fn an_empty_token_opens_nothing() {
        assert!(!equal(b"", b""));
        assert!(equal(b"token", b"token"));
        assert!(!equal(b"token", b"Token"));
    }
}
