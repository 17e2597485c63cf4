//! The HTTP client of whatever is sent to a machine that somebody else runs: it does what it is told, once.

use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use url::Url;

/// How long an unused connection is kept. Common servers close theirs after 5 s and more; one that is closed while we
/// write to it costs a retry, so ours go first.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// The beginning of a client that calls `url`. A redirect would take the address, the text and the secrets along, and a
/// proxy sees them; the timeout covers connect, head and body together.
pub(super) fn client_of(url: &Url, timeout: Duration) -> ClientBuilder {
    // Fails when it is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .no_gzip()
        .referer(false)
        .pool_idle_timeout(IDLE_LIMIT)
        .timeout(timeout)
        .user_agent(concat!("posbell/", env!("CARGO_PKG_VERSION")));
    // No redirect is followed, so no certificate will be seen: a bare machine is not asked for its CA store.
    if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder }
}
