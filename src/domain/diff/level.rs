//! The stock level machine: each shortage is told once, and re-arms on recovery.

use serde::{Deserialize, Serialize};

use crate::domain::event::{Level, ThresholdView};
use crate::domain::model::Quantity;
use crate::domain::rules::Limits;

/// What is known of one product's level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelState {
    /// The worst level that was told since the last recovery; `Ok` means armed.
    pub worst: Level,
    /// What the latest passes have seen and not yet told, where more than one must agree.
    pub waiting: Waiting,
}

/// A level that too few passes have seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Waiting {
    /// Nothing is waiting.
    Nothing,
    /// A worse level: the mildest of the passes that agree.
    Worse {
        /// All waiting passes saw at least this level.
        level: Level,
        /// How many there are.
        passes: u32,
    },
    /// A recovery.
    Recovery {
        /// How many passes saw it.
        passes: u32,
    },
}

impl LevelState {
    /// The state of a product that is first seen with this quantity: its level is taken without a word.
    pub fn first(quantity: Option<Quantity>, limits: &Limits) -> LevelState {
        let worst = quantity.map_or(Level::Ok, |quantity| level(quantity, limits));
        LevelState { worst, waiting: Waiting::Nothing }
    }

    /// One pass that saw `quantity`. Returns the state afterwards and what is to be told.
    pub fn step(&self, quantity: Quantity, limits: &Limits) -> (LevelState, Option<ThresholdView>) {
        let seen = level(quantity, limits);
        if seen > self.worst {
            let (level, passes) = match self.waiting {
                Waiting::Worse { level, passes } => (level.min(seen), passes.saturating_add(1)),
                _ => (seen, 1),
            };
            if passes < limits.passes {
                return (self.waiting_for(Waiting::Worse { level, passes }), None);
            }
            let told = LevelState { worst: level, waiting: Waiting::Nothing };
            return (told, Some(view(level, limits)));
        }
        if self.worst != Level::Ok && recovered(quantity, limits) {
            let passes = match self.waiting {
                Waiting::Recovery { passes } => passes.saturating_add(1),
                _ => 1,
            };
            if passes < limits.passes {
                return (self.waiting_for(Waiting::Recovery { passes }), None);
            }
            let told = LevelState { worst: Level::Ok, waiting: Waiting::Nothing };
            return (told, Some(view(Level::Ok, limits)));
        }
        (self.waiting_for(Waiting::Nothing), None)
    }

    fn waiting_for(&self, waiting: Waiting) -> LevelState {
        LevelState { worst: self.worst, waiting }
    }
}

/// The level of a quantity.
pub fn level(quantity: Quantity, limits: &Limits) -> Level {
    let below = |limit: Option<Quantity>| limit.is_some_and(|limit| quantity < limit);
    if quantity <= Quantity::ZERO {
        Level::Out
    } else if below(limits.critical) {
        Level::Critical
    } else if below(limits.low) {
        Level::Low
    } else {
        Level::Ok
    }
}

fn recovered(quantity: Quantity, limits: &Limits) -> bool {
    quantity > Quantity::ZERO && limits.rearm.is_none_or(|rearm| quantity >= rearm)
}

fn view(level: Level, limits: &Limits) -> ThresholdView {
    let below = match level {
        Level::Ok | Level::Low => limits.low,
        Level::Critical => limits.critical,
        Level::Out => limits.low.or(limits.critical),
    };
    ThresholdView { level, below, rearm: limits.rearm }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().expect("is a quantity")
    }

    /// `"low critical rearm passes"`, with `-` for none.
    fn limits(text: &str) -> Limits {
        let mut words = text.split(' ').map(|word| (word != "-").then(|| quantity(word)));
        let mut next = || words.next().flatten();
        let (low, critical, rearm) = (next(), next(), next());
        let passes = next().map_or(1, |n| n.to_string().parse().expect("is whole"));
        Limits { low, critical, rearm: rearm.or(low).or(critical), passes }
    }

    /// Runs a series from armed and writes down what is told: `L5` is low at 5, `R9` recovered at 9.
    fn check(limits_text: &str, series: &str, told: &str) {
        let limits = limits(limits_text);
        let mut state = LevelState { worst: Level::Ok, waiting: Waiting::Nothing };
        let mut said = Vec::new();
        for text in series.split(' ') {
            let (next, view) = state.step(quantity(text), &limits);
            state = next;
            said.extend(view.map(|view| match view.level {
                Level::Ok => format!("R{text}"),
                Level::Low => format!("L{text}"),
                Level::Critical => format!("C{text}"),
                Level::Out => format!("O{text}"),
            }));
        }
        assert_eq!(said.join(" "), told, "{limits_text}: {series}");
    }

    #[test]
    fn each_shortage_is_told_once_and_rearms_on_recovery() {
        check("5 - 8", "6 5 4 6 5 9 4", "L4 R9 L4");
        check("5 - 8", "6 4 2 0", "L4 O0");
        check("- - -", "3 0 -2 1 0", "O0 R1 O0");
        check("24 6 30", "25 23 5 0 29 30 5", "L23 C5 O0 R30 C5");
        check("24 6 -", "23 24 23", "L23 R24 L23");
        check("- 6 -", "7 5 6", "C5 R6");
        check("1.5 - -", "1.51 1.49 1.5", "L1.49 R1.5");
    }

    #[test]
    fn as_many_passes_as_asked_for_must_agree() {
        check("5 - 8 2", "9 0 9 9", "");
        check("5 - 8 2", "4 4 9 4 9 9", "L4 R9");
        check("5 2 8 2", "4 1 1 1", "L1 C1");
    }

    proptest! {
        #[test]
        fn a_recovery_stands_between_any_two_equal_alarms(series in proptest::collection::vec(-2i64..40, 1..60)) {
            let limits = limits("24 6 30");
            let mut state = LevelState { worst: Level::Ok, waiting: Waiting::Nothing };
            let mut since_recovery = Level::Ok;
            for whole in series {
                let (next, told) = state.step(Quantity::from(whole), &limits);
                state = next;
                if let Some(view) = told {
                    prop_assert!(view.level == Level::Ok || view.level > since_recovery);
                    prop_assert!(view.level != Level::Ok || since_recovery != Level::Ok);
                    since_recovery = view.level;
                }
                // What is not told is no worse than what was.
                prop_assert!(level(Quantity::from(whole), &limits) <= state.worst);
            }
        }
    }
}
