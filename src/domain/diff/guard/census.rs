//! What a whole reading would change, in counts and a few examples.
//!
//! A shop of 100,000 rows is judged by these: neither the reading nor its differences are kept for it. The examples are
//! of products only, because the record of a held pass is shown to whoever may ask, and a member's name is nobody's
//! business there.

use serde::{Deserialize, Serialize};

use super::suspicion::{Counts, Suspicion};
use crate::domain::model::Product;

/// How many rows of each kind are named: what a person needs to recognise a mistake, and no more.
pub(super) const EXAMPLES: usize = 5;

/// The most characters of a code or name in an example: one line of a terminal with both.
const EXAMPLE_CHARS: usize = 48;

/// A product that does it, as it was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// What it does.
    pub does: Suspicion,
    /// Its code.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it would be from now on, where that says more than what it does: both code and name, as far as there are
    /// any, of one that would be called otherwise; the figure of one that would have an odd one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub becomes: Option<String>,
}

impl Example {
    pub(super) fn of(does: Suspicion, prev: &Product, next: Option<&Product>) -> Example {
        let becomes = next.and_then(|next| match does {
            Suspicion::Renamed => {
                let both = [&next.code, &next.name].into_iter().flatten();
                Some(both.map(|text| shortened(text)).collect::<Vec<_>>().join(" "))
            }
            Suspicion::Implausible => odd_figure(prev, next),
            _ => None,
        });
        let short = |text: &Option<String>| text.as_deref().map(shortened);
        Example { does, code: short(&prev.code), name: short(&prev.name), becomes }
    }
}

/// `9000 instead of 9`.
fn odd_figure(prev: &Product, next: &Product) -> Option<String> {
    let instead = |now: String, was: String| (now != was).then(|| format!("{now} instead of {was}"));
    let quantity = prev.quantity.zip(next.quantity).and_then(|(was, now)| instead(now.to_string(), was.to_string()));
    quantity.or_else(|| prev.price.zip(next.price).and_then(|(was, now)| instead(now.to_string(), was.to_string())))
}

/// What a whole reading would change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Census {
    /// How many rows were known before.
    pub known: u64,
    /// How many do what is suspicious.
    #[serde(flatten)]
    pub counts: Counts,
    /// How many rows have something to tell that is more than a quantity which moves: suspicious ones, and those that
    /// are created, updated or removed.
    pub changed: u64,
    /// How many of these have events that are of more than their quantity.
    #[serde(default)]
    pub told: u64,
    /// A few products of each kind.
    pub examples: Vec<Example>,
}

/// As much of a text as an example needs, on one line: it comes from outside and goes to terminals.
fn shortened(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.take(EXAMPLE_CHARS).collect();
    if text.chars().nth(EXAMPLE_CHARS).is_some() {
        short.push('…');
    }
    short
}
