//! One `[[threshold]]`: what is low, critical and recovered, and whether the three agree.

use std::collections::BTreeMap;

use super::{Beside, Names, sheet};
use crate::domain::document::{Placed, Scalar, Table, suggestion};
use crate::domain::mistake::Mistake;
use crate::domain::model::Quantity;
use crate::domain::rules::{Figures, Low, Threshold};

pub(super) fn read(
    mut table: Table<'_>,
    names: &Names,
    beside: Beside<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Threshold> {
    let before = mistakes.len();
    let shops = super::shops(&mut table, names, mistakes);
    let products = table.take::<Vec<String>>("products", mistakes);
    let category = table.take::<String>("category", mistakes);
    let low = low(&mut table, mistakes);
    let critical = figure(&mut table, "critical", mistakes);
    let rearm = figure(&mut table, "rearm", mistakes);
    let passes = table.take::<u32>("passes", mistakes);
    let by_code = table.take::<String>("csv", mistakes).and_then(|csv| figures_by_code(&csv, beside, mistakes));
    let span = table.span.clone();
    table.finish(&[], mistakes);

    let has_own = low.is_some() || critical.is_some() || rearm.is_some();
    if has_own && by_code.is_some() {
        mistakes.push(Mistake::new(span.clone(), "`csv` stands instead of `low`, `critical` and `rearm`"));
    }
    if low.is_none() && critical.is_none() && by_code.is_none() && mistakes.len() == before {
        mistakes.push(Mistake::new(span, "a threshold needs `low`, `critical` or `csv`"));
    }
    if let Some(products) = products.as_ref().filter(|products| products.value.is_empty()) {
        mistakes.push(products.mistake("`products` is empty: leave it out to mean all products"));
    }
    if let Some(passes) = passes.as_ref().filter(|passes| passes.value == 0) {
        mistakes.push(passes.mistake("`passes` must be at least 1"));
    }
    contradictions(low, critical.as_ref(), rearm.as_ref(), mistakes);
    let value = |figure: Option<Placed<Quantity>>| figure.map(|figure| figure.value);
    (mistakes.len() == before).then(|| Threshold {
        shops,
        products: products.map(|products| products.value).unwrap_or_default(),
        category: category.map(|category| category.value),
        by_code,
        low,
        critical: value(critical),
        rearm: value(rearm),
        passes: passes.map_or(1, |passes| passes.value),
    })
}

/// The table of figures that `csv` names.
fn figures_by_code(
    csv: &Placed<String>,
    beside: Beside<'_>,
    mistakes: &mut Vec<Mistake>,
) -> Option<BTreeMap<String, Figures>> {
    let read = beside(&csv.value).map_err(|problem| vec![problem]).and_then(|text| {
        let problems = |found: Vec<String>| found.iter().map(|one| format!("{}, {one}", csv.value)).collect();
        sheet::read(&text).map_err(problems)
    });
    match read {
        Ok(by_code) => Some(by_code),
        Err(problems) => {
            mistakes.extend(problems.into_iter().map(|problem| csv.mistake(problem)));
            None
        }
    }
}

/// The word for the product's own figure.
const MIN_STOCK: &str = "min_stock";

fn low(table: &mut Table<'_>, mistakes: &mut Vec<Mistake>) -> Option<Low> {
    let placed = table.take::<Scalar>("low", mistakes)?;
    let low = match &placed.value {
        Scalar::Text(word) if word == MIN_STOCK => Some(Low::MinStock),
        other => quantity(other).map(Low::Below),
    };
    if low.is_none() {
        let mistake = placed.mistake(format!("`low` must be a number or \"{MIN_STOCK}\""));
        mistakes.push(match &placed.value {
            Scalar::Text(text) if is_number(text) => mistake.help(WITHOUT_QUOTES),
            Scalar::Text(word) if suggestion(word, [MIN_STOCK].into_iter()).is_some() => {
                mistake.help(format!("did you mean \"{MIN_STOCK}\"?"))
            }
            _ => mistake,
        });
    }
    low
}

const WITHOUT_QUOTES: &str = "write it without quotes";

/// The exact decimal that was written: what has no digits (`inf`) or too many is none.
fn quantity(written: &Scalar) -> Option<Quantity> {
    let Scalar::Number(text) = written else { return None };
    text.parse::<Quantity>().ok().map(|quantity| Quantity::from(quantity.decimal().normalize()))
}

fn is_number(text: &str) -> bool {
    text.parse::<Quantity>().is_ok()
}

/// Figures in an order in which a shortage would recover without a delivery, or never be critical.
fn contradictions(
    low: Option<Low>,
    critical: Option<&Placed<Quantity>>,
    rearm: Option<&Placed<Quantity>>,
    mistakes: &mut Vec<Mistake>,
) {
    let low = match low {
        Some(Low::Below(figure)) => Some(figure),
        _ => None,
    };
    // `sheet` refuses the same in its own words, by lines.
    if let Some(critical) = critical.filter(|critical| low.is_some_and(|low| critical.value > low)) {
        mistakes.push(critical.mistake("`critical` is above `low`"));
    }
    let Some(rearm) = rearm else { return };
    if low.is_some_and(|low| rearm.value < low) {
        mistakes.push(rearm.mistake("`rearm` is below `low`"));
    } else if critical.is_some_and(|critical| rearm.value < critical.value) {
        mistakes.push(rearm.mistake("`rearm` is below `critical`"));
    }
}

fn figure(table: &mut Table<'_>, key: &str, mistakes: &mut Vec<Mistake>) -> Option<Placed<Quantity>> {
    let placed = table.take::<Scalar>(key, mistakes)?;
    if let Some(value) = quantity(&placed.value) {
        return Some(Placed { value, span: placed.span });
    }
    let mistake = placed.mistake(format!("`{key}` must be a number"));
    mistakes.push(match &placed.value {
        Scalar::Text(text) if is_number(text) => mistake.help(WITHOUT_QUOTES),
        _ => mistake,
    });
    None
}
