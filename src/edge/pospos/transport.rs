//! What broke on the way to the API and back.

use std::error::Error;
use std::io;

use super::TransportError;

/// What broke, by the chain of causes; the texts of the chain have the address in them and are dropped.
pub(super) fn transport(error: &reqwest::Error) -> TransportError {
    if error.is_timeout() {
        // The only time limit that reqwest itself was given.
        return TransportError::ConnectTimeout;
    }
    let (mut refused, mut garbled) = (false, false);
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return TransportError::Tls;
        }
        // Both types are private to the client; that the texts begin so is held by tests.
        let text = error.to_string();
        if text.starts_with("dns error") {
            return TransportError::Dns;
        }
        if text.starts_with("invalid HTTP") {
            return TransportError::NotHttp;
        }
        let system = error.downcast_ref::<io::Error>();
        let kind = system.map(io::Error::kind);
        refused |= kind == Some(io::ErrorKind::ConnectionRefused);
        garbled |= matches!(kind, Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
        // An `io::Error` hides what it wraps from `source`.
        let wrapped = system.and_then(io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as &dyn Error).or_else(|| error.source());
    }
    match error.is_connect() {
        true if refused => TransportError::Refused,
        true => TransportError::Connect,
        false if garbled => TransportError::Garbled,
        false => TransportError::Reset,
    }
}
