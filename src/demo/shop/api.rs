//! How the simulated API answers over HTTP: the door, then the fault that was asked for, then the page.
//!
//! Nothing is refused for a strange parameter: what the vendor does with one is unknown, and a call that an extractor
//! turned away before it was counted would not spend quota. Calls to any other path count as well.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::Deserialize;

use super::faults::{Fault, json_text, message, spoil};
use super::quota::Admission;
use super::state::World;
use super::{Shared, rows};
use crate::domain::model::{EntityId, Resource, Timestamp};

/// Where the API lives below the server's root, as at the vendor.
pub(super) const ROOT: &str = "/developer/api";

/// How many rows a page has where nobody says. The vendor's default is unknown; this is its own example.
const DEFAULT_LIMIT: usize = 200;

/// The parameters of a call, as they were written.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Asked(HashMap<String, String>);

/// All calls that this stage knows.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let calls = Router::new()
        .route("/transactions", get(transactions))
        .route("/stock", get(whole_stock))
        .route("/stock/pagination", get(stock_page))
        .route("/stock/{id}", get(one_product))
        .route("/credit", get(credit));
    Router::new().nest(ROOT, calls).fallback(elsewhere).with_state(shared)
}

/// `GET /transactions`: newest first.
async fn transactions(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(&shared, Resource::Transactions, &headers, |world| {
        let (from, until) = asked.window();
        let found = world.sales.range((from, 0)..(until, 0)).rev().map(|(_, sale)| sale);
        asked.page(found, world, rows::write_sale)
    })
    .await
}

/// `GET /stock`: every product in one array, without `total`.
async fn whole_stock(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    answer(&shared, Resource::Stock, &headers, |world| unpaged(world.products.iter(), rows::write_product)).await
}

/// `GET /stock/pagination`: oldest first; `term` is looked for in code and name.
async fn stock_page(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(&shared, Resource::Stock, &headers, |world| {
        let term = asked.text("term").to_lowercase();
        let found = world.products.iter().filter(|product| {
            term.is_empty()
                || product.code.to_lowercase().contains(&term)
                || product.name.to_lowercase().contains(&term)
        });
        asked.page(found, world, rows::write_product)
    })
    .await
}

/// `GET /stock/{id}`: an array of one, or of none. The real form is unknown.
async fn one_product(State(shared): State<Arc<Shared>>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(&shared, Resource::Stock, &headers, |world| {
        let found = EntityId::new(id.as_str()).ok().and_then(|id| world.product(&id));
        unpaged(found.into_iter(), rows::write_product)
    })
    .await
}

/// `GET /credit`: newest first.
async fn credit(State(shared): State<Arc<Shared>>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(&shared, Resource::Credit, &headers, |world| {
        let found = world.credits.iter().rev().filter(|credit| {
            let period = match asked.text("period") {
                "OUT_OF_PERIOD" => credit.out_of_period,
                "IN_OF_PERIOD" => !credit.out_of_period,
                _ => true,
            };
            let status = match asked.text("status") {
                "paid" => credit.paid,
                "pending" => !credit.paid,
                _ => true,
            };
            period && status
        });
        asked.page(found, world, rows::write_credit)
    })
    .await
}

/// Any other path: counted, and not found.
async fn elsewhere(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    match enter(&shared, None, &headers) {
        Err((status, words)) => message(status, words),
        Ok(_) => message(StatusCode::NOT_FOUND, "no Route matched with those values"),
    }
}

/// One call: counted first, then refused, spoilt or answered with what `write` makes of the shop.
async fn answer(
    shared: &Shared,
    resource: Resource,
    headers: &HeaderMap,
    write: impl Fn(&World) -> String,
) -> Response {
    let fault = match enter(shared, Some(resource), headers) {
        Ok(fault) => fault,
        Err((status, words)) => return message(status, words),
    };
    if let Some(Fault::Slow(pause)) = fault {
        tokio::time::sleep(pause).await;
    }
    // Written after the pause: a slow server answers with what is so when it answers.
    let whole = write(&shared.world());
    match fault {
        None => json_text(whole),
        Some(fault) => spoil(fault, whole),
    }
}

/// The status and the gateway's words.
type Refusal = (StatusCode, &'static str);

/// Counts the call and says what is to go wrong with it, or refuses it.
fn enter(shared: &Shared, resource: Option<Resource>, headers: &HeaderMap) -> Result<Option<Fault>, Refusal> {
    let key = headers.get("apikey").map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
    let mut world = shared.world();
    // Under the lock, so that arrivals are counted in the order of their times.
    let at = shared.opened.elapsed();
    match world.door.arrive(key.as_deref(), at) {
        Admission::Welcome => Ok(resource.and_then(|resource| world.faults.take(resource))),
        Admission::NoKey => Err((StatusCode::UNAUTHORIZED, "No API key found in request")),
        Admission::Refused => Err((StatusCode::FORBIDDEN, "Invalid authentication credentials")),
    }
}

impl Asked {
    /// A parameter's text; empty where it was not given.
    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A parameter that is a number above zero.
    fn number(&self, name: &str) -> Option<usize> {
        self.text(name).parse().ok().filter(|number| *number > 0)
    }

    /// `start` and `end` as a half-open window: whole Thai days where they are days, both included.
    fn window(&self) -> (Timestamp, Timestamp) {
        let from = day_start(self.text("start")).or_else(|| self.text("start").parse().ok());
        let until = day_start(self.text("end"))
            .map(|start| start + TimeDelta::days(1))
            .or_else(|| self.text("end").parse().ok().map(|end: Timestamp| end + TimeDelta::milliseconds(1)));
        let from = from.unwrap_or(Timestamp::MIN_UTC);
        (from, until.unwrap_or(Timestamp::MAX_UTC).max(from))
    }

    /// The page that was asked for, with `total` and `total_page`; only its own rows are written.
    fn page<'a, T: 'a>(
        &self,
        found: impl Iterator<Item = &'a T>,
        world: &World,
        write: impl Fn(&T, &mut String),
    ) -> String {
        let limit = self.number("limit").unwrap_or(DEFAULT_LIMIT).min(world.plan.largest_page.max(1));
        let first = (self.number("page").unwrap_or(1) - 1).saturating_mul(limit);
        let mut total = 0_usize;
        let on_page = found.inspect(|_| total += 1).enumerate();
        let on_page = on_page.filter(|(index, _)| (first..first.saturating_add(limit)).contains(index));
        let data = array(on_page.map(|(_, thing)| thing), write);
        let pages = total.div_ceil(limit);
        format!(r#"{{"success":1,"data":{data},"total":{total},"total_page":{pages}}}"#)
    }
}

/// An answer without pages: no `total`, as was seen of members.
fn unpaged<'a, T: 'a>(rows: impl Iterator<Item = &'a T>, write: impl Fn(&T, &mut String)) -> String {
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
    use super::super::state::Basket;
    use super::super::state::PaidBy;
    use super::super::{ShopPlan, seed};
    use super::*;
    use serde_json::{Value, json};

    fn asked(query: &[(&str, &str)]) -> Asked {
        Asked(query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn sold_between(world: &World, start: &str, end: &str) -> Vec<String> {
        let (from, until) = asked(&[("start", start), ("end", end)]).window();
        world.sales.range((from, 0)..(until, 0)).map(|(_, sale)| sale.sold_at.to_rfc3339()).collect()
    }

    #[test]
    fn a_day_is_a_thai_day_from_its_first_to_its_last_instant() {
        let now = "2026-11-24T12:00:00Z".parse().expect("is a time");
        let mut world = seed::world(ShopPlan { sales_today: 0, ..ShopPlan::default() }, now);
        for at in
            ["2026-11-22T16:59:59.999Z", "2026-11-22T17:00:00Z", "2026-11-23T16:59:59.999Z", "2026-11-23T17:00:00Z"]
        {
            world.write_bill(at.parse().expect("is a time"), &Basket::from([(0, 1.into())]), PaidBy::Cash);
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
    fn pages_cut_the_list_without_gap_or_overlap() {
        let now = "2026-11-24T12:00:00Z".parse().expect("is a time");
        let world = seed::world(ShopPlan { products: 25, largest_page: 10, ..ShopPlan::default() }, now);
        let page = |page: &str, limit: &str| {
            let text =
                asked(&[("page", page), ("limit", limit)]).page(world.products.iter(), &world, rows::write_product);
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
