//! `[shop.guard]`: from which size on a pass is held, and how long a change must stand to be believed by itself.

use super::value;
use crate::domain::diff::guard::GuardLimits;
use crate::domain::document::{Placed, Table};
use crate::domain::mistake::Mistake;

/// Takes `[shop.guard]`; what is left out has the value of the contract.
pub(super) fn take(shop: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> GuardLimits {
    let standard = GuardLimits::default();
    let Some(mut table) = shop.table("guard", mistakes) else { return standard };
    let max_changed = value::text(&mut table, "max_changed", mistakes);
    let limits = GuardLimits {
        max_changed_percent: max_changed
            .and_then(|written| percent(&written, mistakes))
            .unwrap_or(standard.max_changed_percent),
        min_changed: table.take("min_changed", mistakes).map_or(standard.min_changed, |placed| placed.value),
        few: standard.few,
        accept_after: value::duration(&mut table, "accept_after", mistakes).unwrap_or(standard.accept_after),
    };
    table.finish(&[], mistakes);
    limits
}

/// A share in whole hundredths: `20%`.
fn percent(written: &Placed<String>, mistakes: &mut Vec<Mistake>) -> Option<u32> {
    let number = written.value.strip_suffix('%').and_then(|number| number.trim().parse().ok());
    let percent = number.filter(|percent| *percent <= 100);
    if percent.is_none() {
        let mistake = written.mistake(format!("`max_changed`: `{}` is no share of the rows", written.value));
        mistakes.push(mistake.help("write it as `20%`, from `0%` to `100%`"));
    }
    percent
}
