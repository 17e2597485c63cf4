//! By which name does posbell greet a mail server?
//!
//! RFC 5321 (4.1.4) asks for the whole name of the machine, or for its address where it has none. Most small machines
//! have a name without a dot, which strict servers refuse, so such a name is not said.

use std::net::IpAddr;
use std::str::FromStr;

use lettre::transport::smtp::extension::ClientId;

/// The longest name (RFC 1035, 2.3.4).
const LONGEST: usize = 255;

/// A name that a server may be greeted by: `shop.example.com`, `[192.0.2.1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello(ClientId);

/// A text that is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole name with a dot in it, such as shop.example.com, or an address such as [192.0.2.1]")]
pub struct NoName;

impl Hello {
    /// The name of this machine where it is a whole one, else the address that it speaks from.
    pub(super) fn of_this_machine(speaks_from: IpAddr) -> Hello {
        Hello::of(ClientId::default(), speaks_from)
    }

    fn of(machine: ClientId, speaks_from: IpAddr) -> Hello {
        match machine {
            ClientId::Domain(name) if is_whole(&name) && !is_every_machines(&name) => Hello(ClientId::Domain(name)),
            _ => Hello(literal(speaks_from)),
        }
    }

    pub(super) fn id(&self) -> ClientId {
        self.0.clone()
    }
}

impl FromStr for Hello {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Hello, NoName> {
        if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address = address.strip_prefix("IPv6:").unwrap_or(address);
            return address.parse().map(|address| Hello(literal(address))).map_err(|_| NoName);
        }
        if is_whole(text) { Ok(Hello(ClientId::Domain(text.to_owned()))) } else { Err(NoName) }
    }
}

/// As it is said.
impl std::fmt::Display for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn literal(address: IpAddr) -> ClientId {
    match address.to_canonical() {
        IpAddr::V4(ip) => ClientId::Ipv4(ip),
        IpAddr::V6(ip) => ClientId::Ipv6(ip),
    }
}

/// Whether a machine has this name that was given none of its own, or one that nobody else can look up.
fn is_every_machines(name: &str) -> bool {
    name.starts_with("localhost.") || name.ends_with(".localdomain") || name.ends_with(".local")
}

/// Whether this is a domain name of several parts.
fn is_whole(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_good = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_good && (1..=63).contains(&part.len()) && !part.starts_with('-') && !part.ends_with('-')
    };
    name.len() <= LONGEST && name.contains('.') && name.split('.').all(is_part) && name.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_dot_and_an_address_has_brackets() {
        for (text, said) in [
            ("shop.example.com", Some("shop.example.com")),
            ("raspberrypi.local", Some("raspberrypi.local")),
            ("[192.0.2.1]", Some("[192.0.2.1]")),
            ("[IPv6:2001:db8::1]", Some("[IPv6:2001:db8::1]")),
            ("[2001:db8::1]", Some("[IPv6:2001:db8::1]")),
            ("", None),
            ("raspberrypi", None),
            ("shop.example.com.", None),
            ("shop..example", None),
            ("-shop.example", None),
            ("my_shop.example.com", None),
            ("ร้าน.example.com", None),
            ("shop.example.com\r\nMAIL", None),
            ("shop example.com", None),
            ("192.0.2.1", None),
            ("[192.0.2]", None),
        ] {
            assert_eq!(text.parse::<Hello>().ok().map(|hello| hello.to_string()).as_deref(), said, "{text}");
        }
    }

    #[test]
    fn a_machine_without_a_whole_name_says_its_address() {
        for (name, address, said) in [
            ("till.shop.example.com", "192.0.2.1", "till.shop.example.com"),
            ("raspberrypi", "192.0.2.1", "[192.0.2.1]"),
            ("raspberrypi", "127.0.0.1", "[127.0.0.1]"),
            ("raspberrypi", "::ffff:192.0.2.1", "[192.0.2.1]"),
            ("raspberrypi", "2001:db8::1", "[IPv6:2001:db8::1]"),
            ("my_till.local", "::1", "[IPv6:::1]"),
        ] {
            let hello = Hello::of(ClientId::Domain(name.to_owned()), address.parse().expect("is an address"));
            assert_eq!(hello.to_string(), said, "{name} {address}");
        }
    }
}
