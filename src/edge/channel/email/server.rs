//! Which mail server, and how safe is the way to it? Reads the `smtp` line of a channel.
//!
//! The URL is read here and not by the mail library, which knows no `tls=none`. It refuses every line that would carry
//! a login in the clear to another machine: `opportunistic` counts as clear, because whoever listens on the way can
//! also strike the offer of TLS out of the conversation.

use std::fmt;

use url::{Host, Url, form_urlencoded};

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// `smtps://`: TLS from the first byte.
    Wrapped,
    /// `tls=required`: STARTTLS, or nothing is said.
    Required,
    /// `tls=opportunistic`: STARTTLS where it is offered.
    Opportunistic,
    /// `tls=none`: in the clear.
    None,
}

/// What an `smtp` line says.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpServer {
    /// The name that is looked up and that the certificate must bear, or a literal address.
    pub host: String,
    /// Where it listens: 465 for `smtps`, 587 for STARTTLS, 25 in the clear, if the line does not say.
    pub port: u16,
    /// How the way is protected.
    pub security: Security,
    /// Who logs in; nobody, if the line does not say.
    pub user: Option<String>,
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpServer({}:{}, {:?})", self.host, self.port, self.security)
    }
}

/// An `smtp` line that cannot be used. Never repeats the line, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSmtpLine {
    /// Not an URL of the two schemes with a host and nothing behind it.
    #[error("must be smtps://[user@]host[:port] or smtp://[user@]host[:port]?tls=required")]
    Form,
    /// `tls=` with another word, twice, or on `smtps`.
    #[error("tls is none, opportunistic or required, and only for smtp://")]
    Tls,
    /// A query parameter other than `tls`.
    #[error("`{0}` is unknown; only tls can be given")]
    UnknownParameter(String),
    /// The password stands in the line.
    #[error("the password does not belong into the address: give it as password_file")]
    PasswordInLine,
    /// A login over a way that others can read.
    #[error("a login needs TLS unless the server is on this machine: use smtps:// or add ?tls=required")]
    LoginInTheClear,
}

impl SmtpServer {
    /// Reads `smtps://user@host:465` or `smtp://host:587?tls=required`.
    pub fn parse(line: &str) -> Result<Self, BadSmtpLine> {
        let url = Url::parse(line).map_err(|_| BadSmtpLine::Form)?;
        if url.password().is_some() {
            return Err(BadSmtpLine::PasswordInLine);
        }
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(BadSmtpLine::Form);
        }
        // Only for the web's own schemes does `Url` itself tell names from addresses.
        let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| BadSmtpLine::Form)?;
        let security = security(&url)?;
        let user = user(&url);
        let clear = matches!(security, Security::Opportunistic | Security::None);
        if user.is_some() && clear && !on_this_machine(&host) {
            return Err(BadSmtpLine::LoginInTheClear);
        }
        let usual_port = match security {
            Security::Wrapped => 465,
            Security::Required | Security::Opportunistic => 587,
            Security::None => 25,
        };
        let host = match host {
            Host::Domain(name) => name,
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        Ok(Self { host, port: url.port().unwrap_or(usual_port), security, user })
    }
}

fn security(url: &Url) -> Result<Security, BadSmtpLine> {
    let mut tls = None;
    for (name, value) in url.query_pairs() {
        if name != "tls" {
            return Err(BadSmtpLine::UnknownParameter(name.into_owned()));
        }
        if tls.replace(value).is_some() {
            return Err(BadSmtpLine::Tls);
        }
    }
    match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => Ok(Security::Wrapped),
        ("smtp", Some("required")) => Ok(Security::Required),
        ("smtp", Some("opportunistic")) => Ok(Security::Opportunistic),
        ("smtp", Some("none") | None) => Ok(Security::None),
        ("smtp" | "smtps", Some(_)) => Err(BadSmtpLine::Tls),
        _ => Err(BadSmtpLine::Form),
    }
}

/// The user name with its `%40` and the like undone.
fn user(url: &Url) -> Option<String> {
    // The decoder is the one for forms, where `+` is a space and `&` ends a value; in a user name they are themselves.
    let written = url.username().replace('+', "%2B").replace('&', "%26");
    form_urlencoded::parse(written.as_bytes()).next().map(|(name, _)| name.into_owned())
}

fn on_this_machine(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_server_port_protection_and_user() {
        use Security::{None as Clear, Opportunistic, Required, Wrapped};
        for (line, host, port, security, user) in [
            ("smtps://mail.example.com", "mail.example.com", 465, Wrapped, None),
            ("smtps://user@mail.example.com:465", "mail.example.com", 465, Wrapped, Some("user")),
            ("smtps://a%40b.example@mail.example.com/", "mail.example.com", 465, Wrapped, Some("a@b.example")),
            ("smtps://a@b.example@mail.example.com", "mail.example.com", 465, Wrapped, Some("a@b.example")),
            ("smtps://a+b&c=d@mail.example.com", "mail.example.com", 465, Wrapped, Some("a+b&c=d")),
            ("smtp://user@mail.example.com:2525?tls=required", "mail.example.com", 2525, Required, Some("user")),
            ("smtp://mail.example.com?tls=required", "mail.example.com", 587, Required, None),
            ("smtp://mail.example.com?tls=opportunistic", "mail.example.com", 587, Opportunistic, None),
            ("smtp://mail.example.com?tls=none", "mail.example.com", 25, Clear, None),
            ("smtp://mail.example.com", "mail.example.com", 25, Clear, None),
            ("smtp://user@localhost:1025", "localhost", 1025, Clear, Some("user")),
            ("smtp://user@127.0.0.1?tls=opportunistic", "127.0.0.1", 587, Opportunistic, Some("user")),
            ("smtp://user@[::1]:25", "::1", 25, Clear, Some("user")),
        ] {
            let expected = SmtpServer { host: host.to_owned(), port, security, user: user.map(str::to_owned) };
            assert_eq!(SmtpServer::parse(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_unclear_or_unsafe_is_refused() {
        for (line, expected) in [
            ("", BadSmtpLine::Form),
            ("mail.example.com:465", BadSmtpLine::Form),
            ("https://mail.example.com", BadSmtpLine::Form),
            ("smtps://", BadSmtpLine::Form),
            ("smtps://mail.example.com/ehlo", BadSmtpLine::Form),
            ("smtp://mail.example.com?tls=yes", BadSmtpLine::Tls),
            ("smtp://mail.example.com?tls=none&tls=required", BadSmtpLine::Tls),
            ("smtps://mail.example.com?tls=none", BadSmtpLine::Tls),
            ("smtps://mail.example.com?timeout=5", BadSmtpLine::UnknownParameter("timeout".to_owned())),
            ("smtps://user:hunter2@mail.example.com", BadSmtpLine::PasswordInLine),
            ("smtp://user@mail.example.com", BadSmtpLine::LoginInTheClear),
            ("smtp://user@mail.example.com?tls=opportunistic", BadSmtpLine::LoginInTheClear),
            ("smtp://user@192.168.1.5?tls=none", BadSmtpLine::LoginInTheClear),
            ("smtp://user@localhost.example.com", BadSmtpLine::LoginInTheClear),
        ] {
            assert_eq!(SmtpServer::parse(line), Err(expected), "{line}");
        }
    }
}
