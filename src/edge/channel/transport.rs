//! Why did the wire fail? One answer for every channel, read from the types in the error's chain of causes.
//!
//! It refuses to look at error texts: they change with the libraries, and they carry URLs with tokens in them. What
//! comes out is a [`Reason`] of the closed list and nothing else, so no secret can get through.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::domain::outbox::{Reason, TlsFault};

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
    if let Some(tls) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return fault_of(tls).map_or(Reason::Tls, Reason::TlsBecause);
    }
    let timed_out = |cause: &io::Error| cause.kind() == io::ErrorKind::TimedOut;
    if causes(error).filter_map(|cause| cause.downcast_ref()).any(timed_out) {
        return Reason::Timeout;
    }
    Reason::Connection
}

/// Why a handshake failed, as far as a person can do something about it.
fn fault_of(error: &rustls::Error) -> Option<TlsFault> {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => Some(TlsFault::UnknownIssuer),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Some(TlsFault::Expired),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Some(TlsFault::NotYetValid),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Some(TlsFault::WrongName)
            }
            CertificateError::Revoked => Some(TlsFault::Revoked),
            // A certificate that signs itself and is no CA: common where somebody made one by hand.
            CertificateError::Other(_) if error.to_string().contains("CaUsedAsEndEntity") => {
                Some(TlsFault::UnknownIssuer)
            }
            _ => None,
        },
        // What came first was no record of TLS.
        rustls::Error::InvalidMessage(_) => Some(TlsFault::NoTls),
        _ => None,
    }
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
        let unknown = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let cases: [(io::Error, Reason); 6] = [
            (io::ErrorKind::ConnectionRefused.into(), Reason::Connection),
            (io::ErrorKind::UnexpectedEof.into(), Reason::Connection),
            (io::ErrorKind::TimedOut.into(), Reason::Timeout),
            (io::Error::other(unknown()), Reason::TlsBecause(TlsFault::UnknownIssuer)),
            (io::Error::other(tls()), Reason::Tls),
            (io::Error::other(io::Error::other(tls())), Reason::Tls),
        ];
        for (error, expected) in cases {
            let text = error.to_string();
            assert_eq!(reason_of(&Outer(error)), expected, "{text}");
        }
    }

    #[test]
    fn a_failed_handshake_says_what_a_person_can_mend() {
        let certificate = rustls::Error::InvalidCertificate;
        for (error, expected) in [
            (certificate(CertificateError::UnknownIssuer), Some(TlsFault::UnknownIssuer)),
            (certificate(CertificateError::Expired), Some(TlsFault::Expired)),
            (certificate(CertificateError::NotValidYet), Some(TlsFault::NotYetValid)),
            (certificate(CertificateError::NotValidForName), Some(TlsFault::WrongName)),
            (certificate(CertificateError::Revoked), Some(TlsFault::Revoked)),
            (certificate(CertificateError::BadEncoding), None),
            (rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType), Some(TlsFault::NoTls)),
            (rustls::Error::HandshakeNotComplete, None),
        ] {
            assert_eq!(fault_of(&error), expected, "{error}");
        }
    }
}
