//! Why did the wire fail? One answer for every channel, read from the types in the error's chain of causes.
//!
//! It refuses to look at error texts: they change with the libraries, and they carry URLs with tokens in them. What
//! comes out is a [`Reason`] of the closed list and nothing else, so no secret can get through.

use std::error::Error;
use std::io;

use crate::domain::outbox::Reason;

/// An error and everything that caused it, outermost first.
///
/// An I/O error hides what it wraps from `source()`; the wrapped error is where TLS libraries put theirs, so it is
/// looked into here.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// Why an exchange failed below the level of the protocol.
pub(super) fn reason_of(error: &(dyn Error + 'static)) -> Reason {
    if causes(error).any(|cause| cause.is::<rustls::Error>()) {
        return Reason::Tls;
    }
    let timed_out = |cause: &io::Error| cause.kind() == io::ErrorKind::TimedOut;
    if causes(error).filter_map(|cause| cause.downcast_ref()).any(timed_out) {
        return Reason::Timeout;
    }
    Reason::Connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_reason_is_found_however_deep_it_is_wrapped() {
        let tls = || rustls::Error::HandshakeNotComplete;
        let cases: [(io::Error, Reason); 5] = [
            (io::ErrorKind::ConnectionRefused.into(), Reason::Connection),
            (io::ErrorKind::UnexpectedEof.into(), Reason::Connection),
            (io::ErrorKind::TimedOut.into(), Reason::Timeout),
            (io::Error::other(tls()), Reason::Tls),
            (io::Error::other(io::Error::other(tls())), Reason::Tls),
        ];
        for (error, expected) in cases {
            let text = error.to_string();
            assert_eq!(reason_of(&Outer(error)), expected, "{text}");
        }
    }
}
