//! Why a reading of the API gave nothing to believe, told by what the caller does about it.
//!
//! No text here has the key, a whole address or the body of an answer in it: errors end in logs and in chats.

use std::time::Duration;

use super::quota::QuotaError;
use super::wire::Malformed;
use crate::domain::clock::Apart;
use crate::domain::model::Resource;

/// Why a reading of the API gave nothing to believe.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// 401 or 403 with a JSON object, as the API refuses: stop the shop and tell the owner; reading on would not help
    /// and may cost the key.
    #[error("the shop's key was refused ({status}); check api_key, or ask POSPOS whether it was cancelled")]
    KeyRefused {
        /// The HTTP status.
        status: u16,
    },
    /// 401 or 403 with anything else: a firewall's page, which says nothing about the key. Until the API may be tried
    /// again this is said of every call, and none is made.
    #[error(
        "the API is unreachable: something in between answered {status} with a page that is not the API's (a firewall?)"
    )]
    Blocked {
        /// The HTTP status.
        status: u16,
    },
    /// 429: somebody else spends of the same key. The governor has already fallen silent for that long or longer.
    #[error("the API says that there are too many calls{}; if other programs use the same key, lower quota", silence(*retry_after))]
    Limited {
        /// How long the server wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// The answer is not what was asked for. Shown to a person; never compared.
    #[error("{resource}, page {page}: {problem}")]
    Malformed {
        /// What was read.
        resource: Resource,
        /// Which page, from 1.
        page: u32,
        /// What is wrong with it.
        problem: Malformed,
    },
    /// Every page was answered, and still rows are missing or may be. The next pass is the retry.
    #[error("{resource}: {}", incomplete(*read, *total))]
    Incomplete {
        /// What was read.
        resource: Resource,
        /// How many different rows came.
        read: u64,
        /// How many there are, as the answer says; none where it does not say, or where as many came and they still do
        /// not hang together.
        total: Option<u64>,
    },
    /// Page after page brought other rows, and it was given up. The next pass is the retry.
    #[error(
        "{resource}: the list does not end; given up after {rows} rows in {calls} calls, which should have taken {should} \
         at the most; the next pass tries again"
    )]
    Endless {
        /// What was read.
        resource: Resource,
        /// How many different rows came.
        rows: u64,
        /// In how many calls.
        calls: u32,
        /// How many calls the list should have taken.
        should: u64,
    },
    /// The network, for any reason. The next pass is the retry.
    #[error("the API could not be reached: {0}")]
    Unreachable(TransportError),
    /// An answer with a status that is neither good nor one of the above.
    #[error("the API answered {status}; {advice}", status = .0, advice = advice(*.0))]
    Status(u16),
    /// This machine's clock is wrong: what was asked for by it, and what follows from it, is too.
    #[error("this machine's clock is {0} the shop's server: set it")]
    ClockApart(Apart),
    /// No call was made.
    #[error(transparent)]
    Quota(#[from] QuotaError),
}

impl ReadError {
    /// Whether a shorter answer might have come.
    pub fn is_of_length(&self) -> bool {
        use TransportError::{NoAnswer, TooLarge, Unfinished};
        matches!(self, ReadError::Unreachable(NoAnswer | TooLarge | Unfinished))
    }
}

/// What broke on the way; a closed list, because each wants another look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The name has no address.
    #[error("its name was not found; check base_url and the machine's name servers")]
    Dns,
    /// Nobody listens there.
    #[error("the connection was refused; check base_url, or the API is down")]
    Refused,
    /// There is no way there.
    #[error("no connection; check base_url, the network and the firewall")]
    Connect,
    /// The connection did not stand in time.
    #[error("no connection in time; check base_url, the network and the firewall")]
    ConnectTimeout,
    /// The encrypted connection was not trusted or not understood.
    #[error("no trusted connection; check base_url, the machine's clock and its certificates")]
    Tls,
    /// The answer did not begin in time.
    #[error("no answer in time; raise timeout if this lasts")]
    NoAnswer,
    /// The answer began and did not end in time.
    #[error("the answer did not end in time; raise timeout or lower page_size if this lasts")]
    Unfinished,
    /// Something else than a web server answered.
    #[error("what answered does not speak HTTP; check base_url")]
    NotHttp,
    /// The answer is packed in a way that cannot be unpacked.
    #[error("the answer could not be unpacked; the next pass tries again")]
    Garbled,
    /// The connection broke off.
    #[error("the connection broke off before the answer was whole; the next pass tries again")]
    Reset,
    /// The answer is larger than one may be.
    #[error("the answer is too large; lower page_size")]
    TooLarge,
}

fn incomplete(read: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("the list kept moving, only {read} of {total} rows came; the next pass tries again"),
        None => format!("the list did not hang together to its end, after {read} rows; the next pass tries again"),
    }
}

fn silence(asked: Option<Duration>) -> String {
    asked.map(|asked| format!(" and wants {} s of silence", asked.as_secs())).unwrap_or_default()
}

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "a redirect is not followed, because the key must not go elsewhere; check base_url",
        404 | 405 | 410 => "there is no such address; check base_url",
        400 | 422 => "it did not understand the question; check page_size and the extra query parameters",
        500..=599 => "this is the server's trouble, the next pass tries again",
        _ => "the next pass tries again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_says_what_to_do() {
        let check = |error: ReadError, want: &str| assert_eq!(error.to_string(), want);
        check(
            ReadError::Status(302),
            "the API answered 302; a redirect is not followed, because the key must not go elsewhere; check base_url",
        );
        check(
            ReadError::Incomplete { resource: Resource::Stock, read: 7, total: Some(9) },
            "stock: the list kept moving, only 7 of 9 rows came; the next pass tries again",
        );
        check(
            ReadError::Malformed { resource: Resource::Credit, page: 2, problem: Malformed::Empty },
            "credit, page 2: the answer is empty",
        );
    }
}
