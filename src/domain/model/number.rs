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
    let parsed = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str_exact(text) };
    parsed.map_err(|_| NotExact)
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
