//! What a call asked for, and the page of it: which rows, in which order, under which count.
//!
//! Nothing is refused for a strange parameter: what the vendor does with one is unknown.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::Deserialize;

use super::listed::{Listed, Row};
use super::state::World;
use crate::domain::model::Timestamp;

/// How many rows a page has where nobody says. The vendor's default is unknown; this is its own example.
const DEFAULT_LIMIT: usize = 200;

/// The parameters of a call, as they were written.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Asked(HashMap<String, String>);

impl Asked {
    /// A parameter's text; empty where it was not given.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether one of these texts has the search term in it, or there is none.
    pub(super) fn seeks(&self, texts: &[&str]) -> bool {
        let term = self.text("term").to_lowercase();
        term.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&term))
    }

    /// A parameter that is a number above zero.
    fn number(&self, name: &str) -> Option<usize> {
        self.text(name).parse().ok().filter(|number| *number > 0)
    }

    /// Two parameters as a half-open window: whole Thai days where they are days, both included.
    pub(super) fn window(&self, start: &str, end: &str) -> (Timestamp, Timestamp) {
        let from = day_start(self.text(start)).or_else(|| self.text(start).parse().ok());
        let until = day_start(self.text(end))
            .map(|start| start + TimeDelta::days(1))
            .or_else(|| self.text(end).parse().ok().map(|end: Timestamp| end + TimeDelta::milliseconds(1)));
        let from = from.unwrap_or(Timestamp::MIN_UTC);
        (from, until.unwrap_or(Timestamp::MAX_UTC).max(from))
    }

    /// Whether pages were asked for at all.
    pub(super) fn is_paged(&self) -> bool {
        self.0.contains_key("page") || self.0.contains_key("limit")
    }

    /// The same call, but of the first page.
    pub(super) fn first_page(mut self) -> Self {
        self.0.insert("page".to_owned(), "1".to_owned());
        self
    }

    /// How many rows stand before the page that was asked for, and how many it holds.
    fn place(&self, world: &World) -> (usize, usize) {
        let limit = self.number("limit").unwrap_or(DEFAULT_LIMIT).min(world.plan.largest_page.max(1));
        ((self.number("page").unwrap_or(1) - 1).saturating_mul(limit), limit)
    }

    /// The page of a whole list. Only its own rows are looked at and written, however long the list is.
    pub(super) fn page<T: Row>(&self, listed: &Listed<T>, world: &World, write: impl Fn(&T, &mut String)) -> String {
        let (skipped, limit) = self.place(world);
        let data = array(listed.slice(skipped, limit), write);
        closed(&data, listed.len(), limit, world)
    }

    /// The page of a part of a list that is read newest first, by places counted from the oldest. Only its own rows are
    /// looked at.
    pub(super) fn page_of_span<T: Row>(
        &self,
        listed: &Listed<T>,
        span: Range<usize>,
        world: &World,
        write: impl Fn(&T, &mut String),
    ) -> String {
        let (skipped, limit) = self.place(world);
        let left = span.len().saturating_sub(skipped);
        let younger = listed.len() - span.end;
        let data = array(listed.slice(younger.saturating_add(skipped), limit.min(left)), write);
        closed(&data, span.len(), limit, world)
    }

    /// The page of those rows that were looked for. All are counted, only the page's own are written.
    pub(super) fn page_of<'a, T: 'a>(
        &self,
        found: impl Iterator<Item = &'a T>,
        world: &World,
        write: impl Fn(&T, &mut String),
    ) -> String {
        let (skipped, limit) = self.place(world);
        let mut total = 0_usize;
        let on_page = found.inspect(|_| total += 1).enumerate();
        let on_page = on_page.filter(|(index, _)| (skipped..skipped.saturating_add(limit)).contains(index));
        let data = array(on_page.map(|(_, thing)| thing), write);
        closed(&data, total, limit, world)
    }
}

/// The rows with `total` and `total_page`, where the plan has the shop tell them.
fn closed(data: &str, total: usize, limit: usize, world: &World) -> String {
    if !world.plan.tells_total {
        return format!(r#"{{"success":1,"data":{data}}}"#);
    }
    let pages = total.div_ceil(limit);
    format!(r#"{{"success":1,"data":{data},"total":{total},"total_page":{pages}}}"#)
}

/// An answer without pages: no `total`, as was seen of members.
pub(super) fn unpaged<'a, T: 'a>(rows: impl Iterator<Item = &'a T>, write: impl Fn(&T, &mut String)) -> String {
    format!(r#"{{"success":1,"data":{}}}"#, array(rows, write))
}

/// The rows as a JSON array. Text is joined and not a tree built, so that 20,000 products are no effort.
fn array<'a, T: 'a>(rows: impl Iterator<Item = &'a T>, write: impl Fn(&T, &mut String)) -> String {
    let mut text = String::from("[");
    for (index, row) in rows.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(row, &mut text);
    }
    text.push(']');
    text
}

/// When the Thai day that `text` names begins; `None` where it is no day.
fn day_start(text: &str) -> Option<Timestamp> {
    let day: NaiveDate = text.parse().ok()?;
    let midnight = day.and_time(NaiveTime::MIN).and_local_timezone(chrono_tz::Asia::Bangkok);
    midnight.single().map(|midnight| midnight.to_utc())
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::super::state::Basket;
    use super::super::things::PaidBy;
    use super::super::{ShopPlan, seed};
    use super::*;
    use serde_json::{Value, json};

    fn asked(query: &[(&str, &str)]) -> Asked {
        Asked(query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn sold_between(world: &World, start: &str, end: &str) -> Vec<String> {
        let (from, until) = asked(&[("start", start), ("end", end)]).window("start", "end");
        let sold_at = world.sales.iter().map(|sale| sale.sold_at);
        sold_at.filter(|at| (from..until).contains(at)).map(|at| at.to_rfc3339()).collect()
    }

    #[test]
    fn a_day_is_a_thai_day_from_its_first_to_its_last_instant() {
        let now = "2026-11-24T12:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan { sales_today: 0, ..ShopPlan::default() }, now);
        let product = world.products.at(0).expect("has products").id.clone();
        for at in
            ["2026-11-22T16:59:59.999Z", "2026-11-22T17:00:00Z", "2026-11-23T16:59:59.999Z", "2026-11-23T17:00:00Z"]
        {
            world.write_bill(
                at.parse().expect("is a time"),
                &Basket::from([(product.clone(), 1.into())]),
                PaidBy::Cash,
            );
        }
        let days = |start, end| sold_between(&world, start, end).len();
        assert_eq!(
            sold_between(&world, "2026-11-23", "2026-11-23"),
            ["2026-11-22T17:00:00+00:00", "2026-11-23T16:59:59.999+00:00"]
        );
        assert_eq!((days("2026-11-22", "2026-11-24"), days("2026-11-24", "2026-11-24"), days("", "")), (4, 1, 4));
        assert_eq!(days("2026-11-22T17:00:00.000Z", "2026-11-23T17:00:00.000Z"), 3, "the older form, by instants");
        assert_eq!(days("2026-11-24", "2026-11-22"), 0, "the wrong way round");
    }

    #[test]
    fn a_page_of_some_days_is_the_same_however_it_is_found() {
        let now = "2026-11-24T12:00:00Z".parse().expect("is a time");
        let world = seed::world(ShopPlan { sales_today: 45, ..ShopPlan::default() }, now);
        let moments = ["2026-11-23T17:00:00Z", "2026-11-24T03:00:00Z", "2026-11-24T09:30:00Z", "2026-11-25T17:00:00Z"];
        let moments: Vec<Timestamp> = moments.iter().map(|at| at.parse().expect("is a time")).collect();
        for (from, until) in moments.iter().flat_map(|from| moments.iter().map(move |until| (from, until))) {
            for (page, limit) in [("1", "200"), ("1", "7"), ("3", "7"), ("9", "7")] {
                let asked = asked(&[("page", page), ("limit", limit)]);
                let span = world.sales.span(|sale| sale.sold_at < *from, |sale| sale.sold_at >= *until);
                let found = world.sales.read().filter(|sale| *from <= sale.sold_at && sale.sold_at < *until);
                let text = asked.page_of_span(&world.sales, span, &world, rows::write_sale);
                assert_eq!(text, asked.page_of(found, &world, rows::write_sale), "{from} {until} {page} {limit}");
            }
        }
    }

    #[test]
    fn pages_cut_the_list_without_gap_or_overlap() {
        let now = "2026-11-24T12:00:00Z".parse().expect("is a time");
        let world = seed::world(ShopPlan { products: 25, largest_page: 10, ..ShopPlan::default() }, now);
        let page = |page: &str, limit: &str| {
            let asked = asked(&[("page", page), ("limit", limit)]);
            let text = asked.page(&world.products, &world, rows::write_product);
            assert_eq!(text, asked.page_of(world.products.read(), &world, rows::write_product));
            serde_json::from_str::<Value>(&text).expect("is JSON")
        };
        let mut ids = std::collections::BTreeSet::new();
        for (number, rows) in [("1", 10), ("2", 10), ("3", 5), ("4", 0)] {
            let page = page(number, "1000");
            let data = page["data"].as_array().expect("is a list");
            assert_eq!((data.len(), &page["total"], &page["total_page"]), (rows, &json!(25), &json!(3)));
            ids.extend(data.iter().map(|row| row["_id"].to_string()));
        }
        assert_eq!(ids.len(), 25);
        assert_eq!(page("x", "7")["data"].as_array().map(Vec::len), Some(7), "a strange page is the first");
    }
}
