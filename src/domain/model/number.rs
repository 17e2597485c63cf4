//! Money and quantities: exact decimals that never pass through binary floating point.
//!
//! The API writes `161.10` and a bookkeeper expects to read `161.10`. So numbers are taken from the text of the JSON
//! and written back as text; only a rule's `when` sees doubles, because its language has nothing else.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A text that is no exact decimal: not a number, or more than 28 digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an exact decimal number of at most 28 digits")]
pub struct NotExact;

fn parse(text: &str) -> Result<Decimal, NotExact> {
    let text = text.trim();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let digits = Decimal::from_str_exact(digits).map_err(|_| NotExact)?;
    match exponent.parse().map_err(|_| NotExact)? {
        0 => Ok(digits),
        exponent => shifted(digits, exponent),
    }
}

/// The number with its point moved by `exponent` digits to the right. Done here digit for digit, because
/// `Decimal::from_scientific` rounds what stands before the exponent where that is long.
fn shifted(digits: Decimal, exponent: i64) -> Result<Decimal, NotExact> {
    let mut whole = digits.mantissa();
    let mut scale = i64::from(digits.scale()).checked_sub(exponent).ok_or(NotExact)?;
    if whole == 0 {
        return Ok(Decimal::ZERO);
    }
    while scale > i64::from(Decimal::MAX_SCALE) && whole % 10 == 0 {
        (whole, scale) = (whole / 10, scale - 1);
    }
    if scale < 0 {
        let factor = u32::try_from(-scale).ok().and_then(|places| 10_i128.checked_pow(places));
        whole = factor.and_then(|factor| whole.checked_mul(factor)).ok_or(NotExact)?;
    }
    let scale = u32::try_from(scale.max(0)).map_err(|_| NotExact)?;
    Decimal::try_from_i128_with_scale(whole, scale).map_err(|_| NotExact)
}

macro_rules! exact_decimal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(Decimal);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// The decimal itself, for arithmetic and formatting.
            pub fn decimal(self) -> Decimal {
                self.0
            }
        }

        impl From<Decimal> for $name {
            fn from(decimal: Decimal) -> Self {
                Self(decimal)
            }
        }

        impl From<i64> for $name {
            fn from(whole: i64) -> Self {
                Self(Decimal::from(whole))
            }
        }

        impl FromStr for $name {
            type Err = NotExact;

            fn from_str(text: &str) -> Result<Self, NotExact> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // A raw value is written as it stands, so that no digit passes through a double.
                RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<RawValue>::deserialize(deserializer)?;
                parse(raw.get().trim_matches('"')).map(Self).map_err(serde::de::Error::custom)
            }
        }
    };
}

exact_decimal! {
    /// An amount in baht.
    Money
}

exact_decimal! {
    /// How many of a product, in its own unit; may be a fraction (1.01 kg) and may be negative (sold before it was
    /// counted in).
    Quantity
}

impl Money {
    /// What remains of it after `other` is taken away; `None` where the result has too many digits.
    pub fn minus(self, other: Money) -> Option<Money> {
        self.0.checked_sub(other.0).map(Money)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_digit_survives_the_way_through_json() {
        for text in ["161.10", "0.1", "-3", "1234567890123456789.12345678", "0"] {
            let money: Money = serde_json::from_str(text).expect("is a number");
            assert_eq!(serde_json::to_string(&money).expect("serializes"), text);
        }
    }

    #[test]
    fn a_numeric_string_and_an_exponent_are_numbers() {
        assert_eq!(serde_json::from_str::<Quantity>("\"1.50\"").expect("is a number").to_string(), "1.50");
        assert_eq!("2.5e2".parse::<Money>(), Ok(Money::from(250)));
    }

    #[test]
    fn the_digits_before_an_exponent_are_kept_too() {
        let check = |text: &str, want: Result<&str, NotExact>| {
            let read = text.parse::<Money>().map(|money| money.to_string());
            assert_eq!(read, want.map(str::to_owned), "{text}");
        };
        check("123e2", Ok("12300"));
        check("1.50e1", Ok("15.0"));
        check("1.50E+1", Ok("15.0"));
        check("161.10e0", Ok("161.10"));
        check("-1.5e-3", Ok("-0.0015"));
        check("10e-29", Ok("0.0000000000000000000000000001"));
        check("1e-29", Err(NotExact));
        check("0e-400", Ok("0"));
        check("7.9228162514264337593543950335e28", Ok("79228162514264337593543950335"));
        check("7.9228162514264337593543950335e29", Err(NotExact));
        // What was rounded in silence before.
        check("12345678901234567890123456789012e-5", Err(NotExact));
        check("0.12345678901234567890123456789e1", Err(NotExact));
        check("1.2345678901234567890123456789e5", Ok("123456.78901234567890123456789"));
        for no_number in ["e5", "1e", "1e5.0", "1e5e5", "1e99999999999999999999", "1e9223372036854775807", "--1e2"] {
            check(no_number, Err(NotExact));
        }
    }

    proptest! {
        /// Of the digits as a text, with the point moved in the text: what a person would do on paper.
        #[test]
        fn an_exponent_only_moves_the_point(digits in "[1-9][0-9]{0,27}", places in 0_usize..28, exponent in -28_i64..28) {
            let at = digits.len().saturating_sub(places).max(1);
            let text = format!("{}.{}e{exponent}", &digits[..at], &digits[at..]);
            let point = i64::try_from(at).unwrap() + exponent;
            let plain = match usize::try_from(point) {
                Ok(before) if before >= digits.len() => format!("{digits}{}", "0".repeat(before - digits.len())),
                Ok(before) => format!("0{}.{}", &digits[..before], &digits[before..]),
                Err(_) => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap())),
            };
            let trimmed = if plain.contains('.') { plain.trim_end_matches('0') } else { &plain };
            prop_assert_eq!(text.trim_end_matches("e0").parse::<Money>(), trimmed.parse::<Money>(), "{}", plain);
        }
    }

    #[test]
    fn what_would_lose_digits_is_refused() {
        assert_eq!("123456789012345678901234567890.5".parse::<Money>(), Err(NotExact));
        assert_eq!("1E400".parse::<Money>(), Err(NotExact));
        assert_eq!("abc".parse::<Quantity>(), Err(NotExact));
    }

    #[test]
    fn equality_is_of_the_value_not_of_the_writing() {
        assert_eq!("161.1".parse::<Money>(), "161.10".parse::<Money>());
    }
}
