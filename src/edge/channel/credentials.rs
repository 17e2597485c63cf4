//! Which texts of a channel's settings are secrets, in which forms may an answer repeat them?
//!
//! A server that refuses a login often quotes a part of it: the key without the word before it, the user's name, one half
//! of what was sent in Base64. So a secret is taken apart here as far as a receiver takes it apart, and each part counts.
//! Too many parts cost a word in a quoted answer, too few a password in a listing.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use url::Url;
use url::form_urlencoded;

/// From so many characters on a part of a header's value or of a password counts.
const PART: usize = 4;

/// From so many characters on a part of a URL's path may be a token; shorter ones are names.
const TOKEN: usize = 6;

/// Words before a secret that are none.
const SCHEMES: [&str; 7] = ["basic", "bearer", "digest", "token", "apikey", "api-key", "key"];

/// The secrets in a URL: its login, the parts of its path, the values of its query.
pub(super) fn of_url(url: &Url) -> Vec<String> {
    let decoded = |text: &str| percent_decoded(text);
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    let mut secrets = Vec::new();
    if !user.is_empty() || !password.is_empty() {
        secrets.extend(of_login(&user, &password));
    }
    for part in url.path_segments().into_iter().flatten() {
        let pieces = part.split([':', '=', ';', ',']);
        secrets.extend(std::iter::once(part).chain(pieces).filter(|part| part.len() >= TOKEN).map(str::to_owned));
    }
    for (name, value) in url.query_pairs() {
        // `?token` alone is a value without a name.
        secrets.push(if value.is_empty() { name.into_owned() } else { value.into_owned() });
    }
    secrets.extend(url.query().map(str::to_owned));
    secrets
}

/// The secrets in a header's value: all of it, its words, what stands behind `=` and between colons, and the two halves
/// of a login in Base64.
pub(super) fn of_header(value: &str) -> Vec<String> {
    let mut secrets = vec![value.trim().to_owned()];
    for word in value.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')) {
        let word = word.trim_matches(['"', '\'']);
        if SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)) {
            continue;
        }
        let behind = word.split_once('=').map_or("", |(_, behind)| behind).trim_matches(['"', '\'']);
        let pieces = word.split(':').chain(behind.split(':'));
        let parts = [word, word.trim_end_matches('='), behind].into_iter().chain(pieces);
        secrets.extend(parts.filter(|part| part.chars().count() >= PART).map(str::to_owned));
        secrets.extend([word, behind].into_iter().filter_map(login_in).flat_map(|(user, password)| [user, password]));
    }
    secrets
}

/// A login as it is, and in the forms in which it is sent over HTTP and to a mail server.
pub(super) fn of_login(user: &str, password: &str) -> Vec<String> {
    let sent = [format!("{user}:{password}"), format!("\0{user}\0{password}"), user.to_owned(), password.to_owned()];
    let mut secrets: Vec<String> = sent.iter().map(|login| STANDARD.encode(login)).collect();
    // Of passwords in groups of letters some servers and people leave out the blanks.
    secrets.push(password.split_whitespace().collect());
    secrets.extend(password.split_whitespace().filter(|part| part.chars().count() >= PART).map(str::to_owned));
    secrets.extend([user.to_owned(), password.to_owned()]);
    secrets
}

/// The two halves of `user:password` in Base64 of whichever kind.
fn login_in(text: &str) -> Option<(String, String)> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let decoded = engines.iter().find_map(|engine| engine.decode(text).ok())?;
    let login = String::from_utf8(decoded).ok()?;
    let (user, password) = login.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn percent_decoded(text: &str) -> String {
    // A plus stands for itself in a login.
    let form = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes()).map(|(_, value)| value.into_owned()).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_header_that_may_be_quoted_counts() {
        for (value, parts) in [
            ("Bearer sk-live-abc", vec!["Bearer sk-live-abc", "sk-live-abc"]),
            ("Basic c2hvcHVzZXI6cEBzczl3b3Jk", vec!["c2hvcHVzZXI6cEBzczl3b3Jk", "shopuser", "p@ss9word"]),
            ("basic YTpiYg==", vec!["YTpiYg==", "YTpiYg", "bb"]),
            ("session=abcdef; theme=\"darkness\"", vec!["abcdef", "darkness"]),
            ("ApiKey shopuser:hunter2", vec!["shopuser", "hunter2", "shopuser:hunter2"]),
            ("token=one:twotwo", vec!["twotwo", "one:twotwo"]),
            ("hunter2", vec!["hunter2"]),
        ] {
            let secrets = of_header(value);
            for part in parts {
                assert!(secrets.iter().any(|secret| secret == part), "{part} of {value}: {secrets:?}");
            }
            assert!(!secrets.iter().any(|secret| secret.eq_ignore_ascii_case("bearer")), "{secrets:?}");
        }
    }

    #[test]
    fn the_login_the_path_and_the_query_of_a_url_are_secrets() {
        let url = "https://shop%40user:p%2Bss+9@example.com/hooks/T0KEN-1/bot1:AAF7-g0g?key=hunter2&s3cr3t";
        let secrets = of_url(&Url::parse(url).expect("is a URL"));
        let sent = STANDARD.encode("shop@user:p+ss+9");
        for part in ["shop@user", "p+ss+9", &sent, "T0KEN-1", "bot1:AAF7-g0g", "AAF7-g0g", "hunter2", "s3cr3t"] {
            assert!(secrets.iter().any(|secret| secret == part), "{part} of {secrets:?}");
        }
        assert!(!secrets.iter().any(|secret| secret == "hooks"), "{secrets:?}");
        let plain = of_url(&Url::parse("https://example.com/hook").expect("is a URL"));
        assert_eq!(plain, Vec::<String>::new());
    }

    #[test]
    fn a_mail_login_is_known_in_each_form_that_is_sent() {
        let secrets = of_login("shop@example.com", "abcd efgh");
        for form in [
            "shop@example.com",
            "abcd efgh",
            "abcdefgh",
            "efgh",
            "AHNob3BAZXhhbXBsZS5jb20AYWJjZCBlZmdo",
            "YWJjZCBlZmdo",
        ] {
            assert!(secrets.iter().any(|secret| secret == form), "{form} of {secrets:?}");
        }
    }
}
