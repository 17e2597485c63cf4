//! Who sent this, and is it what was sent? Standard Webhooks signatures, made and checked.
//!
//! What is signed is `id.timestamp.body`, so an id must not contain a dot: `a.1` with timestamp `2` would sign the
//! same bytes as `a` with `1.2`. Two schemes are spoken: `v1` (HMAC-SHA256, one secret for both sides) and `v1a`
//! (Ed25519, the receiver holds only the public key). The checking half is what `posbell demo` receives with, and what
//! the tests hold the making half against.
//!
//! It refuses to print a secret: no error, no `Debug` and no log line holds one.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::model::Timestamp;

/// How far a timestamp may be from the receiver's clock, either way: what every Standard Webhooks library allows.
/// A captured request is of no use after that.
pub const TOLERANCE_SECONDS: i64 = 300;

/// Secrets are copied by hand, and the `=` at the end is what gets lost.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Standard Webhooks asks for 24 to 64 bytes. What is longer is no weaker and is taken.
const LEAST_BYTES: usize = 24;

/// A secret that cannot be used. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// There is nothing in it.
    #[error("the secret is empty")]
    Empty,
    /// So few bytes that they can be guessed.
    #[error("the secret has only {0} bytes; a signing secret has 24 to 64")]
    TooShort(usize),
    /// What follows the prefix is not base64.
    #[error("the secret is not base64; it is written whsec_<base64> or whsk_<base64>")]
    NotBase64,
    /// Not 64 bytes, or halves that do not belong together.
    #[error("a whsk_ secret holds an Ed25519 key: 64 bytes, the seed and then its public key")]
    NotEd25519,
}

/// What signs the deliveries of a channel.
#[derive(Clone)]
pub struct SigningSecret(Scheme);

#[derive(Clone)]
enum Scheme {
    V1(hmac::Key),
    V1a(Arc<Ed25519KeyPair>),
}

impl SigningSecret {
    /// Reads `whsec_<base64>` (or base64 alone) as an HMAC secret, `whsk_<base64>` as an Ed25519 key pair.
    pub fn parse(secret: &SecretString) -> Result<Self, BadSecret> {
        let text = secret.expose_secret().trim();
        if let Some(pair) = text.strip_prefix("whsk_") {
            let bytes = decode(pair)?;
            let (seed, public) = bytes.split_at_checked(32).ok_or(BadSecret::NotEd25519)?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_| BadSecret::NotEd25519)?;
            return Ok(Self(Scheme::V1a(Arc::new(pair))));
        }
        Ok(Self(Scheme::V1(hmac_key(text)?)))
    }

    /// The signature of one attempt, with its version: `v1,…` or `v1a,…`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let content = signed_content(id, &timestamp.to_string(), body);
        match &self.0 {
            Scheme::V1(key) => format!("v1,{}", BASE64.encode(hmac::sign(key, &content))),
            Scheme::V1a(pair) => format!("v1a,{}", BASE64.encode(pair.sign(&content))),
        }
    }

    /// What a receiver checks this secret's signatures with.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(match &self.0 {
            Scheme::V1(key) => Check::V1(key.clone()),
            Scheme::V1a(pair) => Check::V1a(pair.public_key().as_ref().to_vec()),
        })
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Scheme::V1(_) => "SigningSecret(v1)",
            Scheme::V1a(_) => "SigningSecret(v1a)",
        })
    }
}

/// What a receiver holds.
#[derive(Clone)]
pub struct VerifyingKey(Check);

#[derive(Clone)]
enum Check {
    V1(hmac::Key),
    V1a(Vec<u8>),
}

impl VerifyingKey {
    /// Reads `whpk_<base64>` as an Ed25519 public key, and what [`SigningSecret::parse`] reads as its counterpart.
    pub fn parse(secret: &SecretString) -> Result<Self, BadSecret> {
        let Some(public) = secret.expose_secret().trim().strip_prefix("whpk_") else {
            return Ok(SigningSecret::parse(secret)?.verifying_key());
        };
        let public = decode(public)?;
        if public.len() == 32 { Ok(Self(Check::V1a(public))) } else { Err(BadSecret::NotEd25519) }
    }

    fn accepts(&self, content: &[u8], version: &str, signature: &[u8]) -> bool {
        match &self.0 {
            Check::V1(key) => version == "v1" && hmac::verify(key, content, signature).is_ok(),
            Check::V1a(key) => {
                version == "v1a" && UnparsedPublicKey::new(&ED25519, key).verify(content, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey")
    }
}

/// The headers of a request that is checked, as received.
#[derive(Debug, Clone, Copy, Default)]
pub struct Received<'a> {
    /// `webhook-id`
    pub id: Option<&'a str>,
    /// `webhook-timestamp`
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`
    pub signature: Option<&'a str>,
}

/// Why a request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// One of the three headers is missing or empty.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// The timestamp is not a number of seconds.
    #[error("webhook-timestamp is not a number of seconds")]
    BadTimestamp,
    /// The timestamp is more than five minutes from the receiver's clock.
    #[error("webhook-timestamp is more than {TOLERANCE_SECONDS} s away from now")]
    NotNow,
    /// The body is not text, and posbell sends only text.
    #[error("the body is not UTF-8")]
    NotText,
    /// No signature of a version that this key speaks fits the content.
    #[error("no signature fits")]
    NoSignatureFits,
}

/// Checks a received request. One fitting signature among several is enough: that is how secrets are rotated.
pub fn verify(key: &VerifyingKey, received: Received<'_>, body: &[u8], now: Timestamp) -> Result<(), NotVerified> {
    let id = present(received.id, "webhook-id")?;
    let timestamp = present(received.timestamp, "webhook-timestamp")?;
    let signatures = present(received.signature, "webhook-signature")?;

    let plain = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = timestamp.parse().ok().filter(|_| plain).ok_or(NotVerified::BadTimestamp)?;
    if now.timestamp().abs_diff(seconds) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(NotVerified::NotNow);
    }
    std::str::from_utf8(body).map_err(|_| NotVerified::NotText)?;

    let content = signed_content(id, timestamp, body);
    let fits = |signature: &str| {
        let (version, encoded) = signature.split_once(',')?;
        let bytes = BASE64.decode(encoded).ok()?;
        Some(key.accepts(&content, version, &bytes))
    };
    let fit = signatures.split(' ').any(|signature| fits(signature) == Some(true));
    if fit { Ok(()) } else { Err(NotVerified::NoSignatureFits) }
}

fn present<'a>(header: Option<&'a str>, name: &'static str) -> Result<&'a str, NotVerified> {
    header.filter(|text| !text.is_empty()).ok_or(NotVerified::Missing(name))
}

fn signed_content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.')
}

fn hmac_key(text: &str) -> Result<hmac::Key, BadSecret> {
    let bytes = decode(text.strip_prefix("whsec_").unwrap_or(text))?;
    if bytes.len() < LEAST_BYTES {
        return Err(BadSecret::TooShort(bytes.len()));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn decode(text: &str) -> Result<Vec<u8>, BadSecret> {
    match BASE64.decode(text) {
        Ok(bytes) if bytes.is_empty() => Err(BadSecret::Empty),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(BadSecret::NotBase64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HMAC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const PAIR: &str = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
    const PUBLIC: &str = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SECONDS: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const V1: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const V1A: &str = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

    fn signing(secret: &str) -> Result<SigningSecret, BadSecret> {
        SigningSecret::parse(&SecretString::from(secret))
    }

    fn key(secret: &str) -> VerifyingKey {
        VerifyingKey::parse(&SecretString::from(secret)).expect("is a key")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("is a time")
    }

    /// The good request, with its headers changed by the case.
    fn check<'a>(secret: &str, now: i64, change: impl FnOnce(&mut Received<'a>), expected: Result<(), NotVerified>) {
        let mut received = Received { id: Some(ID), timestamp: Some("1614265330"), signature: Some(V1) };
        change(&mut received);
        assert_eq!(verify(&key(secret), received, BODY.as_bytes(), at(now)), expected, "{received:?} at {now}");
    }

    #[test]
    fn every_public_vector_is_signed_and_verified() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/it/fixtures/webhook-vectors.json")).expect("is JSON");
        let ours = |vector: &&serde_json::Value| vector["scheme"].as_str().is_some_and(|s| s.starts_with("standard"));
        let mut seen = 0;
        for vector in vectors["signature_positive"].as_array().expect("is a list").iter().filter(ours) {
            let text = |name: &str| vector[name].as_str().expect("is text");
            let seconds = vector["timestamp"].as_i64().expect("is a number");
            let signature =
                signing(text("secret")).expect("is a secret").sign(text("id"), seconds, text("body").as_bytes());
            assert_eq!(signature, text("signature"), "{}", text("scheme"));

            let timestamp = seconds.to_string();
            let received = Received { id: Some(text("id")), timestamp: Some(&timestamp), signature: Some(&signature) };
            let public = vector["public"].as_str().unwrap_or(text("secret"));
            assert_eq!(verify(&key(public), received, text("body").as_bytes(), at(seconds)), Ok(()));
            seen += 1;
        }
        assert_eq!(seen, 4);
    }

    #[test]
    fn a_request_is_believed_only_with_all_headers_in_time_and_with_a_fitting_signature() {
        use NotVerified::{BadTimestamp, Missing, NoSignatureFits, NotNow};
        check(HMAC, SECONDS, |_| (), Ok(()));
        for (change, expected) in [
            ((|r| r.id = None) as fn(&mut Received<'static>), Missing("webhook-id")),
            (|r| r.timestamp = None, Missing("webhook-timestamp")),
            (|r| r.signature = None, Missing("webhook-signature")),
            (|r| r.signature = Some(""), Missing("webhook-signature")),
            (|r| r.id = Some("msg_another"), NoSignatureFits),
            (|r| r.timestamp = Some("1614265331"), NoSignatureFits),
            (|r| r.timestamp = Some("2021-02-25"), BadTimestamp),
            (|r| r.timestamp = Some("1614265330.0"), BadTimestamp),
            (|r| r.timestamp = Some("+1614265330"), BadTimestamp),
            (|r| r.timestamp = Some("99999999999999999999"), BadTimestamp),
            (|r| r.signature = Some("v1,ceeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeA="), NoSignatureFits),
            (|r| r.signature = Some("v1,"), NoSignatureFits),
            (|r| r.signature = Some("v1"), NoSignatureFits),
            (|r| r.signature = Some("v1,g0hM9SsE"), NoSignatureFits),
            (|r| r.signature = Some("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), NoSignatureFits),
            (|r| r.signature = Some("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), NoSignatureFits),
            // A v1a label on a v1 signature must not be taken for one.
            (|r| r.signature = Some("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), NoSignatureFits),
        ] {
            check(HMAC, SECONDS, change, Err(expected));
        }
        for (now, expected) in [
            (SECONDS + 300, Ok(())),
            (SECONDS - 300, Ok(())),
            (SECONDS + 301, Err(NotNow)),
            (SECONDS - 301, Err(NotNow)),
        ] {
            check(HMAC, now, |_| (), expected);
        }
    }

    #[test]
    fn several_signatures_are_one_each_for_the_key_that_made_it() {
        let both = format!("{V1A} v1,AAAA {V1} v2,AAAA");
        for secret in [HMAC, PAIR, PUBLIC] {
            check(secret, SECONDS, |r| r.signature = Some(&both), Ok(()));
        }
        check(PUBLIC, SECONDS, |_| (), Err(NotVerified::NoSignatureFits));
        check(HMAC, SECONDS, |r| r.signature = Some(V1A), Err(NotVerified::NoSignatureFits));
    }

    #[test]
    fn a_body_is_signed_byte_by_byte() {
        let timestamp = SECONDS.to_string();
        let good = Received { id: Some(ID), timestamp: Some(&timestamp), signature: Some(V1) };
        let spaced = BODY.replace(": ", ":");
        assert_eq!(verify(&key(HMAC), good, spaced.as_bytes(), at(SECONDS)), Err(NotVerified::NoSignatureFits));

        let bytes = b"\xff\xfe{}";
        let signature = signing(HMAC).expect("is a secret").sign(ID, SECONDS, bytes);
        let received = Received { signature: Some(&signature), ..good };
        assert_eq!(verify(&key(HMAC), received, bytes, at(SECONDS)), Err(NotVerified::NotText));
    }

    #[test]
    fn a_prefix_a_newline_or_a_lost_padding_makes_no_other_secret() {
        let expected = signing(HMAC).expect("is a secret").sign(ID, SECONDS, BODY.as_bytes());
        for written in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"] {
            assert_eq!(signing(written).expect("is a secret").sign(ID, SECONDS, BODY.as_bytes()), expected);
        }
        assert!(signing(PAIR.trim_end_matches('=')).is_ok());
    }

    #[test]
    fn what_is_no_secret_is_refused_and_never_repeated() {
        for (secret, expected) in [
            ("", BadSecret::Empty),
            ("  ", BadSecret::Empty),
            ("whsec_", BadSecret::Empty),
            ("whsk_", BadSecret::Empty),
            ("whsec_not base64!", BadSecret::NotBase64),
            ("mysecret", BadSecret::TooShort(6)),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ", BadSecret::TooShort(23)),
            ("whpk_!", BadSecret::NotBase64),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", BadSecret::NotEd25519),
            // The seed of one pair with the public key of another.
            (
                "whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
                BadSecret::NotEd25519,
            ),
        ] {
            assert_eq!(signing(secret).err(), Some(expected), "{secret:?}");
        }
        assert_eq!(format!("{:?}", signing(HMAC)), "Ok(SigningSecret(v1))");
        assert_eq!(format!("{:?}", signing(PAIR)), "Ok(SigningSecret(v1a))");
        assert_eq!(format!("{:?}", key(HMAC)), "VerifyingKey");
    }
}
