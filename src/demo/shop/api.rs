//! How the simulated API answers over HTTP: the door, then the fault that was asked for, then the page.
//!
//! A call that an extractor turned away before it was counted would not spend quota, so none is. Calls to any other
//! path count as well.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::map_response_with_state;
use axum::response::Response;
use axum::routing::get;

use super::asked::{Asked, unpaged};
use super::faults::{Fault, json_text, message, spoil};
use super::listed::Row;
use super::quota::Admission;
use super::state::World;
use super::wire::Tap;
use super::{Shared, rows};
use crate::domain::model::{EntityId, Resource};

/// Where the API lives below the server's root, as at the vendor.
pub(super) const ROOT: &str = "/developer/api";

/// What a handler is given of a call.
type Shop = State<Arc<Shared>>;

/// The connection on which it came.
type Wire = ConnectInfo<Tap>;

/// All eleven calls of the vendor's page.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let calls = Router::new()
        .route("/transactions", get(transactions))
        .route("/stock", get(whole_stock))
        .route("/stock/pagination", get(stock_page))
        .route("/stock/{id}", get(one_product))
        .route("/member", get(members))
        .route("/member/find/phonenumber/{phonenumber}", get(members_with_phone))
        .route("/member/code/{code}", get(member_with_code))
        .route("/member/id/{id}", get(member_with_id))
        .route("/credit", get(credit))
        .route("/vendor", get(vendors))
        .route("/buy-document", get(purchases));
    let dated = map_response_with_state(Arc::clone(&shared), dated);
    Router::new().nest(ROOT, calls).fallback(elsewhere).layer(dated).with_state(shared)
}

/// Every answer says the shop's own time, and not that of the machine it is simulated on.
async fn dated(State(shared): Shop, mut response: Response) -> Response {
    let date = shared.says_it_is().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// `GET /transactions`: newest first. What `current_buyer` does is unknown; here it does nothing.
async fn transactions(shop: Shop, wire: Wire, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(shop, wire, Resource::Transactions, &headers, asked, |world, asked| {
        let (from, until) = asked.window("start", "end");
        // Bills stand in the order of their times, and a month of a busy shop has many.
        let span = world.sales.span(|sale| sale.sold_at < from, |sale| sale.sold_at >= until);
        Ok(asked.page_of_span(&world.sales, span, world, rows::write_sale))
    })
    .await
}

/// `GET /stock`: every product in one array, without `total`.
async fn whole_stock(shop: Shop, wire: Wire, headers: HeaderMap) -> Response {
    answer(shop, wire, Resource::Stock, &headers, Asked::default(), |world, _| {
        Ok(unpaged(world.products.read(), rows::write_product))
    })
    .await
}

/// `GET /stock/pagination`: oldest first; `term` is looked for in code and name.
async fn stock_page(shop: Shop, wire: Wire, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(shop, wire, Resource::Stock, &headers, asked, |world, asked| {
        if asked.text("term").is_empty() {
            return Ok(asked.page(&world.products, world, rows::write_product));
        }
        let found = world.products.read().filter(|product| asked.seeks(&[&product.code, &product.name]));
        Ok(asked.page_of(found, world, rows::write_product))
    })
    .await
}

/// `GET /stock/{id}`.
async fn one_product(shop: Shop, wire: Wire, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(shop, wire, Resource::Stock, &headers, Asked::default(), |world, _| {
        let found = EntityId::new(id.as_str()).ok().and_then(|id| world.products.get(&id));
        single(found, world, rows::write_product)
    })
    .await
}

/// `GET /member`: oldest first. Without paging it was seen to have no `total`.
async fn members(shop: Shop, wire: Wire, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(shop, wire, Resource::Members, &headers, asked, |world, asked| {
        if !asked.is_paged() {
            return Ok(unpaged(world.members.read(), rows::write_member));
        }
        Ok(asked.page(&world.members, world, rows::write_member))
    })
    .await
}

/// `GET /member/find/phonenumber/{phonenumber}`: everyone who has that number as it was typed; it may be several.
async fn members_with_phone(shop: Shop, wire: Wire, headers: HeaderMap, Path(phone): Path<String>) -> Response {
    answer(shop, wire, Resource::Members, &headers, Asked::default(), |world, _| {
        Ok(unpaged(world.members.read().filter(|member| member.card.phone == phone), rows::write_member))
    })
    .await
}

/// `GET /member/code/{code}`.
async fn member_with_code(shop: Shop, wire: Wire, headers: HeaderMap, Path(code): Path<String>) -> Response {
    answer(shop, wire, Resource::Members, &headers, Asked::default(), |world, _| {
        single(world.members.iter().find(|member| member.card.code == code), world, rows::write_member)
    })
    .await
}

/// `GET /member/id/{id}`.
async fn member_with_id(shop: Shop, wire: Wire, headers: HeaderMap, Path(id): Path<String>) -> Response {
    answer(shop, wire, Resource::Members, &headers, Asked::default(), |world, _| {
        let found = EntityId::new(id.as_str()).ok().and_then(|id| world.members.get(&id));
        single(found, world, rows::write_member)
    })
    .await
}

/// `GET /credit`: newest first.
async fn credit(shop: Shop, wire: Wire, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(shop, wire, Resource::Credit, &headers, asked, |world, asked| {
        let found = world.credits.read().filter(|credit| {
            let period = match asked.text("period") {
                "OUT_OF_PERIOD" => credit.out_of_period,
                "IN_OF_PERIOD" => !credit.out_of_period,
                _ => true,
            };
            let status = match asked.text("status") {
                "paid" => credit.is_paid(),
                "pending" => !credit.is_paid(),
                _ => true,
            };
            period && status
        });
        Ok(asked.page_of(found, world, rows::write_credit))
    })
    .await
}

/// `GET /vendor`: oldest first; `term` is looked for in code, telephone number and company name.
async fn vendors(shop: Shop, wire: Wire, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(shop, wire, Resource::Vendors, &headers, asked, |world, asked| {
        let found = world.vendors.read().filter(|vendor| asked.seeks(&[&vendor.code, &vendor.phone, &vendor.name]));
        Ok(asked.page_of(found, world, rows::write_vendor))
    })
    .await
}

/// `GET /buy-document`: newest first; `term` is looked for in the code. Days are Thai days, as of sales (a guess).
async fn purchases(shop: Shop, wire: Wire, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    answer(shop, wire, Resource::BuyDocuments, &headers, asked, |world, asked| {
        let (from, until) = asked.window("start_date", "end_date");
        let found = world.purchases.read().filter(|purchase| (from..until).contains(&purchase.issued_at));
        let found = found.filter(|purchase| asked.seeks(&[&purchase.code]));
        Ok(asked.page_of(found, world, rows::write_purchase))
    })
    .await
}

/// Any other path: counted, and not found.
async fn elsewhere(State(shared): Shop, headers: HeaderMap) -> Response {
    let (status, words) = enter(&shared, None, &headers).err().unwrap_or(NO_ROUTE);
    message(status, words)
}

/// The answer to a question for one row. Whether it is an array of one or an object, and what an unknown id is
/// answered with, is unknown: the plan says.
fn single<T: Row>(found: Option<&T>, world: &World, write: impl Fn(&T, &mut String)) -> Result<String, Refusal> {
    match found {
        None if world.plan.unknown_is_empty => Ok(unpaged(std::iter::empty(), write)),
        None => Err(NO_ROUTE),
        Some(row) if world.plan.single_is_object => {
            let mut text = String::new();
            write(row, &mut text);
            Ok(format!(r#"{{"success":1,"data":{text}}}"#))
        }
        Some(row) => Ok(unpaged(std::iter::once(row), write)),
    }
}

/// The status and the gateway's words.
type Refusal = (StatusCode, &'static str);

/// What the gateway says where there is nothing.
const NO_ROUTE: Refusal = (StatusCode::NOT_FOUND, "no Route matched with those values");

/// One call: counted first, then refused, spoilt or answered with what `write` makes of the shop.
async fn answer(
    State(shared): Shop,
    ConnectInfo(tap): Wire,
    resource: Resource,
    headers: &HeaderMap,
    asked: Asked,
    write: impl Fn(&World, &Asked) -> Result<String, Refusal>,
) -> Response {
    let fault = match enter(&shared, Some(resource), headers) {
        Ok(fault) => fault,
        Err((status, words)) => return message(status, words),
    };
    if let Some(Fault::Slow(pause)) = fault {
        tokio::time::sleep(pause).await;
    }
    let asked = if fault == Some(Fault::IgnoresPage) { asked.first_page() } else { asked };
    // Written after the pause: a slow server answers with what is so when it answers.
    let whole = {
        let mut world = shared.world();
        let whole = write(&world, &asked);
        if asked.is_paged() {
            world.stir(resource, shared.now());
        }
        whole
    };
    match (whole, fault) {
        (Err((status, words)), _) => message(status, words),
        (Ok(whole), None) => json_text(whole),
        (Ok(whole), Some(fault)) => spoil(fault, whole, &tap),
    }
}

/// Counts the call and says what is to go wrong with it, or refuses it.
fn enter(shared: &Shared, resource: Option<Resource>, headers: &HeaderMap) -> Result<Option<Fault>, Refusal> {
    let key = headers.get("apikey").map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
    let mut world = shared.world();
    // Under the lock, so that arrivals are counted in the order of their times.
    let at = (shared.uptime)();
    match world.door.arrive(key.as_deref(), at) {
        Admission::Welcome => Ok(resource.and_then(|resource| world.faults.take(resource))),
        Admission::NoKey => Err((StatusCode::UNAUTHORIZED, "No API key found in request")),
        Admission::Refused => Err((StatusCode::FORBIDDEN, "Invalid authentication credentials")),
    }
}
