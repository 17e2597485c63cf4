//! May this address be called? The guard between a configured URL and the machines around the shop.
//!
//! Whoever can write a channel's URL could otherwise make posbell POST into the shop's own network or ask a cloud's
//! metadata service. So: addresses that no receiver has are refused always, private ones unless the channel lists
//! them, and a name is judged by *all* its records, by the very resolver whose answer is dialled. A name that
//! changes its mind between check and call has nothing to gain, because there is one look-up for both.
//!
//! It refuses to follow what the operating system would make of an address: an IPv6 form that carries an IPv4 address
//! is judged by the address inside, or refused as a whole where the form itself is obsolete.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// What the guard says of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A public address, or a private one that the channel lists.
    Allowed,
    /// A private address, with the word for its kind; listing it would allow it.
    Unlisted(&'static str),
    /// An address that is never called, with the word for its kind.
    Never(&'static str),
}

/// IPv4 ranges that no receiver has (IANA special-purpose registry), and clouds' metadata services.
const NEVER_V4: [(Ipv4Net, &str); 13] = [
    (v4([0, 0, 0, 0], 8), "unspecified"),
    (v4([100, 100, 100, 200], 32), "metadata"),
    (v4([168, 63, 129, 16], 32), "metadata"),
    (v4([169, 254, 0, 0], 16), "link-local"),
    (v4([192, 0, 0, 0], 24), "reserved"),
    (v4([192, 0, 2, 0], 24), "documentation"),
    (v4([192, 88, 99, 0], 24), "reserved"),
    (v4([198, 18, 0, 0], 15), "benchmarking"),
    (v4([198, 51, 100, 0], 24), "documentation"),
    (v4([203, 0, 113, 0], 24), "documentation"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([255, 255, 255, 255], 32), "broadcast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
];

/// IPv4 ranges of one's own network: called if the channel lists them.
const PRIVATE_V4: [(Ipv4Net, &str); 5] = [
    (v4([10, 0, 0, 0], 8), "private"),
    (v4([100, 64, 0, 0], 10), "shared"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([172, 16, 0, 0], 12), "private"),
    (v4([192, 168, 0, 0], 16), "private"),
];

/// IPv6 ranges that no receiver has. `::/8` holds every obsolete way to write an IPv4 address; the two living ones
/// and the loopback are taken out before this list is asked.
const NEVER_V6: [(Ipv6Net, &str); 12] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 8), "reserved"),
    (v6([0x0100, 0, 0, 0, 0, 0, 0, 0], 64), "discard-only"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "reserved"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "documentation"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "documentation"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "reserved"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), "metadata"),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), "metadata"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site-local"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast"),
];

/// IPv6 ranges of one's own network; `200::/7` was given back and is used by overlay networks (Yggdrasil) today.
const PRIVATE_V6: [(Ipv6Net, &str); 2] =
    [(v6([0x0200, 0, 0, 0, 0, 0, 0, 0], 7), "private"), (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "private")];

/// The NAT64 prefix: the last 32 bits are the IPv4 address that the translator calls.
const NAT64: Ipv6Net = v6([0x0064, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Judges one address for a channel that lists `allowed`.
pub fn verdict(ip: IpAddr, allowed: &[IpNet]) -> Verdict {
    let judged = carried(ip);
    let (never, private) = match judged {
        IpAddr::V4(ip) => (kind(&NEVER_V4, |net| net.contains(&ip)), kind(&PRIVATE_V4, |net| net.contains(&ip))),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => (None, Some("loopback")),
        IpAddr::V6(ip) => (kind(&NEVER_V6, |net| net.contains(&ip)), kind(&PRIVATE_V6, |net| net.contains(&ip))),
    };
    let listed = || allowed.iter().any(|net| net.contains(&ip) || net.contains(&judged));
    match (never, private) {
        (Some(kind), _) => Verdict::Never(kind),
        (None, Some(kind)) if !listed() => Verdict::Unlisted(kind),
        _ => Verdict::Allowed,
    }
}

fn kind<Net>(ranges: &[(Net, &'static str)], holds: impl Fn(&Net) -> bool) -> Option<&'static str> {
    ranges.iter().find(|(net, _)| holds(net)).map(|(_, kind)| *kind)
}

/// The address that is really called: an IPv4 address inside of an IPv6 one, where that form is in use.
fn carried(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    if let Some(mapped) = v6.to_ipv4_mapped() {
        return IpAddr::V4(mapped);
    }
    let [.., a, b, c, d] = v6.octets();
    if NAT64.contains(&v6) { IpAddr::V4(Ipv4Addr::new(a, b, c, d)) } else { ip }
}

/// What a person is told of a refused address, with the line that would allow it; nothing if it may be called.
pub fn refusal(ip: IpAddr, allowed: &[IpNet]) -> Option<String> {
    let ip = carried(ip);
    match verdict(ip, allowed) {
        Verdict::Allowed => None,
        Verdict::Never(kind) => Some(format!("{ip} is a {kind} address, which posbell never calls")),
        Verdict::Unlisted(kind) => {
            let net = IpNet::from(ip);
            Some(format!("{ip} is a {kind} address; add allow_networks = [\"{net}\"] to the channel to allow it"))
        }
    }
}

/// What a person is told of a URL that would be refused whenever it is called: one with a refused address in it, or
/// with the name that stands for this machine everywhere.
pub fn refused_here(url: &Url, allowed: &[IpNet]) -> Option<String> {
    match url.host()? {
        Host::Ipv4(ip) => refusal(ip.into(), allowed),
        Host::Ipv6(ip) => refusal(ip.into(), allowed),
        Host::Domain(name) if is_localhost(name) => {
            let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
            let all_refused = loopback.iter().all(|ip| verdict(*ip, allowed) != Verdict::Allowed);
            all_refused.then(|| {
                format!(
                    "{name} is a loopback address; add allow_networks = [\"127.0.0.0/8\", \"::1/128\"] to the channel to \
                     allow it"
                )
            })
        }
        Host::Domain(_) => None,
    }
}

/// Whether what is sent there may leave one's own network, as far as can be known without a look-up: a name whose
/// channel lists no private network must have public addresses, or is refused.
pub fn may_be_public(url: &Url, allowed: &[IpNet]) -> bool {
    let public = |ip: IpAddr| verdict(ip, &[]) == Verdict::Allowed;
    match url.host() {
        Some(Host::Ipv4(ip)) => public(ip.into()),
        Some(Host::Ipv6(ip)) => public(ip.into()),
        Some(Host::Domain(name)) => allowed.is_empty() && !is_localhost(name),
        None => false,
    }
}

/// RFC 6761, 6.3.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// Why a name was not called.
#[derive(Debug, thiserror::Error)]
pub(super) enum NameRefused {
    /// One of its addresses is refused; the text is for a person.
    #[error("{0}")]
    Address(String),
    /// It has no address, or the resolver did not answer.
    #[error("the name has no address")]
    NotFound,
}

/// The resolver of one channel's client: every address it gives out has passed.
pub(super) struct GuardedResolver {
    /// The networks that the channel lists.
    pub(super) allowed: Arc<[IpNet]>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            // Port 0 stands for the port of the URL.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| NameRefused::NotFound)?;
            Ok(all_pass(found.collect(), &allowed)?)
        })
    }
}

/// All of a name's addresses, or why it is not called. One refused record among good ones refuses the name: which of
/// them is dialled is not ours to choose.
fn all_pass(found: Vec<SocketAddr>, allowed: &[IpNet]) -> Result<Addrs, NameRefused> {
    if found.is_empty() {
        return Err(NameRefused::NotFound);
    }
    // A refusal that nothing can lift comes before one with a line to add: adding that line would not help.
    let refused = found.iter().filter(|address| verdict(address.ip(), allowed) != Verdict::Allowed);
    let first = refused.min_by_key(|address| !matches!(verdict(address.ip(), allowed), Verdict::Never(_)));
    match first.and_then(|address| refusal(address.ip(), allowed)) {
        Some(text) => Err(NameRefused::Address(text)),
        None => Ok(Box::new(found.into_iter())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: [&str; 2] = ["0.0.0.0/0", "::/0"];

    fn nets(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().expect("is a network")).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("is an address")
    }

    fn vectors(list: &str) -> Vec<String> {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/it/fixtures/webhook-vectors.json")).expect("is JSON");
        serde_json::from_value(all[list].clone()).expect("is a list of texts")
    }

    #[test]
    fn addresses_that_no_receiver_has_are_refused_whatever_is_listed() {
        for text in vectors("ssrf_never") {
            for allowed in [nets(&[]), nets(&EVERYTHING)] {
                assert!(matches!(verdict(ip(&text), &allowed), Verdict::Never(_)), "{text}");
            }
        }
    }

    #[test]
    fn private_addresses_are_refused_unless_listed_for_that_channel() {
        for text in vectors("ssrf_lan_tier_only_if_listed_for_that_sink") {
            let (text, always) = match text.split_once(' ') {
                Some((text, "(refuse always)")) => (text, true),
                _ => (text.as_str(), false),
            };
            assert_ne!(verdict(ip(text), &[]), Verdict::Allowed, "{text}");
            assert_ne!(verdict(ip(text), &nets(&["192.0.2.0/24", "2001:db8::/32"])), Verdict::Allowed, "{text}");
            assert_eq!(verdict(ip(text), &nets(&EVERYTHING)) != Verdict::Allowed, always, "{text}");
        }
    }

    #[test]
    fn public_addresses_need_no_list() {
        for text in vectors("ssrf_allow") {
            assert_eq!(verdict(ip(&text), &[]), Verdict::Allowed, "{text}");
        }
    }

    #[test]
    fn an_address_inside_another_is_allowed_by_its_own_network() {
        for text in ["::ffff:10.0.0.5", "64:ff9b::a00:5", "10.0.0.5"] {
            assert_eq!(verdict(ip(text), &nets(&["10.0.0.0/8"])), Verdict::Allowed, "{text}");
            assert_eq!(verdict(ip(text), &nets(&["192.168.0.0/16"])), Verdict::Unlisted("private"), "{text}");
        }
    }

    #[test]
    fn the_line_that_a_refusal_prints_is_the_line_that_allows() {
        for text in vectors("ssrf_lan_tier_only_if_listed_for_that_sink") {
            if text.ends_with("(refuse always)") {
                continue;
            }
            let told = refusal(ip(&text), &[]).expect("is refused");
            let net = told.split('"').nth(1).expect("a network stands in quotes");
            assert_eq!(refusal(ip(&text), &nets(&[net])), None, "{told}");
        }
    }

    #[test]
    fn a_refusal_says_what_the_address_is() {
        let cases = [
            (
                "192.168.1.5",
                r#"192.168.1.5 is a private address; add allow_networks = ["192.168.1.5/32"] to the channel to allow it"#,
            ),
            ("::1", r#"::1 is a loopback address; add allow_networks = ["::1/128"] to the channel to allow it"#),
            ("169.254.169.254", "169.254.169.254 is a link-local address, which posbell never calls"),
            ("::ffff:169.254.169.254", "169.254.169.254 is a link-local address, which posbell never calls"),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(ip(text), &[]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn all_records_of_a_name_must_pass() {
        let found = |texts: &[&str]| texts.iter().map(|text| SocketAddr::new(ip(text), 0)).collect::<Vec<_>>();
        let told = |texts: &[&str], allowed: &[&str]| match all_pass(found(texts), &nets(allowed)) {
            Ok(addresses) => format!("{} pass", addresses.count()),
            Err(refused) => refused.to_string(),
        };
        assert_eq!(told(&["1.1.1.1", "8.8.8.8"], &[]), "2 pass");
        assert!(told(&["1.1.1.1", "192.168.1.5"], &[]).starts_with("192.168.1.5 is a private address"));
        assert_eq!(told(&["1.1.1.1", "192.168.1.5"], &["192.168.1.0/24"]), "2 pass");
        assert!(told(&["192.168.1.5", "169.254.169.254"], &[]).starts_with("169.254.169.254 is a link-local"));
        assert_eq!(told(&[], &[]), "the name has no address");
    }
}
